"""What `watcher check` finds out about shutoff: whose the action key is, and which patterns protect nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from rules.keys import Key, Keys
from rules.model import DEFAULT_WORKSPACE
from rules.policy import Protect
from rules.protection import idle
from watcher.actions.situation import standing_situation
from watcher.admin_api import AdminApiError, AdminReader, Connection
from watcher.online import Answer
from watcher.settings import ShutoffSettings
from watcher.store import Store

SOURCE = "action key"
NOT_TRIED = "whether it may change one was not tried, as no write is harmless: `watcher actions drill` tries it"


def ask_action_key(connection: Connection, organization: str | None) -> Answer:
    """Whether the key that keys are changed with reads the keys of the same organization; nothing is written.

    `organization` is the id that the reading key told; None where it told none.
    """
    reader = AdminReader(connection)
    try:
        found = reader.organization()
        keys = reader.api_keys()
    except AdminApiError as error:
        return Answer(SOURCE, "failed", str(error))
    if organization is not None and found.id != organization:
        why = f'is of another organization, "{found.name}" ({found.id}): it would change no key of this one'
        return Answer(SOURCE, "failed", why)
    whose = "this organization" if organization is not None else f'"{found.name}" ({found.id})'
    return Answer(SOURCE, "answers", f"lists {len(keys)} keys of {whose}; {NOT_TRIED}")


def idle_by_answers(protect: Protect, answers: Iterable[Answer], now: datetime) -> tuple[str, ...] | None:
    """The patterns that fit nothing of what the API listed; None where it did not list both keys and workspaces."""
    listed = {answer.source: answer.items for answer in answers if answer.state == "answers"}
    if not {"api_keys", "workspaces"} <= listed.keys():
        return None
    keys = Keys(
        by_id={
            each.id: Key(each.id, each.name, each.workspace_id or DEFAULT_WORKSPACE, each.status, now)
            for each in listed["api_keys"]
        },
        workspaces={DEFAULT_WORKSPACE: "default", **{each.id: each.name for each in listed["workspaces"]}},
        tags={each.id: each.tags for each in listed["workspaces"]},
    )
    return idle(protect, keys, {})


def idle_by_store(shutoff: ShutoffSettings, store: Store, now: datetime) -> Iterator[tuple[str, ...]]:
    """Of each organization that was read, the patterns that fit nothing of it and never did. Raises StoreError."""
    for bound in store.organizations.all():
        at = standing_situation(store, shutoff, bound.id, now)
        if at.keys.by_id:
            yield idle(shutoff.policy.protect, at.keys, at.protections)


def idle_words(found: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """A sentence for each pattern that is idle everywhere."""
    everywhere = set(found[0]).intersection(*found[1:]) if found else set()
    for pattern in sorted(everywhere):
        yield f"shutoff.{pattern} fits nothing that is there, so it protects nothing: is it written as keys are called?"
