"""From settings to the parts that work: the one place that knows which implementation stands behind which seam."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from notifiers.base import Notifier
from notifiers.http import OutgoingHttp
from rules.judgement import Rules
from watcher.admin_api import (
    AdminReader,
    Connection,
    ConnectionSettings,
    GroupingMemory,
    RequestObservation,
    RetryPolicy,
    connect,
)
from watcher.admin_api.transport import USER_AGENT
from watcher.channels import make_notifiers
from watcher.cycle import World
from watcher.ledger import Ledger
from watcher.pricing import PriceBook
from watcher.settings import AnthropicSettings, Settings
from watcher.store import Store

GROUPING = "usage_grouping"
"""Where the store remembers how finely the API lets the usage report be asked for."""


def open_connection(
    settings: AnthropicSettings,
    observer: Callable[[RequestObservation], None] | None = None,
    pause: Callable[[float], None] = time.sleep,
    retries: RetryPolicy | None = None,
) -> Connection:
    """A connection to the Admin API as the configuration describes it; `pause` waits between tries, in seconds.

    `retries` is how often and how patiently a request is tried again, if not as usual.
    """
    return connect(
        ConnectionSettings(
            base_url=settings.base_url,
            admin_key=settings.admin_key,
            proxy=settings.proxy.reveal() if settings.proxy else None,
            ca_file=settings.ca_file,
            retries=retries or RetryPolicy(),
        ),
        observer=observer,
        pause=pause,
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that one configuration calls for. The store outlives it: a reload makes new parts on the same one."""

    settings: Settings
    store: Store
    connection: Connection
    reader: AdminReader
    prices: PriceBook
    notifiers: tuple[Notifier, ...]
    http: OutgoingHttp

    @property
    def rules(self) -> Rules:
        """What the configuration asks to be told of."""
        settings = self.settings
        return Rules(settings.budgets, settings.anomalies, settings.routes, settings.drift)

    def world(self, organization: str, ledger: Ledger | None = None) -> World:
        """What a cycle works on; a ledger that is already filled may be handed on."""
        return World(
            self.reader,
            self.store,
            ledger or Ledger(self.store, self.prices, organization),
            organization,
            self.rules,
        )

    def remember_grouping(self) -> None:
        """Keep what the reader learned about how finely it may ask."""
        memory = json.dumps(self.reader.grouping_memory.to_json(), sort_keys=True)
        if memory != self.store.cursor.get(GROUPING):
            self.store.cursor.set(GROUPING, memory)

    def close(self) -> None:
        """End the connection; the store stays open."""
        self.connection.close()


def assemble(
    settings: Settings,
    store: Store,
    observer: Callable[[RequestObservation], None] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Parts:
    """Build the parts. Nothing is asked of the network yet."""
    connection = open_connection(settings.anthropic, observer, pause)
    outgoing = OutgoingHttp(user_agent=USER_AGENT)
    memory = store.cursor.get(GROUPING)
    reader = AdminReader(connection, grouping_memory=GroupingMemory.from_json(json.loads(memory)) if memory else None)
    notifiers = make_notifiers(settings.receivers, outgoing)
    return Parts(settings, store, connection, reader, PriceBook(settings.prices), notifiers, outgoing)


def waiting_by_receiver(parts: Parts) -> tuple[tuple[str, int], ...]:
    """How many messages wait, for every receiver configured or still owed something."""
    depth = {notifier.name: 0 for notifier in parts.notifiers} | dict(parts.store.outbox.depth())
    return tuple(sorted(depth.items()))
