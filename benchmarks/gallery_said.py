"""First messages as they stand after people said something of their alerts, for the gallery."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache

from benchmarks.gallery_samples import NOW, many, notification, organization_budget, runaway_key
from rules.model import Notification, Owned, State
from rules.quieted import Acknowledgement, Judged, Silenced

_ANA = "Ana (Slack U0123456789)"


@cache
def said() -> dict[str, Notification]:
    """Taken, silenced, expected; one alert and several."""
    taken = Acknowledgement(_ANA, NOW - timedelta(minutes=12), "pressed in Slack")
    silence = Silenced("5c3f1a02", NOW + timedelta(hours=24), "ben", "the nightly evaluation runs twice this week")
    owned = replace(runaway_key(), owned=Owned("Ana", "ana@team.example", "U0123456789"), acknowledged=taken)
    over = replace(runaway_key(state=State.RESOLVED), judged=Judged("expected", _ANA, NOW, "a load test"))
    some = tuple(
        replace(each, acknowledged=taken if place % 2 else None, silenced=None if place % 3 else silence)
        for place, each in enumerate(many(5))
    )
    return {
        "Somebody has taken it": notification(owned),
        "Taken, and silenced": notification(replace(organization_budget(), acknowledged=taken, silenced=silence)),
        "It was expected": notification(over),
        "Several, of which some are taken": notification(*some),
    }
