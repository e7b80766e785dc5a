"""Silences for terminals, and as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from notifiers.alert_json import utc_json
from notifiers.text import clean, when
from rules.quiet_requests import WHAT
from rules.quieted import Silence
from watcher.cli.asking import LONGEST_REASON
from watcher.cli.organizations import Chosen
from watcher.lines import print_hanging
from watcher.store.journal import Command, Entry


def silence_json(organization: Chosen, silence: Silence, now: datetime) -> Mapping[str, Any]:
    """One silence; `state` is Alertmanager's: "active", "pending" or "expired"."""
    return {
        "id": silence.id,
        "organization": organization.as_json(),
        "state": state_of(silence, now),
        "matchers": list(map(str, silence.matchers)),
        "starts_at": utc_json(silence.starts_at),
        "ends_at": utc_json(silence.ends_at),
        "author": silence.author,
        "comment": silence.comment,
    }


def state_of(silence: Silence, now: datetime) -> str:
    """ "active", "pending" or "expired"."""
    if silence.holds(now):
        return "active"
    return "expired" if silence.ends_at <= now else "pending"


def show(found: Sequence[tuple[Chosen, Silence]], asked: Sequence[str], now: datetime, *, several: bool) -> None:
    """Print the silences, each with who made it and why, and below them what became of what was `asked`."""
    console = Console()
    if not found:
        console.print("Nothing is silenced.")
    for organization, silence in found:
        lead = Text(f"{silence.id}  {state_of(silence, now):<8}", style="bold")
        where = f"{clean(organization.shown)}, " if several else ""
        begins = f"from {when(silence.starts_at, now)} " if silence.starts_at > now else ""
        until = f"{begins}until {when(silence.ends_at, now)}"
        print_hanging(console, lead, Text(clean(", ".join(map(str, silence.matchers)), LONGEST_REASON)))
        why = f"{where}{until}, by {clean(silence.author)}: {clean(silence.comment, LONGEST_REASON)}"
        print_hanging(console, Text(" " * len(lead)), Text(why, style="dim"))
    for sentence in asked:
        print_hanging(console, Text(""), Text(sentence))


def asked_for(
    waiting: Iterable[Command], done: Iterable[Entry], now: datetime, whats: Collection[str] = WHAT
) -> Iterator[str]:
    """What was asked for and waits for the next cycle, and what of that which is done was refused, and when; acts in
    `whats`."""
    for command in waiting:
        if command.what in whats:
            yield f"Waits for the next cycle: {_request(command)}"
    for entry in done:
        if not entry.details.get("done"):
            why = clean(str(entry.details.get("outcome")).removeprefix("refused: "))
            yield f"Refused {when(entry.at, now)}: {_request(entry)}: {why}"


def _request(each: Command | Entry) -> str:
    details = each.details
    about = details.get("silence") or details.get("alert") or ", ".join(details.get("matchers", ()))
    if "verdict" in details:
        about = f"{about} {details['verdict'] or '--undo'}"
    return f"{each.what} {clean(str(about), LONGEST_REASON)} ({clean(each.actor)})"
