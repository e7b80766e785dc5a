"""The command line: one file a command group, each of which imports what is heavy only when it runs.

Data goes to standard output, talk to standard error. Exit codes: 0 fine, 1 failed, 2 usage, 3 invalid configuration,
4 alerts firing (`status --exit-code`), 75 already running, 130 ended by Ctrl-C.
"""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from watcher import __version__
from watcher.cli import (
    actions,
    alerts,
    backtest,
    backup,
    budgets,
    check,
    claude_code,
    demo,
    explain,
    export,
    feedback,
    init,
    keys,
    limits,
    members,
    notify,
    prices,
    report,
    run,
    silence,
    simulate,
    spend,
    status,
)

app = typer.Typer(
    name="watcher",
    help="Watches what a team spends on Claude through the Anthropic API, and says so before the bill does.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"claude-watcher {__version__}")
        raise typer.Exit


@app.callback()
def main(
    log_level: Annotated[
        Literal["debug", "info", "warning"], typer.Option(help="What is logged, to standard error.")
    ] = "info",
    log_format: Annotated[
        Literal["text", "json"], typer.Option(help="Lines for people, or one JSON object a line.")
    ] = "text",
    version: Annotated[  # noqa: ARG001 — its callback does the work
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Set up what holds for every command."""
    from watcher import logs

    logs.configure(log_level, log_format)


for group in (
    demo,
    init,
    check,
    run,
    status,
    budgets,
    spend,
    report,
    claude_code,
    limits,
    members,
    prices,
    export,
    alerts,
    explain,
    backtest,
    silence,
    feedback,
):
    group.register(app)
for group in (keys, actions, notify, simulate, backup):
    group.register(app)
