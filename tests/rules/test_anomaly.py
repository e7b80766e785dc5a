"""Verdicts over a made-up organization: silent in calm weather, quick in a storm, unsure of what cannot be known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from rules import anomaly
from rules.model import (
    CONSOLE,
    HOUR,
    UNATTRIBUTED,
    AnomalyEvidence,
    AnomalyRule,
    Breach,
    Clear,
    Leaf,
    Names,
    NoData,
    Selector,
    Severity,
    SpendView,
)
from rules.subjects import cut
from tests.rules.traffic import DOLLAR, MONDAY, Cost, organization, view_of

RULE = AnomalyRule("spikes")
LEAVES, CALM = organization(keys=40, days=70, seed=1)
TUESDAY_NOON = 64 * 24 + 12
TUESDAY_NIGHT = 64 * 24 + 2
OFFICE, STEADY, BATCH, RARE = 0, 1, 2, 3


def judged(view: SpendView, firing: frozenset[str] = frozenset(), rule: AnomalyRule = RULE) -> dict[str, object]:
    verdicts = anomaly.judge(rule, view, Names(), firing, view.observed_until + timedelta(minutes=1))
    return {verdict.subject.scope.api_key or "": verdict for verdict in verdicts}


def breaches(view: SpendView, firing: frozenset[str] = frozenset(), rule: AnomalyRule = RULE) -> dict[str, Breach]:
    return {key: verdict for key, verdict in judged(view, firing, rule).items() if isinstance(verdict, Breach)}


def with_extra(key: int, begin: int, hours: int, dollars: float) -> Cost:
    cost = CALM.copy()
    cost[key, begin : begin + hours] += round(dollars * DOLLAR)
    return cost


def usual(key: int) -> float:
    return float(CALM[key, -28 * 24 :].mean() / DOLLAR)


def test_calm_weather_is_silent() -> None:
    episodes = 0
    for seed in (2, 3):
        leaves, cost = organization(keys=40, days=70, seed=seed)
        view = view_of(leaves, cost, 70 * 24)
        reading = anomaly.read(RULE, view, cut(RULE, view, Names()), keep=56 * 24)
        flagged = reading.reading.material[:, reading.subjects.first :] >= 1.0
        episodes += int((flagged[1:] & ~flagged[:-1]).sum() + flagged[0].sum())
    assert episodes <= 3, "more than three in 640 key-weeks"


@pytest.mark.parametrize("key", [0, 1, 4, 5, 8, 9, 13, 17])
def test_a_runaway_of_twenty_times_the_usual_is_told_within_its_second_hour(key: int) -> None:
    extra = max(20 * usual(key), 13.0)
    told = breaches(view_of(LEAVES, with_extra(key, TUESDAY_NOON, 8, extra), TUESDAY_NOON + 1, part=0.95))
    assert set(told) == {f"key-{key}"}


def test_an_overwhelming_hour_is_told_while_it_is_still_filling() -> None:
    told = breaches(view_of(LEAVES, with_extra(STEADY, TUESDAY_NOON, 8, 600.0), TUESDAY_NOON, part=0.5))
    assert set(told) == {"key-1"}
    assert told["key-1"].severity is Severity.CRITICAL
    assert told["key-1"].starts_at == MONDAY + TUESDAY_NOON * HOUR


def test_a_leaked_key_at_night_is_told_by_its_second_hour() -> None:
    night = with_extra(OFFICE, TUESDAY_NIGHT, 6, max(13.0, 4 * usual(OFFICE)))
    assert set(breaches(view_of(LEAVES, night, TUESDAY_NIGHT + 2))) == {"key-0"}


def test_a_key_that_never_spent_is_told_when_it_wakes_dearly() -> None:
    leaves = (*LEAVES, Leaf("workspace-0", "forgotten", "claude"))
    cost = np.vstack([CALM, np.zeros((1, CALM.shape[1]), dtype=np.int64)])
    cost[-1, TUESDAY_NIGHT:] = 60 * DOLLAR
    assert set(breaches(view_of(leaves, cost, TUESDAY_NIGHT + 2))) == {"forgotten"}


def test_one_dear_hour_alone_is_not_told() -> None:
    spike = with_extra(STEADY, TUESDAY_NOON, 1, 20.0)
    for seen in (1, 2, 3, 5, 6, 12, 24, 29):
        assert not breaches(view_of(LEAVES, spike, TUESDAY_NOON + seen)), f"{seen} hours after"


def test_what_costs_less_than_the_floor_is_not_told_however_improbable() -> None:
    cheap = with_extra(RARE, TUESDAY_NOON, 24, 4.0)
    assert not breaches(view_of(LEAVES, cheap, TUESDAY_NOON + 12))
    assert set(breaches(view_of(LEAVES, cheap, TUESDAY_NOON + 12), rule=AnomalyRule("low", min_excess=2 * DOLLAR))) == {
        "key-3"
    }


def test_a_holiday_lull_is_no_anomaly_and_neither_is_the_return() -> None:
    cost = CALM.copy()
    cost[:, TUESDAY_NOON - 12 : TUESDAY_NOON + 36] //= 5
    for seen in (0, 12, 36, 40, 60):
        assert not breaches(view_of(LEAVES, cost, TUESDAY_NOON + seen))


def test_a_launch_that_stays_is_adopted_within_five_days() -> None:
    begin = 56 * 24 + 9
    cost = with_extra(STEADY, begin, 14 * 24, 10 * usual(STEADY) + 10)
    early = breaches(view_of(LEAVES, cost, begin + 3))
    assert set(early) == {"key-1"}
    firing = frozenset({early["key-1"].subject.fingerprint})
    assert set(breaches(view_of(LEAVES, cost, begin + 48), firing)) == {"key-1"}
    for day in (5, 6, 7, 8):
        assert not breaches(view_of(LEAVES, cost, begin + day * 24), firing), f"day {day}"


def test_a_new_key_that_stays_dear_is_adopted_within_five_days() -> None:
    begin = 56 * 24 + 9
    leaves = (*LEAVES, Leaf("workspace-0", "new", "claude"))
    cost = np.vstack([CALM, np.zeros((1, CALM.shape[1]), dtype=np.int64)])
    cost[-1, begin:] = 90 * DOLLAR + CALM[STEADY, begin:]
    assert set(breaches(view_of(leaves, cost, begin + 6))) == {"new"}
    for day in (5, 6, 7):
        assert not breaches(view_of(leaves, cost, begin + day * 24)), f"day {day}"


def test_a_key_that_rested_for_two_weeks_may_come_back_as_it_was() -> None:
    cost = CALM.copy()
    cost[:, 48 * 24 : 62 * 24] = 0
    for hour in (1, 3, 9, 12, 15, 26):
        assert not breaches(view_of(LEAVES, cost, 62 * 24 + hour)), f"{hour} hours after"


@pytest.mark.parametrize("before_midnight", [1, 2, 5])
def test_a_new_key_that_begins_dearly_just_before_midnight_is_told_the_morning_after(before_midnight: int) -> None:
    leaves = (*LEAVES, Leaf("workspace-0", "newborn", "claude"))
    cost = np.vstack([CALM, np.zeros((1, CALM.shape[1]), dtype=np.int64)])
    midnight = 64 * 24
    cost[-1, midnight - before_midnight :] = 16 * DOLLAR
    cost[-1, midnight - before_midnight] = 4 * DOLLAR
    assert "newborn" in breaches(view_of(leaves, cost, midnight + 3))


def test_a_new_weekly_job_is_told_twice_and_then_known() -> None:
    cost = CALM.copy()
    for week in range(6, 10):
        cost[STEADY, week * 168 + 2 * 24 + 3 : week * 168 + 2 * 24 + 5] += 40 * DOLLAR
    told = [week for week in range(6, 10) if breaches(view_of(LEAVES, cost, week * 168 + 2 * 24 + 5))]
    assert told == [6, 7]


def test_a_firing_subject_stays_until_complete_hours_are_calm() -> None:
    cost = with_extra(STEADY, TUESDAY_NOON, 5, 60.0)
    firing = frozenset({breaches(view_of(LEAVES, cost, TUESDAY_NOON + 4))["key-1"].subject.fingerprint})
    over = TUESDAY_NOON + 5
    assert isinstance(judged(view_of(LEAVES, cost, over, part=0.9), firing)["key-1"], Breach)
    assert isinstance(judged(view_of(LEAVES, cost, over + 1), firing)["key-1"], Breach)
    assert isinstance(judged(view_of(LEAVES, cost, over + 8), firing)["key-1"], Clear)


def test_an_open_hour_never_clears_what_only_incomplete_hours_deny() -> None:
    cost = with_extra(STEADY, TUESDAY_NOON, 5, 60.0)
    cost[STEADY, TUESDAY_NOON + 5] = 0
    firing = frozenset({breaches(view_of(LEAVES, cost, TUESDAY_NOON + 4))["key-1"].subject.fingerprint})
    assert isinstance(judged(view_of(LEAVES, cost, TUESDAY_NOON + 5, part=0.99), firing)["key-1"], Breach)


def test_without_recent_complete_hours_nothing_is_clear() -> None:
    view = view_of(LEAVES, CALM, TUESDAY_NOON)
    late = view.observed_until + timedelta(hours=9)
    verdicts = anomaly.judge(RULE, view, Names(), frozenset(), late)
    assert verdicts
    assert all(isinstance(verdict, NoData) for verdict in verdicts)


def test_a_hole_at_the_newest_hour_is_no_data_and_an_older_one_is_not() -> None:
    view = view_of(LEAVES, CALM, TUESDAY_NOON)
    newest, older = view.known.copy(), view.known.copy()
    newest[-1], older[-60:-30] = False, False
    assert all(isinstance(verdict, NoData) for verdict in judged(replace(view, known=newest)).values())
    assert all(isinstance(verdict, Clear) for verdict in judged(replace(view, known=older)).values())


def test_a_capped_view_still_proves_what_its_open_hours_show() -> None:
    cost = with_extra(STEADY, TUESDAY_NOON, 8, 600.0)
    view = view_of(LEAVES, cost, TUESDAY_NOON + 4)
    capped = replace(view, complete_until=view.complete_until - 10 * HOUR)
    verdicts = judged(capped)
    assert isinstance(verdicts["key-1"], Breach)
    assert all(isinstance(verdict, NoData) for key, verdict in verdicts.items() if key != "key-1")


def test_less_than_a_day_of_history_says_nothing() -> None:
    view = view_of(LEAVES, with_extra(STEADY, 10, 8, 600.0), 14)
    assert all(isinstance(verdict, NoData) for verdict in judged(view).values())


def test_the_evidence_tells_the_whole_story() -> None:
    leaves = (*LEAVES, Leaf("workspace-1", "key-1", "dear"))
    cost = np.vstack([CALM, np.zeros((1, CALM.shape[1]), dtype=np.int64)])
    cost[-1, TUESDAY_NOON : TUESDAY_NOON + 8] = 50 * DOLLAR
    view = replace(view_of(leaves, cost, TUESDAY_NOON + 3, part=0.5), unpriced=frozenset({"dear"}))
    told = breaches(view)["key-1"]
    evidence = told.evidence
    assert isinstance(evidence, AnomalyEvidence)
    assert evidence.since == told.starts_at == MONDAY + TUESDAY_NOON * HOUR
    both = np.array([STEADY, len(LEAVES)])
    assert evidence.observed == pytest.approx(int(view.cost[both, TUESDAY_NOON:].sum()), abs=10)
    assert evidence.expected == pytest.approx(
        float(CALM[STEADY, TUESDAY_NOON : TUESDAY_NOON + 4].mean()) * 3.5, rel=0.4
    )
    assert evidence.per_hour > 45 * DOLLAR > evidence.upper_per_hour > evidence.normal_per_hour
    assert evidence.top[0].id == "dear"
    assert evidence.top[0].cost == pytest.approx(175 * DOLLAR, rel=0.05)
    assert evidence.unpriced == ("dear",)
    assert evidence.data_as_of == view.observed_until
    assert len(evidence.points) == 48
    assert [point.complete for point in evidence.points[-2:]] == [True, False]
    assert evidence.points[-1].hour == view.complete_until
    assert told.keep_firing_for == RULE.keep_firing_for
    assert (told.value, told.expected, told.limit) == (
        evidence.per_hour,
        evidence.normal_per_hour,
        evidence.upper_per_hour,
    )


def test_rules_judge_the_scopes_they_name() -> None:
    cost = with_extra(STEADY, TUESDAY_NOON, 8, 600.0)
    view = view_of(LEAVES, cost, TUESDAY_NOON + 3)
    for per, parts in (
        ((), {}),
        (("workspace",), {"workspace": "workspace-1"}),
        (("api_key", "model"), {"api_key": "key-1", "model": "claude"}),
        (("model",), {"model": "claude"}),
    ):
        rule = AnomalyRule("wide", per=per)  # type: ignore[arg-type]
        told = [
            v for v in anomaly.judge(rule, view, Names(), frozenset(), view.observed_until) if isinstance(v, Breach)
        ]
        assert [verdict.subject.scope.parts() for verdict in told] == [parts]


def test_a_selector_leaves_the_rest_unjudged_and_unexplained_cost_is_never_judged() -> None:
    leaves = (Leaf("workspace-1", CONSOLE, "claude"), Leaf("workspace-1", UNATTRIBUTED, "claude"), *LEAVES[2:])
    view = view_of(leaves, CALM, TUESDAY_NOON)
    assert set(judged(view)) == {CONSOLE, *(leaf.api_key for leaf in LEAVES[2:])}
    chosen = AnomalyRule("some", select=Selector(workspace="workspace-1"))
    assert set(judged(view, rule=chosen)) == {CONSOLE, *(f"key-{key}" for key in range(6, 40, 5))}


def test_what_is_not_known_yet_changes_nothing() -> None:
    """Causality: hours after the newest one cannot move a verdict, and neither can the rest of the open hour."""
    cost = with_extra(STEADY, TUESDAY_NOON, 100, 60.0)
    future = cost.copy()
    future[:, TUESDAY_NOON + 2 :] *= 7
    assert judged(view_of(LEAVES, cost, TUESDAY_NOON + 2)) == judged(view_of(LEAVES, future, TUESDAY_NOON + 2))


def test_an_empty_view_has_no_verdicts() -> None:
    assert anomaly.judge(RULE, view_of((), CALM[:0], 0), Names(), frozenset(), MONDAY) == []


def test_days_before_anything_is_known_change_no_verdict() -> None:
    days = 21
    cost = with_extra(STEADY, TUESDAY_NOON, 8, 600.0)[:, (64 - days) * 24 :]
    view = replace(view_of(LEAVES, cost, days * 24 + 14), start=MONDAY + (64 - days) * 24 * HOUR)
    view = replace(view, complete_until=view.start + view.hours * HOUR, observed_until=view.start + view.hours * HOUR)
    empty = np.zeros((len(LEAVES), 35 * 24), dtype=np.int64)
    padded = replace(
        view,
        start=view.start - 35 * 24 * HOUR,
        cost=np.concatenate([empty, view.cost], axis=1),
        settled=np.concatenate([empty, view.settled], axis=1),
        known=np.concatenate([np.zeros(35 * 24, dtype=np.bool_), view.known]),
    )
    assert judged(padded) == judged(view)
    assert set(breaches(view)) == {f"key-{STEADY}"}


@pytest.mark.parametrize("hours", [3, 6, 12, 24, 48])
@pytest.mark.parametrize("key", [1, 4, 5, 9])
def test_a_runaway_that_has_ended_is_over_by_its_third_calm_hour_and_stays_over(key: int, hours: int) -> None:
    over = 61 * 24 + 15 + hours
    view = view_of(LEAVES, with_extra(key, over - hours, hours, max(20 * usual(key), 8.0)), over + 30)
    told = anomaly.read(RULE, view, cut(RULE, view, Names()))
    material = told.reading.material[over - told.begin :, told.subjects.first + key]
    assert not (material[2:] >= anomaly.CALM).any()


def test_spend_that_has_risen_fivefold_stays_in_breach_through_the_night() -> None:
    begin = 63 * 24 + 9
    cost = CALM.copy()
    cost[STEADY, begin:] *= 5
    firing = frozenset({breaches(view_of(LEAVES, cost, begin + 8))["key-1"].subject.fingerprint})
    for hour in range(12, 48, 3):
        assert set(breaches(view_of(LEAVES, cost, begin + hour), firing)) == {"key-1"}, f"{hour} hours after"


@pytest.mark.parametrize("factor", [3, 10, 40, 200])
def test_an_adopted_level_leaves_no_bound_that_hides_the_next_incident(factor: int) -> None:
    begin, days = 50 * 24 + 9, 6
    cost = CALM.copy()
    cost[STEADY, begin:] = cost[STEADY, begin:] * factor + 10 * DOLLAR
    again = begin + days * 24
    cost[STEADY, again:] *= 5
    view = view_of(LEAVES, cost, again + 3)
    told = anomaly.read(RULE, view, cut(RULE, view, Names()), keep=14 * 24)
    row, at = told.subjects.first + STEADY, begin - told.begin
    ratio = told.reading.upper[:, row] / told.reading.expected[:, row]
    before, after = ratio[at - 24 : at].mean(), ratio[at + (days - 1) * 24 : at + days * 24].mean()
    assert after < 1.6 * before
    assert set(breaches(view)) == {"key-1"}
