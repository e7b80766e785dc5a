"""What is told of actions on keys, as the guard and shutoff leave it in the journal: for the gallery and tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any, Literal

from benchmarks.gallery_samples import NOW, notification, organization_budget, runaway_key, usd
from rules.actions import NO_KEY, Action, ActionEvidence, ActionNews, ActionState, Cause, action_id
from rules.model import Alert, Notification, Reason, Scope, State
from rules.policy import Brake

MINUTE = timedelta(minutes=1)
ADA = "Ada (Slack U0123456789)"
PROTECTED = 'The key is protected: protect.api_key names it ("prod-*").'
Event = Literal["planned", "ended", "paused", "resumed"]


def action(alert: Alert | None = None, **otherwise: Any) -> Action:
    """The plan to deactivate the runaway key in a quarter of an hour, or what differs from it."""
    about = alert or runaway_key()
    scope = about.subject.scope
    key = otherwise.pop("key", scope.api_key or "apikey_01ReportBuilder0000001")
    cause = otherwise.pop("cause", Cause("anomaly", about.subject.rule, scope, about.id))
    plan = Action(
        id=action_id(cause, key, "deactivate"),
        organization=scope.organization,
        cause=cause,
        what="deactivate",
        key=key,
        key_name=about.names.get(key, "report-builder"),
        workspace="wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ",
        workspace_name="Production",
        state=ActionState.PROPOSED,
        reason=f"{about.summary} $296.00 of it are surely too much.",
        mode="auto",
        amount=usd(296),
        created_at=NOW,
        updated_at=NOW,
        alert=about.id,
        evidence=evidence(),
        due_at=NOW + 15 * MINUTE,
        waits="somebody may still say no",
    )
    return replace(plan, **otherwise)


def evidence(**otherwise: Any) -> ActionEvidence:
    """Four hours of the runaway key, none of them settled."""
    found = ActionEvidence(
        since=NOW - timedelta(hours=4, minutes=8),
        observed=usd(380.5),
        certain=usd(306.5),
        bound=usd(10.5),
        key_observed=usd(380.5),
        key_expected=usd(10.5),
        share=1.0,
        confidence=1.0,
        error=0.2,
        data_as_of=NOW - 8 * MINUTE,
    )
    return replace(found, **otherwise)


def asking(alert: Alert | None = None, **otherwise: Any) -> Action:
    """The same plan where somebody must approve it."""
    waits: dict[str, Any] = {"mode": "approve", "expires_at": NOW + 30 * MINUTE, "waits": "somebody must approve it"}
    return action(alert, **{**waits, **otherwise})


def done(**otherwise: Any) -> Action:
    """The same plan, carried out."""
    state: dict[str, Any] = {
        "state": ActionState.CONFIRMED,
        "waits": "",
        "confirmed_at": NOW + 17 * MINUTE,
        "sent_at": NOW,
    }
    return action(**{**state, **otherwise})


def five_keys() -> tuple[Alert, tuple[Action, ...]]:
    """A budget of the organization that five keys have passed together; one of them is protected."""
    alert = organization_budget()
    cause = Cause("budget", "organization", Scope(alert.subject.scope.organization), alert.subject.instance)
    keys = [f"apikey_01Batch{number:019d}" for number in range(5)]
    shared = evidence(share=0.83, confidence=0.94, observed=usd(9300), certain=usd(9100), bound=usd(8000))
    rows = [
        asking(alert, cause=cause, key=key, key_name=f"batch-{number}", evidence=shared, amount=usd(1100))
        for number, key in enumerate(keys)
    ]
    rows[4] = replace(rows[4], state=ActionState.REFUSED, reason=PROTECTED, waits="")
    return alert, tuple(rows)


def told(
    *rows: Action, event: Event = "planned", later: int = 0, reason: Reason = Reason.ACTION, **more: Any
) -> Notification:
    """One message of news about the runaway key, or about `alerts`, so many minutes later."""
    alerts = more.pop("alerts", (runaway_key(),))
    letter = notification(*alerts, reason=reason)
    news = ActionNews(event, tuple(rows), more.pop("brake", None))
    return replace(letter, news=news, created_at=NOW + later * MINUTE, **more)


@cache
def typical_actions() -> dict[str, Notification]:
    """The messages about actions that a reader meets, by what they are about."""
    alert, rows = five_keys()
    over: dict[str, Any] = {"event": "ended", "later": 18}
    refused = action(state=ActionState.REFUSED, reason=PROTECTED, waits="")
    doubt = action(state=ActionState.ABANDONED, sent_at=NOW, reason="It was sent, and 15 minutes later it is active.")
    said_no = replace(asking(), state=ActionState.REFUSED, by=ADA, reason=f"{ADA} said no: the migration.", waits="")
    dry = action(mode="dry_run", state=ActionState.REFUSED, reason="Dry run: the key would have been deactivated now.")
    hand = Cause("hand", "", runaway_key().subject.scope, "7")
    drill = replace(hand, kind="drill")
    by_hand: dict[str, Any] = {"by": ADA, "evidence": None, "amount": 0, "alert": ""}
    late = asking(state=ActionState.EXPIRED, reason="Nobody approved it within 30 minutes.", waits="")
    return {
        "A runaway key that is stopped unless someone says no": told(action(), reason=Reason.FIRST),
        "The same plan alone": told(action()),
        "A key to approve": told(asking()),
        "Five keys behind a budget, one of them protected": told(*rows, alerts=(alert,)),
        "A plan in a dry run": told(dry),
        "A plan that was refused": told(refused),
        "No key is touched": told(
            action(
                key=NO_KEY, key_name="", state=ActionState.REFUSED, reason="No key is touched: it is spread over many."
            )
        ),
        "A key is off": told(done(), **over),
        "A key is off, as approved": told(done(by=ADA, approved_at=NOW + 9 * MINUTE), **over),
        "Somebody said no": told(said_no, **over),
        "Nobody approved it": told(late, event="ended", later=31),
        "Nobody knows whether it is off": told(doubt, **over),
        "A key deactivated by hand": told(done(cause=hand, reason="leaked", **by_hand), alerts=(), **over),
        "A drill": told(done(cause=drill, reason="monthly drill", **by_hand), alerts=(), **over),
        "On again at the reset": told(
            done(
                cause=Cause("reset", "organization", hand.scope, "x"), what="reactivate", evidence=None, reason="Over."
            ),
            alerts=(),
            **over,
        ),
        "Actions are paused": told(
            event="paused", alerts=(), brake=Brake(NOW + timedelta(hours=2), "ann", NOW, "deploy of the gateway")
        ),
        "Actions are allowed again": told(event="resumed", alerts=(), brake=Brake(None, "ann", NOW)),
        "Back to normal, as its key is off": told(
            done(), reason=Reason.RESOLVED, later=60, alerts=(runaway_key(state=State.RESOLVED),)
        ),
    }
