"""Asking the running program for something: a command in the store, which the next cycle carries out.

The cycle is the only writer of judgement and delivery. So whatever a person wants changed there is written down, and
the cycle of each organization that it is for takes it together with its judgement, exactly once.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watcher.cli.context import fail, must_be_text
from watcher.cli.organizations import Chosen

if TYPE_CHECKING:
    from watcher.settings import Settings
    from watcher.store import Store

WRONG_USAGE = 2
LONGEST_REASON = 500

Actor = Annotated[
    str | None, typer.Option("--by", help="Who asks, for the journal. \\[default: the user of this machine]")
]
Why = Annotated[str, typer.Option("--reason", help="Why, for the journal and for whoever looks at it later.")]


def reason_of(text: str) -> str:
    """The reason as it is kept; exits with 2 where there is none, or a whole page."""
    reason = " ".join(must_be_text("--reason", text).split())
    if not reason:
        fail("--reason must not be empty: say why, for whoever looks at it later.", WRONG_USAGE)
    if len(reason) > LONGEST_REASON:
        fail(f"--reason may have {LONGEST_REASON} characters, and this one has {len(reason)}.", WRONG_USAGE)
    return reason


def actor_of(told: str | None) -> str:
    """Who asks: as told, or the user of the operating system."""
    if told is not None and told.strip():
        return " ".join(must_be_text("--by", told).split())[:100]
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in many containers
        return f"user {os.getuid()}"


def ask(
    settings: Settings,
    store: Store,
    what: str,
    asked: Sequence[tuple[Chosen, Mapping[str, Any]]],
    actor: str,
    now: datetime,
) -> list[int]:
    """Ask each organization's next cycle for something, with these details; say on standard error when it comes.

    Returns the numbers of the requests.
    """
    from watcher.config.durations import spell_duration
    from watcher.instance import is_held

    numbers = [store.commands.append(now, actor, what, details, organization.id) for organization, details in asked]
    if is_held(settings.store.url):
        soon = f"the next cycle of the running daemon, within {spell_duration(settings.poll.usage_every)}"
    else:
        soon = "the next `watcher poll` or `watcher run`: no daemon runs on this database"
    several = len(settings.organizations) > 1
    whom = f" in {', '.join(ascii(organization.shown) for organization, _ in asked)}" if several else ""
    typer.echo(f"Asked for{whom}. It is carried out by {soon}.", err=True)
    return numbers
