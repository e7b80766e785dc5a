"""A spend report as a table for people, in as many columns as the terminal has room for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style
from rich.text import Text

from notifiers.text import ago, bars, clean, plural, short_count, shorten
from rules.model import TAG, Dimension, Nano
from rules.money import display_usd
from watcher.cli.spend_labels import BETWEEN, Labels, cut
from watcher.ledger import SpendReport, SpendRow
from watcher.ledger.spend_json import change_percent

_GAP = 2
_WIDE = 72
"""From this width on names get more room before further columns do."""
_NAMES_WIDE = (3, 24, 34, 40, 46)
"""The least room for names on a wide terminal, by how many dimensions they have; the last for more than that."""
_NAMES_NARROW = 16
_NAMES_LEAST = 6
_LARGEST_CHANGE = 999
_HEADINGS: dict[Dimension, str] = {"api_key": "api key", "model_family": "family", "service_tier": "tier"}


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: its title, its cell in every row, and in the total."""

    title: str
    cells: tuple[str, ...]
    footer: str
    left: bool = False

    @property
    def width(self) -> int:
        """In cells of a terminal, as long as none holds wide characters, which no figure does."""
        return max(map(len, (self.title, self.footer, *self.cells)))


def show(report: SpendReport, console: Console, now: datetime) -> None:
    """Print every row, the total, how sure the figures are and how old.

    What does not fit is left out column by column, tokens first. From 40 columns on no amount of less than a billion
    dollars is cut.
    """
    console.print(Text(f"Spend from {_minute(report.start)} to {_minute(report.end)} UTC", style="bold"))
    if report.where:
        console.print(Text(f"Only where {_conditions(report)}", style="dim"))
    columns = _fitting(report, console)
    nothing = "Nothing of that was spent." if report.where else "Nothing was spent."
    if report.rows:
        console.print(_table(report, columns, console.width), crop=False, end="")
    else:
        console.print(nothing)
    titles = {column.title for column in columns}
    for line in _notes(report, titles if report.rows else set(), now):
        console.print(Text(line, style="dim"))


def _table(report: SpendReport, columns: Sequence[_Column], width: int) -> Segments:
    """The table as finished lines: rich's own table takes longer for a thousand rows than it takes to know them."""
    starts = _starts(report)
    room = max(_left(report, width) - sum(column.width + _GAP for column in columns), _NAMES_LEAST)
    labels = Labels(report, room)
    first = _Column("start", tuple(starts), "", left=True)
    names = _Column(
        cut(shorten(BETWEEN.join(map(_heading, report.by)), room), room),
        tuple(map(labels.of, report.rows)),
        cut("total", room),
        left=True,
    )
    shown = [first, names, *columns] if starts else [names, *columns]
    head, *lines, foot = ((" " * _GAP).join(cells).rstrip() for cells in zip(*map(_padded, shown), strict=True))
    return Segments(
        (
            *(Segment(cut(head, width), Style(dim=True)), Segment.line()),
            *(Segment("".join(f"{cut(line, width)}\n" for line in lines)),),
            *(Segment(cut(foot, width), Style(bold=True)), Segment.line()),
        )
    )


def _padded(column: _Column) -> list[str]:
    """The cells of a column from its title to its footer, all as wide as the widest."""
    cells = (column.title, *column.cells, column.footer)
    widths = [cell_len(cell) for cell in cells]
    widest = max(widths)
    missing = (" " * (widest - width) for width in widths)
    return [cell + gap if column.left else gap + cell for cell, gap in zip(cells, missing, strict=True)]


def _heading(dimension: Dimension) -> str:
    """A tag by its key, the others in words; "family" and "tier" are told without what goes without saying."""
    return clean(dimension) if dimension.startswith(TAG) else _HEADINGS.get(dimension, dimension)


def _conditions(report: SpendReport) -> str:
    return ", ".join(f"{clean(word)}={clean(pattern)}" for word, pattern in report.where)


def _fitting(report: SpendReport, console: Console) -> list[_Column]:
    """The columns that leave the names their room, the most wanted first, in the order in which they are shown."""
    names = _NAMES_WIDE[min(len(report.by), len(_NAMES_WIDE) - 1)] if console.width >= _WIDE else _NAMES_NARROW
    left = _left(report, console.width) - names
    kept = []
    for place, column in _figures(report, console):
        needed = column.width + _GAP
        if column.title == "cost" or needed <= left:
            kept.append((place, column))
            left -= needed
    return [column for _, column in sorted(kept, key=lambda item: item[0])]


def _left(report: SpendReport, width: int) -> int:
    """The width without the column of times."""
    starts = _starts(report)
    return width - (len(starts[0]) + _GAP if starts else 0)


def _starts(report: SpendReport) -> list[str]:
    return [_slice(row.start, report) for row in report.rows if row.start is not None]


def _figures(report: SpendReport, console: Console) -> list[tuple[int, _Column]]:
    """The columns of figures with their places from left to right, the most wanted first."""
    rows, total = report.rows, report.total

    def column(title: str, cell: Callable[[SpendRow], str], *, left: bool = False) -> _Column:
        return _Column(title, tuple(map(cell, rows)), cell(total), left)

    shares = tuple(_share(row.cost, total.cost) for row in rows)
    found = [(1, column("cost", lambda row: display_usd(row.cost))), (0, _Column("share", shares, ""))]
    if report.previous is not None and report.previous.cost is not None:
        found.append((2, column("change", _change)))
    found.append((4, column("settled", lambda row: _share(row.settled, row.cost))))
    trend = report.trend
    if trend is not None and not console.options.ascii_only:
        found.append((3, column("trend", lambda row: _bars(trend.evened(row.trend)), left=True)))
    found.append((5, column("tokens", lambda row: short_count(sum(row.tokens)))))
    return found


def _bars(trend: Sequence[Nano]) -> str:
    return bars(trend, max(trend))


def _change(row: SpendRow) -> str:
    """The change in whole percent: "+12 %", "-3 %", "new" where there was nothing, "-" where no percentage can be told.

    Only what costs nothing any more is "-100 %".
    """
    if row.previous == 0:
        return "new" if row.cost else ""
    change = change_percent(row)
    if change is None:
        return "-"
    if change > _LARGEST_CHANGE:
        return f">{_LARGEST_CHANGE} %"
    whole = round(change)
    return f"{max(whole, -99) if row.cost > 0 else whole:+d} %" if whole else "0 %"


def _notes(report: SpendReport, titles: AbstractSet[str], now: datetime) -> Iterator[str]:
    total = report.total
    unsettled = [
        f"{display_usd(amount)} {words}"
        for amount, words in (
            (total.provisional, "provisional (told, not final yet)"),
            (total.estimated, "estimated (tokens times price)"),
        )
        if amount
    ]
    if unsettled:
        yield f"Settled {display_usd(total.settled)}; {', '.join(unsettled)}."
    yield from _comparison(report)
    if report.trend is not None and "trend" in titles:
        yield f"A bar of the trend is {_length(report.trend.hours)}; the last may still fill."
    if report.unpriced:
        models = ", ".join(clean(model) for model in sorted(report.unpriced))
        yield f"No price is known for {models}: estimated at the dearest of the family, so rather too high."
    if report.data_as_of is None:
        yield "No usage has been read yet."
    else:
        yield f"Data as of {_minute(report.data_as_of)} UTC, {ago(report.data_as_of, now)}."


def _comparison(report: SpendReport) -> Iterator[str]:
    before = report.previous
    if before is None:
        return
    window = f"{_minute(before.start)} to {_minute(before.end)} UTC"
    if before.cost is None:
        yield f"No change is shown: usage is not stored for all of {window}."
    else:
        ended = f", {display_usd(before.ended)} of it by what used nothing since" if before.ended else ""
        yield f"The window before, {window}: {display_usd(before.cost)}{ended}."


def _length(hours: int) -> str:
    return plural(hours // 24, "day") if hours % 24 == 0 else plural(hours, "hour")


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
