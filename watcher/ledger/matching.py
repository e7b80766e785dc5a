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
from typing import Final

import numpy as np
import numpy.typing as npt

from rules.model import DEFAULT_WORKSPACE, UNATTRIBUTED, Nano
from watcher.admin_api.answers import CostRow
from watcher.ledger.days import DayUsage
from watcher.ledger.reading import IntArray
from watcher.ledger.series import PARTS, PRICE_PARTS, UNKNOWN, Part, as_matched
from watcher.ledger.shares import cascade

BoolArray = npt.NDArray[np.bool_]

_KIND_OF_TOKEN_TYPE: Final[Mapping[str, int]] = {
    "uncached_input_tokens": 0,
    "cache_read_input_tokens": 1,
    "cache_creation.ephemeral_5m_input_tokens": 2,
    "cache_creation.ephemeral_1h_input_tokens": 3,
    "output_tokens": 4,
}
_WEB_SEARCH = 5
_WHOLE_MODEL = 6
"""Tokens of a kind that is not known: shared by the estimated cost of the model."""
_WHOLE_WORKSPACE = 7
"""The report was not broken down at all: shared by the estimated cost of the workspace."""
_NOTHING = 8
"""Cost that no usage row shows."""


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
        weight = weights[members] if kind >= _WHOLE_MODEL else usage.counts[members, kind]
        shares[members] += groupings.share(parts, weight, cells, wanted)
    return Matched(shares, cells.rest())


def workspace_totals(rows: Sequence[CostRow]) -> dict[str, Nano]:
    """The report's amount of each workspace."""
    totals: dict[str, Nano] = {}
    for row in rows:
        workspace = DEFAULT_WORKSPACE if row.workspace_id is None else row.workspace_id
        totals[workspace] = totals.get(workspace, 0) + row.amount
    return totals


def kind_of(row: CostRow) -> int:
    """What the row's amount is shared by: a column of the counts, an estimate, or nothing."""
    if row.cost_type == "web_search":
        return _WEB_SEARCH
    if row.cost_type not in {"tokens", None}:
        return _NOTHING
    kind = _KIND_OF_TOKEN_TYPE.get(row.token_type or "")
    if kind is not None:
        return kind
    if row.model is not None:
        return _WHOLE_MODEL
    return _WHOLE_WORKSPACE if row.cost_type is None and row.description is None else _NOTHING


def is_undescribed(row: CostRow) -> bool:
    """Whether the row is a workspace's whole bill, or a part of it that says nothing of itself."""
    return kind_of(row) == _WHOLE_WORKSPACE


def is_unmetered(row: CostRow) -> bool:
    """Whether the row is cost that no usage report shows, whatever was used: code execution, session time."""
    return kind_of(row) == _NOTHING


class _Cells:
    """The report's rows as codes, and which of them still seek their usage."""

    def __init__(self, usage: DayUsage, members: IntArray, rows: Sequence[CostRow]) -> None:
        self._rows = rows
        self.amounts: IntArray = np.array([row.amount for row in rows], dtype=np.int64)
        self._kinds = np.array([kind_of(row) for row in rows], dtype=np.int64)
        self.seeking: BoolArray = self._kinds != _NOTHING
        table = usage.table
        values = {part: [as_matched(part, _value(row, part)) for row in rows] for part in PARTS}
        self.codes: dict[Part, IntArray] = {
            part: np.array([table.code(part, value) for value in values[part]], dtype=np.int64) for part in PARTS
        }
        self._said: dict[Part, BoolArray] = {part: np.array([v != "" for v in values[part]], bool) for part in PARTS}
        self._carried = tuple(self._carried_by_both(usage, members))

    def _carried_by_both(self, usage: DayUsage, members: IntArray) -> Iterator[Part]:
        of_tokens = self._kinds < _WEB_SEARCH
        for part in PRICE_PARTS:
            used = any(value != "" for value in usage.table.values(part))
            if used and self._said[part][of_tokens].any() and not _partly_missing(usage, members, part):
                yield part

    def attempts(self) -> Iterator[tuple[tuple[Part, ...], int, BoolArray]]:
        """What to try, finest first: the dimensions to match, what to share by, and the rows that try it."""
        model: tuple[Part, ...] = ("workspace", "model")
        for kind in range(_WEB_SEARCH):
            yield from self._try((*model, *self._carried), kind)
            yield from self._try_what_is_said(model, kind)
            yield from self._try(model, kind)
        yield from self._try(model, _WEB_SEARCH)
        yield from self._try(("workspace",), _WEB_SEARCH)
        left = self._kinds < _WEB_SEARCH
        wanted = self.seeking & (left | (self._kinds == _WHOLE_MODEL))
        if wanted.any():
            yield model, _WHOLE_MODEL, wanted
        yield from self._try(("workspace",), _WHOLE_WORKSPACE)

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
        for stated in np.unique(pattern[left]):
            parts = tuple(part for bit, part in enumerate(self._carried) if int(stated) >> bit & 1)
            if 0 < len(parts) < len(self._carried):
                yield (*model, *parts), kind, left & (pattern == stated) & self.seeking

    def rest(self) -> dict[tuple[str, str], Nano]:
        """What found no usage, by workspace and model."""
        rest: dict[tuple[str, str], Nano] = {}
        for index in np.flatnonzero(self.seeking | (self._kinds == _NOTHING)).tolist():
            row = self._rows[index]
            key = (_value(row, "workspace"), row.model or UNATTRIBUTED)
            rest[key] = rest.get(key, 0) + row.amount
        return {key: amount for key, amount in rest.items() if amount}


class _Groupings:
    """The members of a day's usage in groups of equal dimensions, each grouping made once."""

    def __init__(self, usage: DayUsage, members: IntArray) -> None:
        self._usage = usage
        self._series = usage.series[members]
        # Rounding favours who comes first: by name and hour, since series are numbered in the order they were met.
        self._place = usage.table.rank[self._series] * 24 + usage.hour[members]
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
        code = _composite(cells.codes, asked, parts, self._usage)
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
            code = _composite(self._usage.table.codes, self._series, parts, self._usage)
            order = np.argsort(code * (24 * len(self._usage.table.keys)) + self._place)
            in_order = code[order]
            starts = np.flatnonzero(np.diff(in_order, prepend=in_order[0] - 1))
            known = self._known[parts] = (order, starts, in_order[starts])
        return known


def _partly_missing(usage: DayUsage, members: IntArray, part: Part) -> bool:
    """Whether some hours of the day were read without a price dimension, and others with it.

    It shows in a model that is null in it here and not there. The rows without it belong to no exact cell, so on that
    day the dimension cannot be matched by. A null speed is the standard one, and says nothing.
    """
    if part == "speed":
        return False
    series = usage.series[members]
    model, null = usage.table.codes["model"][series], usage.table.null[part][series]
    return bool(np.intersect1d(model[null], model[~null]).size)


def _composite(codes: Mapping[Part, IntArray], index: IntArray, parts: tuple[Part, ...], usage: DayUsage) -> IntArray:
    """One number for the combination of several dimensions; UNKNOWN where one of them is unknown."""
    combined = np.zeros(len(index), dtype=np.int64)
    unknown = np.zeros(len(index), dtype=bool)
    for part in parts:
        code = codes[part][index]
        unknown |= code == UNKNOWN
        combined = combined * usage.table.size(part) + code
    return np.where(unknown, UNKNOWN, combined)


def _value(row: CostRow, part: Part) -> str:
    if part == "workspace":
        return DEFAULT_WORKSPACE if row.workspace_id is None else row.workspace_id
    value: str | None = getattr(row, part)
    return "" if value is None else value
