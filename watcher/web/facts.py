"""Where the pages have their figures from: the store, the configuration in force, and what the newest cycles kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from watcher.cli.organizations import Chosen
from watcher.clock import Clock
from watcher.cycle import Looked
from watcher.daemon import Daemon
from watcher.settings import Settings
from watcher.status import Status, read_status
from watcher.store import Store
from watcher.web.course import Courses


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything is asked for anew by each request, as a reload may have replaced it."""

    store: Store
    now: Callable[[], datetime]
    settings: Callable[[], Settings]
    looked: Callable[[], Mapping[str, Looked]]
    """By label, of the organizations that had a cycle since the program began."""
    status: Callable[[], Status]
    courses: Courses = field(default_factory=Courses)

    @classmethod
    def of(cls, daemon: Daemon, store: Store, clock: Clock, courses: Courses) -> Self:
        """Those of a running daemon; `courses` may learn from its outcomes as they come."""
        return cls(
            store,
            clock.now,
            lambda: daemon.settings,
            lambda: daemon.looked,
            lambda: read_status(store, clock.now(), daemon.receivers, daemon.labels, daemon.shutoff),
            courses,
        )


@dataclass(frozen=True, slots=True)
class Place:
    """One organization as the pages are about it."""

    label: str
    """What the configuration calls it; "" where it stands alone."""
    labels: tuple[str, ...]
    """All that are configured."""
    id: str | None
    """None as long as its key has never been asked."""
    name: str
    looked: Looked | None
    """None until its first cycle since the program began has ended."""

    @property
    def chosen(self) -> Chosen | None:
        """The same, where it has been read."""
        return None if self.id is None else Chosen(self.id, self.label, self.name)


def place_of(facts: Facts, label: str) -> Place:
    """The organization of this label. Raises StoreError."""
    ident = facts.store.organizations.id_of(label)
    name = "" if ident is None else facts.store.directory.organization_name(ident)
    looked = facts.looked().get(label)
    return Place(label, facts.settings().labels, ident, name or ident or label, looked)
