"""What the API answers to this key: a little of every source, asked once, for `watcher check --online`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from watcher.admin_api import AdminApiError, AdminReader, Connection, NotAuthenticated, NotOffered
from watcher.admin_api.endpoints import is_id
from watcher.missing import lost_without

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of asking one source, in a sentence."""

    source: str
    state: Literal["answers", "not offered", "failed"]
    sentence: str
    hopeless: bool = False
    """Whether every other source would say the same."""
    organization: str | None = None
    """The id of the organization, where it was asked for and told."""
    name: str = ""
    """Its name."""
    items: Sequence[Any] = ()
    """What was in the answer, of sources that list things."""


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
        # Before what they stand in for, so that it can be said what is lost; of an hour that is sure to be told.
        "analytics_usage": lambda: reader.analytics_usage(hour - 25 * HOUR, hour - 24 * HOUR, now=now).rows,
        "analytics_cost": lambda: reader.analytics_cost(hour - 25 * HOUR, hour - 24 * HOUR, now=now).rows,
        "usage": lambda: reader.usage(hour - HOUR, hour),
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
    there: set[str] = set()
    for source, question in questions.items():
        answer = _ask(source, question, there)
        if answer.state == "answers":
            there.add(source)
        yield answer
        if answer.hopeless:
            return


def _of_one_workspace(reader: AdminReader, ask: Callable[[str], Sequence[Any]]) -> Sequence[Any]:
    """What the first workspace answers; nothing where there is none."""
    workspace = next((item.id for item in reader.workspaces() if item.archived_at is None and is_id(item.id)), None)
    return () if workspace is None else ask(workspace)


def _ask(source: str, question: Callable[[], Any], there: Collection[str]) -> Answer:
    try:
        found = question()
    except NotOffered:
        return Answer(source, "not offered", f"not offered to this key: {lost_without(source, there)}")
    except AdminApiError as error:
        return Answer(source, "failed", str(error), isinstance(error, NotAuthenticated) or error.status is None)
    if source == "organization":
        return Answer(source, "answers", f'"{found.name}" ({found.id})', organization=found.id, name=found.name)
    return Answer(source, "answers", f"{len(found)} in the answer", items=found)
