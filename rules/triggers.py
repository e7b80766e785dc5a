"""What a budget may tell of before its thresholds are crossed: a forecast, a burn rate, a pace. As they are asked for.

What each means is said where it is judged: `rules.foreseen`, `rules.burn`, `rules.pace`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from rules.scope import Kind, Nano, Severity
from rules.thresholds import Mark, Threshold, percent_of

When: TypeAlias = Literal["likely", "expected"]
"""How certain a forecast must be: the lower bound of its interval reaches the mark, or its expected total does."""

TRIGGERS: tuple[Kind, ...] = ("forecast", "burn", "pace")
"""The kinds of their alerts."""


@dataclass(frozen=True, slots=True)
class ForecastMark:
    """One mark that the forecast of a period's end is held against."""

    mark: Mark
    when: When = "likely"

    def severity(self, limit: Nano) -> Severity:
        """Its own; else a warning from the limit on, and information below: nothing is lost yet."""
        if isinstance(self.mark, Threshold) and self.mark.severity is not None:
            return self.mark.severity
        return Severity.WARNING if percent_of(limit, self.mark) >= 100 else Severity.INFO


@dataclass(frozen=True, slots=True)
class PaceMark:
    """One mark that spend so far is held against, in percent of what should have been spent by now."""

    percent: float
    severity: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True)
class BurnPair:
    """A long and a short window, in whole hours, and how many times the sustainable rate both must have."""

    long: timedelta
    short: timedelta
    factor: float
    severity: Severity = Severity.CRITICAL


def _pair(long: int, short: int, factor: float, severity: Severity) -> BurnPair:
    return BurnPair(timedelta(hours=long), timedelta(hours=short), factor, severity)


_FAST = _pair(1, 1, 4, Severity.CRITICAL)
OF_A_DAY = (_FAST, _pair(3, 1, 2, Severity.WARNING))
OF_A_WEEK = (_FAST, _pair(6, 1, 2, Severity.WARNING), _pair(24, 2, 1.5, Severity.WARNING))
OF_LONGER = (_FAST, _pair(6, 1, 2, Severity.WARNING), _pair(72, 6, 1.5, Severity.WARNING))


def usual_pairs(length: timedelta) -> tuple[BurnPair, ...]:
    """The pairs of a period of this length, where none are given."""
    days = length / timedelta(days=1)
    return OF_A_DAY if days < 2 else OF_A_WEEK if days < 14 else OF_LONGER
