"""What the keys of an anomaly's table mean together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from rules.configured import AnomalyTuning, Direction, Sensitivity
from watcher.config.models import AnomalyTable
from watcher.config.problems import Problem

_THRESHOLDS = ("sensitivity", "max_false_alarms")


def anomaly_problems(table: AnomalyTable, place: str) -> Iterator[Problem]:
    """More than one word on where the threshold lies; and what is asked of a rule that looks for silence alone."""
    given = [key for key in _THRESHOLDS if key in table.model_fields_set]
    own = table.tuning.threshold is not None
    if len(given) > 1:
        yield Problem(f"{place}.max_false_alarms", "does not go with `sensitivity`: both set the threshold; keep one")
    elif own and given:
        yield Problem(f"{place}.tuning.threshold", f"does not go with `{given[0]}`: both set the threshold; keep one")
    if table.mode is not None and table.action is None:
        yield Problem(f"{place}.mode", 'belongs to an action: write action = "deactivate_key" beside it')
    if table.action is not None and table.direction == "down":
        yield Problem(f"{place}.action", 'does not go with direction = "down": a key that is silent spends nothing')
    own_keys = [key for key in type(table.tuning).model_fields if key in table.tuning.model_fields_set]
    if table.direction != "down":
        return
    idle = [*given, *(f"tuning.{key}" for key in own_keys)]
    idle += ["unit_price"] if table.unit_price and "unit_price" in table.model_fields_set else []
    for key in idle:
        yield Problem(f"{place}.{key}", 'says nothing where direction = "down", which looks for silence alone')


def tuning(table: AnomalyTable) -> AnomalyTuning:
    """The numbers of the table."""
    given = table.tuning
    return AnomalyTuning(given.threshold, given.of_usual, given.one_hour, given.price_ratio, given.hot)


def direction(table: AnomalyTable) -> Direction:
    """Which way spend must stray."""
    return cast("Direction", table.direction)


def sensitivity(table: AnomalyTable) -> Sensitivity:
    """How little it takes."""
    return cast("Sensitivity", table.sensitivity)
