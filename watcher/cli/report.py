"""`watcher report`: the digest of the last whole day or week, now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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
from watcher.cli.notify import notifier_of
from watcher.cli.organizations import OnlyOrganization, chosen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifiers.base import Notifier
    from rules.digest import DigestRule
    from rules.model import Notification
    from watcher.settings import Settings

WRONG_USAGE = 2


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("report")(report)


def report(  # noqa: PLR0917 - each is an option of the command line
    config: ConfigFile = DEFAULT_CONFIG,
    daily: Annotated[bool, typer.Option("--daily", help="Of the last whole day. \\[default]")] = False,
    weekly: Annotated[bool, typer.Option("--weekly", help="Of the last whole seven days.")] = False,
    name: Annotated[str | None, typer.Option("--digest", help="As this digest of the configuration has it.")] = None,
    send: Annotated[str | None, typer.Option("--send", metavar="RECEIVER", help="Send it there, too.")] = None,
    only: OnlyOrganization = None,
    as_json: AsJson = False,
) -> None:
    """Say what the last whole day or week came to: spend, budgets, forecast, who moved and why, what fired.

    Days are those of the first digest that comes as often, or of UTC; a week ends where that one's does, or on
    Monday. Budgets and forecasts are those of the last cycle.
    """
    from watcher.reporting import reports

    if daily and weekly:
        fail("--daily and --weekly exclude each other.", WRONG_USAGE)
    settings = load_settings(config)
    rule = _rule(settings, name, weekly=weekly, daily=daily)
    notifier = None if send is None else notifier_of(settings, send, digest=True)
    now = clock_for(settings).now()
    with open_store(settings) as store:
        organizations = chosen(settings, store, only)
        if rule.select.organization is not None and only is None:
            from rules.selectors import takes_organization

            pattern = rule.select
            organizations = tuple(
                each for each in organizations if takes_organization(pattern, each.id, [each.name, each.label])
            )
        found = reports(settings, store, [(each.id, each.label) for each in organizations], rule, now, send or "")
    _print(found, as_json=as_json)
    if notifier is not None:
        _send(notifier, found)


def _rule(settings: Settings, name: str | None, *, weekly: bool, daily: bool) -> DigestRule:
    """The digest asked for: one of the configuration, or a plain one."""
    from dataclasses import replace

    from rules.digest import DigestRule
    from watcher.config.problems import did_you_mean

    if name is not None:
        found = next((rule for rule in settings.digests if rule.name == name), None)
        if found is None:
            known = [rule.name for rule in settings.digests]
            hint = did_you_mean(name, known).removeprefix("; ") or f"there are: {', '.join(known) or 'none'}"
            fail(
                f"No digest is called {name!a}: {hint.removesuffix('?')}{'?' if hint.endswith('?') else '.'}",
                WRONG_USAGE,
            )
        return replace(found, every="weekly" if weekly else "daily" if daily else found.every)
    every = [rule for rule in settings.digests if (rule.every == "weekly") is weekly]
    return every[0] if every else DigestRule("report", (), "weekly" if weekly else "daily")


def _print(found: Sequence[Notification], *, as_json: bool) -> None:
    if as_json:
        from notifiers.digest_json import digest_json

        print_json(
            {
                "reports": [
                    {
                        "organization": each.organization,
                        "organization_label": each.told_as or None,
                        **(digest_json(each.digest) if each.digest else {}),
                    }
                    for each in found
                ]
            }
        )
        return
    from rich.console import Console

    from notifiers.console import print_story
    from notifiers.render import story

    for each in found:
        print_story(story(each), Console())


def _send(notifier: Notifier, found: Sequence[Notification]) -> None:
    from notifiers.base import DeliveryError

    for each in found:
        try:
            notifier.send(each)
        except DeliveryError as error:
            fail(f'Receiver "{notifier.name}" did not take the message: {error.reason}')
    typer.echo(f'Receiver "{notifier.name}" took the report.', err=True)
