"""One poll under way: whom it asks, where it stores, and what has become of each source so far."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rules.model import SourceState
from watcher.admin_api.errors import AdminApiError, NotOffered
from watcher.ingest.outcome import failed, not_offered, succeeded
from watcher.ingest.reader import Reader
from watcher.store import Store

Progress = Callable[[int, int], None]
"""Told how many days of the back-fill are done, and of how many."""


class Poll:
    """What the readings of one poll share. `states` has every source asked, in order; `failures` a sentence each."""

    def __init__(self, reader: Reader, store: Store, organization: str, now: datetime) -> None:
        self.reader, self.store, self.organization, self.now = reader, store, organization, now
        self.states: list[SourceState] = []
        self.failures: dict[str, str] = {}

    def ask(
        self,
        source: str,
        read: Callable[[], None],
        settle: Callable[[SourceState], SourceState] = lambda state: state,
    ) -> None:
        """Read one source and note what became of it; `settle` adds what the store now says of it."""
        state = self.store.sources.get(self.organization, source)
        try:
            read()
            state = succeeded(state, self.now)
        except NotOffered as error:
            state = not_offered(state, error, self.now)
        except AdminApiError as error:
            state = failed(state, error, self.now)
            if state.failing_since is not None:
                self.failures[source] = str(error)
        state = settle(state)
        self.store.sources.save(self.organization, state)
        self.states.append(state)
