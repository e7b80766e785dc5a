"""What a score means: how many such alarms clean data would bring, and so where a rule's threshold lies.

On clean data the number of alarms falls about exponentially with the threshold (`benchmarks.calibration` measures it,
and fits the constants below):

    alarms a series-week = at_one × exp(-slope × (multiple of the usual threshold - 1))

The law was measured without floors in money, which leave out most of what it counts: it is an upper bound. It is used
between `LEAST` and the highest multiple that was measured, and never drawn out beyond: a budget so small that it lies
there gets the threshold at the end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rules.configured import AnomalyRule, Sensitivity
from rules.materiality import Floors
from rules.shift_evidence import Odds

WEEKS_A_YEAR = 365.25 / 7
LEAST = 0.8
"""The lowest multiple of the usual threshold: below it every wave is an alarm."""
DOLLAR = 1e9


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """The law of one channel."""

    at_one: float
    """Alarms a series-week at the usual threshold."""
    slope: float
    most: float
    """The highest multiple that rests on measured alarms."""

    def a_week(self, multiple: float) -> float:
        """Alarms a series-week with at least this multiple of the usual threshold; constant from `most` on."""
        return self.at_one * math.exp(-self.slope * (min(max(multiple, 0.0), self.most) - 1.0))

    def multiple(self, a_week: float) -> float:
        """The multiple that brings at most so many alarms a series-week, within what was measured."""
        if a_week <= 0:
            return self.most
        return min(max(1.0 - math.log(a_week / self.at_one) / self.slope, LEAST), self.most)


SPEND = FalseAlarms(at_one=0.0009, slope=5.11, most=1.4)
PRICE = FalseAlarms(at_one=0.0066, slope=7.97, most=1.5)
"""As `python -m benchmarks.calibration` prints them."""
MULTIPLES: dict[Sensitivity, float] = {"low": 1.2, "medium": 1.0, "high": 0.85}
"""Of the threshold of spend: a third of the alarms, and twice as many."""
PRICES = 1.15
"""Times that of spend, the threshold of prices: where both bring as few alarms (at 1.25 for "medium"), of prices that
rise by half a tenth is told, and nearly half of them here (`python -m benchmarks.price_shifts`)."""


def threshold(rule: AnomalyRule, series: int, law: FalseAlarms) -> float:
    """The multiple of the usual threshold at which the rule tells, for so many series in the organization.

    Each channel that the rule follows brings as many alarms: a budget is for all of them and all series together.
    """
    if rule.false_alarms is None:
        multiple = rule.tuning.threshold or MULTIPLES[rule.sensitivity]
        return multiple if law is SPEND else PRICES * multiple
    channels = 2 if rule.unit_price else 1
    return law.multiple(rule.false_alarms / (WEEKS_A_YEAR * channels * max(series, 1)))


def odds(score: float, series: int, law: FalseAlarms) -> Odds:
    """How often a year clean data bring an alarm with such a score, a multiple of the usual threshold."""
    return Odds(round(law.a_week(score) * WEEKS_A_YEAR * series, 4), series, floored=score > law.most)


def floors_of(rule: AnomalyRule, series: int) -> Floors:
    """The rule's floors, for scores that are held against its threshold rather than against 1.

    An hour counts by the lesser of its score and of its excess in floors; divided by the threshold, so that a low
    threshold does not lower the floors with it.
    """
    floor = rule.min_excess / DOLLAR / threshold(rule, series, SPEND)
    usual = rule.tuning.of_usual / threshold(rule, series, SPEND)
    return Floors(per_hour=floor, one_hour=rule.tuning.one_hour * floor, of_usual=usual)
