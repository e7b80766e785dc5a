"""Scopes that practically always spend something and have fallen silent: asked for by `direction`.

The baseline says when a silence is improbable (`rules.silence`); it is told once what is missing has reached the
rule's floor. Only complete hours prove it. Spend that comes in the hour still filling keeps it from beginning, and ends
nothing. Nothing is said while the whole organization is silent, or its usage has stalled: then the source is suspect;
and nothing of keys that are switched off, of which nothing more is to be expected.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from rules.model import HOUR, AnomalyRule, Breach, HourPoint, Nano, Severity, SilenceEvidence, SpendView, Subject
from rules.silence import HARMLESS, LEAST_HOURS
from rules.story import POINTS, Flags, Floats, Told
from rules.subjects import DOLLAR, Subjects

INSTANCE = "silence"
WEEK = 168
MEMORY = 28 * 24
"""Hours in which the longest earlier silence is looked for."""
LEAST_KEYS = 3
"""Keys at work in the week before, from which a silence of all of them is the source's, not theirs."""


def is_silent_as_a_whole(view: SpendView, subjects: Subjects) -> bool:
    """Whether nothing at all came in the newest complete hour, in an organization where several keys are at work."""
    if subjects.done == 0 or subjects.dollars[subjects.done - 1, 0] > 0:
        return False
    recent = view.cost[:, max(subjects.complete - WEEK, 0) : subjects.complete]
    used = np.flatnonzero(recent.sum(axis=1)).tolist()
    return len({view.leaves[leaf].api_key for leaf in used}) >= LEAST_KEYS


def came_back(told: Told) -> Flags:
    """Which scopes have spent something in the hours that are not complete."""
    ahead = told.subjects.dollars[told.subjects.done :, told.subjects.first :]
    result: Flags = np.nan_to_num(ahead).sum(axis=0) > 0
    return result


def runs(told: Told) -> Floats:
    """How many known complete hours each scope has been silent for, up to the newest one."""
    dollars = told.subjects.dollars[: told.subjects.done, told.subjects.first :]
    known, spent = np.isfinite(dollars), np.nan_to_num(dollars) > 0
    last = len(dollars) - spent[::-1].argmax(axis=0)
    since = np.where(spent.any(axis=0), last, len(dollars))
    after = np.arange(len(dollars))[:, None] >= since
    result: Floats = (known & after).sum(axis=0).astype(np.float64)
    return result


def deep(told: Told, least: Nano, silent: Floats, firing: Collection[int]) -> Flags:
    """Which scopes are silent against expectation, and miss at least `least`; those that fire stay as long as it lasts.

    A silence of four days is no news any more.
    """
    if told.complete <= 0:
        return np.zeros(len(silent), dtype=np.bool_)
    first = told.subjects.first
    improbable = told.reading.silence[told.complete - 1, first:] >= 1.0
    missing = np.array([_usual(told, place, silent) * silent[place] for place in range(len(silent))])
    result: Flags = improbable & (missing >= least / DOLLAR) & (silent > 0)
    for place in firing:
        result[place] = LEAST_HOURS <= silent[place] <= HARMLESS
    return result


def since_back(told: Told, place: int, silent: Floats) -> Nano:
    """What the last complete hour with spend brought; nothing where the silence has become the normal."""
    observed = told.observed(place)[: max(told.complete, 0)]
    spent = observed[observed > 0]
    return round(float(spent[-1]) * DOLLAR) if spent.size and silent[place] <= HARMLESS else 0


def silence_breach(rule: AnomalyRule, view: SpendView, told: Told, place: int, silent: Floats) -> Breach:
    """The breach of the scope at `place`, with its evidence."""
    subjects, row = told.subjects, told.subjects.first + place
    dollars = _history(view, subjects, place)
    spent = np.flatnonzero(np.nan_to_num(dollars) > 0)
    since = int(spent[-1]) + 1
    usual = round(_usual(told, place, silent) * DOLLAR)
    evidence = SilenceEvidence(
        since=view.start + since * HOUR,
        hours=int(silent[place]),
        normal_per_hour=usual,
        longest=_longest(dollars[max(since - MEMORY, 0) : since]),
        score=round(float(told.reading.silence[told.complete - 1, row]), 2),
        history_hours=int(np.isfinite(dollars[:since]).sum()),
        points=_points(view, told, row),
        data_as_of=view.observed_until,
    )
    return Breach(
        subject=silence_subject(rule, subjects, place),
        severity=Severity.WARNING,
        starts_at=evidence.since,
        value=0,
        expected=usual,
        limit=None,
        evidence=evidence,
        hold_for=rule.hold_for,
        keep_firing_for=rule.keep_firing_for,
    )


def silence_subject(rule: AnomalyRule, subjects: Subjects, place: int) -> Subject:
    """What the alert about the silence of a scope is about."""
    return Subject(rule.name, "anomaly", subjects.scopes[place], INSTANCE)


def _usual(told: Told, place: int, silent: Floats) -> float:
    """Dollars that an hour of the silence was held to bring, on average over those that were read."""
    hours = slice(max(told.complete - max(int(silent[place]), 1), 0), told.complete)
    return float(told.reading.expected[hours, told.subjects.first + place].mean())


def _history(view: SpendView, subjects: Subjects, place: int) -> Floats:
    """Dollars of the scope in all complete hours of the view, NaN where nothing is known."""
    dollars: Floats = view.cost[subjects.members[place], : subjects.complete].sum(axis=0) / DOLLAR
    dollars[~np.maximum.accumulate(dollars > 0) | ~view.known[: subjects.complete]] = np.nan
    return dollars


def _longest(dollars: Floats) -> int:
    """The most known hours in a row without spend, before the last that has some."""
    spent = np.nan_to_num(dollars, nan=1.0) > 0
    places = np.flatnonzero(spent)
    return int(np.diff(places).max()) - 1 if places.size > 1 else 0


def _points(view: SpendView, told: Told, row: int) -> tuple[HourPoint, ...]:
    observed = told.observed(row - told.subjects.first)
    expected = told.reading.expected[:, row]
    return tuple(
        HourPoint(
            hour=view.start + (told.begin + hour) * HOUR,
            observed=round(float(observed[hour]) * DOLLAR),
            expected=round(float(expected[hour]) * DOLLAR),
            upper=round(float(told.reading.upper[hour, row]) * DOLLAR),
            complete=hour < told.complete,
        )
        for hour in range(max(len(observed) - POINTS, 0), len(observed))
    )
