"""The whole answer to why an alert is what it is, put together from the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from rules.model import BudgetEvidence, Evidence, Nano, TriggerEvidence
from watcher.explain.again import Again, judge_again
from watcher.explain.changes import Change, changes, window_of
from watcher.explain.figures import Figures
from watcher.explain.priced import Priced, priced
from watcher.explain.record import Record
from watcher.pricing import PriceBook
from watcher.settings import Settings
from watcher.store import Store


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was decided, how, and what would be now."""

    record: Record
    again: Again
    changes: tuple[Change, ...]
    prices: tuple[Priced, ...]
    priced_on: date | None
    now: datetime
    planned: tuple[str, ...]
    """The names of the events that touch its hours and what it is about, as they are planned now."""
    by_day: Mapping[date, Nano] = field(default_factory=dict)
    """Of a budget in money: what each day of its period came to, as known now, up to the decision."""


def explain(store: Store, settings: Settings, record: Record, now: datetime) -> Explanation:
    """Look at everything. Reads only; raises StoreError."""
    again = judge_again(store, settings, record, now)
    found = changes(store, record, again, now)
    if again.frame is None:
        return Explanation(record, again, found, (), None, now, ())
    selector = again.rules.budgets[0].select if again.rules is not None and again.rules.budgets else None
    figures = Figures.of(again.frame.view, record.names, record.alert.subject.scope, selector)
    prices, day = priced(store, PriceBook(settings.prices), record, figures, now)
    return Explanation(
        record, again, found, prices, day, now, _planned(record, again), _by_day(record.decided.evidence, figures)
    )


def _planned(record: Record, again: Again) -> tuple[str, ...]:
    window = window_of(record.decided.evidence)
    if window is None or again.rules is None or again.frame is None:
        return ()
    found = []
    for event in again.rules.events:
        near = any(each.begins < window[1] and each.ends > window[0] for each in event.windows)
        scope = record.alert.subject.scope
        if near and len(Figures.of(again.frame.view, record.names, scope, event.select).members):
            found.append(f"{event.name} (up to {event.expect:g} times the usual)")
    return tuple(found)


def _by_day(evidence: Evidence, figures: Figures) -> Mapping[date, Nano]:
    window = window_of(evidence)
    if window is None or not isinstance(evidence, BudgetEvidence | TriggerEvidence) or not figures.reaches(window[0]):
        return {}
    if isinstance(evidence, BudgetEvidence) and evidence.measure.id:
        return {}
    return figures.by_day(*window, evidence.timezone)
