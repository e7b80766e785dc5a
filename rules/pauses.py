"""Budgets that are paused: they are added up and shown, and tell nothing. Pure.

A budget is paused because somebody asked for it, perhaps until a moment, or because the configuration says so, and by
its name: neither an edit of the budget nor a new period ends that. While it is paused no crossing begins; what was
listed stays listed until its period ends. Once it is paused no more, the running period is judged as ever, so what is
crossed then and was not told is told. A period that had ended by then is not told of any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from rules.hindsight import Watch
from rules.model import Alert, Budget, Clear, State, Verdict

_PAUSES = "pauses"


@dataclass(frozen=True, slots=True)
class Pause:
    """Since when, by whom and why a budget is paused; until when, if that was said."""

    since: datetime
    by: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pauses:
    """What is paused, by the budget's name, and when those that are paused no more were resumed."""

    asked: Mapping[str, Pause] = field(default_factory=dict)
    configured: Mapping[str, datetime] = field(default_factory=dict)
    """Since when the configuration has said so, as far as judgements saw it."""
    resumed: Mapping[str, datetime] = field(default_factory=dict)

    def holds(self, budget: str) -> bool:
        """Whether the budget of that name tells nothing at present."""
        return budget in self.asked or budget in self.configured

    def paused(self, budget: str, pause: Pause) -> Pauses:
        """With this pause; one that holds already began when it began."""
        before = self.asked.get(budget)
        held = pause if before is None else replace(pause, since=before.since)
        return replace(self, asked={**self.asked, budget: held})

    def ended(self, budget: str, at: datetime) -> Pauses:
        """Without the pause that somebody had asked for."""
        asked = {name: pause for name, pause in self.asked.items() if name != budget}
        return replace(self, asked=asked, resumed=_later(self.resumed, budget, at))

    def expired(self, now: datetime) -> tuple[str, ...]:
        """The budgets whose pause was until a moment that has come."""
        return tuple(name for name, pause in self.asked.items() if pause.until is not None and pause.until <= now)

    def as_configured(self, budgets: Iterable[Budget], now: datetime) -> Pauses:
        """With what the configuration says, now that it is in force."""
        asked_for = {budget.name: budget.paused for budget in budgets}
        configured = {name: self.configured.get(name, now) for name, paused in asked_for.items() if paused}
        resumed = self.resumed
        for name in self.configured:
            if not asked_for.get(name, True):
                resumed = _later(resumed, name, now)
        return replace(self, configured=configured, resumed=resumed)

    def narrow(self, watch: Watch) -> Watch:
        """How far back budgets are judged that had been paused."""
        since = {name: max(moment, self.resumed.get(name, moment)) for name, moment in watch.since.items()}
        return replace(watch, since=since)

    def still_needed(self, watch: Watch) -> Pauses:
        """Without the resumptions that lie before all that is judged (`watch` as it is without them)."""
        resumed = {name: at for name, at in self.resumed.items() if name in watch.since and at > watch.since[name]}
        return replace(self, resumed=resumed)


def only_listed(verdicts: Iterable[Verdict], held: Iterable[Alert]) -> list[Verdict]:
    """What a paused budget's verdicts may still do: keep what is listed up to date, or end it without a word.

    That a forecast, burn rate or pace is over would be told: that waits until the budget is resumed.
    """
    listed = {alert.subject for alert in held if alert.state is not State.RESOLVED}
    return [verdict for verdict in verdicts if verdict.subject in listed and not _would_tell(verdict)]


def _would_tell(verdict: Verdict) -> bool:
    return isinstance(verdict, Clear) and verdict.subject.kind != "budget" and verdict.over is None


def recall(remembered: str | None) -> Pauses:
    """The pauses in the text that the last judgement left; none where it holds none that can be read."""
    try:
        kept: dict[str, Any] = json.loads(remembered or "null")[_PAUSES]
        return Pauses(
            {str(name): _pause(each) for name, each in kept["asked"].items()},
            {str(name): datetime.fromisoformat(at) for name, at in kept["configured"].items()},
            {str(name): datetime.fromisoformat(at) for name, at in kept["resumed"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Pauses()


def remember(account: str, pauses: Pauses) -> str:
    """The text of a judgement's account with these pauses in it; `account` is a JSON object."""
    if pauses == Pauses():
        return account
    kept = {
        "asked": {name: _written(pause) for name, pause in pauses.asked.items()},
        "configured": {name: at.isoformat() for name, at in pauses.configured.items()},
        "resumed": {name: at.isoformat() for name, at in pauses.resumed.items()},
    }
    return json.dumps(json.loads(account) | {_PAUSES: kept}, sort_keys=True)


def _later(moments: Mapping[str, datetime], name: str, at: datetime) -> Mapping[str, datetime]:
    return {**moments, name: max(at, moments.get(name, at))}


def _pause(kept: Mapping[str, Any]) -> Pause:
    until = kept["until"]
    ends = None if until is None else datetime.fromisoformat(until)
    return Pause(datetime.fromisoformat(kept["since"]), str(kept["by"]), str(kept["reason"]), ends)


def _written(pause: Pause) -> dict[str, str | None]:
    until = None if pause.until is None else pause.until.isoformat()
    return {"since": pause.since.isoformat(), "by": pause.by, "reason": pause.reason, "until": until}
