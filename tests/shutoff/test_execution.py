"""Carrying out an intent: looked at, done once, read back, whatever the API answers and wherever it is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from rules.actions import Action, ActionState, Cause, Look, action_id
from rules.model import Notification, Reason, Scope
from tests.rules.offending import MINUTE, NOW
from tests.shutoff.api import Fault, KeyApi, Killed
from watcher.shutoff import Shutoff, Surroundings
from watcher.store import Judgement, Store

ORG = "org-1"


@dataclass
class Stage:
    """A journal with one intent, and an API with its key."""

    store: Store
    api: KeyApi
    now: datetime = NOW
    brake: str = ""
    against: str = ""
    told: list[Action] = field(default_factory=list)
    judged: list[Action] = field(default_factory=list)
    """What the data were read again for."""

    def carry_out(self) -> Action | None:
        """One cycle; None where it was killed."""
        around = Surroundings(
            clock=lambda: self.now,
            brake=lambda: self.brake,
            stands=self._stands,
            tell=self._tell,
        )
        try:
            Shutoff(self.store, ORG, *self.api.hands, around).carry_out()
        except Killed:
            return None
        return self.row

    def _stands(self, row: Action) -> str:
        self.judged.append(row)
        return self.against

    def _tell(self, row: Action) -> tuple[()]:
        self.told.append(row)
        return ()

    @property
    def row(self) -> Action:
        (row,) = self.store.actions.all(ORG)
        return row


def quiet() -> Surroundings:
    """Where nothing speaks against anything."""
    return Surroundings(lambda: NOW, lambda: "", lambda _row: "", lambda _row: ())


def intent(what: str = "deactivate", kind: str = "budget") -> Action:
    cause = Cause(kind, "limit", Scope(ORG), "2026-11/100")  # type: ignore[arg-type]
    return Action(
        id=action_id(cause, "key-1", what),  # type: ignore[arg-type]
        organization=ORG,
        cause=cause,
        what=what,  # type: ignore[arg-type]
        key="key-1",
        key_name="batch",
        workspace="wrk-a",
        workspace_name="A",
        state=ActionState.INTENT,
        reason="Too much.",
        mode="auto",
        amount=1,
        created_at=NOW,
        updated_at=NOW,
        intent_at=NOW,
    )


@pytest.fixture
def stage(store: Store) -> Iterator[Stage]:
    store.remember(Judgement(organization=ORG, actions=(intent(),), at=NOW))
    return Stage(store, KeyApi({"key-1": "active"}))


def prepared(stage: Stage, row: Action) -> Stage:
    stage.store.remember(Judgement(organization=ORG, actions=(row,), at=NOW))
    return stage


def test_a_key_is_looked_at_changed_once_and_read_back(stage: Stage) -> None:
    row = stage.carry_out()
    assert row is not None
    assert (row.state, row.sent_at, row.confirmed_at) == (ActionState.CONFIRMED, NOW, NOW)
    assert row.before is not None
    assert row.after is not None
    assert (row.before.status, row.after.status) == ("active", "inactive")
    assert stage.api.asked == [("GET", "key-1"), ("POST", "key-1"), ("GET", "key-1")]
    assert stage.told == [row]
    (listed,) = stage.store.directory.api_keys(ORG)
    assert listed.status == "inactive"


def test_what_has_ended_is_not_touched_again(stage: Stage) -> None:
    stage.carry_out()
    stage.api.keys["key-1"] = "active"
    stage.now += timedelta(hours=1)
    stage.carry_out()
    assert stage.api.writes == [("key-1", "inactive")]


@pytest.mark.parametrize("status", ["inactive", "archived", "expired"])
def test_a_key_that_is_off_already_is_left_as_it_is(stage: Stage, status: str) -> None:
    stage.api.keys["key-1"] = status
    row = stage.carry_out()
    assert row is not None
    assert (row.state, row.reason) == (ActionState.REFUSED, f"The key is {status} already.")
    assert not stage.api.writes


def test_a_key_that_the_api_does_not_know_is_refused(stage: Stage) -> None:
    del stage.api.keys["key-1"]
    row = stage.carry_out()
    assert row is not None
    assert row.state is ActionState.REFUSED
    assert "cannot be read" in row.reason


def test_what_is_not_borne_out_goes_back_to_be_judged_again(stage: Stage) -> None:
    stage.against = "what was read again is less"
    intended = stage.row
    row = stage.carry_out()
    assert row is not None
    assert stage.judged == [intended]
    assert (row.state, row.waits, row.intent_at) == (ActionState.PROPOSED, "what was read again is less", None)
    assert not stage.api.writes
    assert not stage.told


def test_what_was_approved_and_is_not_borne_out_stays_approved(stage: Stage) -> None:
    prepared(stage, replace(stage.row, approved_at=NOW))
    stage.against = "what was read again is less"
    row = stage.carry_out()
    assert row is not None
    assert row.state is ActionState.APPROVED


def test_a_person_who_turned_the_key_on_wins_also_over_a_second_intent_of_the_same_cycle(stage: Stage) -> None:
    other = replace(stage.row, id="other", cause=replace(stage.row.cause, instance="2026-11/120"))
    prepared(stage, other)
    stage.api.faults = [None, None, None, "killed before"]
    with suppress(Killed):
        Shutoff(stage.store, ORG, *stage.api.hands, quiet()).carry_out()
    assert stage.api.writes == [("key-1", "inactive")]
    stage.api.keys["key-1"] = "active"
    Shutoff(stage.store, ORG, *stage.api.hands, quiet()).carry_out()
    done, refused = sorted(stage.store.actions.all(ORG), key=lambda row: row.state)
    assert (done.state, refused.state) == (ActionState.CONFIRMED, ActionState.REFUSED)
    why = "Somebody turned the key back on after this program had deactivated it: it is left alone."
    assert (refused.reason, refused.before) == (why, Look(NOW, "active", "key-1"))
    assert stage.api.writes == [("key-1", "inactive")]


@pytest.mark.parametrize("kind", ["hand", "drill", "reset"])
def test_what_a_person_asked_for_needs_no_data(stage: Stage, kind: str) -> None:
    cause = replace(stage.row.cause, kind=kind)  # type: ignore[arg-type]
    prepared(stage, replace(stage.row, cause=cause))
    stage.against = "what was read again is less"
    row = stage.carry_out()
    assert row is not None
    assert row.state is ActionState.CONFIRMED


def test_the_brake_stops_what_is_on_its_way(stage: Stage) -> None:
    stage.brake = "actions are paused"
    row = stage.carry_out()
    assert row is not None
    assert (row.state, row.reason) == (ActionState.REFUSED, "It was held back just before: actions are paused.")
    assert stage.api.asked == []


def test_a_brake_between_the_look_and_the_write_still_stops_it(stage: Stage) -> None:
    answers = iter(["", "actions are paused"])
    around = Surroundings(lambda: NOW, lambda: next(answers), lambda _row: "", lambda _row: ())
    Shutoff(stage.store, ORG, *stage.api.hands, around).carry_out()
    assert stage.row.state is ActionState.REFUSED
    assert stage.api.asked == [("GET", "key-1")]


def test_an_intent_of_a_quarter_of_an_hour_is_abandoned_and_told(stage: Stage) -> None:
    stage.now += 15 * MINUTE
    row = stage.carry_out()
    assert row is not None
    assert row.state is ActionState.ABANDONED
    assert stage.told == [row]
    assert stage.api.asked == []


def test_one_that_came_back_is_turned_on(stage: Stage, store: Store) -> None:
    stage.api.keys["key-1"] = "inactive"
    gone = replace(stage.row, state=ActionState.CONFIRMED)
    prepared(stage, gone)
    again = intent("reactivate", "reset")
    prepared(stage, again)
    stage_rows = stage.store.actions.under_way(ORG)
    assert [row.what for row in stage_rows] == ["reactivate"]
    around = Surroundings(lambda: NOW, lambda: "", lambda _row: "", lambda _row: ())
    Shutoff(store, ORG, *stage.api.hands, around).carry_out()
    assert stage.api.writes == [("key-1", "active")]


def test_what_is_halted_is_left_as_it_is_for_the_next_configuration(stage: Stage) -> None:
    around = replace(quiet(), halted=lambda: True)
    (row,) = Shutoff(stage.store, ORG, *stage.api.hands, around).carry_out()
    assert row == stage.row
    assert (row.state, stage.api.asked) == (ActionState.INTENT, [])


def test_a_halt_between_the_look_and_the_write_leaves_it_looked_at(stage: Stage) -> None:
    answers = iter([False, True])
    around = replace(quiet(), halted=lambda: next(answers))
    Shutoff(stage.store, ORG, *stage.api.hands, around).carry_out()
    assert (stage.row.state, stage.api.writes) == (ActionState.LOOKED, [])
    stage.carry_out()
    assert stage.row.state is ActionState.CONFIRMED


def test_what_was_seen_of_the_key_is_kept_however_it_ends(stage: Stage) -> None:
    stage.api.keys["key-1"] = "archived"
    stage.now += MINUTE
    row = stage.carry_out()
    assert row is not None
    assert row.before is not None
    assert (row.before.status, row.before.at, row.updated_at, row.waits) == ("archived", stage.now, stage.now, "")


def test_what_is_abandoned_after_it_was_sent_says_how_the_key_was_last_seen(stage: Stage) -> None:
    stage.api.faults = [None, "lost before"]
    stage.carry_out()
    stage.now += 15 * MINUTE
    row = stage.carry_out()
    assert row is not None
    assert row.after is not None
    assert row.after.status == "active"


def test_what_is_too_late_says_so_in_a_sentence(stage: Stage) -> None:
    prepared(stage, replace(stage.row, waits="something"))
    stage.now += 15 * MINUTE
    row = stage.carry_out()
    assert row is not None
    assert row.reason == "It was not carried out within 15 minutes, so it is not."
    assert row.waits == ""


def test_the_message_about_an_end_is_kept_with_it(stage: Stage) -> None:
    letter = Notification("n1", "ops", Reason.ACTION, (), NOW, "Acme")
    Shutoff(stage.store, ORG, *stage.api.hands, replace(quiet(), tell=lambda _row: (letter,))).carry_out()
    assert [row.notification.id for row in stage.store.outbox.due(NOW, "ops")] == ["n1"]


# ---------------------------------------------------------------------------------------------- what the API answers


def test_an_api_that_does_not_answer_the_look_leaves_it_for_the_next_cycle(stage: Stage) -> None:
    stage.api.faults = ["unavailable"]
    assert stage.carry_out() is not None
    assert stage.row.state is ActionState.INTENT
    assert stage.carry_out() is not None
    assert stage.row.state is ActionState.CONFIRMED


def test_a_refusal_ends_it_with_the_api_s_own_words(stage: Stage) -> None:
    stage.api.faults = [None, "refused"]
    row = stage.carry_out()
    assert row is not None
    assert row.state is ActionState.REFUSED
    assert "it may not be changed" in row.reason
    assert not stage.api.writes


def test_after_a_rate_limit_the_same_intent_is_tried_once_more(stage: Stage) -> None:
    stage.api.faults = [None, "limited"]
    stage.carry_out()
    assert (stage.row.state, stage.row.sent_at) == (ActionState.INTENT, None)
    stage.carry_out()
    assert stage.row.state is ActionState.CONFIRMED
    assert stage.api.writes == [("key-1", "inactive")]


@pytest.mark.parametrize("fault", ["lost after", "unavailable", "lost before"])
def test_a_lost_answer_is_settled_by_reading_the_key(stage: Stage, fault: Fault) -> None:
    stage.api.faults = [None, fault]
    stage.carry_out()
    done = fault == "lost after"
    assert stage.row.state is (ActionState.CONFIRMED if done else ActionState.SENT)
    stage.carry_out()
    assert [method for method, _ in stage.api.asked].count("POST") == 1


@pytest.mark.parametrize("fault", ["unavailable", "lost before"])
def test_what_was_sent_and_never_shows_is_abandoned_after_a_quarter_of_an_hour(stage: Stage, fault: Fault) -> None:
    stage.api.faults = [None, fault]
    stage.carry_out()
    stage.now += 15 * MINUTE
    row = stage.carry_out()
    assert row is not None
    assert row.state is ActionState.ABANDONED
    assert "15 minutes later the key is active" in row.reason
    assert stage.told == [row]
    assert [method for method, _ in stage.api.asked].count("POST") == 1


def test_what_was_sent_and_cannot_be_read_for_a_quarter_of_an_hour_says_so(stage: Stage) -> None:
    stage.api.faults = [None, "lost after", "unavailable"]
    stage.carry_out()
    assert stage.row.state is ActionState.SENT
    stage.now += 15 * MINUTE
    stage.api.faults = ["unavailable"]
    row = stage.carry_out()
    assert row is not None
    assert row.state is ActionState.ABANDONED
    assert "Look at it in the Console" in row.reason


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("fault", ["killed before", "killed after"])
def test_a_kill_at_any_request_leads_to_one_write_and_a_record_of_it(stage: Stage, at: int, fault: Fault) -> None:
    stage.api.faults = [*[None] * at, fault]
    assert stage.carry_out() is None
    for _ in range(3):
        stage.carry_out()
    stage.now += 15 * MINUTE
    row = stage.carry_out()
    assert row is not None
    assert [method for method, _ in stage.api.asked].count("POST") <= 1 or fault == "killed before"
    assert len(stage.api.writes) <= 1
    done = bool(stage.api.writes)
    assert row.state is (ActionState.CONFIRMED if done else ActionState.ABANDONED)
    assert stage.api.keys["key-1"] == ("inactive" if done else "active")


def test_two_programs_on_one_journal_write_once(stage: Stage) -> None:
    row = stage.row
    around = Surroundings(lambda: NOW, lambda: "", lambda _row: "", lambda _row: ())
    first = Shutoff(stage.store, ORG, *stage.api.hands, around)
    second = Shutoff(stage.store, ORG, *stage.api.hands, around)
    first.carry_out()
    second._carry(row)
    assert stage.api.writes == [("key-1", "inactive")]
