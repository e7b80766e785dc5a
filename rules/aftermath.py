"""What came after the story of an alert, so that its end can tell whether things went back to what they were."""

from __future__ import annotations

from dataclasses import replace

from rules.model import Alert, AnomalyEvidence, Nano, SilenceEvidence, TriggerEvidence, UnitPriceEvidence


def at_present(alert: Alert, value: Nano | None) -> Alert:
    """The alert with what its subject spends an hour (or pays for a million tokens) now that it is clear."""
    if value is None:
        return alert
    if isinstance(alert.evidence, AnomalyEvidence | SilenceEvidence):
        return replace(alert, evidence=replace(alert.evidence, after_per_hour=value))
    if isinstance(alert.evidence, UnitPriceEvidence | TriggerEvidence):
        return replace(alert, evidence=replace(alert.evidence, after=value))
    return alert
