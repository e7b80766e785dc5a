"""Slack incoming webhook: the story as Block Kit, with a text for notifications and devices that show no blocks.

Blocks are slack-sdk's models. Names stand only in plain_text and rich_text elements, which Slack shows letter by
letter: `<!channel>` mentions nobody there and `*bold*` is not bold. The request goes through `notifiers.http`, because
slack-sdk's own webhook client can neither check nor pin the address it connects to.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.models import JsonObject
from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    HeaderBlock,
    PlainTextObject,
    RichTextBlock,
    RichTextElement,
    RichTextElementParts,
    RichTextListElement,
    RichTextPreformattedElement,
    RichTextSectionElement,
)

from notifiers.base import DeliveryError
from notifiers.http import AnsweredError, OutgoingHttp
from notifiers.render import story
from notifiers.story import Line, Section, Story, Words, code, line, plain_text
from notifiers.text import shorten, tamed
from rules.model import Notification
from rules.owned import is_slack_id

LONGEST_HEADER = 150
LONGEST_FALLBACK = 2_900
LONGEST_FOOTER = 500
LARGEST_BLOCKS = 10_000
"""Characters of all blocks as JSON. Slack refuses messages whose blocks hold about 12,000 together, counted in a way
it does not publish; this stays below by any way of counting."""

_Parts = RichTextElementParts
_STYLES = {"strong": _Parts.TextStyle(bold=True), "code": _Parts.TextStyle(code=True)}
_ROOM_FOR_HEADING = 400
_ROOM_FOR_FOOTER = 700

# What Slack answers in the body, and what its reader can do about it. Only these words are ever quoted: an answer may
# repeat the URL. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
_MEANINGS = {
    "action_prohibited": "an administrator restricts who may post there",
    "channel_is_archived": "the channel is archived",
    "channel_not_found": "the channel does not exist",
    "invalid_token": "the webhook's address is not valid (any more)",
    "no_active_hooks": "the webhook is switched off",
    "no_service": "the webhook is disabled or removed",
    "no_service_id": "the webhook's address is incomplete",
    "no_team": "the Slack workspace does not exist",
    "posting_to_general_channel_denied": "posting to #general is restricted",
    "team_disabled": "the Slack workspace is not active",
    "user_not_found": "the webhook's user does not exist",
}
_REFUSED_FORM = ("invalid_blocks", "invalid_blocks_format", "invalid_payload", "msg_blocks_too_long", "msg_too_long")


@dataclass(frozen=True, slots=True)
class SlackWebhookNotifier:
    """Posts each notification to an incoming webhook at `url`, which is a secret. See `Notifier` for the contract."""

    name: str
    url: str = field(repr=False)
    http: OutgoingHttp = field(repr=False)
    allow_private: bool = False

    def send(self, notification: Notification) -> None:
        """POST the message; if Slack refuses its form, once more as text alone, because told plainly beats not told."""
        message = slack_message(story(notification))
        refusal = self._post(message, notification)
        if refusal is not None and not refusal.retryable and _word(refusal) in _REFUSED_FORM:
            refusal = self._post({"text": message["text"]}, notification)
        if refusal is not None:
            raise _explained(refusal)

    def _post(self, message: dict[str, Any], notification: Notification) -> AnsweredError | None:
        """None when it was accepted, or what Slack answered; raises DeliveryError when there was no answer."""
        try:
            self.http.post(
                self.url,
                json=message,
                headers={"Idempotency-Key": notification.id, "X-Watcher-Notification-Id": notification.id},
                allow_private=self.allow_private,
            )
        except AnsweredError as error:
            return error
        return None


def slack_message(told: Story) -> dict[str, Any]:
    """The webhook's JSON body: `text`, `blocks`, and every kind of automatic linking off."""
    return {
        "text": _fallback(told),
        "blocks": [block.to_dict() for block in slack_blocks(told)],
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def slack_blocks(told: Story) -> list[Block]:
    """The story as blocks, within Slack's limits; rows that do not fit are counted."""
    header = _plain(told.headline, LONGEST_HEADER)
    opening: list[RichTextElement] = []
    if told.lead:
        opening.append(_paragraph(told.lead))
    if told.picture:
        opening.append(RichTextPreformattedElement(elements=[_Parts.Text(text=tamed("\n".join(told.picture)))]))
    blocks: list[Block] = [HeaderBlock(text=header)]
    if opening:
        blocks.append(RichTextBlock(elements=opening))
    room = LARGEST_BLOCKS - _ROOM_FOR_FOOTER - sum(_size(block) for block in blocks)
    for index, section in enumerate(told.sections):
        block = _section(section, room // (len(told.sections) - index))
        blocks.append(block)
        room -= _size(block)
    if told.footer:
        blocks.append(ContextBlock(elements=[_plain(" · ".join(told.footer), LONGEST_FOOTER)]))
    return blocks


def _section(section: Section, room: int) -> RichTextBlock:
    """Heading, rows and what comes after them, about `room` characters large; at least one row is shown."""
    rows: list[RichTextSectionElement] = []
    room -= _ROOM_FOR_HEADING
    for row in section.lines:
        element = RichTextSectionElement(elements=_elements(row))
        room -= _size(element)
        if rows and room < 0:
            break
        rows.append(element)
    left_out = len(section.lines) - len(rows)
    elements: list[RichTextElement] = []
    if section.heading:
        elements.append(_paragraph(((Words(section.heading, "strong"),),)))
    elements += [RichTextListElement(style="bullet", elements=rows)] if section.listed and rows else rows
    if left_out:
        elements.append(_paragraph((line(f"and {left_out:,} more; ", code("watcher alerts"), " lists them all"),)))
    return RichTextBlock(elements=elements)


def _paragraph(rows: Sequence[Line]) -> RichTextSectionElement:
    """Rows under one another."""
    joined = [words for row in rows for words in (Words("\n"), *row)][1:]
    return RichTextSectionElement(elements=_elements(joined))


def _elements(words: Sequence[Words]) -> list[RichTextElement]:
    found: list[RichTextElement] = []
    for part in words:
        found.append(_Parts.Text(text=tamed(part.text), style=_STYLES.get(part.style)))
        found += [_Parts.Text(text=" "), _mention(part)] if _mentioned(part) else []
    return found


def _mentioned(words: Words) -> str:
    """The id of whom to mention behind some words; "" for nobody, and for what has not the form of an id."""
    return words.whom.slack if words.whom is not None and is_slack_id(words.whom.slack) else ""


def _mention(words: Words) -> RichTextElement:
    ident = _mentioned(words)
    return _Parts.UserGroup(usergroup_id=ident) if ident.startswith("S") else _Parts.User(user_id=ident)


def _mentions(told: Story) -> str:
    """The same for a mrkdwn field: "<@U012AB3CD> <!subteam^S012AB3CD>"."""
    idents = [ident for row in told.lead for words in row if (ident := _mentioned(words))]
    return " ".join(f"<!subteam^{each}>" if each.startswith("S") else f"<@{each}>" for each in dict.fromkeys(idents))


def _plain(text: str, longest: int) -> PlainTextObject:
    return PlainTextObject(text=shorten(tamed(text), longest), emoji=False)


def _fallback(told: Story) -> str:
    """The story as text for a mrkdwn field, where Slack asks for three characters to be escaped; then the mentions."""
    mentions = _mentions(told)
    for longest in (LONGEST_FALLBACK, LONGEST_FALLBACK // 2, LONGEST_FALLBACK // 5):
        text = escaped(plain_text(told, longest))
        if len(text) <= LONGEST_FALLBACK - len(mentions) - 1:
            break
    return f"{text}\n{mentions}" if mentions else text


def escaped(text: str) -> str:
    """A text for a mrkdwn field, where these three characters have a meaning."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _size(part: JsonObject) -> int:
    return len(json.dumps(part.to_dict(), ensure_ascii=False))


def _word(error: AnsweredError) -> str:
    """Slack's own word for what is wrong, if that is what the answer is."""
    return error.response.excerpt.partition(":")[0].strip()


def _explained(error: AnsweredError) -> DeliveryError:
    """The same failure with the meaning of Slack's own word for it, where that is known."""
    word = _word(error)
    meaning = _MEANINGS.get(word) or ("Slack refuses its form" if word in _REFUSED_FORM else None)
    reason = f"{error.reason}: {word}, {meaning}" if meaning else error.reason
    return DeliveryError(reason, retryable=error.retryable, retry_after=error.retry_after)
