"""Whether the program's three packages are its own: `rules` and `notifiers` are also names on PyPI.

Another distribution of such a name either stands before ours on the path, so that Python imports it instead, or was
installed into the same folder, so that its files lie among ours or over them. Both end in an error somewhere deep
inside, or in no error at all; so the program looks first.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

PACKAGES = ("rules", "notifiers", "watcher")
_DISTRIBUTION = "claude-watcher"
_OWNER = re.compile(rf'^OWNER = "{_DISTRIBUTION}"', re.MULTILINE)
_OUR_FILE = re.compile(rf'^"?(?:\.\./)?({"|".join(PACKAGES)})/', re.MULTILINE)
_REMEDY = "install claude-watcher into a virtual environment of its own (python3 -m venv …)"


def check_ownership(*, thorough: bool = False) -> str | None:
    """None if all is well, or one sentence that says what is wrong and what to do.

    Looks where Python would find each package, without importing it: beside this one, and bearing our mark. With
    `thorough` also asks every installed distribution whether it put files into our folders, which reads all their
    records and may take a second.
    """
    home = Path(__file__).parent.parent.resolve()
    for name in PACKAGES:
        wrong = _misplaced(name, home)
        if wrong is not None:
            return wrong
    return next(_intruders(home), None) if thorough else None


def _misplaced(name: str, home: Path) -> str | None:
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # a module of that name is loaded, and was made by hand
        spec = None
    if spec is None or spec.loader is None:
        return (
            f'The package "{name}" of claude-watcher is missing from {home}: '
            "install claude-watcher again (pip install --force-reinstall claude-watcher)."
        )
    found = Path(spec.origin or "").parent.resolve()
    if found != home / name:
        return (
            f'Python finds another "{name}" ({found}) before the one of claude-watcher ({home / name}): '
            f"start the program in another folder or without PYTHONPATH, or {_REMEDY}."
        )
    if not _OWNER.search(_source(spec, name)):
        return (
            f'The package "{name}" in {home} belongs to another distribution of that name, which was installed over '
            f"claude-watcher: {_REMEDY}."
        )
    return None


def _source(spec: ModuleSpec, name: str) -> str:
    """The text of the package's `__init__`, from a folder or an archive; empty if there is none to read."""
    get_source = getattr(spec.loader, "get_source", None)
    try:
        return (get_source(name) if get_source else "") or ""
    except (ImportError, OSError):
        return ""


def _intruders(home: Path) -> Iterator[str]:
    """A sentence for each foreign distribution that has put files into our folders."""
    from importlib.metadata import distributions  # noqa: PLC0415 - every command looks, and few ask thoroughly

    for distribution in distributions():
        names = _packages_with_files_of(distribution)
        if not names or Path(str(distribution.locate_file(""))).resolve() != home:
            continue
        title = distribution.metadata["Name"]
        if re.sub(r"[-_.]+", "-", title).lower() != _DISTRIBUTION:
            yield (
                f'The distribution "{title}" has put files into {" and ".join(names)} of claude-watcher in {home}: '
                f"{_REMEDY}, or take the other away (pip uninstall {title}) and install claude-watcher again."
            )


def _packages_with_files_of(distribution: Distribution) -> list[str]:
    """Which packages of our names the distribution's own record lists files of."""
    record = distribution.read_text("RECORD") or distribution.read_text("installed-files.txt") or ""
    # One search of the whole text: to parse the record of every distribution takes seconds. Paths of the newer record
    # begin where the distribution is installed, those of the older one in a folder beside.
    found = set(_OUR_FILE.findall(record))
    return [name for name in PACKAGES if name in found]
