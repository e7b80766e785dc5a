"""The figures of a digest, from what a judgement knows and what happened meanwhile. Pure.

Amounts of a stretch of time are those of the hours that begin in it, as in `watcher spend`. A budget's line, and an
alert, belongs to a digest of a part of the spend where all that it is about lies within that part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from rules import digest_time, movers
from rules.budgets import Line
from rules.digest import BudgetStanding, Compared, DayBar, Digest, DigestRule, Fired, Newcomer, Projected, Stopped
from rules.digest_time import Due
from rules.dimensions import values_of
from rules.forecast import Group, forecasts
from rules.lifecycle import worst_first
from rules.model import UNATTRIBUTED, Alert, Budget, Nano, Scope, Selector, Snapshot, SpendView, State
from rules.periods import Period, period_between, period_of
from rules.selectors import select

MOST_BUDGETS, MOST_FIRED, MOST_DONE, MOST_KEYS, MOST_STOPPED = 10, 10, 6, 6, 6
BAR_DAYS = 28
_OF_BUDGETS = frozenset({"budget", "forecast", "burn", "pace"})
"""The kinds of alerts whose rule is a budget."""
_DAY = timedelta(days=1)

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that the directory has, and when it was made."""

    id: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened beside spend: every alert that was open at some time since the period began, and is as it is now;
    what people did in the period, in sentences; the keys; and those that were deactivated in the period."""

    alerts: Sequence[Alert] = ()
    done: Sequence[str] = ()
    keys: Sequence[MadeKey] = ()
    stopped: Sequence[Stopped] = ()


def digest_of(
    due: Due,
    snapshot: Snapshot,
    budgets: Sequence[Budget],
    lines: Sequence[Line],
    happened: Happened,
    now: datetime,
) -> Digest:
    """The digest that comes now. `lines` are how the budgets stand, with their forecasts (`rules.outlook`)."""
    rule, view, period = due.rule, snapshot.view, due.period
    taken = select(rule.select, view.leaves, snapshot.names)
    rows, window = np.flatnonzero(taken), _columns(view, period)
    moved = movers.movers(view, snapshot.names, rows, window)
    part = _Part(snapshot, budgets, taken, whole=rule.select == Selector(organization=rule.select.organization))
    standings = [_standing(line) for line in sorted(filter(part.has_line, lines), key=_fullest)]
    fired = sorted(filter(part.has_alert, _began(happened.alerts, period)), key=worst_first)
    keys = _new_keys(happened.keys, view, rows, period, whole=part.whole)
    limit = part.daily_limit(lines)
    stopped = [each for each in happened.stopped if part.has_key(each.key)]
    return Digest(
        name=rule.name,
        every=rule.every,
        timezone=rule.timezone,
        label=period.label,
        first=period.start.astimezone(ZoneInfo(rule.timezone)).date(),
        start=period.start,
        end=period.end,
        due_at=due.at,
        spent=_sum(view.cost, rows, window),
        settled=_sum(view.settled, rows, window),
        compared=tuple(_compared(rule, due.day, view, rows)),
        usual=moved.usual,
        data_as_of=view.observed_until,
        complete_until=view.complete_until,
        month=_month(rule, view, rows, snapshot.off, now),
        budgets=tuple(standings[:MOST_BUDGETS]),
        more_budgets=max(len(standings) - MOST_BUDGETS, 0),
        movers=moved.movers,
        fired=tuple(map(_fired, fired[:MOST_FIRED])),
        more_fired=max(len(fired) - MOST_FIRED, 0),
        firing_now=sum(each.state is State.FIRING and part.has_alert(each) for each in happened.alerts),
        done=tuple(happened.done[:MOST_DONE]),
        more_done=max(len(happened.done) - MOST_DONE, 0),
        new_keys=tuple(keys[:MOST_KEYS]),
        more_keys=max(len(keys) - MOST_KEYS, 0),
        new_models=tuple(_new_models(view, rows, window)),
        bars=tuple(_bars(rule, due.day, view, rows)),
        limit=limit[0],
        limit_of=limit[1],
        part=selected(rule.select),
        unpriced=_unpriced(view, rows),
        read=_is_read(view, period),
        stopped=tuple(stopped[:MOST_STOPPED]),
        more_stopped=max(len(stopped) - MOST_STOPPED, 0),
        saved=sum(each.saved or 0 for each in stopped),
    )


def _unpriced(view: SpendView, rows: Rows) -> tuple[str, ...]:
    return tuple(sorted(view.unpriced & {view.leaves[row].model for row in rows.tolist()}))


def selected(selector: Selector) -> str:
    """What a selector takes, as "workspace prod-*, model claude-opus-*"; "" for everything of an organization."""
    words = ((each.name, getattr(selector, each.name)) for each in fields(selector) if each.name != "organization")
    return ", ".join(f"{word.replace('_', ' ')} {pattern}" for word, pattern in words if pattern is not None)


class _Part:
    """The part of the spend that a digest is of: what lies within it."""

    def __init__(
        self, snapshot: Snapshot, budgets: Sequence[Budget], taken: npt.NDArray[np.bool_], *, whole: bool
    ) -> None:
        self._leaves, self._names, self._taken = snapshot.view.leaves, snapshot.names, taken
        self._budgets = {budget.name: budget for budget in budgets}
        self.whole = whole

    def has_line(self, line: Line) -> bool:
        """Whether the digest has a budget's line; of those of parts of the organization only where it was used."""
        if line.limit is None or (line.scope.parts() and not line.spent):
            return False
        return self.whole or self._within(line.scope, line.budget)

    def has_alert(self, alert: Alert) -> bool:
        """Whether the digest has an alert; those whose story another one tells are in no digest."""
        if alert.told_by is not None or alert.fired_at is None:
            return False
        subject = alert.subject
        return self.whole or self._within(subject.scope, subject.rule if subject.kind in _OF_BUDGETS else "")

    def has_key(self, key: str) -> bool:
        """Whether the digest has a key's spend."""
        return self.whole or any(
            leaf.api_key == key for leaf, in_it in zip(self._leaves, self._taken, strict=True) if in_it
        )

    def daily_limit(self, lines: Iterable[Line]) -> tuple[Nano | None, str]:
        """A day's even part of the first limit in dollars that is for exactly this part, and the budget's name."""
        for line in lines:
            if line.limit is None or line.rolling or not line.measure.is_money or line.measure.claude_code:
                continue
            if np.array_equal(self._of(line.scope, line.budget), self._taken):
                return round(line.limit * (_DAY / (line.end - line.start))), line.budget
        return None, ""

    def _within(self, scope: Scope, rule: str) -> bool:
        about = self._of(scope, rule)
        return bool(about.any()) and not bool((about & ~self._taken).any())

    def _of(self, scope: Scope, rule: str) -> npt.NDArray[np.bool_]:
        """The leaves of a scope, and of the budget of that name if there is one."""
        found = np.ones(len(self._leaves), dtype=np.bool_)
        if rule in self._budgets:
            found = select(self._budgets[rule].select, self._leaves, self._names)
        for dimension, value in scope.parts().items():
            found &= np.array([each == value for each in values_of(dimension, self._leaves, self._names)], dtype=bool)
        return found


def _columns(view: SpendView, period: Period) -> slice:
    return period.columns(view.start, view.hours)


def _sum(figures: npt.NDArray[np.int64], rows: Rows, window: slice) -> Nano:
    return int(figures[rows, window].sum())


def _compared(rule: DigestRule, day: date, view: SpendView, rows: Rows) -> Iterator[Compared]:
    """Beside the period before, and of a day beside the same weekday of the week before."""
    weekly = rule.every == "weekly"
    yield _beside("the week before" if weekly else "the day before", digest_time.before(rule, day), view, rows)
    if not weekly:
        week = digest_time.week_before(rule, day)
        yield _beside("the same weekday a week before", week, view, rows)


def _beside(what: str, period: Period, view: SpendView, rows: Rows) -> Compared:
    """None where its first hour lies before all that was read."""
    return Compared(what, _sum(view.cost, rows, _columns(view, period)) if _is_read(view, period) else None)


def _is_read(view: SpendView, period: Period) -> bool:
    """Whether anything was read at its first hour or before."""
    return period.start >= view.start and bool(view.known[: _columns(view, period).start + 1].any())


def _month(rule: DigestRule, view: SpendView, rows: Rows, off: frozenset[str], now: datetime) -> Projected | None:
    """The running month by the calendar of the digest."""
    month = period_of("month", rule.timezone, now)
    spent = _sum(view.cost, rows, _columns(view, month))
    if not len(rows):
        return None
    (told,) = forecasts(view, [Group(rows)], month.start, month.end, off)
    return Projected(month.label, spent, told.total, told.low, told.high, told.basis != "none")


def _fullest(line: Line) -> tuple[float, str, str]:
    return -(line.used or 0.0), line.budget, line.label


def _standing(line: Line) -> BudgetStanding:
    told = line.forecast if line.forecast is not None and line.forecast.basis != "none" else None
    unit = "usd" if line.measure.is_money else line.measure.noun
    amounts = (None, None, None) if told is None else (told.total, told.low, told.high)
    return BudgetStanding(line.budget, line.label, line.period, unit, line.spent, line.limit, *amounts)


def _began(alerts: Iterable[Alert], period: Period) -> Iterator[Alert]:
    return (each for each in alerts if each.fired_at is not None and period.start <= each.fired_at < period.end)


def _fired(alert: Alert) -> Fired:
    said = [
        f"said to be {alert.judged.verdict} by {alert.judged.by}" if alert.judged else "",
        f"acknowledged by {alert.acknowledged.by}" if alert.acknowledged else "",
        f"silenced by {alert.silenced.by}" if alert.silenced else "",
    ]
    at = alert.fired_at or alert.starts_at
    return Fired(alert.id, alert.severity, alert.state, alert.summary, at, ", ".join(filter(None, said)))


def _new_keys(keys: Iterable[MadeKey], view: SpendView, rows: Rows, period: Period, *, whole: bool) -> list[Newcomer]:
    """The keys that were made in the period; of a part of the spend those that have spent in it."""
    window = _columns(view, period)
    made = {key.id: key.name for key in keys if period.start <= key.at < period.end}
    spent: dict[str, int] = {}
    for row in rows.tolist():
        key = view.leaves[row].api_key
        if key in made:
            spent[key] = spent.get(key, 0) + int(view.cost[row, window].sum())
    found = [Newcomer(key, name, spent.get(key, 0)) for key, name in made.items() if whole or key in spent]
    return sorted(found, key=lambda each: (-each.spent, each.name, each.id))


def _new_models(view: SpendView, rows: Rows, window: slice) -> list[Newcomer]:
    """The models of which nothing was used in the view before the period, where a week before it was read."""
    first = int(np.argmax(view.known)) if view.known.any() else view.hours
    if window.start - first < 7 * 24:
        return []
    before: dict[str, int] = {}
    spent: dict[str, int] = {}
    for row in rows.tolist():
        leaf = view.leaves[row]
        if leaf.api_key != UNATTRIBUTED:
            before[leaf.model] = before.get(leaf.model, 0) + int(view.cost[row, : window.start].sum())
            spent[leaf.model] = spent.get(leaf.model, 0) + int(view.cost[row, window].sum())
    new = [Newcomer(model, model, cost) for model, cost in spent.items() if cost and not before[model]]
    return sorted(new, key=lambda each: (-each.spent, each.id))


def _bars(rule: DigestRule, day: date, view: SpendView, rows: Rows) -> Iterator[DayBar]:
    """The days of four weeks before `day`, from the first on that was read."""
    hourly = view.cost[rows].sum(axis=0)
    for back in range(BAR_DAYS, 0, -1):
        period = period_between(day - back * _DAY, day - (back - 1) * _DAY, rule.timezone)
        columns = _columns(view, period)
        if period.start >= view.start and view.known[: columns.stop].any():
            whole = view.complete_until >= period.end and bool(view.known[columns].all())
            yield DayBar(day - back * _DAY, int(hourly[columns].sum()), whole)
