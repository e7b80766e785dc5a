"""`watcher status`: what is going on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.context import (
    ALERTS_FIRING,
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    clock_for,
    fail,
    load_settings,
    open_store,
    print_json,
)

if TYPE_CHECKING:
    from datetime import timedelta

    from rich.console import Console

    from watcher.status import Standing, Status

SHOWN_BUDGETS = 20
LONGEST_ORGANIZATION = 20
"""Characters of an organization's name beside figures."""


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("status")(status)


def status(
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 4 while an alert fires.")] = False,
    max_age: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Exit with 1 unless each organization's last cycle ended within it."),
    ] = None,
) -> None:
    """Say how the spend stands, what fires, and whether the data are fresh."""
    from rich.console import Console

    from notifiers.alert_json import alert_json
    from watcher.status import read_status, to_json

    longest = None if max_age is None else _duration(max_age)
    settings = load_settings(config)
    with open_store(settings) as store:
        receivers = [receiver.name for receiver in settings.receivers]
        found = read_status(store, clock_for(settings).now(), receivers, settings.labels, settings.shutoff)
    if as_json:
        print_json(to_json(found, alert_json))
    else:
        show(found, Console())
    if longest is not None and (overdue := overdue_words(found, longest)):
        fail(overdue)
    if exit_code and found.firing:
        raise typer.Exit(ALERTS_FIRING)


def show(status: Status, console: Console) -> None:
    """Print a status for people, at 80 columns or more."""
    from rich.text import Text

    from watcher.lines import print_hanging
    from watcher.quiet_words import quiet_words
    from watcher.why_words import why_words

    for standing in status.standings:
        _figures(standing, status, console)
    for problem in status.problems:
        print_hanging(console, Text("  ! ", style="yellow"), Text(problem, style="yellow"))
    for note in status.notes:
        print_hanging(console, Text("  – ", style="dim"), Text(note, style="dim"))
    _shutoff(status, console)
    console.print()
    if status.firing:
        console.print(Text(f"{len(status.firing)} firing", style="bold red"))
        for alert in status.firing:
            where = f"{clean_name(status.name_of(alert))}: " if status.several else ""
            print_hanging(console, Text(f"  {alert.severity.value:<9}"), Text(f"{where}{alert.summary}"))
            for words in (*why_words(alert), *quiet_words(alert, status.now)):
                print_hanging(console, Text(" " * 11), Text(words, style="dim"))
    else:
        console.print(Text("Nothing fires.", style="green"))
    if any(standing.overview and standing.overview.budgets for standing in status.standings):
        console.print()
        _budgets(status, console)


def overdue_words(status: Status, longest: timedelta) -> str:
    """A sentence for each organization whose last cycle ended longer ago than that, or never; "" where all are well."""
    from notifiers.text import ago
    from watcher.config.durations import write_duration

    lines = []
    for standing in status.standings:
        ended = standing.last_cycle_at
        if ended is None or status.now - ended > longest:
            of = f"{clean_name(standing.name)}: " if status.several else ""
            told = "No cycle has ended yet" if ended is None else f"The last cycle ended {ago(ended, status.now)}"
            lines.append(f"{of}{told}, and not within {write_duration(longest)}.")
    return "\n".join(lines)


def _duration(text: str) -> timedelta:
    from watcher.config.durations import parse_duration
    from watcher.config.problems import Wrong

    try:
        return parse_duration(text.strip())
    except Wrong as wrong:
        fail(f"--max-age {wrong}.", 2)


def clean_name(name: str) -> str:
    """The name of an organization as a line of text may hold it."""
    from notifiers.text import clean

    return clean(name, LONGEST_ORGANIZATION)


def _figures(standing: Standing, status: Status, console: Console) -> None:
    from rich.text import Text

    from notifiers.text import ago, clean, when
    from rules.money import display_usd
    from watcher.lines import print_hanging

    overview = standing.overview
    if status.several:
        firing = f"{len(standing.firing)} firing" if standing.firing else "nothing fires"
        name = clean(overview.organization_name) if overview else ""
        called = f" ({name})" if name and name != standing.name else ""
        console.print(Text.assemble((clean_name(standing.name), "bold"), Text(f"{called}, {firing}", style="dim")))
    elif overview is not None:
        console.print(Text(clean(overview.organization_name), style="bold"))
    if overview is None:
        if status.several:
            console.print(Text("  no figures yet", style="dim"))
        return
    total = overview.total
    settled = display_usd(total.month_settled)
    today = "not known yet" if standing.today is None else display_usd(standing.today)
    spent = f"today {today}, this month {display_usd(total.month)} ({settled} settled)"
    age = "no usage has been read yet"
    if standing.data_as_of is not None and standing.complete_until is not None:
        known, complete = when(standing.data_as_of, status.now), when(standing.complete_until, status.now)
        age = f"data as of {known} ({ago(standing.data_as_of, status.now)}); complete until {complete}"
    for line in (spent, age):
        print_hanging(console, Text("  "), Text(line))


def _shutoff(status: Status, console: Console) -> None:
    """How shutoff stands in each organization, where the configuration has it."""
    from rich.text import Text

    from watcher.actions.standing import shutoff_words
    from watcher.lines import print_hanging

    for standing in status.standings:
        of = f"{clean_name(standing.name)}: " if status.several else ""
        for words in shutoff_words(standing.shutoff, status.now) if standing.shutoff is not None else ():
            print_hanging(console, Text("  "), Text(f"{of}{words}"))


def _budgets(status: Status, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from notifiers.text import clean, percent
    from rules.measures import bare

    named = [
        (clean_name(standing.name), line, " (paused)" if line.budget in standing.overview.paused else "")
        for standing in status.standings
        if standing.overview
        for line in standing.overview.budgets
    ]
    rows = [
        (
            name,
            line.period,
            "-" if line.limit is None else percent(line.spent, line.limit),
            bare(line.measure, line.spent),
            "none" if line.limit is None else bare(line.measure, line.limit),
        )
        for name, line, _ in named[:SHOWN_BUDGETS]
    ]
    titles = ("", "period", "used", "spent", "limit")
    # What the other columns leave is the label's: an amount is never cut.
    widths = [max(map(len, column)) + 2 for column in zip(titles, *rows, strict=True)]
    room = max(console.width - sum(widths[0 if status.several else 1 :]), 12)
    table = Table(box=None, pad_edge=False, header_style="dim")
    if status.several:
        table.add_column(titles[0], no_wrap=True)
    table.add_column("budget", no_wrap=True)
    table.add_column(titles[1], no_wrap=True)
    for title in titles[2:]:
        table.add_column(title, justify="right", no_wrap=True)
    for (_, line, paused), (name, *figures) in zip(named, rows, strict=False):
        after = (f" ({line.measure.noun})" if line.measure.noun else "") + paused
        label = clean(f"{line.budget} {line.label}".strip(), max(room - len(after), 1)) + after
        table.add_row(*([Text(name)] if status.several else []), Text(label), *figures)
    console.print(table)
    if (hidden := len(named) - SHOWN_BUDGETS) > 0:
        console.print(f"and {hidden} more: see --json")
