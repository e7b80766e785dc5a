"""What is otherwise now than when it was decided: figures, what settled, prices, the rule; and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from notifiers.text import clean, plural, when
from rules.limits import limit_of
from rules.measures import amount_words
from rules.model import (
    HOUR,
    Alert,
    AnomalyEvidence,
    AnomalyRule,
    Budget,
    BudgetEvidence,
    Evidence,
    Nano,
    SilenceEvidence,
    SpendView,
    TriggerEvidence,
    UnitPriceEvidence,
)
from rules.money import display_usd
from rules.sensitivity import SPEND, threshold
from rules.thresholds import mark_id, told_mark
from watcher.config.durations import spell_duration
from watcher.explain.again import Again
from watcher.explain.figures import Figures
from watcher.explain.record import Record
from watcher.store import Store

What: TypeAlias = Literal["usage", "cost", "prices", "figures", "hour", "configuration", "feedback", "events"]

_NOTICED = 5_000_000
"""Nano-dollars, half a cent: less is rounding."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is otherwise; `before` and `after` are amounts, where it is one."""

    what: What
    words: str
    before: Nano | None = None
    after: Nano | None = None


def changes(store: Store, record: Record, again: Again, now: datetime) -> tuple[Change, ...]:
    """Everything that is otherwise and could matter, the figures first. Reads only; raises StoreError."""
    found = list(_of_figures(store, record, again, now)) if again.frame is not None else []
    found += _of_the_rule(record.decided, again)
    for said in again.feedback:
        found.append(Change("feedback", f"{clean(said.by)} said {when(said.at, now)} that it was {said.verdict}"))
    found += [
        Change("events", f'"{clean(name)}" is planned then, and widens what is expected') for name in again.events
    ]
    return tuple(found)


def window_of(evidence: Evidence) -> tuple[datetime, datetime] | None:
    """The hours whose spend was held against the rule; None where the evidence is of no such stretch."""
    if isinstance(evidence, AnomalyEvidence | UnitPriceEvidence | SilenceEvidence):
        return evidence.since, evidence.data_as_of
    if isinstance(evidence, BudgetEvidence | TriggerEvidence):
        return evidence.period_start, min(evidence.data_as_of, evidence.period_end)
    return None


def _of_figures(store: Store, record: Record, again: Again, now: datetime) -> Iterator[Change]:
    evidence, window = record.decided.evidence, window_of(record.decided.evidence)
    figures = _figures(record, again)
    if window is None or figures is None or not figures.reaches(window[0]):
        return
    before, after = _seen(evidence), figures.cost(*window)
    if abs(after - before) >= _NOTICED:
        what, words = _why(evidence, figures, window, _revised(store, record, window), now)
        moved = f"{_amount(evidence, before)} is {_amount(evidence, after)} now"
        yield Change(what, f"{moved}: {words}" if words else moved, before, after)


def _figures(record: Record, again: Again) -> Figures | None:
    """Of the alert's scope what the rule counts, as known now."""
    evidence = record.decided.evidence
    if again.frame is None or again.rules is None:
        return None
    known: SpendView | str = again.frame.view
    if isinstance(evidence, BudgetEvidence) and evidence.measure.id:
        known = again.frame.counted.get(evidence.measure, "")
    if isinstance(known, str):
        return None
    selector = again.rules.budgets[0].select if again.rules.budgets else None
    return Figures.of(known, record.names, record.alert.subject.scope, selector)


def _why(
    evidence: Evidence, figures: Figures, window: tuple[datetime, datetime], revised: int, now: datetime
) -> tuple[What, str]:
    """Why the sum of the stretch is another one, by what else is otherwise."""
    before, settled = _settled(evidence), figures.settled(*window)
    full = window[1].replace(minute=0, second=0, microsecond=0)
    if revised:
        return "usage", f"the usage report was restated ({plural(revised, 'hour')})"
    if isinstance(evidence, BudgetEvidence) and not evidence.measure.is_money:
        return "figures", ""
    if settled > before + _NOTICED:
        return "cost", f"{display_usd(settled)} of it has settled by now, {display_usd(before)} had then"
    if settled < before - _NOTICED:
        return "cost", "the cost report was restated"
    if full < window[1] and figures.cost(window[0], full) <= _seen(evidence) < figures.cost(*window):
        return "hour", f"the hour of {when(full, now)} had not been read to its end"
    return "prices", "the same tokens are priced otherwise"


def _seen(evidence: Evidence) -> Nano:
    """What had been counted of the stretch."""
    if isinstance(evidence, AnomalyEvidence | UnitPriceEvidence):
        return evidence.observed
    return evidence.spent if isinstance(evidence, BudgetEvidence | TriggerEvidence) else 0


def _settled(evidence: Evidence) -> Nano:
    found = getattr(evidence, "settled", 0)
    return found if isinstance(found, int) else 0


def _amount(evidence: Evidence | TriggerEvidence, amount: Nano) -> str:
    if isinstance(evidence, BudgetEvidence):
        return amount_words(evidence.measure, amount)
    return display_usd(amount)


def _revised(store: Store, record: Record, window: tuple[datetime, datetime]) -> int:
    """Of how many hours of the stretch the usage report said something else after the decision."""
    found = store.usage.revisions(record.organization.id, record.decided_at)
    return len(
        {each.bucket for each in found if window[0] <= each.bucket < window[1] and _is_over(each.bucket, window)}
    )


def _is_over(hour: datetime, window: tuple[datetime, datetime]) -> bool:
    """Whether the hour had ended when it was decided: one that was filling grows, and is not restated by that."""
    return hour + HOUR <= window[1]


def _of_the_rule(decided: Alert, again: Again) -> Iterator[Change]:
    if again.rules is None:
        return
    if isinstance(decided.evidence, BudgetEvidence | TriggerEvidence):
        yield from _of_budget(decided, decided.evidence, again.rules.budgets[0])
    elif again.rules.anomalies:
        yield from _of_anomaly(decided, again.rules.anomalies[0])


def _of_budget(decided: Alert, evidence: BudgetEvidence | TriggerEvidence, budget: Budget) -> Iterator[Change]:
    limit = limit_of(budget, decided.subject.scope, evidence.period_start)
    if limit is not None and limit != evidence.limit:
        then, now = _amount(evidence, evidence.limit), _amount(evidence, limit)
        yield Change("configuration", f"the limit was {then} and is {now}", evidence.limit, limit)
    elif limit is None:
        yield Change("configuration", f"the limit was {_amount(evidence, evidence.limit)} and there is none now")
    if isinstance(evidence, BudgetEvidence) and mark_id(told_mark(evidence)) not in map(mark_id, budget.thresholds):
        yield Change("configuration", "the budget has no such threshold any more")


def _of_anomaly(decided: Alert, rule: AnomalyRule) -> Iterator[Change]:
    evidence = decided.evidence
    if isinstance(evidence, AnomalyEvidence) and evidence.terms is not None:
        terms = evidence.terms
        if terms.min_excess != rule.min_excess:
            then, now = display_usd(terms.min_excess), display_usd(rule.min_excess)
            told = f"min_excess_usd was {then} and is {now}"
            yield Change("configuration", told, terms.min_excess, rule.min_excess)
        least = threshold(rule, 1 if evidence.odds is None else evidence.odds.series, SPEND)
        if abs(least - terms.threshold) >= 0.001:
            yield Change("configuration", f"the threshold was {terms.threshold:g} times the usual and is {least:.3g}")
        if terms.of_usual != rule.tuning.of_usual:
            yield Change("configuration", f"of_usual was {terms.of_usual:g} and is {rule.tuning.of_usual:g}")
        if terms.hold_for != rule.hold_for:
            was, is_now = spell_duration(terms.hold_for), spell_duration(rule.hold_for)
            yield Change("configuration", f"`for` was {was} and is {is_now}")
    if decided.keep_firing_for != rule.keep_firing_for:
        was, is_now = spell_duration(decided.keep_firing_for), spell_duration(rule.keep_firing_for)
        yield Change("configuration", f"keep_firing_for was {was} and is {is_now}")
