"""Back-tests for terminals: 80 columns hold every line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from notifiers.text import clean, duration, given, plural
from rules.model import Nano
from rules.money import display_usd
from watcher.backtest.comparing import Pair, compare
from watcher.backtest.running import Backtest, Backtests
from watcher.backtest.summary import Line, by_rule, by_scope, by_week, heard, total
from watcher.backtest.told import Told
from watcher.backtest.words import day, later, moment, story
from watcher.cli.backtest_actions import show_acts, show_compared
from watcher.lines import print_hanging

SHOWN = 12
"""How many lines a table or a week shows."""
_INDENT = Text("  ")


def show(tests: Backtests, console: Console) -> None:
    """Print each replay, and what sets two of them apart."""
    name = tests.organization.label or tests.organization.name
    until = tests.history.view.complete_until
    window = f"{moment(tests.start)} to {moment(until)} UTC"
    print_hanging(console, Text(clean(name or tests.organization.id), style="bold"), Text(f"  {window}", style="dim"))
    for note in tests.notes:
        print_hanging(console, Text("  – ", style="dim"), Text(clean(note, 400), style="dim"))
    for found in tests.found:
        console.print()
        _replay(found, tests, console, every=len(tests.found) == 1)
    if len(tests.found) > 1:
        console.print()
        _compared(tests, console)


def _replay(found: Backtest, tests: Backtests, console: Console, *, every: bool) -> None:
    replay = found.replay
    whole = total(replay.alerts)
    head = f"  {plural(whole.alerts, 'alert')}, {whole.told} told alone"
    print_hanging(console, Text(clean(found.asked.title, 40), style="bold"), Text(head))
    if whole.before is not None and whole.after is not None:
        money = (
            f"{display_usd(whole.before)} of the excess was spent before the page, {display_usd(whole.after)} after it"
        )
        print_hanging(console, _INDENT, Text(money))
    for each in heard(replay):
        told = f"{plural(each.pages, 'page')}, {each.per_week:.1f} a week; {each.resolved} resolved"
        first = "; one message at the start" if each.initial else ""
        print_hanging(console, _INDENT, Text(f"{given(each.receiver)}: {told}{first}"))
    earlier = sum(told.at_start for told in replay.alerts)
    if earlier:
        told = plural(earlier, "alert was", "alerts were")
        print_hanging(console, _INDENT, Text(f"{told} true when the replay began, and not counted.", style="dim"))
    if every:
        for monday, some in by_week(replay):
            _week(monday, some, tests, console)
    if found.acts is not None:
        console.print()
        show_acts(found.acts, console)
    for title, lines in (("rule", by_rule(replay)), ("scope", by_scope(replay, tests.label))):
        if lines:
            console.print()
            console.print(_table(title, lines, console))


def _week(monday: date, some: Sequence[Told], tests: Backtests, console: Console) -> None:
    alone = [told for told in some if told.inside is None]
    console.print()
    count = plural(len(alone), "alert") if alone else "nothing"
    console.print(Text.assemble((f"week of {day(monday)}", "bold"), Text(f"  {count}", style="dim")))
    for told in alone[:SHOWN]:
        carried = [other for other in some if other.inside == told.alert.id]
        _alert(told, carried, tests, console)
    if len(alone) > SHOWN:
        console.print(Text(f"  and {len(alone) - SHOWN:,} more: --json or --html", style="dim"))


def _alert(told: Told, carried: Sequence[Told], tests: Backtests, console: Console) -> None:
    lead = Text(f"  {moment(told.paged_at):<17} ")
    about = f"{told.last.severity.value}  {clean(told.alert.subject.rule, 24)}  {clean(tests.label(told), 28)}"
    print_hanging(console, lead, Text(about, style="bold"))
    rest = Text(" " * lead.cell_len)
    print_hanging(console, rest, Text(clean(told.alert.summary, 400)))
    print_hanging(console, rest, Text(story(told), style="dim"))
    if carried:
        rules = ", ".join(sorted({clean(other.alert.subject.rule, 24) for other in carried}))
        print_hanging(console, rest, Text(f"inside its message: {rules}", style="dim"))


def _table(title: str, lines: Sequence[Line], console: Console) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(title, no_wrap=True)
    for column in ("alerts", "alone", "delay", "before", "after"):
        table.add_column(column, justify="right", no_wrap=True)
    room = max(console.width - 52, 16)
    for line in lines[:SHOWN]:
        delay = "-" if line.delay is None else duration(line.delay)
        figures = (str(line.alerts), str(line.told), delay, _short(line.before), _short(line.after))
        table.add_row(Text(clean(line.title, room)), *figures)
    if len(lines) > SHOWN:
        table.add_row(Text(f"and {len(lines) - SHOWN:,} more: --json", style="dim"))
    return table


def _compared(tests: Backtests, console: Console) -> None:
    first, second = tests.found
    found = compare(first.replay.alerts, second.replay.alerts)
    for each, only in ((first, found.only_first), (second, found.only_second)):
        head = f"  {plural(len(only), 'alert')}"
        console.print(Text.assemble(("only by ", "bold"), (clean(each.asked.title, 40), "bold"), Text(head)))
        for told in only[:SHOWN]:
            _line(told, tests, console)
        if len(only) > SHOWN:
            console.print(Text(f"  and {len(only) - SHOWN:,} more: --json", style="dim"))
        console.print()
    head = f"  {plural(len(found.both), 'alert')}{_delays(found.both, second)}"
    print_hanging(console, Text("by both", style="bold"), Text(head))
    apart = sorted(found.both, key=lambda pair: -abs(pair.later))
    for pair in apart[:SHOWN]:
        _line(pair.first, tests, console, later(pair.later))
    if len(apart) > SHOWN:
        console.print(Text(f"  and {len(apart) - SHOWN:,} more: --json", style="dim"))
    if first.acts is not None and second.acts is not None:
        console.print()
        show_compared((first.asked.title, first.acts), (second.asked.title, second.acts), console)


def _delays(pairs: Sequence[Pair], second: Backtest) -> str:
    earlier = sum(pair.later < timedelta(0) for pair in pairs)
    later = sum(pair.later > timedelta(0) for pair in pairs)
    if not earlier and not later:
        return ", at the same times" if pairs else ""
    return f"; {clean(second.asked.title, 40)} tells {earlier} earlier and {later} later"


def _line(told: Told, tests: Backtests, console: Console, more: str = "") -> None:
    lead = Text(f"  {moment(told.paged_at):<17} ")
    about = f"{clean(told.alert.subject.rule, 24)}  {clean(tests.label(told), 28)}"
    print_hanging(console, lead, Text(about + (f"  {more}" if more else "")))


def _short(nano: Nano | None) -> str:
    """Money where it stands in a column: cents only of what is small."""
    if nano is None:
        return "-"
    text = display_usd(nano)
    return text if len(text) <= len("$999.99") else text.rpartition(".")[0]
