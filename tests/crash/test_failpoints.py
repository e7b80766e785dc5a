"""A kill at every commit and at every send: nothing is lost, nothing is half done, nothing is told as something new."""

import signal
from collections import Counter
from collections.abc import Iterable

import pytest

from tests.crash.evidence import contradicted, damage, difference, lost, out_of_order, state_of, told
from tests.crash.stage import Plot, Stage

KILLED = -signal.SIGKILL


def check_against(reference: Plot, plot: Plot) -> None:
    """What many lives have left behind is what one undisturbed life leaves behind."""
    assert damage(plot.database) == []
    assert difference(state_of(reference.database), state_of(plot.database)) == {}
    assert told(plot.requests) == told(reference.requests)
    assert contradicted(plot.requests) == []
    assert out_of_order(plot.requests) == []
    assert lost(plot.database, plot.requests) == []


def names(reference: Plot) -> list[str]:
    return (reference.folder / "trace").read_text().splitlines()


def places(boundaries: Iterable[str]) -> Counter[str]:
    """How many different boundaries there are at each moment and of each sort, whatever their content.

    Left out is what a life notes after its cycle for the next one to be quicker: nobody makes up for it.
    """
    return Counter(name.partition(" #")[0] for name in set(boundaries) if " cursor #" not in name or "alerts" in name)


@pytest.fixture(scope="module")
def reference(scene: Stage) -> Plot:
    """One undisturbed life, and the names of the boundaries it passed."""
    plot = scene.plot("reference", reliable=True)
    assert plot.live(trace=plot.folder / "trace") == 0, scene.stable.said()
    return plot


def test_the_story_has_every_turn_that_could_be_lost(reference: Plot) -> None:
    turns = [(request.body["reason"], request.body["alerts"][0]["kind"]) for request in reference.requests]
    assert turns == [
        ("initial", "budget"),
        ("first", "budget"),
        ("first", "anomaly"),
        ("first", "source"),
        ("resolved", "source"),
        ("resolved", "anomaly"),
    ]
    assert damage(reference.database) == []
    kinds = {" ".join(name.split()[1:3]) for name in names(reference)}
    assert kinds == {"before commit", "after commit", "before send", "after send"}


def test_killed_once_at_every_boundary_one_life_after_the_other(scene: Stage, reference: Plot) -> None:
    plot = scene.plot("chain")
    deaths = plot.folder / "deaths"
    deaths.touch()
    lives = 0
    while (ended := plot.live(deaths=deaths)) == KILLED:
        lives += 1
        assert damage(plot.database) == [], deaths.read_text().splitlines()[-1]
    assert ended == 0, scene.stable.said()
    died_at = deaths.read_text().splitlines()
    assert len(died_at) == len(set(died_at)) == lives
    assert places(names(reference)) - places(died_at) == Counter()
    assert any("after refusal" in name for name in died_at)
    check_against(reference, plot)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_one_boundary_and_left_alone_afterwards(scene: Stage, reference: Plot) -> None:
    for number, name in enumerate(names(reference), 1):
        plot = scene.plot(f"alone-{number}", reliable=True)
        assert plot.live(die_at=number) == KILLED, name
        assert damage(plot.database) == [], name
        assert plot.live() == 0, scene.stable.said()
        check_against(reference, plot)
