"""What people have said of alerts, as the first message of a Slack bot shows it: taken, silenced, expected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block, ContextBlock, MarkdownTextObject, PlainTextObject

from notifiers.slack_buttons import PRESSED
from notifiers.text import clean, plural, tamed, when
from rules.model import Alert, State

LONGEST_COMMENT = 150
_ACTOR = re.compile(r"(?:(?P<name>.*) \()?Slack (?P<user>[UW][A-Z0-9]{4,30})\)?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing that somebody said: "Acknowledged by", who, "at 03:12 UTC"."""

    what: str
    who: str
    rest: str

    @property
    def words(self) -> str:
        """All of it as one text."""
        found = _ACTOR.fullmatch(self.who)
        name = found["name"] if found is not None else None
        return f"{self.what} {clean(name or self.who)} {self.rest}"


def said_words(alerts: Sequence[Alert], now: datetime) -> str:
    """What people have said, in one line; "" where that is nothing."""
    if len(alerts) == 1:
        return " · ".join(saying.words for saying in _sayings(alerts[0], now))
    return _counted(alerts)


def said_blocks(alerts: Sequence[Alert], now: datetime) -> list[Block]:
    """The same as one block. Whoever pressed a button is named by the id that Slack gave, all else letter by letter."""
    parts: list[PlainTextObject | MarkdownTextObject] = []
    if len(alerts) == 1:
        for saying in _sayings(alerts[0], now):
            parts += _parts(saying)
    elif words := _counted(alerts):
        parts.append(_plain(words))
    return [ContextBlock(elements=parts)] if parts else []


def _sayings(alert: Alert, now: datetime) -> Iterator[Saying]:
    """The newest decision about what becomes of it first."""
    if (judged := alert.judged) is not None:
        what = judged.verdict.capitalize()
        yield Saying(f"{what}, says", judged.by, f"at {when(judged.at, now)}{_comment(judged.comment)}")
    if (taken := alert.acknowledged) is not None:
        yield Saying("Acknowledged by", taken.by, f"at {when(taken.at, now)}{_comment(taken.comment)}")
    if (silenced := alert.silenced) is not None and alert.state is not State.RESOLVED:
        yield Saying("Silenced by", silenced.by, f"until {when(silenced.until, now)}{_comment(silenced.comment)}")


def _comment(comment: str) -> str:
    """What they gave as a reason; a button gives none of its own."""
    return f": {clean(comment, LONGEST_COMMENT)}" if comment.strip() and not comment.startswith(PRESSED) else ""


def _counted(alerts: Sequence[Alert]) -> str:
    still = [alert for alert in alerts if alert.state is not State.RESOLVED]
    counts = {
        "acknowledged": sum(alert.acknowledged is not None for alert in still),
        "silenced": sum(alert.silenced is not None for alert in still),
        "expected": sum(alert.judged is not None and alert.judged.verdict == "expected" for alert in alerts),
    }
    told = [f"{count:,} {what}" for what, count in counts.items() if count]
    return f"Of {plural(len(alerts), 'alert')}: {', '.join(told)}" if told else ""


def _parts(saying: Saying) -> list[PlainTextObject | MarkdownTextObject]:
    found = _ACTOR.fullmatch(saying.who)
    if found is None:
        return [_plain(saying.words)]
    return [_plain(saying.what), MarkdownTextObject(text=f"<@{found['user']}>", verbatim=True), _plain(saying.rest)]


def _plain(text: str) -> PlainTextObject:
    return PlainTextObject(text=tamed(text), emoji=False)
