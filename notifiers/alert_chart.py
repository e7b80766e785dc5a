"""The picture of an alert from its own evidence: an anomaly's hours against what is usual there."""

from __future__ import annotations

from notifiers.chart import Chart, of_points
from notifiers.subjects import capital, title_subject
from rules.model import HOUR, Alert, AnomalyEvidence


def chart_of(alert: Alert) -> Chart | None:
    """What to draw of an alert; None where its evidence holds no hours."""
    evidence = alert.evidence
    if not isinstance(evidence, AnomalyEvidence) or not evidence.points:
        return None
    end = max(evidence.points[-1].hour + HOUR, evidence.since + HOUR)
    title = capital(title_subject(alert))
    points = of_points(evidence.points)
    return Chart(title, points, alert.subject.rule, marked=(evidence.since, end), told=alert.fired_at)
