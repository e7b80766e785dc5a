"""Secrets, each of which may stand in the configuration or in a file beside it: `url` or `url_file`, never both."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from watcher.config.problems import Expanded, Problem, Wrong, shown_path

LARGEST_BYTES = 64 * 1024


@dataclass(slots=True)
class Twins:
    """Reads secrets and other files named by one configuration, and collects what is wrong with them."""

    config: Path
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    written_out: list[str] = field(default_factory=list)
    """Places whose secret stands in the configuration itself, not in a variable or a file."""

    def read(
        self, raw: dict[str, Any], key: str, place: str, *, example: str, needed: bool = True, called: str = ""
    ) -> str | None:
        """The secret `key` of the table, from itself or its file; None if there is none, which is told if needed.

        `example` is what could be written, `called` the name of what the secret belongs to; both go into sentences.
        """
        twin = f"{key}_file"
        if key in raw and twin in raw:
            self._wrong(f"{place}.{twin}", f"is given beside {key}: keep one of the two{called}")
            return None
        if twin in raw:
            name = raw[twin]
            return self._from_file(name, f"{place}.{twin}", called) if isinstance(name, str) and name.strip() else None
        if key in raw:
            value = raw[key]
            if not isinstance(value, str) or not value.strip():
                return None
            if not isinstance(value, Expanded):
                self.written_out.append(f"{place}.{key}")
            return value.strip()
        if needed:
            right = f"write {key} = {example}, or {twin} = … with a file that holds it"
            self._wrong(f"{place}.{key}", f"is missing: {right}{called}")
        return None

    def resolve(self, name: str) -> Path:
        """A path as the configuration means it: relative to the folder of the file. Raises Wrong."""
        if name.startswith("~"):
            raise Wrong('must not begin with "~": write the path in full, or ${HOME}')
        if "\0" in name:
            raise Wrong("is not a path that a file can have")
        return Path(self.config.parent, name)

    def warn_if_readable(self) -> None:
        """Warn if secrets stand in a configuration that others on this machine may read."""
        if self.written_out and _open_to_others(self.config):
            self.warnings.append(
                f"{', '.join(self.written_out)}: the secret stands in {shown_path(self.config)}, which other users of "
                f"this machine may read: chmod 600, or use a variable or a file"
            )

    def _from_file(self, name: str, place: str, called: str) -> str | None:
        try:
            path = self.resolve(name)
            secret = _contents(path)
        except Wrong as wrong:
            self._wrong(place, f"{wrong}{called}")
            return None
        if _open_to_others(path):
            self.warnings.append(
                f"{place}: {shown_path(path)} may be read by other users of this machine: chmod 600 keeps it secret"
            )
        return secret

    def _wrong(self, place: str, message: str) -> None:
        self.problems.append(Problem(place, message))


def _contents(path: Path) -> str:
    """The one line that the file holds. Raises Wrong, which never shows any of it."""
    where = shown_path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise Wrong(f"names {where}, and there is no such file") from None
    except IsADirectoryError:
        raise Wrong(f"names {where}, which is a folder") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not a path that a file can have"
        raise Wrong(f"names {where}, which cannot be read: {why}") from None
    try:
        secret = raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise Wrong(f"names {where}, which does not hold plain text") from None
    if not secret:
        raise Wrong(f"names {where}, which is empty")
    if len(raw) > LARGEST_BYTES or len(secret.splitlines()) > 1:
        raise Wrong(f"names {where}, which holds more than the one line of a secret")
    return secret


def _open_to_others(path: Path) -> bool:
    """Whether its group or everybody may read the file.

    Where it has an access control list, the bits of the group are the list's mask, and the list is somebody's will:
    systemd gives a service its credentials so.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    bits = stat.S_IROTH if _has_access_list(path) else stat.S_IRGRP | stat.S_IROTH
    return stat.S_ISREG(mode) and bool(mode & bits)


def _has_access_list(path: Path) -> bool:
    try:
        return bool(os.getxattr(path, "system.posix_acl_access"))
    except (OSError, AttributeError):
        return False
