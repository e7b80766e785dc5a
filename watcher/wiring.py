"""From settings to the parts that work: the one place that knows which implementation stands behind which seam."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeAlias

from notifiers.base import Notifier
from notifiers.http import OutgoingHttp
from rules.judgement import Rules
from watcher.admin_api import (
    AdminReader,
    Connection,
    ConnectionSettings,
    GroupingMemory,
    KeyAdministrator,
    RequestObservation,
    RetryPolicy,
    connect,
)
from watcher.admin_api.transport import USER_AGENT
from watcher.asked_rules import rules_asked
from watcher.channels import make_notifiers
from watcher.cycle import World
from watcher.events import Planned
from watcher.guarding import Hands
from watcher.ledger import Ledger
from watcher.pricing import PriceBook
from watcher.settings import OrganizationSettings, Settings
from watcher.slack_offers import SlackOffers
from watcher.store import Store

GROUPING = "usage_grouping"
"""Where the store remembers how finely the API lets an organization's usage report be asked for."""

Observer: TypeAlias = Callable[[str, RequestObservation], None]
"""Hears of every request, and of the label of the organization that it is about."""


def open_connection(
    settings: OrganizationSettings,
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
class Access:
    """The way to one organization: its connection, what reads over it, and what it pays."""

    settings: OrganizationSettings
    connection: Connection
    reader: AdminReader
    prices: PriceBook
    hands: Hands | None = None
    """What it takes to change keys; None where the configuration does not allow that."""
    writing: Connection | None = None
    """The connection that keys are changed over, where it has a key of its own."""

    @property
    def label(self) -> str:
        """What the configuration calls the organization."""
        return self.settings.label

    def close(self) -> None:
        """End its connections."""
        self.connection.close()
        if self.writing is not None:
            self.writing.close()


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that one configuration calls for. The store outlives it: a reload makes new parts on the same one."""

    settings: Settings
    store: Store
    accesses: tuple[Access, ...]
    """One for each organization, in the order of the configuration."""
    notifiers: tuple[Notifier, ...]
    http: OutgoingHttp

    @property
    def rules(self) -> Rules:
        """What the configuration asks to be told of."""
        return rules_asked(self.settings)

    def world(
        self,
        access: Access,
        organization: str,
        clock: Callable[[], datetime],
        ledger: Ledger | None = None,
        halted: Callable[[], bool] = lambda: False,
    ) -> World:
        """What a cycle of the organization of this id works on; a ledger that is already filled may be handed on.

        Once `halted` says so no key is changed any more.
        """
        return World(
            access.reader,
            self.store,
            ledger or Ledger(self.store, access.prices, organization),
            organization,
            self.rules,
            clock,
            access.label,
            one_of_several=len(self.accesses) > 1,
            backfill=self.settings.poll.backfill,
            planned=Planned(self.settings.events),
            every_key=self.settings.metrics.every_key,
            hands=None if access.hands is None else replace(access.hands, halted=halted),
        )

    def remember_grouping(self, access: Access, organization: str) -> None:
        """Keep what the reader learned about how finely it may ask."""
        memory = json.dumps(access.reader.grouping_memory.to_json(), sort_keys=True)
        if memory != self.store.cursor.get(GROUPING, organization):
            self.store.cursor.set(GROUPING, memory, organization)

    def close(self) -> None:
        """End the connections; the store stays open."""
        for access in self.accesses:
            access.close()


def assemble(
    settings: Settings,
    store: Store,
    observer: Observer | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Parts:
    """Build the parts. Nothing is asked of the network yet."""
    outgoing = OutgoingHttp(user_agent=USER_AGENT)
    accesses = tuple(_access(each, settings, store, observer, pause) for each in settings.organizations)
    offers = None if settings.shutoff is None else SlackOffers(store, settings.shutoff.policy)
    notifiers = make_notifiers(settings.receivers, outgoing, settings.http.link, store.slack_messages, offers)
    return Parts(settings, store, accesses, notifiers, outgoing)


def _access(
    organization: OrganizationSettings,
    settings: Settings,
    store: Store,
    observer: Observer | None,
    pause: Callable[[float], None],
) -> Access:
    heard = None if observer is None else partial(observer, organization.label)
    connection = open_connection(organization, heard, pause)
    known = store.organizations.id_of(organization.label)
    memory = None if known is None else store.cursor.get(GROUPING, known)
    reader = AdminReader(connection, grouping_memory=GroupingMemory.from_json(json.loads(memory)) if memory else None)
    access = Access(organization, connection, reader, PriceBook(settings.prices))
    if settings.shutoff is None:
        return access
    own = organization.action_key
    writing = None if own is None else open_connection(replace(organization, admin_key=own), heard, pause)
    over = writing or connection
    reader = AdminReader(over)
    hands = Hands(
        settings.shutoff.policy,
        reader,
        KeyAdministrator(over),
        brake_file=settings.shutoff.brake_file,
        lister=None if writing is None else reader,
    )
    return replace(access, hands=hands, writing=writing)


def waiting_by_receiver(parts: Parts) -> tuple[tuple[str, int], ...]:
    """How many messages wait, for every receiver configured or still owed something."""
    depth = {notifier.name: 0 for notifier in parts.notifiers} | dict(parts.store.outbox.depth())
    return tuple(sorted(depth.items()))
