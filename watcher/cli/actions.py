"""`watcher actions`: the journal of what is done to keys, approving and denying, the brake, and the drill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watcher.cli.asking import WRONG_USAGE, Actor, actor_of, ask, reason_of
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
    from rules.actions import Action
    from watcher.settings import Settings
    from watcher.store import Store

_LEAST_OF_AN_ID = 4
LONGEST_PAUSE = timedelta(days=366)
SPENDING = timedelta(days=7)
"""A key that has spent within so long is no test key."""

Id = Annotated[str, typer.Argument(help="Its id, as `watcher actions` shows it, or the beginning of it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; needed where there is no terminal to ask on.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the journal.")]

group = typer.Typer()


def register(app: typer.Typer) -> None:
    """Add this group."""
    for command in (show, approve, deny, pause, resume, drill):
        group.command(command.__name__)(command)
    app.add_typer(group, name="actions")


@group.callback(invoke_without_command=True)
def actions(
    context: typer.Context,
    config: ConfigFile = DEFAULT_CONFIG,
    only: OnlyOrganization = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what still waits or is under way.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="How many are shown, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the journal of actions on keys, refused ones included, the newest first.

    Below it what was asked for and waits for a cycle, or was refused within the last day.
    """
    if context.invoked_subcommand is not None:
        nothing_before(context)
        return
    from notifiers.action_json import action_json
    from rules.action_requests import WHAT
    from watcher.actions.situation import standing_situation
    from watcher.cli.actions_table import show_journal
    from watcher.cli.shutoff_asking import asked_for

    settings = load_settings(config)
    now = clock_for(settings).now()
    with open_store(settings) as store:
        concerned = chosen(settings, store, only)
        found = sorted(
            (row for each in concerned for row in store.actions.all(each.id) if row.open or not waiting),
            key=lambda row: (row.created_at, row.updated_at, row.id),
            reverse=True,
        )
        asked = [] if as_json else list(asked_for(store, concerned, WHAT, now))
        brakes = [standing_situation(store, settings.shutoff, each.id, now).brake for each in concerned]
    if as_json:
        print_json([action_json(row) for row in found])
        return
    held = next((brake.words for brake in brakes if brake.holds(now)), "")
    show_journal(found, most, asked, held, settings, now)


def show(ident: Id, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show one decision in words: what it rests on, what it waits for, every step, and how to undo it."""
    from notifiers.action_json import action_json
    from watcher.cli.actions_table import show_one

    settings = load_settings(config)
    now = clock_for(settings).now()
    with open_store(settings) as store:
        _, row = _the_row(settings, store, ident)
    if as_json:
        print_json(action_json(row))
    else:
        show_one(row, now, _config_option(config))


def approve(ident: Id, yes: Yes = False, by: Actor = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Approve one decision as it stands now; what changes of it before the next cycle is not approved with it.

    Shows what would be done, and asks for the key's name on a terminal.
    """
    from rules.action_requests import APPROVE
    from rules.actions import ActionState
    from watcher.cli.actions_table import show_one
    from watcher.cli.confirming import must_type
    from watcher.cli.shutoff_asking import policy_of

    settings = load_settings(config)
    policy, now, actor = policy_of(settings, acting=True), clock_for(settings).now(), actor_of(by)
    with open_store(settings, read_only=False) as store:
        organization, row = _the_row(settings, store, ident, waiting=True)
        if policy.approvers and actor not in policy.approvers:
            fail(f"{actor!a} is not among the approvers in [shutoff]: say who you are with --by.", WRONG_USAGE)
        if row.state is not ActionState.PROPOSED:
            fail(f"{row.by!a} has approved it already: see `watcher actions show {row.id}`.", WRONG_USAGE)
        if row.mode == "dry_run":
            fail("It was decided as a dry run, so there is nothing to approve: [shutoff] has the mode.", WRONG_USAGE)
        show_one(row, now, _config_option(config), err=True)
        must_type(row.key_name, row.key, f"{row.what} it", yes=yes)
        details = {"action": row.id, "digest": row.digest}
        ask(settings, store, APPROVE, [(organization, details)], actor, now)


def deny(
    ident: Id, reason: Reason = "", yes: Yes = False, by: Actor = None, config: ConfigFile = DEFAULT_CONFIG
) -> None:
    """Say no to one decision: the key stays as it is, and the same cause is never asked about again."""
    from rules.action_requests import DENY
    from watcher.cli.actions_table import show_one
    from watcher.cli.confirming import must_agree
    from watcher.cli.shutoff_asking import policy_of

    settings = load_settings(config)
    policy, now, actor = policy_of(settings), clock_for(settings).now(), actor_of(by)
    with open_store(settings, read_only=False) as store:
        organization, row = _the_row(settings, store, ident, waiting=True)
        if policy.approvers and actor not in policy.approvers:
            fail(f"{actor!a} is not among the approvers in [shutoff]: say who you are with --by.", WRONG_USAGE)
        show_one(row, now, _config_option(config), err=True)
        must_agree("Say no to it for good", yes=yes)
        details = {"action": row.id, "comment": reason_of(reason) if reason else ""}
        ask(settings, store, DENY, [(organization, details)], actor, now)


def pause(
    length: Annotated[
        str | None, typer.Option("--for", help="How long, such as 2h. \\[default: until `watcher actions resume`]")
    ] = None,
    reason: Reason = "",
    by: Actor = None,
    only: OnlyOrganization = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Hold every action, from now on: nothing is sent any more, by policy or by hand, until it is let go."""
    from rules.action_requests import PAUSE
    from watcher.cli.shutoff_asking import policy_of

    settings = load_settings(config)
    policy_of(settings)
    now = clock_for(settings).now()
    ends = None if length is None else now + _length(length)
    details = {"comment": reason_of(reason) if reason else ""} | ({"until": ends.isoformat()} if ends else {})
    _ask_all(settings, PAUSE, details, only, by, now)
    typer.echo("What is under way asks for this before each write, so nothing is begun from this moment on.", err=True)


def resume(
    reason: Reason = "", by: Actor = None, only: OnlyOrganization = None, config: ConfigFile = DEFAULT_CONFIG
) -> None:
    """Let actions go on. What was proposed meanwhile waits its whole grace again."""
    from rules.action_requests import RESUME
    from watcher.cli.shutoff_asking import policy_of

    settings = load_settings(config)
    policy_of(settings)
    details = {"comment": reason_of(reason) if reason else ""}
    _ask_all(settings, RESUME, details, only, by, clock_for(settings).now())
    file = None if settings.shutoff is None else settings.shutoff.brake_file
    if file is not None and file.exists():
        typer.echo(f"The brake file {file} still holds every action: remove it too.", err=True)


def drill(
    key: Annotated[str, typer.Argument(help="A test key: its id, its name, or a glob that fits it alone.")],
    *,
    spending: Annotated[bool, typer.Option("--spending", help="Also one that has spent in the last 7 days.")] = False,
    reason: Reason = "a drill",
    yes: Yes = False,
    by: Actor = None,
    only: OnlyOrganization = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Run the whole path on one test key: it is deactivated, read back, and turned on again by the cycle after.

    Done in every mode but "off", so under "dry_run", too.
    """
    from rules.action_requests import DRILL
    from rules.money import display_usd
    from watcher.cli.confirming import must_type
    from watcher.cli.keys import must_be_changeable
    from watcher.cli.shutoff_asking import policy_of, the_key
    from watcher.keys.report import spent_since

    settings = load_settings(config)
    policy_of(settings, acting=True)
    now = clock_for(settings).now()
    with open_store(settings, read_only=False) as store:
        meant = the_key(settings, store, chosen(settings, store, only), key, now)
        must_be_changeable(meant, "deactivate", now)
        spent = spent_since(store, settings.prices, meant.organization.id, meant.key.id, now - SPENDING, now)
        if spent and not spending:
            fail(f"{meant.key.name!a} has spent {display_usd(spent)} in the last 7 days: --spending if it is meant.", 2)
        must_type(meant.key.name, meant.key.id, "turn it off and on again", yes=yes)
        details = {"key": meant.key.id, "name": meant.key.name, "reason": reason_of(reason)}
        ask(settings, store, DRILL, [(meant.organization, details)], actor_of(by), now)


def nothing_before(context: typer.Context) -> None:
    """Exit with 2 where options stand before the name of a subcommand, which they would not reach."""
    given = [name for name in context.params if str(context.get_parameter_source(name)).endswith("COMMANDLINE")]
    if given:
        place = f"watcher {context.info_name} {context.invoked_subcommand}"
        fail(f"Options stand after the name of the subcommand, as in `{place} -c FILE`.", WRONG_USAGE)


def _the_row(settings: Settings, store: Store, wanted: str, *, waiting: bool = False) -> tuple[Chosen, Action]:
    """The decision of that id, or whose id alone begins so; exits with 2 where there is none, or several."""
    from rules.actions import WAITING

    rows = [(each, row) for each in chosen(settings, store, None) for row in store.actions.all(each.id)]
    found = [pair for pair in rows if pair[1].id == wanted]
    if not found and len(wanted) >= _LEAST_OF_AN_ID:
        found = [pair for pair in rows if pair[1].id.startswith(wanted)]
    if len(found) != 1:
        which = "Several actions have an id that begins" if found else "No action has an id that begins"
        fail(f"{which} with {wanted!a}: see `watcher actions`.", WRONG_USAGE)
    row = found[0][1]
    if waiting and row.state not in WAITING:
        fail(f"It does not wait any more: it is {row.state.value}. See `watcher actions show {row.id}`.", WRONG_USAGE)
    return found[0]


def _ask_all(
    settings: Settings, what: str, details: Mapping[str, Any], only: str | None, by: str | None, now: datetime
) -> None:
    with open_store(settings, read_only=False) as store:
        concerned: Sequence[Chosen] = chosen(settings, store, only)
        ask(settings, store, what, [(each, details) for each in concerned], actor_of(by), now)


def _length(text: str) -> timedelta:
    from watcher.config.durations import parse_duration
    from watcher.config.problems import Wrong

    try:
        found = parse_duration(text.strip())
    except (Wrong, OverflowError):
        fail(f'--for must be a duration such as "2h", not {text!a}.', WRONG_USAGE)
    if not timedelta(0) < found <= LONGEST_PAUSE:
        fail(f"--for must be more than nothing and at most {LONGEST_PAUSE.days}d, not {text!a}.", WRONG_USAGE)
    return found


def _config_option(config: Path) -> str:
    """As it has to stand in a command that is shown."""
    import shlex

    return "" if config == DEFAULT_CONFIG else f" -c {shlex.quote(str(config))}"
