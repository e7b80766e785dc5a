"""What a budget's triggers say in one line, and the words that every channel puts their figures into."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rules.evidence import BurnEvidence, ForecastEvidence, PaceEvidence, TriggerEvidence
from rules.money import NANO_PER_USD, display_usd
from rules.periods import MONTHS
from rules.scope import HOUR, Nano

_WHOLE_DOLLARS_FROM = 1000 * NANO_PER_USD
_IN_DAYS_FROM = 3 * 24


def money(amount: Nano) -> str:
    """An amount as it is shown: "$41.20", "$12,400"; whole dollars from $1,000 on."""
    if abs(amount) < _WHOLE_DOLLARS_FROM:
        return display_usd(amount)
    return display_usd(round(amount / NANO_PER_USD) * NANO_PER_USD).removesuffix(".00")


def mark_of(evidence: TriggerEvidence) -> str:
    """The mark that an alert is about: "100 %", "$9,000", "4 times over 6 h", "120 %"."""
    if isinstance(evidence, ForecastEvidence):
        return money(evidence.amount) if evidence.own else f"{evidence.percent:.10g} %"
    if isinstance(evidence, BurnEvidence):
        return f"{evidence.factor:.10g} times over {evidence.long_hours} h"
    return f"{evidence.percent:.10g} %" if isinstance(evidence, PaceEvidence) else ""


def times(part: Nano, whole: Nano) -> str:
    """How many times as much: "5.2 times", "14 times"; "many times" of nothing."""
    if whole <= 0:
        return "many times"
    ratio = part / whole
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.1f} times"


def ahead(evidence: PaceEvidence) -> str:
    """How far spend is ahead, in percent of what it should be."""
    return f"{100 * evidence.excess / evidence.expected:,.0f} %" if evidence.expected > 0 else "far"


def window_words(evidence: BurnEvidence) -> str:
    """How much of the long window has passed: "20 min" of an hour that is open, "5.2 h", "72 h"."""
    hours = evidence.burnt / evidence.long_per_hour if evidence.long_per_hour > 0 else float(evidence.long_hours)
    return f"{60 * hours:.0f} min" if hours < 0.99 else f"{hours:.3g} h"


def left_words(evidence: TriggerEvidence) -> str:
    """What is left of the limit: "$587.60 left", "the limit passed by $3.00"."""
    if evidence.spent > evidence.limit:
        return f"the limit passed by {money(evidence.spent - evidence.limit)}"
    return f"{money(evidence.remaining)} left"


def moment_words(moment: datetime, evidence: TriggerEvidence) -> str:
    """A moment of the period in the budget's zone: "24 Nov" of a period of several days, else "24 Nov, 14:00"."""
    local = moment.astimezone(_zone(evidence))
    day = f"{local.day} {MONTHS[local.month - 1][:3]}"
    if (evidence.period_end - evidence.period_start) / HOUR >= _IN_DAYS_FROM:
        return day
    return f"{day}, {local:%H:%M} {evidence.timezone}"


def hour_words(moment: datetime, evidence: TriggerEvidence) -> str:
    """A moment to the minute in the budget's zone: "24 Nov, 14:20 UTC"."""
    local = moment.astimezone(_zone(evidence))
    return f"{local.day} {MONTHS[local.month - 1][:3]}, {local:%H:%M} {evidence.timezone}"


def crossing_words(evidence: ForecastEvidence) -> str:
    """When the mark is reached: "on 24 Nov, between 22 Nov and 27 Nov"; what lies beyond the period is said so."""
    if evidence.crosses is None:
        return "perhaps within the period"
    on = moment_words(evidence.crosses, evidence)
    early = moment_words(evidence.early or evidence.crosses, evidence)
    if evidence.late is None:
        return f"on {on}, {early} at the earliest, perhaps not within the period"
    late = moment_words(evidence.late, evidence)
    return f"on {on}" if early == late == on else f"on {on}, between {early} and {late}"


def said(evidence: TriggerEvidence) -> str:
    """What is wrong, as the end of a sentence that begins with the budget."""
    limit = f"{money(evidence.limit)} for {evidence.period}"
    if isinstance(evidence, ForecastEvidence):
        little = ", from little history" if evidence.little else ""
        return (
            f"will end at {money(evidence.total)} (80 % interval {money(evidence.low)} to {money(evidence.high)}"
            f"{little}), beyond {_of_limit(evidence, limit)}: {money(evidence.spent)} spent, crosses it "
            f"{crossing_words(evidence)}"
        )
    if isinstance(evidence, BurnEvidence):
        gone = "" if evidence.exhausted_at is None else f", gone at {hour_words(evidence.exhausted_at, evidence)}"
        return (
            f"burns {money(evidence.per_hour)}/h, {times(evidence.per_hour, evidence.sustainable)} the "
            f"{money(evidence.sustainable)}/h that {limit} sustains: {money(evidence.burnt)} in "
            f"{window_words(evidence)}, {left_words(evidence)}{gone}"
        )
    if isinstance(evidence, PaceEvidence):
        gone = "" if evidence.exhausted_at is None else f", gone on {moment_words(evidence.exhausted_at, evidence)}"
        return (
            f"is {ahead(evidence)} ahead of its pace: {money(evidence.spent)} spent where {money(evidence.expected)} "
            f"of {limit} should be{gone}"
        )
    return ""


def over(evidence: TriggerEvidence) -> str:
    """What is said when it is over, in the same way."""
    now = evidence.after
    if isinstance(evidence, ForecastEvidence):
        limit = f"{money(evidence.limit)} for {evidence.period}"
        at = "" if now is None else f" at {money(now)},"
        return f"will end{at} below {_of_limit(evidence, limit)}; it was forecast to end at {money(evidence.total)}"
    if isinstance(evidence, BurnEvidence):
        at = "" if now is None else f" at {money(now)}/h"
        rate, sustained = money(evidence.per_hour), money(evidence.sustainable)
        return f"no longer burns too fast{at}: it had burnt {rate}/h, and {sustained}/h is sustainable"
    if isinstance(evidence, PaceEvidence):
        at = "" if now is None else f", {money(now)} spent"
        return f"is back at its pace{at}: it had been {ahead(evidence)} ahead"
    return ""


def _of_limit(evidence: ForecastEvidence, limit: str) -> str:
    if evidence.own:
        return f"{money(evidence.amount)} (limit {limit})"
    return limit if evidence.percent == 100 else f"{mark_of(evidence)} of {limit}"


def _zone(evidence: TriggerEvidence) -> ZoneInfo:
    """The budget's own zone; UTC where this machine no longer knows it."""
    try:
        return ZoneInfo(evidence.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
