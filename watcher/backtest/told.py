"""What a replay came to, alert by alert and message by message, with the money before and after each was told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from rules.judgement import Decision
from rules.measures import SPEND
from rules.model import (
    HOUR,
    Alert,
    AnomalyEvidence,
    BudgetEvidence,
    HourPoint,
    Nano,
    Notification,
    Reason,
    State,
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message that one receiver would have got; `alerts` and `inside` are ids."""

    at: datetime
    receiver: str
    reason: Reason
    alerts: tuple[str, ...]
    inside: tuple[str, ...] = ()
    """Of the alerts whose story is told within it."""

    @property
    def is_page(self) -> bool:
        """Whether it says that something began, after the replay itself had, be it in a group or by escalation."""
        return self.reason in {Reason.FIRST, Reason.NEW, Reason.ESCALATED}


@dataclass(frozen=True, slots=True)
class Told:
    """One alert that fired. Money is nano-dollars; what is None has no answer for an alert of this kind.

    Of an anomaly, the excess is what was observed beyond the expected; of a budget, what was spent beyond its limit. It
    is divided at the moment of the page, an hour that was running then in proportion to what had passed of it.
    """

    alert: Alert
    """As it was when it began to fire."""
    last: Alert
    """As it was when it was last written."""
    told_at: datetime | None
    """When somebody first heard of it, be it inside another alert's message; None where nobody did."""
    receivers: tuple[str, ...]
    inside: str | None
    """The id of the alert in whose message it was told, if not in one of its own."""
    at_start: bool
    """Whether it was true already when the replay began."""
    before: Nano | None
    """The excess that had been spent when it was told (fired, where nobody heard)."""
    after: Nano | None
    """The excess that came afterwards, until it ended or the replay did: what could have been saved."""
    excess_ended: datetime | None
    """The end of the hour up to which the excess grew; None while it still does, and where there is none."""
    points: tuple[HourPoint, ...] = ()
    """Of an anomaly: every hour that its evidence ever held, in order, as it was told last."""

    @property
    def began(self) -> datetime:
        """When its cause began, as the evidence it was told with has it."""
        return self.alert.starts_at

    @property
    def paged_at(self) -> datetime:
        """When it was told, or fired where nobody heard."""
        return self.told_at or self.alert.fired_at or self.alert.pending_since

    @property
    def resolved_at(self) -> datetime | None:
        """When it ended; None where it still fired at the end of the replay."""
        return self.last.ends_at

    @property
    def story(self) -> tuple[object, ...]:
        """What is the same for alerts that are about the same money."""
        evidence = self.alert.evidence
        if isinstance(evidence, BudgetEvidence):
            return self.alert.subject.rule, self.alert.subject.scope, evidence.period_start
        return (self.inside or self.alert.id,)


@dataclass(slots=True)
class _Track:
    """One alert as it goes on."""

    first: Alert
    last: Alert
    at_start: bool
    told_at: datetime | None = None
    inside: str | None = None
    receivers: dict[str, None] = field(default_factory=dict)
    points: dict[datetime, HourPoint] = field(default_factory=dict)

    def go_on(self, alert: Alert) -> None:
        self.last = alert
        if isinstance(alert.evidence, AnomalyEvidence):
            self.points.update((point.hour, point) for point in alert.evidence.points)


class Journal:
    """Gathers what judgement after judgement came to."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._tracks: dict[str, _Track] = {}
        self._folded: set[str] = set()
        """Crossings that are a part of another one's message: nothing is ever told of them alone."""
        self._begun = False

    def take(self, decision: Decision, now: datetime) -> None:
        """Note what one judgement changed and who would have heard of it."""
        self._folded |= {row.alert_id for row in decision.transitions if row.after is State.FIRING and row.silent}
        for alert in decision.alerts:
            track = self._tracks.get(alert.id)
            if track is not None:
                track.go_on(alert)
            elif alert.state is State.FIRING and alert.id not in self._folded:
                self._tracks[alert.id] = track = _Track(alert, alert, at_start=not self._begun)
                track.go_on(alert)
        self._begun = True
        for notification in decision.notifications:
            self._hear(notification)
        for track in self._tracks.values():
            teller = track.last.inhibited_by
            if track.told_at is None and teller is not None and teller in self._tracks:
                track.inside = teller
                track.told_at = now if self._tracks[teller].told_at is not None else None

    def _hear(self, notification: Notification) -> None:
        own = tuple(alert.id for alert in notification.alerts)
        inside = tuple(alert.id for alert in notification.inhibited)
        message = Message(notification.created_at, notification.receiver, notification.reason, own, inside)
        self.messages.append(message)
        if notification.reason is Reason.RESOLVED:
            return
        for ident in (*own, *inside):
            track = self._tracks.get(ident)
            if track is None:
                continue
            track.receivers.setdefault(notification.receiver)
            if track.told_at is None:
                track.told_at = notification.created_at
                track.inside = track.last.inhibited_by if ident in inside else None

    def alerts(self) -> tuple[Told, ...]:
        """Every alert that fired and was more than a part of another crossing's message, the earliest first."""
        tracks = sorted(self._tracks.values(), key=lambda each: (_fired(each.first), each.first.id))
        return tuple(_told(track) for track in tracks)


def _fired(alert: Alert) -> datetime:
    return alert.fired_at or alert.pending_since


def _told(track: _Track) -> Told:
    told = Told(
        alert=track.first,
        last=track.last,
        told_at=track.told_at,
        receivers=tuple(track.receivers),
        inside=track.inside,
        at_start=track.at_start,
        before=None,
        after=None,
        excess_ended=None,
        points=tuple(track.points[hour] for hour in sorted(track.points)),
    )
    first, last = track.first.evidence, track.last.evidence
    if isinstance(first, AnomalyEvidence):
        return _of_anomaly(told, first)
    if isinstance(first, BudgetEvidence) and isinstance(last, BudgetEvidence) and first.measure == SPEND:
        return _of_budget(told, first, last)
    return told


def _of_anomaly(told: Told, evidence: AnomalyEvidence) -> Told:
    """The excess of the stretch that was told, hour by hour.

    It ends with the hour in which its sum is highest, of those at least half-way from the expected to their bound: what
    an ordinary hour has too much is no part of it.
    """
    seen = _seen_until(evidence, told.points)
    before, running, highest, ended = max(evidence.observed - evidence.expected, 0), 0, 0, seen
    for point in told.points:
        if point.hour < seen:
            continue
        excess = point.observed - point.expected
        passed = min(max((told.paged_at - point.hour) / HOUR, 0.0), 1.0)
        spent = round(max(excess, 0) * passed)
        before, running = before + spent, running + excess - spent
        if running >= highest and 2 * excess >= max(point.upper - point.expected, 1):
            highest, ended = running, point.hour + HOUR
    goes_on = told.resolved_at is None and bool(told.points) and ended == told.points[-1].hour + HOUR
    return replace(told, before=before, after=highest, excess_ended=None if goes_on else ended)


def _seen_until(evidence: AnomalyEvidence, points: tuple[HourPoint, ...]) -> datetime:
    """The end of the hours that the evidence held."""
    held = {point.hour for point in evidence.points}
    return max((point.hour + HOUR for point in points if point.hour in held), default=evidence.since)


def _of_budget(told: Told, first: BudgetEvidence, last: BudgetEvidence) -> Told:
    before = max(first.spent - first.limit, 0)
    over = max(last.spent - last.limit, 0)
    return replace(told, before=before, after=max(over - before, 0))


def first_of_each_story(alerts: Iterable[Told]) -> Iterator[Told]:
    """One alert for each story that is about money of its own, so that sums count none twice."""
    seen: set[tuple[object, ...]] = set()
    for told in sorted(alerts, key=lambda each: (each.inside is not None, each.paged_at)):
        if told.before is not None and told.story not in seen:
            seen.add(told.story)
            yield told
