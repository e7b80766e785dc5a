"""Kills at random moments, wherever the program happens to be: inside a statement, a request, a fork of a thought."""

import os
import random
import time

import pytest

from tests.crash.evidence import check_against, damage
from tests.crash.stage import KILLED, Plot, Stage

SEED = int(os.environ.get("CRASH_SEED", "20261118"))
"""Where the moments of the kills come from; another one may be set to look further."""


def kill_at_random(scene: Stage, reference: Plot, kills: int, seed: int) -> int:
    """Kill so many lives, database after database, and check each database once it has come to rest.

    Returns how many databases that took.
    """
    random_moments = random.Random(seed)
    begun = time.monotonic()
    assert scene.plot(f"timed-{seed}").live() == 0, scene.stable.said()
    longest = (time.monotonic() - begun) * 0.4
    plots, killed = 0, 0
    while killed < kills:
        plots += 1
        plot = scene.plot(f"random-{seed}-{plots}")
        ended = KILLED
        while ended == KILLED:
            wait = random_moments.uniform(0, longest) if killed < kills else None
            ended = plot.live(die_after=wait)
            assert damage(plot.database) == [], f"seed {seed}, kill {killed}, after {wait} s"
            killed += ended == KILLED
        assert ended == 0, f"seed {seed}: {scene.stable.said()}"
        check_against(reference, plot)
    return plots


@pytest.mark.timeout(300)
def test_twenty_kills_at_random_moments_lose_nothing(scene: Stage, reference: Plot) -> None:
    assert kill_at_random(scene, reference, kills=20, seed=SEED) >= 1


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_kills_at_random_moments_lose_nothing(scene: Stage, reference: Plot) -> None:
    for turn in range(20):
        assert kill_at_random(scene, reference, kills=50, seed=SEED + 1 + turn) >= 1
