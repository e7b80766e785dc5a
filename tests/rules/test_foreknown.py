"""What was planned and said beforehand: launches, holidays, and anomalies that somebody expected or called real."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from rules import anomaly
from rules.carried import Carried
from rules.events import Event, Flags, Window, shares
from rules.model import HOUR, AnomalyRule, Breach, Leaf, Names, Scope, Selector, Subject
from rules.overlay import NOTHING, Foreknown, overlaid, overlay
from rules.quieted import Feedback
from rules.subjects import cut
from tests.rules.traffic import DOLLAR, MONDAY, Cost, organization, view_of

KEYS = AnomalyRule("keys")
WORKSPACES = AnomalyRule("workspaces", per=("workspace",))
LEAVES, CALM = organization(keys=12, days=70, seed=1)
KEY_NAMES = np.array([leaf.api_key for leaf in LEAVES])
EVERYTHING = Selector()
OFFICE, STEADY, BATCH, RARE = 0, 1, 2, 3
TUESDAY = 57 * 24
"""The 58th day of the traffic is a Tuesday."""
DAY = 24
ROWS = [np.arange(len(LEAVES)), np.array([STEADY])]


def told(cost: Cost, complete: int, known: Foreknown = NOTHING, rule: AnomalyRule = KEYS) -> set[str]:
    """The keys, or workspaces, that are in breach after so many hours."""
    view = view_of(LEAVES, cost, complete)
    verdicts = anomaly.judge(
        rule, view, Names(), frozenset(), view.observed_until + timedelta(minutes=1), anomaly.Beside(foreknown=known)
    )
    found = (verdict.subject.scope for verdict in verdicts if isinstance(verdict, Breach))
    return {scope.api_key or scope.workspace or "" for scope in found}


def ever(cost: Cost, hours: range, known: Foreknown = NOTHING) -> set[str]:
    """The keys that are in breach at the end of any of these hours."""
    return set(KEY_NAMES[flagged(cost, hours, known).any(axis=0)])


def flagged(cost: Cost, hours: range, known: Foreknown = NOTHING) -> Flags:
    """Which keys are in breach at the end of which of these hours, hours × keys, in the order of `KEY_NAMES`."""
    view = view_of(LEAVES, cost, hours.stop)
    subjects = overlaid(cut(KEYS, view, Names()), view, Names(), known)
    read = anomaly.read(KEYS, view, subjects, keep=hours.stop - hours.start + DAY)
    assert [scope.api_key for scope in subjects.scopes] == KEY_NAMES.tolist()
    found: Flags = read.reading.material[-len(hours) :, subjects.first :] >= 1.0
    return found


def moment(hour: int) -> datetime:
    return MONDAY + hour * HOUR


def during(begin: int, hours: int, expect: float, select: Selector = EVERYTHING) -> Foreknown:
    window = Window(moment(begin), moment(begin + hours))
    return Foreknown((Event("launch", (window,), select, expect),))


def times(key: int, begin: int, hours: int, factor: float) -> Cost:
    cost = CALM.copy()
    cost[key, begin : begin + hours] = (cost[key, begin : begin + hours] * factor).astype(np.int64)
    return cost


# ------------------------------------------------------------------------------------------------- events


LAUNCH = range(TUESDAY, TUESDAY + 3 * DAY)
BIG = int(np.argmax(CALM[1::4].sum(axis=1))) * 4 + 1
"""The dearest of the keys that never sleep."""


def test_a_launch_that_was_planned_at_five_times_the_usual_may_come_to_four_and_not_to_eight() -> None:
    name = f"key-{BIG}"
    fourfold, eightfold = times(BIG, TUESDAY, 2 * DAY, 4.0), times(BIG, TUESDAY, 2 * DAY, 8.0)
    known = during(TUESDAY, 2 * DAY, 5.0)
    assert ever(fourfold, LAUNCH) == {name}, "without the event it is told"
    assert ever(fourfold, LAUNCH, known) == set()
    assert ever(eightfold, LAUNCH, known) == {name}
    assert ever(fourfold, LAUNCH, during(TUESDAY, 2 * DAY, 5.0, Selector(api_key=name))) == set()
    assert ever(fourfold, LAUNCH, during(TUESDAY, 2 * DAY, 5.0, Selector(api_key="key-0"))) == {name}


def test_what_is_told_within_an_event_is_held_against_what_was_planned() -> None:
    cost = times(BIG, TUESDAY, 2 * DAY, 20.0)
    view = view_of(LEAVES, cost, TUESDAY + 20)
    now = view.observed_until + timedelta(minutes=1)
    planned = during(TUESDAY, 2 * DAY, 5.0)
    plain, wide = (
        next(
            each
            for each in anomaly.judge(KEYS, view, Names(), frozenset(), now, anomaly.Beside(foreknown=known))
            if isinstance(each, Breach)
        )
        for known in (NOTHING, planned)
    )
    assert plain.expected is not None
    assert wide.expected == pytest.approx(5 * plain.expected, rel=0.3)
    assert wide.value == plain.value


def test_the_hours_of_an_event_teach_nothing_whether_it_comes_or_not() -> None:
    after = range(TUESDAY + 2 * DAY, TUESDAY + 6 * DAY)
    for factor in (4.0, 0.0):
        cost = times(BIG, TUESDAY, 2 * DAY, factor)
        assert ever(cost, after, during(TUESDAY, 2 * DAY, 5.0)) == set(), f"{factor} times the usual"


def test_a_public_holiday_does_not_make_the_next_normal_day_an_anomaly() -> None:
    cost = CALM.copy()
    days = [TUESDAY - 14 * DAY, TUESDAY - 7 * DAY, TUESDAY]
    for day in days:
        cost[:, day : day + DAY] //= 20
    holidays = Event("holidays", tuple(Window(moment(day), moment(day + DAY), "Feast") for day in days), expect=1.0)
    following = range(TUESDAY - 6, TUESDAY + 8 * DAY)
    assert ever(cost, following, Foreknown((holidays,))) == set()


def test_a_holiday_teaches_no_lower_level_for_its_weekday() -> None:
    cost = CALM.copy()
    days = [TUESDAY - 7 * DAY * week for week in range(4)]
    for day in days:
        cost[:, day : day + DAY] = 0
    known = Foreknown((Event("h", tuple(Window(moment(day), moment(day + DAY)) for day in days), expect=1.0),))

    def next_tuesday(beside: Foreknown) -> float:
        view = view_of(LEAVES, cost, TUESDAY + 7 * DAY + 12)
        read = anomaly.read(KEYS, view, overlaid(cut(KEYS, view, Names()), view, Names(), beside))
        row = read.subjects.first + BIG
        return float(read.reading.expected[-12:, row].sum())

    usual = CALM[BIG, TUESDAY - 28 * DAY : TUESDAY - 28 * DAY + 12].sum() / DOLLAR
    assert next_tuesday(known) > 0.7 * usual
    assert next_tuesday(NOTHING) < 0.7 * next_tuesday(known)


def test_an_event_of_a_part_widens_the_whole_by_as_much_as_the_part_has_of_it() -> None:
    view = view_of(LEAVES, CALM, TUESDAY)
    event = Event("launch", (), Selector(api_key=f"key-{STEADY}"), 3.0)
    whole, part = shares(event, TUESDAY, view, Names(), ROWS)
    before = CALM[:, TUESDAY - 28 * DAY : TUESDAY].sum(axis=1)
    assert part == 1.0
    assert whole == pytest.approx(before[STEADY] / before.sum())


def test_where_events_overlap_the_larger_factor_counts_and_beside_them_there_is_none() -> None:
    windows = [(0, 10, 2.0), (5, 15, 3.0)]
    events = tuple(Event("e", (Window(moment(a), moment(b)),), expect=expect) for a, b, expect in windows)
    over = overlay(Foreknown(events), view_of(LEAVES, CALM, 20), Names(), ROWS, (), range(20))
    assert over.factor is not None
    assert over.untaught is not None
    assert over.factor[:, 0].tolist() == [2.0] * 5 + [3.0] * 10 + [1.0] * 5
    assert over.untaught[:, 1].tolist() == [True] * 15 + [False] * 5


def test_an_hour_that_an_event_touches_belongs_to_it_and_one_far_away_costs_nothing() -> None:
    half = timedelta(minutes=30)
    event = Event("e", (Window(moment(3) + half, moment(5) + half),), expect=1.0)
    over = overlay(Foreknown((event,)), view_of(LEAVES, CALM, 10), Names(), ROWS, (), range(10))
    assert over.factor is None
    assert over.allowed is None
    assert over.untaught is not None
    assert np.flatnonzero(over.untaught[:, 0]).tolist() == [3, 4, 5]
    far = during(500, 4, 3.0)
    assert overlay(far, view_of(LEAVES, CALM, 10), Names(), ROWS, (), range(10)) == overlay(
        NOTHING, view_of(LEAVES, CALM, 10), Names(), ROWS, (), range(10)
    )


# ------------------------------------------------------------------------------------------------- feedback


NIGHT = TUESDAY + 2
JOB = 60.0
"""Dollars an hour of a nightly job, three hours long."""


def nightly(first: int, nights: int, dollars: float = JOB) -> Cost:
    cost = CALM.copy()
    for night in range(nights):
        begin = first + night * DAY
        cost[OFFICE, begin : begin + 3] += round(dollars * DOLLAR)
    return cost


def said(verdict: str, since: int, until: int | None, excess: float = JOB, key: int = OFFICE) -> Foreknown:
    given = Feedback(
        alert="a",
        subject=Subject(KEYS.name, "anomaly", Scope("org", api_key=f"key-{key}")),
        verdict="expected" if verdict == "expected" else "real",
        since=moment(since),
        until=None if until is None else moment(until),
        usual=0,
        excess=round(excess * DOLLAR),
        by="ana",
        at=moment(since + 2),
    )
    return Foreknown(feedback=(given,))


def test_a_nightly_job_that_was_expected_is_not_told_again_and_three_times_as_much_is() -> None:
    cost = nightly(NIGHT, 10)
    name = f"key-{OFFICE}"
    known = said("expected", NIGHT, NIGHT + 2)
    assert told(cost, NIGHT + 2) == {name}
    assert told(cost, NIGHT + 2, known) == set()
    assert ever(cost, range(NIGHT, NIGHT + 10 * DAY), known) == set()
    cost[OFFICE, NIGHT + 7 * DAY : NIGHT + 7 * DAY + 3] += round(2 * JOB * DOLLAR)
    assert told(cost, NIGHT + 7 * DAY + 2, known) == {name}


def test_an_expected_job_that_stays_is_learnt_by_the_time_its_allowance_ends() -> None:
    leaves, calm = organization(keys=8, days=140, seed=1)
    cost = calm.copy()
    first = 70 * DAY + 2
    for night in range(69):
        cost[OFFICE, first + night * DAY : first + night * DAY + 3] += round(JOB * DOLLAR)
    known = said("expected", first, first + 2)
    for night in (8, 55, 58):
        at = first + night * DAY + 3
        start = (at // DAY - 69) * DAY
        shown = view_of(leaves, cost[:, start:], at - start)
        view = replace(shown, start=moment(start), complete_until=moment(at), observed_until=moment(at))
        found = anomaly.judge(KEYS, view, Names(), frozenset(), moment(at), anomaly.Beside(foreknown=known))
        assert not any(isinstance(each, Breach) for each in found), f"night {night}"


def test_the_same_at_other_hours_of_the_day_is_told_after_its_first_days() -> None:
    cost = nightly(NIGHT, 10)
    noon = NIGHT + 8 * DAY + 18
    cost[OFFICE, noon : noon + 3] += round(JOB * DOLLAR)
    assert told(cost, noon + 3, said("expected", NIGHT, NIGHT + 2)) == {f"key-{OFFICE}"}


def test_what_is_expected_of_a_key_is_no_news_of_its_workspace_and_leaves_other_keys_alone() -> None:
    cost = nightly(NIGHT, 3)
    known = said("expected", NIGHT, NIGHT + 2)
    assert told(cost, NIGHT + 3, rule=WORKSPACES) == {LEAVES[OFFICE].workspace}
    assert told(cost, NIGHT + 3, known, rule=WORKSPACES) == set()
    cost[OFFICE + 4, NIGHT : NIGHT + 3] += round(JOB * DOLLAR)
    assert told(cost, NIGHT + 3, known) == {f"key-{OFFICE + 4}"}


def test_a_real_incident_of_ten_days_never_becomes_normal_and_the_old_normal_holds_afterwards() -> None:
    cost = CALM.copy()
    begin, length = 50 * DAY + 9, 10 * DAY
    cost[STEADY, begin : begin + length] += 40 * DOLLAR
    name = f"key-{STEADY}"
    running = said("real", begin, None, key=STEADY)
    assert flagged(cost, range(begin + 2, begin + length), running)[:, STEADY].all()
    later = range(begin + 6 * DAY, begin + length)
    assert ever(cost, later) == set(), "without feedback it has become normal by then"
    over = said("real", begin, begin + length + 4, key=STEADY)
    assert ever(cost, range(begin + length + 6, begin + length + 3 * DAY), over) == set()
    cost[STEADY, begin + length + 3 * DAY :] += 40 * DOLLAR
    assert told(cost, begin + length + 3 * DAY + 3, over) == {name}, "the next one is told like the first"


def test_hour_by_hour_the_verdicts_are_those_of_one_look_whenever_something_is_said() -> None:
    cost = nightly(NIGHT, 4)
    launch = during(NIGHT + DAY, DAY, 4.0, Selector(workspace="workspace-1"))
    expected, real = said("expected", NIGHT, NIGHT + 2), said("real", NIGHT + DAY, None, key=STEADY)
    carried = Carried()
    for hour in (*range(NIGHT - 1, NIGHT + 5), NIGHT + DAY, NIGHT + DAY + 3, NIGHT + 2 * DAY + 1, NIGHT + 2 * DAY + 3):
        known = launch if hour < NIGHT + 3 else replace(launch, feedback=expected.feedback)
        if hour > NIGHT + DAY + 1:
            known = replace(known, feedback=(*expected.feedback, *real.feedback))
        view = view_of(LEAVES, cost, hour, part=0.5)
        now = view.observed_until + timedelta(minutes=1)
        followed = anomaly.judge(
            KEYS, view, Names(), frozenset(), now, anomaly.Beside(foreknown=known), carried=carried
        )
        assert followed == anomaly.judge(KEYS, view, Names(), frozenset(), now, anomaly.Beside(foreknown=known)), (
            hour - NIGHT
        )


def test_feedback_on_a_scope_that_is_gone_changes_nothing() -> None:
    known = said("expected", NIGHT, NIGHT + 2)
    strange = replace(known.feedback[0], subject=Subject("keys", "anomaly", Scope("org", api_key="gone")))
    leaves = (Leaf("w", "k", "m"),)
    view = view_of(leaves, CALM[:1], NIGHT + 3)
    over = overlay(Foreknown(feedback=(strange,)), view, Names(), [np.array([0])], (), range(NIGHT + 3))
    assert (over.factor, over.untaught, over.allowed) == (None, None, None)
