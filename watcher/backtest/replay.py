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
from rules.groups import Group
from rules.judgement import Decision, Past, Rules, decide
from rules.model import Alert, Names, Snapshot, State
from watcher.backtest.frames import Frame
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
    frames: Iterable[Frame], rules: Rules, place: Place, *, progress: Callable[[Frame], None] | None = None
) -> Replay:
    """Judge the frames in their order by these rules, beginning as on a new database.

    The rules are those of one organization (`Rules.of`). Nobody silenced, paused, acknowledged or forgot anything, no
    source failed, and neither price changes nor the drift of estimates are judged: of these things history keeps
    nothing. `progress` is called after each frame.
    """
    rules = rules.under(place.caps, place.names)
    memory, journal, carried = _Memory(), Journal(), Carried()
    first: datetime | None = None
    now: datetime | None = None
    judgements = 0
    for frame in frames:
        now = frame.now
        decision = decide(_snapshot(frame, rules, place, memory), rules, memory.past(rules, now), now, carried)
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

    def __init__(self) -> None:
        self.remembered: str | None = None
        self._open: dict[str, Alert] = {}
        self._closed: dict[str, Alert] = {}
        self._groups: dict[str, Group] = {}
        self._ended: dict[str, Alert] = {}
        """What has ended, and a group is still to tell the end of."""

    def past(self, rules: Rules, now: datetime) -> Past:
        """What earlier judgements left behind, as far as these rules may ask for it."""
        since = judgement.closed_since(rules, self.remembered, now)
        closed = [each for each in self._closed.values() if since and each.closes_at and each.closes_at >= since]
        self._closed = {each.id: each for each in closed}
        return Past(
            tuple(sorted((*self._open.values(), *closed), key=_oldest_first)),
            self.remembered,
            groups=tuple(self._groups[each] for each in sorted(self._groups)),
            ended=tuple(self._ended.values()),
        )

    def keep(self, decision: Decision) -> None:
        """Keep what a judgement made or changed."""
        self.remembered = decision.remember
        self._groups.update((group.id, group) for group in decision.groups)
        self._groups = {group.id: group for group in self._groups.values() if not group.is_over}
        owed = {each.alert for group in self._groups.values() for each in group.members if each.over}
        over = {alert.id: alert for alert in decision.alerts if alert.state is State.RESOLVED}
        self._ended = {ident: alert for ident, alert in (self._ended | over).items() if ident in owed}
        for alert in decision.alerts:
            self._open.pop(alert.id, None)
            if alert.state is not State.RESOLVED or (alert.is_event and alert.ends_at is None):
                self._open[alert.id] = alert
            elif alert.is_event:
                self._closed[alert.id] = alert


def _oldest_first(alert: Alert) -> tuple[bool, datetime, str]:
    return alert.state is State.RESOLVED, alert.starts_at, alert.id
