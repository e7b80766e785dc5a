"""What a cycle came to, as lines of the log: the same for the daemon and for a single poll."""

from __future__ import annotations

from watcher.cycle import Outcome
from watcher.logs import logger

log = logger(__name__)


def log_outcome(outcome: Outcome) -> None:
    """Log which alerts changed, and a line on the whole; what could not be read is the caller's to tell."""
    for transition in outcome.decision.transitions:
        log.info(
            "alert",
            alert=transition.alert_id,
            state=transition.after.value,
            why=transition.why,
            silent=transition.silent,
        )
    for act in outcome.decision.acts:
        told = {word: act.details[word] for word in ("budget", "outcome", "reason") if word in act.details}
        log.info("asked for", what=act.what, by=act.actor, **told)
    log.info(
        "cycle done",
        hours=len(outcome.ingested.changed_hours),
        days=len(outcome.ingested.changed_days),
        alerts=len(outcome.decision.alerts),
        messages=len(outcome.decision.notifications),
        complete_until=outcome.overview.complete_until.isoformat(),
    )
