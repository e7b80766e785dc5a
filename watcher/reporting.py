"""Digests for who asks now: of the database as it is, with the budgets as the last cycle had them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from rules.digest import DigestRule
from rules.model import Notification, Reason, Snapshot
from watcher import overview as overviews
from watcher.asked_rules import rules_asked
from watcher.digest import asked_now, digest
from watcher.ledger import Ledger
from watcher.pricing import PriceBook
from watcher.settings import Settings
from watcher.store import Store


def reports(
    settings: Settings,
    store: Store,
    organizations: Sequence[tuple[str, str]],
    rule: DigestRule,
    now: datetime,
    receiver: str = "",
) -> tuple[Notification, ...]:
    """The digest of the newest period that is over, one for each organization (its id and label).

    Raises StoreError. Nothing is written, and nothing is sent.
    """
    coming = asked_now(rule, now)
    found = []
    for organization, label in organizations:
        directory = store.directory
        name = directory.organization_name(organization)
        text = store.cursor.get("overview", organization)
        lines = overviews.from_json(text).budgets if text else ()
        snapshot = Snapshot(
            organization=organization,
            organization_name=name,
            view=Ledger(store, PriceBook(settings.prices), organization).refresh(now),
            names=directory.names(organization),
            told_as=label if len(settings.organizations) > 1 else "",
            off=directory.switched_off(organization),
        )
        rules = rules_asked(settings).of(organization, [name, *([label] if label else [])])
        kept = {budget.name for budget in rules.budgets}
        known = [line for line in lines if line.budget in kept]
        told = digest(store, snapshot, rules, known, coming, now)
        parts = ("report", organization, rule.name, now.isoformat(), receiver)
        ident = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
        found.append(Notification(ident, receiver, Reason.DIGEST, (), now, name, told_as=snapshot.told_as, digest=told))
    return tuple(found)
