"""A budget replayed over the past, for terminals: 80 columns hold every line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from notifiers.text import clean
from rules.model import Nano, Scope
from rules.money import display_usd
from rules.periods import MONTHS
from rules.thresholds import mark_text
from rules.whatif import PastPeriod, Replayed
from watcher.lines import print_hanging
from watcher.whatif import WhatIf

_FIGURES = 18
"""The columns of what was spent and its part of the limit, with the gaps."""
_MOMENT = 13
_LEAST_PERIOD = 12

Row = tuple[PastPeriod, Replayed]


def show(found: WhatIf, console: Console, most: int | None) -> None:
    """Print each scope with its periods; of both the `most` that matter most, None for all."""
    budget = found.budget
    marks = ", ".join(mark_text(mark) for mark in budget.thresholds)
    each = f" for each {' and '.join(budget.per)}" if budget.per else ""
    when = "in all" if budget.dates else "an hour" if budget.period == "hour" else f"a {budget.period}"
    limit = "as planned," if budget.limit is None else display_usd(budget.limit).removesuffix(".00")
    head = f"{limit} {when} ({budget.timezone}){each}, at {marks}"
    print_hanging(console, Text(clean(budget.name), style="bold"), Text(f"  {clean(head, 400)}", style="dim"))
    by_scope = _by_scope(found)
    fewer = most if most is None or len(by_scope) == 1 else most // 2
    for rows in list(by_scope.values())[:most]:
        console.print()
        console.print(_table(found, rows, console, fewer))
    if most is not None and len(by_scope) > most:
        console.print(Text(f"  and {len(by_scope) - most:,} more: --all", style="dim"))
    console.print()
    for note in _notes(found):
        print_hanging(console, Text(), Text(note))


def _by_scope(found: WhatIf) -> dict[Scope, list[Row]]:
    """The dearest scope first."""
    rows: dict[Scope, list[Row]] = {}
    for period in found.periods:
        for replayed in period.scopes:
            rows.setdefault(replayed.scope, []).append((period, replayed))
    dearest = sorted(rows.items(), key=lambda item: (-sum(row.spent for _, row in item[1]), item[1][0][1].label))
    return dict(dearest)


def _table(found: WhatIf, rows: Sequence[Row], console: Console, most: int | None) -> Table:
    zone, marks = ZoneInfo(found.budget.timezone), found.budget.thresholds
    fit = max((console.width - _FIGURES - _LEAST_PERIOD) // _MOMENT, 1)
    first = max(len(marks) - fit, 0)  # the highest thresholds, where not all have room
    room = max(console.width - _FIGURES - _MOMENT * (len(marks) - first), _LEAST_PERIOD)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(clean(rows[0][1].label or "all", room), no_wrap=True, max_width=room)
    table.add_column("spent", justify="right", no_wrap=True)
    table.add_column("used", justify="right", no_wrap=True)
    for mark in marks[first:]:
        table.add_column(mark_text(mark), no_wrap=True, max_width=_MOMENT)
    shown, left_out = _shown(rows, most)
    for period, row in shown:
        moments = (_moment(each, zone, found.budget.period) for each in row.crossed[first:])
        star = "*" if period.missing else ""
        label = f"{period.period.label}{star}" if not period.runs else f"{period.period.label}{star}, so far"
        table.add_row(Text(clean(label, room)), _money(row.spent), _percent(row.spent, row.limit), *moments)
    if left_out:
        table.add_row(Text(f"and {left_out:,} more: --all", style="dim"))
    return table


def _shown(rows: Sequence[Row], most: int | None) -> tuple[Sequence[Row], int]:
    """The newest periods; where they are many, of those in which something was crossed, if there are any."""
    if most is None or len(rows) <= most:
        return rows, 0
    crossed = [row for row in rows if row[1].messages]
    kept = (crossed or rows)[-most:]
    return kept, len(rows) - len(kept)


def _notes(found: WhatIf) -> Iterator[str]:
    budget = found.budget
    if not any(period.scopes for period in found.periods):
        yield "Nothing was spent in that time."
    count = sum(len(period.scopes) for period in found.periods)
    what = "scopes and periods" if budget.per else "period" if count == 1 else "periods"
    crossed = [f"{mark_text(mark)} in {found.crossings(place):,}" for place, mark in enumerate(budget.thresholds)]
    yield f"Of {count:,} {what}: {', '.join(crossed)}. It would have told {_times(found.messages)}."
    incomplete = [period for period in found.periods if period.missing]
    if found.stored_from is None or found.stored_from > found.start:
        begins = "nothing is stored" if found.stored_from is None else f"history begins {found.stored_from:%Y-%m-%d}"
        yield f"* {begins}; asked for was {found.start:%Y-%m-%d} on. What lies before is missing, not zero."
    elif incomplete:
        more = f", and {len(incomplete) - 1:,} more periods are incomplete" if len(incomplete) > 1 else ""
        yield f"* {incomplete[-1].missing}{more}: their figures are too low."


def _times(count: int) -> str:
    if not count:
        return "nothing"
    return "once" if count == 1 else f"{count:,} times"


def _moment(moment: datetime | None, zone: ZoneInfo, period: str) -> str:
    if moment is None:
        return "-"
    local = moment.astimezone(zone)
    if period in {"hour", "day"}:
        return f"{local:%H:%M}"
    return f"{local.day} {MONTHS[local.month - 1][:3]} {local:%H:%M}"


def _money(nano: Nano) -> str:
    text = display_usd(nano)
    return text if len(text) <= len("$999.99") else text.rpartition(".")[0]


def _percent(part: Nano, whole: Nano | None) -> str:
    return f"{100 * part // whole}%" if whole else "-"
