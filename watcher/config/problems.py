"""What can be wrong with a configuration, said to a person: a place, and a sentence with the remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

_LONGEST_SHOWN = 60
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")
_SECRET_LOOKING = re.compile(r"sk-ant-|://|xox[a-z]-", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    `place` names a setting as in `budget[2].limit_usd` (counted from 0), a line of the file, or the file itself;
    `message` says what is wrong and what would be right, and never holds a secret.
    """

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class InvalidConfig(Exception):
    """The configuration cannot be used. `problems` holds all that is wrong with it, `str()` is the list to show."""

    def __init__(self, path: object, problems: Iterable[Problem]) -> None:
        self.path = str(path)
        self.problems = tuple(problems)
        super().__init__(self.path, self.problems)

    def __str__(self) -> str:
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        return "\n".join([f"{shown_path(self.path)}: {count}", *(f"  {problem}" for problem in self.problems)])


class Wrong(ValueError):
    """A value is not right. The message is a clause that follows the name of the place: "must be …"."""


class Expanded(str):
    """A string that came out of variables. It is shown as it was written, since what came in may be a secret."""

    __slots__ = ("written",)
    written: str

    def __new__(cls, value: str, written: str) -> Self:
        """`value` as the text itself, `written` as the config file has it."""
        text = super().__new__(cls, value)
        text.written = written
        return text


def shown(value: object) -> str:
    """A value from the file as a message may show it: short, on one line, printable, and no secret."""
    match value:
        case str():
            text = value.written if isinstance(value, Expanded) else value
            return "a text that may be a secret" if _SECRET_LOOKING.search(text) else _quoted(text)
        case bool():
            return "true" if value else "false"
        case list():
            return "a list"
        case dict():
            return "a table"
        case int() if abs(value) >= 10**20:
            return "a number beyond all bounds"
        case _:
            return _cut(str(value))


def shown_key(key: str) -> str:
    """A key as TOML would write it, safe to print."""
    return key if _BARE_KEY.fullmatch(key) and not _SECRET_LOOKING.search(key) else shown(key)


def shown_path(path: object) -> str:
    """A path, safe to print."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(path))


def nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """The known word that was probably meant, if one is as like it as that, of 1."""
    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower()[:_LONGEST_SHOWN], by_lower, n=1, cutoff=likeness)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence, '; did you mean "month"?', or nothing."""
    found = nearest(word, known)
    return "" if found is None else f'; did you mean "{found}"?'


def enumerated(words: Sequence[str], last: str = "or") -> str:
    """'"day", "week" or "month"'."""
    quoted = [f'"{word}"' for word in words]
    return f"{', '.join(quoted[:-1])} {last} {quoted[-1]}" if len(quoted) > 1 else "".join(quoted)


def _quoted(text: str) -> str:
    return f'"{_cut(text)}"'


def _cut(text: str) -> str:
    safe = shown_path(text[: _LONGEST_SHOWN + 1])
    return safe if len(safe) <= _LONGEST_SHOWN else f"{safe[: _LONGEST_SHOWN - 1]}…"
