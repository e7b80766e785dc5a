"""What a row of the spend table is called."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

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
        longest = {
            part: max((len(self._part(*one)) for one in idents if one[0] == part), default=0) for part in self._by
        }
        self._room = _fair(longest, self._width - len(BETWEEN) * (len(self._by) - 1))

    def of(self, row: SpendRow) -> Text:
        """The row's label, one part for each dimension, no wider than its column."""
        if row.merged:
            return Text(f"others ({row.merged:,})")
        # Cost that no usage explains has neither key nor tier nor user: to say it once is enough.
        first = next((part for part, ident in row.parts if ident == UNATTRIBUTED), None)
        said = ((part, ident) for part, ident in row.parts if ident != UNATTRIBUTED or part == first)
        parts = (self._part(part, ident, self._room[part]) for part, ident in said)
        label = Text(BETWEEN.join(parts) or "all")
        label.truncate(self._width, overflow="ellipsis")
        return label

    def _part(self, dimension: Dimension, ident: str, room: int = LONGEST_NAME) -> str:
        name = self._called(dimension, ident)
        # Made harmless at full length first, so that the end of a very long name survives the cut.
        harmless = clean(name, LONGEST_NAME)
        if self._uses[dimension, name] == 1:
            return shorten(harmless, room)
        ending = f" (…{clean(ident[-_ID_ENDING:])})"
        return shorten(harmless, max(room - len(ending), 4)) + ending

    def _called(self, dimension: Dimension, ident: str) -> str:
        """A tag is what its owner wrote; ids have names."""
        return ident if dimension.startswith(TAG) else self._names.of(ident)


def _fair(wanted: dict[Dimension, int], room: int) -> dict[Dimension, int]:
    """Room for each: what it wants where that is no more than an equal part of what the smaller ones leave."""
    given: dict[Dimension, int] = {}
    for left, (part, want) in zip(
        range(len(wanted), 0, -1), sorted(wanted.items(), key=lambda item: item[1]), strict=True
    ):
        given[part] = max(min(want, room // left), 1)
        room -= given[part]
    return given
