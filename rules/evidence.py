"""Why a verdict is what it is: the figures behind it, frozen with the alert that they made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias

from rules.measures import SPEND, Measure
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
class BudgetEvidence:
    """Why a budget's threshold counts as crossed; frozen with the alert."""

    period: str
    """The period's name for people: "November 2026", "20 Nov 2026", "week of 16 Nov 2026"."""
    period_start: datetime
    period_end: datetime
    timezone: str
    threshold_percent: float
    """Of the limit; also of a threshold that is an amount of its own."""
    also_crossed: tuple[float, ...]
    """Lower thresholds of the same budget that were crossed in the same judgement, and are told with this one."""
    spent: Nano
    limit: Nano
    settled: Nano
    data_as_of: datetime
    top: tuple[Share, ...] = ()
    unpriced: tuple[str, ...] = ()
    threshold_amount: Nano | None = None
    """Of a threshold that is an amount of its own and no percentage."""
    also_crossed_amounts: tuple[Nano, ...] = ()
    """Those told with this one that are amounts of their own."""
    rolling: bool = False
    """Whether it is of the hours up to now, and of no period that ends."""
    told_amount: Nano | None = None
    """What the threshold was worth when it was told; None where it is as a percentage of `limit` says."""
    measure: Measure = SPEND
    """What is counted: `spent`, `limit` and the other amounts are in its unit."""
    type: Literal["budget"] = "budget"


@dataclass(frozen=True, slots=True)
class AnomalyEvidence:
    """Why an hour or a stretch of hours is not normal; frozen with the alert."""

    since: datetime
    observed: Nano
    """Spent since `since`."""
    expected: Nano
    """What the baseline held for likely over the same hours."""
    per_hour: Nano
    """Spend per hour at present: the newest complete hour, or the open one scaled by what has passed of it."""
    normal_per_hour: Nano
    upper_per_hour: Nano
    score: float
    """How improbable, in robust standard deviations of the baseline's residual scale."""
    history_hours: int
    points: tuple[HourPoint, ...]
    data_as_of: datetime
    settled: Nano = 0
    top: tuple[Share, ...] = ()
    unpriced: tuple[str, ...] = ()
    after_per_hour: Nano | None = None
    """What the newest complete hour cost when the rule no longer held; None until then."""
    type: Literal["anomaly"] = "anomaly"

    @property
    def stays(self) -> bool:
        """Whether the rule no longer holds though spend is nearer to the story's level than to what was likely."""
        if self.after_per_hour is None:
            return False
        hours = max((self.data_as_of - self.since) / timedelta(hours=1), 1.0)
        return 2 * (self.after_per_hour * hours - self.expected) > self.observed - self.expected > 0


@dataclass(frozen=True, slots=True)
class SourceEvidence:
    """What is wrong with a source of data; frozen with the alert."""

    source: str
    problem: str
    since: datetime
    consequence: str
    remedy: str
    data_as_of: datetime | None = None
    type: Literal["source"] = "source"


@dataclass(frozen=True, slots=True)
class DriftPart:
    """One model, in one workspace or (`workspace` None) in all: what it was billed beside what was estimated."""

    workspace: str | None
    workspace_name: str
    model: str
    estimated: Nano
    billed: Nano
    owned: bool = False
    """Whether the owner's own price is behind the estimate."""

    @property
    def drift(self) -> Nano:
        """The bill minus the estimate."""
        return self.billed - self.estimated


@dataclass(frozen=True, slots=True)
class DriftEvidence:
    """Why bill and estimate count as drifted apart; frozen with the alert. Amounts are over all the days told of."""

    first_day: date
    last_day: date
    days: int
    """How many settled days from the first to the last were looked at."""
    estimated: Nano
    billed: Nano
    percent: float
    """Of the estimate: the least that counts, on each day."""
    amount: Nano
    """The least that counts on each day, in money."""
    least_days: int
    organization_off: bool
    """Whether the organization as a whole is off by that much, and not some of its models only."""
    models: tuple[DriftPart, ...]
    """The models that explain it, the largest drift first."""
    parts: tuple[DriftPart, ...]
    """The same by workspace."""
    data_as_of: datetime
    type: Literal["drift"] = "drift"

    @property
    def main(self) -> DriftPart | None:
        """The one model that is most of the drift, if there is one."""
        if not self.models:
            return None
        largest, rest = self.models[0], sum(abs(part.drift) for part in self.models[1:])
        return largest if abs(largest.drift) >= 4 * rest else None


@dataclass(frozen=True, slots=True)
class NewModel:
    """A model in use for the first time: since when, what it has cost so far, and the key that spent most of it."""

    model: str
    since: datetime
    spent: Nano
    api_key: str
    api_key_name: str
    workspace: str
    workspace_name: str
    keys: int
    """How many keys use it."""


@dataclass(frozen=True, slots=True)
class PriceMove:
    """What some kinds of a model ("" for web searches) cost, in parts per million of their list price.

    Where `listed` is False no list price is known, and only the change between the two says anything.
    """

    model: str
    kinds: tuple[str, ...]
    before: int
    after: int
    listed: bool = True


@dataclass(frozen=True, slots=True)
class PriceEvidence:
    """What became known of prices; frozen with the alert."""

    new_models: tuple[NewModel, ...]
    moves: tuple[PriceMove, ...]
    data_as_of: datetime
    type: Literal["price"] = "price"


Evidence: TypeAlias = BudgetEvidence | AnomalyEvidence | SourceEvidence | DriftEvidence | PriceEvidence
