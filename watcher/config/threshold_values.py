"""The thresholds of a budget as they are written: what each is worth, how grave it is, what it asks to be done."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from rules.measures import Unit
from rules.policy import MODES, KeyAction, Mode
from rules.scope import Severity
from rules.thresholds import Mark, Threshold, mark_amount, mark_id, percent_of
from watcher.config.problems import Wrong, shown, shown_key
from watcher.config.values import counted, member_of, one_of, part, percent, positive_usd

MOST_THRESHOLDS = 20
_MARK = 'a percent such as 80, or a table such as { at = 80, severity = "warning" } or { at_usd = 9000 }'
_AMOUNTS: Mapping[str, Unit] = {"at_usd": "usd", "at_tokens": "tokens", "at_requests": "requests"}


def threshold(value: object) -> Mark:
    """One threshold: a plain percent, or a table with a percent or an amount, and a severity of its own."""
    if not isinstance(value, dict):
        if isinstance(value, str | list | bool):
            raise Wrong(f"must be {_MARK} (numbers without quotation marks), not {shown(value)}")
        return percent(value)
    for key in value:
        if key not in {"at", "severity", "action", "mode", *_AMOUNTS}:
            raise Wrong(f"has {shown_key(key)}, which is not a setting of a threshold; it must be {_MARK}")
    amounts = [key for key in _AMOUNTS if key in value]
    if len(amounts) + ("at" in value) != 1:
        raise Wrong(f"must have either `at`, a percent, or `at_usd`, an amount: {_MARK}")
    severity = part("severity", member_of(Severity), value["severity"]) if "severity" in value else None
    action = _action(value)
    for key in amounts:
        read = positive_usd if key == "at_usd" else counted
        return Threshold(amount=part(key, read, value[key]), severity=severity, unit=_AMOUNTS[key], action=action)
    found = part("at", percent, value["at"])
    return Threshold(percent=found, severity=severity, action=action) if severity or action else found


def _action(value: Mapping[str, object]) -> KeyAction | None:
    """What a threshold asks to be done."""
    if "action" not in value:
        if "mode" in value:
            raise Wrong('has a `mode`, which belongs to an `action`: write action = "deactivate_key" beside it')
        return None
    part("action", action, value["action"])
    return KeyAction(part("mode", mode, value["mode"]) if "mode" in value else None)


def action(value: object) -> str:
    """What is to be done to the keys behind a breach."""
    if value != "deactivate_key":
        raise Wrong(f'must be "deactivate_key", the only action that there is, not {shown(value)}')
    return "deactivate_key"


def mode(value: object) -> Mode:
    """How much of it is done by itself."""
    return cast("Mode", one_of(*MODES)(value))


def misplaced_action(_value: object) -> None:
    """The setting `action` of a budget, whatever it holds."""
    right = 'thresholds = [80, { at = 100, action = "deactivate_key" }]'
    raise Wrong(f"belongs to a threshold: write it there, as in {right}")


def ascending(values: Sequence[Mark]) -> Sequence[Mark]:
    """One to twenty thresholds; the percents each above the one before, and so the amounts."""
    if not 1 <= len(values) <= MOST_THRESHOLDS:
        raise Wrong(f"must be a list of 1 to {MOST_THRESHOLDS} thresholds such as [50, 80, 100], and has {len(values)}")
    amounts = [amount for amount in map(mark_amount, values) if amount is not None]
    _check_order([percent_of(0, mark) for mark in values if mark_amount(mark) is None], "percent", lambda x: f"{x:g}")
    units: list[Unit] = [mark.unit for mark in values if isinstance(mark, Threshold) and mark.amount is not None]
    _check_order(amounts, "amount", lambda amount: mark_id(Threshold(amount=round(amount), unit=units[0])))
    return values


def _check_order(values: Sequence[float], what: str, written: Callable[[float], str]) -> None:
    for before, after in itertools.pairwise(values):
        if after == before:
            raise Wrong(f"must name each {what} once: {written(after)} stands there twice")
        if after < before:
            right = ", ".join(written(value) for value in sorted(set(values)))
            raise Wrong(f"must be in ascending order: [{right}]")
