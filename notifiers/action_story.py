"""The story of what is to be done to keys, or was: alone, and inside the story of the alert that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from notifiers.phrases import lines, owner_line, title
from notifiers.story import Line, Section, Story, Tone, code, line, strong
from notifiers.text import clean
from rules.action_words import Told, told
from rules.actions import ActionNews
from rules.model import Alert, Notification

NEXT, CAN = "What happens next", "What you can do"
_LONGEST = 900


def action_story(news: ActionNews, alerts: Sequence[Alert], about: Sequence[Alert], now: datetime) -> Story:
    """The news by itself, as of `now`, to the owners of `alerts`; one of those in `about` it is about."""
    said = told(news, _about(news, about), now)
    steps = _steps(said)
    return Story(
        tone=Tone.CRITICAL if said.pressing else Tone.ACTION,
        title=title(said.headline),
        lead=lines(
            owner_line(alerts, wake=said.pressing),
            _text(said.story),
            *map(_text, said.why),
        ),
        sections=tuple(
            section
            for section in (Section(NEXT, tuple(map(_text, said.next))), Section(CAN, steps, listed=True))
            if section.lines
        ),
        footer=tuple(clean(each, _LONGEST) for each in said.small),
    )


def with_action(story: Story, news: ActionNews, alerts: Sequence[Alert], now: datetime) -> Story:
    """An alert's story with the news inside: its line on top, what happens next, and what can be said to it."""
    said = told(news, _about(news, alerts), now)
    top = line(strong(clean(said.headline, _LONGEST)), ".")
    ahead = (*map(_text, said.next), *map(_text, said.why))
    sections = _into(_into(story.sections, NEXT, ahead, listed=False), CAN, _steps(said), listed=True)
    footer = tuple(clean(each, _LONGEST) for each in said.small if each.startswith("action"))
    return replace(story, lead=(top, *story.lead), sections=sections, footer=(*story.footer, *footer))


def news_about(notification: Notification, alert: Alert) -> ActionNews | None:
    """What of a message's news is about one of its alerts, or about those inside its story; None where nothing is."""
    news = notification.news
    mine = {alert.id, *(each.id for each in notification.inhibited if each.inhibited_by == alert.id)}
    rows = () if news is None else tuple(row for row in news.actions if row.alert in mine)
    return None if news is None or not rows else replace(news, actions=rows)


def _into(sections: Sequence[Section], heading: str, rows: Sequence[Line], *, listed: bool) -> tuple[Section, ...]:
    """The sections with these rows first under a heading, which is added where it is not there."""
    if not rows:
        return tuple(sections)
    if any(section.heading == heading for section in sections):
        return tuple(
            replace(section, lines=(*rows, *section.lines)) if section.heading == heading else section
            for section in sections
        )
    return (*sections, Section(heading, tuple(rows), listed))


def _steps(said: Told) -> tuple[Line, ...]:
    return tuple(line(f"{step.what}: ", code(step.command)) for step in said.can)


def _text(text: str) -> Line:
    return line(clean(text, _LONGEST)) if text else ()


def _about(news: ActionNews, alerts: Sequence[Alert]) -> Alert | None:
    """The alert that the actions are about."""
    wanted = {row.alert for row in news.actions}
    return next((alert for alert in alerts if alert.id in wanted), None)
