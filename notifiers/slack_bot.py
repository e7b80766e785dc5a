"""Slack by a bot token: one message an alert, edited as its state changes; what follows stands in its thread.

A message is noted before it is sent and after (`slack_memory`). Where a try had begun already, the channel is looked at
for a message whose metadata holds the id, before it is sent again. An edit notifies nobody, so that what is told again
or escalated is an answer in the thread which the channel sees too. What people say of an alert, that they take it or
that nothing is to be sent of it, edits its first message and is no message of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from slack_sdk.web import SlackResponse, WebClient

from notifiers.alert_chart import chart_of
from notifiers.bars import bars_of, spoken
from notifiers.base import DeliveryError
from notifiers.chart import Chart, alt_text, png
from notifiers.progress import Progress
from notifiers.render import story
from notifiers.slack_action_blocks import is_loud, key_blocks, plans_before, standing_news
from notifiers.slack_api import GONE, LOCKED, REFUSED_FORM, SCOPES, SlackApi, SlackRefused
from notifiers.slack_keys import Keys, NoKeys, Shown
from notifiers.slack_memory import Memory, NoMemory, Sent
from notifiers.slack_message import bot_message
from notifiers.slack_pace import Pace
from notifiers.slack_people import People
from notifiers.text import clean
from rules.model import Notification, Reason, State

log = logging.getLogger(__name__)

EVENT = "claude_watcher_message"
"""What the metadata of its messages is called; its payload holds the notification's id."""
MOST_EDITS = 40
"""More messages than this are not edited for one notification: Slack takes about 50 edits a minute."""
AT_ONCE = 5
"""So many are edited to show what was said before it is looked again whether there is anything to send."""
_ANSWERS = (Reason.REPEATED, Reason.ESCALATED, Reason.RESOLVED, Reason.ACTION)
_ALOUD = (Reason.REPEATED, Reason.ESCALATED)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SlackBotNotifier:
    """Posts to the channel of this id. See `Notifier` for the contract.

    With `interactive`, messages about one alert have buttons; somebody must listen for what is pressed. `draw` makes
    the picture of an alert; what goes wrong with it keeps no message back.
    """

    name: str
    channel: str
    api: SlackApi = field(repr=False)
    memory: Memory = field(default_factory=NoMemory, repr=False)
    interactive: bool = False
    draw: Callable[[Chart], bytes] = field(default=png, repr=False)
    pace: Pace = field(default_factory=Pace, repr=False)
    people: People | None = field(default=None, repr=False)
    """Who looks up owners by their e-mail addresses; None where nobody does."""
    keys: Keys = field(default_factory=NoKeys, repr=False)
    _progress: Progress = field(default_factory=Progress, repr=False)

    def send(self, notification: Notification) -> None:
        """Edit what it is about, then post it, unless an earlier try has; accepted once Slack has taken it."""
        self.pace.ask()
        self._progress.begin(notification.id)
        if notification.reason is Reason.TEST:
            self._illustrate(notification, self._post(notification, ""))
            return
        begun = self.memory.begin(notification)
        if begun.sent is not None:
            return
        threads = self._edit(notification) if notification.reason in _ANSWERS else ()
        thread = threads[0].ts if len(threads) == 1 else ""
        channel = threads[0].channel if thread else self.channel
        found = self._look(notification, channel, thread) if begun.before else None
        if found is not None:
            self.memory.posted(notification, found)
            return
        sent = self._post(notification, thread, channel)
        self.memory.posted(notification, sent)
        if not thread:
            self._illustrate(notification, sent)

    def keep_current(self, now: datetime) -> bool:
        """Edit first messages whose alerts people have said something of, each once for all that was said."""
        self.pace.ask()
        outdated = self.memory.outdated(self.name, AT_ONCE)
        for stale in outdated:
            self.pace.turn()
            self._update(replace(stale.notification, created_at=now), stale.sent)
        return len(outdated) == AT_ONCE

    def probe(self) -> str:
        """Ask who the token is, and say what it lacks; raises DeliveryError."""
        answer = self.api.call(lambda client: client.auth_test())
        has = {scope.strip() for scope in str(answer.headers.get("x-oauth-scopes", "")).split(",")} - {""}
        team, bot = (_told(answer.get(key)) for key in ("team", "user"))
        said = f"answers as “{bot}” of the workspace “{team}”"
        if not has:
            return said
        lacking = [f"{scope} ({why})" for scope, why in SCOPES.items() if scope not in has]
        if "chat:write" not in has:
            raise DeliveryError(f"{said}, but the token lacks {', '.join(lacking)}", retryable=False)
        return f"{said}; the token lacks {', '.join(lacking)}" if lacking else f"{said}, with every scope"

    def _edit(self, notification: Notification) -> tuple[Sent, ...]:
        """Bring the first messages of its alerts up to date; those that are still there."""
        firsts = self.memory.firsts(self.name, [alert.id for alert in notification.alerts])
        there = []
        for sent in dict.fromkeys(firsts.values()):
            part = f"edited {sent.ts}"
            if self._progress.has(part):
                there.append(sent)
                continue
            if len(there) < MOST_EDITS and not self._updated(notification, sent):
                continue
            self._progress.took(part)
            there.append(sent)
        for shown in plans_before(self.keys, self.name, notification):
            _edit_plan(
                shown,
                self._progress,
                lambda shown: self._change(shown.sent, self._message(shown.notification, answer=True)),
            )
        return tuple(there)

    def _updated(self, notification: Notification, sent: Sent) -> bool:
        """Edit one message; False where it is gone. That it cannot be edited keeps nothing else back."""
        try:
            return self._update(replace(notification, inhibited=()), sent)
        except SlackRefused as error:
            if error.retryable:
                raise
            log.warning("receiver %s: a message could not be edited: %s", self.name, error.reason)
            return True

    def _change(self, sent: Sent, message: dict[str, Any]) -> None:
        self._give(message, lambda client, given: client.chat_update(channel=sent.channel, ts=sent.ts, **given))

    def _update(self, notification: Notification, sent: Sent) -> bool:
        """Edit one message, and note what it shows; False where it is gone."""
        newest = {alert.id: alert for alert in notification.alerts}
        alerts = tuple(newest.get(alert.id, alert) for alert in self.memory.alerts(self.name, sent))
        if not alerts:
            return True
        reason = sent.reason if sent.reason in {Reason.INITIAL, Reason.ACTION} else Reason.FIRST
        news = standing_news(self.keys.rows(alerts))
        message = self._message(replace(notification, reason=reason, alerts=alerts, news=news))
        try:
            self._change(sent, message)
        except SlackRefused as error:
            if error.word in GONE:
                self.memory.lost(self.name, sent)
                return False
            if error.word not in LOCKED:
                raise
            log.warning("receiver %s: a message can no longer be edited: %s", self.name, error.reason)
        self.memory.shows(self.name, sent, alerts)
        return True

    def _post(self, notification: Notification, thread: str, channel: str = "") -> Sent:
        """Post it, in a thread or by itself."""
        message = self._message(notification, answer=bool(thread))
        message["metadata"] = {"event_type": EVENT, "event_payload": {"id": notification.id}}
        if thread:
            message |= {"thread_ts": thread, "reply_broadcast": notification.reason in _ALOUD or is_loud(notification)}
        to = channel or self.channel
        self.pace.turn()
        answer = self._give(message, lambda client, given: client.chat_postMessage(channel=to, **given))
        ts, where = answer.get("ts"), answer.get("channel")
        if not isinstance(ts, str):
            raise DeliveryError("Slack's answer does not say which message it is", retryable=True)
        return Sent(where if isinstance(where, str) and where else to, ts, thread, notification.reason)

    def _give(
        self, message: dict[str, Any], ask: Callable[[WebClient, dict[str, Any]], SlackResponse]
    ) -> SlackResponse:
        """Hand a message over; if Slack refuses its form, once more as text alone."""
        try:
            return self._call(lambda client: ask(client, message))
        except SlackRefused as error:
            if error.word not in REFUSED_FORM:
                raise
        return self._call(lambda client: ask(client, {**message, "blocks": []}))

    def _call(self, ask: Callable[[WebClient], SlackResponse]) -> SlackResponse:
        return self._heeding(lambda: self.api.call(ask))

    def _heeding(self, ask: Callable[[], _T]) -> _T:
        try:
            return ask()
        except DeliveryError as error:
            self.pace.heed(error)
            raise

    def _look(self, notification: Notification, channel: str, thread: str) -> Sent | None:
        """Where the message is, if an earlier try posted it after all.

        Without the scope to look, it is posted again: told twice beats not told.
        """
        try:
            messages = self._heeding(lambda: self.api.history(channel, thread))
        except SlackRefused as error:
            if error.retryable:
                raise
            log.warning("receiver %s: cannot look whether a message is there already: %s", self.name, error.reason)
            return None
        ts = next(_with(notification.id, messages), None)
        return None if ts is None else Sent(channel, ts, thread, notification.reason)

    def _illustrate(self, notification: Notification, sent: Sent) -> None:
        """Put the picture of a digest or a single alert into its thread; a failure is noted and nothing else."""
        try:
            picture = self._picture(notification)
            if picture is None:
                return
            content, title, words = picture
            self._call(
                lambda client: client.files_upload_v2(
                    channel=sent.channel,
                    thread_ts=sent.ts,
                    filename="chart.png",
                    content=content,
                    title=title,
                    alt_txt=words[:1000],
                )
            )
        except DeliveryError as error:
            log.warning("receiver %s: the chart of a message was not uploaded: %s", self.name, error.reason)
        except Exception as error:  # noqa: BLE001 (whatever goes wrong with a picture, the message is there)
            log.warning("receiver %s: the chart of a message failed: %s", self.name, type(error).__name__)

    def _picture(self, notification: Notification) -> tuple[bytes, str, str] | None:
        """The picture, its title, and what it shows in words."""
        if notification.digest is not None:
            bars = bars_of(notification)
            return None if bars is None else (bars, "Spend a day", spoken(notification.digest))
        if len(notification.alerts) != 1 or notification.alerts[0].state is State.RESOLVED:
            return None
        chart = chart_of(notification.alerts[0])
        return None if chart is None else (self.draw(chart), chart.title, alt_text(chart))

    def _message(self, notification: Notification, *, answer: bool = False) -> dict[str, Any]:
        told = story(notification)
        named = told if self.people is None else self.people.named(told)
        message = bot_message(named, notification, interactive=self.interactive, answer=answer)
        if self.interactive and notification.reason is not Reason.TEST:
            message["blocks"] += [block.to_dict() for block in key_blocks(self.keys, notification, answer=answer)]
        return message


def _edit_plan(shown: Shown, progress: Progress, edit: Callable[[Shown], None]) -> None:
    """Bring an answer up to date that told of a plan; that it cannot be edited keeps nothing else back."""
    part = f"edited {shown.sent.ts}"
    if progress.has(part):
        return
    try:
        edit(shown)
    except SlackRefused as error:
        if error.retryable:
            raise
        log.warning("the message about a plan could not be edited: %s", error.reason)
    progress.took(part)


def _with(ident: str, messages: Iterable[Any]) -> Iterator[str]:
    """The `ts` of the messages whose metadata holds an id."""
    for message in messages:
        metadata = message.get("metadata")
        payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
        ts = message.get("ts")
        if isinstance(payload, dict) and payload.get("id") == ident and isinstance(ts, str):
            yield ts


def _told(text: object) -> str:
    return clean(text, 60) if isinstance(text, str) and text else "?"
