"""A message that looks like a real one and says that it is a test."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from rules.digest import BudgetStanding, Compared, DayBar, Digest, Mover, Projected
from rules.model import (
    Alert,
    AnomalyEvidence,
    BudgetEvidence,
    HourPoint,
    Notification,
    Reason,
    Scope,
    Severity,
    Share,
    State,
    Subject,
)
from rules.periods import period_between, period_of

_DOLLAR = 1_000_000_000


_SAYS = "This is a test of claude-watcher: nothing is wrong. A real alert would read like this one."


def rehearsal(receiver: str, now: datetime, kind: str = "anomaly") -> Notification:
    """A made-up message about a key that does not exist, addressed to a receiver.

    `kind` is "anomaly", "budget", "resolved" (an anomaly that is over) or "digest".
    """
    ident = hashlib.sha256(f"{receiver} {kind} {now.isoformat()}".encode()).hexdigest()[:16]
    if kind == "digest":
        return Notification(f"test-{ident}", receiver, Reason.TEST, (), now, "Test", digest=_digest(now))
    alert = _budget(ident, now) if kind == "budget" else _anomaly(ident, now)
    if kind == "resolved":
        alert = replace(alert, state=State.RESOLVED, ends_at=now)
    return Notification(f"test-{ident}", receiver, Reason.TEST, (alert,), now, "Test")


def _anomaly(ident: str, now: datetime) -> Alert:
    hour = now.replace(minute=0, second=0, microsecond=0)
    since = hour - timedelta(hours=3)
    normal, upper = 9 * _DOLLAR, 17 * _DOLLAR
    points = tuple(
        HourPoint(hour - timedelta(hours=back), (212 if back <= 3 else 9) * _DOLLAR, normal, upper)
        for back in range(24, 0, -1)
    )
    evidence = AnomalyEvidence(
        since=since,
        observed=3 * 212 * _DOLLAR,
        expected=3 * normal,
        per_hour=212 * _DOLLAR,
        normal_per_hour=normal,
        upper_per_hour=upper,
        score=14.2,
        history_hours=1440,
        points=points,
        data_as_of=now,
        top=(Share("model", "claude-opus-5", "claude-opus-5", 3 * 205 * _DOLLAR),),
    )
    key = "apikey_test"
    subject = Subject("test", "anomaly", Scope("test", api_key=key))
    return Alert(
        id=ident,
        subject=subject,
        severity=Severity.INFO,
        state=State.FIRING,
        starts_at=since,
        pending_since=now,
        evidence=evidence,
        summary=_SAYS,
        value=evidence.observed,
        expected=evidence.expected,
        fired_at=now,
        names={key: "test-key"},
    )


def _budget(ident: str, now: datetime) -> Alert:
    period = period_of("month", "UTC", now)
    evidence = BudgetEvidence(
        period=period.label,
        period_start=period.start,
        period_end=period.end,
        timezone="UTC",
        threshold_percent=80,
        also_crossed=(),
        spent=812 * _DOLLAR,
        limit=1000 * _DOLLAR,
        settled=700 * _DOLLAR,
        data_as_of=now,
        top=(Share("model", "claude-opus-5", "claude-opus-5", 650 * _DOLLAR),),
    )
    return Alert(
        id=ident,
        subject=Subject("test", "budget", Scope("test"), "80"),
        severity=Severity.INFO,
        state=State.FIRING,
        starts_at=now.replace(minute=0, second=0, microsecond=0),
        pending_since=now,
        evidence=evidence,
        summary=_SAYS,
        value=evidence.spent,
        limit=evidence.limit,
        fired_at=now,
        closes_at=period.end,
    )


def _digest(now: datetime) -> Digest:
    """Of yesterday, with four weeks of days that are all alike but for their weekends."""
    today = now.astimezone(UTC).date()
    period = period_between(today - timedelta(days=1), today, "UTC")
    days = [today - timedelta(days=back) for back in range(28, 0, -1)]
    bars = tuple(DayBar(day, (40 if day.weekday() > 4 else 120) * _DOLLAR, whole=True) for day in days)
    spent, before, week = bars[-1].cost, bars[-2].cost, bars[-8].cost
    month = period_of("month", "UTC", now)
    return Digest(
        name="test",
        every="daily",
        timezone="UTC",
        label=period.label,
        first=days[-1],
        start=period.start,
        end=period.end,
        due_at=max(period.end, min(datetime.combine(today, time(9), tzinfo=UTC), now)),
        spent=spent,
        settled=0,
        compared=(Compared("the day before", before), Compared("the same weekday a week before", week)),
        usual=week,
        data_as_of=now,
        complete_until=now,
        month=Projected(month.label, 1400 * _DOLLAR, 2900 * _DOLLAR, 2700 * _DOLLAR, 3150 * _DOLLAR, known=True),
        budgets=(BudgetStanding("test", "", month.label, "usd", 1400 * _DOLLAR, 3000 * _DOLLAR),),
        movers=(
            Mover(
                "api_key", "apikey_test", "test-key", 31 * _DOLLAR, 9 * _DOLLAR, "more volume (3.4 times the tokens)"
            ),
        ),
        bars=bars,
        limit=100 * _DOLLAR,
        limit_of="test",
    )
