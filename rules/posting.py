"""When what is decided is sent, and together with what: groups, waits, repeats and escalations. Pure.

The words are Alertmanager's, and so is their meaning: a new group waits `group_wait` for more; what joins or ends later
waits until `group_interval` after its last message; a group that fires on is told again after `repeat_interval`. Beyond
them an alert that nobody has acknowledged `escalate_after` its message is told to somebody else as well.

- What ended before it was told is told to nobody.
- What a silence holds back waits in its group; what is acknowledged is neither repeated nor escalated. Budget crossings
  are told once a period, and so never repeated.
- While a route is muted its messages wait, and what is then still true goes out afterwards: also of a new database.
  That a budget was crossed stays true though its period is over by then (`rules.lifecycle`).
- A route is known by its matchers, wherever it stands. When it is taken out of the configuration, what waits in its
  groups is sent at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rules.groups import Group, Member, group_id
from rules.intervals import is_open
from rules.lifecycle import worst_first
from rules.matchers import Labels
from rules.model import Alert, Reason, State
from rules.routes import AT_ONCE, EACH_ALERT, Route, Timing, every

MANY = 5
"""More messages of one kind than this to one receiver in one judgement are one."""
STORM = 50
"""Where those of one judgement tell a receiver of more alerts than this, all of a kind are one."""
_KINDS = (
    (Reason.INITIAL, Reason.FIRST, Reason.NEW, Reason.TEST),
    (Reason.ESCALATED, Reason.REPEATED),
    (Reason.RESOLVED,),
)


@dataclass(frozen=True, slots=True)
class Letter:
    """Alerts that one message is to tell one receiver of."""

    receiver: str
    reason: Reason
    alerts: tuple[Alert, ...]
    group: str = ""
    """The group and the number of its message; "" for one that is of no group."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What goes out now, and the groups that changed; one without members is over."""

    letters: tuple[Letter, ...] = ()
    groups: tuple[Group, ...] = ()
    untold: frozenset[tuple[str, str]] = frozenset()
    """Receivers and ids of alerts that were to be told to them, and ended before."""


class Post:
    """The groups of one organization in one judgement. `receivers` are all that there are; None: not known."""

    def __init__(
        self,
        groups: Iterable[Group],
        routes: Sequence[Route],
        receivers: Collection[str] | None,
        now: datetime,
    ) -> None:
        self._before = {group.id: group for group in groups}
        self._timings: dict[tuple[str, str], Timing] = {}
        for route in every(routes):
            self._timings.setdefault((route.place, route.receiver), route.timing)
        self._groups = {ident: group.by(now, self._longest(group)) for ident, group in self._before.items()}
        self._open = {way: is_open(timing.active, timing.mute, now) for way, timing in self._timings.items()}
        """By place and receiver whether messages go out now."""
        self._receivers = receivers
        self._now = now
        self._where: dict[tuple[str, str], list[tuple[str, Member]]] = {}
        """By receiver and alert the groups that it is a member of."""
        for group in self._groups.values():
            for member in group.members:
                self._where.setdefault((group.receiver, member.alert), []).append((group.id, member))
        self._ids: dict[tuple[str, str, tuple[tuple[str, str], ...]], str] = {}
        self._new: dict[str, list[Member]] = {}
        self._gone: dict[str, set[str]] = {}

    def add(self, alert: Alert, route: Route, labels: Labels, *, told: bool = False) -> None:
        """Let an alert wait in its group; with `told` a message of it goes out by itself now."""
        key = _key(route.timing, alert, labels)
        about = route.place, route.receiver, key
        ident = self._ids.get(about)
        if ident is None:
            ident = self._ids[about] = group_id(*about)
            self._new.setdefault(ident, [])
            if ident not in self._groups:
                self._groups[ident] = Group(ident, *about)
        self._new[ident].append(Member(alert.id, self._now if told else None))

    def is_open(self, route: Route) -> bool:
        """Whether the route sends anything now."""
        return self._open.get((route.place, route.receiver), True)

    def end(self, alert: Alert, receiver: str) -> bool:
        """Whether a group takes it that an alert ended: it tells so, unless it has not told yet that it fires."""
        found = self._where.get((receiver, alert.id), ())
        for ident, member in found:
            if member.waits:
                self._gone.setdefault(ident, set()).add(alert.id)
            else:
                self._new.setdefault(ident, []).append(replace(member, over=True))
        return bool(found)

    def close(self, alerts: Mapping[str, Alert]) -> Posted:
        """Everything that is due now; `alerts` are those that are open, and those that ended now, by id."""
        letters: list[Letter] = []
        waited: list[tuple[str, str]] = []
        for ident, group in list(self._groups.items()):
            current = self._as_of_now(group)
            left = current.without_lost(alerts)
            before = self._before.get(ident, left)
            if before is not left:
                waited += _waiting(before, left)
            if self._receivers is None or group.receiver in self._receivers:
                left, found = self._send(left, alerts)
                letters += found
            else:  # it is told of no end; but should it come back, first of what it has not heard
                left = replace(left, members=tuple(each for each in left.members if each.waits))
            self._groups[ident] = left
        self._hear(letters)
        known = self._before
        touched = (group for ident, group in self._groups.items() if group is not known.get(ident))
        changed = tuple(group for group in touched if group != known.get(group.id))
        kept = tuple(group for group in changed if not group.is_over or group.id in self._before)
        return Posted(tuple(letters), kept, frozenset(waited))

    def _hear(self, letters: Iterable[Letter]) -> None:
        """Let nothing wait any more for a receiver that was told of it now because somebody else said nothing."""
        for letter in letters:
            for alert in letter.alerts if letter.reason is Reason.ESCALATED else ():
                for ident, member in self._where.get((letter.receiver, alert.id), ()):
                    if member.waits and any(each == member for each in self._groups[ident].members):
                        group = replace(self._groups[ident], sent_at=self._now)
                        group = group.put(replace(member, told_at=self._now))
                        waits = any(each.waits or each.over for each in group.members)
                        self._groups[ident] = group if waits else replace(group, due_at=None)

    def _as_of_now(self, group: Group) -> Group:
        """The group with what came in this judgement, and when its next message is due."""
        new, gone = self._new.get(group.id, ()), self._gone.get(group.id, ())
        timing = self._timings.get((group.place, group.receiver))
        group = group.without(gone) if gone else group
        group = group.put(*new) if new else group
        if timing is None and group.due_at is not None:
            return replace(group, due_at=self._now)
        at_once = [member for member in new if not (member.waits or member.over)]
        if at_once:
            return replace(group, sent_at=self._now, count=group.count + 1)
        return self._due(group, timing or AT_ONCE) if new else group

    def _send(self, group: Group, alerts: Mapping[str, Alert]) -> tuple[Group, list[Letter]]:
        if group.is_over or not self._open.get((group.place, group.receiver), True):
            return group, []
        timing = self._timing(group)
        letters: list[Letter] = []
        if group.due_at is not None and group.due_at <= self._now:
            group, letters = _flush(group, alerts, self._now)
        elif _is_to_repeat(group, timing, self._now):
            repeated = [alert for alert in _firing(group, alerts) if _is_open_question(alert) and not alert.is_event]
            if repeated:
                letters = [_letter(group, Reason.REPEATED, repeated)]
                group = replace(group, sent_at=self._now, count=group.count + 1)
        escalated, letter = self._escalate(group, timing, alerts)
        return escalated, [*letters, *letter]

    def _escalate(self, group: Group, timing: Timing, alerts: Mapping[str, Alert]) -> tuple[Group, list[Letter]]:
        if timing.escalate_after is None:
            return group, []
        late = [
            member
            for member in group.members
            if member.told_at is not None
            and not (member.escalated or member.over)
            and self._now >= member.told_at + timing.escalate_after
            and _is_open_question(alerts[member.alert])
        ]
        if not late:
            return group, []
        group = group.put(*(replace(member, escalated=True) for member in late))
        told = _letter(group, Reason.ESCALATED, [alerts[member.alert] for member in late])
        return replace(group, count=group.count + 1), [replace(told, receiver=timing.escalate_to)]

    def _due(self, group: Group, timing: Timing) -> Group:
        if group.due_at is not None:
            return group
        due = self._now + timing.group_wait
        if group.sent_at is not None:
            due = max(self._now, group.sent_at + timing.group_interval)
        return replace(group, due_at=due)

    def _longest(self, group: Group) -> timedelta:
        timing = self._timing(group)
        return max(timing.group_wait, timing.group_interval)

    def _timing(self, group: Group) -> Timing:
        """Of a route that is no more, everything is due."""
        return self._timings.get((group.place, group.receiver), AT_ONCE)


def bundled(letters: Sequence[Letter]) -> Iterator[Letter]:
    """The letters to one receiver, in order; where there are many of a kind, all of the kind are one.

    So that there are never more than three of a storm: what fires, what is told again, what ended.
    """
    storm = sum(len(letter.alerts) for letter in letters) > STORM
    for kind in _KINDS:
        own = [letter for letter in letters if letter.reason in kind]
        if len(own) <= (1 if storm else MANY):
            yield from own
            continue
        reason = next(each for each in kind if any(letter.reason is each for letter in own))
        alerts = {alert.id: alert for letter in own for alert in letter.alerts}
        groups = sorted(letter.group for letter in own if letter.group)
        yield Letter(own[0].receiver, reason, tuple(sorted(alerts.values(), key=worst_first)), " ".join(groups))


def _flush(group: Group, alerts: Mapping[str, Alert], now: datetime) -> tuple[Group, list[Letter]]:
    """What waits, as messages: first what fires, then what ended. What a silence holds back waits on."""
    letters: list[Letter] = []
    fresh = [each for each in group.members if each.waits and alerts[each.alert].silenced is None]
    if fresh:
        reason = Reason.FIRST if group.sent_at is None else Reason.NEW
        letters.append(_letter(group, reason, [alerts[each.alert] for each in fresh]))
        group = replace(group.put(*(replace(each, told_at=now) for each in fresh)), count=group.count + 1)
    over = [each for each in group.members if each.over]
    if over:
        ended = [alerts[each.alert] for each in over if each.alert in alerts]
        letters += [_letter(group, Reason.RESOLVED, ended)] if ended else []
        group = replace(group, members=tuple(each for each in group.members if not each.over), count=group.count + 1)
    held = any(each.waits for each in group.members)
    sent_at = now if letters else group.sent_at
    return replace(group, due_at=now if held else None, sent_at=sent_at), letters


def _waiting(before: Group, after: Group) -> Iterator[tuple[str, str]]:
    """Receiver and alert of what waited to be told that it fires, and is no longer in the group."""
    left = {each.alert for each in after.members}
    yield from ((before.receiver, each.alert) for each in before.members if each.waits and each.alert not in left)


def _is_to_repeat(group: Group, timing: Timing, now: datetime) -> bool:
    if timing.repeat_interval is None or group.sent_at is None:
        return False
    return now >= group.sent_at + timing.repeat_interval


def _firing(group: Group, alerts: Mapping[str, Alert]) -> Iterator[Alert]:
    """The alerts that were told, and fire on."""
    for member in group.members:
        if not (member.waits or member.over):
            yield alerts[member.alert]


def _is_open_question(alert: Alert) -> bool:
    """Whether it fires, and nobody has said anything to it."""
    quiet = alert.silenced is not None or alert.acknowledged is not None or alert.clear_since is not None
    return alert.state is State.FIRING and not quiet


def _letter(group: Group, reason: Reason, alerts: Sequence[Alert]) -> Letter:
    return Letter(group.receiver, reason, tuple(sorted(alerts, key=worst_first)), f"{group.id}/{group.count}")


def _key(timing: Timing, alert: Alert, labels: Labels) -> tuple[tuple[str, str], ...]:
    """The values of the labels that make the group; of several texts of a label the first one, its id."""
    if timing.group_by == EACH_ALERT:
        return (("alert", alert.id),)
    return tuple((label, next(iter(labels.get(label, ())), "")) for label in timing.group_by)
