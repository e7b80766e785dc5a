"""A notification as a story: the one place that decides what a message says; channels decide how it looks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from notifiers.action_story import action_story, with_action
from notifiers.anomaly_story import anomaly_over_story, anomaly_story
from notifiers.budget_story import budget_over_story, budget_story
from notifiers.digest_story import digest_story
from notifiers.drift_story import drift_over_story, drift_story
from notifiers.phrases import owner_line, title, tone_of
from notifiers.price_story import price_story
from notifiers.shift_story import silence_over_story, silence_story, unit_price_over_story, unit_price_story
from notifiers.source_story import source_over_story, source_story
from notifiers.story import GLYPHS, Line, Section, Story, Tone, code, line
from notifiers.subjects import title_subject
from notifiers.text import ago, clean, given, plural, when
from notifiers.trigger_story import trigger_over_story, trigger_story
from rules.lifecycle import worst_first
from rules.model import (
    Alert,
    AnomalyEvidence,
    BudgetEvidence,
    DriftEvidence,
    Kind,
    Notification,
    PriceEvidence,
    Reason,
    Severity,
    SilenceEvidence,
    SourceEvidence,
    State,
    TriggerEvidence,
    UnitPriceEvidence,
)
from rules.sources import source_name

_HEADINGS: dict[Kind, str] = {
    "anomaly": "Not normal",
    "budget": "Budgets",
    "burn": "Budgets that burn",
    "drift": "Estimate against bill",
    "forecast": "Budgets that will be passed",
    "pace": "Budgets ahead of their pace",
    "price": "Prices",
    "source": "Sources of data",
}
_LONGEST_ROW = 300


def story(notification: Notification) -> Story:
    """What the message says, told as of `notification.created_at`, the same on every try."""
    now, alerts = notification.created_at, notification.alerts
    match notification.reason:
        case _ if notification.digest is not None:
            told = digest_story(notification.digest, now)
            if notification.reason is Reason.TEST:
                told = replace(told, tone=Tone.TEST, title=title(f"Test: {told.title}"))
        case Reason.TEST:
            told = _test(notification)
        case Reason.ACTION if notification.news is not None:
            return _signed(
                action_story(notification.news, alerts, (*alerts, *notification.inhibited), now), notification
            )
        case Reason.INITIAL:
            told = _initial(notification)
        case _ if len(alerts) == 1:
            told = _one(alerts[0], notification.inhibited, now)
        case _:
            told = _many(notification)
    told = _owned(_again(told, notification), notification)
    if notification.news is not None:
        told = with_action(told, notification.news, (*alerts, *notification.inhibited), now)
    return _signed(told, notification)


def _signed(told: Story, notification: Notification) -> Story:
    """The story with the organization that it is about."""
    footer = (clean(notification.organization), *told.footer)
    if not notification.told_as:
        return replace(told, footer=footer)
    called = clean(notification.told_as)
    if called == footer[0]:
        footer = footer[1:]
    return replace(told, title=title(f"{called}: {told.title}"), footer=(f"organization {called}", *footer))


def _owned(told: Story, notification: Notification) -> Story:
    """The story with whose it is; an end is no reason to wake anybody."""
    owners = owner_line(notification.alerts, wake=notification.reason is not Reason.RESOLVED)
    return replace(told, lead=(*told.lead, owners)) if owners else told


def _again(told: Story, notification: Notification) -> Story:
    """The story with why it is told now, where that is not the news itself."""
    alerts = notification.alerts
    match notification.reason:
        case Reason.REPEATED:
            first = min(alert.fired_at or alert.starts_at for alert in alerts)
            why = line(f"Told again, as it goes on; it began to fire {ago(first, notification.created_at)}.")
            return replace(told, title=title(f"Still: {told.title}"), lead=(*told.lead, why))
        case Reason.ESCALATED:
            take = (" Take it: ", code(f"watcher ack {alerts[0].id}")) if len(alerts) == 1 else ()
            why = line("Told to you because nobody has acknowledged it.", *take)
            return replace(told, title=title(f"Escalated: {told.title}"), lead=(*told.lead, why))
        case Reason.ACKNOWLEDGED:
            return replace(told, title=title(f"Acknowledged: {told.title}"))
        case Reason.NEW:
            return replace(told, footer=(*told.footer, "new in a group told before"))
        case _:
            return told


def alert_story(alert: Alert, now: datetime) -> Story:
    """The whole story of one alert as told at `now`."""
    over = alert.state is State.RESOLVED
    match alert.evidence:
        case AnomalyEvidence() as evidence:
            return (anomaly_over_story if over else anomaly_story)(alert, evidence, now)
        case UnitPriceEvidence() as evidence:
            return (unit_price_over_story if over else unit_price_story)(alert, evidence, now)
        case SilenceEvidence() as evidence:
            return (silence_over_story if over else silence_story)(alert, evidence, now)
        case BudgetEvidence() as evidence:
            return (budget_over_story if over else budget_story)(alert, evidence, now)
        case DriftEvidence() as evidence:
            return (drift_over_story if over else drift_story)(alert, evidence, now)
        case PriceEvidence() as evidence:
            return price_story(alert, evidence, now)
        case SourceEvidence() as evidence:
            return (source_over_story if over else source_story)(alert, evidence, now)
        case TriggerEvidence() as evidence:
            return (trigger_over_story if over else trigger_story)(alert, evidence, now)


def _one(alert: Alert, inhibited: Sequence[Alert], now: datetime) -> Story:
    told = alert_story(alert, now)
    # What it says of the same scope is in its own story already.
    inhibited = [other for other in inhibited if other.subject.kind == "source" or not _about_the_same(alert, other)]
    if not inhibited or alert.state is State.RESOLVED:
        return told
    if alert.subject.kind == "source":
        named = _counted([source_name(other.subject.instance) for other in inhibited], 4)
        return replace(told, lead=(*told.lead, line(f"The same is true of {named}: not told separately.")))
    named = _counted([title_subject(parent) for parent in inhibited], 2)
    explains = line(f"This is what is behind the excess of {named}, which is not told separately.")
    return replace(told, lead=(*told.lead, explains))


def _about_the_same(alert: Alert, other: Alert) -> bool:
    return (alert.subject.rule, alert.subject.scope) == (other.subject.rule, other.subject.scope)


def _counted(names: Iterable[str], most: int) -> str:
    """ "a and b", or "a, b and 3 more" where there are more than `most`."""
    unique = list(dict.fromkeys(names))
    shown, rest = (unique, []) if len(unique) <= most else (unique[:most], unique[most:])
    last = f"{len(rest)} more" if rest else shown[-1]
    before = ", ".join(shown if rest else shown[:-1])
    return f"{before} and {last}" if before else last


def _many(notification: Notification) -> Story:
    alerts = notification.alerts
    over = bool(alerts) and all(alert.state is State.RESOLVED for alert in alerts)
    counted = plural(len(alerts), "alert")
    what = f"{counted} resolved" if over else f"{counted}: {_severities(alerts)}"
    also = f"{plural(len(notification.inhibited), 'parent')} behind which these are, not told separately"
    return Story(
        tone=Tone.RESOLVED if over else _gravest(alerts),
        title=title(what),
        sections=_lists(alerts, notification.created_at),
        footer=(*_data_age(alerts, notification.created_at), *((also,) if notification.inhibited and not over else ())),
    )


def _initial(notification: Notification) -> Story:
    alerts = notification.alerts
    organization = clean(notification.organization)
    lead = line("Nothing is out of the ordinary.")
    if alerts:
        lead = line(f"{_severities(alerts)}; told here once. From now on only changes are told.")
    return Story(
        tone=Tone.START,
        title=title(f"claude-watcher began watching {organization}; already true: {plural(len(alerts), 'alert')}")
        if alerts
        else title(f"claude-watcher began watching {organization}"),
        lead=(lead,),
        sections=_lists(alerts, notification.created_at),
        footer=_data_age(alerts, notification.created_at),
    )


def _test(notification: Notification) -> Story:
    receiver = given(notification.receiver)
    if len(notification.alerts) == 1:
        told = alert_story(notification.alerts[0], notification.created_at)
        return replace(told, tone=Tone.TEST, title=title(f"Test: {told.title}"))
    return Story(
        tone=Tone.TEST,
        title=title(f"Test: the receiver “{receiver}” can be reached"),
        lead=(line("Someone asked claude-watcher for this message. Nothing is wrong, and nothing is to be done."),),
        sections=_lists(notification.alerts, notification.created_at),
    )


def _lists(alerts: Sequence[Alert], now: datetime) -> tuple[Section, ...]:
    """Every alert in a row of its own, by kind, the worst first."""
    ordered = sorted(alerts, key=lambda alert: (alert.state is State.RESOLVED, worst_first(alert)))
    return tuple(
        Section(heading, rows, listed=True)
        for kind, heading in _HEADINGS.items()
        if (rows := tuple(_row(alert, now) for alert in ordered if alert.subject.kind == kind))
    )


def _row(alert: Alert, now: datetime) -> Line:
    text = clean(alert.summary, _LONGEST_ROW) if alert.summary else alert_story(alert, now).title
    return line(f"{GLYPHS[tone_of(alert)]} {text}")


def _gravest(alerts: Sequence[Alert]) -> Tone:
    firing = [alert for alert in alerts if alert.state is not State.RESOLVED]
    return tone_of(min(firing, key=worst_first)) if firing else Tone.INFO


def _severities(alerts: Sequence[Alert]) -> str:
    """ "3 critical, 9 warning, 2 resolved"."""
    counts = Counter("resolved" if alert.state is State.RESOLVED else str(alert.severity) for alert in alerts)
    words = [*(str(severity) for severity in reversed(Severity)), "resolved"]
    return ", ".join(f"{counts[word]:,} {word}" for word in words if counts[word])


def _data_age(alerts: Sequence[Alert], now: datetime) -> tuple[str, ...]:
    oldest = min((alert.evidence.data_as_of for alert in alerts if alert.evidence.data_as_of), default=None)
    return () if oldest is None else (f"data as of {when(oldest, now)} ({ago(oldest, now)})",)
