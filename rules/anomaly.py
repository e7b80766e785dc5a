"""Spend that is improbable under the seasonal baseline *and* material in money, as verdicts.

What it takes to breach, at the newest complete hour or in an hour still filling (whose partial value is held against
what the whole hour may bring, so it can prove a breach and never a recovery):

- over 2, 3, 6, 24 or 72 hours: the sum is improbable, its excess is at least `OVERWHELMING` × `min_excess` (more for
  long ones, `Floors.least`), and the story is still going on. An hour counts in these sums only up to its own bound, so
  one spike alone never suffices: several hours must be odd by themselves, or of three days three quarters of the hours
  above the expected;
- over one hour: it is improbable and its excess is at least `OVERWHELMING` × `min_excess`, too dear to wait;
- over six days: it creeps up (`rules.leak`).

What is less dear an hour must also be much for the subject itself (`Floors.of_usual`), and bursts that a subject is
known for (`rules.bursts`) are no news up to twice their height, unless they are very dear.

A subject that is firing already stays in breach until the two newest complete hours reach less than `CALM` of that.
A level that stays is adopted as the new normal after four days. A key in its first hours is judged against the usual
level of the organization's keys and its workspace's shape; while the whole organization has less than a day of
history nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from rules.carried import Carried
from rules.fit import LOOK_BACK, alone
from rules.model import HOUR, AnomalyRule, Clear, Names, NoData, SpendView, Subject, Verdict
from rules.profile import DAY
from rules.story import Told, breach
from rules.subjects import Subjects

CALM = 0.7
CALM_HOURS = 2
STALE_AFTER = timedelta(hours=6)
"""Without a complete hour newer than this nothing can be said to be over."""
LEAST_HISTORY = DAY


def judge(
    rule: AnomalyRule,
    view: SpendView,
    names: Names,
    firing: frozenset[str],
    now: datetime,
    carried: Carried | None = None,
) -> list[Verdict]:
    """One verdict for every scope of the rule that has ever spent anything, in the order of the view's leaves.

    `firing` holds the fingerprints of alerts that are pending or firing now. What is `carried` from one judgement to
    the next makes it quick.
    """
    carried = carried or Carried()
    subjects = carried.cut(rule, view, names)
    if not subjects.scopes:
        return []
    why = _unknown(view, subjects, now)
    if np.count_nonzero(view.known[: subjects.complete]) < LEAST_HISTORY:
        why = f"less than {LEAST_HISTORY} hours of history"
        return [NoData(subject, why) for subject in _named(rule, subjects)]
    told = carried.read(rule, view, subjects)
    material = told.reading.material[:, subjects.first :]
    ahead = material[told.complete :].max(axis=0, initial=0.0)
    newest = material[max(told.complete - CALM_HOURS, 0) : told.complete]
    latest = newest[-1] if len(newest) else np.zeros(len(subjects.scopes))
    proven = (ahead >= 1.0) | (latest >= 1.0 if why is None else np.zeros_like(latest, dtype=np.bool_))
    lingers = newest.max(axis=0, initial=0.0) >= CALM
    verdicts: list[Verdict] = []
    for place, subject in enumerate(_named(rule, subjects)):
        if proven[place] or (why is None and lingers[place] and subject.fingerprint in firing):
            verdicts.append(breach(rule, view, names, subject, told, place))
        elif why is not None:
            verdicts.append(NoData(subject, why))
        else:
            verdicts.append(Clear(subject, value=told.latest(place)))
    return verdicts


def _named(rule: AnomalyRule, subjects: Subjects) -> Iterator[Subject]:
    return (Subject(rule.name, "anomaly", scope) for scope in subjects.scopes)


def _unknown(view: SpendView, subjects: Subjects, now: datetime) -> str | None:
    """Why the newest hours cannot be called known; None if they are."""
    if subjects.complete == 0:
        return "no complete hour yet"
    if now - view.complete_until > STALE_AFTER:
        return f"no complete hour since {view.complete_until:%Y-%m-%d %H:%M} UTC"
    if not view.known[subjects.complete - 1]:
        return f"the hour of {view.complete_until - HOUR:%Y-%m-%d %H:%M} UTC was never read"
    return None


def read(rule: AnomalyRule, view: SpendView, subjects: Subjects, keep: int = LOOK_BACK) -> Told:
    """What the baseline reads of the subjects of the whole view over about the last `keep` hours, by the floors of the
    rule.

    Hours that are planned to be `subjects.factor` times the usual are held against so much.
    """
    return alone(rule, view, subjects, keep)
