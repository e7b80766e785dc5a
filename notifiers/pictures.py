"""The picture of a message: the anomaly that it tells of first, against what was expected. Pure: data to bytes."""

from __future__ import annotations

import logging

from notifiers.chart import Chart, of_points, png
from notifiers.subjects import capital, title_subject
from rules.model import HOUR, Alert, AnomalyEvidence, Notification

log = logging.getLogger(__name__)

SCALE = 1.5
"""Sharp on a screen of many pixels, and still a small file."""
LEAST = 2
"""Of fewer hours there is nothing to see."""


def chart_of(notification: Notification) -> Chart | None:
    """What to draw of the first of its alerts that is an anomaly with a past; None where there is none."""
    return next(filter(None, map(_chart, notification.alerts)), None)


def picture(notification: Notification) -> bytes | None:
    """The same as PNG, None where there is nothing to draw. A picture that fails does not keep the message back."""
    chart = chart_of(notification)
    if chart is None:
        return None
    try:
        return png(chart, scale=SCALE)
    except Exception:
        log.warning("the chart of message %s could not be drawn", notification.id, exc_info=True)
        return None


def _chart(alert: Alert) -> Chart | None:
    evidence = alert.evidence
    if not isinstance(evidence, AnomalyEvidence) or len(evidence.points) < LEAST:
        return None
    end = max(alert.ends_at or evidence.points[-1].hour + HOUR, alert.starts_at + HOUR)
    return Chart(
        capital(title_subject(alert)),
        of_points(evidence.points),
        alert.subject.rule,
        marked=(alert.starts_at, end),
        told=alert.fired_at,
    )
