"""Alerts about the thresholds of budgets: what they were told at, and when a threshold may be told once more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from rules.model import Alert, Breach, BudgetEvidence, Nano, Subject, Verdict
from rules.thresholds import threshold_amount, told_mark


@dataclass(frozen=True, slots=True)
class Crossing:
    """An alert about a budget's threshold."""

    alert: Alert
    evidence: BudgetEvidence

    def amount(self, limit: Nano | None = None) -> Nano:
        """What the threshold is worth under the limit it was crossed at, or under another."""
        return threshold_amount(self.evidence.limit if limit is None else limit, told_mark(self.evidence))

    @property
    def told(self) -> Nano:
        """What the threshold was worth when it was told."""
        told = self.evidence.told_amount
        return self.amount() if told is None else told


def crossing_of(alert: Alert) -> Crossing | None:
    """The alert as a crossing, if it is one."""
    return Crossing(alert, alert.evidence) if isinstance(alert.evidence, BudgetEvidence) else None


def is_armed(closed: Alert, verdict: Verdict) -> bool:
    """Whether a crossing that has ended may be told again: it is worth more than when it was, and was not passed since.

    `clear_since` is set on those that a raised limit ended; of others, what was last spent says whether it was passed.
    """
    before = crossing_of(closed)
    if before is None or not isinstance(verdict, Breach) or not isinstance(verdict.evidence, BudgetEvidence):
        return False
    worth = threshold_amount(verdict.evidence.limit, told_mark(verdict.evidence))
    return worth > before.told and (closed.clear_since is not None or before.evidence.spent < worth)


def resets_of(alerts: Iterable[Alert]) -> dict[Subject, datetime]:
    """When each subject of which something was told was last reset; those that never were are left out."""
    found: dict[Subject, datetime] = {}
    for alert in alerts:
        if alert.reset_at is not None:
            found[alert.subject] = max(alert.reset_at, found.get(alert.subject, alert.reset_at))
    return found


def scope_and_period(alert: Alert) -> tuple[str, ...]:
    """What the thresholds of one budget, scope and period have in common: a fingerprint without the threshold."""
    subject = alert.subject
    period = subject.instance.rpartition("/")[0]
    return subject.rule, replace(subject, instance=period).fingerprint
