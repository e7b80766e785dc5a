"""What an organization's past says of its months, of its keys' days, and of the noise of their hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from rules.budgets import running as period_running
from rules.dimensions import groups
from rules.model import CONSOLE, HOUR, UNATTRIBUTED, Budget, Dimension, Names, Nano, Scope, Snapshot, SpendView
from rules.money import NANO_PER_USD
from rules.outlook import outlook
from rules.whatif import replay

DAY = timedelta(days=1)
_NOISE_DAYS = 28
_NOISE_HOURS = 3
_NOISE_QUANTILE = 0.995
_LEAST_NOISE_DAYS = 7


@dataclass(frozen=True, slots=True)
class Months:
    """One scope's months: those that are known whole, oldest first, and the running one with where it will end."""

    scope: Scope
    label: str
    whole: tuple[tuple[str, Nano], ...]
    part: tuple[str, Nano] | None
    """The month before those, of which only a part is known."""
    running: str
    so_far: Nano
    expected: Nano
    in_part: bool = False
    """Whether the running month began before all that is known."""

    @property
    def highest(self) -> Nano:
        """The highest of the months, as far as they are known, and of what is expected of the running one."""
        part = [] if self.part is None else [self.part[1]]
        return max([*part, *(spent for _, spent in self.whole), self.expected])


@dataclass(frozen=True, slots=True)
class KeyDays:
    """One key's dearest day within the history, and what it spent in all."""

    api_key: str
    label: str
    day: str
    highest: Nano
    total: Nano
    is_key: bool
    """Whether it is a key that is switched on: no Console use, and not what no usage explains."""


@dataclass(frozen=True, slots=True)
class History:
    """Everything that a proposal rests on. `days` is how long spend is known for: 0 where there is none."""

    organization_name: str
    timezone: str
    now: datetime
    days: float
    organization: Months | None
    workspaces: tuple[Months, ...]
    keys: tuple[KeyDays, ...]
    """Everything that counts as a key, if it spent anything; the one with the dearest day first."""
    noise: Nano | None
    """Dollars an hour above its usual that a key is over three hours but once in two hundred; None if not known."""


def history_of(snapshot: Snapshot, timezone: str, now: datetime) -> History:
    """Read the past of one organization out of its view; months and days are those of `timezone`."""
    view = snapshot.view
    days = _days(view)
    if not days:
        return History(snapshot.organization_name, timezone, now, 0.0, None, (), (), None)
    whole = _months(snapshot, (), timezone, now)
    return History(
        organization_name=snapshot.organization_name,
        timezone=timezone,
        now=now,
        days=days,
        organization=whole[0] if whole else None,
        workspaces=tuple(_months(snapshot, ("workspace",), timezone, now)),
        keys=tuple(_keys(snapshot, timezone, now)),
        noise=_noise(view) if days >= _LEAST_NOISE_DAYS else None,
    )


def _days(view: SpendView) -> float:
    """How many days of complete hours there are from the first spend on."""
    spent = np.flatnonzero(view.cost.sum(axis=0) > 0)
    if not len(spent):
        return 0.0
    return max((view.complete_until - (view.start + int(spent[0]) * HOUR)) / DAY, 0.0)


def _months(snapshot: Snapshot, per: tuple[Dimension, ...], timezone: str, now: datetime) -> list[Months]:
    """Each scope's months, the highest first."""
    budget = Budget("", "month", timezone, NANO_PER_USD, (100.0,), per)
    whole: dict[Scope, list[tuple[str, Nano]]] = {}
    part: dict[Scope, tuple[str, Nano]] = {}
    running = period_running(budget, now)
    first = snapshot.view.start + _first_spend(snapshot.view) * HOUR
    for past in replay(budget, snapshot.view, snapshot.names, now):
        for each in past.scopes:
            if past.runs or not each.spent:
                continue
            if past.missing is None and past.period.start >= first - DAY:
                whole.setdefault(each.scope, []).append((past.period.label, each.spent))
            else:
                part[each.scope] = past.period.label, each.spent
    found = [
        Months(
            scope=line.scope,
            label=line.label,
            whole=tuple(whole.get(line.scope, ())),
            part=part.get(line.scope),
            running=line.period,
            so_far=line.spent,
            expected=max(line.spent, line.forecast.total if line.forecast else 0),
            in_part=running is not None and running.start < first - DAY,
        )
        for line in outlook(budget, snapshot.view, snapshot.names, now, snapshot.off)
    ]
    return sorted((each for each in found if each.highest > 0), key=lambda each: (-each.highest, each.label))


def _first_spend(view: SpendView) -> int:
    return int(np.argmax(view.cost.sum(axis=0) > 0))


def _keys(snapshot: Snapshot, timezone: str, now: datetime) -> list[KeyDays]:
    budget = Budget("", "day", timezone, NANO_PER_USD, (100.0,), ("api_key",))
    highest: dict[str, tuple[Nano, str, str]] = {}
    totals: dict[str, Nano] = {}
    for past in replay(budget, snapshot.view, snapshot.names, now):
        for each in past.scopes:
            key = each.scope.api_key or ""
            totals[key] = totals.get(key, 0) + each.spent
            if each.spent > highest.get(key, (0, "", ""))[0]:
                highest[key] = each.spent, past.period.label, each.label
    left_out = {CONSOLE, UNATTRIBUTED} | snapshot.off
    found = [
        KeyDays(key, label, day, spent, totals[key], key not in left_out)
        for key, (spent, day, label) in highest.items()
    ]
    return sorted(found, key=lambda each: (-each.highest, each.label))


def _noise(view: SpendView) -> Nano:
    """How far above its usual at this hour of the day a key is at times, averaged over a few hours."""
    end = view.index(view.complete_until) // 24 * 24
    start = max(end - _NOISE_DAYS * 24, _first_spend(view) // 24 * 24 + 24, 0)
    keys = _by_key(view, slice(start, end))
    if end - start < 2 * 24 or not len(keys):
        return 0
    usual = np.tile(np.median(keys.reshape(len(keys), -1, 24), axis=1), (end - start) // 24)
    excess = keys - usual
    sums = np.cumsum(excess, axis=1)
    spans = (sums[:, _NOISE_HOURS:] - sums[:, :-_NOISE_HOURS]) / _NOISE_HOURS
    return max(round(float(np.quantile(spans, _NOISE_QUANTILE))), 0)


def _by_key(view: SpendView, columns: slice) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Hours of each key that spent anything in these columns."""
    group_of, values = groups(("api_key",), view.leaves, Names())
    sums = np.zeros((len(values), columns.stop - columns.start))
    np.add.at(sums, group_of, view.cost[:, columns].astype(np.float64))
    return sums[sums.any(axis=1)]
