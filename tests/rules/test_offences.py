"""Which keys are behind a breach: those with the excess, not those with the spend; and what of it is certain."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rules import anomaly, budgets
from rules.model import (
    HOUR,
    Alert,
    AnomalyRule,
    Breach,
    Budget,
    Leaf,
    Names,
    Severity,
    SpendView,
    State,
    Verdict,
)
from rules.offences import ASSUMED_ERROR, Field, Offence, estimate_error
from rules.policy import KeyAction
from rules.reconciled import Cell, ReconciledDay
from rules.thresholds import Threshold
from tests.rules.traffic import DOLLAR, Cost

START = datetime(2026, 10, 5, tzinfo=UTC)
DAYS = 45
"""Until 19 November, noon."""
HOURS = DAYS * 24 + 12
NOVEMBER = (datetime(2026, 11, 1, tzinfo=UTC) - START) // HOUR
NOW = START + HOURS * HOUR + timedelta(minutes=5)
FULL = Threshold(percent=100.0, action=KeyAction())


def spend(dollars_an_hour: dict[str, float]) -> tuple[tuple[Leaf, ...], Cost]:
    """Keys of two workspaces that spend about as much in every hour; "w1/key-a" names both."""
    random = np.random.default_rng(5)
    leaves = tuple(Leaf(*name.split("/"), "claude-opus-5", "standard") for name in dollars_an_hour)
    means = np.array(list(dollars_an_hour.values()))[:, None]
    cost = means * random.gamma(60, 1 / 60, (len(leaves), HOURS + 1)) * DOLLAR
    return leaves, cost.astype(np.int64)


def view(leaves: tuple[Leaf, ...], cost: Cost, settled: float = 1.0, **other: object) -> SpendView:
    known = np.ones(cost.shape[1], dtype=np.bool_)
    until = START + HOURS * HOUR
    part = (cost * settled).astype(np.int64)
    return replace(SpendView("org", START, leaves, cost, part, known, until, NOW), **other)  # type: ignore[arg-type]


def names(leaves: tuple[Leaf, ...]) -> Names:
    return Names(workspace_of_key={leaf.api_key: leaf.workspace for leaf in leaves})


def monthly(limit: float, *marks: float | Threshold, **other: object) -> Budget:
    return Budget("limit", "month", "UTC", round(limit * DOLLAR), marks or (FULL,), **other)  # type: ignore[arg-type]


def fired(verdicts: list[Verdict]) -> tuple[list[Breach], list[Alert]]:
    """The breaches, and an alert that fires for each of them."""
    breaches = [verdict for verdict in verdicts if isinstance(verdict, Breach)]
    fixed = {"severity": Severity.CRITICAL, "state": State.FIRING, "starts_at": NOW, "pending_since": NOW}
    alerts = [
        Alert(f"alert-{at}", breach.subject, **fixed, evidence=breach.evidence, summary="")  # type: ignore[arg-type]
        for at, breach in enumerate(breaches)
    ]
    return breaches, alerts


def found(shown: SpendView, rule: Budget | AnomalyRule, error: float = 0.0) -> list[Offence]:
    called = names(shown.leaves)
    if isinstance(rule, Budget):
        breaches, alerts = fired(budgets.judge(rule, shown, called, NOW))
        field = Field(shown, called, [rule], [], error)
    else:
        breaches, alerts = fired(list(anomaly.judge(rule, shown, called, frozenset(), NOW)))
        field = Field(shown, called, [], [rule], error)
    return list(field.offences(breaches, alerts))


def behind(offence: Offence) -> list[str]:
    assert not offence.unknown, offence.unknown
    return [each.key for each in offence.offenders]


USUAL = {"w1/big": 10.0, "w1/small": 1.0, "w2/other": 2.0, "w2/last": 2.0}


def with_loop(key: int, dollars: float, hours: int = 60) -> tuple[tuple[Leaf, ...], Cost]:
    leaves, cost = spend(USUAL)
    cost[key, -hours:] += round(dollars * DOLLAR)
    return leaves, cost


def test_the_key_with_the_excess_is_named_and_not_the_one_that_spends_most() -> None:
    (offence,) = found(view(*with_loop(1, 40.0)), monthly(5000))
    assert behind(offence) == ["small"]
    assert offence.share > 0.9
    assert offence.confidence > 0.9
    assert offence.offenders[0].goes_on


def test_the_same_of_one_workspace_alone() -> None:
    rule = monthly(2500, per=("workspace",))
    (offence,) = found(view(*with_loop(1, 40.0)), rule)
    assert offence.cause.scope.workspace == "w1"
    assert behind(offence) == ["small"]


def test_a_budget_of_one_key_is_about_that_key_whatever_is_usual() -> None:
    (offence,) = found(view(*spend(USUAL)), monthly(3000, per=("api_key",)))
    assert behind(offence) == ["big"]
    assert offence.offenders[0].workspace == "w1"


def test_a_limit_that_usual_spend_reaches_names_nobody() -> None:
    (offence,) = found(view(*spend(USUAL)), monthly(5000))
    assert not offence.offenders
    assert "explain" in offence.unknown or "no more than" in offence.unknown or "stray" in offence.unknown


def test_an_excess_that_is_spread_over_many_names_nobody() -> None:
    leaves, cost = spend({f"w1/key-{number}": 1.0 for number in range(30)})
    cost[:, -60:] *= 3
    (offence,) = found(view(leaves, cost), monthly(14_000))
    assert not offence.offenders
    assert "spread over many" in offence.unknown


def test_without_two_weeks_of_history_nobody_is_named() -> None:
    leaves, cost = with_loop(1, 40.0)
    cost, start = cost[:, NOVEMBER - 13 * 24 :], START + (NOVEMBER - 13 * 24) * HOUR
    short = replace(view(leaves, cost), start=start)
    (offence,) = found(short, monthly(5000))
    assert not offence.offenders
    assert "two weeks" in offence.unknown


def test_a_key_whose_excess_is_over_no_longer_goes_on() -> None:
    leaves, cost = spend(USUAL)
    cost[1, -120:-48] += 40 * DOLLAR
    (offence,) = found(view(leaves, cost), monthly(5000))
    assert behind(offence) == ["small"]
    assert not offence.offenders[0].goes_on


def test_a_key_that_only_strays_as_keys_do_since_its_excess_ended_does_not_go_on() -> None:
    leaves, cost = spend(USUAL)
    cost[1, -60:-48] += 200 * DOLLAR
    cost[1, -30:] = 3 * DOLLAR
    (offence,) = found(view(leaves, cost), monthly(5000))
    assert [(each.key, each.goes_on) for each in offence.offenders] == [("small", False)]


@pytest.mark.parametrize(("dollars", "least", "most"), [(1.5, 2.0, 3.0), (20.0, 18.0, 24.0)])
def test_a_key_is_held_against_what_is_usual_of_it_in_the_last_day(dollars: float, least: float, most: float) -> None:
    (offence,) = found(view(*with_loop(1, dollars, hours=60)), monthly(5000))
    assert [each.key for each in offence.offenders] == ["small"]
    assert least < offence.offenders[0].lately < most


def test_an_excess_that_began_before_the_period_goes_on_within_it() -> None:
    leaves, cost = with_loop(1, 60.0, hours=16)
    daily = Budget("limit", "day", "UTC", 400 * DOLLAR, (FULL,))
    (offence,) = found(view(leaves, cost), daily)
    assert [(each.key, each.goes_on) for each in offence.offenders] == [("small", True)]


def test_only_marks_that_ask_for_it_are_offences() -> None:
    shown = view(*with_loop(1, 40.0))
    assert not found(shown, monthly(5000, 80.0, 100.0))
    assert [each.bound for each in found(shown, monthly(5000, 50.0, FULL))] == [5000 * DOLLAR]
    amount = Threshold(amount=4000 * DOLLAR, action=KeyAction("approve"))
    (offence,) = found(shown, monthly(5000, amount))
    assert (offence.bound, offence.action.mode) == (4000 * DOLLAR, "approve")


def test_what_is_certain_is_settled_spend_and_the_lower_end_of_the_rest() -> None:
    shown = view(*with_loop(1, 40.0), settled=0.5)
    (whole,) = found(shown, monthly(5000), error=0.0)
    (doubted,) = found(shown, monthly(5000), error=0.2)
    settled = int(shown.settled[:, NOVEMBER:].sum())
    assert whole.certain == whole.observed
    assert doubted.observed == whole.observed
    assert abs(doubted.certain - (settled + 0.8 * (whole.observed - settled))) <= 1
    assert doubted.amount == doubted.certain - 5000 * DOLLAR


def test_a_figure_that_rests_on_a_stand_in_price_says_so() -> None:
    shown = replace(view(*with_loop(1, 40.0)), unpriced=frozenset({"claude-opus-5"}))
    (offence,) = found(shown, monthly(5000))
    assert offence.unpriced == ("claude-opus-5",)


def test_an_anomaly_of_a_key_is_about_the_key_and_what_was_expected_of_it() -> None:
    rule = AnomalyRule("keys", action=KeyAction())
    (offence,) = found(view(*with_loop(1, 40.0, hours=6)), rule)
    assert behind(offence) == ["small"]
    assert offence.bound < 20 * DOLLAR
    assert offence.amount > 150 * DOLLAR
    assert offence.cause.instance == "alert-0"


@pytest.mark.parametrize(("hours", "dollars", "before"), [(6, 42.0, True), (2, 42.0, False), (6, 25.0, False)])
def test_a_key_that_spent_as_much_for_hours_a_month_before_has_a_precedent(
    hours: int, dollars: float, before: bool
) -> None:
    leaves, cost = with_loop(1, 40.0, hours=6)
    cost[1, -28 * 24 : -28 * 24 + hours] += round(dollars * DOLLAR)
    (offence,) = found(view(leaves, cost), AnomalyRule("keys", action=KeyAction()))
    assert [(each.key, each.precedent) for each in offence.offenders] == [("small", before)]


def test_an_anomaly_of_the_organization_names_the_key_that_explains_it() -> None:
    rule = AnomalyRule("all", per=(), action=KeyAction())
    (offence,) = found(view(*with_loop(1, 60.0, hours=6)), rule)
    assert behind(offence) == ["small"]


@pytest.mark.parametrize(("days", "known", "of_all"), [(3, False, False), (8, True, False), (23, True, True)])
def test_of_a_young_key_nobody_knows_what_is_usual(days: int, known: bool, of_all: bool) -> None:
    """A week does for its own baseline; what explains a wider breach is held against the four weeks before."""
    leaves, cost = with_loop(1, 60.0, hours=6)
    cost[1, : -days * 24] = 0
    shown = view(leaves, cost)
    for per, expected in ((("api_key",), known), ((), of_all)):
        (offence,) = found(shown, AnomalyRule("rule", per=per, action=KeyAction()))  # type: ignore[arg-type]
        assert [(each.key, each.known) for each in offence.offenders] == [("small", expected)]


def test_an_anomaly_rule_that_does_not_ask_for_it_is_no_offence() -> None:
    assert not found(view(*with_loop(1, 40.0, hours=6)), AnomalyRule("keys"))


def test_what_has_not_fired_yet_is_no_offence() -> None:
    shown = view(*with_loop(1, 40.0))
    rule = monthly(5000)
    breaches, alerts = fired(budgets.judge(rule, shown, names(shown.leaves), NOW))
    field = Field(shown, names(shown.leaves), [rule], [], 0.0)
    pending = [replace(each, state=State.PENDING) for each in alerts]
    assert not list(field.offences(breaches, pending))
    assert not list(field.offences([], alerts))
    assert len(list(field.offences(breaches, alerts))) == 1


# ---------------------------------------------------------------------------------------------- how good estimates are


def days(*drifts: float, standing: str = "settled") -> list[ReconciledDay]:
    """Days of which $100 were estimated and so many percent less was billed."""
    first = START.date()
    return [
        ReconciledDay(
            first + timedelta(days=at),
            standing,  # type: ignore[arg-type]
            (Cell("w1", "m", "compared", estimated=100 * DOLLAR, reported=round((100 - drift) * DOLLAR)),),
        )
        for at, drift in enumerate(drifts)
    ]


@pytest.mark.parametrize(
    ("known", "error"),
    [
        (days(), ASSUMED_ERROR),
        (days(*[1.0] * 6), ASSUMED_ERROR),
        (days(*[1.0] * 7), 0.01),
        (days(*[-5.0] * 7), 0.0),
        (days(*[1.0] * 30, standing="open"), ASSUMED_ERROR),
        (days(*[50.0] * 10, *[1.0] * 28), 0.01),
    ],
)
def test_the_error_of_estimates_is_that_of_the_last_settled_days(known: list[ReconciledDay], error: float) -> None:
    assert estimate_error(known) == pytest.approx(error)


def test_one_bad_day_in_ten_does_not_widen_it_and_two_do() -> None:
    assert estimate_error(days(*[1.0] * 19, 30.0)) == pytest.approx(0.01)
    assert estimate_error(days(*[1.0] * 16, *[30.0] * 4)) == pytest.approx(0.30)
