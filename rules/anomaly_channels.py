"""What an anomaly rule says beside too much spend: dearer tokens, silence, and what it no longer asks for.

A verdict is given only where there is something to tell or an alert to be ended: of the rest nothing would come.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rules.model import (
    AnomalyEvidence,
    AnomalyRule,
    Breach,
    Clear,
    Names,
    Nano,
    NoData,
    PriceShift,
    Scope,
    SpendView,
    Subject,
    UnitPriceEvidence,
    Verdict,
)
from rules.price_fit import Priced
from rules.price_shift import per_million, price_breach, price_subject
from rules.profile import DAY
from rules.quiet_scopes import came_back, deep, is_silent_as_a_whole, runs, silence_breach, silence_subject, since_back
from rules.story import Told
from rules.subjects import Subjects

CALM = 0.7
CALM_HOURS = 2
IDLE = DAY
"""Hours without any token after which a price is no longer held to be what it was."""
NO_LONGER_ASKED = "the rule no longer asks for it"

Hours = npt.NDArray[np.intp]
_Named = Callable[[AnomalyRule, Subjects, int], Subject]


def price_verdicts(
    rule: AnomalyRule,
    view: SpendView,
    names: Names,
    subjects: Subjects,
    priced: Priced,
    *,
    firing: frozenset[str],
    why: str | None,
) -> Iterator[Verdict]:
    """The verdicts on what a token costs. `why` says why the newest complete hours are not known, if they are not."""
    material = priced.reading.material
    ahead = material[max(priced.complete, 0) :].max(axis=0, initial=0.0)
    latest = material[priced.complete - 1] if priced.complete > 0 and why is None else np.zeros_like(ahead)
    proven = (ahead >= 1.0) | (latest >= 1.0)
    held = _fires(rule, subjects, firing, price_subject)
    for place in sorted({*np.flatnonzero(proven).tolist(), *held}):
        if proven[place] or (why is None and _lingers(priced, place)):
            yield price_breach(rule, view, names, subjects, priced, place)
        elif why is not None:
            yield NoData(price_subject(rule, subjects, place), why)
        else:
            yield Clear(price_subject(rule, subjects, place), _at_present(priced, place))


def silence_verdicts(
    rule: AnomalyRule,
    view: SpendView,
    told: Told,
    *,
    firing: frozenset[str],
    why: str | None,
    off: Collection[str],
) -> Iterator[Verdict]:
    """The verdicts on silence; `off` are the keys that are switched off."""
    subjects = told.subjects
    held = _fires(rule, subjects, firing, silence_subject)
    if why is None and is_silent_as_a_whole(view, subjects):
        why = "the whole organization is silent"
    if why is not None:
        yield from (NoData(silence_subject(rule, subjects, place), why) for place in sorted(held))
        return
    silent = runs(told)
    quiet, back = deep(told, rule.min_excess, silent, held), came_back(told)
    for place in sorted({*np.flatnonzero(quiet).tolist(), *held}):
        if subjects.scopes[place].api_key in off:
            if place in held:
                yield Clear(silence_subject(rule, subjects, place), over="the key is switched off")
        elif quiet[place] and not back[place]:
            yield silence_breach(rule, view, told, place, silent)
        elif quiet[place]:
            yield NoData(silence_subject(rule, subjects, place), "spend has come in an hour that is not complete")
        else:
            yield Clear(silence_subject(rule, subjects, place), since_back(told, place, silent))


def ended(rule: AnomalyRule, subjects: Subjects, firing: frozenset[str], named: _Named) -> Iterator[Verdict]:
    """The end of alerts of a channel that the rule no longer follows."""
    for place in sorted(_fires(rule, subjects, firing, named)):
        yield Clear(named(rule, subjects, place), over=NO_LONGER_ASKED)


def spend_subject(rule: AnomalyRule, subjects: Subjects, place: int) -> Subject:
    """What the alert about too much spend of a scope is about."""
    return Subject(rule.name, "anomaly", subjects.scopes[place])


def folded(verdicts: list[Verdict]) -> list[Verdict]:
    """The same, where the breach of a scope's spend also tells that its tokens have become dearer."""
    shifts = {
        verdict.subject.scope: verdict.evidence.shift
        for verdict in verdicts
        if isinstance(verdict, Breach) and isinstance(verdict.evidence, UnitPriceEvidence)
    }
    return [_with_shift(verdict, shifts) for verdict in verdicts] if shifts else verdicts


def _with_shift(verdict: Verdict, shifts: Mapping[Scope, PriceShift]) -> Verdict:
    if not isinstance(verdict, Breach) or not isinstance(verdict.evidence, AnomalyEvidence):
        return verdict
    shift = shifts.get(verdict.subject.scope)
    return verdict if shift is None else replace(verdict, evidence=replace(verdict.evidence, price=shift))


def _fires(rule: AnomalyRule, subjects: Subjects, firing: frozenset[str], named: _Named) -> frozenset[int]:
    """The places of the scopes of which such an alert is pending or firing."""
    if not firing:
        return frozenset()
    places = range(len(subjects.scopes))
    return frozenset(place for place in places if named(rule, subjects, place).fingerprint in firing)


def _used(priced: Priced, place: int) -> Hours:
    """The last complete hours with tokens; hours without any say nothing of their price, for a day."""
    complete = max(priced.complete, 0)
    begin = max(complete - IDLE, 0)
    return begin + np.flatnonzero(priced.units[begin:complete, place] > 0)[-CALM_HOURS:]


def _lingers(priced: Priced, place: int) -> bool:
    """Whether the last hours with tokens were still too dear."""
    return bool((priced.reading.material[_used(priced, place), place] >= CALM).any())


def _at_present(priced: Priced, place: int) -> Nano | None:
    """What a million tokens cost in the last hours with any; None where there was none for a day."""
    used = _used(priced, place)
    units = float(priced.units[used, place].sum())
    return per_million(float(priced.amounts[used, place].sum()) / units) if units > 0 else None
