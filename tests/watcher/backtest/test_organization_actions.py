"""In a whole organization nobody is stopped for nothing, and a runaway key is off in time: the short form of
`python -m benchmarks.shutoff`, on 60 keys for the last days of five weeks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.organization_harmless import Ordinary
from benchmarks.organizations import calm
from benchmarks.shutoff import POLICY, Score, with_runaways, without_incidents
from benchmarks.shutoff_stage import Stage, runaways

SINCE = 28 * 24


@pytest.fixture(scope="module")
def organization() -> Ordinary:
    return calm(1, 60, 32)


@pytest.fixture(scope="module")
def score(organization: Ordinary) -> Score:
    return with_runaways(organization, 1, SINCE)


def test_a_runaway_key_is_off_in_time_and_no_other_is_touched(score: Score) -> None:
    (fate,) = score.fates
    assert fate.off is not None
    assert fate.stayed is not None
    assert all(fate.in_time(since, POLICY) for since in (fate.passed, fate.own, fate.stayed))
    assert score.others == 0


def test_a_breach_of_the_day_is_put_down_to_the_runaway_alone_and_an_ordinary_day_to_nobody(score: Score) -> None:
    assert score.named["day of the organization", "runaway", "alone"] == 1
    assert score.named["day of the workspace", "runaway", "alone"] == 1
    assert score.named["day of the organization", "calm", "nobody"] == 1


def test_a_launch_of_twice_the_usual_for_days_stops_nobody(organization: Ordinary) -> None:
    """All production keys that are in no launch yet at 2.5 times their usual, over the budget of the organization."""
    traffic = organization.traffic
    launched = {key for each in organization.events if each.kind == "launch" for key in each.keys}
    kinds = zip(traffic.leaves, traffic.archetypes, strict=True)
    rows = [at for at, (leaf, kind) in enumerate(kinds) if kind == "production" and leaf.api_key not in launched]
    dollars = traffic.dollars.copy()
    dollars[rows, SINCE + 12 :] *= 2.5
    score = without_incidents(replace(organization, traffic=replace(traffic, dollars=dollars)), SINCE)
    assert score.few + score.asked > 2, "it is told, and may not stop anybody"
    assert not score.wrong
    assert any(not cut.workspace for cut in score.peer), "which the biggest spender's stop does not hold to"


def test_what_a_key_that_is_off_does_not_spend_is_not_there(organization: Ordinary) -> None:
    (run,) = runaways(organization, 1, SINCE)
    stage = Stage(organization, (run,))
    for _ in stage.frames(SINCE):
        pass
    rows = organization.traffic.rows(run.key)
    hour = int(run.begin) + 3
    usual = organization.traffic.dollars[rows, hour].sum()
    assert stage.cost[rows, hour].sum() / 1e9 == pytest.approx(usual + run.pace, rel=1e-6)
