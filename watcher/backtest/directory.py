"""The API keys as they were known at a moment of the past, out of the listings that the store keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import numpy as np

from rules.keys import Flip, Key, Keys
from rules.model import DEFAULT_WORKSPACE
from rules.offences import upper_error
from rules.policy import COOLING
from watcher.admin_api.answers import ApiKey
from watcher.backtest.history import History
from watcher.ledger.days import DAY
from watcher.store import Store
from watcher.store.listings import Listed

_EVER = datetime(2000, 1, 1, tzinfo=UTC)


class Directory:
    """Every key that was ever listed, with the changes of status that were seen. Names and places are those of now."""

    def __init__(self, store: Store, organization: str) -> None:
        """Reads it. Raises StoreError."""
        self._listed = store.directory.seen_api_keys(organization)
        self._flips: dict[str, list[tuple[str | None, Flip]]] = {}
        for change in store.directory.changes(organization, _EVER, "api_key"):
            if change.field == "status" and change.after is not None:
                flip = Flip(change.after, change.last_seen_before, change.observed_at)
                self._flips.setdefault(change.id, []).append((change.before, flip))
        workspaces = store.directory.workspaces(organization)
        self._workspaces = {DEFAULT_WORKSPACE: "default", **{each.id: each.name for each in workspaces}}
        self._tags: Mapping[str, Mapping[str, str]] = {each.id: each.tags for each in workspaces}

    def __call__(self, now: datetime) -> Keys:
        """The keys that there were at `now`, each as it was then, as far as that was ever seen."""
        there = [each for each in self._listed if _exists(each, now)]
        flips = {
            ident: tuple(flip for _, flip in every if now - COOLING <= flip.observed_at <= now)
            for ident, every in self._flips.items()
        }
        return Keys(
            by_id={each.item.id: self._key(each.item, now) for each in there},
            flips={ident: every for ident, every in flips.items() if every},
            workspaces=self._workspaces,
            tags=self._tags,
        )

    def _key(self, item: ApiKey, now: datetime) -> Key:
        workspace = "" if item.organization_scoped else item.workspace_id or DEFAULT_WORKSPACE
        return Key(item.id, item.name, workspace, self._status(item, now), now, item.created_at)

    def _status(self, item: ApiKey, now: datetime) -> str:
        status = item.status
        for before, flip in reversed(self._flips.get(item.id, [])):
            if flip.observed_at <= now:
                return flip.after
            status = before or status
        return status


def _exists(each: Listed[ApiKey], now: datetime) -> bool:
    return each.item.created_at <= now and (each.listed or now <= each.last_seen_at)


def errors(history: History) -> Callable[[datetime], float]:
    """By how much estimates were too high on the days that had settled by a moment, as `rules.offences` reads it."""
    known: list[tuple[datetime, float]] = []
    view, settling = history.view, history.settling
    for place in range(view.hours // 24):
        begins, hours = view.start + place * DAY, slice(24 * place, 24 * (place + 1))
        billed = int(view.settled[:, hours].sum())
        if not billed:
            continue
        guess = settling.estimates.get(begins)
        estimated = int((view.cost[:, hours] if guess is None else np.asarray(guess)).sum())
        too_high = max((estimated - billed) / estimated, 0.0) if estimated else 0.0
        known.append((begins + DAY + settling.after, too_high))
    return lambda now: upper_error([error for at, error in known if at <= now])
