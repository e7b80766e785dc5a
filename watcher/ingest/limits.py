"""What caps spend and traffic: each a source of its own, as many organizations have none of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial

from watcher.ingest.by_workspace import read_members, read_workspace_rate_limits
from watcher.ingest.poll import Poll


def read_limits(poll: Poll, sources: Collection[str]) -> None:
    """Read these of the limits, and of what each workspace is asked for by itself."""
    for source, read in _WHOLE.items():
        if source in sources:
            poll.ask(source, partial(read, poll))
    if "workspace_rate_limits" in sources:
        read_workspace_rate_limits(poll)
    if "workspace_members" in sources:
        read_members(poll)


def _spend_limits(poll: Poll) -> None:
    poll.store.limits.record_spend_limits(poll.organization, poll.reader.spend_limits(), poll.now)


def _member_limits(poll: Poll) -> None:
    poll.store.limits.record_member_limits(poll.organization, poll.reader.effective_spend_limits(), poll.now)


def _rate_limits(poll: Poll) -> None:
    poll.store.limits.record_rate_limits(poll.organization, None, poll.reader.rate_limits(), poll.now)


_WHOLE: Mapping[str, Callable[[Poll], None]] = {
    "spend_limits": _spend_limits,
    "effective_spend_limits": _member_limits,
    "rate_limits": _rate_limits,
}
