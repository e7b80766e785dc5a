"""The figures and the algebra of budgets; when they are told stands in test_budget_semantics.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import budgets, lifecycle
from rules.measures import SPEND, Measure
from rules.model import (
    CONSOLE,
    DEFAULT_WORKSPACE,
    DIMENSIONS,
    HOUR,
    UNATTRIBUTED,
    Alert,
    Breach,
    Budget,
    BudgetEvidence,
    EarlierSpend,
    Leaf,
    Names,
    NoData,
    Scope,
    Selector,
    Severity,
    SpendView,
    State,
    Verdict,
)
from rules.thresholds import Threshold, mark_text, mark_words, severity_of, threshold_amount
from tests.rules.timing import within

USD = 1_000_000_000
START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = START + timedelta(days=10, minutes=30)
LEAVES = (
    Leaf("wrkspc_1", "apikey_a", "opus"),
    Leaf("wrkspc_1", "apikey_a", "haiku"),
    Leaf("wrkspc_1", CONSOLE, "opus"),
    Leaf("wrkspc_2", "apikey_b", "opus"),
)
NAMES = Names({"apikey_a": "ci-runner", "wrkspc_1": "prod"})
BUDGET = Budget("spend", "month", "UTC", 100 * USD, (50.0, 80.0, 100.0))


def view_of(spend: dict[tuple[int, int], int], now: datetime = NOW, start: datetime = START) -> SpendView:
    """A view over LEAVES that holds `spend` dollars by (leaf, hours from the start)."""
    hours = (now - start) // HOUR + 1
    cost = np.zeros((len(LEAVES), hours), dtype=np.int64)
    for (leaf, hour), dollars in spend.items():
        cost[leaf, hour] = dollars * USD
    settled = cost.copy()
    settled[:, hours // 2 :] = 0
    known = np.ones(hours, dtype=np.bool_)
    return SpendView("org_1", start, LEAVES, cost, settled, known, now - timedelta(minutes=30), now)


def evidence_of(verdict: Verdict) -> BudgetEvidence:
    assert isinstance(verdict, Breach)
    assert isinstance(verdict.evidence, BudgetEvidence)
    return verdict.evidence


def test_a_breach_carries_the_figures_it_rests_on() -> None:
    view = view_of({(0, 5): 30, (1, 6): 15, (2, 130): 20, (3, 7): 10})
    (breach,) = budgets.judge(BUDGET, view, NAMES, NOW)
    assert isinstance(breach, Breach)
    assert breach.subject.scope == Scope("org_1")
    assert breach.subject.instance == "2026-11-01T00:00:00Z/50"
    assert breach.starts_at == START + 7 * HOUR
    assert (breach.value, breach.limit, breach.expected) == (75 * USD, 100 * USD, None)
    assert breach.closes_at == datetime(2026, 12, 1, tzinfo=UTC)
    evidence = evidence_of(breach)
    assert (evidence.spent, evidence.settled, evidence.period) == (75 * USD, 55 * USD, "November 2026")
    assert evidence.data_as_of == NOW
    assert [(share.name, share.cost) for share in evidence.top] == [
        ("ci-runner", 45 * USD),
        ("Console", 20 * USD),
        ("apikey_b", 10 * USD),
    ]


def test_each_threshold_starts_in_the_hour_in_which_the_sum_crossed_it() -> None:
    verdicts = budgets.judge(BUDGET, view_of({(0, 5): 50, (0, 9): 30, (3, 20): 40}), NAMES, NOW)
    assert [(v.starts_at - START) // HOUR for v in verdicts if isinstance(v, Breach)] == [5, 9, 20]


def test_a_threshold_brings_its_amount_and_its_own_severity_into_the_breach() -> None:
    marks = (Threshold(percent=50.0, severity=Severity.CRITICAL), Threshold(amount=60 * USD), 90.0)
    found = budgets.judge(replace(BUDGET, thresholds=marks), view_of({(0, 5): 95}), NAMES, NOW)
    told = [(verdict.severity, verdict.subject.instance) for verdict in found if isinstance(verdict, Breach)]
    assert told == [
        (Severity.CRITICAL, "2026-11-01T00:00:00Z/50"),
        (Severity.INFO, "2026-11-01T00:00:00Z/$60"),
        (Severity.WARNING, "2026-11-01T00:00:00Z/90"),
    ]
    worth = [(evidence_of(each).threshold_percent, evidence_of(each).threshold_amount) for each in found]
    assert worth == [(50.0, None), (60.0, 60 * USD), (90.0, None)]


def test_a_key_names_its_models_and_a_key_on_one_model_nothing() -> None:
    view = view_of({(0, 5): 40, (1, 6): 60})
    of_key = budgets.judge(replace(BUDGET, per=("api_key",)), view, NAMES, NOW)
    assert [(share.dimension, share.id) for share in evidence_of(of_key[0]).top] == [
        ("model", "haiku"),
        ("model", "opus"),
    ]
    of_both = budgets.judge(replace(BUDGET, per=("api_key", "model")), view, NAMES, NOW)
    assert evidence_of(of_both[0]).top == ()


def test_models_without_a_price_are_named_where_they_were_used() -> None:
    view = replace(view_of({(0, 5): 60}), unpriced=frozenset({"opus", "haiku"}))
    assert evidence_of(budgets.judge(BUDGET, view, NAMES, NOW)[0]).unpriced == ("opus",)


@pytest.mark.parametrize(
    ("percent", "severity"),
    [
        (50, Severity.INFO),
        (79.9, Severity.INFO),
        (80, Severity.WARNING),
        (99, Severity.WARNING),
        (100, Severity.CRITICAL),
    ],
)
def test_severity_follows_the_threshold(percent: float, severity: Severity) -> None:
    assert severity_of(100 * USD, percent) is severity
    assert severity_of(200 * USD, Threshold(amount=round(percent * 2 * USD))) is severity
    assert severity_of(100 * USD, Threshold(percent=percent, severity=Severity.INFO)) is Severity.INFO


def test_a_limit_of_nothing_is_not_crossed_by_nothing() -> None:
    free = replace(BUDGET, limit=0)
    assert budgets.judge(free, view_of({}), NAMES, NOW) == []
    assert len(budgets.judge(free, view_of({(0, 1): 1}), NAMES, NOW)) == 3


def test_data_that_begin_after_the_period_are_no_data() -> None:
    late = START + timedelta(days=3)
    verdicts = budgets.judge(BUDGET, view_of({}, start=late), NAMES, NOW)
    assert [type(verdict) for verdict in verdicts] == [NoData]
    assert isinstance(verdicts[0], NoData)
    assert "reach back to 4 Nov, 00:00 UTC" in verdicts[0].why


def test_a_hole_is_no_data_and_the_hours_after_the_watermark_are_not_a_hole() -> None:
    view = view_of({})
    known = view.known.copy()
    known[[3, 4]] = False
    (verdict,) = budgets.judge(BUDGET, replace(view, known=known), NAMES, NOW)
    assert isinstance(verdict, NoData)
    assert verdict.why == "2 hours of November 2026 have never been read"
    known = view.known.copy()
    known[-1] = False
    assert budgets.judge(BUDGET, replace(view, known=known), NAMES, NOW) == []


def test_a_period_of_which_nothing_was_read_is_no_data() -> None:
    view = view_of({}, now=START + timedelta(days=1))
    stale = replace(view, observed_until=START - HOUR, complete_until=START - HOUR)
    (verdict,) = budgets.judge(BUDGET, stale, NAMES, START + timedelta(days=1))
    assert isinstance(verdict, NoData)


def test_a_selection_that_matches_nothing_says_nothing_and_still_has_its_line() -> None:
    nothing = replace(BUDGET, select=Selector(api_key="gone"))
    assert budgets.judge(nothing, view_of({(0, 5): 500}), NAMES, NOW) == []
    assert [line.spent for line in budgets.lines(nothing, view_of({(0, 5): 500}), NAMES, NOW)] == [0]


def test_lines_stand_for_every_scope_dearest_first() -> None:
    found = budgets.lines(replace(BUDGET, per=("api_key",)), view_of({(0, 5): 4, (3, 200): 9}), NAMES, NOW)
    assert [(line.label, line.spent, line.settled) for line in found] == [
        ("apikey_b", 9 * USD, 0),
        ("ci-runner", 4 * USD, 4 * USD),
        ("Console", 0, 0),
    ]
    assert (found[0].period, found[0].limit, found[0].scope) == (
        "November 2026",
        100 * USD,
        Scope("org_1", api_key="apikey_b"),
    )


def test_a_rolling_budget_has_one_line_of_the_hours_up_to_now() -> None:
    day = replace(BUDGET, period="rolling", window=timedelta(hours=24))
    hours = (NOW - START) // HOUR
    view = view_of({(0, hours): 7, (0, hours - 23): 4, (3, hours - 24): 9})
    (line,) = budgets.lines(day, view, NAMES, NOW)
    assert (line.period, line.spent, line.rolling, line.forecast) == ("the last 24 hours", 11 * USD, True, None)
    (week,) = budgets.lines(replace(day, window=timedelta(days=7)), view, NAMES, NOW)
    assert (week.period, week.spent) == ("the last 7 days", 20 * USD)
    assert budgets.lines(replace(day, window=HOUR), view, NAMES, NOW)[0].period == "the last hour"


def test_a_crossing_of_a_rolling_window_is_a_state_that_begins_in_the_hour_that_reached_it() -> None:
    day = replace(BUDGET, period="rolling", window=timedelta(hours=24), thresholds=(50.0,))
    hours = (NOW - START) // HOUR
    (breach,) = budgets.judge(day, view_of({(0, hours - 30): 90, (0, hours - 3): 30, (0, hours - 1): 25}), NAMES, NOW)
    assert isinstance(breach, Breach)
    assert (breach.closes_at, breach.subject.instance) == (None, "rolling 24h/50")
    assert breach.starts_at == START + (hours - 1) * HOUR


def test_a_budget_of_given_dates_has_lines_from_its_first_day_to_its_last() -> None:
    once = replace(BUDGET, period="once", dates=(date(2026, 11, 3), date(2026, 11, 6)))
    view = view_of({(0, 47): 7, (0, 48): 4, (3, 119): 9, (3, 120): 5})
    assert budgets.lines(once, view, NAMES, START + timedelta(days=1)) == []
    (line,) = budgets.lines(once, view, NAMES, START + timedelta(days=4))
    assert (line.period, line.spent) == ("3 Nov to 5 Nov 2026", 13 * USD)
    assert budgets.lines(once, view, NAMES, NOW) == []


@given(
    st.decimals("0.1", "200", places=1, allow_nan=False, allow_infinity=False),
    st.integers(0, 9_000_000_000_000_000),
)
def test_a_threshold_is_the_least_amount_that_is_at_least_its_percentage(percent: Decimal, limit: int) -> None:
    amount = threshold_amount(limit, float(percent))
    exact = Fraction(percent) * limit / 100
    assert exact <= amount < exact + 1


spends = st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 240)), st.integers(0, 40), max_size=12)


@given(spends)
def test_the_lines_of_all_scopes_add_up_to_the_shared_budget(spend: dict[tuple[int, int], int]) -> None:
    view = view_of(spend)
    shared = budgets.lines(BUDGET, view, NAMES, NOW)[0]
    for per in (("api_key",), ("workspace",), ("model",), ("workspace", "api_key", "model")):
        found = budgets.lines(replace(BUDGET, per=per), view, NAMES, NOW)
        assert sum(line.spent for line in found) == shared.spent
        assert sum(line.settled for line in found) == shared.settled


@given(spends)
def test_what_is_in_breach_is_what_has_been_spent(spend: dict[tuple[int, int], int]) -> None:
    view = view_of(spend)
    by_key = replace(BUDGET, per=("api_key",), limit=20 * USD)
    expected = {
        (line.scope, percent)
        for line in budgets.lines(by_key, view, NAMES, NOW)
        for percent in by_key.thresholds
        if line.spent * 100 >= percent * by_key.limit
    }
    found = budgets.judge(by_key, view, NAMES, NOW)
    assert {(verdict.subject.scope, evidence_of(verdict).threshold_percent) for verdict in found} == expected


@given(st.lists(spends, min_size=1, max_size=6), st.randoms())
def test_no_threshold_fires_twice_and_none_is_skipped(
    readings: list[dict[tuple[int, int], int]], random: Random
) -> None:
    """Whatever is read in whatever order, each threshold that was ever seen crossed has fired exactly once."""
    by_key = replace(BUDGET, per=("api_key",), limit=20 * USD)
    alerts: dict[str, Alert] = {}
    fired: list[str] = []
    seen: set[str] = set()
    for step, spend in enumerate(readings):
        now = NOW + timedelta(minutes=step)
        verdicts = budgets.judge(by_key, view_of(spend), NAMES, now)
        random.shuffle(verdicts)
        seen |= {verdict.subject.fingerprint for verdict in verdicts}
        for _ in range(2):
            advance = lifecycle.advance(alerts.values(), verdicts, {("budget", "spend")}, NAMES, now)
            alerts.update((alert.id, alert) for alert in advance.alerts)
            fired += [alerts[change.alert_id].subject.fingerprint for change in advance.transitions]
    assert sorted(fired) == sorted(seen)
    assert all(alert.state is State.FIRING for alert in alerts.values())


@given(
    st.lists(
        st.tuples(st.sampled_from([40, 60, 80, 100, 160, 200, 400]), st.integers(0, 420), st.booleans()),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_becomes_of_the_limit_no_threshold_is_told_twice_at_one_amount_and_none_is_missed(
    steps: list[tuple[int, int, bool]],
) -> None:
    """Steps are a limit, what is spent by then, and whether the judgement is lost and made again."""
    alerts: dict[str, Alert] = {}
    told: list[tuple[str, int]] = []
    for step, (limit, spent, lost) in enumerate(steps):
        now = NOW + timedelta(minutes=step)
        budget = replace(BUDGET, limit=limit * USD)
        verdicts = budgets.judge(budget, view_of({(0, 5): spent}), NAMES, now)
        for _ in range(2 if lost else 1):
            advance = lifecycle.advance(alerts.values(), verdicts, {("budget", "spend")}, NAMES, now, [budget])
        alerts.update((alert.id, alert) for alert in advance.alerts)
        for change in advance.transitions:
            if change.after is State.FIRING:
                evidence = alerts[change.alert_id].evidence
                assert isinstance(evidence, BudgetEvidence)
                told.append((mark_words(evidence), threshold_amount(evidence.limit, evidence.threshold_percent)))
        passed = {mark_text(mark) for mark in budget.thresholds if spent * USD >= threshold_amount(budget.limit, mark)}
        assert passed <= {mark for mark, _ in told}
    assert len(told) == len(set(told))


def test_ten_thousand_budgets_per_key_are_judged_in_under_300_ms() -> None:
    rng = np.random.default_rng(1)
    leaves = tuple(Leaf(f"wrkspc_{i % 50}", f"apikey_{i:05d}", "opus") for i in range(10_000))
    cost = rng.integers(0, 10**8, (len(leaves), 30 * 24))
    now = START + timedelta(hours=cost.shape[1] - 1, minutes=30)
    known = np.ones(cost.shape[1], dtype=np.bool_)
    view = SpendView("org_1", START, leaves, cost, np.zeros_like(cost), known, now, now)
    # The limit lies where some dozens of the keys have crossed it.
    budget = replace(BUDGET, per=("api_key",), limit=int(np.sort(cost.sum(axis=1))[-50]), thresholds=(100.0,))
    verdicts = within(0.3, lambda: budgets.judge(budget, view, NAMES, now))
    assert len(verdicts) == 50


def test_ten_thousand_budgets_of_as_many_limits_are_judged_in_under_300_ms() -> None:
    rng = np.random.default_rng(1)
    leaves = tuple(Leaf(f"wrkspc_{i:05d}", f"apikey_{i:05d}", "opus") for i in range(10_000))
    cost = rng.integers(0, 10**8, (len(leaves), 30 * 24))
    now = START + timedelta(hours=cost.shape[1] - 1, minutes=30)
    known = np.ones(cost.shape[1], dtype=np.bool_)
    view = SpendView("org_1", START, leaves, cost, np.zeros_like(cost), known, now, now)
    # Each has a limit of its own, and fifty of them one that they have reached.
    caps = {leaf.workspace: spent + 1 for leaf, spent in zip(leaves, cost.sum(axis=1).tolist(), strict=True)}
    caps |= {leaf.workspace: caps[leaf.workspace] - 1 for leaf in leaves[:50]}
    budget = replace(BUDGET, per=("workspace",), limit=None, thresholds=(100.0,), console=True, caps=caps)
    verdicts = within(0.3, lambda: budgets.judge(budget, view, NAMES, now))
    assert sorted(v.subject.scope.workspace for v in verdicts) == [leaf.workspace for leaf in leaves[:50]]


def test_ten_thousand_rolling_budgets_are_judged_in_under_300_ms_with_a_hundred_of_them_crossed() -> None:
    rng = np.random.default_rng(1)
    leaves = tuple(Leaf(f"wrkspc_{i % 50}", f"apikey_{i:05d}", "opus") for i in range(10_000))
    cost = rng.integers(0, 10**8, (len(leaves), 30 * 24))
    now = START + timedelta(hours=cost.shape[1] - 1, minutes=30)
    view = SpendView("org_1", START, leaves, cost, np.zeros_like(cost), np.ones(cost.shape[1], np.bool_), now, now)
    limit = int(np.sort(cost[:, -24:].sum(axis=1))[-100])
    day = replace(BUDGET, per=("api_key",), limit=limit, thresholds=(100.0,), period="rolling", window=24 * HOUR)
    earlier = budgets.judge(day, view, NAMES, now)
    held = lifecycle.advance([], earlier, {("budget", "spend")}, NAMES, now - timedelta(days=5)).alerts
    assert len(held) == 100
    verdicts = within(0.3, lambda: budgets.judge(day, view, NAMES, now, held=held))
    assert len(verdicts) == 100


@given(
    costs=st.lists(st.integers(min_value=0, max_value=10**12), min_size=6, max_size=6),
    per=st.lists(st.sampled_from([*DIMENSIONS, "tag:team"]), unique=True, min_size=1, max_size=4),
    chosen=st.sampled_from(
        [Selector(), Selector(workspace="wrkspc_1"), Selector(model="claude-*"), Selector(user="u*")]
    ),
    measure=st.sampled_from([SPEND, Measure("tokens", "total"), Measure(claude_code="api")]),
)
def test_the_lines_of_a_budget_per_anything_add_up_to_the_shared_one(
    costs: list[int], per: list[str], chosen: Selector, measure: Measure
) -> None:
    leaves = (
        Leaf("wrkspc_1", "apikey_a", "claude-opus-5"),
        Leaf("wrkspc_1", CONSOLE, "claude-haiku-5"),
        Leaf("wrkspc_2", "apikey_a", "claude-opus-5", "batch"),
        Leaf("wrkspc_2", "apikey_b", "gpt"),
        Leaf(DEFAULT_WORKSPACE, UNATTRIBUTED, UNATTRIBUTED),
        Leaf(DEFAULT_WORKSPACE, "apikey_c", "claude-haiku-5"),
    )
    cost = np.array(costs, dtype=np.int64).reshape(6, 1)
    view = SpendView("org_1", START, leaves, cost, cost // 2, np.ones(1, np.bool_), START + HOUR, START + HOUR)
    names = Names({}, {}, {"apikey_a": "u1", "apikey_b": "u2"}, {}, {"wrkspc_1": {"team": "x"}})
    shared = replace(BUDGET, select=chosen, measure=measure)
    (whole,) = budgets.lines(shared, view, names, START)
    parts = budgets.lines(replace(shared, per=tuple(per)), view, names, START)
    assert (sum(line.spent for line in parts), sum(line.settled for line in parts)) == (whole.spent, whole.settled)
    assert len({line.scope for line in parts}) == len(parts)


def test_ten_thousand_budgets_per_key_over_a_year_are_judged_in_under_300_ms() -> None:
    rng = np.random.default_rng(1)
    leaves = tuple(Leaf(f"wrkspc_{i % 50}", f"apikey_{i:05d}", "opus") for i in range(12_000))
    cost = rng.integers(0, 10**8, (10_000, 30 * 24))
    now = datetime(2026, 11, 20, tzinfo=UTC)
    start = now - timedelta(hours=cost.shape[1])
    days = (start - datetime(2026, 1, 1, tzinfo=UTC)).days
    before = rng.integers(0, 24 * 10**8, (10_000, days))
    earlier = EarlierSpend(
        leaves[2_000:],
        tuple(start - timedelta(days=back) for back in range(days, 0, -1)),
        before,
        np.zeros_like(before),
        np.zeros(days, dtype=np.int64),
    )
    known = np.ones(cost.shape[1], dtype=np.bool_)
    view = SpendView("org_1", start, leaves[:10_000], cost, np.zeros_like(cost), known, now, now, earlier=earlier)
    whole = np.concatenate((cost.sum(axis=1), np.zeros(2_000, dtype=np.int64)))
    whole[2_000:] += before.sum(axis=1)
    year = replace(BUDGET, period="year", per=("api_key",), limit=int(np.sort(whole)[-50]), thresholds=(100.0,))
    verdicts = within(0.3, lambda: budgets.judge(year, view, NAMES, now))
    assert len(verdicts) == 50
