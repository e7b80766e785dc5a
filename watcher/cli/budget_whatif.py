"""`watcher budgets what-if`: the last months under a limit and thresholds that nobody has configured yet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watcher.cli.asking import WRONG_USAGE
from watcher.cli.budget_acts import named
from watcher.cli.context import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    as_sentence,
    clock_for,
    fail,
    load_settings,
    open_store,
    print_json,
)
from watcher.cli.organizations import OnlyOrganization, the_one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rules.model import Budget

WHAT_IF = "what if"
SHOWN = 12
"""How many scopes, and how many periods of each, are shown unless all are asked for."""


def register(group: typer.Typer) -> None:
    """Add this to the group of `watcher budgets`."""
    group.command("what-if")(what_if)


def what_if(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    limit: Annotated[str | None, typer.Option("--limit", metavar="USD", help="The limit of one period.")] = None,
    thresholds: Annotated[
        str | None,
        typer.Option("--thresholds", metavar="LIST", help="As in 60,90,$9000. \\[default: 50,80,100]"),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--budget", help="Begin with this configured budget; the other options change it.")
    ] = None,
    period: Annotated[
        str | None, typer.Option("--period", help="hour, day, week, month, quarter or year. \\[default: month]")
    ] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", help="Whose midnight. \\[default: UTC]")] = None,
    per: Annotated[
        list[str] | None, typer.Option("--per", help="One budget for each of these, as in workspace,model.")
    ] = None,
    select: Annotated[
        list[str] | None, typer.Option("--select", metavar="WORD=PATTERN", help="Only what matches; may be repeated.")
    ] = None,
    months: Annotated[int, typer.Option("--months", min=1, max=120, help="How many whole months back.")] = 3,
    every: Annotated[
        bool, typer.Option("--all", help=f"All scopes and periods, not the {SHOWN} that matter most.")
    ] = False,
    only: OnlyOrganization = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show when each threshold of a budget would have been crossed in the last months, had it been in force.

    Reads the database only. The rule is the one that runs live; what was never read is said.
    """
    from rules.whatif import replay
    from watcher.ledger.condensed import condensed_view
    from watcher.pricing import PriceBook
    from watcher.whatif import WhatIf, first_moment, to_json

    settings = load_settings(config)
    base = None if name is None else named(settings, name)
    if base is not None and (base.measure.id or (base.console and limit is None)):
        what = "takes its limit from the Console: give --limit" if base.console else "counts something else"
        fail(f"Only spend under a limit in dollars can be replayed, and {base.name!a} {what}.", WRONG_USAGE)
    given = _given(limit, thresholds, period, timezone, per, select)
    budget = _budget(base, given)
    now = clock_for(settings).now()
    start = first_moment(budget, months, now)
    with open_store(settings) as store:
        organization = the_one(settings, store, only)
        view = condensed_view(store, PriceBook(settings.prices), organization.id, budget, start, now)
        names = store.directory.names(organization.id)
        span = store.usage.span(organization.id)
    found = WhatIf(budget, start, now, None if span is None else span[0], tuple(replay(budget, view, names, now)))
    if as_json:
        print_json({"organization": organization.as_json(), **to_json(found)})
    else:
        from rich.console import Console

        from watcher.cli.budget_whatif_table import show

        show(found, Console(), None if every else SHOWN)


def _given(
    limit: str | None,
    thresholds: str | None,
    period: str | None,
    timezone: str | None,
    per: Sequence[str] | None,
    select: Sequence[str] | None,
) -> dict[str, Any]:
    """The options as the table of a `[[budget]]` has them; exits with 2 for words that mean nothing."""
    from watcher.cli.spend_question import conditions, dimensions

    given: dict[str, Any] = {}
    given |= {} if limit is None else {"limit_usd": limit.removeprefix("$").replace(",", "").replace("_", "")}
    given |= {} if thresholds is None else {"thresholds": [_mark(word.strip()) for word in thresholds.split(",")]}
    given |= {} if period is None else {"period": period}
    given |= {} if timezone is None else {"timezone": timezone}
    try:
        if per is not None:
            given["per"] = [word for word in dimensions(per) if word != "organization"]
        if select is not None:
            pairs = [_pair(word, pattern) for word, pattern in conditions(select)]
            if len({word for word, _ in pairs}) < len(pairs):
                fail("--select takes one pattern for each word, as `select` in the configuration does.", WRONG_USAGE)
            given["select"] = dict(pairs)
    except ValueError as error:
        fail(as_sentence(str(error).replace("--by", "--per").replace("--where", "--select")), WRONG_USAGE)
    return given


def _pair(word: str, pattern: str) -> tuple[str, str]:
    """A condition as `select` has it: `tag:team=x` is `tag = "team=x"`."""
    tag, _, key = word.partition(":")
    return (tag, f"{key}={pattern}") if key else (word, pattern)


def _mark(word: str) -> Any:
    if word.startswith("$"):
        return {"at_usd": word.removeprefix("$")}
    try:
        number = float(word.removesuffix("%"))
    except ValueError:
        return word
    return int(number) if number.is_integer() else number


def _budget(base: Budget | None, given: dict[str, Any]) -> Budget:
    """The budget to replay: the configured one, with what is given in its place; exits with 2 for what cannot be."""
    from rules.money import usd_string
    from watcher.config.sections import Sections

    if base is None and "limit_usd" not in given:
        fail("--limit must say the limit of a period in dollars, or --budget begin with a configured one.", WRONG_USAGE)
    raw = {
        "limit_usd": "1" if base is None or base.limit is None else usd_string(base.limit),
        "name": base.name if base else WHAT_IF,
        **given,
    }
    sections = Sections(Path("config.toml"))
    asked = sections.budget(raw, "")
    if asked is None:
        fail("\n".join(_sentence(str(problem)) for problem in sections.problems), WRONG_USAGE)
    if base is None:
        budget = asked
    else:
        timing = ("period", "starts", "dates", "window") if "period" in given else ()
        taken = {"limit_usd": "limit", **{word: word for word in ("thresholds", "timezone", "per", "select")}}
        own = ("plan", "console", "caps") if "limit_usd" in given else ()
        fields = [*timing, *own, *(field for word, field in taken.items() if word in given)]
        budget = replace(base, **{field: getattr(asked, field) for field in fields})
    if budget.window is not None:
        fail("A rolling budget has no periods to replay: give --period month, for instance.", WRONG_USAGE)
    return budget


def _sentence(problem: str) -> str:
    """A problem of the configuration as one of the command line: ".limit_usd: must be …" is "--limit: must be …"."""
    told = problem.partition(" (budget ")[0]
    return as_sentence(f"--{told.removeprefix('.').replace('limit_usd', 'limit', 1)}")
