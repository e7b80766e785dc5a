from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.periods import Period, PeriodKind, clock_label, instant, period_of, previous

ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Africa/Cairo", "Pacific/Apia"]
KINDS: list[PeriodKind] = ["day", "week", "month"]
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
moments = st.integers(0, 16 * 365 * 86_400).map(lambda seconds: FIRST + timedelta(seconds=seconds))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(st.sampled_from(KINDS), st.sampled_from(ZONES), moments)
def test_a_moment_lies_in_its_period_and_periods_join_without_gap(
    kind: PeriodKind, zone: str, moment: datetime
) -> None:
    period = period_of(kind, zone, moment)
    assert period.start <= moment < period.end
    assert period_of(kind, zone, period.start) == period
    assert period_of(kind, zone, period.end - timedelta(microseconds=1)) == period
    assert period_of(kind, zone, period.end).start == period.end
    assert previous(period).end == period.start


@given(st.sampled_from(KINDS), st.sampled_from(ZONES), moments, st.integers(0, 2000))
def test_every_hour_belongs_to_one_period(kind: PeriodKind, zone: str, moment: datetime, hours: int) -> None:
    start = moment.replace(minute=0, second=0, microsecond=0) - timedelta(hours=900)
    period = period_of(kind, zone, moment)
    before, after = previous(period), period_of(kind, zone, period.end)
    mine = period.columns(start, hours)
    assert before.columns(start, hours).stop == mine.start
    assert after.columns(start, hours).start == mine.stop
    for column in range(mine.start, mine.stop):
        assert period.start <= start + timedelta(hours=column) < period.end


@pytest.mark.parametrize(
    ("kind", "zone", "now", "start", "end", "label"),
    [
        ("month", "UTC", "2026-11-20T11:00", "2026-11-01T00:00", "2026-12-01T00:00", "November 2026"),
        ("month", "UTC", "2026-12-31T23:59", "2026-12-01T00:00", "2027-01-01T00:00", "December 2026"),
        ("month", "UTC", "2028-02-29T12:00", "2028-02-01T00:00", "2028-03-01T00:00", "February 2028"),
        ("month", "Europe/Berlin", "2026-10-31T23:30", "2026-10-31T23:00", "2026-11-30T23:00", "November 2026"),
        ("week", "UTC", "2026-11-22T23:59", "2026-11-16T00:00", "2026-11-23T00:00", "week of 16 Nov 2026"),
        ("week", "Europe/Berlin", "2026-10-20T00:00", "2026-10-18T22:00", "2026-10-25T23:00", "week of 19 Oct 2026"),
        ("day", "UTC", "2026-11-20T11:00", "2026-11-20T00:00", "2026-11-21T00:00", "20 Nov 2026"),
        ("day", "America/New_York", "2026-03-08T12:00", "2026-03-08T05:00", "2026-03-09T04:00", "8 Mar 2026"),
        ("day", "America/New_York", "2026-11-01T12:00", "2026-11-01T04:00", "2026-11-02T05:00", "1 Nov 2026"),
        ("day", "Asia/Kolkata", "2026-11-20T18:29", "2026-11-19T18:30", "2026-11-20T18:30", "20 Nov 2026"),
        ("day", "Africa/Cairo", "2026-04-24T12:00", "2026-04-23T22:00", "2026-04-24T21:00", "24 Apr 2026"),
        ("day", "America/Havana", "2026-11-01T12:00", "2026-11-01T04:00", "2026-11-02T05:00", "1 Nov 2026"),
    ],
)
def test_periods_are_those_of_the_calendar(
    kind: PeriodKind, zone: str, now: str, start: str, end: str, label: str
) -> None:
    assert period_of(kind, zone, at(now)) == Period(kind, at(start), at(end), zone, label)


def test_now_may_come_in_another_zone() -> None:
    now = datetime(2026, 11, 20, 23, tzinfo=ZoneInfo("America/New_York"))
    assert period_of("day", "UTC", now).label == "21 Nov 2026"


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        period_of("day", "Europe/Atlantis", at("2026-11-20T00:00"))


def test_a_clock_time_names_its_day_only_where_that_is_not_plain() -> None:
    moment = at("2026-11-20T14:05")
    assert clock_label(moment, at("2026-11-20T23:00")) == "14:05 UTC"
    assert clock_label(moment, at("2026-11-21T01:00")) == "20 Nov, 14:05 UTC"
    assert clock_label(moment) == "20 Nov, 14:05 UTC"


def test_an_instant_in_an_identifier_is_utc_whatever_zone_it_came_in() -> None:
    assert instant(datetime(2026, 11, 20, 1, tzinfo=ZoneInfo("Europe/Berlin"))) == "2026-11-20T00:00:00Z"
