"""Which tables the file has: each known by name, in single or double brackets as it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watcher.config.models import SEVERAL, SINGLE
from watcher.config.problems import Problem, shown, shown_key
from watcher.config.sentences import unknown_key


@dataclass(frozen=True, slots=True)
class Tables:
    """The file's tables by name, with those in the wrong brackets read as they were meant.

    One that is absent is not in `single`, and empty in `several`.
    """

    single: dict[str, dict[str, Any]]
    several: dict[str, list[dict[str, Any]]]
    unreadable: frozenset[str]
    """Places that hold something else than a table: what is found wrong inside them is not news."""


def tables_of(document: dict[str, Any]) -> tuple[Tables, list[Problem]]:
    """The tables, and what is wrong with the names and the brackets."""
    known = SINGLE | SEVERAL
    strangers = [key for key in document if key not in known]
    problems = [Problem(shown_key(key), unknown_key(key, known, "this file")) for key in strangers]
    single: dict[str, dict[str, Any]] = {}
    several: dict[str, list[dict[str, Any]]] = {name: [] for name in SEVERAL}
    unreadable: list[Problem] = []
    for name in [name for name in SINGLE if name in document]:
        found = document[name]
        if _are_tables(found):
            problems.append(Problem(name, f"there is only one: write [{name}], in single brackets"))
            single[name] = found[0]
        elif isinstance(found, dict):
            single[name] = found
        else:
            unreadable.append(Problem(name, f"must be a table: write [{name}], and its settings below it"))
    for name in [name for name in SEVERAL if name in document]:
        found = document[name]
        if isinstance(found, dict):
            problems.append(Problem(name, f"there may be several: write [[{name}]], in double brackets"))
            several[name] = [found]
        elif isinstance(found, list):
            # What is no table keeps its number, so that the places after it are named rightly.
            several[name] = [item if isinstance(item, dict) else {} for item in found]
            strays = [index for index, item in enumerate(found) if not isinstance(item, dict)]
            unreadable += [Problem(f"{name}[{index}]", _item(name, found[index])) for index in strays]
        else:
            unreadable.append(Problem(name, f"must be a table: write [[{name}]], and its settings below it"))
    places = frozenset(problem.place for problem in unreadable)
    return Tables(single, several, places), problems + unreadable


def _are_tables(found: object) -> bool:
    return isinstance(found, list) and bool(found) and all(isinstance(item, dict) for item in found)


def _item(name: str, item: object) -> str:
    return f"must be a table, written [[{name}]] with its settings below it, not {shown(item)}"
