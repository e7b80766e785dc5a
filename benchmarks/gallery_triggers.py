"""Evidence of what a budget tells before its thresholds are crossed, as the rules would freeze it: for the gallery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from rules.course import Course, course_of
from rules.model import BurnEvidence, ForecastEvidence, PaceEvidence, Share
from rules.money import parse_usd


def burn(now: datetime, *, over: bool = False) -> BurnEvidence:
    """A key's month that is gone in a night."""
    return BurnEvidence(
        **_of_month(now, "412.40", "1000", "38.50"),
        top=(Share("model", "claude-opus-5-5", "claude-opus-5-5", parse_usd("37.9")),),
        since=now.replace(minute=0) - timedelta(hours=1),
        long_hours=1,
        short_hours=1,
        factor=4,
        burnt=parse_usd("38.5"),
        sustainable=parse_usd("1.39"),
        long_per_hour=parse_usd("38.5"),
        long_sustainable=parse_usd("1.39"),
        exhausted_at=now + timedelta(hours=15, minutes=10),
        also=() if over else ("2 times over 6 h",),
        after=parse_usd("1.1") if over else None,
    )


def forecast(now: datetime) -> ForecastEvidence:
    """A month that will end a quarter beyond its limit."""
    return ForecastEvidence(
        **_of_month(now, "7320.50", "10000", "18.20"),
        top=_keys(("batch-summariser", "3210.4"), ("search-rerank", "1804.1"), ("support-bot", "930")),
        percent=100,
        amount=parse_usd("10000"),
        total=parse_usd("12412"),
        low=parse_usd("11120"),
        high=parse_usd("14030"),
        sustainable=parse_usd("10.61"),
        crosses=datetime(2026, 11, 24, 11, tzinfo=UTC),
        early=datetime(2026, 11, 23, 9, tzinfo=UTC),
        late=datetime(2026, 11, 27, 15, tzinfo=UTC),
    )


def pace(now: datetime) -> PaceEvidence:
    """A month that is a third ahead."""
    return PaceEvidence(
        **_of_month(now, "3410", "4000", "7.40"),
        top=_keys(("batch-summariser", "2910.4")),
        percent=120,
        expected=parse_usd("2620"),
        sustainable=parse_usd("2.33"),
        ends_at=parse_usd("5206"),
        exhausted_at=datetime(2026, 11, 23, 15, tzinfo=UTC),
    )


def _keys(*spent: tuple[str, str]) -> tuple[Share, ...]:
    return tuple(
        Share("api_key", f"apikey_01{name.replace('-', 'X')}9NhmiT", name, parse_usd(cost)) for name, cost in spent
    )


def _of_month(now: datetime, spent: str, limit: str, per_hour: str) -> dict[str, Any]:
    return {
        "period": "November 2026",
        "period_start": datetime(2026, 11, 1, tzinfo=UTC),
        "period_end": datetime(2026, 12, 1, tzinfo=UTC),
        "timezone": "UTC",
        "limit": parse_usd(limit),
        "spent": parse_usd(spent),
        "settled": parse_usd(spent) * 88 // 100,
        "per_hour": parse_usd(per_hour),
        "data_as_of": now - timedelta(minutes=8),
        "proven_until": now,
        "course": course(now, spent, per_hour),
    }


def course(now: datetime, spent: str, per_hour: str = "") -> Course | None:
    """A month that spends by day more than by night, little on weekends, and of late as much an hour as is said."""
    start = datetime(2026, 11, 1, tzinfo=UTC)
    hours = [start + number * timedelta(hours=1) for number in range(int((now - start) / timedelta(hours=1)) + 1)]
    plain = [(1.0 if 8 <= hour.hour < 19 else 0.35) * (1.0 if hour.weekday() < 5 else 0.4) for hour in hours]
    total, late = parse_usd(spent), parse_usd(per_hour) if per_hour else 0
    weights = np.array(plain) * ((total - 2 * late) / sum(plain))
    weights[-2:] += late
    return course_of(np.rint(weights.cumsum()).astype(np.int64))
