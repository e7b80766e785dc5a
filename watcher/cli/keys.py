"""`watcher keys`: every API key with its spend, its owner and its state; turning one off or on by hand; protection."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.actions import Reason, Yes, nothing_before
from watcher.cli.asking import LONGEST_REASON, WRONG_USAGE, Actor, Why, actor_of, ask, reason_of
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
    from datetime import datetime

    from watcher.cli.shutoff_asking import Meant
    from watcher.keys.report import KeyRow
    from watcher.settings import Settings
    from watcher.store import Store

SHOWN = 40
_MOST_LISTED = 8
_OVER = frozenset({"archived", "expired"})
"""States in which a key is over for good, and shown only when asked for."""

WhichKey = Annotated[str, typer.Argument(metavar="KEY", help="Its id, its name, or a glob that fits it alone.")]
KeyIfAny = Annotated[str | None, typer.Argument(metavar="[KEY]", help="Its id, its name, or a glob.")]
WorkspaceIfAny = Annotated[str | None, typer.Option("--workspace", help="A whole workspace, by id or name.")]

group = typer.Typer()


def register(app: typer.Typer) -> None:
    """Add this group."""
    for command in (deactivate, reactivate, protect, unprotect):
        group.command(command.__name__)(command)
    app.add_typer(group, name="keys")


@group.callback(invoke_without_command=True)
def keys(  # noqa: PLR0913 - a list is asked for by its filters
    context: typer.Context,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    only: OnlyOrganization = None,
    key: Annotated[str | None, typer.Option("--key", help="Only keys whose id or name this pattern fits.")] = None,
    workspace: Annotated[
        str | None, typer.Option("--workspace", help="Only of workspaces whose id or name this pattern fits.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", help="Only of owners whose id, name or e-mail this pattern fits.")
    ] = None,
    state: Annotated[str | None, typer.Option("--state", help="Only in this state, such as inactive.")] = None,
    protected: Annotated[
        bool | None, typer.Option("--protected/--unprotected", help="Only those that are protected, or are not.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help=f"Also archived and expired keys, and more than {SHOWN}.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the API keys: what each spends, whose it is, what protects it, and who was seen to change it last.

    Those that spend most this month come first. The figures are those of the last cycle.
    """
    if context.invoked_subcommand is not None:
        nothing_before(context)
        return
    from rules.action_requests import DEACTIVATE, DRILL, PROTECT, REACTIVATE, UNPROTECT
    from watcher.cli.keys_table import show
    from watcher.cli.shutoff_asking import asked_for, situations
    from watcher.keys.forms import key_json
    from watcher.keys.report import keys_report

    settings = load_settings(config)
    now = clock_for(settings).now()
    with open_store(settings) as store:
        concerned = chosen(settings, store, only)
        found = [
            row
            for _, at in situations(settings, store, concerned, now)
            for row in keys_report(store, settings.prices, at, now)
        ]
        whats = {DEACTIVATE, REACTIVATE, DRILL, PROTECT, UNPROTECT}
        asked = [] if as_json else list(asked_for(store, concerned, whats, now))
    found = [
        row
        for row in found
        if _is_asked_for(row, key, workspace, owner)
        and (row.key.status == state if state is not None else every or row.key.status not in _OVER)
        and (protected is None or protected is bool(row.protection))
    ]
    if as_json:
        print_json([key_json(row) for row in found])
    else:
        show(found, None if every else SHOWN, asked, now, allowed=settings.shutoff is not None)


def deactivate(
    key: WhichKey,
    reason: Why,
    yes: Yes = False,
    by: Actor = None,
    only: OnlyOrganization = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Turn a key off: what is sent with it is refused from then on, until it is turned on again.

    Asks for the key's name on a terminal. Done in every mode but "off", so under "dry_run", too; not while actions are
    paused, nor to a key that is protected.
    """
    from rules.action_requests import DEACTIVATE

    _change(DEACTIVATE, "deactivate", (key, reason, by, only), config, yes=yes)


def reactivate(
    key: WhichKey,
    reason: Why,
    yes: Yes = False,
    by: Actor = None,
    only: OnlyOrganization = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Turn a key on again, whoever turned it off. Asks for the key's name on a terminal.

    Done in every mode but "off", so under "dry_run", too; not while actions are paused.
    """
    from rules.action_requests import REACTIVATE

    _change(REACTIVATE, "reactivate", (key, reason, by, only), config, yes=yes)


def protect(
    key: KeyIfAny = None,
    workspace: WorkspaceIfAny = None,
    reason: Reason = "",
    by: Actor = None,
    only: OnlyOrganization = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Let a key, or all of a workspace, never be deactivated; also confirms a pattern that fits by a new name."""
    from rules.action_requests import PROTECT

    _protection(PROTECT, (key, workspace), (reason, by, only), config)


def unprotect(
    key: KeyIfAny = None,
    workspace: WorkspaceIfAny = None,
    reason: Reason = "",
    by: Actor = None,
    only: OnlyOrganization = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Take back what `watcher keys protect` did. What the configuration protects stays protected."""
    from rules.action_requests import UNPROTECT

    _protection(UNPROTECT, (key, workspace), (reason, by, only), config)


def must_be_changeable(meant: Meant, what: str, now: datetime) -> None:
    """Exit with 2 where the next cycle would refuse to change the key, with why; say what else speaks against it."""
    from notifiers.text import clean
    from rules.situation import left_in

    key, at = meant.key, meant.situation
    wanted = "active" if what == "deactivate" else "inactive"
    if key.status != wanted:
        fail(f"{key.name!a} is {clean(key.status)}, so there is nothing to {what}.", WRONG_USAGE)
    if what == "deactivate" and (why := at.protection(key)):
        fail(
            f"{key.name!a} is protected: {clean(why, LONGEST_REASON)}. Nothing turns it off, not even by hand.",
            WRONG_USAGE,
        )
    if what == "deactivate" and left_in(key.workspace, at.keys, {row.id: row for row in at.journal}) <= 1:
        typer.echo("It is the last active key of its workspace.", err=True)
    if at.policy.mode == "dry_run":
        typer.echo('mode = "dry_run" holds back the policy alone: what is asked for by hand is done.', err=True)
    if at.brake.holds(now):
        held = clean(at.brake.words, LONGEST_REASON)
        typer.echo(f"This is refused as long as {held}: `watcher actions resume` lets go.", err=True)


def _change(
    request: str, what: str, words: tuple[str, str, str | None, str | None], config: Path, *, yes: bool
) -> None:
    """Ask for one key to be changed by hand."""
    from watcher.cli.confirming import must_type
    from watcher.cli.shutoff_asking import policy_of, the_key

    wanted, reason, by, only = words
    settings = load_settings(config)
    policy_of(settings, acting=True)
    why, now = reason_of(reason), clock_for(settings).now()
    with open_store(settings, read_only=False) as store:
        meant = the_key(settings, store, chosen(settings, store, only), wanted, now)
        must_be_changeable(meant, what, now)
        _say(settings, store, meant, now)
        must_type(meant.key.name, meant.key.id, f"{what} it", yes=yes)
        details = {"key": meant.key.id, "name": meant.key.name, "reason": why}
        ask(settings, store, request, [(meant.organization, details)], actor_of(by), now)


def _say(settings: Settings, store: Store, meant: Meant, now: datetime) -> None:
    """What the key is and spends, before it is changed."""
    from notifiers.text import clean
    from rules.money import display_usd
    from watcher.keys.report import DAY, spent_since

    key = meant.key
    spent = spent_since(store, settings.prices, meant.organization.id, key.id, now - DAY, now)
    workspace = meant.situation.keys.workspaces.get(key.workspace, key.workspace) or "no workspace"
    typer.echo(
        f"{clean(key.name)} ({clean(key.id)}) in {clean(workspace)}, {clean(key.status)}, spent {display_usd(spent)} "
        "in the last 24 hours.",
        err=True,
    )


def _protection(
    request: str,
    about: tuple[str | None, str | None],
    words: tuple[str, str | None, str | None],
    config: Path,
) -> None:
    """Ask for a key or a workspace to be protected by hand, or for the opposite."""
    from rules.action_requests import UNPROTECT
    from watcher.cli.shutoff_asking import policy_of, the_key

    key, workspace = about
    reason, by, only = words
    if (key is None) is (workspace is None):
        fail("Say either a key or --workspace.", WRONG_USAGE)
    settings = load_settings(config)
    policy_of(settings)
    now = clock_for(settings).now()
    why = {"reason": reason_of(reason)} if reason else {}
    with open_store(settings, read_only=False) as store:
        concerned = chosen(settings, store, only)
        if key is not None:
            meant = the_key(settings, store, concerned, key, now)
            organization, what, ident, name = meant.organization, "api_key", meant.key.id, meant.key.name
        else:
            organization, ident, name = _the_workspace(settings, store, concerned, workspace or "", now)
            what = "workspace"
        details = {"what": what, "id": ident, "name": name, **why}
        ask(settings, store, request, [(organization, details)], actor_of(by), now)
        if request == UNPROTECT:
            typer.echo("What a pattern of [shutoff] protects stays protected.", err=True)


def _the_workspace(
    settings: Settings, store: Store, organizations: Sequence[Chosen], wanted: str, now: datetime
) -> tuple[Chosen, str, str]:
    """The one workspace of that id or name, or that a glob fits alone; exits with 2 where none is, or several are."""
    from notifiers.text import clean
    from watcher.cli.shutoff_asking import situations

    every = [
        (each, ident, name)
        for each, at in situations(settings, store, organizations, now)
        for ident, name in at.keys.workspaces.items()
    ]
    exact = [each for each in every if wanted in {each[1], each[2]}]
    found = exact or [each for each in every if _fits(wanted, each[1], each[2])]
    if len(found) == 1:
        return found[0]
    if not found:
        fail(f"No workspace is called {wanted!a}.", WRONG_USAGE)
    some = "; ".join(f"{clean(name)} ({clean(ident)})" for _, ident, name in found[:_MOST_LISTED])
    return fail(f"{len(found)} workspaces are called {wanted!a}: name one by its id. There are: {some}.", WRONG_USAGE)


def _is_asked_for(row: KeyRow, key: str | None, workspace: str | None, owner: str | None) -> bool:
    return (
        _fits(key, row.key.id, row.key.name)
        and _fits(workspace, row.key.workspace, row.workspace_name)
        and _fits(owner, row.owner or "", row.owner_name, row.owner_email)
    )


def _fits(pattern: str | None, ident: str, *names: str) -> bool:
    """As in a selector: an id letter for letter, a name without regard to case; no pattern fits everything."""
    from fnmatch import fnmatchcase

    if pattern is None:
        return True
    folded = pattern.casefold()
    return ident == pattern or fnmatchcase(ident, pattern) or any(fnmatchcase(n.casefold(), folded) for n in names if n)
