"""Who may approve is told by an id where there is one: what somebody calls himself is no proof beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rules.action_requests import APPROVE, DENY, hear
from rules.actions import Action, ActionState, Cause
from rules.asked import Request
from rules.model import Scope
from rules.policy import Policy
from rules.situation import Situation

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ROW = Action(
    id="a1b2c3d4",
    organization="o",
    cause=Cause("budget", "organization", Scope("o"), "2026-11/100%"),
    what="deactivate",
    key="k1",
    key_name="loop",
    workspace="w1",
    workspace_name="lab",
    state=ActionState.PROPOSED,
    reason="It is too much.",
    mode="approve",
    amount=1,
    created_at=NOW,
    updated_at=NOW,
    expires_at=NOW + timedelta(minutes=30),
)
SITUATION = Situation("o", Policy(mode="approve", approvers=("U012345", "ops@example.com")), journal=(ROW,))


def outcome(what: str, actor: str, **details: str) -> str:
    request = Request(1, NOW, actor, what, {"action": ROW.id, "digest": ROW.digest, **details})
    (answer,) = hear([request], SITUATION, NOW).answers
    return answer.outcome


@pytest.mark.parametrize("what", [APPROVE, DENY])
def test_an_id_that_is_not_among_the_approvers_is_refused_whatever_its_owner_is_called(what: str) -> None:
    assert outcome(what, "ops@example.com", approver="U999").startswith("refused: ops@example.com is not among")
    assert outcome(what, "Ops (Slack U012345)", approver="U012345").startswith(("approved", "denied"))


@pytest.mark.parametrize("what", [APPROVE, DENY])
def test_on_the_command_line_who_asks_is_the_approver(what: str) -> None:
    assert outcome(what, "ops@example.com").startswith(("approved", "denied"))
    assert outcome(what, "bob").startswith("refused: bob is not among the approvers")


def test_without_approvers_whoever_can_ask_may_approve() -> None:
    anybody = replace(SITUATION, policy=Policy(mode="approve"))
    request = Request(1, NOW, "bob", APPROVE, {"action": ROW.id, "digest": ROW.digest})
    assert hear([request], anybody, NOW).rows[0].state is ActionState.APPROVED
