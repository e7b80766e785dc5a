"""`[shutoff]`: its shape, its values, and what of it cannot be meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, cast

from pydantic import AfterValidator, Field, PlainValidator

from rules.intervals import TimeInterval
from rules.model import AnomalyRule, Budget
from rules.policy import MODES, KeyAction, Mode, Policy, Protect
from rules.thresholds import Threshold
from watcher.config import values
from watcher.config.problems import Problem, Wrong, shown
from watcher.config.table import Flag, SecretText, Table, Text

DEFAULT = Policy()


def share(value: object) -> Fraction:
    """A part of the active keys: above 0 and at most 1."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or Decimal(value).is_nan() or not 0 < value <= 1:
        raise Wrong(f"must be a part of the active keys, above 0 and at most 1, such as 0.10, not {shown(value)}")
    return Fraction(value)


def once(values: list[str]) -> list[str]:
    """The same, each once."""
    return list(dict.fromkeys(values))


def tags(value: dict[str, str]) -> list[str]:
    """Tags and the globs on their values, as they are matched: "key=value"."""
    return [f"{key}={pattern}" for key, pattern in value.items()]


Texts = Annotated[list[Text], AfterValidator(once)]
Globs = Annotated[list[Annotated[str, PlainValidator(values.glob)]], AfterValidator(once)]
Tags = Annotated[dict[str, Annotated[str, PlainValidator(values.glob)]], AfterValidator(tags)]


class ProtectTable(Table):
    """`protect = {…}`: what is never deactivated."""

    api_key: Globs = Field([], examples=['["prod-*"]'])
    workspace: Globs = Field([], examples=['["payments"]'])
    tag: Tags = Field({}, examples=['{ tier = "critical" }'])
    claude_code: Flag = Field(default=DEFAULT.protect.claude_code, examples=["true"])


class ShutoffTable(Table):
    """`[shutoff]`: what may be done to keys, and under which conditions."""

    mode: Annotated[str, PlainValidator(values.one_of(*MODES))] = Field(DEFAULT.mode, examples=['"dry_run"'])
    action_key: SecretText | None = Field(None, examples=['"${ANTHROPIC_ACTION_KEY:-}"'])
    action_key_file: Text | None = Field(None, examples=['"/run/secrets/action-key"'])
    protect: ProtectTable = Field(ProtectTable(), examples=['{ api_key = ["prod-*"], tag = { tier = "critical" } }'])
    max_per_cycle: Annotated[int, PlainValidator(values.whole(1, 100))] = Field(DEFAULT.max_per_cycle, examples=["1"])
    max_per_day: Annotated[int, PlainValidator(values.whole(1, 1000))] = Field(DEFAULT.max_per_day, examples=["3"])
    max_share: Annotated[Fraction, PlainValidator(share)] = Field(DEFAULT.max_share, examples=["0.10"])
    grace: Annotated[timedelta, PlainValidator(values.duration(timedelta(0), timedelta(days=1)))] = Field(
        DEFAULT.grace, examples=['"15m"']
    )
    min_usd: Annotated[int, PlainValidator(values.positive_usd)] = Field(DEFAULT.min_amount, examples=["50"])
    approvers: Texts = Field([], examples=['["U012345", "ops@example.com"]'])
    reactivate_at_reset: Flag = Field(default=DEFAULT.reactivate_at_reset, examples=["false"])
    not_during: Texts = Field([], examples=['["nights"]'])
    brake_file: Text | None = Field(None, examples=['"/run/claude-watcher/brake"'])


def policy(table: ShutoffTable, intervals: Mapping[str, TimeInterval], place: str) -> tuple[Policy, list[Problem]]:
    """The policy that the table describes, and what is wrong with the intervals that it names."""
    problems: list[Problem] = []
    for index, name in enumerate(table.not_during):
        if name not in intervals:
            problems.append(Problem(f"{place}.not_during[{index}]", _no_interval(name, list(intervals))))
    guarded = table.protect
    found = Policy(
        mode=cast("Mode", table.mode),
        protect=Protect(tuple(guarded.api_key), tuple(guarded.workspace), tuple(guarded.tag), guarded.claude_code),
        max_per_cycle=table.max_per_cycle,
        max_per_day=table.max_per_day,
        max_share=table.max_share,
        grace=table.grace,
        min_amount=table.min_usd,
        approvers=tuple(table.approvers),
        reactivate_at_reset=table.reactivate_at_reset,
        not_during=tuple(intervals[name] for name in table.not_during if name in intervals),
    )
    return found, problems


def asked_actions(
    budgets: list[Budget | None], anomalies: list[AnomalyRule | None]
) -> Iterator[tuple[str, KeyAction, Budget | None]]:
    """Every place that asks for an action, and what it asks for."""
    for index, budget in enumerate(budgets):
        for at, mark in enumerate(budget.thresholds if budget is not None else ()):
            if isinstance(mark, Threshold) and mark.action is not None:
                yield f"budget[{index}].thresholds[{at}]", mark.action, budget
    for index, rule in enumerate(anomalies):
        if rule is not None and rule.action is not None:
            yield f"anomaly[{index}]", rule.action, None


def action_problems(
    budgets: list[Budget | None], anomalies: list[AnomalyRule | None], found: Policy | None
) -> Iterator[Problem]:
    """What keeps the actions that rules ask for from being taken as they are written."""
    for place, action, budget in asked_actions(budgets, anomalies):
        if found is None:
            yield Problem(
                f"{place}.action",
                'needs a [shutoff] table, which says what may be done: begin with mode = "dry_run" in it',
            )
        elif action.mode is not None and MODES.index(action.mode) > MODES.index(found.mode):
            yield Problem(
                f"{place}.mode", f'is "{action.mode}", which is more than the mode of [shutoff] allows ("{found.mode}")'
            )
        if budget is not None and budget.measure.unit != "usd":
            yield Problem(f"{place}.action", "needs a budget of money: what a key is worth is counted in dollars")
        elif budget is not None and budget.measure.claude_code:
            yield Problem(
                f"{place}.action", 'does not go with source = "claude_code": people have no key to deactivate'
            )


def _no_interval(name: str, known: list[str]) -> str:
    there = f"there is {', '.join(map(shown, known))}" if known else "there is none: write one"
    return f"names {shown(name)}, and no [[time_interval]] has that name; {there}"
