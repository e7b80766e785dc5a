"""What of the messages that wait for a receiver is tried, by hand; how it goes on is told in the outbox's own tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.waiting import HELD_UP, SEVERAL, Waiting, due, together

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FAILS = Waiting(
    "failed",
    frozenset({"a"}),
    NOW + 30 * MINUTE,
    attempts=1,
    tried_at=NOW - 10 * MINUTE,
    in_doubt=True,
    failing_since=NOW - 10 * MINUTE,
    written_at=NOW - 20 * MINUTE,
)
NEW = Waiting("new", frozenset({"b"}), NOW, written_at=NOW - 15 * MINUTE)


def test_what_was_never_tried_waits_behind_what_failed_for_eight_hours_at_most() -> None:
    assert due([FAILS, NEW], NOW) == ()
    assert due([FAILS, NEW], NOW + 30 * MINUTE) == ("failed",)
    assert due([FAILS, NEW], NOW - 10 * MINUTE + HELD_UP) == ("failed", "new")


def test_what_is_written_after_the_last_try_asks_for_one_unless_it_is_of_a_time_that_is_to_come() -> None:
    assert due([FAILS, replace(NEW, written_at=NOW)], NOW) == ("failed",)
    assert due([FAILS, replace(NEW, written_at=NOW + 60 * MINUTE)], NOW) == ()


def test_what_waits_is_put_together_only_after_several_tries() -> None:
    others = [replace(NEW, id=str(number), alerts=frozenset({str(number)})) for number in range(3)]
    assert list(together([FAILS, *others], NOW)) == []
    assert list(together([replace(FAILS, attempts=SEVERAL), *others], NOW)) == [("0", "1", "2")]


def test_what_must_wait_for_one_in_doubt_in_any_case_is_put_together_by_itself() -> None:
    failed = replace(FAILS, attempts=SEVERAL)
    rows = [
        failed,
        replace(NEW, id="1", alerts=frozenset({"a", "x"})),
        replace(NEW, id="2"),
        replace(NEW, id="3", alerts=frozenset({"x"})),
        replace(NEW, id="4", alerts=frozenset({"c"})),
    ]
    assert list(together(rows, NOW)) == [("2", "4"), ("1", "3")]


def test_a_single_message_about_no_alert_is_never_put_together() -> None:
    digests = [replace(NEW, id=str(number), alerts=frozenset(), attempts=1, tried_at=NOW) for number in range(3)]
    assert list(together(digests, NOW)) == []


ROWS = st.lists(
    st.builds(
        Waiting,
        id=st.uuids().map(str),
        alerts=st.frozensets(st.sampled_from("abc"), max_size=2),
        due_at=st.integers(-300, 300).map(lambda minute: NOW + minute * MINUTE),
        attempts=st.integers(0, 4),
        tried_at=st.integers(-300, 300).map(lambda minute: NOW + minute * MINUTE),
        in_doubt=st.booleans(),
        failing_since=st.none() | st.integers(-600, 0).map(lambda minute: NOW + minute * MINUTE),
        written_at=st.integers(-300, 300).map(lambda minute: NOW + minute * MINUTE),
    ),
    max_size=8,
)


@given(ROWS)
def test_none_overtakes_an_earlier_one_of_its_alerts_and_none_in_doubt_becomes_another(rows: list[Waiting]) -> None:
    ready = due(rows, NOW)
    told: set[str] = set()
    for row in rows:
        if row.id in ready:
            assert not row.alerts & told
        told |= row.alerts
    in_doubt = {row.id for row in rows if row.in_doubt}
    kinds = list(together(rows, NOW))
    assert not in_doubt & set().union(*kinds)
    assert len([ident for kind in kinds for ident in kind]) == len({ident for kind in kinds for ident in kind})
    if rows:
        assert due(rows, NOW + 24 * 60 * MINUTE), "something is always tried in the end"
