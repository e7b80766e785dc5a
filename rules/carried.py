"""What anomaly rules carry from one judgement to the next, so that a judgement costs the new hours, not the history.

Of every rule: the baseline as it was learnt up to the last midnight UTC, the hours of the day that were judged since,
and what was read over the last days. A judgement then looks at the hours since midnight alone. If one that was judged
has been restated, the day is begun anew from midnight. All is fitted anew from the view

- once a day, with the first judgement that knows the whole day before to be complete (the daily refresh);
- when the rule changes, or what is planned or confirmed of earlier days (`marks`);
- when an hour of earlier days becomes known that was missing;
- when a leaf that has a past comes, goes, or moves to another subject. One without a past begins a series of its own,
  or joins one, and nothing is fitted anew;
- when what the week before midnight cost has been restated by more than `rules.before.RESTATED`, leaf by leaf.

Less than that takes part at the next daily refresh: a day does not train before it is two days over. Beside that,
a judgement is the same with and without what is carried; after a restart everything is fitted once.

In a replay, whose history does not change behind it, the daily refresh may be left out (`refit_daily=False`): a day is
then learnt with its last hour, on top of what was learnt before, and all else holds. What differs: days that are
`rules.fit.HISTORY` old fade and are not cut off, and a small restatement never takes part.
"""

from __future__ import annotations

from rules.fit import LOOK_BACK, Fit
from rules.model import AnomalyRule, Names, SpendView
from rules.price_fit import Priced, PriceFit
from rules.story import Told
from rules.subjects import Rows, Subjects, rows_of, seen_hours, subjects_of


class Carried:
    """What is carried of one organization's rules. Not thread-safe: it belongs to the cycle.

    For each rule `cut` is followed by `read`. What was told of one judgement is good until the next one's `cut`.
    """

    def __init__(self, *, refit_daily: bool = True) -> None:
        self._further = not refit_daily
        self._fits: dict[str, Fit] = {}
        self._cut: dict[str, tuple[Rows, Names, object]] = {}
        self._prices: dict[str, tuple[Fit, PriceFit]] = {}

    def cut(self, rule: AnomalyRule, view: SpendView, names: Names, marks: object = None) -> Subjects:
        """The subjects of a rule, from the first hour of the view that has to be looked at (`Subjects.begin`).

        Whoever adds a factor to their hours, or says of which nothing is to be learnt, hands in `marks`, which differ
        (`==`) whenever that differs for hours of earlier days.
        """
        fit = self._fits.get(rule.name)
        subjects = None if fit is None else fit.cut(rule, view, names, marks, further=self._further)
        if subjects is not None:
            return subjects
        self._fits.pop(rule.name, None)
        rows = rows_of(rule, view, names)
        self._cut[rule.name] = rows, names, marks
        return subjects_of(rows, view, rows.sum(view, 0, seen_hours(view)))

    def read(self, rule: AnomalyRule, view: SpendView, subjects: Subjects, keep: int = LOOK_BACK) -> Told:
        """What the baseline reads of the subjects that were cut last, over about the last `keep` hours, by the floors
        of the rule.

        Hours that are planned to be `subjects.factor` times the usual are held against so much.
        """
        fit = self._fits.get(rule.name)
        if fit is None:
            rows, names, marks = self._cut.pop(rule.name)
            fit = Fit(rule, rows, names, marks)
            fit.learn(view, subjects, keep)
            self._fits[rule.name] = fit
        return fit.read(view, subjects)

    def prices(self, rule: AnomalyRule, view: SpendView, tokens: SpendView, subjects: Subjects) -> Priced:
        """What the prices of the subjects say that were read last; `tokens` counts output tokens by leaf and hour.

        They are fitted anew whenever the rule's baseline is, and when a subject comes or goes.
        """
        fit = self._fits[rule.name]
        known, prices = self._prices.get(rule.name, (None, None))
        if prices is None or known is not fit or not prices.holds(rule, view, subjects, 1 if self._further else 0):
            prices = PriceFit(rule, subjects)
            prices.learn(view, tokens, subjects.complete)
            self._prices[rule.name] = fit, prices
        return prices.read(view, tokens, subjects)
