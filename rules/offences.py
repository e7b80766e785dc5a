"""Breaches whose rule asks for a key to be deactivated, and the keys that are behind each of them. Pure.

A breach of one key is about that key. One of a wider scope is about the keys that explain its *excess* over what was
expected (`rules.attribution`), which are seldom those that spend most; where at most five keys do not explain half of
it with confidence, nothing is done. Whether a breach stands is judged by what is certain: settled spend, and the lower
end of what is estimated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

import numpy as np

from rules.actions import ActionEvidence, Cause
from rules.attribution import WEEK, WEEKS, Excess, Explained, Part, Places, by_habit, explaining
from rules.dimensions import values_of
from rules.model import (
    HOUR,
    Alert,
    AnomalyEvidence,
    AnomalyRule,
    Breach,
    Budget,
    BudgetEvidence,
    Names,
    Nano,
    Scope,
    Selector,
    SpendView,
    State,
    Subject,
)
from rules.policy import LEAST_CONFIDENCE, LEAST_SHARE, MOST_KEYS, USUAL_AFTER, KeyAction
from rules.reconciled import ReconciledDay
from rules.selectors import select
from rules.thresholds import Threshold, mark_id, threshold_amount

ASSUMED_ERROR = 0.20
"""Of estimates, where too few settled days say how good they are."""
LEAST_DAYS, MOST_DAYS = 7, 28
"""Settled days that say how good estimates are."""
LEAST_WEEKS = 2
"""Whole weeks before the window without which nobody knows what was expected of which key."""
LATELY = timedelta(hours=24)
PRECEDENT, ALIKE = 3, 0.8
"""Hours in 24 at so much of a pace that make it one that a key has had before."""
_DAY = 24
STILL = 0.5
"""Of the mean pace of an excess, which a key must keep up lately to go on."""


@dataclass(frozen=True, slots=True)
class Offender:
    """A key that is behind a breach; amounts over the window that the breach is about."""

    key: str
    workspace: str
    observed: Nano
    expected: Nano
    goes_on: bool = True
    """Whether it spends more than was expected to this day, at no much lower pace: else stopping it saves nothing."""
    known: bool = True
    """Whether it has spent for long enough that anybody knows what is usual of it: of a wider breach, already in the
    first of the weeks that it is held against."""
    precedent: bool = False
    """Whether it has spent as much an hour before, in as many hours of a day: as at the end of each month."""
    lately: float = inf
    """Of a wider breach: how many times what is usual it spent in the last day of the window."""

    @property
    def multiple(self) -> float:
        """How many times what was expected it spent."""
        return self.observed / self.expected if self.expected > 0 else inf


@dataclass(frozen=True, slots=True)
class Offence:
    """A breach that asks for action."""

    cause: Cause
    alert: Alert
    action: KeyAction
    since: datetime
    observed: Nano
    certain: Nano
    bound: Nano
    error: float
    data_as_of: datetime
    offenders: tuple[Offender, ...] = ()
    share: float = 1.0
    confidence: float = 1.0
    unknown: str = ""
    """Why it is not known which keys are behind it, as a clause; "" where it is."""
    period_end: datetime | None = None
    unpriced: tuple[str, ...] = ()

    @property
    def amount(self) -> Nano:
        """By how much it is surely too much."""
        return self.certain - self.bound

    def evidence(self, offender: Offender) -> ActionEvidence:
        """The figures that a decision about one of the keys rests on."""
        return ActionEvidence(
            since=self.since,
            observed=self.observed,
            certain=self.certain,
            bound=self.bound,
            key_observed=offender.observed,
            key_expected=offender.expected,
            share=self.share,
            confidence=self.confidence,
            error=self.error,
            data_as_of=self.data_as_of,
            period_end=self.period_end,
            unpriced=self.unpriced,
        )


@dataclass(frozen=True, slots=True)
class Field:
    """What offences are found in: the figures, and the rules that may ask for action."""

    view: SpendView
    names: Names
    budgets: Sequence[Budget]
    anomalies: Sequence[AnomalyRule]
    error: float

    def offences(self, breaches: Iterable[Breach], alerts: Iterable[Alert]) -> Iterator[Offence]:
        """Those of alerts that fire, by what this judgement says of them; in the order of the breaches.

        One whose story another one tells that asks for action, too, is left to that.
        """
        found = list(self._each(breaches, alerts))
        telling = {offence.alert.id for offence in found}
        yield from (offence for offence in found if offence.alert.inhibited_by not in telling)

    def _each(self, breaches: Iterable[Breach], alerts: Iterable[Alert]) -> Iterator[Offence]:
        firing = {alert.subject: alert for alert in alerts if alert.state is State.FIRING}
        budgets = {budget.name: budget for budget in self.budgets if any(map(action_of, budget.thresholds))}
        rules = {rule.name: rule for rule in self.anomalies if rule.action is not None}
        for breach in breaches:
            subject = breach.subject
            alert = firing.get(subject)
            if alert is None:
                continue
            if subject.kind == "budget" and subject.rule in budgets and isinstance(breach.evidence, BudgetEvidence):
                yield from self._of_budget(budgets[subject.rule], subject, breach.evidence, alert)
            if subject.kind == "anomaly" and subject.rule in rules and isinstance(breach.evidence, AnomalyEvidence):
                yield self._of_anomaly(rules[subject.rule], subject, breach.evidence, alert)

    def _of_budget(self, budget: Budget, subject: Subject, told: BudgetEvidence, alert: Alert) -> Iterator[Offence]:
        asked = {mark_id(mark): (mark, action_of(mark)) for mark in budget.thresholds}
        mark, action = asked.get(subject.instance.rpartition("/")[2], (0.0, None))
        if action is None:
            return
        scope, bound = subject.scope, threshold_amount(told.limit, mark)
        instance = alert.id if told.rolling else subject.instance
        found = self._behind(budget.select, scope, told.period_start, key_observed=told.spent, key_expected=bound)
        yield Offence(
            cause=Cause("budget", budget.name, scope, instance),
            alert=alert,
            action=action,
            since=told.period_start,
            observed=told.spent,
            certain=self._certain(told.spent, told.settled),
            bound=bound,
            error=self.error,
            data_as_of=told.data_as_of,
            offenders=found.offenders,
            share=found.share,
            confidence=found.confidence,
            unknown=found.unknown,
            period_end=None if told.rolling else told.period_end,
            unpriced=told.unpriced,
        )

    def _of_anomaly(self, rule: AnomalyRule, subject: Subject, told: AnomalyEvidence, alert: Alert) -> Offence:
        scope = subject.scope
        found = self._behind(rule.select, scope, told.since, key_observed=told.observed, key_expected=told.expected)
        return Offence(
            cause=Cause("anomaly", rule.name, scope, alert.id),
            alert=alert,
            action=rule.action or KeyAction(),
            since=told.since,
            observed=told.observed,
            certain=self._certain(told.observed, told.settled),
            bound=told.expected,
            error=self.error,
            data_as_of=told.data_as_of,
            offenders=found.offenders,
            share=found.share,
            confidence=found.confidence,
            unknown=found.unknown,
            unpriced=told.unpriced,
        )

    def _certain(self, observed: Nano, settled: Nano) -> Nano:
        """Settled spend, and the lower end of what is estimated; never more than was observed."""
        estimated = max(observed - settled, 0)
        return observed - min(estimated, round(estimated * self.error))

    def _behind(
        self, selector: Selector, scope: Scope, since: datetime, *, key_observed: Nano, key_expected: Nano
    ) -> _Behind:
        members = places(self.view, self.names, selector, scope)
        if scope.api_key is not None:
            workspace = self.names.workspace_of_key.get(scope.api_key, scope.workspace or "")
            known = self._known(members, self.view.index(since - USUAL_AFTER))
            precedent = self._has_precedent(members, since, key_observed)
            own = Offender(scope.api_key, workspace, key_observed, key_expected, known=known, precedent=precedent)
            return _Behind((own,))
        first = max(self.view.index(since), 0)
        last = min(self.view.index(self.view.observed_until - timedelta(microseconds=1)) + 1, self.view.hours)
        if not len(members) or first >= last:
            return _Behind(unknown="nothing is known of the hours in question")
        if first < LEAST_WEEKS * WEEK:
            return _Behind(unknown="there are no two weeks of history before it that say what each key usually spends")
        parts = Excess(self.view, self.names, by_habit(self.view, members, slice(first, last))).by("api_key")
        if parts.excess <= 0:
            return _Behind(unknown="the scope spent no more than in the weeks before: no key is out of the ordinary")
        found = explaining(parts, LEAST_SHARE, MOST_KEYS)
        if found is None:
            return _Behind(unknown=f"no {MOST_KEYS} keys explain half of the excess: it is spread over many")
        if found.confidence < LEAST_CONFIDENCE:
            return _Behind(unknown="the keys that seem to explain it stray as far in other weeks")
        return self._explained(found, members, slice(first, last))

    def _known(self, members: Places, before: int) -> bool:
        """Whether any of these leaves had spent something before an hour of the view."""
        return bool(self.view.cost[members, : max(before, 0)].any())

    def _has_precedent(self, members: Places, since: datetime, observed: Nano) -> bool:
        """Whether these leaves had `PRECEDENT` hours of about this pace in 24, up to a day before."""
        length = max((self.view.observed_until - since) / HOUR, 1.0)
        before = max(self.view.index(since) - _DAY, 0)
        hot = self.view.cost[members, :before].sum(axis=0) >= ALIKE * observed / length
        return bool(np.convolve(hot.astype(np.int64), np.ones(_DAY, dtype=np.int64)).max(initial=0) >= PRECEDENT)

    def _explained(self, found: Explained, members: Places, window: slice) -> _Behind:
        lately = slice(max(window.stop - LATELY // HOUR, window.start), window.stop)
        oldest = window.start - (min(window.start // WEEK, WEEKS) - 1) * WEEK
        part_of = (lately.stop - lately.start) / (window.stop - window.start)
        recent = {part.ids[0]: part for part in self._parts(members, lately)}
        of = {part.ids[0]: [at for at in members.tolist() if self._key(at) == part.ids[0]] for part in found.parts}
        offenders = tuple(
            Offender(
                part.ids[0],
                self.names.workspace_of_key.get(part.ids[0], ""),
                part.observed,
                part.expected,
                goes_on=part.ids[0] in recent and _goes_on(recent[part.ids[0]], part, part_of),
                lately=_times(recent.get(part.ids[0])),
                known=self._known(np.array(of[part.ids[0]], dtype=np.intp), oldest),
            )
            for part in found.parts
        )
        return _Behind(offenders, found.share, found.confidence)

    def _key(self, place: int) -> str:
        return self.view.leaves[place].api_key

    def _parts(self, members: Places, window: slice) -> tuple[Part, ...]:
        return Excess(self.view, self.names, by_habit(self.view, members, window)).by("api_key").parts


@dataclass(frozen=True, slots=True)
class _Behind:
    """The keys behind a breach, or why they are not known."""

    offenders: tuple[Offender, ...] = ()
    share: float = 1.0
    confidence: float = 1.0
    unknown: str = ""


def _goes_on(recent: Part, whole: Part, part_of: float) -> bool:
    """Whether a key's excess of late, in so large a part of the window, is at least half of what the whole had."""
    return recent.excess > 0 and recent.excess >= whole.excess * part_of * STILL


def _times(recent: Part | None) -> float:
    if recent is None:
        return 0.0
    return recent.observed / recent.expected if recent.expected > 0 else inf


def action_of(mark: float | Threshold) -> KeyAction | None:
    """What a threshold asks to be done."""
    return mark.action if isinstance(mark, Threshold) else None


def places(view: SpendView, names: Names, selector: Selector, scope: Scope) -> Places:
    """The leaves of a view that a rule's selector takes and that lie in a scope."""
    chosen = select(selector, view.leaves, names)
    for dimension, value in scope.parts().items():
        idents = values_of(dimension, view.leaves, names)
        chosen &= np.fromiter((ident == value for ident in idents), dtype=np.bool_, count=len(idents))
    return np.flatnonzero(chosen)


def estimate_error(days: Sequence[ReconciledDay]) -> float:
    """By how much estimates were too high, as a fraction of what was estimated and billed on the last settled days."""
    errors: list[float] = []
    for day in days:
        compared = [cell for cell in day.cells if cell.sort == "compared"]
        estimated = sum(cell.estimated for cell in compared)
        if day.standing == "settled" and estimated > 0:
            errors.append(max((estimated - sum(cell.billed for cell in compared)) / estimated, 0.0))
    return upper_error(errors)


def upper_error(errors: Sequence[float]) -> float:
    """The error on all but a tenth of days, from that of each day, in their order, as a fraction and never below zero.

    The 90 % quantile over at most the last `MOST_DAYS`; `ASSUMED_ERROR` where fewer than `LEAST_DAYS` are known.
    """
    if len(errors) < LEAST_DAYS:
        return ASSUMED_ERROR
    return float(np.quantile(errors[-MOST_DAYS:], 0.9))


def by_cause(offences: Iterable[Offence]) -> Mapping[str, Offence]:
    """The same by the id of what they are about."""
    return {offence.cause.id: offence for offence in offences}
