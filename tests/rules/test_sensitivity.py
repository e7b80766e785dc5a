"""What a score means, and where a budget of false alarms puts the threshold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.configured import AnomalyTuning
from rules.model import AnomalyRule
from rules.sensitivity import LEAST, PRICE, SPEND, WEEKS_A_YEAR, FalseAlarms, floors_of, odds, threshold

RULE = AnomalyRule("r")


@pytest.mark.parametrize("law", [SPEND, PRICE])
@given(multiple=st.floats(LEAST, 1.4))
def test_the_multiple_of_a_rate_is_the_one_that_has_it(law: FalseAlarms, multiple: float) -> None:
    assert law.multiple(law.a_week(multiple)) == pytest.approx(multiple)


def test_the_law_is_not_drawn_out_beyond_what_was_measured() -> None:
    assert SPEND.multiple(0.0) == SPEND.multiple(1e-30) == SPEND.most
    assert SPEND.a_week(SPEND.most + 1) == SPEND.a_week(SPEND.most)
    assert SPEND.multiple(1e9) == LEAST
    assert odds(SPEND.most + 0.1, 10, SPEND).floored
    assert not odds(SPEND.most - 0.1, 10, SPEND).floored


@given(series=st.integers(1, 10_000), year=st.floats(0.1, 1000))
def test_a_budget_is_kept_by_all_series_and_channels_together_where_the_law_reaches(series: int, year: float) -> None:
    rule = replace(RULE, false_alarms=year)
    total = sum(law.a_week(threshold(rule, series, law)) for law in (SPEND, PRICE)) * WEEKS_A_YEAR * series
    inside = all(LEAST < threshold(rule, series, law) < law.most for law in (SPEND, PRICE))
    assert not inside or total == pytest.approx(year)


def test_more_keys_take_a_higher_threshold_and_a_larger_budget_a_lower_one() -> None:
    weekly = replace(RULE, false_alarms=WEEKS_A_YEAR)
    few, many = (threshold(weekly, series, SPEND) for series in (100, 1000))
    assert few < many
    assert threshold(replace(RULE, false_alarms=500.0), 1000, SPEND) < many


def test_sensitivities_are_what_the_page_says_of_them() -> None:
    rates = {word: SPEND.a_week(threshold(replace(RULE, sensitivity=word), 10, SPEND)) for word in ("low", "medium")}
    assert rates["low"] == pytest.approx(rates["medium"] / 3, rel=0.15)
    high = SPEND.a_week(threshold(replace(RULE, sensitivity="high"), 10, SPEND))
    assert high == pytest.approx(2 * rates["medium"], rel=0.15)
    for word in ("low", "medium", "high"):
        rule = replace(RULE, sensitivity=word)  # type: ignore[arg-type]
        spend, price = (threshold(rule, 10, law) for law in (SPEND, PRICE))
        assert price == pytest.approx(1.15 * spend)
        assert LEAST <= price <= PRICE.most, "within what was measured"


@pytest.mark.parametrize("multiple", [0.8, 1.0, 2.0])
def test_a_threshold_leaves_the_floors_where_they_are(multiple: float) -> None:
    floors = floors_of(replace(RULE, tuning=AnomalyTuning(threshold=multiple)), 10)
    assert floors.per_hour * multiple == pytest.approx(5.0)
    assert floors.one_hour * multiple == pytest.approx(25.0)
    assert floors.of_usual * multiple == pytest.approx(4.0)
