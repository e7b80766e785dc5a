"""Why a unit counts as dearer than usual, and why a scope counts as silent: evidence, frozen with the alert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rules.scope import Dimension, Nano


@dataclass(frozen=True, slots=True)
class HourPoint:
    """One hour of a story: what was seen beside what the baseline held for likely, nano-dollars."""

    hour: datetime
    observed: Nano
    expected: Nano
    upper: Nano
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Share:
    """A child's part of its parent's figure."""

    dimension: Dimension
    id: str
    name: str
    cost: Nano


@dataclass(frozen=True, slots=True)
class Odds:
    """How often alerts with such a score would come on clean data, by `rules.sensitivity`."""

    a_year: float
    """At most so often a year, among all the series of the rule in the organization."""
    series: int
    floored: bool = False
    """Whether it is less often still: beyond what was measured the law is not drawn out."""


@dataclass(frozen=True, slots=True)
class PriceShift:
    """What a million output tokens cost: nano-dollars before, and at present."""

    before: Nano
    now: Nano
    since: datetime
    excess: Nano
    """What the tokens since then have cost beyond the price of before."""

    @property
    def times(self) -> float:
        """How many times as much a token costs."""
        return self.now / self.before if self.before > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class UnitPriceEvidence:
    """Why an output token counts as dearer than usual, however many of them there are."""

    shift: PriceShift
    tokens: int
    """Output tokens since then."""
    observed: Nano
    """What was spent since then; `expected` is what the same tokens would have cost before."""
    expected: Nano
    per_hour: Nano
    """What an hour costs beyond that, at present."""
    score: float
    history_hours: int
    points: tuple[HourPoint, ...]
    data_as_of: datetime
    settled: Nano = 0
    top: tuple[Share, ...] = ()
    unpriced: tuple[str, ...] = ()
    odds: Odds | None = None
    after: Nano | None = None
    """What a million output tokens cost when the rule no longer held; None until then."""
    type: Literal["unit_price"] = "unit_price"

    @property
    def since(self) -> datetime:
        """When it began in the data."""
        return self.shift.since

    @property
    def excess(self) -> Nano:
        """What it has cost so far."""
        return self.observed - self.expected

    @property
    def stays(self) -> bool:
        """Whether the rule no longer holds though the price is nearer to the shifted one than to the old."""
        return self.after is not None and 2 * self.after > self.shift.before + self.shift.now


@dataclass(frozen=True, slots=True)
class SilenceEvidence:
    """Why a scope counts as silent that practically always spends something."""

    since: datetime
    """The first hour without anything."""
    hours: int
    """How many complete hours have brought nothing."""
    normal_per_hour: Nano
    """What these hours were held to bring, each."""
    longest: int
    """The longest silence of the four weeks before, in hours."""
    score: float
    history_hours: int
    points: tuple[HourPoint, ...]
    data_as_of: datetime
    after_per_hour: Nano | None = None
    """What the newest complete hour brought when the rule no longer held; None until then."""
    type: Literal["silence"] = "silence"

    @property
    def missing(self) -> Nano:
        """What was expected to come by now."""
        return self.hours * self.normal_per_hour
