"""`watcher backtest`: what the rules of a configuration would have told of the last weeks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.context import (
    DEFAULT_CONFIG,
    INTERRUPTED,
    AsJson,
    ConfigFile,
    clock_for,
    fail,
    load_settings,
    print_json,
)
from watcher.cli.organizations import OnlyOrganization

if TYPE_CHECKING:
    from watcher.backtest.running import Asked, Backtests
    from watcher.settings import Settings

WRONG_USAGE = 2


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("backtest")(backtest)


def backtest(  # noqa: PLR0917 - each is an option of the command line
    config: ConfigFile = DEFAULT_CONFIG,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How many days back.")] = 60,
    other: Annotated[
        Path | None, typer.Option("--compare", metavar="FILE", help="Beside it, the rules of another configuration.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write a report with a picture of each alert.")
    ] = None,
    actions: Annotated[
        bool, typer.Option("--actions", help="Also say which keys would have been deactivated, and who was innocent.")
    ] = False,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Read the history from the API, not from the database.")
    ] = False,
    only: OnlyOrganization = None,
    as_json: AsJson = False,
) -> None:
    """Replay the last days through the rules: what would have been told, when, and what that would have saved.

    Judges hour by hour as the daemon does, with what was known then. Nothing is sent and nothing is stored.
    """
    settings = load_settings(config)
    configurations = [_asked(str(config), settings)]
    if other is not None:
        configurations.append(_asked(str(other), load_settings(other)))
    if html is not None and not html.absolute().parent.is_dir():
        fail(f"The folder {html.absolute().parent} does not exist: make it, or name another file.", WRONG_USAGE)
    try:
        found = _run(settings, configurations, days, only, fetch=fetch, actions=actions)
        written = None if html is None else _write(found, html)
        _print(found, as_json=as_json)
    except KeyboardInterrupt:
        fail("Interrupted.", INTERRUPTED)
    if written is not None:
        typer.echo(f"Wrote {written}.", err=True)


def _print(found: Backtests, *, as_json: bool) -> None:
    if as_json:
        from watcher.backtest.forms import to_json

        organization = found.organization
        which = {"id": organization.id, "label": organization.label or None, "name": organization.name}
        print_json({"organization": which, **to_json(found)})
    else:
        from rich.console import Console

        from watcher.cli.backtest_table import show

        show(found, Console())


def _asked(title: str, settings: Settings) -> Asked:
    """The rules of a configuration; exits with 1 where there are none."""
    from watcher.asked_rules import rules_asked
    from watcher.backtest.running import Asked
    from watcher.events import Planned

    if not settings.budgets and not settings.anomalies:
        fail(f"{title} has no [[budget]] and no [[anomaly]]: there is nothing to replay.")
    policy = None if settings.shutoff is None else settings.shutoff.policy
    return Asked(title, rules_asked(settings), Planned(settings.events), policy)


def _run(
    settings: Settings, configurations: list[Asked], days: int, only: str | None, *, fetch: bool, actions: bool
) -> Backtests:
    from watcher.backtest.running import TooLittleHistory, run
    from watcher.backtest.sources import CannotFetch, opened
    from watcher.pricing import PriceBook
    from watcher.store import StoreError

    now = clock_for(settings).now()
    try:
        with bar() as step, opened(settings, only, days, now, step, _say, fetch=fetch) as (store, organization):
            book = PriceBook(settings.prices)
            return run(store, book, organization, configurations, (days, now), step, actions=actions)
    except CannotFetch as problem:
        fail(str(problem), WRONG_USAGE if problem.usage else 1)
    except (StoreError, TooLittleHistory) as problem:
        fail(str(problem))


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _write(found: Backtests, path: Path) -> Path:
    from watcher.backtest.report import report_html

    with bar() as step:
        text = report_html(found, lambda done, of: step("drawing", done, of))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror or error}.")
    return path


@contextmanager
def bar() -> Iterator[Callable[[str, int, int], None]]:
    """A function to call with what is done, how much of it, and how much there is; it shows on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    screen = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    if not sys.stderr.isatty():
        yield lambda _what, _done, _of: None
        return
    with Progress(*columns, console=screen) as shown:
        tasks: dict[str, TaskID] = {}

        def step(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=of)
            shown.update(tasks[what], completed=done, total=of)

        yield step
