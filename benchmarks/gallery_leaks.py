"""A slow leak, for the gallery: a little more every day, and no hour that is much."""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.model import HOUR, AnomalyEvidence, HourPoint, Share

_DAYS = (14.0, 14.0, 14.0, 14.0, 15.5, 17.0, 19.0, 21.5, 24.0, 27.0)
"""Dollars a day."""
_NORMAL_DAYS = 4
_FIRST_HOUR = 15


def leak(now: datetime) -> AnomalyEvidence:
    """Ten days of a key that spends more by day than by night, and since six days more than it did."""
    shape = [(1.5 if 8 <= (hour + _FIRST_HOUR) % 24 < 19 else 0.6) / 24 for hour in range(24)]
    seen = [day * part + 0.05 * (hour % 3) for day in _DAYS for hour, part in enumerate(shape)]
    usual = [_DAYS[0] * part + 0.05 for _ in _DAYS for part in shape]
    last = now.replace(minute=0)
    points = tuple(
        HourPoint(last - (len(seen) - 1 - place) * HOUR, _nano(one), _nano(two), _nano(1.9 * two))
        for place, (one, two) in enumerate(zip(seen, usual, strict=True))
    )
    story = points[_NORMAL_DAYS * 24 :]
    return AnomalyEvidence(
        since=story[0].hour,
        observed=sum(point.observed for point in story),
        expected=sum(point.expected for point in story),
        per_hour=points[-1].observed,
        normal_per_hour=points[-1].expected,
        upper_per_hour=points[-1].upper,
        score=9.0,
        history_hours=1344,
        points=points,
        data_as_of=now - timedelta(minutes=8),
        top=(Share("model", "claude-sonnet-5-5", "claude-sonnet-5-5", sum(point.observed for point in story)),),
    )


def _nano(dollars: float) -> int:
    return round(dollars * 1_000_000) * 1_000
