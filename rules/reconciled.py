"""What usage was estimated at beside what was billed for it, by day, workspace and model: what drift is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from rules.scope import Nano

WEB_SEARCHES = "(web searches)"
"""In the place of a model: the web searches of a workspace, which are billed without naming one."""
ALL_MODELS = "(all models)"
"""In the place of a model: everything of a workspace whose bill is not broken down."""

DayStanding: TypeAlias = Literal["open", "settled", "provisional", "estimated"]
PriceSource: TypeAlias = Literal["override", "learned", "list", "unpriced"]
Sort: TypeAlias = Literal["compared", "stand_in", "not_billed", "not_yet", "no_usage", "not_metered", "outside"]
"""Whether the two figures of a cell can drift apart, and if not, why.

- compared: both are there, and the estimate rests on a price.
- stand_in: no price is known for the model, so that its estimate is too high on purpose.
- not_billed: tokens that were billed nothing or less: blocked requests, free use, a credit.
- not_yet: no bill of the day has come.
- no_usage: tokens were billed that no usage report shows.
- not_metered: cost that usage reports never show: code execution, session time.
- outside: usage that no cost report holds: Priority Tier.
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """One workspace and model on one day, nano-dollars.

    `estimated` is tokens times the price that the book gives by now, `listed` the same at published prices (None where
    no list holds the model). `reported` is the cost report's amount and `analytics` that of the analytics, None where
    it was not told. `source` is the least sure source among the prices of what was used.
    """

    workspace: str
    model: str
    sort: Sort
    estimated: Nano = 0
    listed: Nano | None = None
    reported: Nano | None = None
    analytics: Nano | None = None
    source: PriceSource | None = None

    @property
    def billed(self) -> Nano:
        """What it was billed at: the cost report's amount where there is a report, else what the analytics say."""
        return self.reported if self.reported is not None else self.analytics or 0

    @property
    def drift(self) -> Nano:
        """The bill minus the estimate, where the two are compared; else nothing."""
        return self.billed - self.estimated if self.sort == "compared" else 0


@dataclass(frozen=True, slots=True)
class ReconciledDay:
    """One UTC day's cells; `standing` says how final its bill is, and only a settled day's drift counts."""

    day: date
    standing: DayStanding
    cells: tuple[Cell, ...]
