"""From what pydantic found to what a person is told: no wording of the library gets through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rules.model import TAG
from watcher.config.models import AnthropicTable, SelectTable, TuningTable, keys_of
from watcher.config.problems import Problem, Wrong, did_you_mean, shown, shown_key
from watcher.config.shutoff_tables import ProtectTable
from watcher.config.table import Table

_T = TypeVar("_T", bound=Table)
_INNER: dict[str, type[Table]] = {"tuning": TuningTable, "protect": ProtectTable}
"""What the tables inside a table are, by key, where they are no selectors."""
_ELSEWHERE: dict[tuple[type[Table], str], str] = {
    (AnthropicTable, "action_key"): "belongs to [shutoff]: the key that keys are changed with is written there",
    (AnthropicTable, "action_key_file"): "belongs to [shutoff]: the file of the key that keys are changed with is too",
}
"""Settings that are known in another table."""


def validate(kind: type[_T], raw: dict[str, Any], place: str, called: str = "") -> tuple[_T | None, list[Problem]]:
    """The table as its model, or None and everything that is wrong in it. `called` ends each sentence."""
    try:
        return kind.model_validate(raw), []
    except ValidationError as error:
        found = error.errors(include_url=False)
        return None, [Problem(_place(place, one["loc"]), f"{_sentence(kind, one)}{called}") for one in found]


def unknown_key(key: str, known: Iterable[str], what: str) -> str:
    """The sentence about a key that nothing here is called."""
    names = sorted(known)
    return f"is not a setting{did_you_mean(key, names) or f'; {what} has {_listed(names)}'}"


def _place(place: str, location: tuple[int | str, ...]) -> str:
    return place + "".join(f"[{part}]" if isinstance(part, int) else f".{shown_key(part)}" for part in location)


def _sentence(kind: type[Table], found: ErrorDetails) -> str:
    key = str(found["loc"][0])
    examples = getattr(keys_of((kind,)).get(key), "examples", None) or [""]
    right = f", as in {key} = {examples[0]}" if examples[0] else ""
    match found["type"]:
        case "value_error":
            reason = found["ctx"]["error"]
            return str(reason) if isinstance(reason, Wrong) else f"cannot be read{right}"
        case "missing":
            return f"is missing: write it{right}"
        case "extra_forbidden":
            inner = len(found["loc"]) > 1
            within = _INNER.get(key, SelectTable)
            known = keys_of((within if inner else kind,))
            if not inner and (kind, key) in _ELSEWHERE:
                return _ELSEWHERE[kind, key]
            if inner and within is SelectTable and str(found["loc"][-1]).startswith(TAG):
                return 'is not a setting; write tag = "key=value", as in tag = "team=platform"'
            return unknown_key(str(found["loc"][-1]), known, f"`{key}`" if inner else "this table")
        case "list_type":
            return f"must be a list{right}, not {shown(found['input'])}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"must be a table{right}, not {shown(found['input'])}"
        case _:
            return f"cannot be read{right}"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]
