"""A message that looks like a real one and says that it is a test."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from rules.model import (
    Alert,
    AnomalyEvidence,
    HourPoint,
    Notification,
    Reason,
    Scope,
    Severity,
    Share,
    State,
    Subject,
)

_DOLLAR = 1_000_000_000


def rehearsal(receiver: str, now: datetime) -> Notification:
    """A made-up anomaly of a key that does not exist, addressed to a receiver."""
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
    alert = Alert(
        id=hashlib.sha256(f"{receiver} {now.isoformat()}".encode()).hexdigest()[:16],
        subject=subject,
        severity=Severity.INFO,
        state=State.FIRING,
        starts_at=since,
        pending_since=now,
        evidence=evidence,
        summary="This is a test of claude-watcher: nothing is wrong. A real alert would read like this one.",
        value=evidence.observed,
        expected=evidence.expected,
        fired_at=now,
        names={key: "test-key"},
    )
    return Notification(f"test-{alert.id}", receiver, Reason.TEST, (alert,), now, "Test")
