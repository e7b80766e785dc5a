"""The buttons under a message about one alert, and what a press says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, ConfirmObject, PlainTextObject

from notifiers.slack_action_blocks import KEY_ACTIONS
from rules.feedback import problem
from rules.model import Alert, State

ACKNOWLEDGE, SILENCE, EXPECTED = "watcher_acknowledge", "watcher_silence", "watcher_expected"
BLOCK = "watcher_alert"
PRESSED = "pressed in Slack"
"""What the comment of everything asked for by a press begins with."""
_VALUE = re.compile(r"[0-9a-zA-Z_-]{1,64}(:[0-9a-f]{12})?")
_USER = re.compile(r"[UW][A-Z0-9]{2,30}")
_CHANNEL = re.compile(r"[CDG][A-Z0-9]{2,30}")
_TS = re.compile(r"\d{1,12}\.\d{1,8}")


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed a button under the message `ts` of a channel. All texts are checked, and harmless."""

    action: str
    alert: str
    user: str
    """The id of the Slack user."""
    channel: str
    ts: str
    thread: str
    """The message in whose thread an answer belongs."""
    envelope: str = ""
    digest: str = ""
    """Of a press that decides about a key: of what was shown. `alert` then is what it decides about."""


def _sure(question: str, consequence: str, yes: str) -> ConfirmObject:
    """A question back before a press counts."""
    return ConfirmObject(
        title=PlainTextObject(text=question),
        text=PlainTextObject(text=consequence),
        confirm=PlainTextObject(text=yes),
        deny=PlainTextObject(text="Cancel"),
    )


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be asked for by a press."""

    id: str
    label: str
    offered: Callable[[Alert], bool]
    """Whether it makes sense for an alert as it is now."""
    confirm: ConfirmObject | None = None

    def button(self, alert: Alert) -> ButtonElement:
        """The button for an alert."""
        text = PlainTextObject(text=self.label, emoji=False)
        return ButtonElement(text=text, action_id=self.id, value=alert.id, confirm=self.confirm)


ROW = (
    Action(ACKNOWLEDGE, "Acknowledge", lambda alert: alert.state is not State.RESOLVED and alert.acknowledged is None),
    Action(SILENCE, "Silence 24 h", lambda alert: alert.state is not State.RESOLVED and alert.silenced is None),
    Action(
        EXPECTED,
        "Expected, don't tell me again",
        lambda alert: problem(alert) is None and alert.judged is None,
        _sure(
            "Was this expected?",
            "The alert ends. For eight weeks as much may come again there without a word.",
            "Expected",
        ),
    ),
)
"""Everything that can be pressed, in the order in which it stands."""
ACTIONS = frozenset(action.id for action in ROW)


def buttons(alert: Alert) -> list[Block]:
    """The row of buttons for an alert as it is now; empty where there is nothing to press."""
    found = [action.button(alert) for action in ROW if action.offered(alert)]
    return [ActionsBlock(block_id=BLOCK, elements=found)] if found else []


def read_press(payload: Mapping[str, Any], envelope: str = "") -> Press | None:
    """What the payload of an interactive envelope says; None where it is no press of a button of ours."""
    actions = payload.get("actions")
    if payload.get("type") != "block_actions" or not isinstance(actions, list) or len(actions) != 1:
        return None
    action = actions[0] if isinstance(actions[0], dict) else {}
    message = _part(payload, "message")
    ts = _text(message, "ts", _TS) or _text(_part(payload, "container"), "message_ts", _TS)
    value, _, digest = _text(action, "value", _VALUE).partition(":")
    press = Press(
        action=str(action.get("action_id")),
        alert=value,
        user=_text(_part(payload, "user"), "id", _USER),
        channel=_text(_part(payload, "channel"), "id", _CHANNEL),
        ts=ts,
        thread=_text(message, "thread_ts", _TS) or ts,
        envelope=envelope[:100],
        digest=digest,
    )
    ours = press.action in (KEY_ACTIONS if digest else ACTIONS)
    whole = ours and press.alert and press.user and press.channel and press.ts
    return press if whole else None


def _part(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = payload.get(name)
    return part if isinstance(part, dict) else {}


def _text(part: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str:
    text = part.get(name)
    return text if isinstance(text, str) and form.fullmatch(text) else ""
