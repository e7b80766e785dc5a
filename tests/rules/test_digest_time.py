"""When a digest comes: by the local clock, each period once, whatever becomes of the clock and the program."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.digest import DigestRule
from rules.digest_time import PATIENCE, due, instant_of, latest_day, period_of_day, recall, remember

BERLIN = DigestRule("morning", ("ops",), at=time(9), timezone="Europe/Berlin")
WEEKLY = DigestRule("week", ("ops",), "weekly", time(9), weekday=0)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(
    rule: DigestRule, moments: list[datetime], done: Mapping[str, date], *, whole: bool = True
) -> list[tuple[date, datetime]]:
    """The days of the digests that come as the clock takes these moments, and when."""
    found = []
    for now in moments:
        coming, done = due([rule], recall(remember(done)), now if whole else now - 10 * DAY, now, first=False)
        found += [(each.day, now) for each in coming]
    return found


def every(step: timedelta, since: str, until: str) -> list[datetime]:
    first, last = at(since), at(until)
    return [first + number * step for number in range((last - first) // step + 1)]


@pytest.mark.parametrize(
    ("rule", "day", "instant", "begins", "ends"),
    [
        # 25 hours in October, 23 in March: the day is the local one, the hour that of the wall clock.
        (BERLIN, "2026-10-25", "2026-10-25 08:00", "2026-10-23 22:00", "2026-10-24 22:00"),
        (BERLIN, "2026-10-26", "2026-10-26 08:00", "2026-10-24 22:00", "2026-10-25 23:00"),
        (BERLIN, "2026-03-29", "2026-03-29 07:00", "2026-03-27 23:00", "2026-03-28 23:00"),
        (BERLIN, "2026-03-30", "2026-03-30 07:00", "2026-03-28 23:00", "2026-03-29 22:00"),
        (WEEKLY, "2026-11-16", "2026-11-16 09:00", "2026-11-09 00:00", "2026-11-16 00:00"),
    ],
)
def test_the_hour_is_that_of_the_wall_clock_and_the_days_are_local(
    rule: DigestRule, day: str, instant: str, begins: str, ends: str
) -> None:
    which = date.fromisoformat(day)
    period = period_of_day(rule, which)
    assert (instant_of(rule, which), period.start, period.end) == (at(instant), at(begins), at(ends))
    assert latest_day(rule, at(instant)) == which
    assert latest_day(rule, at(instant) - MINUTE) < which


@pytest.mark.parametrize(
    ("clock", "day", "instants"),
    [
        (time(2, 30), "2026-03-29", ["2026-03-29 01:30"]),  # skipped: an hour later, 03:30 in summer time
        (time(2, 30), "2026-10-25", ["2026-10-25 00:30"]),  # comes twice: the first
    ],
)
def test_on_the_days_that_change_the_clock_it_comes_once(clock: time, day: str, instants: list[str]) -> None:
    rule = DigestRule("night", ("ops",), at=clock, timezone="Europe/Berlin")
    which = date.fromisoformat(day)
    moments = [at(day) - 6 * HOUR + number * 10 * MINUTE for number in range(6 * 36)]
    found = told(rule, moments, {"night": which - DAY})
    assert [moment for told_of, moment in found if told_of == which] == [at(each) for each in instants]


def test_after_days_of_downtime_the_newest_comes_once() -> None:
    moments = [at("2026-11-20 13:07"), at("2026-11-20 13:12"), at("2026-11-20 13:17")]
    assert told(BERLIN, moments, {"morning": date(2026, 11, 16)}) == [(date(2026, 11, 20), moments[0])]
    before_nine = [at("2026-11-20 07:00"), at("2026-11-20 07:59"), at("2026-11-20 08:00")]
    assert told(BERLIN, before_nine, {"morning": date(2026, 11, 16)}) == [
        (date(2026, 11, 19), before_nine[0]),
        (date(2026, 11, 20), before_nine[2]),
    ]


def test_a_clock_that_is_turned_back_tells_nothing_twice() -> None:
    forth = every(30 * MINUTE, "2026-11-19 06:00", "2026-11-20 12:00")
    back = every(30 * MINUTE, "2026-11-18 06:00", "2026-11-21 12:00")
    found = told(BERLIN, forth + back, {"morning": date(2026, 11, 18)})
    assert [day.day for day, _ in found] == [19, 20, 21]


def test_a_new_database_tells_nothing_of_before_its_first_start() -> None:
    early = at("2026-11-18 06:00")
    _, done = due([BERLIN, WEEKLY], {}, early, early, first=True)
    assert told(BERLIN, every(HOUR, "2026-11-18 06:00", "2026-11-19 07:00"), done) == []
    assert [day.day for day, _ in told(BERLIN, every(HOUR, "2026-11-18 06:00", "2026-11-20 12:00"), done)] == [19, 20]
    assert [day.day for day, _ in told(WEEKLY, every(HOUR, "2026-11-18 06:00", "2026-11-30 07:00"), done)] == [23]


def test_one_that_is_new_in_a_database_in_use_begins_with_the_next_that_is_due() -> None:
    early, late = at("2026-11-18 06:00"), at("2026-11-18 10:00")
    for now, first in ((early, 18), (late, 19)):
        coming, done = due([BERLIN], {}, now, now, first=False)
        assert coming == ()
        assert told(BERLIN, [now + number * HOUR for number in range(30)], done)[0][0].day == first


def test_it_waits_for_the_last_hours_of_its_period_but_not_for_ever() -> None:
    moments = every(10 * MINUTE, "2026-11-19 07:00", "2026-11-19 20:00")
    found = told(BERLIN, moments, {"morning": date(2026, 11, 18)}, whole=False)
    assert found == [(date(2026, 11, 19), at("2026-11-19 08:00") + PATIENCE)]


def test_what_is_remembered_is_read_back_and_nonsense_is_nothing() -> None:
    done = {"a": date(2026, 11, 19), "ü": date(2026, 1, 1)}
    assert recall(remember(done)) == done
    for text in (None, "", "[]", '{"a": 3}', '{"a": "yesterday"}', "{"):
        assert recall(text) == {}


@given(
    rule=st.builds(
        DigestRule,
        name=st.just("any"),
        receivers=st.just(("ops",)),
        every=st.sampled_from(["daily", "weekly"]),
        at=st.times().map(lambda moment: moment.replace(second=0, microsecond=0, fold=0)),
        weekday=st.integers(0, 6),
        timezone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    ),
    since=st.datetimes(at("2024-01-01").replace(tzinfo=None), at("2027-01-01").replace(tzinfo=None)),
    steps=st.lists(st.integers(-60, 600), min_size=1, max_size=60),
)
def test_however_the_clock_runs_no_period_comes_twice_and_none_that_is_not_over(
    rule: DigestRule, since: datetime, steps: list[int]
) -> None:
    now = since.replace(tzinfo=UTC)
    moments = [now]
    for step in steps:
        moments.append(moments[-1] + step * 10 * MINUTE)
    _, done = due([rule], {}, now, now, first=True)
    found = told(rule, moments, done)
    days = [day for day, _ in found]
    assert days == sorted(set(days))
    for day, moment in found:
        assert instant_of(rule, day) <= moment
        assert now < period_of_day(rule, day).end <= moment
