"""The stories of a budget before its thresholds are crossed: a forecast beyond a mark, a burn rate, a pace."""

from __future__ import annotations

from datetime import datetime

from notifiers.phrases import certainty, drivers, lines, remedies, title, tone_of, unpriced
from notifiers.story import Line, Section, Story, line, strong
from notifiers.subjects import capital, subject_line, title_subject
from notifiers.text import ago, clean, duration, percent
from rules.evidence import Triggered
from rules.model import HOUR, Alert, BurnEvidence, ForecastEvidence
from rules.trigger_words import (
    ahead,
    crossing_words,
    hour_words,
    mark_of,
    moment_words,
    money,
    over,
    times,
    window_words,
)


def trigger_story(alert: Alert, evidence: Triggered, now: datetime) -> Story:
    """What is wrong, how much so far and per hour, what drives it, and what happens next."""
    window = evidence.burnt if isinstance(evidence, BurnEvidence) else evidence.spent
    driven = f"What drives the {money(window)}"
    since = evidence.since if isinstance(evidence, BurnEvidence) else evidence.period_start
    return Story(
        tone=tone_of(alert),
        title=title(_title(alert, evidence)),
        lead=lines(
            subject_line(alert),
            *_lead(alert, evidence, now),
            _also(evidence),
            _little(evidence),
            unpriced(evidence.unpriced),
        ),
        sections=(
            *drivers(alert, evidence.top, window, driven),
            Section("What happens next", (_next(evidence, now),)),
            Section(
                "What you can do",
                remedies(alert, since, "hour" if isinstance(evidence, BurnEvidence) else "day"),
                listed=True,
            ),
        ),
        footer=_footer(alert, evidence, now),
    )


def trigger_over_story(alert: Alert, evidence: Triggered, now: datetime) -> Story:
    """Short: what it was, and where it is now."""
    return Story(
        tone=tone_of(alert),
        title=title(f"{_budget(alert, 40)} {_is_over(evidence)}"),
        lead=lines(subject_line(alert), line(f"It {over(evidence)}."), _so_far(evidence)),
        footer=_footer(alert, evidence, now),
    )


def _is_over(evidence: Triggered) -> str:
    if isinstance(evidence, ForecastEvidence):
        worth = money(evidence.amount) if evidence.own else f"{mark_of(evidence)} of {money(evidence.limit)}"
        return f"is not forecast to pass {worth} any more"
    return "no longer burns too fast" if isinstance(evidence, BurnEvidence) else "is back at its pace"


def _footer(alert: Alert, evidence: Triggered, now: datetime) -> tuple[str, ...]:
    age = certainty(evidence.data_as_of, evidence.settled, evidence.spent, now)
    return f"budget “{clean(alert.subject.rule)}”", *age, f"alert {clean(alert.id)}"


def _budget(alert: Alert, longest: int) -> str:
    of = f" for {title_subject(alert)}" if alert.subject.scope.parts() else ""
    return f"Budget “{clean(alert.subject.rule, longest)}”{of}"


def _title(alert: Alert, evidence: Triggered) -> str:
    budget = _budget(alert, 32)
    if isinstance(evidence, ForecastEvidence):
        worth = "" if evidence.own or evidence.percent == 100 else f"{mark_of(evidence)} of "
        mark = money(evidence.amount if evidence.own else evidence.limit)
        return f"{budget} will end at {money(evidence.total)}, beyond {worth}{mark} for {clean(evidence.period, 30)}"
    if isinstance(evidence, BurnEvidence):
        much = times(evidence.per_hour, evidence.sustainable)
        return f"{budget} burns {money(evidence.per_hour)}/h, {much} what {money(evidence.limit)} sustains"
    spent = f"{money(evidence.spent)} of {money(evidence.limit)} for {clean(evidence.period, 30)}"
    return f"{budget} is {ahead(evidence)} ahead of its pace: {spent}"


def _lead(alert: Alert, evidence: Triggered, now: datetime) -> tuple[Line, ...]:
    if isinstance(evidence, ForecastEvidence):
        interval = f"{money(evidence.low)} to {money(evidence.high)}"
        foreseen = line(strong(money(evidence.total)), f" is the forecast, and {interval} its 80 % interval.")
        return foreseen, _so_far(evidence), _per_hour(evidence, f"to stay below {_amount(evidence)}")
    if isinstance(evidence, BurnEvidence):
        burnt = line(
            strong(money(evidence.burnt)),
            f" in the last {window_words(evidence)} ({percent(evidence.burnt, evidence.limit)} of the limit), "
            f"{times(evidence.long_per_hour, evidence.long_sustainable)} what such hours can sustain; "
            f"since {hour_words(alert.starts_at, evidence)} ({ago(alert.starts_at, now)}).",
        )
        return _per_hour(evidence, "over the period"), burnt, _so_far(evidence)
    should = line(
        strong(money(evidence.spent)),
        f" spent, where {money(evidence.expected)} should be by now, by the rhythm of its own week.",
    )
    return should, _per_hour(evidence, f"to stay below {money(evidence.limit)}")


def _amount(evidence: ForecastEvidence) -> str:
    return money(evidence.amount)


def _so_far(evidence: Triggered) -> Line:
    return line(
        strong(f"{money(evidence.spent)} of {money(evidence.limit)}"),
        f" ({percent(evidence.spent, evidence.limit)}) spent for {clean(evidence.period, 30)}.",
    )


def _per_hour(evidence: Triggered, what: str) -> Line:
    return line(
        "Now ",
        strong(f"{money(evidence.per_hour)} an hour"),
        f"; {money(evidence.sustainable)} an hour is sustainable {what}.",
    )


def _also(evidence: Triggered) -> Line:
    return line(f"{capital(' and '.join(evidence.also))} with it: not told separately.") if evidence.also else ()


def _little(evidence: Triggered) -> Line:
    if isinstance(evidence, ForecastEvidence) and evidence.little:
        return line("It rests on under two weeks of history.")
    return ()


def _next(evidence: Triggered, now: datetime) -> Line:
    ends = f"the period ends in {duration(evidence.period_end - now)}"
    if isinstance(evidence, ForecastEvidence):
        return line(f"It crosses {_amount(evidence)} ", strong(crossing_words(evidence)), f"; {ends}.")
    if not evidence.remaining:
        return line("The limit is passed by ", strong(money(evidence.spent - evidence.limit)), f"; {ends}.")
    left = strong(money(evidence.remaining))
    if evidence.exhausted_at is None:
        return line(left, f" are left, which lasts at this rate; {ends}.")
    if isinstance(evidence, BurnEvidence):
        gone = hour_words(evidence.exhausted_at, evidence)
        hours = max((evidence.exhausted_at - evidence.data_as_of) / HOUR, 0.0)
        spoken = f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"
        return line(
            "At this rate the ", left, " that are left are gone in ", strong(f"{spoken}, at {gone}"), f"; {ends}."
        )
    gone = moment_words(evidence.exhausted_at, evidence)
    return line(
        "As far ahead as now, it ends at ",
        strong(money(evidence.ends_at)),
        f"; the limit is gone on {gone}, and {ends}.",
    )
