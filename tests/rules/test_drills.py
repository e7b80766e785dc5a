"""A drill ends with the key turned on again, unless something else is to be done to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rules.actions import Action, ActionState, Cause, What
from rules.keys import Key, Keys
from rules.model import Scope
from rules.policy import Policy
from rules.reactivation import reactivations
from rules.situation import Situation

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def done(ident: str, what: What, kind: str, at: datetime) -> Action:
    """A decision that was carried out at that moment."""
    return Action(
        id=ident,
        organization="o",
        cause=Cause(kind, "rule", Scope("o"), ident),  # type: ignore[arg-type]
        what=what,
        key="k",
        key_name="k",
        workspace="w",
        workspace_name="w",
        state=ActionState.CONFIRMED,
        reason="It is.",
        mode="auto",
        amount=0,
        created_at=at,
        updated_at=at,
        intent_at=at,
        sent_at=at,
        confirmed_at=at,
    )


def keys(status: str) -> Keys:
    return Keys({"k": Key("k", "k", "w", status, NOW)})


DRILL = done("drill", "deactivate", "drill", NOW - 10 * MINUTE)
LATER = done("later", "deactivate", "anomaly", NOW - 5 * MINUTE)


def again(*rows: Action) -> list[str]:
    situation = Situation("o", Policy(mode="auto"), journal=rows, keys=keys("inactive"))
    return [row.what for row in reactivations(situation, {row.id: row for row in rows}, NOW)]


def test_a_drill_ends_whatever_was_refused_for_the_key_meanwhile() -> None:
    assert again(DRILL) == ["reactivate"]
    refused = replace(LATER, state=ActionState.REFUSED, intent_at=None, sent_at=None, confirmed_at=None)
    assert again(DRILL, refused) == ["reactivate"]
    assert again(DRILL, replace(refused, state=ActionState.EXPIRED)) == ["reactivate"]


def test_a_drill_leaves_off_what_was_turned_off_for_another_cause_or_is_about_to_be() -> None:
    assert again(DRILL, LATER) == []
    waiting = replace(LATER, state=ActionState.PROPOSED, intent_at=None, sent_at=None, confirmed_at=None)
    assert again(DRILL, waiting) == []
