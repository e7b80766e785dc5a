"""The rules over the past: one judgement a frame, each with what the one before left behind. Pure.

Judged is as the daemon judges (`rules.judgement.decide`); nothing is stored, and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rules import judgement
from rules.caps import Caps
from rules.carried import Carried
from rules.events import Event
from rules.groups import Group
from rules.judgement import Decision, Past, Rules, decide
from rules.model import Alert, Names, Snapshot, State
from rules.quieted import Feedback
from watcher.backtest.frames import Frame
from watcher.backtest.guarding import SimulatedGuard
from watcher.backtest.told import Journal, Message, Told

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Place:
    """Whose history it is, with the names by which rules select and messages speak."""

    names: Names = field(default_factory=Names)
    name: str = ""
    """The organization's own name."""
    label: str = ""
    """What the configuration calls it."""
    several: bool = False
    """Whether messages must tell it from other organizations."""
    caps: Caps | None = None
    """What the provider caps spend at: as it is now, over the whole time."""
    feedback: tuple[Feedback, ...] = ()
    """What people said of anomalies: each counts from the moment at which it was said, unless it was taken back."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay came to. Alerts are in the order in which they began to fire, messages as they would have gone out.

    `start` and `until` are the first and the last moment judged, None where there was none.
    """

    start: datetime | None
    until: datetime | None
    alerts: tuple[Told, ...] = ()
    messages: tuple[Message, ...] = ()
    judgements: int = 0

    @property
    def weeks(self) -> float:
        """How many weeks were judged; at least an hour's worth, so that a rate can be told."""
        span = timedelta(0) if self.start is None or self.until is None else self.until - self.start
        return max(span + timedelta(hours=1), timedelta(hours=1)) / WEEK


def replay(
    frames: Iterable[Frame],
    rules: Rules,
    place: Place,
    *,
    progress: Callable[[Frame], None] | None = None,
    events: Callable[[datetime], tuple[Event, ...]] | None = None,
    guard: SimulatedGuard | None = None,
) -> Replay:
    """Judge the frames in their order by these rules, beginning as on a new database.

    The rules are those of one organization (`Rules.of`). Nobody silenced, paused, acknowledged or forgot anything, no
    source failed, and neither price changes nor the drift of estimates are judged: of these things history keeps
    nothing. `progress` is called after each frame. `events` says which of the organization's events are near to a
    moment; without it those of the rules are, at any time. `guard` is asked after each judgement what it would do.

    Days are learnt one after the other, and not all of them anew each midnight (`rules.carried`).
    """
    rules = rules.under(place.caps, place.names)
    memory, journal, carried = _Memory(place.feedback), Journal(), Carried(refit_daily=False)
    first: datetime | None = None
    now: datetime | None = None
    judgements = 0
    for frame in frames:
        now = frame.now
        if events is not None:
            rules = replace(rules, events=events(now))
        past = memory.past(rules, now)
        if guard is not None:
            guard.catch_up(now)
        decision = decide(_snapshot(frame, rules, place, memory), rules, past, now, carried)
        if guard is not None:
            guard.judged(decision, rules, tuple(past.alerts), now, first=past.is_first)
        memory.keep(decision)
        journal.take(decision, now)
        first = first or now
        judgements += 1
        if progress is not None:
            progress(frame)
    return Replay(first, now, journal.alerts(), tuple(journal.messages), judgements)


def _snapshot(frame: Frame, rules: Rules, place: Place, memory: _Memory) -> Snapshot:
    view = frame.view
    if frame.reach is not None and rules.budgets:
        begins = judgement.beginnings(rules, memory.remembered, frame.now)
        view = replace(view, earlier=frame.reach(begins))
    return Snapshot(
        organization=view.organization,
        organization_name=place.name or view.organization,
        view=view,
        names=place.names,
        told_as=place.label if place.several else "",
        label=place.label,
        caps=place.caps,
        counted=frame.counted,
    )


class _Memory:
    """What the store would hand to the next judgement."""

    def __init__(self, feedback: Iterable[Feedback] = ()) -> None:
        self.remembered: str | None = None
        self._said = [each for each in feedback if not each.taken_back]
        self._groups: dict[str, Group] = {}
        self._open: dict[str, Alert] = {}
        self._closed: dict[str, Alert] = {}
        self._ended: dict[str, Alert] = {}
        """Those whose end a group is still to tell."""

    def past(self, rules: Rules, now: datetime) -> Past:
        """What earlier judgements left behind, as far as these rules may ask for it."""
        since = judgement.closed_since(rules, self.remembered, now)
        closed = [each for each in self._closed.values() if since and each.closes_at and each.closes_at >= since]
        self._closed = {each.id: each for each in closed}
        known = (*self._open.values(), *closed)
        names = {alert.id for alert in known}
        return Past(
            tuple(sorted(known, key=_oldest_first)),
            self.remembered,
            groups=tuple(sorted(self._groups.values(), key=lambda group: group.id)),
            feedback=tuple(_as_known(each, now) for each in self._said if each.at <= now and each.holds(now)),
            ended=tuple(alert for alert in self._ended.values() if alert.id not in names),
        )

    def keep(self, decision: Decision) -> None:
        """Keep what a judgement made or changed."""
        self.remembered = decision.remember
        for group in decision.groups:
            self._groups.pop(group.id, None)
            if not group.is_over:
                self._groups[group.id] = group
        for alert in decision.alerts:
            self._open.pop(alert.id, None)
            if alert.state is not State.RESOLVED or (alert.is_event and alert.ends_at is None):
                self._open[alert.id] = alert
                continue
            self._ended[alert.id] = alert
            if alert.is_event:
                self._closed[alert.id] = alert
        to_tell = {member.alert for group in self._groups.values() for member in group.members if member.over}
        self._ended = {ident: alert for ident, alert in self._ended.items() if ident in to_tell}


def _as_known(said: Feedback, now: datetime) -> Feedback:
    """The feedback without the end of its alert, where that was not known yet."""
    return said if said.until is None or said.until <= now else replace(said, until=None)


def _oldest_first(alert: Alert) -> tuple[bool, datetime, str]:
    return alert.state is State.RESOLVED, alert.starts_at, alert.id
