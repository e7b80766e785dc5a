"""The command line: one file a command group, imported when it is asked for, and what is heavy only when it runs.

Data goes to standard output, talk to standard error. Exit codes: 0 fine, 1 failed, 2 usage, 3 invalid configuration,
4 alerts firing (`status --exit-code`), 75 already running, 130 ended by Ctrl-C.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from watcher import __version__
from watcher.cli.wrong_values import in_our_words

MODULES = {
    "demo": "demo",
    "init": "init",
    "check": "check",
    "run": "run",
    "poll": "run",
    "status": "status",
    "spend": "spend",
    "report": "report",
    "claude-code": "claude_code",
    "limits": "limits",
    "members": "members",
    "prices": "prices",
    "alerts": "alerts",
    "explain": "explain",
    "backtest": "backtest",
    "ack": "silence",
    "feedback": "feedback",
    "simulate": "simulate",
    "backup": "backup",
    "budgets": "budgets",
    "export": "export",
    "silence": "silence",
    "keys": "keys",
    "actions": "actions",
    "notify": "notify",
}
"""Every command, in the order of the help, and the module here that registers it."""


@cache
def _made(module: str) -> dict[str, Any]:
    """The commands that a module registers, by name."""
    own = typer.Typer(rich_markup_mode="rich")
    import_module(f"{__name__}.{module}").register(own)
    return dict(typer.main.get_group(own).commands)


class _WhenAskedFor(MutableMapping[str, Any]):
    """All commands by name, each made when it is asked for: to make every one takes longer than some of them run."""

    def __getitem__(self, name: str) -> Any:
        return _made(MODULES[name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)

    def __setitem__(self, name: str, command: Any) -> None:
        raise TypeError(f"{name} is not added here: write it into MODULES")

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"{name} is not taken away here: take it out of MODULES")


class _Commands(TyperGroup):
    """The group of all commands. What is wrong with the value of an option of any is told in our own words."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _WhenAskedFor()

    def make_context(self, *settings: Any, **more: Any) -> Any:
        with in_our_words():
            return super().make_context(*settings, **more)

    def invoke(self, ctx: Any) -> Any:
        with in_our_words():
            return super().invoke(ctx)


app = typer.Typer(
    name="watcher",
    cls=_Commands,
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
