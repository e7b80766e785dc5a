"""A kill at commits and at sends: nothing is lost, nothing is half done, nothing is told as something new.

The short form is killed at half of them, which are always the same, the long one on either side of each.
"""

import re
from collections import Counter
from collections.abc import Iterable

import pytest

from tests.crash.evidence import check_against, damage
from tests.crash.stage import KILLED, Plot, Stage


def names(reference: Plot) -> list[str]:
    return (reference.folder / "trace").read_text().splitlines()


def places(boundaries: Iterable[str]) -> Counter[str]:
    """How many different boundaries there are at each moment and of each sort, whatever their content.

    Left out is what a life notes after its cycle for the next one to be quicker: nobody makes up for it.
    """
    return Counter(name.partition(" #")[0] for name in set(boundaries) if not _QUICKER.search(name))


_QUICKER = re.compile(r" commit (cursor|leaves day_sums) #")


def test_the_story_has_every_turn_that_could_be_lost(reference: Plot) -> None:
    turns = [
        (request.body["reason"], *(alert["kind"] for alert in request.body["alerts"][:1]))
        for request in reference.requests
    ]
    assert turns == [
        ("initial", "budget"),
        ("first", "budget"),
        ("first", "anomaly"),
        ("first", "source"),
        ("resolved", "anomaly"),
        ("resolved", "source"),
        ("digest",),
    ]
    assert damage(reference.database) == []
    kinds = {" ".join(name.split()[1:3]) for name in names(reference)}
    assert kinds == {"before commit", "after commit", "before send", "after send"}


def die_everywhere(scene: Stage, reference: Plot, name: str, spare: str | None = None, one_in: int = 1) -> None:
    """One database, one life after the other, each killed at a boundary that none before it was killed at."""
    plot = scene.plot(name)
    deaths = plot.folder / "deaths"
    deaths.touch()
    lives = 0
    while (ended := plot.live(deaths=deaths, spare=spare, one_in=one_in)) == KILLED:
        lives += 1
        assert damage(plot.database) == [], deaths.read_text().splitlines()[-1]
    assert ended == 0, scene.stable.said()
    check_against(reference, plot)
    died_at = deaths.read_text().splitlines()
    assert len(died_at) == len(set(died_at)) == lives
    passed = [name for name in names(reference) if spare is None or spare not in name]
    assert lives > len(passed) / one_in / 2
    if one_in == 1:
        assert places(passed) - places(died_at) == Counter()
    assert any("after refusal" in name for name in died_at)


@pytest.mark.timeout(300)
def test_killed_at_some_commits_and_sends(scene: Stage, reference: Plot) -> None:
    # Just after a commit lies on the disk what lies there just before the next one: that side is left to the long form.
    die_everywhere(scene, reference, "commits", spare="after commit", one_in=2)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_once_on_either_side_of_every_commit_and_every_send(scene: Stage, reference: Plot) -> None:
    die_everywhere(scene, reference, "both-sides")


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_one_boundary_and_left_alone_afterwards(scene: Stage, reference: Plot) -> None:
    for number, name in enumerate(names(reference), 1):
        plot = scene.plot(f"alone-{number}", reliable=True)
        assert plot.live(die_at=number) == KILLED, name
        assert damage(plot.database) == [], name
        assert plot.live() == 0, scene.stable.said()
        check_against(reference, plot)
