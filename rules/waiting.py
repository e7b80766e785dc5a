"""What of the messages that wait for one receiver is tried now, and what becomes fewer messages meanwhile. Pure.

A receiver that says no, or cannot be reached, has taken nothing: what waits for it is put together, and tried. One that
fails in any other way (no answer, an error of its own) may have taken what was tried, so that this keeps its id and is
tried again as it is. To keep that one message, and not each that comes, what has not been tried waits behind it, and is
put together once several tries have failed. As soon as the receiver takes anything, everything goes on.

It may be that what fails is the message and not the receiver. So a message is not believed to stand for its receiver
once another was taken after it failed; where the failure itself points to the message, a second one must fail as well;
and none holds up the others for longer than `HELD_UP`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HELD_UP = timedelta(hours=8)
"""Longer than a night's outage; after it, what waits is tried beside what failed."""
SEVERAL = 3
"""Tries of a message that failed, before what waits behind it is put together."""
LONGEST_WAIT = timedelta(hours=1)
"""Between two tries."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is not delivered yet."""

    id: str
    alerts: frozenset[str]
    """The ids of all that it tells of."""
    due_at: datetime
    attempts: int = 0
    """Tries that failed."""
    tried_at: datetime | None = None
    """When the last of them was."""
    in_doubt: bool = False
    """Whether the receiver may have taken it."""
    failing_since: datetime | None = None
    """Since when it stands for a receiver that fails; None where it does not."""
    written_at: datetime | None = None
    """When it was decided."""
    ends: bool = False
    """Whether it tells that its alerts ended."""


def due(rows: Sequence[Waiting], now: datetime) -> tuple[str, ...]:
    """The ids of what may be sent to a receiver now, of all that waits for it, in order.

    No message overtakes an earlier one about the same alert: while that waits for its next try, so does the later one.
    So an answer never holds two messages of one alert; ask again once it was worked off, until it is empty.
    """
    holding = _holding(rows, now)
    probe = _probe(rows, holding, now)
    held: set[str] = set()
    ready: list[str] = []
    for row in rows:
        may = row.in_doubt if holding else True
        if may and not row.alerts & held and (row.id == probe or _is_due(row, now)):
            ready.append(row.id)
        held |= row.alerts
    return tuple(ready)


def together(rows: Sequence[Waiting], now: datetime) -> Iterator[tuple[str, ...]]:
    """The ids of messages that may become fewer, each time those of one kind, in order.

    None of them may have been taken, and all are about alerts. Those that must wait for one in doubt, because it tells
    of the same alert, are one kind; all others are another.
    """
    holding = _holding(rows, now)
    loose = [row for row in rows if row.alerts and not row.in_doubt]
    refused = any(row.attempts for row in loose) and any(_is_due(row, now) for row in loose)
    if not refused and not any(row.attempts >= SEVERAL for row in holding):
        return
    behind = _behind(rows)
    said = {alert for row in rows if row.in_doubt and not row.ends for alert in row.alerts}
    for kind in ([row for row in loose if row.id not in behind], [row for row in loose if row.id in behind]):
        if _may_be_fewer(kind, said):
            yield tuple(row.id for row in kind)


def _may_be_fewer(rows: Sequence[Waiting], said: set[str]) -> bool:
    """Whether there are several of a sort, or what one says is superseded; `said` is what goes out before."""
    fires = [row for row in rows if not row.ends]
    ends = [row for row in rows if row.ends]
    over = {alert for row in ends for alert in row.alerts}
    superseded = any(row.alerts & over or row.alerts <= said for row in fires)
    return len(fires) > 1 or len(ends) > 1 or superseded


def _is_due(row: Waiting, now: datetime) -> bool:
    """A time that cannot be, because the clock was set back meanwhile, holds nothing up."""
    if row.tried_at is None:
        return True
    return row.due_at <= now or row.tried_at > now or row.due_at > now + LONGEST_WAIT


def _holding(rows: Sequence[Waiting], now: datetime) -> list[Waiting]:
    """Those that what was never tried waits behind; none once they have failed for too long."""
    failing = [row for row in rows if row.failing_since is not None and row.in_doubt]
    since = max((row.failing_since for row in failing if row.failing_since is not None), default=None)
    return failing if since is not None and now < since + HELD_UP else []


def _probe(rows: Sequence[Waiting], holding: Sequence[Waiting], now: datetime) -> str | None:
    """What is tried before its time, because something new waits behind it: the receiver may be well again."""
    if not holding:
        return None
    tried = max(row.tried_at for row in holding if row.tried_at is not None)
    new = any(row.written_at is not None and tried < row.written_at <= now for row in rows if not row.in_doubt)
    return holding[0].id if new else None


def _behind(rows: Sequence[Waiting]) -> set[str]:
    """The ids of what tells of an alert that something in doubt tells of, or something that must wait itself."""
    held = {alert for row in rows if row.in_doubt for alert in row.alerts}
    behind: set[str] = set()
    while more := {row.id for row in rows if not row.in_doubt and row.id not in behind and row.alerts & held}:
        behind |= more
        held |= {alert for row in rows if row.id in more for alert in row.alerts}
    return behind
