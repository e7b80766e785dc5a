"""How many changes of the code that decides about keys, and of the code that changes them, the tests notice.

    make mutants
    .venv/bin/python -m benchmarks.mutants [--only guard] [--least 95]

Every small change that mutmut knows (a comparison turned round, a constant altered, an argument left out) is made in a
copy of this directory, one at a time, and the tests of that code are run on it. A change that no test notices survives.
Printed are the counts of each module and of both parts, and each survivor in a line: its name, what stood there, and
what was put in its place. Why each of them may is said in `benchmarks/mutants.md`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tables import table

ROOT = Path(__file__).resolve().parent.parent
PARTS = {
    "guard": (
        "rules/guard.py",
        "rules/objections.py",
        "rules/situation.py",
        "rules/touched.py",
        "rules/reactivation.py",
    ),
    "shutoff": ("watcher/shutoff.py",),
}
"""What is mutated, by the part of shutoff that it belongs to."""
TESTS = (
    "tests/rules/test_guard.py",
    "tests/rules/test_guard_edges.py",
    "tests/rules/test_protection.py",
    "tests/rules/test_protection_confirmed.py",
    "tests/shutoff/test_execution.py",
    "tests/shutoff/test_beside_others.py",
    "tests/shutoff/test_slow_api.py",
    "tests/shutoff/test_logged.py",
)
COPIED = ("rules", "watcher", "notifiers", "tests", "pyproject.toml")
KILLED = frozenset({"killed", "timeout", "segfault", "caught by type check"})
"""What becomes of a mutant that the tests notice; one that never ends is noticed, too, and has long to end on a machine
that has other work."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A change that no test noticed."""

    name: str
    before: str
    after: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 1 where fewer than the asked share were noticed in a part."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants")
    parser.add_argument("--mutmut", default=".venv-mutants/bin/mutmut", type=Path, help="the program that mutates")
    parser.add_argument("--only", choices=tuple(PARTS), help="one part alone")
    parser.add_argument("--least", type=float, default=95.0, help="per cent to be noticed in each part")
    asked = parser.parse_args(arguments)
    parts = {asked.only: PARTS[asked.only]} if asked.only else PARTS
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        place = Path(folder)
        _copy(place, [module for modules in parts.values() for module in modules])
        mutmut = asked.mutmut.absolute()
        subprocess.run([mutmut, "run", "--max-children", "2"], cwd=place, check=True, stdout=sys.stderr)
        fates = _fates(mutmut, place)
        survivors = [_survivor(mutmut, place, name) for name, fate in fates.items() if fate not in KILLED]
    counts = {module: _counted(fates, module) for modules in parts.values() for module in modules}
    table("| module | mutants | noticed | survived | % |", _rows(parts, counts))
    table("| survivor | what stood there | what was put there |", _survivors(survivors))
    return int(any(_percent(_total(counts, modules)) < asked.least for modules in parts.values()))


def _copy(place: Path, modules: Sequence[str]) -> None:
    """This directory, as far as the tests need it, with what is to be mutated written into its configuration."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place / name)
    with (place / "pyproject.toml").open("a", encoding="utf-8") as config:
        config.write(
            "\n[tool.mutmut]\n"
            'source_paths = ["rules", "watcher"]\n'
            f"only_mutate = {_list(modules)}\n"
            f"pytest_add_cli_args_test_selection = {_list(TESTS)}\n"
            'pytest_add_cli_args = ["-p", "no:xdist", "-p", "no:cacheprovider"]\n'
            f"also_copy = {_list(COPIED)}\n"
            "use_git_change_detection = false\n"
            "timeout_multiplier = 60\n"
            "timeout_constant = 20\n"
        )


def _list(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _fates(mutmut: Path, place: Path) -> Mapping[str, str]:
    """What became of every mutant, by its name."""
    told = subprocess.run(
        [mutmut, "results", "--all", "true"], cwd=place, check=True, capture_output=True, text=True
    ).stdout
    return dict(line.strip().rsplit(": ", 1) for line in told.splitlines() if ": " in line)


def _survivor(mutmut: Path, place: Path, name: str) -> Survivor:
    shown = subprocess.run([mutmut, "show", name], cwd=place, check=True, capture_output=True, text=True).stdout
    changed = [line for line in shown.splitlines() if line[:1] in {"-", "+"} and line[:3] not in {"---", "+++"}]
    gone, come = (" ".join(line[1:].strip() for line in changed if line[0] == sign) for sign in "-+")
    return Survivor(name.rpartition(".")[2], gone, come)


def _counted(fates: Mapping[str, str], module: str) -> Counter[bool]:
    """How many mutants of a module were noticed, and were not."""
    begins = module.removesuffix(".py").replace("/", ".") + "."
    return Counter(fate in KILLED for name, fate in fates.items() if name.startswith(begins))


def _total(counts: Mapping[str, Counter[bool]], modules: Sequence[str]) -> Counter[bool]:
    return sum((counts[module] for module in modules), Counter[bool]())


def _percent(counts: Counter[bool]) -> float:
    return 100 * counts[True] / max(counts.total(), 1)


def _rows(parts: Mapping[str, Sequence[str]], counts: Mapping[str, Counter[bool]]) -> Iterator[Sequence[object]]:
    for part, modules in parts.items():
        for module in modules:
            yield _row(f"`{module}`", counts[module])
        if len(modules) > 1:
            yield _row(f"**{part}**", _total(counts, modules))


def _row(title: str, counts: Counter[bool]) -> Sequence[object]:
    return title, counts.total(), counts[True], counts[False], f"{_percent(counts):.1f}"


def _survivors(survivors: Sequence[Survivor]) -> Iterator[Sequence[object]]:
    for each in survivors:
        yield each.name, f"`{_cell(each.before)}`", f"`{_cell(each.after)}`"


def _cell(code: str) -> str:
    return code.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
