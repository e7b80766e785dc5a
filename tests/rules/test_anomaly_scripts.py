"""Scripts of a small organization: at this hour this usage; then this notification, and nothing else.

Everything goes through `decide`, poll by poll, as the daemon does it: a judgement every `EVERY` minutes, of data that
end where the poll was made. Each test says what is used beside calm weather, and lists what is told and when.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
import pytest

from rules import anomaly
from rules.configured import AnomalyTuning
from rules.judgement import Past, Rules, decide
from rules.lifecycle import applied
from rules.model import (
    HOUR,
    Alert,
    AnomalyEvidence,
    AnomalyRule,
    Leaf,
    Names,
    Reason,
    Route,
    SilenceEvidence,
    Snapshot,
    SpendView,
    State,
    UnitPriceEvidence,
)
from rules.price_fit import TOKENS
from rules.subjects import cut
from tests.rules.traffic import DOLLAR, MONDAY, Cost, organization, view_of

DAYS = 26
LEAVES, CALM = organization(keys=9, days=DAYS, seed=5)
EVERY = 15
OFFICE, STEADY = 0, 5
NOON = 16 * 24 + 12
"""A Wednesday."""


def steady(seed: int, dollars: float) -> Cost:
    """A key that never sleeps: requests of five cents all day, fewer at night; so many dollars an hour on average."""
    hours = np.arange(DAYS * 24)
    wave = 1.0 + 0.5 * np.cos((hours - 15) / 24 * 2 * np.pi)
    requests = np.random.default_rng(seed).poisson(dollars / 0.05 * wave)
    result: Cost = np.round(requests * 0.05 * DOLLAR).astype(np.int64)
    return result


CALM[STEADY] = steady(1, 3.0)
NAMES = Names(workspace_of_key={leaf.api_key: leaf.workspace for leaf in LEAVES})
PER_MILLION = 25.0
"""Dollars for a million output tokens, in calm weather."""
RULE = AnomalyRule("spend")


def tokens_of(cost: Cost) -> Cost:
    """Output tokens at one price, give or take a tenth in each hour."""
    random = np.random.default_rng(7)
    spread = np.maximum(1.0 + random.normal(0, 0.1, cost.shape), 0.3)
    result: Cost = np.round(cost / DOLLAR / PER_MILLION * 1e6 * spread).astype(np.int64)
    return result


@dataclass
class Play:
    """An organization whose usage is known ahead, watched poll by poll."""

    cost: Cost
    rule: AnomalyRule = RULE
    leaves: tuple[Leaf, ...] = LEAVES
    tokens: Cost | None = None
    off: frozenset[str] = frozenset()
    beside: tuple[AnomalyRule, ...] = ()
    alerts: tuple[Alert, ...] = ()
    remembered: str = ""
    told: list[tuple[str, str]] = field(default_factory=list)
    """(when, what): minutes from the beginning as "+1:15", and a word for what."""
    known: list[Alert] = field(default_factory=list)

    def run(self, begin: int, hours: float, *, every: int = EVERY) -> list[tuple[str, str]]:
        """Poll from the hour `begin` on for so many hours; all that was told."""
        for minutes in range(0, int(hours * 60) + 1, every):
            self.poll(begin, minutes)
        return self.told

    def poll(self, begin: int, minutes: int) -> None:
        complete, part = begin + minutes // 60, minutes % 60 / 60
        tokens = tokens_of(self.cost) if self.tokens is None else self.tokens
        view, counted = (view_of(self.leaves, each, complete, part) for each in (self.cost, tokens))
        now = MONDAY + complete * HOUR + timedelta(minutes=minutes % 60 + 1)
        snapshot = Snapshot("org", "Org", view, NAMES, counted={TOKENS: counted}, off=self.off)
        rules = Rules(anomalies=(self.rule, *self.beside), routes=(Route("ops"),))
        decision = decide(snapshot, rules, Past(self.alerts, self.remembered or "{}"), now)
        self.remembered = decision.remember
        for notification in decision.notifications:
            over = "over: " if notification.reason is Reason.RESOLVED else ""
            names = sorted(over + word_of(alert) for alert in notification.alerts)
            self.told += [(f"+{minutes // 60}:{minutes % 60:02}", name) for name in names]
            self.known += notification.alerts
        open_now = (alert for alert in applied(self.alerts, decision.alerts) if alert.state is not State.RESOLVED)
        self.alerts = tuple(open_now)


def word_of(alert: Alert) -> str:
    scope, evidence = alert.subject.scope, alert.evidence
    what = "price " if isinstance(evidence, UnitPriceEvidence) else ""
    what = "silence " if isinstance(evidence, SilenceEvidence) else what
    dearer = " with its price" if isinstance(evidence, AnomalyEvidence) and evidence.price is not None else ""
    return f"{what}{scope.api_key or scope.workspace or 'organization'}{dearer}"


def calm() -> Cost:
    return CALM.copy()


def raised(key: int, begin: int, hours: int, *, dollars: float = 0.0, times: float = 1.0) -> Cost:
    cost = calm()
    part = cost[key, begin : begin + hours]
    cost[key, begin : begin + hours] = np.round(part * times + dollars * DOLLAR).astype(np.int64)
    return cost


def dear(key: int, begin: int, hours: int, times: float, level: float = 20.0) -> tuple[Cost, Cost]:
    """(cost, tokens) of a key that always spends `level` times as much, whose tokens become dearer for some hours."""
    cost = calm()
    cost[key] = np.round(cost[key] * level)
    tokens = tokens_of(cost)
    cost[key, begin : begin + hours] = np.round(cost[key, begin : begin + hours] * times).astype(np.int64)
    return cost, tokens


# ---------------------------------------------------------------------------------------------- what a token costs


def test_calm_weather_is_silent_for_a_day_of_polls() -> None:
    assert Play(calm(), rule=BOTH).run(NOON, 24, every=180) == []


def test_a_cache_that_no_longer_hits_is_told_once_and_so_is_its_end() -> None:
    cost, tokens = dear(STEADY, NOON, 12, times=1.7)
    told = Play(cost, tokens=tokens).run(NOON, 20, every=60)
    assert [what for _, what in told] == ["price key-5", "over: price key-5"]
    first, last = (float(when[1:].replace(":", ".")) for when, _ in told)
    assert first <= 4, "within four hours of the shift"
    assert last <= 18, "within six hours of its end"


def test_the_evidence_of_a_dearer_token_has_both_prices_and_what_they_cost() -> None:
    cost, tokens = dear(STEADY, NOON, 12, times=2.0)
    play = Play(cost, tokens=tokens)
    play.run(NOON + 5, 0)
    evidence = play.known[0].evidence
    assert isinstance(evidence, UnitPriceEvidence)
    assert evidence.shift.before == pytest.approx(PER_MILLION * DOLLAR, rel=0.1)
    assert evidence.shift.now == pytest.approx(2 * PER_MILLION * DOLLAR, rel=0.15)
    assert evidence.since == MONDAY + NOON * HOUR
    assert evidence.excess == pytest.approx(evidence.observed / 2, rel=0.1)
    assert 0 < evidence.per_hour < evidence.observed
    assert evidence.odds is not None
    assert 0 < evidence.odds.a_year < 1


def test_a_price_stays_in_breach_while_its_key_sleeps_and_is_over_after_a_day_without_tokens() -> None:
    cost, tokens = dear(STEADY, NOON, 8, times=1.7)
    cost[STEADY, NOON + 8 :], tokens[STEADY, NOON + 8 :] = 0, 0
    play = Play(cost, tokens=tokens)
    for hours in (6, 8, 12, 20, 31):
        play.poll(NOON, hours * 60)
    assert [what for _, what in play.told] == ["price key-5"]
    for hours in (33, 36):
        play.poll(NOON, hours * 60)
    assert [what for _, what in play.told] == ["price key-5", "over: price key-5"]
    last = play.known[-1].evidence
    assert isinstance(last, UnitPriceEvidence)
    assert last.after is None


def test_a_shift_that_costs_less_than_the_floor_is_not_told() -> None:
    cost, tokens = dear(STEADY, NOON, 24, times=3.0, level=0.2)
    assert Play(cost, tokens=tokens).run(NOON, 12, every=180) == []


def test_prices_are_left_alone_where_the_rule_says_so_and_what_fires_of_them_ends_without_a_word() -> None:
    cost, tokens = dear(STEADY, NOON, 12, times=1.7)
    play = Play(cost, tokens=tokens)
    assert [what for _, what in play.run(NOON + 5, 0)] == ["price key-5"]
    play.rule = replace(RULE, unit_price=False)
    assert [what for _, what in play.run(NOON + 6, 2)] == ["price key-5"]
    assert play.alerts == ()


def test_spend_and_price_of_one_key_that_begin_together_are_one_message() -> None:
    cost, tokens = dear(STEADY, NOON, 12, times=12.0)
    play = Play(cost, tokens=tokens)
    told = play.run(NOON + 4, 1)
    assert [what for _, what in told] == ["key-5 with its price"]
    assert sorted(word_of(alert) for alert in play.alerts) == ["key-5 with its price", "price key-5"]


def test_spend_that_a_price_has_explained_already_is_not_told_again() -> None:
    cost, tokens = dear(STEADY, NOON, 8, times=1.7)
    cost[STEADY, NOON + 8 : NOON + 16] = np.round(cost[STEADY, NOON + 8 : NOON + 16] * 12.0)
    told = Play(cost, tokens=tokens).run(NOON + 4, 10, every=60)
    assert [what for _, what in told] == ["price key-5"]


def test_ten_times_as_many_requests_are_no_matter_of_price() -> None:
    told = Play(raised(STEADY, NOON, 12, times=10.0)).run(NOON, 6, every=60)
    assert [what for _, what in told] == ["key-5"]


# ---------------------------------------------------------------------------------------------- silence


BOTH = replace(RULE, direction="both")


def silent(key: int, begin: int, hours: int, level: float = 8.0) -> Cost:
    cost = calm()
    cost[key] = np.round(cost[key] * level)
    cost[key, begin : begin + hours] = 0
    return cost


def test_a_key_that_never_sleeps_and_falls_silent_is_told_and_told_again_when_it_is_back() -> None:
    told = Play(silent(STEADY, NOON, 9), rule=BOTH).run(NOON, 14, every=60)
    assert [what for _, what in told] == ["silence key-5", "over: silence key-5"]
    assert told[0][0] in {"+4:00", "+5:00", "+6:00"}
    assert told[1][0] == "+12:00", "two hours after the first complete hour with spend"


def test_a_key_that_spends_for_one_hour_and_falls_silent_again_is_said_to_be_back() -> None:
    cost = silent(STEADY, NOON, 24)
    cost[STEADY, NOON + 8] = 9 * DOLLAR
    play = Play(cost, rule=BOTH)
    for hours in (7, 9, 11):
        play.poll(NOON, hours * 60)
    assert [what for _, what in play.told] == ["silence key-5", "over: silence key-5"]
    last = play.known[-1].evidence
    assert isinstance(last, SilenceEvidence)
    assert last.after_per_hour == 9 * DOLLAR


def test_the_evidence_of_a_silence_says_how_long_and_what_usually_comes() -> None:
    play = Play(silent(STEADY, NOON, 9), rule=BOTH)
    play.run(NOON + 6, 0)
    evidence = play.known[0].evidence
    assert isinstance(evidence, SilenceEvidence)
    assert (evidence.hours, evidence.since) == (6, MONDAY + NOON * HOUR)
    usual = 8 * CALM[STEADY, NOON : NOON + 6].mean()
    assert evidence.normal_per_hour == pytest.approx(float(usual), rel=0.2)
    assert evidence.longest == 0
    assert play.known[0].severity == "warning"


@pytest.mark.parametrize("rule", [RULE, replace(BOTH, min_excess=10**6 * DOLLAR)], ids=["up", "floor"])
def test_silence_is_not_told_where_nobody_asks_or_too_little_is_missing(rule: AnomalyRule) -> None:
    assert Play(silent(STEADY, NOON, 24), rule=rule).run(NOON + 4, 12, every=240) == []


def test_a_key_that_is_switched_off_may_be_silent() -> None:
    play = Play(silent(STEADY, NOON, 24), rule=BOTH, off=frozenset({"key-5"}))
    assert play.run(NOON + 4, 8, every=240) == []


def test_keys_that_sleep_at_night_and_weekends_are_not_told() -> None:
    cost = calm()
    hours = np.arange(cost.shape[1])
    asleep = (hours % 24 < 7) | (hours % 24 > 19) | (hours // 24 % 7 > 4)
    cost[STEADY] = np.where(asleep, 0, cost[STEADY] * 20)
    assert Play(cost, rule=BOTH).run(19 * 24 + 3, 2.5 * 24, every=360) == []


def test_an_organization_that_falls_silent_as_a_whole_is_the_source_s_story() -> None:
    cost = calm() * 20
    cost[:, NOON:] = 0
    told = Play(cost, rule=BOTH).run(NOON + 1, 30, every=180)
    assert not [what for _, what in told if what.startswith("silence")]


def test_a_workspace_that_is_silent_because_its_key_is_has_no_story_of_its_own() -> None:
    cost = silent(STEADY, NOON, 12)
    cost[OFFICE] = 0
    workspaces = replace(BOTH, name="workspaces", per=("workspace",))
    play = Play(cost, rule=BOTH, beside=(workspaces,))
    told = play.run(NOON + 5, 2, every=60)
    assert [what for _, what in told] == ["silence key-5"]
    assert sorted(word_of(alert) for alert in play.alerts) == ["silence key-5", "silence workspace-0"]


def test_hours_that_were_never_read_prove_no_silence() -> None:
    view = view_of(LEAVES, silent(STEADY, NOON, 24), NOON + 8)
    known = view.known.copy()
    known[NOON:] = False
    told = decided(replace(view, known=known), BOTH)
    assert not told


def test_a_silence_of_four_days_counts_as_normal_and_says_so() -> None:
    play = Play(silent(STEADY, NOON, 200), rule=BOTH)
    for hours in (6, 48, 95, 97, 100):
        play.poll(NOON, hours * 60)
    told = play.told
    assert [what for _, what in told] == ["silence key-5", "over: silence key-5"]
    last = play.known[-1].evidence
    assert isinstance(last, SilenceEvidence)
    assert last.after_per_hour == 0


def test_a_rule_that_looks_down_alone_says_nothing_of_too_much() -> None:
    down = replace(RULE, direction="down")
    assert Play(raised(STEADY, NOON, 12, dollars=600.0), rule=down).run(NOON, 6, every=60) == []


def decided(view: SpendView, rule: AnomalyRule) -> list[str]:
    snapshot = Snapshot("org", "Org", view, Names())
    rules = Rules(anomalies=(rule,), routes=(Route("ops"),))
    moment = view.observed_until + timedelta(minutes=1)
    decision = decide(snapshot, rules, Past((), "{}"), moment)
    return [word_of(alert) for each in decision.notifications for alert in each.alerts if alert.subject.rule == "spend"]


# ---------------------------------------------------------------------------------------------- the open hour


RUNAWAYS = [
    pytest.param(key, rate, start, id=f"key {key}, ${rate:.0f} an hour, {name}")
    for key in (OFFICE, STEADY)
    for rate in (25.0, 40.0, 600.0)
    for start, name in ((NOON, "noon"), (NOON + 14, "night"))
]


@pytest.mark.parametrize(("key", "rate", "start"), RUNAWAYS)
def test_a_runaway_is_told_within_two_polls_of_passing_bound_and_floor(key: int, rate: float, start: int) -> None:
    cost = raised(key, start, 6, dollars=rate)
    passed = passes(cost, key, start)
    play = Play(cost)
    for minutes in (passed, passed + 10):
        play.poll(start, minutes)
    assert [what for _, what in play.told] == [f"key-{key}"]


@pytest.mark.slow
@pytest.mark.parametrize(("key", "rate", "start"), RUNAWAYS)
def test_minute_by_minute_too(key: int, rate: float, start: int) -> None:
    cost = raised(key, start, 6, dollars=rate)
    told = Play(cost).run(start, 2.5, every=5)
    assert [what for _, what in told] == [f"key-{key}"]
    assert minutes_of(told[0][0]) <= passes(cost, key, start) + 10


def passes(cost: Cost, key: int, start: int) -> int:
    """The minute of the first poll in which an hour alone is beyond its bound and five floors; in the second hour it is
    enough if both together are beyond two floors, and this one half-way to its bound."""
    view = view_of(LEAVES, CALM, start + 2)
    read = anomaly.read(RULE, view, cut(RULE, view, Names())).reading
    row = -len(LEAVES) + [leaf.api_key for leaf in LEAVES].index(f"key-{key}")
    for minutes in range(0, 120, 5):
        later, part = minutes // 60, minutes % 60 / 60
        expected, upper = float(read.expected[later - 2, row]), float(read.upper[later - 2, row])
        seen = float(cost[key, start + later]) / DOLLAR * part
        before = float(cost[key, start]) / DOLLAR - expected
        if seen >= upper and seen - expected >= 25.0:
            return minutes
        if later and before + seen - expected >= 10.0 and seen - expected >= 0.5 * (upper - expected):
            return minutes
    raise AssertionError("never passes")


def minutes_of(when: str) -> int:
    hours, minutes = when[1:].split(":")
    return 60 * int(hours) + int(minutes)


def test_a_dear_even_key_that_spends_six_times_as_much_is_told_before_it_has_passed_the_bound_of_its_whole_hour() -> (
    None
):
    cost = calm()
    random = np.random.default_rng(3)
    cost[STEADY] = np.round(200 * DOLLAR * (1.0 + random.normal(0, 0.03, cost.shape[1])))
    cost[STEADY, NOON:] *= 6
    told = Play(cost).run(NOON, 0.75, every=5)
    assert [what for _, what in told] == ["key-5"]
    assert minutes_of(told[0][0]) <= 35, "its whole hour's bound is passed after 41 minutes"


def test_an_even_key_that_sends_its_hour_in_the_first_minutes_is_not_told() -> None:
    cost = calm()
    random = np.random.default_rng(3)
    cost[STEADY] = np.round(200 * DOLLAR * (1.0 + random.normal(0, 0.03, cost.shape[1])))
    for part in (0.05, 0.2, 0.3, 0.5, 0.9):
        view = view_of(LEAVES, cost, NOON)
        whole = np.column_stack([view.cost, cost[:, NOON]])
        early = replace(
            view_of(LEAVES, cost, NOON, part=part), cost=whole, observed_until=view.complete_until + part * HOUR
        )
        assert decided(early, RULE) == []


def test_a_hold_is_waited_for_by_the_clock_and_told_at_its_end() -> None:
    held = replace(RULE, hold_for=timedelta(minutes=30))
    cost = raised(STEADY, NOON, 6, dollars=600.0)
    at_once, later = Play(cost).run(NOON, 1, every=15), Play(cost, rule=held).run(NOON, 1, every=15)
    assert minutes_of(later[0][0]) - minutes_of(at_once[0][0]) == 30


@pytest.mark.parametrize("spent", [0.0, 0.3, 1.0, 30.0])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.98])
def test_the_open_hour_never_ends_anything(spent: float, part: float) -> None:
    cost, tokens = dear(STEADY, NOON, 5, times=12.0)
    cost[STEADY, NOON + 5] = round(cost[STEADY, NOON + 5] * spent)
    tokens[STEADY, NOON + 5] = round(tokens[STEADY, NOON + 5] * spent)
    play = Play(cost, tokens=tokens)
    play.poll(NOON + 5, 0)
    before = {alert.id: alert.state for alert in play.alerts}
    play.poll(NOON + 5, round(60 * part))
    assert len(before) == 2
    assert {alert.id: alert.state for alert in play.alerts} == before
    assert all(alert.clear_since is None for alert in play.alerts)


# ---------------------------------------------------------------------------------------------- new keys


def with_new_key(dollars: float, of_others: float, begin: int) -> tuple[tuple[Leaf, ...], Cost]:
    """Eight keys that spend so much an hour, and one that begins with so much."""
    cost = np.stack([steady(seed, of_others) for seed in range(8)] + [steady(8, dollars)])
    cost[-1, :begin] = 0
    return tuple(Leaf("workspace-0", f"key-{place}", "claude") for place in range(9)), cost


def test_a_new_key_that_spends_hundreds_is_told_in_its_first_hour() -> None:
    leaves, cost = with_new_key(300.0, 2.0, NOON)
    told = Play(cost, leaves=leaves).run(NOON, 0.5, every=10)
    assert [what for _, what in told] == ["key-8"]
    assert minutes_of(told[0][0]) <= 20


@pytest.mark.parametrize("dollars", [2.0, 40.0])
def test_a_new_key_at_the_usual_level_is_not_told_in_its_first_days(dollars: float) -> None:
    leaves, cost = with_new_key(dollars, dollars, NOON)
    play = Play(cost, leaves=leaves)
    assert play.run(NOON, 3, every=30) == []
    assert play.run(NOON + 6, 4 * 24, every=16 * 60) == []


# ---------------------------------------------------------------------------------------------- spikes, sensitivity


def test_a_spike_of_one_hour_is_told_only_if_it_is_dear() -> None:
    assert Play(raised(STEADY, NOON, 1, dollars=18.0)).run(NOON, 8, every=60) == []
    told = Play(raised(STEADY, NOON, 1, dollars=300.0)).run(NOON, 8, every=60)
    assert [what for _, what in told] == ["key-5", "over: key-5"]


def test_what_counts_as_one_dear_hour_can_be_set() -> None:
    rule = replace(RULE, tuning=AnomalyTuning(one_hour=100.0))
    assert Play(raised(STEADY, NOON, 1, dollars=300.0), rule=rule).run(NOON, 8, every=60) == []


def test_how_odd_an_hour_must_be_by_itself_can_be_set() -> None:
    surge = raised(STEADY, NOON, 6, dollars=18.0)
    usual = Play(surge).run(NOON, 6, every=60)
    hotter = Play(surge, rule=replace(RULE, tuning=AnomalyTuning(hot=10.0))).run(NOON, 6, every=60)
    assert [what for _, what in usual] == ["key-5"]
    assert hotter == []
