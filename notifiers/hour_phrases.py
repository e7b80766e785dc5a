"""What the stories of anomalies say in the same words: their hours as a picture, their history, and their odds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from notifiers.story import Line, line, strong
from notifiers.text import bars, plural, when
from rules.model import HourPoint, Odds, PriceShift
from rules.money import display_usd
from rules.summary import times

_SHOWN_HOURS = 24
_FEWEST_HOURS = 3


def picture(points: Sequence[HourPoint], now: datetime, seen: str = "seen", likely: str = "likely") -> tuple[str, ...]:
    """The last hours, what was seen above what was likely, on one scale."""
    points = points[-_SHOWN_HOURS:]
    if len(points) < _FEWEST_HOURS:
        return ()
    highest = max(max(point.observed, point.expected) for point in points)
    above = bars([point.observed for point in points], highest)
    below = bars([point.expected for point in points], highest)
    width = max(len(seen), len(likely)) + 2
    return (
        f"{seen:<{width}}{above}  up to {display_usd(highest)}/h",
        f"{likely:<{width}}{below}  since {when(points[0].hour, now)}",
    )


def history_words(hours: int) -> str:
    """How much past stands behind it: "60 days"."""
    return plural(max(round(hours / 24), 1), "day")


def odds_words(odds: Odds | None) -> tuple[str, ...]:
    """How often the like would come on clean data, in few words; nothing where that was not worked out."""
    if odds is None:
        return ()
    among = f"among {plural(odds.series, 'series', 'series')}"
    if odds.a_year >= 0.95:
        count = round(odds.a_year)
        often = "once" if count == 1 else "twice" if count == 2 else f"{count:,} times"
        return (f"expected at most {often} a year on clean data {among}",)
    years = round(1.0 / odds.a_year) if odds.a_year > 0 else 0
    if years == 0 or years > 100:
        return (f"expected less than once in 100 years on clean data {among}",)
    less = "less than" if odds.floored else "at most"
    return (f"expected {less} once in {plural(years, 'year')} on clean data {among}",)


def dearer(shift: PriceShift, now: datetime) -> Line:
    """That each token costs more, and since when."""
    return line(
        "Each output token costs ",
        strong(f"{times(shift)} as much"),
        f" as usual since {when(shift.since, now)}: {display_usd(shift.now)} a million, where "
        f"{display_usd(shift.before)} is normal.",
    )
