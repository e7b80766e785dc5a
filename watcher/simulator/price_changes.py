"""Prices that change on a day: a tariff that is raised, a discount that is negotiated anew."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from watcher.simulator.series import Catalogue, Series

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_WEB_SEARCHES = ""


@dataclass(frozen=True, slots=True)
class PriceChange:
    """From a UTC day on, what the organization pays is `factor` times what it paid before.

    `model` is a glob on the model's id. Web searches, which have none, change with "*" only.
    """

    day: date
    factor: float
    model: str = "*"

    def __post_init__(self) -> None:
        if not 0 < self.factor < 1000:
            raise ValueError(f"a price changes by a factor above 0 and below 1000, not {self.factor}")


class Tariff:
    """The femto-dollars that one unit of each measure of a row of the catalogue costs on a day (days since 1970)."""

    def __init__(self, catalogue: Catalogue, changes: Sequence[PriceChange]) -> None:
        self._catalogue = catalogue
        self._changes = tuple(changes)
        self._known: dict[tuple[str, int], tuple[Fraction, Fraction]] = {}

    def femto(self, row: int, day: int) -> tuple[int, ...]:
        """Prices in the order of the measures, whole femto-dollars."""
        base = self._catalogue.femto[row]
        if not self._changes:
            return base
        tokens, searches = self._factors(self._catalogue.series[row], day)
        return (*(round(price * tokens) for price in base[:-1]), round(base[-1] * searches))

    def _factors(self, series: Series, day: int) -> tuple[Fraction, Fraction]:
        key = (series.model, day)
        if key not in self._known:
            self._known[key] = (self._factor(series.model, day), self._factor(_WEB_SEARCHES, day))
        return self._known[key]

    def _factor(self, model: str, day: int) -> Fraction:
        factor = Fraction(1)
        for change in self._changes:
            if change.day.toordinal() - _EPOCH_DAY <= day and fnmatch.fnmatchcase(model, change.model):
                factor *= Fraction(str(change.factor))
        return factor
