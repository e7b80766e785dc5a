"""Where the money stands, as one value: what the status page, `watcher status` and the spend metrics show.

The cycle makes it from the view that it judged, and commits it with the judgement, so that every face of the program
shows the same figures and none has to add up the ledger again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from rules.budgets import Line, running
from rules.dimensions import groups
from rules.model import DIMENSIONS, TAG, Budget, Dimension, Leaf, Names, Nano, Snapshot, SourceState, SpendView
from rules.outlook import outlook
from rules.selectors import select
from rules.sources import usage_source
from rules.stall import Stall
from watcher.drift_figures import DriftFigures, drift_figures
from watcher.ledger.month import NOTHING_USED, TOKEN_KINDS, UsedTokens

REMEMBERED = "judgement"
"""Under this name the store keeps what a judgement hands to the next one."""
OTHER = "(other)"
"""The row that holds the sum of everything past the `KEPT` largest of a dimension."""
KEPT = 100

MOST_TAGS = 10
"""How many keys of tags have rows: those that the dearest workspaces have."""

Level: TypeAlias = str
"""What the rows of one kind are by: "organization", or a `Dimension`."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Spend of one scope today and this month (UTC), nano-dollars."""

    level: Level
    id: str
    name: str
    today: Nano
    month: Nano
    month_settled: Nano
    tokens_today: int = 0
    tokens_month: int = 0


@dataclass(frozen=True, slots=True)
class UsedKind:
    """Tokens of one kind, today and this month (UTC)."""

    kind: str
    today: int
    month: int


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A budget of which nothing is judged at present, and why, as a clause."""

    budget: str
    why: str


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
    drift: DriftFigures | None = None
    """How far bill and estimate were apart on the newest settled day."""
    unjudged: tuple[Unjudged, ...] = ()
    """The budgets of which nothing is judged."""
    paused: tuple[str, ...] = ()
    """The budgets that tell nothing at present, by name."""
    silences: int = 0
    """How many silences hold at present."""
    tokens: tuple[UsedKind, ...] = ()
    """The organization's tokens by kind."""

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
    known = tuple(sources)
    usage = usage_source(known)
    return tuple(
        replace(source, stalled_since=source.stalled_since or silent_since) if source is usage else source
        for source in known
    )


def overview(
    snapshot: Snapshot,
    budgets: Sequence[Budget],
    stall: Stall | None,
    now: datetime,
    used: UsedTokens = NOTHING_USED,
    *,
    every_key: bool = False,
) -> Overview:
    """Add up a snapshot, and the tokens that were used meanwhile.

    Of each dimension the `KEPT` largest rows are kept; `every_key` keeps all keys.
    """
    view = snapshot.view
    spent = _Figures.of(view, used, now)
    today, month, settled, *tokens = spent.amounts.sum(axis=0).tolist()
    rows = [Spent("organization", snapshot.organization, snapshot.organization_name, today, month, settled, *tokens)]
    for dimension in (*DIMENSIONS, *_tags(spent, snapshot.names)):
        most = None if every_key and dimension == "api_key" else KEPT
        rows += _largest(dimension, spent, snapshot.names, most)
    lines = {budget.name: _lines(budget, snapshot, now) for budget in budgets}
    return Overview(
        snapshot.organization,
        snapshot.organization_name,
        now,
        view.observed_until,
        view.complete_until,
        tuple(rows),
        tuple(line for of_budget in lines.values() for line in of_budget),
        tuple(sorted(view.unpriced)),
        stall.since if stall else None,
        drift_figures(snapshot.reconciled),
        tuple(_unjudged(budgets, lines, snapshot, now)),
        tokens=tuple(
            UsedKind(kind, *figures)
            for kind, *figures in zip(
                TOKEN_KINDS, used.today.sum(axis=0).tolist(), used.month.sum(axis=0).tolist(), strict=True
            )
        ),
    )


def _lines(budget: Budget, snapshot: Snapshot, now: datetime) -> list[Line]:
    figures = snapshot.figures(budget.measure)
    if isinstance(figures, str):
        return []
    return outlook(budget, figures, snapshot.names_of(budget.measure), now, snapshot.off)


def _unjudged(
    budgets: Sequence[Budget], lines: Mapping[str, Sequence[Line]], snapshot: Snapshot, now: datetime
) -> Iterator[Unjudged]:
    """The budgets whose figures are not known, that match nothing, or none of whose scopes has a limit."""
    for budget in budgets:
        figures = snapshot.figures(budget.measure)
        if isinstance(figures, str):
            yield Unjudged(budget.name, figures)
        elif running(budget, now) is None:
            continue
        elif figures.leaves and not _takes_any(budget, figures, snapshot.names_of(budget.measure)):
            yield Unjudged(budget.name, "it matches nothing that was used in the last 70 days")
        elif lines[budget.name] and all(line.limit is None for line in lines[budget.name]):
            yield Unjudged(budget.name, lines[budget.name][0].unlimited)


def _takes_any(budget: Budget, figures: SpendView, names: Names) -> bool:
    """Whether the selector takes anything, of the view or of what is earlier."""
    before = figures.earlier.leaves if figures.earlier is not None else ()
    return bool(select(budget.select, (*figures.leaves, *before), names).any())


def _since(view: SpendView, figures: npt.NDArray[np.int64], start: datetime) -> npt.NDArray[np.int64]:
    """Each leaf's sum from `start` on."""
    return np.asarray(figures[:, max(view.index(start), 0) :].sum(axis=1), dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Figures:
    """By leaf: spend today, this month and the settled part of that, tokens today and this month."""

    leaves: tuple[Leaf, ...]
    amounts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, view: SpendView, used: UsedTokens, now: datetime) -> Self:
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        index = {leaf: row for row, leaf in enumerate(view.leaves)}
        where = [index.setdefault(leaf, len(index)) for leaf in used.leaves]
        amounts = np.zeros((len(index), 5), dtype=np.int64)
        known = len(view.leaves)
        amounts[:known, 0] = _since(view, view.cost, midnight)
        amounts[:known, 1] = _since(view, view.cost, midnight.replace(day=1))
        amounts[:known, 2] = _since(view, view.settled, midnight.replace(day=1))
        amounts[where, 3] = used.today.sum(axis=1)
        amounts[where, 4] = used.month.sum(axis=1)
        return cls(tuple(index), amounts)


def _tags(spent: _Figures, names: Names) -> list[Dimension]:
    """The dimensions of the tags that have rows, in the order of their keys."""
    behind: Counter[str] = Counter()
    of, workspaces = groups(("workspace",), spent.leaves, names)
    for (workspace,), cost in zip(workspaces, _sums(spent.amounts[:, 1], of, len(workspaces)).tolist(), strict=True):
        behind.update(dict.fromkeys(names.tags_of_workspace.get(workspace, ()), cost))
    dearest = sorted(behind, key=lambda key: (-behind[key], key))[:MOST_TAGS]
    return [TAG + key for key in sorted(dearest)]


def _largest(dimension: Dimension, spent: _Figures, names: Names, most: int | None) -> list[Spent]:
    of, values = groups((dimension,), spent.leaves, names)
    sums = _sums(spent.amounts, of, len(values)).tolist()
    ranked = sorted(zip(values, sums, strict=True), key=lambda item: (-item[1][1], item[0]))
    most = len(ranked) if most is None else most
    rows = [Spent(dimension, ident, names.of(ident), *figures) for (ident,), figures in ranked[:most]]
    if rest := [figures for _, figures in ranked[most:]]:
        rows.append(Spent(dimension, OTHER, "other", *(sum(column) for column in zip(*rest, strict=True))))
    return rows


def _sums(figures: npt.NDArray[np.int64], of: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.int64]:
    """The sums of the leaves' figures by group."""
    sums = np.zeros((size, *figures.shape[1:]), dtype=np.int64)
    np.add.at(sums, of, figures)
    return sums
