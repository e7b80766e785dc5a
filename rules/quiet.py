"""Silences at work: which alerts they hold back, and which are to be told once they have ended. Pure.

While a silence holds, nothing is sent of the alerts that it matches: neither that they fire nor that they ended. One
that began meanwhile waits, and is told once when no silence holds it any more, if it still fires then; of one that was
told before, nothing is repeated. Of waiting crossings of one budget, scope and period the highest is told, and none
below one that was told already.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from rules.crossings import Crossing, crossing_of, scope_and_period
from rules.holding import Holding
from rules.inhibition import Inhibition
from rules.labels import Labelling
from rules.model import Alert, Names, State
from rules.quieted import Silence, Silenced


def look(alerts: Iterable[Alert], silences: Sequence[Silence], names: Names, called: Sequence[str]) -> Iterator[Alert]:
    """The alerts of which it has changed what holds them back; `silences` are those in force."""
    in_order = sorted(silences, key=lambda silence: (silence.ends_at, silence.id), reverse=True)
    holding = Holding([silence.matchers for silence in in_order])
    labelling = Labelling(names, called)
    for alert in alerts:
        held = holding.of(labelling.of(alert)) if in_order else 0
        silenced = _silenced(in_order[(held & -held).bit_length() - 1]) if held else None
        if silenced != alert.silenced:
            yield replace(alert, silenced=silenced)


def matched(silence: Silence, alerts: Iterable[Alert], names: Names, called: Sequence[str]) -> tuple[Alert, ...]:
    """The alerts that a silence is about."""
    labelling, holding = Labelling(names, called), Holding([silence.matchers])
    return tuple(alert for alert in alerts if holding.of(labelling.of(alert)))


def freed(alerts: Mapping[str, Alert]) -> frozenset[str]:
    """The ids of waiting alerts that are to be told now; one whose data are clear already waits for its end."""
    waiting = [alert for alert in alerts.values() if alert.waits and alert.state is State.FIRING]
    free = [alert for alert in waiting if alert.silenced is None and alert.clear_since is None]
    lower = {alert.id for alert in _lower(free, alerts.values())}
    return frozenset(alert.id for alert in free if alert.id not in lower)


def superseded(alerts: Mapping[str, Alert]) -> tuple[Alert, ...]:
    """Waiting crossings of which a higher one tells, as they are once they wait no more."""
    free = [alert for alert in alerts.values() if alert.waits and alert.silenced is None]
    return tuple(replace(alert, waits=False) for alert in _lower(free, alerts.values()))


def held_back(story: Inhibition, freed: Collection[str], alerts: Mapping[str, Alert]) -> dict[str, Alert]:
    """By id the alerts to tell that wait from now on, as a silence holds them, and those freed that others tell of."""
    waiting = {
        ident: replace(alerts[ident], waits=True)
        for ident in story.told
        if alerts[ident].silenced is not None and not alerts[ident].waits
    }
    return waiting | {ident: replace(alerts[ident], waits=False) for ident in freed if ident in story.folded}


def _lower(waiting: Iterable[Alert], alerts: Iterable[Alert]) -> Iterator[Alert]:
    crossings = [crossing for crossing in map(crossing_of, waiting) if crossing is not None]
    if not crossings:
        return
    wanted = {scope_and_period(crossing.alert) for crossing in crossings}
    beside: dict[tuple[str, ...], list[Crossing]] = {}
    for crossing in map(crossing_of, alerts):
        # One that is held back itself tells of nothing.
        if crossing is None or crossing.alert.state is not State.FIRING or crossing.alert.silenced is not None:
            continue
        alert = crossing.alert
        if (alert.waits or alert.heard is not None) and scope_and_period(alert) in wanted:
            beside.setdefault(scope_and_period(alert), []).append(crossing)
    for crossing in crossings:
        limit = crossing.evidence.limit
        higher = beside.get(scope_and_period(crossing.alert), ())
        if any(other.amount(limit) > crossing.amount() for other in higher):
            yield crossing.alert


def _silenced(silence: Silence) -> Silenced:
    return Silenced(silence.id, silence.ends_at, silence.author, silence.comment)
