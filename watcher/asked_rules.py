"""The rules that a configuration asks for, as a judgement takes them."""

from __future__ import annotations

from rules.judgement import Rules
from watcher.settings import Settings


def rules_asked(settings: Settings) -> Rules:
    """What the configuration asks to be told of, in all organizations."""
    return Rules(
        settings.budgets,
        settings.anomalies,
        settings.routes,
        settings.drift,
        settings.price_changes,
        tuple(receiver.name for receiver in settings.receivers),
        digests=settings.digests,
        owners=settings.owners,
    )
