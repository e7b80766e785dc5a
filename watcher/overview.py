"""Where the money stands, as one value: what the status page, `watcher status` and the spend metrics show.

The cycle makes it from the view that it judged, and commits it with the judgement, so that every face of the program
shows the same figures and none has to add up the ledger again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from rules.budgets import Line, lines
from rules.model import DIMENSIONS, Budget, Dimension, Names, Nano, Snapshot, SourceState, SpendView
from rules.sources import USAGE
from rules.stall import Stall

OTHER = "(other)"
"""The row that holds the sum of everything past the `KEPT` largest of a dimension."""
KEPT = 100

Level: TypeAlias = Literal["organization", "workspace", "api_key", "model"]


@dataclass(frozen=True, slots=True)
class Spent:
    """Spend of one scope today and this month (UTC), nano-dollars."""

    level: Level
    id: str
    name: str
    today: Nano
    month: Nano
    month_settled: Nano


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of one judgement. Budgets are one line for each scope that they apply to."""

    organization: str
    organization_name: str
    at: datetime
    data_as_of: datetime
    complete_until: datetime
    spent: tuple[Spent, ...]
    budgets: tuple[Line, ...]
    unpriced: tuple[str, ...] = ()
    silent_since: datetime | None = None
    """Since when the whole organization has read as silent against expectation, so that its usage is suspect."""

    @property
    def total(self) -> Spent:
        """The organization's own row."""
        return next(row for row in self.spent if row.level == "organization")

    def top(self, level: Level, most: int) -> tuple[Spent, ...]:
        """The largest rows of a level by this month's spend; the rest row is left out."""
        return tuple(row for row in self.spent if row.level == level and row.id != OTHER)[:most]


_JSON: TypeAdapter[Overview] = TypeAdapter(Overview)


def to_json(overview: Overview) -> str:
    """The form that the store keeps."""
    return _JSON.dump_json(overview).decode()


def from_json(text: str) -> Overview:
    """Read back what `to_json` wrote. Raises ValueError on anything else."""
    return _JSON.validate_json(text)


def with_silence(sources: Iterable[SourceState], figures: Overview | None) -> tuple[SourceState, ...]:
    """The sources' states as people should see them: usage is suspect also while the organization reads as silent."""
    silent_since = figures.silent_since if figures else None
    return tuple(
        replace(source, stalled_since=source.stalled_since or silent_since) if source.source == USAGE else source
        for source in sources
    )


def overview(snapshot: Snapshot, budgets: Sequence[Budget], stall: Stall | None, now: datetime) -> Overview:
    """Add up a snapshot."""
    view = snapshot.view
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    today = _since(view, view.cost, midnight)
    month = _since(view, view.cost, midnight.replace(day=1))
    settled = _since(view, view.settled, midnight.replace(day=1))
    whole = Spent(
        "organization",
        snapshot.organization,
        snapshot.organization_name,
        int(today.sum()),
        int(month.sum()),
        int(settled.sum()),
    )
    rows = [whole]
    for dimension in DIMENSIONS:
        rows += _largest(dimension, view, today, month, settled, snapshot.names)
    return Overview(
        snapshot.organization,
        snapshot.organization_name,
        now,
        view.observed_until,
        view.complete_until,
        tuple(rows),
        tuple(line for budget in budgets for line in lines(budget, view, snapshot.names, now)),
        tuple(sorted(view.unpriced)),
        stall.since if stall else None,
    )


def _since(view: SpendView, figures: npt.NDArray[np.int64], start: datetime) -> npt.NDArray[np.int64]:
    """Each leaf's sum from `start` on."""
    return np.asarray(figures[:, max(view.index(start), 0) :].sum(axis=1), dtype=np.int64)


def _largest(
    dimension: Dimension,
    view: SpendView,
    today: npt.NDArray[np.int64],
    month: npt.NDArray[np.int64],
    settled: npt.NDArray[np.int64],
    names: Names,
) -> list[Spent]:
    sums: dict[str, list[int]] = {}
    for leaf, *figures in zip(view.leaves, today.tolist(), month.tolist(), settled.tolist(), strict=True):
        row = sums.setdefault(getattr(leaf, dimension), [0, 0, 0])
        for place, figure in enumerate(figures):
            row[place] += figure
    ranked = sorted(sums.items(), key=lambda item: (-item[1][1], item[0]))
    rows = [Spent(dimension, ident, names.of(ident), *figures) for ident, figures in ranked[:KEPT]]
    if rest := [figures for _, figures in ranked[KEPT:]]:
        rows.append(Spent(dimension, OTHER, "other", *(sum(column) for column in zip(*rest, strict=True))))
    return rows
