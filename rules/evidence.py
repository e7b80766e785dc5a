"""Why a verdict is what it is: the figures behind it, frozen with the alert that they made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias

from rules.causes import Cause
from rules.course import Course
from rules.measures import SPEND, Measure
from rules.scope import Nano
from rules.shift_evidence import HourPoint, Odds, PriceShift, Share, SilenceEvidence, UnitPriceEvidence

LEAST_ADOPTED = timedelta(days=2)
"""A level is adopted after four days running, of which an alert need not have seen all."""
YOUNG = 7 * 24
"""Hours of history below which a level is learnt within days, whatever it is."""


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
    course: Course | None = None
    """How it came to `spent`; None where the period began before what is known by the hour."""
    type: Literal["budget"] = "budget"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an anomaly rule asked for when it was judged, and what was reached of it."""

    threshold: float
    """Of improbability, as a multiple of the usual threshold."""
    reached: float
    """The same, of what was seen."""
    min_excess: Nano
    """The least excess an hour over several hours."""
    one_hour: Nano
    """The least excess of one hour that needs no second one."""
    of_usual: float
    """How many usual hours an excess must bring that is less than that."""
    hold_for: timedelta


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
    cause: Cause | None = None
    """What kind of more it is and who carries it, as far as that is known."""
    price: PriceShift | None = None
    """That each output token has become dearer meanwhile, if it has."""
    odds: Odds | None = None
    terms: Terms | None = None
    """What the rule asked for; None where an earlier version judged."""
    type: Literal["anomaly"] = "anomaly"

    @property
    def stays(self) -> bool:
        """Whether the rule no longer holds though spend is nearer to the story's level than to what was likely."""
        if self.after_per_hour is None:
            return False
        hours = max((self.data_as_of - self.since) / timedelta(hours=1), 1.0)
        return 2 * (self.after_per_hour * hours - self.expected) > self.observed - self.expected > 0

    @property
    def learnt(self) -> bool:
        """Whether it has gone on for so long, or so little was known before, that its level can be the normal one.

        Where it stays and is not learnt, a planned event, feedback or another configuration allows as much.
        """
        return self.data_as_of - self.since >= LEAST_ADOPTED or self.history_hours < YOUNG


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerEvidence:
    """What the triggers of a budget have in common; frozen with the alert. Amounts are of the running period."""

    period: str
    """The period's name for people."""
    period_start: datetime
    period_end: datetime
    timezone: str
    limit: Nano
    spent: Nano
    settled: Nano
    per_hour: Nano
    """Spend per hour at present."""
    data_as_of: datetime
    proven_until: datetime
    """The end of the newest hour that proves it: only complete data from there on can end it."""
    top: tuple[Share, ...] = ()
    unpriced: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """The lesser marks of the same budget and scope that are told with this one, in words."""
    course: Course | None = None
    """How it came to `spent`; None where the period began before what is known by the hour."""
    told_with: str | None = None
    """The mark, in words, that this one was told with; then nothing is told of it alone."""
    after: Nano | None = None
    """What complete data had it at when it was clear: the forecast total, the spend per hour, what was spent."""

    @property
    def height(self) -> float:
        """How grave it is among the marks of its trigger: the highest tells."""
        raise NotImplementedError

    @property
    def excess(self) -> Nano:
        """By how much it is too much, in what the alerts of its kind have in common."""
        raise NotImplementedError

    @property
    def remaining(self) -> Nano:
        """What is left of the limit, nothing where it is passed."""
        return max(self.limit - self.spent, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastEvidence(TriggerEvidence):
    """Why a period is held to end beyond a mark."""

    percent: float
    """The mark in percent of the limit; also of one that is an amount of its own."""
    amount: Nano
    """What the mark is worth."""
    own: bool = False
    """Whether the mark is an amount of its own."""
    total: Nano
    low: Nano
    high: Nano
    """The expected total and its 80 % interval."""
    sustainable: Nano
    """What an hour of the rest of the period may cost, for the mark not to be reached."""
    crosses: datetime | None = None
    early: datetime | None = None
    late: datetime | None = None
    """When the running sum reaches the mark, and the 80 % interval of that; None beyond the period's end."""
    little: bool = False
    """Whether it rests on under two weeks of history."""
    type: Literal["forecast"] = "forecast"

    @property
    def height(self) -> float:
        """What the mark is worth."""
        return float(self.amount)

    @property
    def excess(self) -> Nano:
        """What the period is expected to cost beyond the mark."""
        return self.total - self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnEvidence(TriggerEvidence):
    """Why a limit is held to be burnt too fast. `per_hour` is that of the short window."""

    since: datetime
    """The first hour of the stretch that costs at least half of `per_hour`, and more than can be sustained."""
    long_hours: int
    short_hours: int
    factor: float
    burnt: Nano
    """Spent in the long window."""
    sustainable: Nano
    """What an hour of the short window may cost, nano-dollars."""
    long_per_hour: Nano
    long_sustainable: Nano
    """The same two of the long window."""
    exhausted_at: datetime | None = None
    """When the rest of the limit is gone at `per_hour`; None where there is none left, or it lasts."""
    type: Literal["burn"] = "burn"

    @property
    def height(self) -> float:
        """The factor that both windows have reached."""
        return self.factor

    @property
    def excess(self) -> Nano:
        """What an hour costs beyond what can be sustained."""
        return self.per_hour - self.sustainable


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceEvidence(TriggerEvidence):
    """Why spend is held to be ahead of its period."""

    percent: float
    """The mark, in percent of `expected`."""
    expected: Nano
    """What should have been spent by now, by the scope's own week."""
    sustainable: Nano
    """What an hour of the rest of the period may cost on average, for the limit to last."""
    ends_at: Nano
    """What the period comes to, if the rest of it is as far ahead as it is by now."""
    exhausted_at: datetime | None = None
    """When the limit is gone, if the rest of the period is as far ahead; None where it lasts."""
    type: Literal["pace"] = "pace"

    @property
    def height(self) -> float:
        """The mark."""
        return self.percent

    @property
    def excess(self) -> Nano:
        """What was spent beyond what should have been by now."""
        return self.spent - self.expected


Triggered: TypeAlias = ForecastEvidence | BurnEvidence | PaceEvidence
"""What the triggers of a budget leave behind."""
Evidence: TypeAlias = (
    BudgetEvidence
    | AnomalyEvidence
    | UnitPriceEvidence
    | SilenceEvidence
    | SourceEvidence
    | DriftEvidence
    | PriceEvidence
    | Triggered
)
