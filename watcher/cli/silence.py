"""`watcher silence add`, `list`, `expire`, and `watcher ack`: nothing is sent of some alerts, somebody takes one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from watcher.cli.asking import LONGEST_REASON, WRONG_USAGE, Actor, actor_of, ask
from watcher.cli.context import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    clock_for,
    fail,
    load_settings,
    must_be_text,
    open_store,
    print_json,
)
from watcher.cli.organizations import Chosen, OnlyOrganization, chosen

if TYPE_CHECKING:
    from rules.matchers import Matcher
    from rules.model import Alert
    from rules.quieted import Silence
    from watcher.store import Store

Matches = Annotated[
    list[str], typer.Option("--match", help="A label that it is about, as 'workspace=~\"dev-.*\"'; all must hold.")
]
_LEAST_OF_AN_ID = 4
SHOWN_REFUSED = timedelta(days=1)
"""So long `watcher silence list` shows what was refused."""


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    group = typer.Typer(no_args_is_help=True, help="Let nothing be sent of some alerts for a while.")
    group.command("add")(add)
    group.command("list")(list_silences)
    group.command("expire")(expire)
    app.add_typer(group, name="silence")
    app.command("ack")(ack)


def add(
    *,
    match: Matches,
    length: Annotated[str, typer.Option("--for", help="How long, as 2h or 3d.")],
    comment: Annotated[str, typer.Option(help="Why, for whoever looks at it later.")],
    starts: Annotated[
        str | None, typer.Option(help="A date or ISO time (UTC), or a duration from now. \\[default: now]")
    ] = None,
    by: Actor = None,
    only: OnlyOrganization = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Send nothing of the alerts that meet all matchers for a while; print the silence's id.

    They stay listed. What still fires when it ends, and was not told, is told then.
    """
    from rules.quiet_requests import ADD, LONGEST, silence_id
    from rules.quieted import Silence

    settings = load_settings(config)
    now = clock_for(settings).now()
    begins = now if starts is None else _begins(starts, now)
    lasts = _duration(length, "--for")
    if not timedelta(0) < lasts <= LONGEST:
        fail(f"--for must be more than nothing and at most {LONGEST.days}d, not {length!a}.", WRONG_USAGE)
    matchers, why, actor = _matchers(match), _comment(comment), actor_of(by)
    if begins + lasts <= now:
        fail(f"--for must end in the future: {begins + lasts:%Y-%m-%d %H:%M} UTC does not.", WRONG_USAGE)
    if not why:
        fail("--comment must not be empty: say why, for whoever looks at it later.", WRONG_USAGE)
    details = {
        "matchers": list(map(str, matchers)),
        "starts_at": begins.isoformat(),
        "ends_at": (begins + lasts).isoformat(),
        "comment": why,
    }
    with open_store(settings, read_only=False) as store:
        concerned = chosen(settings, store, only)
        numbers = ask(settings, store, ADD, [(each, details) for each in concerned], actor, now)
        for each, number in zip(concerned, numbers, strict=True):
            ident = silence_id(number, now, actor)
            typer.echo(ident)
            _say_what(store, each, Silence(ident, matchers, begins, begins + lasts, actor, why))


def list_silences(
    config: ConfigFile = DEFAULT_CONFIG,
    ended: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    only: OnlyOrganization = None,
    as_json: AsJson = False,
) -> None:
    """List the silences in force and to come, the next to end first.

    Below them what was asked for and waits for a cycle, or was refused within the last day.
    """
    from rules.quiet_requests import WHAT
    from watcher.cli.silence_table import asked_for, show, silence_json

    settings = load_settings(config)
    now = clock_for(settings).now()
    with open_store(settings) as store:
        concerned = chosen(settings, store, only)
        found = [
            (each, silence)
            for each in concerned
            for silence in (store.silences.all(each.id) if ended else store.silences.open(each.id, now))
        ]
        done = [
            entry
            for entry in store.journal.list(now - SHOWN_REFUSED, whats=WHAT)
            if entry.details.get("organization") in {each.id for each in concerned}
        ]
        asked = list(asked_for((one for each in concerned for one in store.commands.pending(each.id)), done, now))
    if as_json:
        print_json([silence_json(each, silence, now) for each, silence in found])
    else:
        show(found, asked, now, several=len(settings.organizations) > 1)


def expire(
    silence: Annotated[str, typer.Argument(help="Its id, as `watcher silence list` shows it.")],
    by: Actor = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """End a silence now: what still fires and was not told is told by the next cycle."""
    from rules.quiet_requests import EXPIRE

    settings = load_settings(config)
    now = clock_for(settings).now()
    with open_store(settings, read_only=False) as store:
        concerned = chosen(settings, store, None)
        having = [each for each in concerned if any(one.id == silence for one in store.silences.open(each.id, now))]
        if not having:
            fail(f"No silence {silence!a} is in force or to come: see `watcher silence list`.", WRONG_USAGE)
        ask(settings, store, EXPIRE, [(having[0], {"silence": silence})], actor_of(by), now)


def ack(
    alert: Annotated[str, typer.Argument(help="Its id, as `watcher alerts` shows it, or its first characters.")],
    comment: Annotated[str, typer.Option(help="What is being done, for whoever looks at it.")] = "",
    by: Actor = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Note that somebody takes an alert: it is shown with it until it ends."""
    from rules.quiet_requests import ACKNOWLEDGE

    settings = load_settings(config)
    now = clock_for(settings).now()
    with open_store(settings, read_only=False) as store:
        concerned = {each.id: each for each in chosen(settings, store, None)}
        taken = _alert(alert, [one for one in store.alerts.open() if one.subject.scope.organization in concerned])
        details = {"alert": taken.id, "comment": _comment(comment)}
        ask(settings, store, ACKNOWLEDGE, [(concerned[taken.subject.scope.organization], details)], actor_of(by), now)


def _alert(wanted: str, alerts: Sequence[Alert]) -> Alert:
    """The open alert of that id, or whose id alone begins so; exits with 2 where there is none, or several."""
    found = [alert for alert in alerts if alert.id == wanted]
    if not found and len(wanted) >= _LEAST_OF_AN_ID:
        found = [alert for alert in alerts if alert.id.startswith(wanted)]
    if len(found) != 1:
        which = "Several open alerts have an id that begins" if found else "No open alert has an id that begins"
        fail(f"{which} with {wanted!a}: see `watcher alerts`.", WRONG_USAGE)
    return found[0]


def _say_what(store: Store, organization: Chosen, silence: Silence) -> None:
    """How many of the alerts that are open now it is about."""
    from rules.quiet import matched

    called = (organization.name, organization.label)
    about = matched(silence, store.alerts.open(organization.id), store.directory.names(organization.id), called)
    alerts = "1 open alert" if len(about) == 1 else f"{len(about)} open alerts"
    typer.echo(f"At present it is about {alerts}.", err=True)


def _matchers(texts: Sequence[str]) -> tuple[Matcher, ...]:
    from watcher.config.problems import Wrong
    from watcher.config.route_values import matcher

    found = []
    for text in texts:
        try:
            found.append(matcher(must_be_text("--match", text)))
        except Wrong as wrong:
            fail(f"--match {text!a} {wrong}.", WRONG_USAGE)
    return tuple(found)


def _comment(text: str) -> str:
    comment = " ".join(must_be_text("--comment", text).split())
    if len(comment) > LONGEST_REASON:
        fail(f"--comment may have {LONGEST_REASON} characters, and this one has {len(comment)}.", WRONG_USAGE)
    return comment


def _begins(text: str, now: datetime) -> datetime:
    """When a silence begins; exits with 2 for what is no moment, or lies more than a year away."""
    from rules.quiet_requests import LONGEST

    try:
        try:
            moment = datetime.fromisoformat(text.strip())
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except ValueError:
            moment = now + _duration(text, "--starts")
        if abs(moment - now) <= LONGEST:
            return moment
    except OverflowError:
        pass
    return fail(f"--starts must lie within {LONGEST.days} days, and {text!a} does not.", WRONG_USAGE)


def _duration(text: str, option: str) -> timedelta:
    from watcher.config.durations import parse_duration
    from watcher.config.problems import Wrong

    try:
        return parse_duration(text.strip())
    except (Wrong, OverflowError) as error:
        return _no_duration(option, text, error)


def _no_duration(option: str, text: str, _error: Any) -> NoReturn:
    other = ' or an ISO time such as "2026-12-01T09:00Z"' if option == "--starts" else ""
    fail(f'{option} must be a duration such as "2h"{other}, not {text!a}.', WRONG_USAGE)
