"""Alerts of two replays in pairs: one cause, one pair, whatever its rules are called."""

from __future__ import annotations

from datetime import UTC, datetime

from rules.model import HOUR, Alert, Scope, Severity, SourceEvidence, State, Subject
from watcher.backtest import Told
from watcher.backtest.comparing import compare

START = datetime(2026, 11, 20, tzinfo=UTC)


def told(rule: str, key: str, began: int, page: int, ended: int | None = None) -> Told:
    """An alert whose hours are counted from `START`."""
    began_at, page_at = START + began * HOUR, START + page * HOUR
    evidence = SourceEvidence("usage", "", began_at, "", "")
    alert = Alert(
        id=f"{rule} {key} {page}",
        subject=Subject(rule, "anomaly", Scope("org", api_key=key)),
        severity=Severity.WARNING,
        state=State.FIRING,
        starts_at=began_at,
        pending_since=page_at,
        evidence=evidence,
        summary="",
        fired_at=page_at,
        ends_at=None if ended is None else START + ended * HOUR,
    )
    return Told(alert, alert, page_at, ("ops",), None, at_start=False, before=None, after=None, excess_ended=None)


def test_one_cause_is_one_pair_with_how_much_later_the_second_tells_it() -> None:
    found = compare([told("keys", "a", 0, 3, 9)], [told("keys", "a", 0, 2, 9)])
    ((pair,), first, second) = found.both, found.only_first, found.only_second
    assert (pair.later, first, second) == (-HOUR, (), ())


def test_another_key_or_another_time_is_another_cause() -> None:
    first = [told("keys", "a", 0, 3, 9), told("keys", "b", 0, 3, 9)]
    second = [told("keys", "a", 20, 23, 29), told("keys", "c", 0, 3, 9)]
    found = compare(first, second)
    assert (found.both, found.only_first, found.only_second) == ((), tuple(first), tuple(second))


def test_a_rule_of_the_same_name_comes_before_one_that_is_nearer() -> None:
    mine = told("keys", "a", 0, 3)
    near, same = told("others", "a", 0, 3), told("keys", "a", 0, 8)
    found = compare([mine], [near, same])
    assert [pair.second for pair in found.both] == [same]
    assert found.only_second == (near,)


def test_a_rule_that_was_renamed_still_tells_the_same() -> None:
    found = compare([told("keys", "a", 0, 3)], [told("key spend", "a", 1, 4)])
    assert [pair.later for pair in found.both] == [HOUR]


def test_of_several_that_fit_the_nearest_is_taken_and_none_twice() -> None:
    first = [told("keys", "a", 0, 3, 9), told("keys", "a", 8, 12)]
    second = [told("keys", "a", 0, 12)]
    found = compare(first, second)
    assert len(found.both) == 1
    assert len(found.only_first) == 1
