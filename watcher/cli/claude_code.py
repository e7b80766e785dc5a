"""`watcher claude-code`: who did what with Claude Code."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from watcher.cli.context import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    clock_for,
    fail,
    load_settings,
    open_store,
    print_json,
)
from watcher.cli.organizations import OnlyOrganization, the_one

WRONG_USAGE = 2


class By(StrEnum):
    """What to break the figures down by."""

    USER = "user"
    MODEL = "model"
    DAY = "day"


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("claude-code")(claude_code)


def claude_code(  # noqa: PLR0917 - each is an option of the command line
    config: ConfigFile = DEFAULT_CONFIG,
    by: Annotated[
        list[By] | None, typer.Option("--by", help="What to break down by; may be repeated. \\[default: user]")
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help="The first UTC day. \\[default: this month's]")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The day after the last one. \\[default: tomorrow]")] = None,
    top: Annotated[
        int | None, typer.Option("--top", min=1, help="Only the N dearest rows (of each day); the others become one.")
    ] = None,
    only: OnlyOrganization = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")] = False,
) -> None:
    """Say who did what with Claude Code: sessions, lines, commits, tokens and what the provider estimates.

    What the API bills and what subscriptions hold are told apart, and neither is added to the spend.
    """
    from watcher.claude_code import claude_code_report

    if as_json and as_csv:
        fail("--json and --csv exclude each other.", WRONG_USAGE)
    settings = load_settings(config)
    now = clock_for(settings).now()
    try:
        first, until = days(start, end, now)
    except ValueError as error:
        fail(str(error), WRONG_USAGE)
    with open_store(settings) as store:
        organization = the_one(settings, store, only).id
        report = claude_code_report(
            store, organization, [each.value for each in by or [By.USER]], first, until, now, top=top
        )
    if as_json:
        from watcher.claude_code.forms import to_json

        print_json(to_json(report))
    elif as_csv:
        from watcher.claude_code.forms import to_csv

        typer.echo(to_csv(report), nl=False)
    else:
        from rich.console import Console

        from watcher.cli.claude_code_table import show

        show(report, Console())


def days(start: str | None, end: str | None, now: datetime) -> tuple[date, date]:
    """The days `[from, to)` asked for, by default this UTC month with today.

    ValueError, a sentence for the person who asked, for what is no date, and for no day at all.
    """
    today = now.astimezone(UTC).date()
    until = today + timedelta(days=1) if end is None else _day("--to", end)
    first = today.replace(day=1) if start is None else _day("--from", start)
    if first >= until:
        raise ValueError(f"--from must be before --to: {first} is not before {until}.")
    return first, until


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f'{option} must be a date such as "2026-11-01", not {text!a}: the report is by day.') from None
