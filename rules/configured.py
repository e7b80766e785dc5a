"""What the owner asks for: budgets, anomaly rules, which part of the organization they are about, and who hears."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, TypeAlias

from rules.measures import SPEND, Measure
from rules.periods import AS_THE_CALENDAR, PeriodKind, Starts
from rules.policy import KeyAction
from rules.scope import Dimension, Nano, Severity
from rules.thresholds import Mark
from rules.triggers import BurnPair, ForecastMark, PaceMark


@dataclass(frozen=True, slots=True)
class Selector:
    """Globs on an id or a name, one a dimension; None takes all. All that are set must match (`rules.selectors`)."""

    workspace: str | None = None
    api_key: str | None = None
    model: str | None = None
    model_family: str | None = None
    service_tier: str | None = None
    user: str | None = None
    """On the id, the name or the e-mail address of whose the key is."""
    tag: str | None = None
    """On "key=value", for each tag of the workspace."""
    organization: str | None = None
    """Which organizations the rule is for at all: matched once for each, before anything of it is looked at."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Spend against a limit over a period: one of the calendar, the one that `dates` give, or a rolling one.

    `thresholds` are marks on the way to the limit, or beyond it. `per` makes one such budget for each value of those
    dimensions. What the limit is of a scope in a period is for `rules.limits` to say.
    """

    name: str
    period: PeriodKind
    timezone: str
    limit: Nano | None
    """The limit of every period that the plan does not name; None where those have none."""
    thresholds: tuple[Mark, ...]
    per: tuple[Dimension, ...] = ()
    select: Selector = Selector()
    starts: Starts = AS_THE_CALENDAR
    """Where its periods begin, if not as the calendar has it."""
    dates: tuple[date, date] | None = None
    """Of a budget that comes "once": the first local day, and the first that is not in it any more."""
    window: timedelta | None = None
    """Of a "rolling" one: its length, whole hours."""
    paused: bool = False
    """Whether it is only added up and shown, and tells nothing."""
    plan: Mapping[str, Nano] = field(default_factory=dict)
    """The limits of single periods, by `rules.limits.plan_key`."""
    console: bool = False
    """Whether its limits are those that the provider enforces, as they are set in the Console."""
    caps: Mapping[str, Nano] | None = None
    """What these are at present, by the id of the workspace or user, "" for all together; None if it is not known."""
    caps_missing: str = ""
    """Why it is not known, as a clause."""
    measure: Measure = SPEND
    """What is counted; limits and amounts are in its unit."""
    forecast: tuple[ForecastMark, ...] = ()
    burn: tuple[BurnPair, ...] = ()
    pace: tuple[PaceMark, ...] = ()
    """What else it tells of, each only where it is asked for (`rules.triggers`)."""


Direction: TypeAlias = Literal["up", "down", "both"]
"""Which way spend must stray to be told: too much of it, none at all, or either."""
Sensitivity: TypeAlias = Literal["low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class AnomalyTuning:
    """The numbers of an anomaly rule that people may set themselves."""

    threshold: float | None = None
    """Times the usual threshold of improbability; None takes what `sensitivity` says."""
    of_usual: float = 4.0
    """How many usual hours an excess must bring that is less than `one_hour` (`rules.materiality`)."""
    one_hour: float = 5.0
    """Times `min_excess`, from which one hour needs no second one."""
    price_ratio: float = 1.3
    """Times the usual price of a token, from which a shift is told."""
    hot: float = 2.5
    """The z-score from which an hour by itself bears witness (`rules.tuning`)."""


@dataclass(frozen=True, slots=True)
class AnomalyRule:
    """Spend that the baseline holds for improbable and that is material in money."""

    name: str
    per: tuple[Dimension, ...] = ("api_key",)
    select: Selector = Selector()
    min_excess: Nano = 5_000_000_000
    """Nano-dollars per hour over the expected, below which nothing is said."""
    hold_for: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(hours=2)
    severity: Severity = Severity.WARNING
    unit_price: bool = True
    """Whether what an output token costs is followed, too."""
    direction: Direction = "up"
    sensitivity: Sensitivity = "medium"
    false_alarms: float | None = None
    """How many false alarms a year it may bring in an organization, in place of `sensitivity`."""
    tuning: AnomalyTuning = AnomalyTuning()
    action: KeyAction | None = None
    """What is to be done when it fires, beside telling."""
