"""What the newest cycle of one organization left to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rules.model import Alert, SourceState
from watcher.actions.standing import ShutoffStanding
from watcher.overview import Overview
from watcher.status import Standing


@dataclass(frozen=True, slots=True)
class Board:
    """The figures of one organization at one moment."""

    organization: str = ""
    """Its id; what the configuration calls it as long as that is not known."""
    label: str = ""
    overview: Overview | None = None
    alerts: tuple[Alert, ...] = ()
    sources: tuple[SourceState, ...] = ()
    last_success: datetime | None = None
    """When the last cycle ended in which no source was failing."""
    shutoff: ShutoffStanding | None = None
    """None where the configuration has no [shutoff]."""


def left_over(standing: Standing) -> Board:
    """What an earlier run, or an earlier configuration, left to be shown of an organization."""
    return Board(
        standing.organization or standing.label,
        standing.label,
        standing.overview,
        standing.alerts,
        standing.sources,
        standing.last_success_at,
        standing.shutoff,
    )
