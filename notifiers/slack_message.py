"""A bot's message: the story, what people have said of it since, and what can be pressed."""

from __future__ import annotations

from typing import Any

from notifiers.slack import escaped, slack_message
from notifiers.slack_buttons import buttons
from notifiers.slack_said import said_blocks, said_words
from notifiers.story import Story
from rules.model import Notification, Reason


def bot_message(told: Story, notification: Notification, *, interactive: bool, answer: bool = False) -> dict[str, Any]:
    """What `chat.postMessage` and `chat.update` take, beside the place. An answer in a thread has the story alone."""
    message = slack_message(told)
    if answer or notification.reason is Reason.TEST:
        return message
    alerts, now = notification.alerts, notification.created_at
    if words := said_words(alerts, now):
        message["text"] = f"{message['text']}\n{escaped(words)}"
        message["blocks"][1:1] = [block.to_dict() for block in said_blocks(alerts, now)]
    if interactive and len(alerts) == 1:
        message["blocks"] += [block.to_dict() for block in buttons(alerts[0])]
    return message
