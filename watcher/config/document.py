"""The file itself: read it, and parse its TOML."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from watcher.config.problems import InvalidConfig, Problem, shown_path

LARGEST_BYTES = 1024 * 1024


def read_document(path: Path) -> dict[str, Any]:
    """The file's tables. Numbers with a point are Decimal, so that 0.1 is 0.1.

    Raises InvalidConfig with one problem: a file that cannot be read, or is not TOML, has nothing else to tell.
    """
    text = _read(path)
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        place, message = _syntax(str(error))
    except RecursionError:
        place, message = shown_path(path), "brackets are nested too deeply"
    except (ValueError, ArithmeticError):
        place, message = shown_path(path), "holds a number with more digits than can be read"
    raise InvalidConfig(path, [Problem(place, message)])


def _read(path: Path) -> str:
    """The file's text. Never shows a part of it: a line may hold a secret."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        message = _unreadable(error)
    else:
        if len(raw) > LARGEST_BYTES:
            message = "is larger than 1 MiB: this cannot be a configuration file"
        elif raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            message = "is UTF-16: save it as UTF-8"
        else:
            try:
                return raw.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                line = raw.count(b"\n", 0, error.start) + 1
                message = f"is not UTF-8 (line {line}): save it as UTF-8"
    raise InvalidConfig(path, [Problem(shown_path(path), message)])


def _unreadable(error: Exception) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such file; copy config.example.toml, or name another file with -c"
        case IsADirectoryError():
            return "is a folder: name the file in it"
        case PermissionError():
            return "may not be read by this user: change its owner or its mode"
        case OSError():
            return f"cannot be read: {error.strerror or type(error).__name__}"
        case _:
            return "is not a path that a file can have"


_HINTS = {
    "Invalid value": 'text stands between quotation marks, as in name = "ops"',
    "Unclosed array": "a list ends with ]",
    "Unterminated string": "text ends with a quotation mark",
    "Expected '='": 'a setting is written name = "value"',
    "Cannot overwrite a value": "the same setting is given twice",
    "Cannot declare": "the same table is given twice; of those that may be several, each is written in two brackets, "
    "as in [[budget]]",
    "Illegal character": "text on one line ends with a quotation mark on the same line",
    "Expected newline": "one setting a line, and text between quotation marks",
}


def _syntax(error: str) -> tuple[str, str]:
    """Place and message of tomllib's "what (at line 3, column 7)"."""
    what, _, where = error.rpartition(" (at ")
    place = where.removesuffix(")") or "the file"
    hint = next((text for start, text in _HINTS.items() if what.startswith(start)), None)
    return place, f"is not TOML: {hint}" if hint else f"is not TOML ({what[:1].lower()}{what[1:]})"
