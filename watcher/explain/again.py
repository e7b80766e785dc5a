"""The same hour judged again: by the rule as it is configured now, on the figures as they are stored now.

What is judged is the end of the newest hour that the decision rested on. It may have been filling then and be complete
now. Everything before it counts with what is known of it today: restated usage, settled days, prices learned since.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from rules import judgement
from rules.drift import DriftRule
from rules.judgement import Past, Rules, decide
from rules.model import (
    HOUR,
    Alert,
    AnomalyEvidence,
    BudgetEvidence,
    Evidence,
    SilenceEvidence,
    Snapshot,
    SpendView,
    State,
    TriggerEvidence,
    UnitPriceEvidence,
)
from rules.prices import PriceRule
from rules.quieted import Feedback
from watcher.asked_rules import rules_asked
from watcher.backtest.frames import Frame, hourly
from watcher.backtest.history import History, stored_history
from watcher.events import planned
from watcher.explain.record import Record
from watcher.limits.caps import read_caps
from watcher.pricing import PriceBook
from watcher.settings import Settings
from watcher.store import Store

Outcome: TypeAlias = Literal["same", "other_severity", "no_alert", "unknown"]

_REPLAYED = (AnomalyEvidence, UnitPriceEvidence, SilenceEvidence, BudgetEvidence, TriggerEvidence)
_INSTANT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Again:
    """What came of judging it again."""

    outcome: Outcome
    why: str = ""
    """Of one that cannot be judged again, or of which nothing is left to judge: a sentence."""
    end: datetime | None = None
    """The end of the hour that was judged."""
    alert: Alert | None = None
    """The alert that it would be now."""
    rules: Rules | None = None
    """The one rule as it is now; None where it is configured no more."""
    frame: Frame | None = None
    feedback: tuple[Feedback, ...] = ()
    """What was said and holds, where without it there would be an alert."""
    events: tuple[str, ...] = ()
    """The names of what is planned now, where without it there would be an alert."""

    @property
    def evidence(self) -> Evidence | None:
        """The figures of that alert."""
        return None if self.alert is None else self.alert.evidence


def judge_again(store: Store, settings: Settings, record: Record, now: datetime) -> Again:
    """Judge what the record decided once more. Reads only; raises StoreError."""
    decided = record.decided
    if not isinstance(decided.evidence, _REPLAYED):
        return Again("unknown", "Alerts of this kind are not judged again: nothing is kept of what they rested on.")
    rules = _the_rule(settings, record)
    if rules is None:
        which = "anomaly" if decided.subject.kind == "anomaly" else "budget"
        return Again("no_alert", f"No [[{which}]] of this name is in the configuration for this organization any more.")
    end = _end(record)
    history = stored_history(store, PriceBook(settings.prices), record.organization.id, [rules], (end - HOUR, now))
    if history.first is None or history.first > end - 2 * HOUR:
        return Again("unknown", "The hours that it rests on are not stored any more.", end, rules=rules)
    frame = _frame(history, end)
    if frame is None:
        return Again("unknown", "The hours that it rests on are not stored any more.", end, rules=rules)
    frame = replace(frame, now=_moment(decided.evidence, frame.now))
    if any(budget.console for budget in rules.budgets):
        rules = rules.under(read_caps(store, record.organization.id, record.names), record.names)
    said = store.feedback.open(record.organization.id, now)
    found = _found(frame, rules, record, said)
    if found is not None:
        outcome: Outcome = "same" if found.severity is decided.severity else "other_severity"
        return Again(outcome, "", end, found, rules, frame)
    feedback, events = _to_blame(lambda rules, said: _found(frame, rules, record, said), rules, said)
    return Again("no_alert", "", end, None, rules, frame, feedback, events)


def _to_blame(
    judge: Callable[[Rules, tuple[Feedback, ...]], Alert | None], rules: Rules, said: tuple[Feedback, ...]
) -> tuple[tuple[Feedback, ...], tuple[str, ...]]:
    """The feedback, and the events, without which it would be an alert."""
    feedback = said if said and judge(rules, ()) is not None else ()
    plain = replace(rules, events=())
    events = tuple(event.name for event in rules.events) if rules.events and judge(plain, said) is not None else ()
    return feedback, events


def _the_rule(settings: Settings, record: Record) -> Rules | None:
    """The alert's rule alone, with the events around the decision; None where it is there no more."""
    name, organization = record.alert.subject.rule, record.organization
    asked = replace(rules_asked(settings), events=planned(settings.events, record.decided_at))
    called = [each for each in (organization.name, organization.label) if each]
    mine = asked.of(organization.id, called)
    anomaly = record.alert.subject.kind == "anomaly"
    rules = Rules(
        budgets=() if anomaly else tuple(budget for budget in mine.budgets if budget.name == name),
        anomalies=tuple(rule for rule in mine.anomalies if rule.name == name) if anomaly else (),
        drift=DriftRule(enabled=False),
        prices=PriceRule(enabled=False),
        events=mine.events,
    )
    return rules if rules.budgets or rules.anomalies else None


def _end(record: Record) -> datetime:
    """The end of the newest hour that the decision rested on."""
    evidence = record.decided.evidence
    moment = evidence.data_as_of or record.decided_at
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    end = hour if hour == moment else hour + HOUR
    if isinstance(evidence, BudgetEvidence | TriggerEvidence):
        last = evidence.period_end.replace(minute=0, second=0, microsecond=0)
        return min(end, last)
    return end


def _frame(history: History, end: datetime) -> Frame | None:
    """What is known of the hours before `end`; of the last of them as much as was read, where it still fills."""
    complete = history.view.complete_until
    until = min(end, complete)
    frame = next(hourly(history.view, until - HOUR, until + HOUR, counted=history.counted), None)
    if frame is None or complete >= end:
        return frame
    start = frame.view.start
    counted = {
        measure: known if isinstance(known, str) else _cut(known, start, end)
        for measure, known in history.counted.items()
    }
    view = _cut(history.view, start, end)
    return replace(frame, now=max(frame.now, view.observed_until), view=view, counted=counted)


def _cut(view: SpendView, start: datetime, end: datetime) -> SpendView:
    columns = slice(view.index(start), view.index(end))
    return replace(
        view,
        start=start,
        cost=view.cost[:, columns],
        settled=view.settled[:, columns],
        known=view.known[columns],
        complete_until=min(view.complete_until, end),
        observed_until=min(view.observed_until, end),
    )


def _moment(evidence: Evidence, now: datetime) -> datetime:
    """When it is judged: of a budget's period before its end, that its own period is the running one."""
    if isinstance(evidence, BudgetEvidence | TriggerEvidence):
        return min(now, evidence.period_end - _INSTANT)
    return now


def _found(frame: Frame, rules: Rules, record: Record, said: tuple[Feedback, ...]) -> Alert | None:
    """The alert of the same subject that a judgement makes of these figures."""
    view = frame.view
    if frame.reach is not None and rules.budgets:
        view = replace(view, earlier=frame.reach(judgement.beginnings(rules, None, frame.now)))
    snapshot = Snapshot(
        organization=record.organization.id,
        organization_name=record.organization.name,
        view=view,
        names=record.names,
        label=record.organization.label,
        counted=frame.counted,
    )
    decision = decide(snapshot, rules, Past(feedback=said), frame.now)
    return next((each for each in decision.alerts if _is_of(each, record.alert)), None)


def _is_of(found: Alert, alert: Alert) -> bool:
    return found.subject == alert.subject and found.state is not State.RESOLVED
