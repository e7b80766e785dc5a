"""The buttons that decide about keys: approve, say no, deactivate. What each does is asked once more before it counts.

A button's value is the id of what it decides about and a digest of what was shown, so that nothing else is approved
than what somebody saw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, ConfirmObject, PlainTextObject

from notifiers.slack_keys import Keys, Offer, Shown, Words
from notifiers.text import clean, shorten, tamed
from rules.action_headlines import asks
from rules.action_news import news_as_it_is
from rules.actions import WAITING, Action, ActionNews, ActionState
from rules.clock_words import when
from rules.model import Notification, Reason
from rules.money import display_usd

APPROVE, DENY, DEACTIVATE = "watcher_key_approve", "watcher_key_deny", "watcher_key_deactivate"
KEY_ACTIONS = frozenset({APPROVE, DENY, DEACTIVATE})
MOST_ROWS = 5
"""Keys of one plan that have buttons."""
LONGEST_LABEL, LONGEST_QUESTION = 75, 300
_NAME = 40


def key_blocks(keys: Keys, notification: Notification, *, answer: bool) -> list[Block]:
    """The buttons about keys under a message: those of the plans that it tells of, as they are now.

    An `answer` in a thread has those of the plan that it tells of alone. A message about one alert without a plan
    offers to deactivate its key.
    """
    now, alerts, news = notification.created_at, notification.alerts, notification.news
    if answer and (notification.reason is not Reason.ACTION or news is None):
        return []
    rows = keys.rows((*alerts, *notification.inhibited))
    if answer and news is not None:
        told = {row.id for row in news.actions}
        rows = [row for row in rows if row.id in told]
    found = plan_blocks(rows, now, keys.words())
    if found or answer or len(alerts) != 1:
        return found
    return offer_blocks(keys.offer(alerts[0], now))


def plans_before(keys: Keys, receiver: str, notification: Notification) -> Iterator[Shown]:
    """The answers in threads that told of the plans which a message has news of, as they are to be by now."""
    if notification.reason is Reason.ACTION:
        for shown in keys.plans(receiver, [alert.id for alert in notification.alerts]):
            if shown.notification.id != notification.id:
                now = notification.created_at
                yield replace(shown, notification=replace(shown.notification, created_at=now))


def standing_news(rows: Sequence[Action]) -> ActionNews | None:
    """How it stands with the rows about a message's alerts; None where there are none."""
    return news_as_it_is(rows) if rows else None


def is_loud(notification: Notification) -> bool:
    """Whether an answer about keys is to be seen in the channel too: a plan, what was done, and what is in doubt."""
    news = notification.news
    if notification.reason is not Reason.ACTION or news is None:
        return False
    return any(row.open or row.stopped or row.state is ActionState.CONFIRMED for row in news.actions)


def plan_blocks(rows: Sequence[Action], now: datetime, words: Words = Words()) -> list[Block]:  # noqa: B008 (frozen)
    """A row of buttons for each key that waits for somebody's word, or on which somebody may still say no."""
    waiting = [row for row in rows if row.state in WAITING and row.mode != "dry_run"]
    return [
        ActionsBlock(block_id=f"watcher_plan_{row.id}", elements=buttons)
        for row in waiting[:MOST_ROWS]
        if (buttons := _of_plan(row, now, words, named=len(waiting) > 1))
    ]


def offer_blocks(offer: Offer | None) -> list[Block]:
    """The button that deactivates the key of an alert."""
    if offer is None:
        return []
    name = clean(offer.name, _NAME)
    where = f" ({clean(offer.workspace, _NAME)})" if offer.workspace else ""
    question = f"Key “{name}”{where} is set to inactive, and requests with it fail. It can be turned on again."
    if offer.dry_run:
        question += " The dry run holds back the policy alone: this is done."
    sure = _sure("Deactivate this key?", question, "Deactivate")
    button = _button("Deactivate key…", DEACTIVATE, f"{offer.alert}:{offer.digest}", sure, style="danger")
    return [ActionsBlock(block_id="watcher_key", elements=[button])]


def _of_plan(row: Action, now: datetime, words: Words, *, named: bool) -> list[ButtonElement]:
    value = f"{row.id}:{row.digest}"
    name = clean(row.key_name, _NAME)
    which = f" {name}" if named else ""
    said: list[ButtonElement] = []
    if asks(row, now) and words.yes:
        sure = _sure("Deactivate this key?", _question(row, name, now), "Approve")
        said.append(_button(f"Approve…{which}", APPROVE, value, sure, style="danger"))
    if not words.no:
        return said
    if row.mode == "auto":
        return [*said, _button(f"Stop this{f':{which}' if named else ''}", DENY, value, style="primary")]
    return [*said, _button(f"Deny{which}", DENY, value)]


def _question(row: Action, name: str, now: datetime) -> str:
    """What is asked before an approval counts: the key, the money, and until when it is open."""
    where = f" ({clean(row.workspace_name, _NAME)})" if row.workspace_name else ""
    money = f"{display_usd(row.amount)} are surely too much."
    if row.evidence is not None and row.cause.scope.api_key is None:
        spent, usual = display_usd(row.evidence.key_observed), display_usd(row.evidence.key_expected)
        money = f"It spent {spent}, usually {usual}."
    until = "" if row.expires_at is None else f" Open until {when(row.expires_at, now)}."
    return f"Key “{name}”{where} is set to inactive, and requests with it fail. {money}{until}"


def _button(
    label: str, action: str, value: str, confirm: ConfirmObject | None = None, *, style: str | None = None
) -> ButtonElement:
    text = PlainTextObject(text=shorten(tamed(label), LONGEST_LABEL), emoji=False)
    return ButtonElement(text=text, action_id=action, value=value, confirm=confirm, style=style)


def _sure(title: str, question: str, yes: str) -> ConfirmObject:
    return ConfirmObject(
        title=PlainTextObject(text=title),
        text=PlainTextObject(text=shorten(tamed(question), LONGEST_QUESTION), emoji=False),
        confirm=PlainTextObject(text=yes),
        deny=PlainTextObject(text="Cancel"),
    )
