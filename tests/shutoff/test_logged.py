"""What the log says of each way in which carrying out an intent can go: which action, which key, and why."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator, Mapping

import pytest

from rules.actions import Action, ActionState
from tests.rules.offending import MINUTE, NOW
from tests.shutoff.api import Fault, KeyApi
from tests.shutoff.test_execution import ORG, Stage, intent
from watcher import logs
from watcher.store import Judgement, Store

INTENT = intent()
CHANGED = {"level": "info", "event": "a key is being changed", "to": "inactive"}
WAITS = "an action on a key waits: the API does not answer"
UNKNOWN = "whether a key was changed is not known; it is read instead"
NOT_TAKEN = "the API did not change a key"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    lines = io.StringIO()
    logs.configure("info", "json", lines)
    yield lines
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def stage(store: Store) -> Stage:
    store.remember(Judgement(organization=ORG, actions=(INTENT,), at=NOW))
    return Stage(store, KeyApi({"key-1": "active"}))


def said(stream: io.StringIO, row: Action = INTENT) -> list[Mapping[str, str]]:
    """The lines, without what all of them must say: when, where in the program, which action and which key."""
    own = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert all((line.pop("action"), line.pop("key")) == (row.id, row.key) and line.pop("timestamp") for line in own)
    stream.truncate(0)
    stream.seek(0)
    return own


def ended(state: ActionState, why: str) -> Mapping[str, str]:
    return {"level": "info", "event": "an action on a key has ended", "state": state.value, "why": why}


def test_a_change_that_was_made_is_said_before_it_and_after_it(stage: Stage, stream: io.StringIO) -> None:
    stage.carry_out()
    assert said(stream) == [CHANGED, ended(ActionState.CONFIRMED, "Too much.")]


def test_a_key_that_is_turned_on_again_is_said_to_become_active(store: Store, stream: io.StringIO) -> None:
    again = intent("reactivate", "reset")
    store.remember(Judgement(organization=ORG, actions=(again,), at=NOW))
    Stage(store, KeyApi({"key-1": "inactive"})).carry_out()
    assert said(stream, again) == [CHANGED | {"to": "active"}, ended(ActionState.CONFIRMED, "Too much.")]


def test_what_a_brake_holds_back_is_said_with_the_brake(stage: Stage, stream: io.StringIO) -> None:
    stage.brake = "actions are paused (an audit)"
    stage.carry_out()
    why = "It was held back just before: actions are paused (an audit)."
    assert said(stream) == [ended(ActionState.REFUSED, why)]


def test_what_is_judged_again_is_said_with_what_the_data_say(stage: Stage, stream: io.StringIO) -> None:
    stage.against = "what was read again is less"
    stage.carry_out()
    event = "an action on a key is judged again"
    assert said(stream) == [{"level": "info", "event": event, "why": "what was read again is less"}]


def test_an_api_that_does_not_answer_the_look_is_said_with_its_error(stage: Stage, stream: io.StringIO) -> None:
    stage.api.faults = ["unavailable"]
    stage.carry_out()
    (line,) = said(stream)
    assert (line["level"], line["event"]) == ("warning", WAITS)
    assert "busy" in line["why"]


@pytest.mark.parametrize(
    ("fault", "why"), [("lost before", "no way"), ("lost after", "no answer within 5 s"), ("unavailable", "busy")]
)
def test_a_lost_answer_is_said_with_what_became_of_it(
    stage: Stage, stream: io.StringIO, fault: Fault, why: str
) -> None:
    stage.api.faults = [None, fault]
    stage.carry_out()
    first, unknown, *rest = said(stream)
    assert first == CHANGED
    assert (unknown["level"], unknown["event"]) == ("warning", UNKNOWN)
    assert why in unknown["why"]
    assert rest == ([ended(ActionState.CONFIRMED, "Too much.")] if fault == "lost after" else [])


@pytest.mark.parametrize(("fault", "why"), [("refused", "it may not be changed"), ("limited", "too many")])
def test_what_the_api_did_not_take_is_said_with_its_words(
    stage: Stage, stream: io.StringIO, fault: Fault, why: str
) -> None:
    stage.api.faults = [None, fault]
    stage.carry_out()
    first, refused, *rest = said(stream)
    assert first == CHANGED
    assert (refused["level"], refused["event"]) == ("warning", NOT_TAKEN)
    assert why in refused["why"]
    assert [line["state"] for line in rest] == (["refused"] if fault == "refused" else [])


def test_what_is_abandoned_is_said_with_how_the_key_was_last_seen(stage: Stage, stream: io.StringIO) -> None:
    stage.api.faults = [None, "lost before"]
    stage.carry_out()
    stage.now += 15 * MINUTE
    said(stream)
    stage.carry_out()
    why = "It was sent, and 15 minutes later the key is active. It is not sent again."
    assert said(stream) == [ended(ActionState.ABANDONED, why)]
