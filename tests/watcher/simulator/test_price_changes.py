from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from watcher.simulator import PriceChange, World
from watcher.simulator.analytics import Analytics
from watcher.simulator.billing import Billing

START = datetime(2026, 11, 16, tzinfo=UTC)
DAY = timedelta(days=1)
CHANGED = date(2026, 11, 14)
SONNET = "claude-sonnet-5-5"


def world(*changes: PriceChange) -> World:
    return World(started_at=START, seed=7, keys=4, workspaces=2, days=6, price_changes=changes, analytics=True)


def number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def cost(of: World, day: date, model: str) -> int:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return of.true_cost_nano(begin, begin + DAY, model=model)


@pytest.fixture(scope="module")
def calm() -> World:
    return world()


@pytest.fixture(scope="module")
def raised() -> World:
    return world(PriceChange(CHANGED, 1.1, SONNET))


def test_a_model_costs_more_from_its_day_on_and_the_others_what_they_did(calm: World, raised: World) -> None:
    for day, factor in ((CHANGED - DAY, Fraction(1)), (CHANGED, Fraction(11, 10)), (CHANGED + DAY, Fraction(11, 10))):
        assert abs(cost(raised, day, SONNET) - cost(calm, day, SONNET) * factor) <= 1
        assert cost(raised, day, "claude-opus-5-5") == cost(calm, day, "claude-opus-5-5")


def test_the_bill_and_the_analytics_agree_on_the_new_price(raised: World) -> None:
    billing = Billing(raised)
    final = billing.final(number(CHANGED))
    billed = sum(amount for line, amount in final.items() if line.model == SONNET)
    begin = number(CHANGED) * 86_400
    hours = Analytics(raised, billing).hours(begin, begin + 86_400, begin + 10 * 86_400)
    told = sum(
        paid
        for hour in hours
        for each in hour.series
        if each.series.model == SONNET
        for kind, (paid, _) in each.costs.items()
        if kind[0] == "tokens"
    )
    assert told == billed > 0


def test_the_same_is_used_whatever_it_costs(calm: World, raised: World) -> None:
    begin = (START - 2 * DAY).timestamp()
    assert (calm.used(begin, begin + 86_400) == raised.used(begin, begin + 86_400)).all()


def test_changes_add_up_and_a_star_is_everything() -> None:
    tariff = world(PriceChange(CHANGED, 0.9), PriceChange(CHANGED + DAY, 2, SONNET)).tariff
    rows = [row for row, each in enumerate(world().catalogue.series) if each.model == SONNET]
    base, first, second = (tariff.femto(rows[0], number(CHANGED + back * DAY)) for back in (-1, 0, 1))
    assert [round(Fraction(price) * Fraction(9, 10)) for price in base] == list(first)
    assert [round(Fraction(price) * Fraction(18, 10)) for price in base[:-1]] == list(second[:-1])
    assert second[-1] == first[-1], "searches have no model"


@pytest.mark.parametrize("factor", [0, -1, 1000])
def test_a_factor_that_is_none_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="factor"):
        PriceChange(CHANGED, factor)
