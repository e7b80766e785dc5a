"""Keys that a back-test would have stopped, for terminals."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from notifiers.text import clean, plural
from watcher.backtest.comparing import compare_stops
from watcher.backtest.stops import Acts, Stop, named, why_not
from watcher.backtest.words import acts_line, later, moment, stop_story
from watcher.lines import print_hanging

SHOWN = 20
_INDENT = Text("  ")


def show_acts(acts: Acts, console: Console) -> None:
    """Print every stop, and why others were not made."""
    print_hanging(console, Text("keys", style="bold"), Text(f"  {acts_line(acts)}"))
    for stop in acts.stops[:SHOWN]:
        _stop(stop, console)
    if len(acts.stops) > SHOWN:
        console.print(Text(f"  and {len(acts.stops) - SHOWN:,} more: --json or --html", style="dim"))
    if acts.refused:
        console.print(Text(f"  {plural(len(acts.refused), 'decision')} not carried out:", style="dim"))
    for why, keys in why_not(acts.refused)[:SHOWN]:
        times = f" × {len(keys)}" if len(keys) > 1 else ""
        names = ", ".join(dict.fromkeys(clean(each, 28) for each in keys[:3]))
        print_hanging(console, Text(f"  – {names}{times}: ", style="dim"), Text(clean(why, 300), style="dim"))


def _stop(stop: Stop, console: Console) -> None:
    lead = Text(f"  {moment(stop.at):<17} ")
    about = f"{clean(named(stop.row), 30)}  {clean(stop.row.workspace_name, 20)}  {clean(stop.row.cause.rule, 20)}"
    print_hanging(console, lead, Text(about, style="bold"))
    rest = Text(" " * lead.cell_len)
    print_hanging(console, rest, Text(clean(stop.row.reason, 400)))
    print_hanging(console, rest, Text(stop_story(stop), style="dim"))
    if stop.innocent:
        print_hanging(console, rest, Text(f"innocent: {stop.innocent}", style="bold red"))


def show_compared(first: tuple[str, Acts], second: tuple[str, Acts], console: Console) -> None:
    """Print which keys only one of two would have stopped, and by how much the others differ."""
    found = compare_stops(first[1].stops, second[1].stops)
    for title, only in ((first[0], found.only_first), (second[0], found.only_second)):
        head = f"  {plural(len(only), 'key')}"
        print_hanging(console, Text(f"deactivated only by {clean(title, 40)}", style="bold"), Text(head))
        for stop in only[:SHOWN]:
            _line(stop, console)
    print_hanging(console, Text("deactivated by both", style="bold"), Text(f"  {plural(len(found.both), 'key')}"))
    for one, two in found.both[:SHOWN]:
        _line(one, console, later(two.at - one.at))


def _line(stop: Stop, console: Console, more: str = "") -> None:
    wrong = "  innocent" if stop.innocent else ""
    about = f"{clean(named(stop.row), 30)}  {clean(stop.row.cause.rule, 20)}{wrong}{'  ' + more if more else ''}"
    print_hanging(console, Text(f"  {moment(stop.at):<17} "), Text(about))
