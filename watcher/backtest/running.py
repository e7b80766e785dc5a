"""A back-test of one organization: its stored history, replayed through one configuration's rules or several's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rules import protection
from rules.events import Event
from rules.judgement import Rules
from rules.model import HOUR, Names
from rules.policy import Policy
from rules.wording import clean, label_of
from watcher.backtest.directory import Directory, errors
from watcher.backtest.frames import hourly
from watcher.backtest.guarding import Allowed, SimulatedGuard
from watcher.backtest.history import CLAUDE_CODE, History, stored_history
from watcher.backtest.permitting import EXAMPLE, permitted
from watcher.backtest.replay import Place, Replay, replay
from watcher.backtest.stops import Acts, Hindsight
from watcher.backtest.told import Told
from watcher.events import Planned
from watcher.ledger.days import DAY
from watcher.limits.caps import read_caps
from watcher.pricing import PriceBook
from watcher.store import Store

LEAST = timedelta(hours=25)
"""Less history than this cannot be replayed: anomaly rules say nothing for a day."""
GOOD_LEAD = timedelta(days=28)
"""History before the first judgement, with which the baseline knows the weeks as it does in a running daemon."""

Near = Callable[[datetime], tuple[Event, ...]]
Step = Callable[[str, int, int], None]
"""Hears what is being done, how much of it is, and how much there is."""


class TooLittleHistory(Exception):
    """There is not enough to replay; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Organization:
    """Whose history it is: its id, what the configuration calls it ("" where it stands alone), and its own name."""

    id: str
    label: str
    name: str
    several: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """The rules of one configuration, under the name by which people know it."""

    title: str
    rules: Rules
    planned: Planned = field(default_factory=Planned)
    policy: Policy | None = None
    """Its `[shutoff]`; None where it has none."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """One configuration's replay."""

    asked: Asked
    replay: Replay
    acts: Acts | None = None
    """What would have been done to keys, where that was asked for."""


@dataclass(frozen=True, slots=True)
class Backtests:
    """What replays of one history came to, in the order asked for."""

    organization: Organization
    names: Names
    history: History
    days: int
    """How many were asked for."""
    start: datetime
    """From where on hours were judged."""
    found: tuple[Backtest, ...]
    notes: tuple[str, ...]

    def label(self, told: Told) -> str:
        """What people call the scope of an alert."""
        return label_of(told.alert.subject.scope, self.names) or "the organization"


def run(
    store: Store,
    prices: PriceBook,
    organization: Organization,
    configurations: Sequence[Asked],
    window: tuple[int, datetime],
    step: Step,
    *,
    actions: bool = False,
) -> Backtests:
    """Replay the last so many days (`window`: days, and the present). Reads only; raises StoreError, TooLittleHistory.

    With `actions` it is also said which keys would have been deactivated. Rules are taken as they are for this
    organization; limits from the Console are those of now.
    """
    days, now = window
    names = store.directory.names(organization.id)
    called = [organization.name or organization.id, *([organization.label] if organization.label else [])]
    configurations = [replace(each, rules=each.rules.of(organization.id, called)) for each in configurations]
    supposed: list[str] = []
    if actions:
        configurations = [_permitted(each, supposed) for each in configurations]
    rules = [each.rules for each in configurations]
    asked = now.replace(minute=0, second=0, microsecond=0) - days * DAY
    span = store.usage.span(organization.id)
    start = asked if span is None else max(asked, span[0])
    history = stored_history(
        store, prices, organization.id, rules, (start, now), lambda done, of: step("reading the history", done, of)
    )
    _check(history)
    caps = read_caps(store, organization.id, names) if any(each.ask_for_caps for each in rules) else None
    said = store.feedback.open(organization.id, start)
    place = Place(names, organization.name or organization.id, organization.label, organization.several, caps, said)
    found = []
    for each in configurations:
        near = _near(each.planned, organization.id, called)
        guard = _guard(store, each, organization.id, history, names) if actions else None
        done = _replayed(each, history, place, start, now, step, near, guard)
        found.append(Backtest(each, done, _acts(each, guard, history, place)))
    notes = (*_notes(history, start, asked, days, found), *supposed)
    return Backtests(organization, names, history, days, start, tuple(found), notes)


def _permitted(each: Asked, notes: list[str]) -> Asked:
    found = permitted(clean(each.title), each.rules, each.policy)
    notes.extend(found.notes)
    return replace(each, rules=found.rules, policy=found.policy)


def _guard(store: Store, each: Asked, organization: str, history: History, names: Names) -> SimulatedGuard:
    known = protection.known(store.actions.protections(organization))
    allowed = Allowed(each.policy or EXAMPLE, Directory(store, organization), known, errors(history))
    return SimulatedGuard(allowed, names)


def _acts(each: Asked, guard: SimulatedGuard | None, history: History, place: Place) -> Acts | None:
    if guard is None:
        return None
    return Hindsight(history.view, place.names, each.rules, place.feedback).acts(guard, each.policy or EXAMPLE)


def _near(planned: Planned, organization: str, called: Sequence[str]) -> Near:
    """Which of the organization's events are near to a moment."""
    return lambda now: Rules(events=planned.at(now)).of(organization, called).events


def _replayed(  # noqa: PLR0917 - each is a part of one replay
    asked: Asked,
    history: History,
    place: Place,
    start: datetime,
    now: datetime,
    step: Step,
    events: Near,
    guard: SimulatedGuard | None = None,
) -> Replay:
    frames = hourly(
        history.view,
        start,
        now,
        counted=history.counted,
        settling=history.settling,
        lateness=history.lateness,
    )
    hours = max((history.view.complete_until - start) // HOUR, 0)
    done = 0

    def heard(_frame: object) -> None:
        nonlocal done
        done += 1
        step(f"replaying {clean(asked.title)}", done, hours)

    return replay(frames, asked.rules, place, progress=heard, events=events, guard=guard)


def _check(history: History) -> None:
    if history.first is None:
        raise TooLittleHistory("No usage is stored: there is nothing to replay.")
    stored = history.view.complete_until - history.first
    if stored < LEAST:
        raise TooLittleHistory(
            f"Only {max(stored // HOUR, 0)} hours of history are stored, and a replay takes at least "
            f"{LEAST // HOUR}: let the daemon run, or read more with --fetch."
        )


def _notes(history: History, start: datetime, asked: datetime, days: int, found: Sequence[Backtest]) -> Iterator[str]:
    """What the reader must know of this history to judge what follows."""
    first = history.first
    if first is not None and start > asked:
        replayed = (history.view.complete_until - start) / DAY
        yield f"History begins {first:%Y-%m-%d %H:%M} UTC: {replayed:.0f} days were replayed, of {days} asked for."
    if first is not None and start - first < GOOD_LEAD:
        yield (
            f"Until {first + GOOD_LEAD:%Y-%m-%d} anomalies were judged with less than {GOOD_LEAD.days} days of history "
            "before them, and are told more often than they would be now."
        )
    holes = int((~history.view.known[history.view.index(max(start, history.view.start)) :]).sum())
    holes -= max((history.view.hours - history.view.index(history.view.complete_until)), 0)
    if holes > 0:
        yield f"{holes} hours were never read: they are missing, and count as nothing."
    if any(known == CLAUDE_CODE for known in history.counted.values()):
        yield f"{CLAUDE_CODE[:1].upper()}{CLAUDE_CODE[1:]}."
    for each in found:
        if not each.asked.rules.routes:
            yield f"{each.asked.title} has no route: nobody would have been told of anything."
