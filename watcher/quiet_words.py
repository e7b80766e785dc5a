"""What people said of an alert, in words: that it is silenced, who has taken it, whether it was expected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from notifiers.text import clean, when
from rules.model import Alert, State

LONGEST_COMMENT = 500


def quiet_words(alert: Alert, now: datetime) -> Iterator[str]:
    """Clauses about an alert, fit for one line; none where nobody said anything of it."""
    silenced, taken = alert.silenced, alert.acknowledged
    if silenced is not None and silenced.until > now and alert.state is not State.RESOLVED:
        until = when(silenced.until, now)
        yield f"silenced until {until} by {clean(silenced.by)}: {clean(silenced.comment, LONGEST_COMMENT)}"
    if taken is not None:
        comment = f": {clean(taken.comment, LONGEST_COMMENT)}" if taken.comment else ""
        yield f"acknowledged by {clean(taken.by)}, {when(taken.at, now)}{comment}"
    if alert.judged is not None:
        said = alert.judged
        comment = f": {clean(said.comment, LONGEST_COMMENT)}" if said.comment else ""
        yield f"{said.verdict}, says {clean(said.by)}, {when(said.at, now)}{comment}"
