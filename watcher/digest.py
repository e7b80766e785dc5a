"""Digests in a cycle: which come now, what they say, and what is remembered of them with the judgement.

A digest is decided in the cycle that finds it due and committed with that cycle's judgement, so that it is sent exactly
once however often the program starts anew. Its id follows from organization, digest, day and receiver.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from rules.action_requests import APPROVE, DEACTIVATE, DENY, PROTECT, REACTIVATE, UNPROTECT
from rules.action_requests import PAUSE as PAUSE_ACTIONS
from rules.action_requests import RESUME as RESUME_ACTIONS
from rules.actions import POLICY, ActionState
from rules.budget_requests import PAUSE, RESET, RESUME
from rules.budgets import Line
from rules.digest import Digest, DigestRule, Stopped
from rules.digest_figures import Happened, MadeKey, digest_of
from rules.digest_time import Due, due, period_of_day, recall, remember, whole_period
from rules.judgement import Rules
from rules.model import Alert, Notification, Reason, Snapshot
from rules.quiet_requests import ADD, EXPIRE
from rules.savings import saved
from watcher.logs import logger
from watcher.store import Entry, Store, StoreError

log = logger(__name__)

DONE = "digests"
"""Under this name the store keeps which digests are done."""

_DONE_BY_PEOPLE: Mapping[str, str] = {
    ADD: "added a silence",
    EXPIRE: "ended a silence",
    PAUSE: "paused the budget",
    RESUME: "resumed the budget",
    RESET: "reset the budget",
    APPROVE: "approved the action",
    DENY: "said no to the action",
    PAUSE_ACTIONS: "paused actions on keys",
    RESUME_ACTIONS: "allowed actions on keys again",
    DEACTIVATE: "deactivated the key",
    REACTIVATE: "turned on the key",
    PROTECT: "protected",
    UNPROTECT: "ended the protection of",
}
_ABOUT = ("budget", "silence", "action", "key", "id")
"""Under one of these names an act says what it is about."""
_MOST_ACTS = 500


@dataclass(frozen=True, slots=True)
class Told:
    """The messages of the digests that come now, and what is to be remembered with them."""

    notifications: tuple[Notification, ...] = ()
    cursor: Mapping[str, str] = field(default_factory=dict)


def digests(
    store: Store,
    snapshot: Snapshot,
    rules: Rules,
    lines: Sequence[Line],
    changed: Sequence[Alert],
    now: datetime,
    *,
    first: bool,
) -> Told:
    """The digests of one organization that come in this cycle.

    `snapshot` is as it was judged, `lines` are how the budgets stand, `changed` the alerts that this cycle makes or
    changes; `first` says that nothing was judged before. Raises StoreError. What else may go wrong keeps the digest
    from being told, never the judgement.
    """
    if not rules.digests:
        return Told()
    text = store.cursor.get(DONE, snapshot.organization)
    done = recall(text)
    coming, after = due(rules.digests, done, snapshot.view.complete_until, now, first=first)
    messages: list[Notification] = []
    for each in coming:
        try:
            told = digest(store, snapshot, rules, lines, each, now, changed=changed)
        except StoreError:
            raise
        except Exception:
            log.exception("a digest failed in a way it should not, and is left out", digest=each.rule.name)
            continue
        messages += _messages(each, told, snapshot, now)
    kept = remember(after)
    return Told(tuple(messages), {} if kept == text else {DONE: kept})


def digest(
    store: Store,
    snapshot: Snapshot,
    rules: Rules,
    lines: Sequence[Line],
    coming: Due,
    now: datetime,
    *,
    changed: Sequence[Alert] = (),
) -> Digest:
    """The figures of one digest."""
    return digest_of(coming, snapshot, rules.budgets, lines, _happened(store, snapshot, coming, changed, now), now)


def asked_now(rule: DigestRule, now: datetime) -> Due:
    """The newest period of a digest that is over, for who asks for it now."""
    day = whole_period(rule, now)
    return Due(rule, day, now, period_of_day(rule, day))


def message_id(organization: str, rule: DigestRule, day: date, receiver: str) -> str:
    """The id of a digest's message to one receiver, the same whenever it is decided."""
    parts = ("digest", organization, rule.name, rule.every, day.isoformat(), receiver)
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _messages(coming: Due, told: Digest, snapshot: Snapshot, now: datetime) -> Iterator[Notification]:
    for receiver in coming.rule.receivers:
        yield Notification(
            id=message_id(snapshot.organization, coming.rule, coming.day, receiver),
            receiver=receiver,
            reason=Reason.DIGEST,
            alerts=(),
            created_at=now,
            organization=snapshot.organization_name,
            told_as=snapshot.told_as,
            digest=told,
        )


def _happened(store: Store, snapshot: Snapshot, coming: Due, changed: Sequence[Alert], now: datetime) -> Happened:
    organization, start, end = snapshot.organization, coming.period.start, coming.period.end
    alerts = {alert.id: alert for alert in (*store.alerts.list(start), *changed)}
    mine = [alert for alert in alerts.values() if alert.subject.scope.organization == organization]
    entries = store.journal.list(start, _MOST_ACTS, _DONE_BY_PEOPLE)
    done = [_sentence(entry) for entry in reversed(entries) if entry.at < end and _is_done(entry, organization)]
    keys = [
        MadeKey(each.item.id, each.item.name, each.item.created_at)
        for each in store.directory.seen_api_keys(organization)
    ]
    return Happened(mine, done, keys, tuple(stopped_keys(store, organization, coming, alerts, now)))


def stopped_keys(
    store: Store, organization: str, coming: Due, known: Mapping[str, Alert], now: datetime
) -> Iterator[Stopped]:
    """The keys that this program deactivated in the period, but for drills."""
    start, end = coming.period.start, coming.period.end
    journal = store.actions.all(organization)
    for row in journal:
        off = row.what == "deactivate" and row.state is ActionState.CONFIRMED and row.cause.kind != "drill"
        if not off or row.confirmed_at is None or not start <= row.confirmed_at < end:
            continue
        alert = known.get(row.alert) or store.alerts.get(row.alert)
        again = [each.confirmed_at for each in journal if each.key == row.key and each.what == "reactivate"]
        back = min((at for at in again if at is not None and at > row.confirmed_at), default=None)
        found = saved(row, alert, now, back)
        by = "" if row.by == POLICY else row.by
        yield Stopped(row.id, row.key, row.key_name, row.confirmed_at, None if found is None else found.amount, by)


def _is_done(entry: Entry, organization: str) -> bool:
    details: Mapping[str, Any] = entry.details
    return details.get("done") is not False and details.get("organization", organization) == organization


def _sentence(entry: Entry) -> str:
    """ "ann added a silence (workspace=prod): deploy"."""
    details: Mapping[str, Any] = entry.details
    matchers = details.get("matchers")
    about = next((details[each] for each in _ABOUT if details.get(each)), None)
    about = ", ".join(map(str, matchers)) if isinstance(matchers, list) else about
    why = details.get("comment") or details.get("reason")
    said = f"{entry.actor} {_DONE_BY_PEOPLE[entry.what]}{f' {about}' if about else ''}"
    return f"{said}: {why}" if why else said
