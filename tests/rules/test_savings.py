"""What a key's being off saves: an estimate, and what bounds it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from benchmarks.gallery_actions import action, done, evidence
from benchmarks.gallery_samples import organization_budget, runaway_key, usd
from rules.actions import ActionState, Cause
from rules.savings import Savings, saved

HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def off(moment: str, **otherwise: Any) -> Savings:
    """A key that is off since then and had spent $10 an hour too much."""
    since = at(moment)
    shown = {"since": since - 10 * HOUR, "data_as_of": since, "key_observed": usd(120), "key_expected": usd(20)}
    row = done(confirmed_at=since, evidence=evidence(**{**shown, **otherwise}))
    found = saved(row, None, since)
    assert found is not None
    return found


def test_it_is_the_excess_an_hour_until_the_next_working_day() -> None:
    found = off("2026-11-17 21:00")
    assert (found.per_hour, found.until, found.amount) == (usd(10), at("2026-11-18 09:00"), usd(120))
    assert found.words(found.since) == "about $120.00 until Wed 18 Nov 09:00 UTC ($10.00 an hour)"


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-11-20 18:00", "2026-11-23 09:00"),
        ("2026-11-21 03:00", "2026-11-23 09:00"),
        ("2026-11-23 03:00", "2026-11-23 09:00"),
        ("2026-11-23 09:00", "2026-11-24 09:00"),
        ("2026-11-20 08:59", "2026-11-20 09:00"),
    ],
)
def test_nobody_looks_on_a_weekend_or_before_nine(since: str, until: str) -> None:
    assert off(since).until == at(until)


def test_it_is_never_more_than_three_days() -> None:
    for hours in range(24 * 7):
        since = at("2026-11-16 00:30") + hours * HOUR
        found = off(f"{since:%Y-%m-%d %H:%M}")
        assert timedelta(0) < found.until - found.since <= timedelta(hours=72)


def test_of_a_budget_nothing_is_saved_beyond_the_end_of_its_period() -> None:
    found = off("2026-11-17 21:00", period_end=at("2026-11-18 00:00"))
    assert found.amount == usd(30)


def test_a_key_beyond_a_budget_of_its_own_saves_whatever_it_spent() -> None:
    scope = runaway_key().subject.scope
    since = at("2026-11-17 21:00")
    shown = evidence(since=since - 10 * HOUR, data_as_of=since, key_observed=usd(120), key_expected=usd(100))
    row = done(cause=Cause("budget", "per key", scope, "2026-11/100"), confirmed_at=since, evidence=shown)
    found = saved(row, None, since)
    assert found is not None
    assert found.per_hour == usd(12)


def test_people_look_in_the_zone_of_the_budget() -> None:
    alert = organization_budget()
    zone = getattr(alert.evidence, "timezone", "")
    since = at("2026-11-17 21:00")
    row = done(confirmed_at=since)
    found = saved(row, alert, since)
    assert found is not None
    assert zone
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    assert found.until.astimezone(ZoneInfo(zone)).hour == 9


def test_what_is_saved_by_now_grows_and_ends() -> None:
    row = done(confirmed_at=at("2026-11-17 21:00"))
    early, late = saved(row, None, at("2026-11-17 23:00")), saved(row, None, at("2026-12-17 23:00"))
    assert early is not None
    assert late is not None
    assert early.amount == late.amount == late.so_far
    assert early.so_far == 2 * early.per_hour


def test_whoever_turns_it_on_again_ends_what_it_saves() -> None:
    row = done(confirmed_at=at("2026-11-17 21:00"))
    found = saved(row, None, at("2026-11-19 00:00"), back_at=at("2026-11-17 22:00"))
    assert found is not None
    assert found.amount == found.per_hour


def test_nothing_is_saved_by_what_was_not_done_or_was_no_excess() -> None:
    now = at("2026-11-20 15:00")
    hand = Cause("hand", "", runaway_key().subject.scope, "7")
    for row in (
        action(),
        done(what="reactivate"),
        done(state=ActionState.ABANDONED),
        done(cause=Cause("drill", "", hand.scope, "7"), evidence=None),
        done(evidence=evidence(key_observed=usd(5), key_expected=usd(6))),
        done(cause=hand, evidence=None),
    ):
        assert saved(row, None, now) is None


def test_what_was_done_by_hand_about_an_alert_saves_its_excess() -> None:
    alert = runaway_key()
    hand = Cause("hand", "", alert.subject.scope, "7")
    found = saved(done(cause=hand, evidence=None), alert, at("2026-11-20 15:00"))
    assert found is not None
    assert found.per_hour > 0
