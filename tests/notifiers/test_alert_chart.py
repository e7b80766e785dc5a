"""What the chart of an alert shows, from the evidence that is frozen with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from benchmarks.gallery_samples import (
    NOW,
    burning_key,
    dearer_key,
    drifted_model,
    fast_month,
    foreseen_month,
    leaking_key,
    organization_budget,
    runaway_key,
    silent_key,
    stalled_source,
)
from notifiers import figure
from notifiers.alert_chart import chart_of
from notifiers.chart import Chart, Outlook, Point, alt_text, draw, png
from rules.course import Course
from rules.measures import Measure
from rules.model import HOUR, Alert, BudgetEvidence, ForecastEvidence, TriggerEvidence

DOLLAR = 1_000_000_000


def drawn_chart(alert: Alert) -> Chart:
    chart = chart_of(alert)
    assert chart is not None
    return chart


@pytest.mark.parametrize("make", [runaway_key, leaking_key, dearer_key, silent_key])
def test_hours_that_are_not_normal_are_marked_beside_what_is_expected(make: Any) -> None:
    alert = make()
    chart = drawn_chart(alert)
    assert chart.marked is not None
    assert chart.marked[0] == alert.starts_at
    assert chart.told == alert.fired_at
    assert all(point.expected is not None for point in chart.points)
    assert chart.limit is None
    assert not chart.in_all


def test_a_crossing_shows_how_the_sum_came_to_it_below_limit_and_threshold() -> None:
    alert = organization_budget()
    evidence = alert.evidence
    assert isinstance(evidence, BudgetEvidence)
    chart = drawn_chart(alert)
    assert chart.in_all
    assert (chart.limit, chart.mark) == (10_000 * DOLLAR, 8_000 * DOLLAR)
    assert (chart.since, chart.until) == (evidence.period_start, evidence.period_end)
    sums = [point.observed for point in chart.points]
    assert sums == sorted(sums)
    assert abs(sums[-1] - evidence.spent) < DOLLAR
    assert "the limit is $10,000.00" in alt_text(chart)


def test_a_crossing_of_the_limit_itself_has_one_line() -> None:
    alert = organization_budget()
    assert isinstance(alert.evidence, BudgetEvidence)
    assert drawn_chart(replace(alert, evidence=replace(alert.evidence, threshold_percent=100))).mark is None


def test_a_forecast_shows_what_is_to_come_and_when_it_crosses() -> None:
    alert = foreseen_month()
    evidence = alert.evidence
    assert isinstance(evidence, ForecastEvidence)
    outlook = drawn_chart(alert).outlook
    assert outlook is not None
    assert (outlook.low, outlook.total, outlook.high) == (evidence.low, evidence.total, evidence.high)
    assert (outlook.mark, outlook.crosses) == (evidence.amount, evidence.crosses)
    assert "$12,412.00 ($11,120.00 to $14,030.00) expected by 1 Dec 00:00" in alt_text(drawn_chart(alert))


@pytest.mark.parametrize("make", [burning_key, fast_month])
def test_what_else_a_budget_tells_shows_its_sum(make: Any) -> None:
    chart = drawn_chart(make())
    assert chart.in_all
    assert chart.limit is not None
    assert chart.outlook is None


@pytest.mark.parametrize("make", [stalled_source, drifted_model])
def test_what_has_no_hours_has_no_chart(make: Any) -> None:
    assert chart_of(make()) is None


def test_tokens_and_periods_that_are_not_known_by_the_hour_have_none() -> None:
    alert, foreseen = organization_budget(), foreseen_month()
    assert isinstance(alert.evidence, BudgetEvidence)
    assert isinstance(foreseen.evidence, TriggerEvidence)
    assert chart_of(replace(alert, evidence=replace(alert.evidence, measure=Measure("tokens")))) is None
    assert chart_of(replace(alert, evidence=replace(alert.evidence, course=None))) is None
    assert chart_of(replace(foreseen, evidence=replace(foreseen.evidence, course=None))) is None


@pytest.mark.parametrize("spent", [0, 1, 3 * DOLLAR, 9_999_999 * DOLLAR, 10**18])
@pytest.mark.parametrize("hours", [1, 2, 700])
def test_no_label_is_cut_and_none_lies_over_another_whatever_the_amount(spent: int, hours: int) -> None:
    start = NOW.replace(minute=0) - hours * HOUR
    points = tuple(
        Point(reached - HOUR, nano) for reached, nano in Course(hours, (spent,) * min(hours, 60)).stands(start)
    )
    chart = Chart("The organization", points, "organization", limit=2 * spent or DOLLAR, in_all=True, since=start)
    boxes: list[list[Any]] = []

    def measured(drawing: Any, colours: Any) -> None:
        draw(drawing, chart, colours)
        drawing.canvas.draw()
        (axes,) = drawing.axes
        for axis in (axes.xaxis, axes.yaxis):
            labels = [label for label in axis.get_ticklabels() if label.get_text()]
            boxes.append([label.get_window_extent() for label in labels])
        assert all(box.x0 >= 0 and box.x1 <= drawing.bbox.width for some in boxes for box in some)
        assert all(box.y0 >= 0 and box.y1 <= drawing.bbox.height for some in boxes for box in some)

    figure.drawn(measured, "light")
    assert boxes
    for some in boxes:
        assert not any(one.overlaps(two) for place, one in enumerate(some) for two in some[:place])


def test_an_outlook_that_says_nothing_sensible_is_drawn_all_the_same() -> None:
    start = NOW - timedelta(hours=10)
    points = (Point(start, 5 * DOLLAR), Point(start + HOUR, 6 * DOLLAR))
    late = start - timedelta(days=1)
    for end in (start, start + 2 * HOUR, start + 900 * HOUR):
        outlook = Outlook(end, 0, 6 * DOLLAR, 6 * DOLLAR, 9 * DOLLAR, late, late, late)
        assert png(Chart("x", points, in_all=True, until=end, outlook=outlook)).startswith(b"\x89PNG")
