"""How the sections of a configuration are read: tables, secrets and files, with what is wrong collected, not raised."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from watcher.config import addresses
from watcher.config.problems import Problem, Wrong, shown
from watcher.config.sentences import validate
from watcher.config.table import Table
from watcher.config.twins import Twins

_T = TypeVar("_T", bound=Table)
_R = TypeVar("_R")


class Reading:
    """What every section is read with. `problems` and `warnings` fill as it goes."""

    def __init__(self, config: Path) -> None:
        self.twins = Twins(config)
        self.problems = self.twins.problems
        self.warnings = self.twins.warnings

    def _table(self, kind: type[_T], raw: dict[str, Any], place: str, name: str = "") -> _T | None:
        table, wrong = validate(kind, raw, place, name)
        self.problems.extend(wrong)
        return table

    def _attempt(self, place: str, read: Callable[[Any], _R], value: Any, name: str = "") -> _R | None:
        try:
            return read(value)
        except Wrong as wrong:
            self.problems.append(Problem(place, f"{wrong}{name}"))
            return None

    def _secret(
        self,
        raw: dict[str, Any],
        key: str,
        place: str,
        read: Callable[[str], str],
        name: str = "",
        *,
        example: str = "",
        needed: bool = True,
    ) -> str | None:
        found = self.twins.read(raw, key, place, example=example, needed=needed, called=name)
        return None if found is None else self._attempt(place_of(raw, key, place), read, found, name)

    def _url(
        self,
        raw: dict[str, Any],
        place: str,
        example: str,
        name: str = "",
        *,
        public_http: bool = True,
        needed: bool = True,
    ) -> str | None:
        def read(text: str) -> str:
            return addresses.receiver_url(text, allow_private=raw.get("allow_private") is True, public_http=public_http)

        return self._secret(raw, "url", place, read, name, example=example, needed=needed)

    def _ca_file(self, name: object) -> Path | None:
        if not isinstance(name, str) or not name.strip():
            return None
        path = self.twins.resolve(name)
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
        except ssl.SSLError:
            raise Wrong("must name a file of certificates in PEM form (-----BEGIN CERTIFICATE-----)") from None
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is not a path that a file can have"
            raise Wrong(f"cannot be read: {why}") from None
        return path


def called(kind: str, raw: dict[str, Any]) -> str:
    """The end of a sentence that names the rule or receiver, ' (budget "platform")', if it has a name."""
    name = raw.get("name")
    return f" ({kind} {shown(name)})" if isinstance(name, str) and name.strip() else ""


def place_of(raw: dict[str, Any], key: str, place: str) -> str:
    """The place of whichever twin is given."""
    return f"{place}.{key}_file" if f"{key}_file" in raw else f"{place}.{key}"
