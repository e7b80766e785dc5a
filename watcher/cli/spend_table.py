"""A spend report as a table for people, at 80 columns or more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from notifiers.text import LONGEST_NAME, ago, clean, shorten
from rules.model import Dimension
from rules.money import display_usd
from watcher.ledger import SpendReport, SpendRow

_FIGURES_WIDTH = 40
"""What the columns of figures take, gaps included; the label has the rest of the line."""
_BETWEEN = " · "
_START_WIDTH = {"total": 0, "day": 12, "hour": 15}
_NARROWEST = 40
_ID_ENDING = 6


def show(report: SpendReport, console: Console, now: datetime) -> None:
    """Print every row, the total, how sure the figures are and how old."""
    console.print(Text(f"Spend from {_minute(report.start)} to {_minute(report.end)} UTC", style="bold"))
    console.print(_table(report, console.width - _FIGURES_WIDTH) if report.rows else "Nothing was spent.")
    for line in _notes(report, now):
        console.print(Text(line, style="dim"))


def _table(report: SpendReport, width: int) -> Table:
    total = report.total
    table = Table(box=None, pad_edge=False, header_style="dim", show_footer=True, footer_style="bold")
    if report.bucket != "total":
        table.add_column("start", no_wrap=True)
    table.add_column(_BETWEEN.join(dimension.replace("_", " ") for dimension in report.by), "total", no_wrap=True)
    footers = ("", display_usd(total.cost), _share(total.settled, total.cost), _count(sum(total.tokens)))
    longest = max(len(display_usd(amount)) for amount in (total.cost, *(row.cost for row in report.rows)))
    for title, footer in zip(("share", "cost", "settled", "tokens"), footers, strict=True):
        # A terminal that is too narrow cuts names and the columns behind, and never an amount.
        least = longest if title == "cost" else None
        table.add_column(title, footer, justify="right", no_wrap=True, min_width=least)
    labels = _Labels(report, width)
    for row in report.rows:
        table.add_row(
            *([] if row.start is None else [_slice(row.start, report)]),
            labels.of(row),
            _share(row.cost, total.cost),
            display_usd(row.cost),
            _share(row.settled, row.cost),
            _count(sum(row.tokens)),
        )
    return table


class _Labels:
    """What a row is called: names made harmless, told apart by the end of the id where two are the same."""

    def __init__(self, report: SpendReport, width: int) -> None:
        self._by = report.by
        self._names = report.names
        self._width = max(width, _NARROWEST) - _START_WIDTH[report.bucket]
        idents = {(part, getattr(row, part)) for row in report.rows for part in report.by}
        self._uses = Counter((part, self._names.of(ident)) for part, ident in idents)
        longest = {
            part: max((len(self._part(*one)) for one in idents if one[0] == part), default=0) for part in self._by
        }
        self._room = _fair(longest, self._width - len(_BETWEEN) * (len(self._by) - 1))

    def of(self, row: SpendRow) -> Text:
        """The row's label, one part for each dimension, no wider than its column."""
        parts = (self._part(part, getattr(row, part), self._room[part]) for part in self._by)
        label = Text(_BETWEEN.join(parts) or "all")
        label.truncate(self._width, overflow="ellipsis")
        return label

    def _part(self, dimension: Dimension, ident: str, room: int = LONGEST_NAME) -> str:
        name = self._names.of(ident)
        # Made harmless at full length first, so that the end of a very long name survives the cut.
        harmless = clean(name, LONGEST_NAME)
        if self._uses[dimension, name] == 1:
            return shorten(harmless, room)
        ending = f" (…{clean(ident[-_ID_ENDING:])})"
        return shorten(harmless, max(room - len(ending), 4)) + ending


def _fair(wanted: dict[Dimension, int], room: int) -> dict[Dimension, int]:
    """Room for each: what it wants where that is no more than an equal part of what the smaller ones leave."""
    given: dict[Dimension, int] = {}
    for left, (part, want) in zip(
        range(len(wanted), 0, -1), sorted(wanted.items(), key=lambda item: item[1]), strict=True
    ):
        given[part] = max(min(want, room // left), 1)
        room -= given[part]
    return given


def _notes(report: SpendReport, now: datetime) -> Iterator[str]:
    total = report.total
    unsettled = [
        f"{display_usd(amount)} {words}"
        for amount, words in (
            (total.provisional, "provisional (the report is not final)"),
            (total.estimated, "estimated (tokens times price)"),
        )
        if amount
    ]
    if unsettled:
        yield f"Settled {display_usd(total.settled)}; {', '.join(unsettled)}."
    if report.unpriced:
        models = ", ".join(clean(model) for model in sorted(report.unpriced))
        yield f"No price is known for {models}: estimated at the dearest of the family, so rather too high."
    if report.data_as_of is None:
        yield "No usage has been read yet."
    else:
        yield f"Data as of {_minute(report.data_as_of)} UTC, {ago(report.data_as_of, now)}."


def _slice(start: datetime, report: SpendReport) -> str:
    return f"{start:%Y-%m-%d}" if report.bucket == "day" else f"{start:%m-%d %H:%M}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _share(part: int, whole: int) -> str:
    """A whole percentage; what is neither nothing nor everything is never shown as either."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.5:
        return "<1 %"
    return ">99 %" if 99.5 <= share < 100 else f"{share:.0f} %"


def _count(tokens: int) -> str:
    """Tokens at a glance: "950", "12.3k", "4.5M", "6.7G"."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if tokens >= size:
            return f"{tokens / size:.1f}{unit}"
    return str(tokens)
