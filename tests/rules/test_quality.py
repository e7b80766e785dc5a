"""How well incidents are told from ordinary traffic on the simulator's keys: what a change must not fall below."""

from __future__ import annotations

import pytest

from benchmarks.quality import outcomes_of
from benchmarks.quality_adapter import scores_of
from benchmarks.quality_cases import Case, Outcome, figures, made_up
from benchmarks.quality_rivals import mean_and_deviations


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return list(made_up(range(11, 14)))


@pytest.fixture(scope="module")
def told(cases: list[Case]) -> list[Outcome]:
    return outcomes_of(cases, scores_of([(case.times, case.values, case.requests) for case in cases]))


def test_most_incidents_are_told_before_half_is_spent_and_false_alarms_are_rare(told: list[Outcome]) -> None:
    whole = figures(told)
    assert whole.f1 >= 0.7
    assert whole.per_week <= 0.02
    assert whole.wasted <= 0.4


def test_every_cache_that_no_longer_hits_is_told(told: list[Outcome]) -> None:
    found = [delay for one in told for kind, delay, _ in one.found if kind == "cache_miss"]
    assert found
    assert all(delay is not None for delay in found)


def test_a_lone_dear_hour_hardly_ever_pages(told: list[Outcome]) -> None:
    spikes = [one.in_harmless["single_hour_spike"] for one in told if "single_hour_spike" in one.in_harmless]
    assert sum(hits for _, hits in spikes) <= 0.05 * sum(count for count, _ in spikes)


def test_values_alone_do_better_than_the_mean_and_eight_deviations(cases: list[Case]) -> None:
    own = figures(outcomes_of(cases, scores_of([(case.times, case.values) for case in cases])))
    rival = figures(outcomes_of(cases, [mean_and_deviations(case) for case in cases]))
    assert own.f1 >= rival.f1 + 0.12
