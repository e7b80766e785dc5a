"""The buttons under a message about one alert, and what a press says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, ConfirmObject, PlainTextObject

from notifiers.slack_action_blocks import KEY_ACTIONS
from rules.feedback import problem
from rules.model import Alert, State

ACKNOWLEDGE, SILENCE, EXPECTED = "watcher_acknowledge", "watcher_silence", "watcher_expected"
ACTIONS = frozenset({ACKNOWLEDGE, SILENCE, EXPECTED})
BLOCK = "watcher_alert"
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


def buttons(alert: Alert) -> list[Block]:
    """The row of buttons for an alert as it is now; empty where there is nothing to press."""
    found: list[ButtonElement] = []
    if alert.state is State.FIRING and alert.acknowledged is None:
        found.append(_button("Acknowledge", ACKNOWLEDGE, alert))
    if alert.state is not State.RESOLVED:
        found.append(_button("Silence 24 h", SILENCE, alert))
    if problem(alert) is None and alert.judged is None:
        found.append(_button("Expected, don't tell me again", EXPECTED, alert, _SURE))
    return [ActionsBlock(block_id=BLOCK, elements=found)] if found else []


_SURE = ConfirmObject(
    title=PlainTextObject(text="Was this expected?"),
    text=PlainTextObject(text="The alert ends. For eight weeks as much may come again there without a word."),
    confirm=PlainTextObject(text="Expected"),
    deny=PlainTextObject(text="Cancel"),
)


def _button(label: str, action: str, alert: Alert, confirm: ConfirmObject | None = None) -> ButtonElement:
    return ButtonElement(
        text=PlainTextObject(text=label, emoji=False), action_id=action, value=alert.id, confirm=confirm
    )


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
