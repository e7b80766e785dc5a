"""What is behind the alert of a budget's trigger, as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rules.evidence import Triggered
from rules.model import BurnEvidence, ForecastEvidence
from rules.money import usd_string
from rules.trigger_words import mark_of


def trigger_json(evidence: Triggered) -> dict[str, Any]:
    """The mark in words, the period, what is spent and left, per hour beside what is sustainable, and what comes.

    Money is an exact decimal string of dollars; moments are UTC, null where there is none.
    """
    document: dict[str, Any] = {
        "mark": mark_of(evidence),
        "with_it": list(evidence.also),
        "told_with": evidence.told_with,
        "period": evidence.period,
        "period_starts_at": _utc(evidence.period_start),
        "period_ends_at": _utc(evidence.period_end),
        "spent_usd": usd_string(evidence.spent),
        "remaining_usd": usd_string(evidence.remaining),
        "per_hour_usd": usd_string(evidence.per_hour),
        "sustainable_per_hour_usd": usd_string(evidence.sustainable),
    }
    if isinstance(evidence, ForecastEvidence):
        return document | {
            "amount_usd": usd_string(evidence.amount),
            "total_usd": usd_string(evidence.total),
            "low_usd": usd_string(evidence.low),
            "high_usd": usd_string(evidence.high),
            "expected_at": _utc(evidence.crosses),
            "early_at": _utc(evidence.early),
            "late_at": _utc(evidence.late),
        }
    if isinstance(evidence, BurnEvidence):
        return document | {
            "long_hours": evidence.long_hours,
            "short_hours": evidence.short_hours,
            "factor": evidence.factor,
            "burnt_usd": usd_string(evidence.burnt),
            "exhausted_at": _utc(evidence.exhausted_at),
        }
    return document | {
        "percent": evidence.percent,
        "expected_usd": usd_string(evidence.expected),
        "total_usd": usd_string(evidence.ends_at),
        "exhausted_at": _utc(evidence.exhausted_at),
    }


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
