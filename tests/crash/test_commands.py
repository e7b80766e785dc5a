"""A kill at every commit and every send while a command is carried out: it is carried out exactly once."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from rules.budget_requests import RESET
from rules.feedback import FEEDBACK
from rules.model import State, Transition
from rules.quiet_requests import ADD
from tests.crash.evidence import contradicted, damage, lost, told
from tests.crash.stage import BEGINS, KILLED, Plot, Stage
from tests.watcher.store.samples import anomaly
from watcher.store import Judgement, Store

NEXT = BEGINS + timedelta(minutes=6)
ASKED = [None]
RESET_ONCE = "reset: 1 crossing ended, thresholds armed anew"
DONE = [RESET_ONCE, RESET_ONCE, "reset by ann: a drill"]
"""The journal's line, the command's outcome, and the one end."""


def ask(plot: Plot) -> None:
    with Store.open(f"sqlite:///{plot.database}") as store:
        (bound,) = store.organizations.all()
        store.commands.append(BEGINS, "ann", RESET, {"budget": "day", "reason": "a drill"}, bound.id)


def outcome(plot: Plot) -> list[str | None]:
    """The journal, the outcome of the command, and the ends that the reset made."""
    with closing(sqlite3.connect(f"file:{plot.database}?mode=ro", uri=True)) as connection:
        acts = [json.loads(row[0])["outcome"] for row in connection.execute("SELECT details FROM journal")]
        ends = [row[0] for row in connection.execute("SELECT why FROM transitions WHERE why LIKE 'reset by%'")]
        consumed = [row[0] for row in connection.execute("SELECT outcome FROM commands")]
    return [*acts, *consumed, *ends]


@pytest.mark.timeout(300)
def test_a_command_is_carried_out_exactly_once_wherever_the_program_is_killed(scene: Stage) -> None:
    plot = scene.plot("commands")
    assert plot.live([BEGINS]) == 0, scene.stable.said()
    before = len(told(plot.requests))
    ask(plot)
    deaths = plot.folder / "deaths"
    deaths.touch()
    while (ended := plot.live([BEGINS, NEXT], deaths=deaths)) == KILLED:
        assert damage(plot.database) == [], deaths.read_text().splitlines()[-1]
        assert outcome(plot) in (ASKED, DONE), "all of it, or nothing"
    assert ended == 0, scene.stable.said()
    died_at = deaths.read_text()
    for side in ("before", "after"):
        assert any(
            f"{side} commit" in line and "commands" in line and "journal" in line and "outbox" in line
            for line in died_at.splitlines()
        ), "one transaction holds the judgement, its messages, the command's outcome and the journal"
    assert outcome(plot) == DONE
    assert len(told(plot.requests)) == before + 1
    assert contradicted(plot.requests) == []
    assert lost(plot.database, plot.requests) == []


HUSHED = {
    "matchers": ["kind=budget"],
    "starts_at": BEGINS.isoformat(),
    "ends_at": (BEGINS + timedelta(hours=1)).isoformat(),
    "comment": "a drill",
}


def silences(plot: Plot) -> list[list[str]]:
    with closing(sqlite3.connect(f"file:{plot.database}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT payload FROM silences").fetchall()
        outcomes = connection.execute("SELECT substr(outcome, 1, 8) FROM commands WHERE what = ?", [ADD]).fetchall()
    return [[json.loads(row[0])["comment"] for row in rows], [row[0] for row in outcomes if row[0] is not None]]


@pytest.mark.slow  # what is carried out exactly once is shown by the one above, wherever it is killed
@pytest.mark.timeout(300)
def test_a_silence_is_made_exactly_once_and_with_what_it_holds_back(scene: Stage) -> None:
    plot = scene.plot("silences")
    assert plot.live([BEGINS]) == 0, scene.stable.said()
    before = len(told(plot.requests))
    with Store.open(f"sqlite:///{plot.database}") as store:
        (bound,) = store.organizations.all()
        store.commands.append(BEGINS, "ann", ADD, HUSHED, bound.id)
    ask(plot)  # without the silence, the reset would be told
    deaths = plot.folder / "deaths"
    deaths.touch()
    while (ended := plot.live([BEGINS, NEXT], deaths=deaths)) == KILLED:
        assert damage(plot.database) == [], deaths.read_text().splitlines()[-1]
        assert silences(plot) in ([[], []], [["a drill"], ["silenced"]]), "all of it, or nothing"
    assert ended == 0, scene.stable.said()
    assert any("silences" in line and "commands" in line for line in deaths.read_text().splitlines())
    assert silences(plot) == [["a drill"], ["silenced"]]
    assert len(told(plot.requests)) == before


def words(plot: Plot) -> list[list[str]]:
    """What is noted of alerts, what the commands came to, and what was noted in the alert itself."""
    with closing(sqlite3.connect(f"file:{plot.database}?mode=ro", uri=True)) as connection:
        noted = [json.loads(row[0])["verdict"] for row in connection.execute("SELECT payload FROM feedback")]
        asked = connection.execute("SELECT substr(outcome, 1, 10) FROM commands WHERE what = ?", [FEEDBACK]).fetchall()
        kept = connection.execute("SELECT payload FROM alerts WHERE id = 'a1'").fetchall()
    said = [json.loads(row[0])["judged"] for row in kept]
    return [noted, [row[0] for row in asked if row[0] is not None], [each["verdict"] for each in said if each]]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_feedback_is_noted_exactly_once_with_the_alert_and_what_follows_from_it(scene: Stage) -> None:
    plot = scene.plot("feedback")
    assert plot.live([BEGINS]) == 0, scene.stable.said()
    with Store.open(f"sqlite:///{plot.database}") as store:
        (bound,) = store.organizations.all()
        told = anomaly(state=State.RESOLVED, ends_at=BEGINS)
        subject = replace(told.subject, scope=replace(told.subject.scope, organization=bound.id))
        evidence = replace(told.evidence, since=BEGINS - timedelta(hours=3))  # type: ignore[call-arg]
        told = replace(told, subject=subject, starts_at=evidence.since, evidence=evidence)
        over = Transition("a1", BEGINS, State.FIRING, State.RESOLVED, "clear")
        store.remember(Judgement(alerts=(told,), transitions=(over,)))
        store.commands.append(BEGINS, "ann", FEEDBACK, {"alert": "a1", "verdict": "real", "comment": ""}, bound.id)
    deaths = plot.folder / "deaths"
    deaths.touch()
    while (ended := plot.live([BEGINS, NEXT], deaths=deaths)) == KILLED:
        assert damage(plot.database) == [], deaths.read_text().splitlines()[-1]
        assert words(plot) in ([[], [], []], [["real"], ["noted as r"], ["real"]]), "all of it, or nothing"
    assert ended == 0, scene.stable.said()
    assert any("feedback" in line and "commands" in line for line in deaths.read_text().splitlines())
    assert words(plot) == [["real"], ["noted as r"], ["real"]]
