"""A budget replayed over the past says what the live rule would have said then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rules import budgets
from rules.model import HOUR, Breach, Budget, Leaf, Names, SpendView
from rules.money import parse_usd
from rules.whatif import replay

START = datetime(2026, 9, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 10, 8, 30, tzinfo=UTC)
LEAVES = (Leaf("w1", "a", "m"), Leaf("w1", "b", "m"), Leaf("w2", "c", "m"))
USD = parse_usd("1")


def view(now: datetime = NOW) -> SpendView:
    """A noisy ledger; what is after `now` is not in it."""
    hours = (NOW - START) // HOUR + 1
    cost = np.random.default_rng(3).integers(0, USD, (len(LEAVES), hours))
    upto = (now - START) // HOUR + 1
    known = np.ones(upto, dtype=np.bool_)
    return SpendView("org", START, LEAVES, cost[:, :upto], np.zeros((3, upto), np.int64), known, now, now)


def budget(limit: float, period: str = "month", zone: str = "UTC", **more: object) -> Budget:
    marks = (50.0, 80.0, 100.0)
    return Budget("b", period, zone, round(limit * USD), marks, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("per", [(), ("api_key",)])
@pytest.mark.parametrize(("period", "limit"), [("month", 300), ("week", 60), ("day", 12)])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
def test_each_crossing_is_the_one_that_the_live_rule_saw_in_its_hour_first(
    per: tuple[str, ...], period: str, limit: float, zone: str
) -> None:
    rule = budget(limit / (4 if per else 1), period, zone, per=per)
    seen: dict[tuple[object, str], datetime] = {}
    now = datetime(2026, 10, 31, 0, 30, tzinfo=UTC)
    while now <= NOW:
        for verdict in budgets.judge(rule, view(now), Names(), now, now - 2 * HOUR):
            if isinstance(verdict, Breach):
                seen.setdefault((verdict.subject.scope, verdict.subject.instance), now.replace(minute=0))
        now += HOUR
    replayed = {
        (scope.scope, f"{past.period.start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}/{mark:g}"): crossed
        for past in replay(rule, view(), Names(), NOW)
        for scope in past.scopes
        for mark, crossed in zip(rule.thresholds, scope.crossed, strict=True)
        if crossed is not None and past.period.start >= datetime(2026, 10, 31, 6, tzinfo=UTC)
    }
    assert replayed
    assert replayed == {key: seen[key] for key in replayed}


def test_periods_are_told_oldest_first_and_the_running_one_as_such() -> None:
    found = replay(budget(300), view(), Names(), NOW)
    assert [(each.period.label, each.runs, each.missing) for each in found] == [
        ("September 2026", False, None),
        ("October 2026", False, None),
        ("November 2026", True, None),
    ]
    total = sum(each.scopes[0].spent for each in found)
    assert total == int(view().cost.sum())


def test_a_period_that_begins_before_the_data_says_so() -> None:
    found = replay(budget(300, zone="Asia/Kolkata"), view(), Names(), NOW)
    assert found[0].period.label == "September 2026"
    assert found[0].missing is not None
    assert "begins before the data do" in found[0].missing
    assert all(each.missing is None for each in found[1:])


def test_thresholds_reached_in_one_hour_are_one_message() -> None:
    (first, *_), *_ = (each.scopes for each in replay(budget(0.5), view(), Names(), NOW))
    assert len(set(first.crossed)) == first.messages < 3


def test_a_budget_of_given_dates_is_replayed_once() -> None:
    dates = (datetime(2026, 10, 3).date(), datetime(2026, 10, 8).date())  # noqa: DTZ001 - days have no zone
    (only,) = replay(budget(60, "once", dates=dates), view(), Names(), NOW)
    assert (only.period.end - only.period.start, only.runs) == (timedelta(days=5), False)


def test_a_rolling_budget_has_no_periods() -> None:
    with pytest.raises(ValueError, match="rolling"):
        replay(budget(60, "rolling", window=timedelta(hours=24)), view(), Names(), NOW)
