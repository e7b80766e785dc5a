from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rules.hindsight import LATE, watch
from rules.model import Budget

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
    "edit", [{"limit": 20}, {"thresholds": (80.0,)}, {"per": ("model",)}, {"timezone": "Asia/Tokyo"}]
)
def test_an_edited_budget_begins_now(edit: dict[str, object]) -> None:
    assert watch([replace(BUDGET, **edit)], LONG_AGO, NOW).since == {"all": NOW}


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
