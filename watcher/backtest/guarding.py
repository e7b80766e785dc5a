"""The guard over the past: what it would have planned after each judgement, and which keys would have been off. Pure.

Planned is as the daemon plans (`rules.offences`, `rules.guard`), on a journal that is kept in memory. What it intends
counts as carried out at once. Of what is assumed of a key from then on:

- it is off until somebody would have noticed its spend otherwise (`rules.savings`), and is then turned on again;
- history stays as it was: alerts go on as if the key had gone on spending.

Between two looks the guard is asked again every `POLL`, as the daemon would, on the figures of the look before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rules import guard, protection
from rules.actions import WAITING, Action, ActionState
from rules.judgement import Decision, Rules
from rules.keys import Flip, Key, Keys
from rules.lifecycle import applied
from rules.model import HOUR, Alert, Names, State
from rules.offences import ASSUMED_ERROR, Field
from rules.policy import Policy
from rules.savings import LONGEST, saved
from rules.situation import Situation

POLL = timedelta(minutes=5)
"""Between two cycles of the daemon."""
_LOOK = HOUR
"""So long after a look its figures are asked again at most."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be done to keys, and what is known of them at a moment."""

    policy: Policy
    keys: Callable[[datetime], Keys]
    protections: protection.Known = field(default_factory=dict)
    error: Callable[[datetime], float] = lambda _now: ASSUMED_ERROR
    """By how much estimates were too high in the weeks before a moment, as a fraction."""


@dataclass(frozen=True, slots=True)
class Off:
    """That a key would have been off."""

    row: Action
    """The decision, confirmed."""
    since: datetime
    until: datetime
    """When somebody would have noticed, or the period ended: it is on again."""
    per_hour: int
    """Nano-dollars that it had spent too much in an hour before."""
    estimate: int
    """Nano-dollars saved, as the daemon would estimate them at the stop."""


class SimulatedGuard:
    """The guard of one replay, with the journal that it keeps."""

    def __init__(self, allowed: Allowed, names: Names) -> None:
        self._allowed, self._names = allowed, names
        self._rows: dict[str, Action] = {}
        self._known = dict(allowed.protections)
        self._last: tuple[Situation, Mapping[str, Alert]] | None = None
        self._asked: datetime | None = None
        self.off: list[Off] = []

    @property
    def journal(self) -> tuple[Action, ...]:
        """Every decision so far, the oldest first."""
        return tuple(sorted(self._rows.values(), key=lambda row: (row.created_at, row.id)))

    def catch_up(self, now: datetime) -> None:
        """Ask the guard at every poll since the look before, as long as anything waits."""
        if self._last is None or self._asked is None:
            return
        moment, until = self._asked + POLL, min(now, self._asked + _LOOK)
        while moment < until and any(row.state in WAITING for row in self._rows.values()):
            self._plan(*self._last, moment)
            moment += POLL

    def judged(
        self, decision: Decision, rules: Rules, before: tuple[Alert, ...], now: datetime, *, first: bool
    ) -> None:
        """Plan after a judgement; `before` are the alerts that it was handed."""
        alerts = {alert.id: alert for alert in applied(before, decision.alerts)}
        fields = Field(decision.view, self._names, rules.budgets, rules.anomalies, self._allowed.error(now))
        offences = tuple(fields.offences(decision.breaches, alerts.values()))
        self._asked, self._last = now, None
        if not offences and not any(row.open for row in self._rows.values()):
            return
        situation = Situation(
            organization=decision.view.organization,
            policy=self._allowed.policy,
            offences=offences,
            watermark=decision.view.complete_until,
            firing=frozenset(alert.id for alert in alerts.values() if alert.state is State.FIRING),
            no_data=_no_data(decision, first=first),
        )
        self._last = situation, alerts
        self._plan(situation, alerts, now)

    def _plan(self, situation: Situation, alerts: Mapping[str, Alert], now: datetime) -> None:
        keys = self._keys(now)
        examined = protection.examine(self._allowed.policy.protect, keys, self._known, now)
        self._known |= protection.known(examined)
        at = replace(situation, journal=self.journal, keys=keys, protections=self._known)
        for row in guard.plan(at, now):
            self._rows[row.id] = row
            if row.state is ActionState.INTENT and row.what == "deactivate":
                self._stop(row, alerts.get(row.alert), now)

    def _stop(self, row: Action, alert: Alert | None, now: datetime) -> None:
        row = replace(row, state=ActionState.CONFIRMED, sent_at=now, confirmed_at=now, updated_at=now)
        self._rows[row.id] = row
        found = saved(row, alert, now)
        until = now + LONGEST if found is None else max(found.until, now + HOUR)
        self.off.append(
            Off(row, now, until, 0 if found is None else found.per_hour, 0 if found is None else found.amount)
        )

    def _keys(self, now: datetime) -> Keys:
        """The keys as they are known at a moment, with what this guard would have done to them."""
        keys = self._allowed.keys(now)
        by_id, flips = dict(keys.by_id), dict(keys.flips)
        for each in self.off:
            key = by_id.get(each.row.key)
            if key is None:
                continue
            if now < each.until:
                by_id[key.id] = _off(key)
            else:
                back = Flip("active", each.until - POLL, each.until)
                flips[key.id] = (*flips.get(key.id, ()), back)
        return replace(keys, by_id=by_id, flips=flips)


def _off(key: Key) -> Key:
    return replace(key, status="inactive")


def _no_data(decision: Decision, *, first: bool) -> str:
    """As in the daemon, why nothing can be done by what is known."""
    if first:
        return "it is the first judgement of a new database"
    return "" if decision.stall is None else "usage has stopped coming, so nothing is known of the last hours"
