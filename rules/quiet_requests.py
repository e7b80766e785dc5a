"""What people ask about alerts: to silence some for a while, to end a silence, to take one. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rules import labels
from rules.asked import Act, Answer, Refused, Request, answered
from rules.matchers import NoMatcher
from rules.model import Alert, State
from rules.quieted import Acknowledgement, Silence

ADD, EXPIRE, ACKNOWLEDGE = "silence add", "silence expire", "ack"
WHAT = frozenset({ADD, EXPIRE, ACKNOWLEDGE})
MOST_SILENCES = 500
"""So many may be in force or to come at once, of one organization."""
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Quieted:
    """What requests came to: all silences that have not ended, those that changed, and the alerts that were taken."""

    silences: tuple[Silence, ...]
    changed: tuple[Silence, ...] = ()
    alerts: tuple[Alert, ...] = ()
    answers: tuple[Answer, ...] = ()
    acts: tuple[Act, ...] = ()


def silence_id(number: int, at: datetime, actor: str) -> str:
    """The id of the silence that a request makes: who asks knows it before it is carried out."""
    return hashlib.sha256(f"silence\x1f{number}\x1f{at.isoformat()}\x1f{actor}".encode()).hexdigest()[:8]


def hear(requests: Iterable[Request], silences: Sequence[Silence], alerts: Sequence[Alert], now: datetime) -> Quieted:
    """Carry out what was asked, in its order; every request in `WHAT` is answered, the others are left alone."""
    kept = {silence.id: silence for silence in silences if silence.ends_at > now}
    known = {alert.id: alert for alert in alerts}
    changed: dict[str, Silence] = {}
    taken: dict[str, Alert] = {}

    def take(request: Request) -> str:
        if request.what == ACKNOWLEDGE:
            alert = _taken(request, known, now)
            known[alert.id] = taken[alert.id] = alert
            return f"acknowledged: {alert.summary}"
        silence, outcome = (_added if request.what == ADD else _expired)(request, kept, now)
        kept[silence.id] = changed[silence.id] = silence
        return outcome

    answers, acts = answered(requests, WHAT, take)
    left = tuple(silence for silence in kept.values() if silence.ends_at > now)
    return Quieted(left, tuple(changed.values()), tuple(taken.values()), answers, acts)


def _added(request: Request, kept: dict[str, Silence], now: datetime) -> tuple[Silence, str]:
    details = request.details
    try:
        matchers = tuple(labels.read(text) for text in details["matchers"])
    except NoMatcher as error:
        raise Refused(f"a matcher {error}") from None
    starts, ends = (datetime.fromisoformat(details[key]) for key in ("starts_at", "ends_at"))
    if not matchers or not ends - starts <= LONGEST:
        raise ValueError
    if ends <= max(now, starts):
        raise Refused("its time was over before it was carried out")
    if sum(silence.ends_at > now for silence in kept.values()) >= MOST_SILENCES:
        raise Refused(f"there are {MOST_SILENCES} silences already: let some expire")
    ident = silence_id(request.number, request.at, request.actor)
    silence = Silence(ident, matchers, starts, ends, request.actor, str(details["comment"]))
    return silence, f"silenced: {ident}"


def _expired(request: Request, kept: dict[str, Silence], now: datetime) -> tuple[Silence, str]:
    ident = request.details["silence"]
    silence = kept.get(ident)
    if silence is None or silence.ends_at <= now:
        raise Refused(f"no silence {ident!a} is in force or to come")
    return replace(silence, starts_at=min(silence.starts_at, now), ends_at=now), f"expired: {ident}"


def _taken(request: Request, known: dict[str, Alert], now: datetime) -> Alert:
    alert = known.get(request.details["alert"])
    if alert is None or alert.state is State.RESOLVED:
        raise Refused("the alert has ended, or there is none of this id")
    return replace(alert, acknowledged=Acknowledgement(request.actor, now, str(request.details["comment"])))
