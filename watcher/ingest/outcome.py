"""What becomes of a source's state when it was read, when it failed, and when it is not offered. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from rules.model import SourceState
from watcher.admin_api.errors import AdminApiError


def succeeded(state: SourceState, now: datetime) -> SourceState:
    """The source answered: what failed before is over."""
    return replace(state, offered=True, last_attempt_at=now, last_success_at=now, failing_since=None, failure=None)


def failed(state: SourceState, error: AdminApiError, now: datetime) -> SourceState:
    """The source did not answer as it should; since when it fails is kept over further failures.

    One that was never offered stays absent: that nobody could ask whether it is by now is nobody's loss.
    """
    if state.offered is False and state.last_success_at is None:
        return replace(state, last_attempt_at=now)
    return replace(
        state,
        last_attempt_at=now,
        failing_since=state.failing_since or now,
        failure=str(error),
    )


def not_offered(state: SourceState, error: AdminApiError, now: datetime) -> SourceState:
    """The source answered 403 or 404. That is absence, and not a failure, unless it has been there before."""
    if state.last_success_at is None:
        return replace(state, offered=False, last_attempt_at=now, failing_since=None, failure=None)
    return replace(failed(state, error, now), offered=False)
