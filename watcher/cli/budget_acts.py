"""`watcher budgets pause`, `resume`, `reset`, and `journal`: what people ask about budgets, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from watcher.cli.asking import WRONG_USAGE, Actor, Why, actor_of, ask, reason_of
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
from watcher.cli.organizations import Chosen, OnlyOrganization, chosen

if TYPE_CHECKING:
    from rules.budgets import Line
    from rules.model import Budget
    from watcher.settings import Settings
    from watcher.store import Store

ItsName = Annotated[str, typer.Option("--budget", help="The budget, by its name in the configuration.")]
ALL = "all"
"""The one line of a budget that has no scopes."""
_MOST_LISTED = 8


def register(group: typer.Typer) -> None:
    """Add these to the group of `watcher budgets`."""
    for command in (pause, resume, reset, journal):
        group.command(command.__name__)(command)


def pause(
    budget: ItsName,
    reason: Why,
    until: Annotated[
        str | None,
        typer.Option(help="A date or ISO time, in the budget's zone, or a duration such as 36h. \\[default: no end]"),
    ] = None,
    by: Actor = None,
    only: OnlyOrganization = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Let a budget tell nothing for a while; what is listed stays listed, and its figures go on.

    Once it is resumed, what is crossed then and was not told before is told.
    """
    from rules.budget_requests import PAUSE

    settings = load_settings(config)
    rule = named(settings, budget)
    now = clock_for(settings).now()
    ends = _moment(until, rule, now)
    details = {"budget": budget, "reason": reason_of(reason)} | ({"until": ends.isoformat()} if ends else {})
    with open_store(settings) as store:
        concerned = _concerned(settings, store, rule, only)
    _ask(settings, PAUSE, [(each, details) for each in concerned], by, now)


def resume(
    budget: ItsName,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the journal.")] = "",
    by: Actor = None,
    only: OnlyOrganization = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Let a paused budget tell again: what is crossed then and was not told before, in one message."""
    from rules.budget_requests import RESUME

    settings = load_settings(config)
    rule = named(settings, budget)
    details = {"budget": budget, "reason": reason_of(reason) if reason else ""}
    with open_store(settings) as store:
        concerned = _concerned(settings, store, rule, only)
    _ask(settings, RESUME, [(each, details) for each in concerned], by, clock_for(settings).now())


def reset(
    budget: ItsName,
    reason: Why,
    scope: Annotated[
        str | None,
        typer.Option(help="Only this line of the budget, as `watcher budgets` shows it, or by id. \\[default: all]"),
    ] = None,
    by: Actor = None,
    only: OnlyOrganization = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Forget what a budget told in its running period: its crossings end without a message.

    What is still crossed, or is crossed again, is told anew, in one message.
    """
    from rules.budget_requests import RESET

    settings = load_settings(config)
    rule = named(settings, budget)
    now = clock_for(settings).now()
    details = {"budget": budget, "reason": reason_of(reason)}
    with open_store(settings) as store:
        concerned = _concerned(settings, store, rule, only)
        asked: list[tuple[Chosen, Mapping[str, Any]]] = [(each, details) for each in concerned]
        if scope is not None:
            parts = _scopes(store, concerned, rule, scope, now)
            asked = [(each, {**details, "scope": parts[each.id]}) for each in concerned if each.id in parts]
    _ask(settings, RESET, asked, by, now)


def journal(
    names: Annotated[
        list[str] | None, typer.Option("--budget", help="Only of this budget, by name; may be repeated.")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="How many, the newest first.")] = 50,
    only: OnlyOrganization = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show who paused, resumed or reset which budget, when and why, and what waits for the next cycle."""
    from watcher.cli.budget_journal import entries, show, to_json

    settings = load_settings(config)
    now = clock_for(settings).now()
    with open_store(settings) as store:
        found = entries(store, chosen(settings, store, only), names, most)
    if as_json:
        print_json([to_json(entry) for entry in found])
    else:
        from rich.console import Console

        show(found, Console(), now, names)


def named(settings: Settings, name: str) -> Budget:
    """The budget of that name; exits with 2 where the configuration has none."""
    for budget in settings.budgets:
        if budget.name == name:
            return budget
    known = ", ".join(ascii(budget.name)[1:-1] for budget in settings.budgets) or "none"
    return fail(f"No budget is called {name!a}. There are: {known}.", WRONG_USAGE)


def _concerned(settings: Settings, store: Store, budget: Budget, only: str | None) -> list[Chosen]:
    """The organizations that the budget is for, of those asked for; exits with 2 where there is none."""
    from rules.selectors import takes_organization

    every = chosen(settings, store, only)
    found = [
        each
        for each in every
        if takes_organization(budget.select, each.id, [each.name, *([each.label] if each.label else [])])
    ]
    return found or fail(f"The budget {budget.name!a} is for no organization that was asked for.", WRONG_USAGE)


def _ask(
    settings: Settings, what: str, asked: Sequence[tuple[Chosen, Mapping[str, Any]]], by: str | None, now: datetime
) -> None:
    with open_store(settings, read_only=False) as store:
        ask(settings, store, what, asked, actor_of(by), now)


def _moment(text: str | None, budget: Budget, now: datetime) -> datetime | None:
    """When a pause ends; exits with 2 for what is no moment, or lies behind."""
    from watcher.config.durations import parse_duration
    from watcher.config.problems import Wrong

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(budget.timezone))).astimezone(UTC)
    except (ValueError, OverflowError):
        try:
            moment = now + parse_duration(text.strip())
        except (Wrong, OverflowError):
            fail(
                f'--until must be a date or an ISO time, such as "2026-12-01" or "2026-12-01T09:00Z", or a duration '
                f'such as "36h", not {text!a}.',
                WRONG_USAGE,
            )
    if moment <= now:
        fail(f"--until must lie in the future: {moment:%Y-%m-%d %H:%M} UTC does not.", WRONG_USAGE)
    return moment


def _scopes(
    store: Store, concerned: Sequence[Chosen], budget: Budget, wanted: str, now: datetime
) -> dict[str, Mapping[str, str]]:
    """In each organization the scope of the budget that is called so; exits with 2 where none is, or several are."""
    from watcher.budgets import standings

    asked = [(each.id, each.label, each.name) for each in concerned]
    found: dict[str, Mapping[str, str]] = {}
    labels: list[str] = []
    for standing in standings(store, asked, [budget], now).organizations:
        labels += [line.label or ALL for line in standing.lines]
        matching = [line for line in standing.lines if _is_called(line, wanted)]
        if len(matching) > 1:
            which = "; ".join(" ".join(line.scope.parts().values()) for line in matching[:_MOST_LISTED])
            fail(f"Several lines are called {wanted!a}: name one by its id. There are: {which}.", WRONG_USAGE)
        if matching:
            found[standing.organization] = dict(matching[0].scope.parts())
    if not found:
        some = ", ".join(ascii(label)[1:-1] for label in labels[:_MOST_LISTED]) or "none"
        more = f" and {len(labels) - _MOST_LISTED} more" if len(labels) > _MOST_LISTED else ""
        fail(f"No line of the budget {budget.name!a} is called {wanted!a}. There are: {some}{more}.", WRONG_USAGE)
    return found


def _is_called(line: Line, wanted: str) -> bool:
    ids = list(line.scope.parts().values())
    if not ids:
        return wanted.casefold() == ALL
    return wanted in {line.label, " ".join(ids)} or line.label.casefold() == wanted.casefold()
