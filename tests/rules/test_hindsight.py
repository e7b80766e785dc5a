from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from rules import budgets
from rules.hindsight import LATE, watch
from rules.model import Budget, Scope, Severity, Subject
from rules.periods import PeriodKind, Starts, instant
from rules.thresholds import Threshold

BUDGET = Budget("all", "day", "UTC", 10, (50.0,))
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONG_AGO = watch([BUDGET], None, NOW - timedelta(days=90)).remember


def test_the_first_judgement_looks_back_on_nothing() -> None:
    assert watch([BUDGET], None, NOW).since == {"all": NOW}


def test_a_new_database_never_looks_back_beyond_its_first_judgement() -> None:
    first = watch([BUDGET], None, NOW)
    assert watch([BUDGET], first.remember, NOW + timedelta(hours=1)).since == {"all": NOW}


def test_a_daemon_at_work_looks_back_for_as_long_as_periods_settle() -> None:
    yesterday = watch([BUDGET], LONG_AGO, NOW - timedelta(minutes=5))
    assert watch([BUDGET], yesterday.remember, NOW).since == {"all": NOW - timedelta(minutes=5) - LATE}


def test_time_away_is_made_up_for() -> None:
    left = watch([BUDGET], LONG_AGO, NOW - timedelta(days=9))
    assert watch([BUDGET], left.remember, NOW).since == {"all": NOW - timedelta(days=9) - LATE}


@pytest.mark.parametrize(
    "edit",
    [
        {"limit": 20},
        {"thresholds": (80.0,)},
        {"per": ("model",)},
        {"timezone": "Asia/Tokyo"},
        {"starts": Starts(day=2)},
        {"period": "rolling", "window": timedelta(days=1)},
        {"period": "once", "dates": (date(2026, 11, 1), date(2026, 12, 1))},
    ],
)
def test_an_edited_budget_begins_now(edit: dict[str, object]) -> None:
    assert watch([replace(BUDGET, **edit)], LONG_AGO, NOW).since == {"all": NOW}


def test_how_much_a_threshold_matters_is_no_edit() -> None:
    judged = watch([BUDGET], LONG_AGO, NOW - timedelta(minutes=5)).since
    graded = replace(BUDGET, thresholds=(Threshold(percent=50.0, severity=Severity.CRITICAL),))
    assert watch([graded], LONG_AGO, NOW - timedelta(minutes=5)).since == judged
    amount = replace(BUDGET, thresholds=(Threshold(amount=5),))
    assert watch([amount], LONG_AGO, NOW).since == {"all": NOW}


def test_a_clock_set_back_does_not_shorten_the_look_back() -> None:
    ahead = watch([BUDGET], LONG_AGO, NOW + timedelta(hours=5))
    assert watch([BUDGET], ahead.remember, NOW).since == {"all": NOW - LATE}


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"at": "yesterday", "first": {}}', '{"at": 3, "first": []}'])
def test_text_that_is_not_ours_counts_as_none(text: str) -> None:
    assert watch([BUDGET], text, NOW).since == {"all": NOW}


def test_the_earliest_look_back_is_that_of_all_budgets() -> None:
    other = replace(BUDGET, name="other")
    known = watch([BUDGET, other], LONG_AGO, NOW)
    assert known.since["other"] == NOW
    assert known.earliest == known.since["all"]
    assert watch([], None, NOW).earliest is None


@pytest.mark.parametrize(
    ("period", "zone", "per", "account", "fingerprint"),
    [
        ("month", "UTC", (), "0504f4b327c71483", "7de0a9ec189b00a0"),
        ("week", "Europe/Berlin", ("api_key",), "652cbb9da5a9bdb9", "0e5c3482b2867d58"),
        ("day", "Asia/Kolkata", ("workspace", "model"), "9392f36697f92248", "5319cc2d1cb2872e"),
    ],
)
def test_a_budget_of_an_earlier_version_is_the_same_one_so_an_upgrade_tells_nothing_twice(
    period: PeriodKind, zone: str, per: tuple[str, ...], account: str, fingerprint: str
) -> None:
    """What 0.1.0 had kept of these budgets before periods could begin elsewhere."""
    budget = Budget("all", period, zone, 100_000_000_000, (50.0, 80.0, 100.0), per)
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    kept = json.dumps({"at": moment.isoformat(), "first": {account: "2026-09-01T00:00:00+00:00"}})
    assert watch([budget], kept, moment).since == {"all": moment - LATE}
    running = budgets.running(budget, moment)
    assert running is not None
    assert Subject("all", "budget", Scope("org_1"), f"{instant(running.start)}/80").fingerprint == fingerprint
