"""What goes into the image, how it is built, and how it runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from tests.stage import here
from watcher.cli.context import INVALID_CONFIG

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SERVICES = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]


def instructions() -> list[list[tuple[str, str]]]:
    """The instructions of the Dockerfile, stage by stage, each with what follows it on one line."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    stages: list[list[tuple[str, str]]] = []
    for line in filter(str.strip, text.splitlines()):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, rest.strip()))
    return stages


BUILD, IMAGE = instructions()


def of(stage: list[tuple[str, str]], name: str) -> list[str]:
    return [rest for each, rest in stage if each == name]


def test_the_image_is_slim_and_runs_as_nobody_in_particular() -> None:
    assert all(re.fullmatch(r"python:3\.\d+-slim( AS build)?", of(stage, "FROM")[0]) for stage in (BUILD, IMAGE))
    assert of(IMAGE, "USER") == ["10001:10001"] == [SERVICES["watcher"]["user"]]
    assert of(IMAGE, "VOLUME") == ["/data"]
    assert not [each for each in of(IMAGE, "RUN") if "pip" in each], "nothing is installed but what was built"
    assert of(IMAGE, "COPY") == ["--from=build /opt/watcher /opt/watcher"]


def test_nothing_enters_the_image_but_the_code() -> None:
    """The ignore file lets through what is copied, and of that nothing that may hold figures or a secret."""
    copied = [source for each in of(BUILD, "COPY") for source in shlex.split(each)[:-1]]
    assert {name for name, _ in (*BUILD, *IMAGE)}.isdisjoint({"ADD", "ARG"})
    lines = [line for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == {source.removeprefix("./") for source in copied}
    assert all((ROOT / source).exists() for source in copied)
    assert {"**/*.db", "**/*.toml", "**/__pycache__"} <= set(lines)
    packages = [path for folder in ("rules", "notifiers", "watcher") for path in (ROOT / folder).rglob("*")]
    kept_out = [path for path in packages if path.suffix in {".toml", ".db"}]
    assert kept_out == [], "the packages need every file of theirs"


def test_what_the_image_installs_is_pinned_to_a_version_all_of_it() -> None:
    (install,) = [each for each in of(BUILD, "RUN") if " pip install " in each]
    words = shlex.split(install)
    assert words[words.index("-c") + 1] == "constraints.txt"
    (asked,) = [word for word in words if word.startswith(".")]
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    pinned = {_normal(name): exact for name, exact in pins.items()}
    needed = set(_needed(Requirement(f"claude-watcher{asked[1:]}")))
    assert needed > {"httpx", "psycopg", "numpy"}
    assert {name for name in needed if pinned.get(name) != version(name)} == set()


def test_what_builds_the_package_is_pinned_too() -> None:
    """Not by the constraints, which do not reach the place where pip builds."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert wanted
    assert [each for each in wanted if not re.fullmatch(r"[a-z-]+==\d+(\.\d+)+", each)] == []


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _needed(asked: Requirement, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """The distributions that one brings with it, by what is installed here."""
    for text in requires(asked.name) or []:
        each = Requirement(text)
        extras = asked.extras or {""}
        if each.marker is not None and not any(each.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        name = _normal(each.name)
        if name not in seen:
            yield name
            yield from _needed(each, seen | {name})


def test_the_health_check_is_a_command_that_exists() -> None:
    (check,) = of(IMAGE, "HEALTHCHECK")
    command = json.loads(check.partition(" CMD ")[2])
    assert command == SERVICES["watcher"]["healthcheck"]["test"][1:]
    assert command[0] == "watcher"
    code, _, err = here(*command[1:], "-c", "/nowhere/config.toml")
    assert (code, "nowhere" in err) == (INVALID_CONFIG, True), "its options are understood, and the file is missing"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_commands_that_build_the_image_build_it_in_a_plain_virtual_environment(tmp_path: Path) -> None:
    source, home, away = tmp_path / "src", tmp_path / "opt", tmp_path / "away"
    away.mkdir()
    for each in of(BUILD, "COPY"):
        *copied, to = shlex.split(each)
        for name in copied:
            target = source / to / ("" if len(copied) == 1 else name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__", "*.db"))
            else:
                shutil.copy(ROOT / name, target)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("WATCHER_", "PYTHON", "VIRTUAL"))}
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    for command in of(BUILD, "RUN"):
        there = command.replace("/opt/watcher", str(home))
        done = subprocess.run(["sh", "-ec", there], cwd=source, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    shutil.rmtree(source)
    demo = [str(home / "bin/watcher"), "demo", "--exit-after", "5", "--port", "0"]
    done = subprocess.run(demo, cwd=away, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.outside
def test_the_program_runs_on_a_root_that_is_read_only_without_a_home(tmp_path: Path) -> None:
    alone = ["unshare", "--map-root-user", "--mount", "sh", "-ec", 'mount -o bind,remount,ro /; exec "$@"', "sh"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not make a read-only root for itself (unshare)")
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        "TMPDIR": str(tmp_path),
        "MPLCONFIGDIR": str(tmp_path / "mpl"),
    }
    demo = [sys.executable, "-m", "watcher", "demo", "--exit-after", "10", "--port", "0"]
    there = {**env, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([*alone, *demo], cwd="/", env=there, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not re.search("Read-only|Traceback|not a writable", done.stderr), done.stderr
