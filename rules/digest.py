"""The digest: what is asked for, and the figures of one, frozen when it is decided. Money is integer nano-dollars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal, TypeAlias

from rules.configured import Selector
from rules.scope import Dimension, Nano, Severity, State

_EVERYTHING = Selector()

Every: TypeAlias = Literal["daily", "weekly"]


@dataclass(frozen=True, slots=True)
class DigestRule:
    """A summary of the day, or of the seven days, before the local midnight of the day on which it comes."""

    name: str
    receivers: tuple[str, ...]
    every: Every = "daily"
    at: time = time(9)
    """When it comes, by the clock of `timezone`."""
    weekday: int = 0
    """On which day a weekly one comes, Monday is 0."""
    timezone: str = "UTC"
    select: Selector = _EVERYTHING


@dataclass(frozen=True, slots=True)
class Compared:
    """The period's spend beside that of another time. `cost` is None where not all of that time was read."""

    what: str
    """What that time is called: "the day before"."""
    cost: Nano | None


@dataclass(frozen=True, slots=True)
class Projected:
    """Where the running month stands and will end; `low` and `high` bound the 80 % interval."""

    label: str
    spent: Nano
    total: Nano
    low: Nano
    high: Nano
    known: bool
    """Whether anything is known to forecast from."""


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """One budget's line in its running period; amounts are in `unit`, which is "usd" (nano-dollars) or a count."""

    budget: str
    scope: str
    """What people call the scope; "" for all of it."""
    period: str
    unit: str
    spent: int
    limit: int | None
    total: int | None = None
    """The forecast of the period's end with its 80 % interval; None where there is none."""
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Mover:
    """A workspace, key or model whose spend strayed from its usual, and why as far as that is known."""

    dimension: Dimension
    id: str
    name: str
    spent: Nano
    usual: Nano
    why: str = ""

    @property
    def change(self) -> Nano:
        """What it spent over its usual; below zero where it fell."""
        return self.spent - self.usual


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that began to fire in the period, as it is now."""

    id: str
    severity: Severity
    state: State
    summary: str
    at: datetime
    done: str = ""
    """What became of it: "acknowledged by ann", say."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A key that was deactivated in the period, and what its being off saves until somebody would have noticed."""

    action: str
    """The id in the journal of actions."""
    key: str
    name: str
    at: datetime
    saved: Nano | None
    """An estimate; None where nothing is known to estimate from."""
    by: str = ""
    """Who asked for it or approved it; "" where the policy did it by itself."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A key that was made in the period, or a model that was used in it for the first time."""

    id: str
    name: str
    spent: Nano


@dataclass(frozen=True, slots=True)
class DayBar:
    """The spend of one local day."""

    day: date
    cost: Nano
    whole: bool
    """Whether all of its hours are complete."""


@dataclass(frozen=True, slots=True)
class Digest:
    """The figures of one digest, `[start, end)` in UTC; lists hold the largest first, `more_…` count what is left out.

    `usual` is the mean of the same hours of the week in up to four weeks before, None without a week of history.
    """

    name: str
    every: Every
    timezone: str
    label: str
    """What people call the period: "19 Nov 2026"."""
    first: date
    start: datetime
    end: datetime
    due_at: datetime
    spent: Nano
    settled: Nano
    compared: tuple[Compared, ...]
    usual: Nano | None
    data_as_of: datetime
    complete_until: datetime
    month: Projected | None = None
    budgets: tuple[BudgetStanding, ...] = ()
    more_budgets: int = 0
    movers: tuple[Mover, ...] = ()
    fired: tuple[Fired, ...] = ()
    more_fired: int = 0
    firing_now: int = 0
    done: tuple[str, ...] = ()
    """What people did beside that, in sentences without a full stop."""
    more_done: int = 0
    new_keys: tuple[Newcomer, ...] = ()
    more_keys: int = 0
    new_models: tuple[Newcomer, ...] = ()
    bars: tuple[DayBar, ...] = ()
    """The four weeks up to the period's end, in order."""
    limit: Nano | None = None
    """A day's even part of the budget that is for all of what the digest is of; None where there is none."""
    limit_of: str = ""
    """That budget's name."""
    part: str = ""
    """What part of the spend it is of, as the configuration selects it; "" for all."""
    unpriced: tuple[str, ...] = ()
    read: bool = True
    """Whether usage was read from the period's beginning on."""
    stopped: tuple[Stopped, ...] = ()
    more_stopped: int = 0
    saved: Nano = 0
    """By all keys that were deactivated in the period: an estimate."""

    @property
    def complete(self) -> bool:
        """Whether every hour of the period is known."""
        return self.complete_until >= self.end
