"""Restarts that nothing was lost in: the program takes up its alerts as it left them."""

from datetime import timedelta

import pytest

from tests.crash.evidence import damage, lost
from tests.crash.stage import MOMENTS, Stage

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("times", [5, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_restarting_while_alerts_fire_sends_nothing(scene: Stage, times: int) -> None:
    plot = scene.plot(f"restarts-{times}", reliable=True)
    moments = list(MOMENTS[:3])
    assert plot.live(moments) == 0, scene.stable.said()
    before = len(plot.requests)
    assert before == 4
    for _ in range(times):
        moments.append(moments[-1] + MINUTE)
        assert plot.live(moments) == 0, scene.stable.said()
    assert plot.requests[before:] == ()
    assert damage(plot.database) == []


def test_what_resolved_while_the_program_was_down_is_told_exactly_once(scene: Stage) -> None:
    plot = scene.plot("down", reliable=True)
    assert plot.live(MOMENTS[:3]) == 0, scene.stable.said()
    before = len(plot.requests)
    for end in (4, 5, 5):
        assert plot.live(MOMENTS[:end]) == 0, scene.stable.said()
    told = [request.body for request in plot.requests[before:] if request.body["reason"] != "digest"]
    after = [(body["reason"], body["alerts"][0]["rule"]) for body in told]
    assert sorted(after) == [("resolved", "key spend"), ("resolved", "source failing")]
    assert lost(plot.database, plot.requests) == []
