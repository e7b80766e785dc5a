"""Which usage a row of the cost report pays for, and each key's and hour's share of it.

A row is a cell: workspace, model, token kind, and the price dimensions that both reports carry on the day. It is shared
over the usage of exactly that cell. A row that finds none is tried more coarsely, in this order, and never outside its
workspace: without the price dimensions that it leaves null; by model and kind; by model alone, over the estimated cost;
web searches by the workspace's searches; a row without any description over the workspace's estimated cost. What still
finds nothing has no usage behind it: code execution, session time, a workspace that is not in the usage report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rules.model import UNATTRIBUTED, Nano
from watcher.admin_api.answers import CostRow
from watcher.ledger.days import DayUsage
from watcher.ledger.occurring import occurring
from watcher.ledger.reading import IntArray
from watcher.ledger.report_lines import (
    NOTHING,
    WEB_SEARCH,
    WHOLE_MODEL,
    WHOLE_WORKSPACE,
    codes_of,
    meaning_of,
    value_of,
)
from watcher.ledger.series import PRICE_PARTS, UNKNOWN, Part, SeriesTable
from watcher.ledger.shares import cascade
from watcher.report_rows import CostRows

BoolArray = npt.NDArray[np.bool_]

_SHORT = 2**16
"""So many series are ordered by a sort of short numbers, which takes a fraction of the time."""


@dataclass(frozen=True, slots=True)
class Matched:
    """`shares[i]` is row i's part of the report; `rest` what no usage explains, by workspace and model.

    The model of the rest is `UNATTRIBUTED` where the report names none. Shares and rest of a workspace are its report.
    """

    shares: IntArray
    rest: Mapping[tuple[str, str], Nano]


def match(usage: DayUsage, weights: IntArray, inside: BoolArray, rows: Sequence[CostRow]) -> Matched:
    """Share the day's report over its usage rows.

    `weights` are the rows' estimated nano-dollars; `inside` says which rows the report can hold at all.
    """
    members = np.flatnonzero(inside)
    cells = _Cells(usage, members, rows)
    shares = np.zeros(len(usage.series), dtype=np.int64)
    groupings = _Groupings(usage, members)
    for parts, kind, wanted in cells.attempts():
        weight = weights[members] if kind >= WHOLE_MODEL else usage.counts[members, kind]
        shares[members] += groupings.share(parts, weight, cells, wanted)
    return Matched(shares, cells.rest())


class _Cells:
    """The report's rows as codes, and which of them still seek their usage."""

    def __init__(self, usage: DayUsage, members: IntArray, rows: Sequence[CostRow]) -> None:
        report = CostRows.of(rows)
        meaning, which = meaning_of(report.lines), report.which
        self._rows = report
        self.amounts: IntArray = report.amounts
        self._kinds = meaning.kinds[which]
        self.seeking: BoolArray = self._kinds != NOTHING
        self.codes: dict[Part, IntArray] = {
            part: codes[which] for part, codes in codes_of(report.lines, usage.table).items()
        }
        self._said: dict[Part, BoolArray] = {part: said[which] for part, said in meaning.said.items()}
        self._carried = tuple(self._carried_by_both(usage, members))

    def _carried_by_both(self, usage: DayUsage, members: IntArray) -> Iterator[Part]:
        of_tokens = self._kinds < WEB_SEARCH
        used_at_all = np.zeros(len(usage.table.keys), dtype=bool)
        used_at_all[usage.series[members]] = True
        series = np.flatnonzero(used_at_all)
        for part in PRICE_PARTS:
            used = any(value != "" for value in usage.table.values(part))
            if used and self._said[part][of_tokens].any() and not _partly_missing(usage.table, series, part):
                yield part

    def attempts(self) -> Iterator[tuple[tuple[Part, ...], int, BoolArray]]:
        """What to try, finest first: the dimensions to match, what to share by, and the rows that try it."""
        model: tuple[Part, ...] = ("workspace", "model")
        for kind in range(WEB_SEARCH):
            yield from self._try((*model, *self._carried), kind)
            yield from self._try_what_is_said(model, kind)
            yield from self._try(model, kind)
        yield from self._try(model, WEB_SEARCH)
        yield from self._try(("workspace",), WEB_SEARCH)
        left = self._kinds < WEB_SEARCH
        wanted = self.seeking & (left | (self._kinds == WHOLE_MODEL))
        if wanted.any():
            yield model, WHOLE_MODEL, wanted
        yield from self._try(("workspace",), WHOLE_WORKSPACE)

    def _try(self, parts: tuple[Part, ...], kind: int) -> Iterator[tuple[tuple[Part, ...], int, BoolArray]]:
        wanted = self.seeking & (self._kinds == kind)
        if wanted.any():
            yield parts, kind, wanted

    def _try_what_is_said(
        self, model: tuple[Part, ...], kind: int
    ) -> Iterator[tuple[tuple[Part, ...], int, BoolArray]]:
        """Rows that leave a carried dimension null, by the dimensions that they do state."""
        left = self.seeking & (self._kinds == kind)
        if not left.any() or not self._carried:
            return
        pattern = np.zeros(len(self._rows), dtype=np.int64)
        for bit, part in enumerate(self._carried):
            pattern |= self._said[part].astype(np.int64) << bit
        for stated in occurring(pattern[left]):
            parts = tuple(part for bit, part in enumerate(self._carried) if stated >> bit & 1)
            if 0 < len(parts) < len(self._carried):
                yield (*model, *parts), kind, left & (pattern == stated) & self.seeking

    def rest(self) -> dict[tuple[str, str], Nano]:
        """What found no usage, by workspace and model."""
        rest: dict[tuple[str, str], Nano] = {}
        for index in np.flatnonzero(self.seeking | (self._kinds == NOTHING)).tolist():
            row = self._rows[index]
            key = (value_of(row, "workspace"), row.model or UNATTRIBUTED)
            rest[key] = rest.get(key, 0) + row.amount
        return {key: amount for key, amount in rest.items() if amount}


class _Groupings:
    """The members of a day's usage in groups of equal dimensions, each grouping made once."""

    def __init__(self, usage: DayUsage, members: IntArray) -> None:
        self._usage = usage
        self._series = usage.series[members]
        self._hour = usage.hour[members]
        self._known: dict[tuple[Part, ...], tuple[IntArray, IntArray, IntArray]] = {}

    def share(self, parts: tuple[Part, ...], weight: IntArray, cells: _Cells, wanted: BoolArray) -> IntArray:
        """The members' shares of the wanted cells; cells that found weight seek no more."""
        shares = np.zeros(len(self._series), dtype=np.int64)
        if not len(self._series):
            return shares
        order, starts, codes = self._grouping(parts)
        sorted_weight = weight[order]
        totals = np.add.reduceat(sorted_weight, starts)
        asked = np.flatnonzero(wanted)
        code = _composite(cells.codes, asked, parts, self._usage.table)
        place = np.minimum(np.searchsorted(codes, code), len(codes) - 1)
        found = (codes[place] == code) & (totals[place] > 0)
        if not found.any():
            return shares
        amounts = np.zeros(len(codes), dtype=np.int64)
        np.add.at(amounts, place[found], cells.amounts[asked[found]])
        cells.seeking[asked[found]] = False
        shares[order] = cascade(amounts, sorted_weight, starts)
        return shares

    def _grouping(self, parts: tuple[Part, ...]) -> tuple[IntArray, IntArray, IntArray]:
        known = self._known.get(parts)
        if known is None:
            code, place = _in_order(self._usage.table, parts)
            by_hour = np.argsort(self._hour, kind="stable")
            order = by_hour[np.argsort(place[self._series[by_hour]], kind="stable")]
            in_order = code[self._series[order]]
            starts = np.flatnonzero(np.diff(in_order, prepend=in_order[0] - 1))
            known = self._known[parts] = (order, starts, in_order[starts])
        return known


def _partly_missing(table: SeriesTable, series: IntArray, part: Part) -> bool:
    """Whether some hours of the day were read without a price dimension, and others with it.

    It shows in a model that is null in it here and not there. The rows without it belong to no exact cell, so on that
    day the dimension cannot be matched by. A null speed is the standard one, and says nothing.
    """
    if part == "speed":
        return False
    model, null = table.codes["model"][series], table.null[part][series]
    seen = np.zeros((2, table.size("model")), dtype=bool)
    seen[0, model[null]] = True
    seen[1, model[~null]] = True
    return bool(seen.all(axis=0).any())


@lru_cache(maxsize=16)
def _in_order(table: SeriesTable, parts: tuple[Part, ...]) -> tuple[IntArray, npt.NDArray[np.uint16] | IntArray]:
    """For each series the number of its dimensions, and its place when ordered by that number and by name."""
    every = np.arange(len(table.keys))
    code = _composite(table.codes, every, parts, table)
    place = np.empty(len(every), dtype=np.int64)
    # Rounding favours who comes first: by name and hour, since series are numbered in the order they were met.
    place[np.lexsort((table.rank, code))] = every
    return code, place.astype(np.uint16) if len(every) <= _SHORT else place


def _composite(
    codes: Mapping[Part, IntArray], index: IntArray, parts: tuple[Part, ...], table: SeriesTable
) -> IntArray:
    """One number for the combination of several dimensions; UNKNOWN where one of them is unknown."""
    combined = np.zeros(len(index), dtype=np.int64)
    unknown = np.zeros(len(index), dtype=bool)
    for part in parts:
        code = codes[part][index]
        unknown |= code == UNKNOWN
        combined = combined * table.size(part) + code
    return np.where(unknown, UNKNOWN, combined)
