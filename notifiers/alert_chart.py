"""The picture of an alert from its own evidence: hours against what is usual there, or a sum against its limit."""

from __future__ import annotations

from datetime import datetime

from notifiers.chart import Chart, Outlook, Point, of_points
from notifiers.subjects import capital, title_subject
from rules.course import Course
from rules.measures import SPEND
from rules.model import (
    HOUR,
    Alert,
    AnomalyEvidence,
    BudgetEvidence,
    ForecastEvidence,
    HourPoint,
    Nano,
    SilenceEvidence,
    TriggerEvidence,
    UnitPriceEvidence,
)
from rules.thresholds import threshold_amount, told_mark


def chart_of(alert: Alert) -> Chart | None:
    """What to draw of an alert; None where its evidence holds no hours."""
    match alert.evidence:
        case AnomalyEvidence() as evidence:
            return _hours(alert, evidence.points, evidence.since, "")
        case UnitPriceEvidence() as evidence:
            return _hours(alert, evidence.points, evidence.since, "expected is what the same tokens cost before")
        case SilenceEvidence() as evidence:
            return _hours(alert, evidence.points, evidence.since, "nothing has come")
        case BudgetEvidence() as evidence if evidence.measure == SPEND:
            return _sum(alert, evidence, evidence.course)
        case TriggerEvidence() as evidence:
            return _sum(alert, evidence, evidence.course)
    return None


def _hours(alert: Alert, points: tuple[HourPoint, ...], since: datetime, what: str) -> Chart | None:
    if not points:
        return None
    subtitle = f"{alert.subject.rule}: {what}" if what else alert.subject.rule
    marked = (since, max(points[-1].hour + HOUR, since + HOUR))
    title = capital(title_subject(alert))
    return Chart(title, of_points(points), subtitle, marked=marked, told=alert.fired_at)


def _sum(alert: Alert, evidence: BudgetEvidence | TriggerEvidence, course: Course | None) -> Chart | None:
    if course is None:
        return None
    outlook = None
    if isinstance(evidence, ForecastEvidence):
        outlook = Outlook(
            at=evidence.period_end,
            low=evidence.low,
            total=evidence.total,
            high=evidence.high,
            mark=evidence.amount,
            crosses=evidence.crosses,
            early=evidence.early,
            late=evidence.late,
        )
    told = alert.fired_at
    return Chart(
        capital(title_subject(alert)),
        tuple(Point(reached - HOUR, spent) for reached, spent in course.stands(evidence.period_start)),
        f"{alert.subject.rule}, {evidence.period}",
        limit=evidence.limit,
        mark=mark_of(evidence),
        told=told if told is not None and told <= evidence.period_end else None,
        timezone=evidence.timezone,
        in_all=True,
        since=evidence.period_start,
        until=evidence.period_end,
        outlook=outlook,
    )


def mark_of(evidence: BudgetEvidence | TriggerEvidence) -> Nano | None:
    """What the alert is about, where that is not the limit itself."""
    amount = evidence.limit
    if isinstance(evidence, BudgetEvidence):
        amount = threshold_amount(evidence.limit, told_mark(evidence))
    elif isinstance(evidence, ForecastEvidence):
        amount = evidence.amount
    return None if amount == evidence.limit else amount
