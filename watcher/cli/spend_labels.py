"""What a row of the spend table is called."""

from __future__ import annotations

from collections import Counter

from rich.cells import cell_len, set_cell_size

from notifiers.text import LONGEST_NAME, clean, shorten
from rules.model import TAG, UNATTRIBUTED, Dimension
from watcher.ledger import SpendReport, SpendRow

BETWEEN = " · "

_ID_ENDING = 6


class Labels:
    """What a row is called: names made harmless, told apart by the end of the id where two are the same."""

    def __init__(self, report: SpendReport, width: int) -> None:
        self._by = report.by
        self._names = report.names
        self._width = width
        idents = {part for row in report.rows for part in row.parts}
        self._uses = Counter((part, self._called(part, ident)) for part, ident in idents)
        # Made harmless at full length, so that the end of a very long name survives the cut.
        self._harmless = {name: clean(name, LONGEST_NAME) for _, name in self._uses}
        longest = {
            part: max((len(self._part(*one)) for one in idents if one[0] == part), default=0) for part in self._by
        }
        self._room = _fair(longest, self._width - len(BETWEEN) * (len(self._by) - 1))

    def of(self, row: SpendRow) -> str:
        """The row's label, one part for each dimension, no wider than its column."""
        if row.merged:
            return cut(f"others ({row.merged:,})", self._width)
        # Cost that no usage explains has neither key nor tier nor user: to say it once is enough.
        first = next((part for part, ident in row.parts if ident == UNATTRIBUTED), None)
        said = ((part, ident) for part, ident in row.parts if ident != UNATTRIBUTED or part == first)
        parts = (self._part(part, ident, self._room[part]) for part, ident in said)
        return cut(BETWEEN.join(parts) or "all", self._width)

    def _part(self, dimension: Dimension, ident: str, room: int = LONGEST_NAME) -> str:
        name = self._called(dimension, ident)
        harmless = self._harmless[name]
        if self._uses[dimension, name] == 1:
            return shorten(harmless, room)
        ending = f" (…{clean(ident[-_ID_ENDING:])})"
        return shorten(harmless, max(room - len(ending), 4)) + ending

    def _called(self, dimension: Dimension, ident: str) -> str:
        """A tag is what its owner wrote; ids have names."""
        return ident if dimension.startswith(TAG) else self._names.of(ident)


def cut(text: str, width: int) -> str:
    """A text no wider than that on a terminal, with an ellipsis for what is left out."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"


def _fair(wanted: dict[Dimension, int], room: int) -> dict[Dimension, int]:
    """Room for each: what it wants where that is no more than an equal part of what the smaller ones leave."""
    given: dict[Dimension, int] = {}
    for left, (part, want) in zip(
        range(len(wanted), 0, -1), sorted(wanted.items(), key=lambda item: item[1]), strict=True
    ):
        given[part] = max(min(want, room // left), 1)
        room -= given[part]
    return given
