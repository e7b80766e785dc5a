"""What people say of anomalies: that one was expected, or that it is real. Pure.

**Expected** ends the alert and widens its scope: for eight weeks from its beginning `MARGIN` times the excess that was
seen may come on top of what is usual there: in its first four days at any hour, afterwards at the hours of the day at
which it came in those days, an hour to either side. These hours train the baseline as they are, so what stays is
learnt meanwhile. More than that is told as ever.

**Real** keeps the hours of the alert, from its beginning until it has ended, out of every training: they are never
adopted as a new normal either, however long it lasts.

Of each alert the last word counts; it may be taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rules.asked import Act, Answer, Refused, Request, answered
from rules.model import Alert, AnomalyEvidence, State, Transition
from rules.quieted import EXPECTED, LASTS, REACH, REAL, Feedback, Judged, Word
from rules.shift_evidence import SilenceEvidence, UnitPriceEvidence
from rules.summary import summarize

FEEDBACK = "feedback"
WHAT = frozenset({FEEDBACK})

MARGIN = 1.2
"""Times the highest excess of the story that may come again."""
SETTLES = timedelta(days=4)
"""So long from its beginning the story may go on at any hour; by then a level that stays is a new normal anyway."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What requests came to."""

    feedback: tuple[Feedback, ...]
    """All that holds now."""
    changed: tuple[Feedback, ...] = ()
    alerts: tuple[Alert, ...] = ()
    transitions: tuple[Transition, ...] = ()
    answers: tuple[Answer, ...] = ()
    acts: tuple[Act, ...] = ()


def hear(requests: Iterable[Request], known: Sequence[Feedback], alerts: Iterable[Alert], now: datetime) -> Heard:
    """Carry out what was asked, in its order; every request in `WHAT` is answered, the others are left alone.

    `alerts` are those that are open, and those that have ended and that a request is about.
    """
    hearing = _Hearing(known, alerts, now)
    answers, acts = answered(requests, WHAT, hearing.take)
    held = tuple(each for each in hearing.known.values() if not each.taken_back and each.holds(now))
    return Heard(
        held,
        tuple(hearing.changed.values()),
        tuple(hearing.touched.values()),
        tuple(hearing.transitions),
        answers,
        acts,
    )


def ended(feedback: Iterable[Feedback], alerts: Iterable[Alert]) -> tuple[Feedback, ...]:
    """Of those whose alert was open: as they are now that it has ended."""
    over = {alert.id: alert.ends_at for alert in alerts if alert.state is State.RESOLVED and alert.ends_at is not None}
    return tuple(
        replace(each, until=over[each.alert]) for each in feedback if each.until is None and each.alert in over
    )


def problem(alert: Alert) -> str | None:
    """Why nothing can be said of the alert, as a clause; None if something can."""
    if isinstance(alert.evidence, AnomalyEvidence):
        return None
    match alert.evidence:
        case UnitPriceEvidence():
            what = "tells of dearer tokens"
        case SilenceEvidence():
            what = "tells of silence"
        case _:
            what = f"is of the kind {alert.subject.kind}"
    return f"feedback is for anomalies of spend, and this alert {what}"


class _Hearing:
    """Requests as they are taken one by one."""

    def __init__(self, known: Sequence[Feedback], alerts: Iterable[Alert], now: datetime) -> None:
        self.now = now
        self.known = {each.alert: each for each in known}
        self.changed: dict[str, Feedback] = {}
        self.alerts = {alert.id: alert for alert in alerts}
        self.touched: dict[str, Alert] = {}
        self.transitions: list[Transition] = []

    def take(self, request: Request) -> str:
        """Carry one request out; the outcome in words."""
        alert = self.alerts.get(request.details["alert"])
        if alert is None:
            raise Refused("there is no alert of this id any more")
        evidence = alert.evidence
        if not isinstance(evidence, AnomalyEvidence):
            raise Refused(str(problem(alert)))
        word, comment = request.details["verdict"], str(request.details.get("comment", ""))
        before = self.known.get(alert.id)
        if before is not None and before.taken_back:
            before = None
        if word is None:
            return self._take_back(alert, before, request.actor)
        if word not in {EXPECTED, REAL}:
            raise ValueError
        if before is not None and (before.verdict, before.by, before.comment) == (word, request.actor, comment):
            return f"already noted: {word}"
        found = _feedback(alert, evidence, word, Judged(word, request.actor, self.now, comment))
        if not found.holds(self.now):
            raise Refused(_too_old(word))
        self._keep(found)
        self._touch(replace(alert, judged=Judged(word, request.actor, self.now, comment)))
        if word == EXPECTED:
            self._end(self.alerts[alert.id], request.actor)
        return f"noted as {word}: {alert.summary}"

    def _take_back(self, alert: Alert, before: Feedback | None, actor: str) -> str:
        if before is None:
            return "nothing to take back: nothing is noted of this alert"
        self._keep(replace(before, taken_back=True, by=actor, at=self.now))
        self._touch(replace(alert, judged=None))
        return f"taken back: {before.verdict}"

    def _end(self, alert: Alert, actor: str) -> None:
        """End the alert, and without a word those whose story it tells."""
        why = f"expected, says {actor}"
        for other in list(self.alerts.values()):
            told = other.inhibited_by == alert.id and other.subject.kind == "anomaly"
            if other.state is State.RESOLVED or (other.id != alert.id and not told):
                continue
            silent = other.id != alert.id or other.state is State.PENDING
            over = replace(other, state=State.RESOLVED, ends_at=self.now)
            self._touch(replace(over, summary=summarize(over)))
            self.transitions.append(Transition(other.id, self.now, other.state, State.RESOLVED, why, silent))
        found = self.known[alert.id]
        if found.until is None:
            self._keep(replace(found, until=self.now))

    def _keep(self, feedback: Feedback) -> None:
        self.known[feedback.alert] = self.changed[feedback.alert] = feedback

    def _touch(self, alert: Alert) -> None:
        self.alerts[alert.id] = self.touched[alert.id] = alert


def _too_old(word: Word) -> str:
    if word == EXPECTED:
        return f"it began more than {LASTS.days // 7} weeks ago, and nothing is widened for so long"
    return f"it ended more than {REACH.days} days ago, and nothing is learnt from its hours any more"


def _feedback(alert: Alert, evidence: AnomalyEvidence, word: Word, judged: Judged) -> Feedback:
    since = min(alert.starts_at, evidence.since)
    since -= timedelta(minutes=since.minute, seconds=since.second, microseconds=since.microsecond)
    highest = max((each.observed - each.expected for each in evidence.points if each.hour >= since), default=0)
    return Feedback(
        alert=alert.id,
        subject=alert.subject,
        verdict=word,
        since=since,
        until=alert.ends_at if alert.state is State.RESOLVED else None,
        usual=evidence.normal_per_hour,
        excess=max(highest, evidence.per_hour - evidence.normal_per_hour, 0),
        by=judged.by,
        at=judged.at,
        comment=judged.comment,
    )
