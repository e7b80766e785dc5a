"""What each workspace has to be asked for by itself: its members, and the rate limits that it overrides.

That is a request a workspace. So only a few workspaces are asked at a poll, those asked longest ago first, and each at
most once an hour; archived ones never.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from watcher.admin_api.endpoints import is_id
from watcher.admin_api.errors import AdminApiError, BadRequest, Malformed, NotOffered
from watcher.ingest.poll import Poll
from watcher.store import Lookup

WORKSPACES_A_POLL = 10
"""How many workspaces are asked at one poll."""
WORKSPACE_EVERY = timedelta(hours=1)
REFUSED_EVERY = timedelta(days=1)
"""How often a workspace that the API does not answer for is asked about again."""
ENOUGH = 2
"""So many workspaces that are refused, and none that is answered, say that the source is not offered at all."""

_NEVER = datetime.min.replace(tzinfo=UTC)


def read_members(poll: Poll) -> None:
    """Ask who works in the workspaces that are due."""

    def read(workspace: str) -> None:
        members = poll.reader.workspace_members(workspace)
        poll.store.directory.record_workspace_members(poll.organization, workspace, members, poll.now)

    _ask_workspaces(poll, "workspace_members", read)


def read_workspace_rate_limits(poll: Poll) -> None:
    """Ask what the workspaces that are due override of the organization's rate limits."""

    def read(workspace: str) -> None:
        limits = poll.reader.workspace_rate_limits(workspace)
        poll.store.limits.record_rate_limits(poll.organization, workspace, limits, poll.now)

    _ask_workspaces(poll, "workspace_rate_limits", read)


def due_workspaces(
    workspaces: Sequence[str], asked: Mapping[str, Lookup], now: datetime, at_most: int = WORKSPACES_A_POLL
) -> list[str]:
    """Those to ask now, the one asked longest ago first. Pure.

    One that did not answer is asked again at every poll, after the others, so that it cannot keep them away; of such
    there are at most half of the round.
    """

    def last_asked(workspace: str) -> tuple[datetime, str]:
        return (asked[workspace].asked_at if workspace in asked else _NEVER), workspace

    def is_due(workspace: str) -> bool:
        known = asked.get(workspace)
        if known is None:
            return True
        every = WORKSPACE_EVERY if known.found else REFUSED_EVERY
        return not timedelta(0) <= now - known.asked_at < every - timedelta(seconds=30)

    in_order = sorted(workspaces, key=last_asked)
    unanswered = [each for each in in_order if each in asked and asked[each].found is None][: at_most // 2]
    due = [each for each in in_order if each not in unanswered and is_due(each)]
    return [*due[: at_most - len(unanswered)], *unanswered]


def _ask_workspaces(poll: Poll, source: str, read: Callable[[str], None]) -> None:
    listed = poll.store.directory.workspaces(poll.organization)
    workspaces = [item.id for item in listed if item.archived_at is None and is_id(item.id)]
    state = poll.store.sources.get(poll.organization, source)
    asked = {} if state.offered is False else poll.store.lookups.all(poll.organization, source)
    until = state.last_attempt_at
    # What was asked after the source's state was last kept is of a poll that was cut off: nobody has heard of it.
    known = {ident: each for ident, each in asked.items() if until is not None and each.asked_at <= until}
    due = due_workspaces(workspaces, known, poll.now)
    if due:
        spare = [workspace for workspace in workspaces if workspace not in due]
        poll.ask(source, partial(_Round(poll, source, read).go, due, spare))


class _Round:
    """The workspaces asked at one poll; one whose answer cannot be used does not keep the next from being asked."""

    def __init__(self, poll: Poll, source: str, read: Callable[[str], None]) -> None:
        self._poll, self._source, self._read = poll, source, read
        self._answered = False
        self._refusals: list[NotOffered] = []
        self._unusable: AdminApiError | None = None

    def go(self, due: Sequence[str], spare: Sequence[str]) -> None:
        """Ask those that are due, and some to spare where that leaves open what a refusal is about.

        It may be about one workspace, or about the source. Raises what the round says of the source, if nothing good.
        """
        for workspace in due:
            if not self._is_refused:
                self._ask(workspace)
        for workspace in spare:
            if self._refusals and not (self._answered or self._is_refused or self._unusable):
                self._ask(workspace)
        if self._unusable is not None:
            raise self._unusable
        if self._refusals and not self._answered:
            raise self._refusals[-1]

    @property
    def _is_refused(self) -> bool:
        return not self._answered and len(self._refusals) >= ENOUGH

    def _ask(self, workspace: str) -> None:
        found: bool | None = None
        try:
            self._read(workspace)
            self._answered = found = True
        except NotOffered as refusal:
            found = False
            self._refusals.append(refusal)
        except (BadRequest, Malformed) as error:
            self._unusable = self._unusable or error
        finally:
            self._poll.store.lookups.note(self._poll.organization, self._source, workspace, self._poll.now, found=found)
