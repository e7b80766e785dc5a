"""The picture of a message: a digest's days, or the anomaly that it tells of first. Pure: data to bytes."""

from __future__ import annotations

import logging

from notifiers.alert_chart import chart_of
from notifiers.bars import bars_of
from notifiers.chart import Chart, png
from rules.model import Notification

log = logging.getLogger(__name__)

SCALE = 1.5
"""Sharp on a screen of many pixels, and still a small file."""


def first_chart(notification: Notification) -> Chart | None:
    """What to draw of the first of its alerts that is an anomaly with a past; None where there is none."""
    return next(filter(None, map(chart_of, notification.alerts)), None)


def picture(notification: Notification) -> bytes | None:
    """The picture as PNG, None where there is nothing to draw. One that fails does not keep the message back."""
    try:
        chart = first_chart(notification)
        return bars_of(notification) if chart is None else png(chart, scale=SCALE)
    except Exception:
        log.warning("the picture of message %s could not be drawn", notification.id, exc_info=True)
        return None
