"""What is carried from one judgement to the next changes no verdict, and is learnt anew where it has to be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
import pytest

from rules import anomaly
from rules.carried import Carried
from rules.model import HOUR, UNATTRIBUTED, AnomalyRule, Breach, Leaf, Names, SpendView, Verdict
from rules.subjects import cut
from tests.rules.traffic import DOLLAR, MONDAY, Cost, organization, view_of

RULE = AnomalyRule("spikes", min_excess=DOLLAR)
LEAVES, CALM = organization(keys=8, days=13, seed=1)
MIDNIGHT = 9 * 24
STEADY = 1


def burning() -> Cost:
    """The steady key burns from the afternoon of the tenth day on, for a day and a half."""
    cost = CALM.copy()
    cost[STEADY, MIDNIGHT + 14 : MIDNIGHT + 50] += 9 * DOLLAR
    return cost


@dataclass
class Cycles:
    """Judgements that follow each other, each held against one that nothing was carried to."""

    rule: AnomalyRule = RULE
    names: Names = field(default_factory=Names)
    carried: Carried = field(default_factory=Carried)
    breaches: int = 0
    begins: list[int] = field(default_factory=list)
    """The first hour that each judgement had to look at: 0 where all was learnt anew."""

    def judge(self, view: SpendView) -> list[Verdict]:
        now = view.observed_until + timedelta(minutes=1)
        alone = anomaly.judge(self.rule, view, self.names, frozenset(), now)
        told = anomaly.judge(self.rule, view, self.names, frozenset(), now, carried=self.carried)
        assert told == alone
        self.breaches += sum(isinstance(verdict, Breach) for verdict in told)
        return told

    def learns_anew(self, view: SpendView) -> bool:
        """Whether a judgement of this view looks at the whole of it."""
        return self.carried.cut(self.rule, view, self.names).begin == 0


def test_hour_after_hour_and_poll_after_poll_the_verdicts_are_those_of_the_whole_history() -> None:
    cycles = Cycles()
    for hour in range(MIDNIGHT - 3, MIDNIGHT + 51):
        for part in (0.0, 0.7):
            cycles.judge(view_of(LEAVES, burning(), hour, part))
    assert cycles.breaches > 50


def test_the_history_is_looked_at_once_a_day() -> None:
    cycles = Cycles()
    anew = []
    for hour in range(MIDNIGHT - 2, MIDNIGHT + 50, 2):
        view = view_of(LEAVES, burning(), hour, 0.5)
        if cycles.learns_anew(view):
            anew.append(hour)
        cycles.judge(view)
    assert anew == [MIDNIGHT - 2, MIDNIGHT, MIDNIGHT + 24, MIDNIGHT + 48]


def test_two_rules_carry_each_their_own() -> None:
    carried = Carried()
    for hour in range(MIDNIGHT + 12, MIDNIGHT + 24):
        for rule in (RULE, AnomalyRule("workspaces", per=("workspace",)), AnomalyRule("all", per=())):
            view = view_of(LEAVES, burning(), hour, 0.5)
            alone = anomaly.judge(rule, view, Names(), frozenset(), view.observed_until)
            assert anomaly.judge(rule, view, Names(), frozenset(), view.observed_until, carried=carried) == alone


def more_at(hour: int) -> Cost:
    cost = burning()
    cost[STEADY + 2, hour] += 40 * DOLLAR
    return cost


def test_an_hour_of_today_that_is_restated_is_judged_anew_and_nothing_else_is_learnt() -> None:
    cycles, noon = Cycles(), MIDNIGHT + 12
    cycles.judge(view_of(LEAVES, burning(), noon, 0.5))
    restated = view_of(LEAVES, more_at(MIDNIGHT + 9), noon, 0.6)
    assert not cycles.learns_anew(restated)
    cycles.judge(restated)
    cycles.judge(view_of(LEAVES, burning(), noon + 1, 0.5))


def test_a_restatement_of_what_the_last_week_cost_does_not_wait() -> None:
    cycles, noon = Cycles(), MIDNIGHT + 12
    cycles.judge(view_of(LEAVES, burning(), noon))
    dearer = burning()
    dearer[:, :MIDNIGHT] = dearer[:, :MIDNIGHT] * 12 // 10
    view = view_of(LEAVES, dearer, noon)
    assert cycles.learns_anew(view)
    cycles.judge(view)


def test_a_small_restatement_of_an_earlier_day_takes_part_from_the_next_midnight() -> None:
    cycles, noon = Cycles(), MIDNIGHT + 12
    cycles.judge(view_of(LEAVES, burning(), noon))
    cents = burning()
    cents[STEADY, MIDNIGHT - 30] += DOLLAR // 100
    assert not cycles.learns_anew(view_of(LEAVES, cents, noon + 1))
    cycles.judge(view_of(LEAVES, cents, MIDNIGHT + 24))


def test_an_hour_of_an_earlier_day_that_was_missing_is_learnt_when_it_is_read() -> None:
    cycles, noon = Cycles(), MIDNIGHT + 12
    view = view_of(LEAVES, burning(), noon)
    holes = view.known.copy()
    holes[MIDNIGHT - 5] = False
    cycles.judge(replace(view, known=holes))
    assert cycles.learns_anew(view)
    cycles.judge(view)


def test_a_key_that_begins_today_joins_without_anything_being_learnt_anew() -> None:
    cycles, noon = Cycles(), MIDNIGHT + 12
    cycles.judge(view_of(LEAVES, burning(), noon))
    leaves = (*LEAVES, Leaf("workspace-new", "key-new", "claude"), Leaf("workspace-1", "key-late", "claude"))
    cost = np.vstack([burning(), np.zeros((2, CALM.shape[1]), dtype=np.int64)])
    cost[-2, noon:] = 3 * DOLLAR
    cost[-1, noon - 2 :] = 2 * DOLLAR
    first = view_of(leaves, cost, noon, 0.4)
    assert not cycles.learns_anew(first)
    for hour in range(noon, noon + 5):
        assert len(cycles.judge(view_of(leaves, cost, hour, 0.4))) == len(LEAVES) + 2
    assert cycles.breaches > 0


def test_a_known_key_that_uses_a_new_model_stays_what_it_was() -> None:
    cycles, noon = Cycles(), MIDNIGHT + 12
    cycles.judge(view_of(LEAVES, burning(), noon))
    leaves = (*LEAVES, replace(LEAVES[STEADY], model="opus"))
    cost = np.vstack([burning(), np.zeros((1, CALM.shape[1]), dtype=np.int64)])
    cost[-1, noon:] = 30 * DOLLAR
    view = view_of(leaves, cost, noon + 2, 0.4)
    assert not cycles.learns_anew(view)
    cycles.judge(view)


def test_a_key_that_is_used_in_another_workspace_too_borrows_as_if_all_had_been_learnt() -> None:
    cycles, noon = Cycles(), MIDNIGHT + 12
    cycles.judge(view_of(LEAVES, burning(), noon))
    leaves = (replace(LEAVES[STEADY], workspace="workspace-4"), *LEAVES)
    cost = np.vstack([np.zeros((1, CALM.shape[1]), dtype=np.int64), burning()])
    cost[0, noon:] = 30 * DOLLAR
    for hour in range(noon + 1, noon + 4):
        cycles.judge(view_of(leaves, cost, hour, 0.4))
    assert cycles.breaches > 0


def test_what_a_new_key_spent_and_did_not_after_all_leaves_nothing_behind() -> None:
    cycles, noon = Cycles(), MIDNIGHT + 12
    leaves = (*LEAVES, Leaf("workspace-1", "key-late", "claude"))
    cost = np.vstack([burning(), np.zeros((1, CALM.shape[1]), dtype=np.int64)])
    spent = cost.copy()
    spent[-1, noon] = 2 * DOLLAR
    told = [len(cycles.judge(view_of(leaves, each, noon, 0.4))) for each in (cost, spent, cost)]
    assert told == [len(LEAVES), len(LEAVES) + 1, len(LEAVES)]


def test_a_key_that_comes_with_a_past_is_learnt() -> None:
    cycles, noon = Cycles(), MIDNIGHT + 12
    cycles.judge(view_of(LEAVES[:-1], burning()[:-1], noon))
    view = view_of(LEAVES, burning(), noon)
    assert cycles.learns_anew(view)
    cycles.judge(view)


def test_keys_that_change_hands_take_their_past_along() -> None:
    noon = MIDNIGHT + 12
    names = Names(user_of_key={f"key-{place}": f"user-{place % 3}" for place in range(8)})
    cycles = Cycles(AnomalyRule("people", per=("user",)), names)
    cycles.judge(view_of(LEAVES, burning(), noon))
    cycles.names = replace(names, user_of_key={**names.user_of_key, "key-1": "user-0"})
    view = view_of(LEAVES, burning(), noon)
    assert cycles.learns_anew(view)
    cycles.judge(view)
    cycles.names = replace(cycles.names, by_id={"key-1": "renamed"})
    assert not cycles.learns_anew(view)
    cycles.judge(view)


def test_a_row_that_had_never_cost_anything_wakes() -> None:
    noon = MIDNIGHT + 12
    leaves = (Leaf("workspace-0", "asleep", "claude"), Leaf("workspace-0", UNATTRIBUTED, "claude"), *LEAVES)
    cost = np.vstack([np.zeros((2, CALM.shape[1]), dtype=np.int64), burning()])
    cost[1] = DOLLAR
    cost[0, noon + 1 :] = 20 * DOLLAR
    cycles = Cycles()
    counts = [len(cycles.judge(view_of(leaves, cost, noon + hour, 0.5))) for hour in range(4)]
    assert counts == [8, 9, 9, 9]


def test_when_the_newest_hours_turn_out_unknown_the_day_is_begun_anew() -> None:
    cycles, noon = Cycles(), MIDNIGHT + 12
    cycles.judge(view_of(LEAVES, burning(), noon + 4))
    stalled = replace(view_of(LEAVES, burning(), noon + 4), complete_until=MONDAY + noon * HOUR)
    assert not cycles.learns_anew(stalled)
    cycles.judge(stalled)
    cycles.judge(replace(stalled, complete_until=MONDAY + (MIDNIGHT - 2) * HOUR))
    cycles.judge(view_of(LEAVES, burning(), noon + 5))


def test_the_view_moves_on_at_midnight_before_the_day_is_complete() -> None:
    cycles = Cycles()
    cost = burning()
    for hour, drop in ((MIDNIGHT + 22, 0), (MIDNIGHT + 23, 0), (MIDNIGHT + 23, 24), (MIDNIGHT + 24, 24)):
        view = view_of(LEAVES, cost, hour, 0.9)
        view = replace(
            view,
            start=view.start + drop * HOUR,
            cost=view.cost[:, drop:],
            settled=view.settled[:, drop:],
            known=view.known[drop:],
        )
        cycles.judge(view)


def test_what_is_planned_or_confirmed_is_carried_too() -> None:
    carried, cost = Carried(), burning()
    for hour in range(MIDNIGHT + 12, MIDNIGHT + 44):
        view = view_of(LEAVES, cost, hour, 0.5)
        marks = "a launch and an incident"

        def marked(subjects: anomaly.Subjects) -> anomaly.Subjects:
            at = subjects.begin + np.arange(len(subjects.dollars))
            factor, untaught = np.ones_like(subjects.dollars), np.zeros(subjects.dollars.shape, dtype=np.bool_)
            factor[(at >= MIDNIGHT + 13) & (at < MIDNIGHT + 30), subjects.first + STEADY] = 3.0
            untaught[at >= MIDNIGHT + 20, subjects.first + STEADY + 1] = True
            return replace(subjects, factor=factor, untaught=untaught)

        alone = anomaly.read(RULE, view, marked(cut(RULE, view, Names())))
        told = carried.read(RULE, view, marked(carried.cut(RULE, view, Names(), marks)))
        assert (told.begin, told.complete) == (alone.begin, alone.complete)
        for mine, theirs in zip(told.reading, alone.reading, strict=True):
            assert np.array_equal(mine, theirs)
    assert carried.cut(RULE, view, Names(), "another").begin == 0


def test_a_plan_for_today_that_changes_is_followed_at_once() -> None:
    carried, at = Carried(), MIDNIGHT + 12
    cost = burning()
    cost[STEADY, MIDNIGHT:] = 0
    for times in (1.0, 3.0, None, 2.0):
        view = view_of(LEAVES, cost, at, 0.5)
        told = [carried.cut(RULE, view, Names()), cut(RULE, view, Names())]
        if times is not None:
            told = [replace(each, factor=np.full(each.dollars.shape, 1.0)) for each in told]
            for each in told:
                assert each.factor is not None
                each.factor[MIDNIGHT - each.begin :, each.first + STEADY] = times
        mine, theirs = carried.read(RULE, view, told[0]), anomaly.read(RULE, view, told[1])
        assert all(np.array_equal(own, other) for own, other in zip(mine.reading, theirs.reading, strict=True))


def test_a_rule_that_changes_is_learnt_anew() -> None:
    cycles, noon = Cycles(), MIDNIGHT + 12
    view = view_of(LEAVES, burning(), noon)
    cycles.judge(view)
    cycles.rule = replace(RULE, min_excess=3 * DOLLAR)
    assert cycles.learns_anew(view)
    cycles.judge(view)
    assert not cycles.learns_anew(view)


@pytest.mark.parametrize("days", [0, 1, 3])
def test_an_organization_with_hardly_any_past_is_judged_the_same(days: int) -> None:
    cycles = Cycles()
    cost = burning()
    for hour in range(24 * days + 1, 24 * days + 40, 3):
        cycles.judge(view_of(LEAVES, cost, hour, 0.5))


def test_without_the_daily_refresh_a_history_that_does_not_change_is_judged_the_same() -> None:
    """As long as nothing is older than what the baseline is fitted on."""
    carried = Carried(refit_daily=False)
    begins = []
    for hour in range(MIDNIGHT - 3, MIDNIGHT + 51):
        view = view_of(LEAVES, burning(), hour)
        begins.append(carried.cut(RULE, view, Names()).begin)
        alone = anomaly.judge(RULE, view, Names(), frozenset(), view.observed_until)
        assert anomaly.judge(RULE, view, Names(), frozenset(), view.observed_until, carried=carried) == alone
    assert 0 not in begins[4:], "a day that is over is learnt on top"


def test_without_the_daily_refresh_a_restatement_of_what_was_learnt_is_still_followed() -> None:
    carried, cost = Carried(refit_daily=False), burning()
    for hour in range(MIDNIGHT + 20, MIDNIGHT + 24):
        view = view_of(LEAVES, cost, hour)
        anomaly.judge(RULE, view, Names(), frozenset(), view.observed_until, carried=carried)
    cost[:, MIDNIGHT - 48 : MIDNIGHT] *= 2
    view = view_of(LEAVES, cost, MIDNIGHT + 24)
    assert carried.cut(RULE, view, Names()).begin == 0
