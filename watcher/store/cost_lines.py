"""The lines of the cost reports: every combination of dimensions that a row ever had, numbered."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, bindparam, func, select

from watcher.admin_api.answers import CostRow
from watcher.report_rows import CostLines, Texts
from watcher.store.bulk import insert_rows
from watcher.store.tables import cost_lines as table

_MINE = table.c.organization == bindparam("whose")
_EXTENT = select(func.count(), func.max(table.c.id)).where(_MINE)
_ALL = select(table).where(_MINE).order_by(table.c.id)


class LineIndex(NamedTuple):
    """An organization's lines in the order of their ids, and an array from an id to its place (-1: not theirs)."""

    lines: CostLines
    place: npt.NDArray[np.int64]


class LineIds:
    """The lines of the organizations; those last read are remembered."""

    def __init__(self) -> None:
        self._indexed: dict[str, tuple[tuple[int, int], LineIndex]] = {}

    def index(self, connection: Connection, organization: str) -> LineIndex:
        """The organization's lines; the same object as long as there are no others."""
        count, last = connection.execute(_EXTENT, {"whose": organization}).one()
        state = (count, last or 0)
        known = self._indexed.get(organization)
        if known is None or known[0] != state:
            rows = connection.execute(_ALL, {"whose": organization}).all()
            place = np.full(state[1] + 1, -1, dtype=np.int64)
            place[[row[0] for row in rows]] = np.arange(count)
            lines = CostLines(CostRow(*_texts(row), 0) for row in rows)
            known = self._indexed[organization] = state, LineIndex(lines, place)
        return known[1]

    def forget(self) -> None:
        """Drop what is remembered, after rows of the table were removed."""
        self._indexed = {}


def ids_of(connection: Connection, organization: str, wanted: AbstractSet[Texts]) -> dict[Texts, int]:
    """The id of every line that is wanted, among others, making those that are new."""
    mine = {"whose": organization}
    known = {_texts(row): row[0] for row in connection.execute(_ALL, mine)} if wanted else {}
    fresh = sorted(wanted - known.keys(), key=lambda texts: tuple((text is not None, text or "") for text in texts))
    if fresh:
        last = connection.execute(select(func.max(table.c.id))).scalar_one() or 0
        insert_rows(connection, table, [(organization, *texts) for texts in fresh], [*table.columns][1:])
        known |= {_texts(row): row[0] for row in connection.execute(_ALL.where(table.c.id > last), mine)}
    return known


def _texts(row: Sequence[Any]) -> Texts:
    _, _, workspace_id, description, cost_type, model, tier, token_type, context_window, geo, speed = row
    return (workspace_id, description, cost_type, model, tier, token_type, context_window, geo, speed)
