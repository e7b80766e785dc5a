"""Typical alerts about dearer tokens and about silence, for the gallery and for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rules.model import HOUR, HourPoint, Odds, PriceShift, Share, SilenceEvidence, UnitPriceEvidence

NOW = datetime(2026, 11, 20, 14, 8, tzinfo=UTC)
DOLLAR = 1_000_000_000
ODDS = Odds(0.24, 120)


def _points(seen: list[float], likely: list[float]) -> tuple[HourPoint, ...]:
    last = NOW.replace(minute=0)
    pairs = enumerate(zip(seen, likely, strict=True))
    return tuple(
        HourPoint(
            last - (len(seen) - 1 - place) * HOUR, round(one * DOLLAR), round(two * DOLLAR), round(two * 3 * DOLLAR)
        )
        for place, (one, two) in pairs
    )


def price_shift() -> PriceShift:
    """Three times the price since six hours."""
    since = NOW.replace(minute=0) - 5 * HOUR
    return PriceShift(before=21_400_000_000, now=66_300_000_000, since=since, excess=177_200_000_000)


def dearer_tokens(after: int | None = None) -> UnitPriceEvidence:
    """A cache that no longer hits; `after` is what a million tokens cost once it is over."""
    likely = [12.0, 13.1, 12.6, 14.0, 13.2, 12.1, 13.4, 12.9, 14.2, 15.1, 13.8, 14.4, 13.0]
    seen = [*likely[:7], *(cost * 3.1 for cost in likely[7:])]
    return UnitPriceEvidence(
        shift=price_shift(),
        tokens=3_950_000,
        observed=261_600_000_000,
        expected=84_400_000_000,
        per_hour=29_500_000_000,
        score=2.9,
        history_hours=35 * 24,
        points=_points(seen, likely),
        data_as_of=NOW - timedelta(minutes=8),
        top=(Share("model", "claude-opus-5-5", "claude-opus-5-5", 177_200_000_000),),
        odds=ODDS,
        after=after,
    )


def silent_scope(after: int | None = None) -> SilenceEvidence:
    """Five hours of nothing; `after` is what an hour brings once it is over."""
    likely = [12.0, 13.1, 12.6, 14.0, 13.2, 12.1, 13.4, 12.9, 14.2, 15.1, 13.8, 14.4, 13.0]
    return SilenceEvidence(
        since=NOW.replace(minute=0) - 4 * HOUR,
        hours=5,
        normal_per_hour=13_900_000_000,
        longest=2,
        score=1.4,
        history_hours=35 * 24,
        points=_points([*likely[:8], 0, 0, 0, 0, 0], likely),
        data_as_of=NOW - timedelta(minutes=8),
        after_per_hour=after,
    )
