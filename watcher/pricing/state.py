"""A price book at one time, as a judgement sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.learned import LearnedRatio
from watcher.pricing.learned import ANY_MODEL, Learned
from watcher.pricing.rates import KINDS


@dataclass(frozen=True, slots=True)
class BookState:
    """What was learned, the models in use, and of these the ones that no price is known for and that are listed."""

    learned: Learned
    models: frozenset[str]
    unpriced: frozenset[str]
    listed: frozenset[str] = frozenset()

    @property
    def ratios(self) -> Mapping[tuple[str, str], LearnedRatio]:
        """What each kind of each model costs of its list price, by its own settled days; "" is for web searches."""
        return {
            (model, KINDS[kind]): LearnedRatio(found.ratio, found.spread, model == ANY_MODEL or model in self.listed)
            for (model, kind), found in self.learned.cells.items()
        }
