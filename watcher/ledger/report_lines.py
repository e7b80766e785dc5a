"""What the ledger makes of the rows of a cost report: what each is shared by, and its dimensions as codes.

A report has the same lines day after day, so what a line means is found out once for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from rules.model import DEFAULT_WORKSPACE, Nano
from watcher.admin_api.answers import CostRow
from watcher.ledger.occurring import occurring
from watcher.ledger.reading import IntArray
from watcher.ledger.series import PARTS, Part, SeriesTable, as_matched
from watcher.report_rows import CostLines, CostRows

BoolArray = npt.NDArray[np.bool_]

_KIND_OF_TOKEN_TYPE: Final[Mapping[str, int]] = {
    "uncached_input_tokens": 0,
    "cache_read_input_tokens": 1,
    "cache_creation.ephemeral_5m_input_tokens": 2,
    "cache_creation.ephemeral_1h_input_tokens": 3,
    "output_tokens": 4,
}
WEB_SEARCH = 5
WHOLE_MODEL = 6
"""Tokens of a kind that is not known: shared by the estimated cost of the model."""
WHOLE_WORKSPACE = 7
"""The report was not broken down at all: shared by the estimated cost of the workspace."""
NOTHING = 8
"""Cost that no usage row shows."""
_CELLS_OF_THEIR_OWN = frozenset({WEB_SEARCH, WHOLE_WORKSPACE, NOTHING})


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """What some lines mean, line by line: what their amounts are shared by, and where they state a dimension."""

    kinds: IntArray
    values: Mapping[Part, tuple[str, ...]]
    said: Mapping[Part, BoolArray]


def kind_of(row: CostRow) -> int:
    """What the row's amount is shared by: a column of the counts, an estimate, or nothing."""
    if row.cost_type == "web_search":
        return WEB_SEARCH
    if row.cost_type not in {"tokens", None}:
        return NOTHING
    kind = _KIND_OF_TOKEN_TYPE.get(row.token_type or "")
    if kind is not None:
        return kind
    if row.model is not None:
        return WHOLE_MODEL
    return WHOLE_WORKSPACE if row.cost_type is None and row.description is None else NOTHING


def is_undescribed(row: CostRow) -> bool:
    """Whether the row is a workspace's whole bill, or a part of it that says nothing of itself."""
    return kind_of(row) == WHOLE_WORKSPACE


def is_unmetered(row: CostRow) -> bool:
    """Whether the row is cost that no usage report shows, whatever was used: code execution, session time."""
    return kind_of(row) == NOTHING


@lru_cache(maxsize=4)
def meaning_of(lines: CostLines) -> Meaning:
    """What lines mean."""
    kinds = np.array([kind_of(line) for line in lines.all], dtype=np.int64)
    values = {part: tuple(as_matched(part, value_of(line, part)) for line in lines.all) for part in PARTS}
    said = {part: np.array([value != "" for value in values[part]], dtype=bool) for part in PARTS}
    return Meaning(kinds, values, said)


@lru_cache(maxsize=8)
def codes_of(lines: CostLines, table: SeriesTable) -> Mapping[Part, IntArray]:
    """The dimensions of lines as the codes of a table of series."""
    values = meaning_of(lines).values
    return {part: np.array([table.code(part, value) for value in values[part]], dtype=np.int64) for part in PARTS}


def workspace_totals(rows: Sequence[CostRow]) -> dict[str, Nano]:
    """The report's amount of each workspace."""
    report = CostRows.of(rows)
    names = meaning_of(report.lines).values["workspace"]
    return {names[first]: amount for first, amount in _summed(report, _numbered(report.lines, "workspace"))}


def tiers_of(rows: Sequence[CostRow]) -> set[str | None]:
    """The service tiers that the report names."""
    report = CostRows.of(rows)
    in_use = np.zeros(len(report.lines.all), dtype=bool)
    in_use[report.which] = True
    numbers = _numbered(report.lines, "tier")[in_use]
    return {report.lines.all[number].service_tier for number in occurring(numbers)}


def amounts_by_model(rows: Sequence[CostRow]) -> dict[tuple[str | None, int], Nano]:
    """The report's amount by model and what it is shared by."""
    report = CostRows.of(rows)
    kinds = meaning_of(report.lines).kinds
    summed = _summed(report, _numbered(report.lines, "model and kind"))
    return {(report.lines.all[first].model, int(kinds[first])): amount for first, amount in summed}


def amounts_by_cell(rows: Sequence[CostRow]) -> list[tuple[CostRow, Nano]]:
    """The report's amounts by workspace, model and whether they are of web searches, of no usage, or of no model; each
    with a line that says which."""
    report = CostRows.of(rows)
    return [(report.lines.all[first], amount) for first, amount in _summed(report, _numbered(report.lines, "cell"))]


def value_of(row: CostRow, part: Part) -> str:
    """A dimension of a row, as the ledger names it where it is null."""
    if part == "workspace":
        return DEFAULT_WORKSPACE if row.workspace_id is None else row.workspace_id
    value: str | None = getattr(row, part)
    return "" if value is None else value


@lru_cache(maxsize=16)
def _numbered(lines: CostLines, by: str) -> IntArray:
    """For each line the first that is the same by workspace, by tier, by cell, or by model and kind."""
    known = meaning_of(lines)
    keys: Sequence[object]
    if by == "workspace":
        keys = known.values["workspace"]
    elif by == "tier":
        keys = [line.service_tier for line in lines.all]
    elif by == "cell":
        kinds = [kind if kind in _CELLS_OF_THEIR_OWN else WHOLE_MODEL for kind in known.kinds.tolist()]
        keys = [
            (workspace, line.model, kind)
            for workspace, line, kind in zip(known.values["workspace"], lines.all, kinds, strict=True)
        ]
    else:
        keys = [(line.model, kind) for line, kind in zip(lines.all, known.kinds.tolist(), strict=True)]
    first: dict[object, int] = {}
    return np.array([first.setdefault(key, number) for number, key in enumerate(keys)], dtype=np.int64)


def _summed(report: CostRows, numbers: IntArray) -> list[tuple[int, Nano]]:
    """The report's amounts added up by the number of their line."""
    sums = np.zeros(len(numbers), dtype=np.int64)
    groups = numbers[report.which]
    np.add.at(sums, groups, report.amounts)
    return [(first, int(sums[first])) for first in occurring(groups)]
