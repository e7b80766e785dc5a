"""What the commands about keys and actions share: whether the configuration allows any of it, which key is meant,
what waits for a cycle and what was refused."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from watcher.cli.asking import LONGEST_REASON, WRONG_USAGE
from watcher.cli.context import fail
from watcher.cli.organizations import Chosen

if TYPE_CHECKING:
    from rules.keys import Key
    from rules.policy import Policy
    from rules.situation import Situation
    from watcher.settings import Settings
    from watcher.store import Command, Entry, Store

SHOWN_REFUSED = timedelta(days=1)
"""So long it is shown what was refused."""
_MOST_LISTED = 8


@dataclass(frozen=True, slots=True)
class Meant:
    """A key that a command is about, and where it is."""

    organization: Chosen
    key: Key
    situation: Situation


def policy_of(settings: Settings, *, acting: bool = False) -> Policy:
    """The policy of the configuration; exits with 1 where there is none, or, of what acts, where it is off."""
    if settings.shutoff is None:
        fail("The configuration has no [shutoff], so no key can be changed: docs/shutoff.md says how to begin.")
    if acting and settings.shutoff.policy.mode == "off":
        fail('[shutoff] has mode = "off", so nothing is done, not even by hand: "dry_run" allows what is by hand.')
    return settings.shutoff.policy


def situations(
    settings: Settings, store: Store, organizations: Sequence[Chosen], now: datetime
) -> Iterator[tuple[Chosen, Situation]]:
    """Keys, journal and protection of each organization, as the next cycle would find them."""
    from watcher.actions.situation import standing_situation

    for each in organizations:
        yield each, standing_situation(store, settings.shutoff, each.id, now)


def the_key(settings: Settings, store: Store, organizations: Sequence[Chosen], wanted: str, now: datetime) -> Meant:
    """The one key of that id or name, or that a glob fits alone; exits with 2 where none is, or several are."""
    from fnmatch import fnmatchcase

    from notifiers.text import clean

    found = list(situations(settings, store, organizations, now))
    every = [Meant(each, key, at) for each, at in found for key in at.keys.by_id.values()]
    folded = wanted.casefold()
    ways = (
        [each for each in every if each.key.id == wanted],
        [each for each in every if each.key.name == wanted],
        [each for each in every if each.key.name.casefold() == folded],
        [each for each in every if fnmatchcase(each.key.id, wanted) or fnmatchcase(each.key.name.casefold(), folded)],
    )
    fitting = next(filter(None, ways), [])
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        fail(f"No key is called {wanted!a}: see `watcher keys`.", WRONG_USAGE)
    some = "; ".join(f"{clean(each.key.name)} ({clean(each.key.id)})" for each in fitting[:_MOST_LISTED])
    more = f" and {len(fitting) - _MOST_LISTED} more" if len(fitting) > _MOST_LISTED else ""
    return fail(f"{len(fitting)} keys are called {wanted!a}: name one by its id. There are: {some}{more}.", WRONG_USAGE)


def asked_for(store: Store, organizations: Iterable[Chosen], whats: Collection[str], now: datetime) -> Iterator[str]:
    """What waits for the next cycle, then what was refused within the last day, and when, a sentence each."""
    from notifiers.text import when

    known = {each.id for each in organizations}
    for ident in known:
        for command in store.commands.pending(ident):
            if command.what in whats:
                yield f"Waits for the next cycle: {_request(command)}."
    for entry in store.journal.list(now - SHOWN_REFUSED, whats=whats):
        if entry.details.get("organization") in known and not entry.details.get("done"):
            yield f"Refused {when(entry.at, now)}: {_request(entry)}: {_outcome(entry)}."


def _outcome(entry: Entry) -> str:
    from notifiers.text import clean

    return clean(str(entry.details.get("outcome")).removeprefix("refused: "), LONGEST_REASON).removesuffix(".")


def _request(each: Command | Entry) -> str:
    from notifiers.text import clean

    details = each.details
    about = details.get("action") or details.get("name") or details.get("key") or details.get("id") or ""
    why = details.get("reason") or details.get("comment") or ""
    return (
        f"{each.what} {clean(str(about))} ({clean(each.actor)}{f': {clean(str(why), LONGEST_REASON)}' if why else ''})"
        if about
        else f"{each.what} ({clean(each.actor)}{f': {clean(str(why), LONGEST_REASON)}' if why else ''})"
    )
