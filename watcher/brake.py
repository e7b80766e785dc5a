"""What holds every action on keys of an organization: what somebody asked for, or a file that is there."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from rules.policy import NO_BRAKE, Brake

if TYPE_CHECKING:
    from watcher.store import Store

BRAKE = "actions.brake"
"""Under this name the store keeps what somebody asked to hold every action."""
BRAKE_FILE = "actions.brake_file"
"""And under this one, since when there is a file that does."""

_brake = TypeAdapter(Brake)


def remembered_brake(store: Store, organization: str, name: str = BRAKE) -> Brake:
    """What somebody asked to be held, and has not let go; or what the cycle before found of the file."""
    kept = store.cursor.get(name, organization)
    return NO_BRAKE if kept is None else _brake.validate_json(kept)


def as_remembered(brake: Brake) -> str:
    """The text that the store keeps."""
    return _brake.dump_json(brake).decode()


def of_file(file: Path | None, before: Brake, now: datetime) -> Brake:
    """What the file holds: since it was first found, as far as `before` says that."""
    if file is None or not _is_there(file):
        return NO_BRAKE
    return (
        before
        if before.since is not None
        else Brake(since=now, by="the brake file", why=f"there is a file {file.name}")
    )


def in_force(asked: Brake, file: Path | None, now: datetime) -> Brake:
    """What holds: what was asked for, or the file."""
    if asked.holds(now):
        return asked
    return of_file(file, NO_BRAKE, now)


def _is_there(file: Path) -> bool:
    """Whether there is a file; also where that cannot be found out."""
    try:
        return file.exists()
    except OSError:
        return True
