"""Spend that is improbable under the seasonal baseline *and* material in money, as verdicts.

What it takes to breach, at the newest complete hour or in an hour still filling (whose partial value is held against
what the whole hour may bring, so it can prove a breach and never a recovery):

- over 2, 3, 6, 24 or 72 hours: the sum is improbable, its excess is at least `tuning.one_hour` × `min_excess` (more for
  long ones, `Floors.least`), and the story is still going on. An hour counts in these sums only up to its own bound, so
  one spike alone never suffices: several hours must be odd by themselves, or of three days three quarters of the hours
  above the expected;
- over one hour: it is improbable and its excess is at least `tuning.one_hour` × `min_excess`, too dear to wait; an even
  key's open hour is also held against the share of it that is gone (`rules.open_hour`);
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
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from rules.anomaly_channels import CALM, CALM_HOURS, ended, folded, price_verdicts, silence_verdicts, spend_subject
from rules.carried import Carried
from rules.fit import LOOK_BACK, alone
from rules.model import HOUR, AnomalyRule, Clear, Names, NoData, SpendView, Subject, Verdict
from rules.open_hour import early_scores
from rules.overlay import NOTHING, Foreknown, marks, overlaid
from rules.price_shift import price_subject
from rules.profile import DAY
from rules.quiet_scopes import silence_subject
from rules.sensitivity import SPEND, floors_of, threshold
from rules.story import Told, breach
from rules.subjects import Subjects

STALE_AFTER = timedelta(hours=6)
"""Without a complete hour newer than this nothing can be said to be over."""
LEAST_HISTORY = DAY


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known beside the spend of an organization."""

    tokens: SpendView | str | None = None
    """Output tokens by leaf over the hours of the view; None or why where they are not known."""
    foreknown: Foreknown = NOTHING
    """What was planned, and said of anomalies."""
    off: frozenset[str] = frozenset()
    """The keys that are switched off."""
    stalled: bool = False
    """Whether the organization's usage is suspect."""


def judge(
    rule: AnomalyRule,
    view: SpendView,
    names: Names,
    firing: frozenset[str],
    now: datetime,
    beside: Beside = Beside(),
    *,
    carried: Carried | None = None,
) -> list[Verdict]:
    """One verdict for every scope of the rule that has ever spent anything, in the order of the view's leaves.

    After them come those of what a token costs, where tokens are known, and of silence, where the rule asks for it: of
    scopes of which there is something to say. `firing` holds the fingerprints of alerts that are pending or firing now.
    What is `carried` from one judgement to the next makes it quick.
    """
    carried = carried or Carried()
    subjects = overlaid(carried.cut(rule, view, names, marks(beside.foreknown, view)), view, names, beside.foreknown)
    if not subjects.scopes:
        return []
    why = _unknown(view, subjects, now)
    if np.count_nonzero(view.known[: subjects.complete]) < LEAST_HISTORY:
        why = f"less than {LEAST_HISTORY} hours of history"
        return [NoData(subject, why) for subject in _named(rule, subjects)]
    told = held_against(rule, view, carried.read(rule, view, subjects))
    up, down = rule.direction != "down", rule.direction != "up"
    verdicts = _too_much(rule, view, names, told, firing, why) if up else []
    if not up:
        verdicts += ended(rule, subjects, firing, spend_subject)
    if not up or not rule.unit_price:
        verdicts += ended(rule, subjects, firing, price_subject)
    elif isinstance(beside.tokens, SpendView):
        priced = carried.prices(rule, view, beside.tokens, subjects)
        verdicts += price_verdicts(rule, view, names, subjects, priced, firing=firing, why=why)
    if down:
        suspect = "the organization's usage has stalled" if beside.stalled else why
        verdicts += silence_verdicts(rule, view, told, firing=firing, why=suspect, off=beside.off)
    else:
        verdicts += ended(rule, subjects, firing, silence_subject)
    return folded(verdicts)


def held_against(rule: AnomalyRule, view: SpendView, told: Told) -> Told:
    """What was read, in multiples of the rule's own threshold, and with the open hour held against the share that is
    gone of it."""
    series = len(told.subjects.scopes)
    least = threshold(rule, series, SPEND)
    material = told.reading.material / np.float32(least)
    early = early_scores(told, view, floors_of(rule, series)) / least
    at = (view.observed_until - view.start) // HOUR - told.begin
    if early.any():
        own = material[at, told.subjects.first :]
        np.maximum(own, early, out=own, casting="same_kind")
    return replace(told, reading=told.reading._replace(material=material), threshold=least)


def _too_much(
    rule: AnomalyRule, view: SpendView, names: Names, told: Told, firing: frozenset[str], why: str | None
) -> list[Verdict]:
    """The verdicts on spend; `why` says why the newest complete hours are not known, if they are not."""
    subjects = told.subjects
    material = told.reading.material[:, subjects.first :]
    ahead = material[told.complete :].max(axis=0, initial=0.0)
    newest = material[max(told.complete - CALM_HOURS, 0) : told.complete]
    latest = newest[-1] if len(newest) else np.zeros(len(subjects.scopes))
    proven = ((ahead >= 1.0) | (latest >= 1.0 if why is None else np.zeros_like(latest, dtype=np.bool_))).tolist()
    lingers = (newest.max(axis=0, initial=0.0) >= CALM).tolist()
    verdicts: list[Verdict] = []
    at_present = told.latest()
    for place, subject in enumerate(_named(rule, subjects)):
        if proven[place] or (why is None and lingers[place] and subject.fingerprint in firing):
            verdicts.append(breach(rule, view, names, subject, told, place))
        elif why is not None:
            verdicts.append(NoData(subject, why))
        else:
            verdicts.append(Clear(subject, value=at_present[place]))
    return verdicts


def _named(rule: AnomalyRule, subjects: Subjects) -> Iterator[Subject]:
    return (spend_subject(rule, subjects, place) for place in range(len(subjects.scopes)))


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

    What comes within the room that was planned or allowed (`rules.room`) is no news.
    """
    return alone(rule, view, subjects, keep)
