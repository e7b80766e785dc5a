"""What the API answers to this key: a little of every source, asked once, for `watcher check --online`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from watcher.admin_api import AdminApiError, AdminReader, Connection, NotAuthenticated, NotOffered
from watcher.admin_api.endpoints import is_id

_WITHOUT: Mapping[str, str] = {
    "organization": "the organization's name stays unknown",
    "usage": "nothing can be estimated from tokens and no anomaly is seen",
    "cost": "no figure is ever settled: all spend stays an estimate from list prices",
    "workspaces": "workspaces are shown by their ids",
    "api_keys": "keys are shown by their ids",
    "users": "a key's owner stays unknown",
    "invites": "open invitations are not seen",
    "claude_code": "Claude Code use is not told apart by user",
    "spend_limits": "the limits that the provider enforces are not shown",
    "effective_spend_limits": "what members have spent against their limits is not shown",
    "rate_limits": "rate limits are not shown",
    "workspace_rate_limits": "rate limits that workspaces override are not shown",
    "workspace_members": "who works in a workspace stays unknown",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of asking one source, in a sentence."""

    source: str
    state: Literal["answers", "not offered", "failed"]
    sentence: str
    hopeless: bool = False
    """Whether every other source would say the same."""


def ask_sources(connection: Connection, now: datetime) -> Iterator[Answer]:
    """Ask every source for a little, one after the other.

    A failure of one does not keep the next from being asked, unless it is the key or the way that fails: what one
    source says to that, all would say.
    """
    reader = AdminReader(connection)
    hour = now.replace(minute=0, second=0, microsecond=0)
    midnight = hour.replace(hour=0)
    questions: Mapping[str, Callable[[], Any]] = {
        "organization": reader.organization,
        "usage": lambda: reader.usage(hour - timedelta(hours=1), hour),
        "cost": lambda: reader.costs(midnight - timedelta(days=1), midnight),
        "workspaces": reader.workspaces,
        "api_keys": reader.api_keys,
        "users": reader.users,
        "invites": reader.invites,
        "claude_code": lambda: reader.claude_code((midnight - timedelta(days=1)).date()),
        "spend_limits": reader.spend_limits,
        "effective_spend_limits": reader.effective_spend_limits,
        "rate_limits": reader.rate_limits,
        "workspace_rate_limits": lambda: _of_one_workspace(reader, reader.workspace_rate_limits),
        "workspace_members": lambda: _of_one_workspace(reader, reader.workspace_members),
    }
    for source, question in questions.items():
        answer = _ask(source, question)
        yield answer
        if answer.hopeless:
            return


def _of_one_workspace(reader: AdminReader, ask: Callable[[str], Sequence[Any]]) -> Sequence[Any]:
    """What the first workspace answers; nothing where there is none."""
    workspace = next((item.id for item in reader.workspaces() if item.archived_at is None and is_id(item.id)), None)
    return () if workspace is None else ask(workspace)


def _ask(source: str, question: Callable[[], Any]) -> Answer:
    try:
        found = question()
    except NotOffered:
        return Answer(source, "not offered", f"not offered to this key: {_WITHOUT[source]}")
    except AdminApiError as error:
        return Answer(source, "failed", str(error), isinstance(error, NotAuthenticated) or error.status is None)
    if source == "organization":
        return Answer(source, "answers", f'"{found.name}" ({found.id})')
    return Answer(source, "answers", f"{len(found)} in the answer")
