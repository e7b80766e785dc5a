"""What an output token costs, as a channel of its own: shifts in it are anomalies, whatever the number of tokens.

A unit is `UNIT_TOKENS` output tokens, about what one request brings: tokens are what is known of every key and hour.
`read_prices` fits and reads, the rest says what comes of it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rules.configured import AnomalyRule
from rules.measures import Measure
from rules.model import (
    HOUR,
    Breach,
    HourPoint,
    Names,
    Nano,
    PriceShift,
    Severity,
    SpendView,
    Subject,
    UnitPriceEvidence,
)
from rules.profile import DAY
from rules.sensitivity import PRICE, odds, threshold
from rules.story import CRITICAL, LEAST_FRACTION, POINTS, parts_of_excess
from rules.subjects import DOLLAR, Subjects
from rules.unit_price import PriceReading, Shift, UnitPrice

Floats = npt.NDArray[np.float64]

TOKENS = Measure("tokens", "output")
"""What has to be counted beside spend for prices to be followed."""
UNIT_TOKENS = 500.0
INSTANCE = "unit price"
MILLION = 1_000_000
HISTORY = 35 * DAY
"""Hours the price is fitted on, from a midnight: what is older would hardly weigh."""
KEPT = 8 * DAY
"""Hours that a shift can be followed back."""
NEWEST = 3
"""Hours whose mean is the price at present."""
GAP = 2
"""Ordinary hours with tokens that the story of a shift may contain between dear ones."""


@dataclass(frozen=True, slots=True)
class Priced:
    """What was read of the prices of subjects in their newest hours; arrays are hours × scopes, hour 0 is hour `begin`
    of the view, and the first `complete` of them are complete."""

    reading: PriceReading
    """`material` in multiples of the rule's own threshold."""
    amounts: Floats
    """Dollars, 0 where unknown."""
    units: Floats
    begin: int
    complete: int
    threshold: float

    def before(self, place: int, at: int) -> float:
        """Dollars a unit that were normal at that hour; 0 where none is known."""
        held, units = self.reading.held[: at + 1, place], self.units[: at + 1, place]
        known = np.flatnonzero((held > 0) & (units > 0))
        return float(held[known[-1]] / units[known[-1]]) if known.size else 0.0

    def newest(self, place: int, begin: int) -> float:
        """Dollars a unit over the last `NEWEST` hours with any from hour `begin` on; 0 without any."""
        hours = begin + np.flatnonzero(self.units[begin:, place] > 0)[-NEWEST:]
        units = float(self.units[hours, place].sum())
        return float(self.amounts[hours, place].sum()) / units if units > 0 else 0.0


def read_prices(rule: AnomalyRule, view: SpendView, tokens: SpendView, subjects: Subjects, keep: int = KEPT) -> Priced:
    """What the prices of the subjects say over about the last `keep` hours, by the floors of the rule.

    `tokens` counts output tokens by leaf over the hours of the view.
    """
    series = len(subjects.scopes)
    least = threshold(rule, series, PRICE)
    floor = rule.min_excess / DOLLAR / least
    begin = _begin(view, subjects, max(HISTORY, keep))
    amounts = subjects.dollars[begin:, subjects.first :]
    units = units_of(view, tokens, subjects, begin)
    prices = UnitPrice(series, Shift(ratio=rule.tuning.price_ratio))
    readings: deque[PriceReading] = deque(maxlen=max(keep // DAY, 1) + 1)
    at, learnt = 0, subjects.complete - begin
    while at + DAY <= learnt:
        readings.append(prices.advance(amounts[at : at + DAY], units[at : at + DAY], floor))
        at += DAY
    if at < len(amounts):
        readings.append(prices.read(amounts[at:], units[at:], floor))
    return _priced(readings, amounts, units, begin, subjects.complete, least)


def units_of(view: SpendView, tokens: SpendView, subjects: Subjects, begin: int) -> Floats:
    """Units of each scope by the hour from hour `begin` on, NaN where its dollars are missing; hours × scopes."""
    rows = {leaf: row for row, leaf in enumerate(tokens.leaves)}
    end = subjects.dollars.shape[0]
    counts = tokens.cost[:, begin:end]
    result = np.zeros((end - begin, len(subjects.scopes)))
    for place, members in enumerate(subjects.members):
        own = [rows[view.leaves[leaf]] for leaf in members.tolist() if view.leaves[leaf] in rows]
        if own:
            result[: counts.shape[1], place] = counts[own[0]] if len(own) == 1 else counts[own].sum(axis=0)
    result /= UNIT_TOKENS
    result[np.isnan(subjects.dollars[begin:, subjects.first :])] = np.nan
    return result


def price_breach(
    rule: AnomalyRule, view: SpendView, names: Names, subjects: Subjects, priced: Priced, place: int
) -> Breach:
    """The breach of the scope at `place`, with its evidence."""
    evidence = _evidence(rule, view, names, subjects, priced, place)
    return Breach(
        subject=price_subject(rule, subjects, place),
        severity=Severity.CRITICAL if evidence.per_hour >= CRITICAL * rule.min_excess else rule.severity,
        starts_at=evidence.since,
        value=evidence.per_hour,
        expected=None,
        limit=None,
        evidence=evidence,
        hold_for=rule.hold_for,
        keep_firing_for=rule.keep_firing_for,
    )


def price_subject(rule: AnomalyRule, subjects: Subjects, place: int) -> Subject:
    """What the alert about the price of a scope is about."""
    return Subject(rule.name, "anomaly", subjects.scopes[place], INSTANCE)


def per_million(dollars_a_unit: float) -> Nano:
    """Nano-dollars for a million output tokens."""
    return round(dollars_a_unit / UNIT_TOKENS * MILLION * DOLLAR)


def _begin(view: SpendView, subjects: Subjects, hours: int) -> int:
    """The first hour to look at: a midnight, and not long before the first of which anything is known."""
    midnight = view.start.hour
    known = np.isfinite(subjects.dollars).any(axis=1)
    begin = max(subjects.complete - hours, int(known.argmax()))
    return max(begin - (midnight + begin) % DAY, 0)


def _priced(
    readings: deque[PriceReading], amounts: Floats, units: Floats, begin: int, complete: int, least: float
) -> Priced:
    reading = PriceReading(*(np.concatenate(parts) for parts in zip(*readings, strict=True)))
    kept = len(reading.held)
    skipped = len(amounts) - kept
    return Priced(
        reading._replace(material=reading.material / least),
        np.nan_to_num(amounts[skipped:]),
        np.nan_to_num(units[skipped:]),
        begin + skipped,
        complete - begin - skipped,
        least,
    )


def _since(priced: Priced, place: int, at: int) -> int:
    """The first hour of the stretch that reaches `at` and is half as dear beyond the usual; quiet hours break none."""
    amounts, held = priced.amounts[: at + 1, place], priced.reading.held[: at + 1, place]
    used = np.flatnonzero(held > 0)
    recent = used[-NEWEST:]
    rise = float(amounts[recent].sum() / held[recent].sum()) - 1.0 if recent.size else 0.0
    first, ordinary = at, 0
    for hour in used[::-1]:
        if amounts[hour] >= (1.0 + 0.5 * rise) * held[hour]:
            first, ordinary = int(hour), 0
        else:
            ordinary += 1
            if ordinary > GAP:
                break
    return first


def _evidence(
    rule: AnomalyRule, view: SpendView, names: Names, subjects: Subjects, priced: Priced, place: int
) -> UnitPriceEvidence:
    material = priced.reading.material[:, place]
    proving = np.flatnonzero(material >= 1.0)
    at = max(int(proving[-1]) if proving.size else 0, priced.complete - 1, 0)
    since, end = _since(priced, place, at), len(material)
    amounts, held = priced.amounts[:, place], priced.reading.held[:, place]
    spent, usual = float(amounts[since:].sum()), float(held[since:].sum())
    begin, members = priced.begin + since, subjects.members[place]
    window = slice(begin, priced.begin + end)
    score = float(priced.reading.scores[max(at - NEWEST, 0) :, place].max())
    shift = PriceShift(
        before=per_million(priced.before(place, at)),
        now=per_million(priced.newest(place, since)),
        since=view.start + begin * HOUR,
        excess=_nano(spent - usual),
    )
    return UnitPriceEvidence(
        shift=shift,
        tokens=round(float(priced.units[since:, place].sum()) * UNIT_TOKENS),
        observed=_nano(spent),
        expected=_nano(usual),
        per_hour=_nano(_more_an_hour(view, priced, place, max(since, end - NEWEST))),
        score=round(score, 2),
        history_hours=int(np.isfinite(subjects.dollars[: priced.begin + at, subjects.first + place]).sum()),
        points=_points(view, priced, place),
        data_as_of=view.observed_until,
        settled=int(view.settled[members, window].sum()),
        top=parts_of_excess(view, names, price_subject(rule, subjects, place), members, window, usual),
        unpriced=tuple(
            sorted({view.leaves[leaf].model for leaf in members if view.cost[leaf, begin:].any()} & view.unpriced)
        ),
        odds=odds(score, len(subjects.scopes), PRICE),
    )


def _more_an_hour(view: SpendView, priced: Priced, place: int, begin: int) -> float:
    """Dollars beyond the usual an hour since hour `begin`, by the time that has been seen of these hours."""
    more = float((priced.amounts[begin:, place] - priced.reading.held[begin:, place]).sum())
    seen = (view.observed_until - view.start) / HOUR - (priced.begin + begin)
    return max(more, 0.0) / max(seen, LEAST_FRACTION)


def _points(view: SpendView, priced: Priced, place: int) -> tuple[HourPoint, ...]:
    hours = range(max(len(priced.amounts) - POINTS, 0), len(priced.amounts))
    held = priced.reading.held
    return tuple(
        HourPoint(
            hour=view.start + (priced.begin + hour) * HOUR,
            observed=_nano(float(priced.amounts[hour, place])),
            expected=_nano(float(held[hour, place])),
            upper=_nano(float(held[hour, place])),
            complete=hour < priced.complete,
        )
        for hour in hours
    )


def _nano(dollars: float) -> Nano:
    return round(dollars * DOLLAR)
