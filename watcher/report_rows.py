"""The rows of a cost report as lines and amounts: the lines of one day are as a rule those of every other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias, overload

import numpy as np
import numpy.typing as npt

from watcher.admin_api.answers import CostRow

IntArray = npt.NDArray[np.int64]
Text: TypeAlias = str | None
Texts: TypeAlias = tuple[Text, Text, Text, Text, Text, Text, Text, Text, Text]


class CostLines:
    """Lines that rows may be of: each a `CostRow` with the amount 0. Equal only to itself, so that it can be a key."""

    def __init__(self, lines: Iterable[CostRow]) -> None:
        self.all = tuple(lines)
        self.texts: tuple[Texts, ...] = tuple(map(texts_of, self.all))


class CostRows(Sequence[CostRow]):
    """Rows of a cost report: row i is `lines.all[which[i]]` with the amount `amounts[i]`, in nano-dollars."""

    def __init__(self, lines: CostLines, which: IntArray, amounts: IntArray) -> None:
        self.lines, self.which, self.amounts = lines, which, amounts

    @classmethod
    def of(cls, rows: Sequence[CostRow]) -> CostRows:
        """Any rows in this form."""
        if isinstance(rows, CostRows):
            return rows
        lines = CostLines(rows)
        return cls(lines, np.arange(len(rows)), np.array([row.amount for row in rows], dtype=np.int64))

    def __len__(self) -> int:
        return len(self.which)

    def __iter__(self) -> Iterator[CostRow]:
        texts = self.lines.texts
        for which, amount in zip(self.which.tolist(), self.amounts.tolist(), strict=True):
            yield _row(texts[which], amount)

    @overload
    def __getitem__(self, index: int) -> CostRow: ...
    @overload
    def __getitem__(self, index: slice) -> CostRows: ...
    def __getitem__(self, index: int | slice) -> CostRow | CostRows:
        if isinstance(index, slice):
            return CostRows(self.lines, self.which[index], self.amounts[index])
        return _row(self.lines.texts[int(self.which[index])], int(self.amounts[index]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(CostRow.__eq__, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))


def texts_of(row: CostRow) -> Texts:
    """A row without its amount."""
    return (
        row.workspace_id,
        row.description,
        row.cost_type,
        row.model,
        row.service_tier,
        row.token_type,
        row.context_window,
        row.inference_geo,
        row.speed,
    )


def _row(texts: Texts, amount: int) -> CostRow:
    return CostRow(*texts, amount)
