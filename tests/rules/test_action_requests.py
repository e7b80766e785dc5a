"""What people ask about actions: who may, what it changes, and what each of them is answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from rules.action_requests import (
    APPROVE,
    DEACTIVATE,
    DENY,
    DRILL,
    PAUSE,
    PROTECT,
    REACTIVATE,
    RESUME,
    UNPROTECT,
    WHAT,
    Heard,
    hear,
)
from rules.actions import OPEN, Action, ActionState
from rules.asked import Request
from rules.policy import NO_BRAKE, Brake, Protect
from rules.protection import BY_HAND, Examined
from rules.situation import Situation
from tests.rules.offending import AUTO, MINUTE, NOW, after, offence, planned, situation

_numbers = count(1)


def request(what: str, actor: str = "ana", **details: Any) -> Request:
    return Request(next(_numbers), NOW, actor, what, details)


def asked(at: Situation, what: str, actor: str = "ana", later: int = 1, **details: Any) -> Heard:
    return hear([request(what, actor, **details)], at, NOW + later * MINUTE)


def answer(heard: Heard) -> str:
    (only,) = heard.answers
    (act,) = heard.acts
    assert act.details["outcome"] == only.outcome
    assert only.done is not only.outcome.startswith("refused")
    return only.outcome


@pytest.fixture
def waiting() -> tuple[Situation, Action]:
    """A proposal that waits for approval."""
    at = situation(offence("key-1"), policy=replace(AUTO, mode="approve"))
    (row,) = planned(at)
    return after(at, [row]), row


def test_an_approval_by_its_digest_is_kept_with_who_gave_it(waiting: tuple[Situation, Action]) -> None:
    at, row = waiting
    heard = asked(at, APPROVE, action=row.id, digest=row.digest)
    (changed,) = heard.rows
    assert (changed.state, changed.by, changed.approved_at) == (ActionState.APPROVED, "ana", NOW + MINUTE)
    assert answer(heard) == "approved: key-1"


def test_an_approval_of_something_else_than_is_there_now_is_refused(waiting: tuple[Situation, Action]) -> None:
    at, row = waiting
    heard = asked(at, APPROVE, action=row.id, digest="000000000000")
    assert not heard.rows
    assert "has changed since it was shown" in answer(heard)


@pytest.mark.parametrize("change", [{"amount": 1}, {"reason": "x"}, {"expires_at": NOW}, {"key": "key-2"}])
def test_the_digest_is_of_key_reason_amount_and_expiry(
    waiting: tuple[Situation, Action], change: dict[str, Any]
) -> None:
    _, row = waiting
    assert replace(row, **change).digest != row.digest
    assert replace(row, waits="something", updated_at=NOW + MINUTE).digest == row.digest


def test_an_approval_is_good_once(waiting: tuple[Situation, Action]) -> None:
    at, row = waiting
    heard = asked(at, APPROVE, action=row.id, digest=row.digest)
    again = asked(after(at, heard.rows), APPROVE, "ben", action=row.id, digest=row.digest)
    assert not again.rows
    assert answer(again) == "refused: ana has approved it already"


def test_an_approval_after_half_an_hour_is_too_late(waiting: tuple[Situation, Action]) -> None:
    at, row = waiting
    assert asked(at, APPROVE, later=29, action=row.id, digest=row.digest).rows
    late = asked(at, APPROVE, later=30, action=row.id, digest=row.digest)
    assert not late.rows
    assert "time for approving it is over" in answer(late)


@pytest.mark.parametrize("state", [state for state in ActionState if state not in OPEN])
def test_what_has_ended_can_neither_be_approved_nor_denied(
    waiting: tuple[Situation, Action], state: ActionState
) -> None:
    at, row = waiting
    ended = after(at, [replace(row, state=state, reason="so it is")])
    for what in (APPROVE, DENY):
        heard = asked(ended, what, action=row.id, digest=row.digest)
        assert not heard.rows
        assert f"it is {state.value} (so it is)" in answer(heard)


@pytest.mark.parametrize("state", [ActionState.INTENT, ActionState.LOOKED, ActionState.SENT])
def test_what_has_begun_can_neither_be_approved_nor_denied(
    waiting: tuple[Situation, Action], state: ActionState
) -> None:
    at, row = waiting
    begun = after(at, [replace(row, state=state)])
    for what in (APPROVE, DENY):
        assert answer(asked(begun, what, action=row.id, digest=row.digest)) == "refused: it has been begun already"


def test_a_denial_ends_it_and_is_remembered(waiting: tuple[Situation, Action]) -> None:
    at, row = waiting
    heard = asked(at, DENY, action=row.id, comment="a launch")
    (changed,) = heard.rows
    assert (changed.state, changed.reason, changed.by) == (ActionState.REFUSED, "ana said no: a launch.", "ana")
    assert answer(heard) == "denied: key-1 stays active, and is not asked about again for the same cause"
    assert not planned(after(at, heard.rows), NOW + 5 * MINUTE)


def test_a_denial_in_the_grace_of_an_automatic_action_stops_it() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, grace=15 * MINUTE))
    (row,) = planned(at)
    heard = asked(after(at, [row]), DENY, action=row.id)
    assert heard.rows[0].reason == "ana said no."
    assert not planned(after(at, heard.rows), NOW + 20 * MINUTE)


def test_an_approval_in_the_grace_of_an_automatic_action_ends_the_waiting() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, grace=15 * MINUTE))
    (row,) = planned(at)
    heard = asked(after(at, [row]), APPROVE, action=row.id, digest=row.digest)
    (begun,) = planned(after(at, heard.rows), NOW + MINUTE)
    assert (begun.state, begun.by) == (ActionState.INTENT, "ana")


def test_only_approvers_decide_where_there_are_any(waiting: tuple[Situation, Action]) -> None:
    at, row = waiting
    few = replace(at, policy=replace(at.policy, approvers=("U012345", "ops@example.com")))
    details = {"action": row.id, "digest": row.digest}
    assert answer(asked(few, APPROVE, "ana", **details)) == "refused: ana is not among the approvers in [shutoff]"
    assert answer(asked(few, DENY, "ana", action=row.id)) == "refused: ana is not among the approvers in [shutoff]"
    assert asked(few, APPROVE, "ops@example.com", **details).rows
    assert asked(few, APPROVE, "Ana (Slack U012345)", approver="U012345", **details).rows


def test_a_dry_run_cannot_be_approved() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, mode="dry_run", grace=15 * MINUTE))
    (row,) = planned(at)
    heard = asked(after(at, [row]), APPROVE, action=row.id, digest=row.digest)
    assert "dry_run" in answer(heard)
    assert not heard.rows


# ---------------------------------------------------------------------------------------------- the brake


def test_a_brake_holds_until_it_is_let_go_or_its_time_is_over() -> None:
    until = (NOW + timedelta(hours=2)).isoformat()
    heard = asked(situation(), PAUSE, until=until, comment="a launch")
    assert heard.brake == Brake(NOW + timedelta(hours=2), "ana", NOW + MINUTE, "a launch")
    assert answer(heard) == "actions are paused until 2026-11-20 14:03 UTC (a launch)"
    assert heard.brake.holds(NOW + timedelta(minutes=119))
    assert not heard.brake.holds(NOW + timedelta(minutes=120))
    endless = asked(situation(), PAUSE, until=None)
    assert endless.brake.holds(NOW + timedelta(days=1000))
    assert answer(endless) == "actions are paused (ana)"


def test_letting_go_ends_the_brake_and_where_there_is_none_that_is_said() -> None:
    held = situation(brake=Brake(None, "ana", NOW))
    heard = asked(held, RESUME)
    assert (heard.brake, answer(heard)) == (NO_BRAKE, "actions are allowed again")
    assert answer(asked(situation(), RESUME)) == "refused: actions are not paused"


def test_a_brake_whose_time_was_over_before_it_came_is_refused() -> None:
    heard = asked(situation(), PAUSE, until=NOW.isoformat())
    assert heard.brake == NO_BRAKE
    assert answer(heard) == "refused: its time was over before it was carried out"


# ---------------------------------------------------------------------------------------------- by hand


@pytest.mark.parametrize(("what", "kind"), [(DEACTIVATE, "hand"), (REACTIVATE, "hand"), (DRILL, "drill")])
def test_what_a_person_asks_for_by_hand_is_an_intent_at_once(what: str, kind: str) -> None:
    heard = asked(situation(), what, key="key-1", reason="it leaked")
    (row,) = heard.rows
    assert (row.key, row.state, row.by, row.reason) == ("key-1", ActionState.INTENT, "ana", "it leaked")
    assert row.what == ("reactivate" if what == REACTIVATE else "deactivate")
    assert (row.cause.kind, row.cause.scope.api_key, row.intent_at) == (kind, "key-1", NOW + MINUTE)
    assert (row.workspace, row.workspace_name, row.mode, row.amount) == ("wrk-a", "wrk-a", "auto", 0)
    assert answer(heard) == f"to be {row.what}d: key-1"


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (situation(policy=replace(AUTO, mode="off")), 'mode = "off"'),
        (situation(brake=Brake(None, "ana", NOW)), "actions are paused"),
        (situation(policy=replace(AUTO, protect=Protect(api_key=("key-1",)))), "protected"),
    ],
)
def test_by_hand_nothing_is_done_that_is_off_paused_or_protected(at: Situation, words: str) -> None:
    heard = asked(at, DEACTIVATE, key="key-1", reason="it leaked")
    assert not heard.rows
    assert words in answer(heard)


def test_a_protected_key_can_be_turned_on_by_hand() -> None:
    at = situation(policy=replace(AUTO, protect=Protect(api_key=("key-1",))))
    assert asked(at, REACTIVATE, key="key-1", reason="it is needed").rows


def test_of_a_key_that_is_not_there_nothing_is_done() -> None:
    assert answer(asked(situation(), DEACTIVATE, key="key-9", reason="x")) == "refused: there is no key 'key-9'"


def test_two_requests_for_one_key_do_not_get_in_each_other_s_way() -> None:
    some = [request(DEACTIVATE, key="key-1", reason="a"), request(REACTIVATE, key="key-1", reason="b")]
    heard = hear(some, situation(), NOW)
    assert len(heard.rows) == 1
    assert "being done to this key" in heard.answers[1].outcome


# ---------------------------------------------------------------------------------------------- protection


@pytest.mark.parametrize(("what", "taken"), [(PROTECT, True), (UNPROTECT, False)])
@pytest.mark.parametrize(("kind", "ident"), [("api_key", "key-1"), ("workspace", "wrk-a")])
def test_somebody_protects_a_key_or_a_workspace_or_lets_it_go(what: str, taken: bool, kind: str, ident: str) -> None:
    heard = _protection(what, kind, ident)
    assert heard.protections == (Examined(kind, ident, BY_HAND, taken, NOW + MINUTE, "ana"),)  # type: ignore[arg-type]
    assert answer(heard).endswith(ident)


def _protection(what: str, kind: str, ident: str) -> Heard:
    return hear([Request(1, NOW, "ana", what, {"what": kind, "id": ident})], situation(), NOW + MINUTE)


def test_what_is_not_there_cannot_be_protected() -> None:
    assert answer(_protection(PROTECT, "api_key", "key-9")) == "refused: there is no key 'key-9'"
    assert answer(_protection(PROTECT, "workspace", "wrk-9")) == "refused: there is no workspace 'wrk-9'"


# ---------------------------------------------------------------------------------------------- what cannot be read


@pytest.mark.parametrize("what", sorted(WHAT - {RESUME, PAUSE}))
@pytest.mark.parametrize("details", [{}, {"action": None, "key": None, "what": None, "id": None, "reason": None}])
def test_a_request_that_cannot_be_read_is_answered_and_changes_nothing(what: str, details: dict[str, Any]) -> None:
    heard = hear([Request(1, NOW, "ana", what, details)], situation(), NOW)
    assert answer(heard).startswith("refused")
    assert not heard.rows
    assert not heard.protections


@pytest.mark.parametrize("until", [3, "soon", "2026-11-20T14:00:00"])
def test_a_brake_that_cannot_be_read_is_refused(until: object) -> None:
    heard = asked(situation(), PAUSE, until=until)
    assert answer(heard) == "refused: it cannot be read"
    assert heard.brake == NO_BRAKE


def test_what_others_answer_is_left_to_them() -> None:
    assert hear([request("ack", alert="x")], situation(), NOW) == Heard((), NO_BRAKE)


@pytest.mark.parametrize("what", [DEACTIVATE, REACTIVATE, DRILL])
def test_what_was_asked_by_hand_hours_ago_is_not_done_any_more(what: str) -> None:
    late = asked(situation(), what, later=121, key="key-1", reason="leaked")
    assert not late.rows
    assert answer(late).startswith(f"refused: it was asked at {NOW:%d %B %H:%M} UTC, too long ago")
    assert asked(situation(), what, later=120, key="key-1", reason="leaked").rows


def test_a_brake_is_put_on_however_long_ago_it_was_asked_for() -> None:
    assert asked(situation(), PAUSE, later=3000).brake.holds(NOW + 3000 * MINUTE)
