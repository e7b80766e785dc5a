"""Why an alert's spend is more than was expected, in a line of its own, for a terminal and the status page."""

from __future__ import annotations

from rules.cause_words import why
from rules.model import Alert, AnomalyEvidence, State


def why_words(alert: Alert) -> tuple[str, ...]:
    """The line, or none where nothing is known or the anomaly is over. Names in it are harmless; escape for markup."""
    if not isinstance(alert.evidence, AnomalyEvidence) or alert.state is State.RESOLVED:
        return ()
    words = why(alert.evidence.cause)
    return (f"Why: {words}",) if words else ()
