"""The owner's own prices, as the configuration gives them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """What the models that match a pattern cost from one day until before another; None is without end.

    `pico` holds integer pico-dollars a token or search, above zero, in the order of `KINDS`; None for a kind that it
    says nothing of. Token prices are those of everyday traffic: the published factors for batch, fast mode, US
    inference and long prompts come on top.
    """

    model: str
    pico: tuple[int | None, ...]
    since: date | None = None
    until: date | None = None

    def covers(self, model: str, day: date) -> bool:
        """Whether it speaks of this model on this UTC day; letters' case matters, as it does in the report."""
        begun = self.since is None or self.since <= day
        return begun and (self.until is None or day < self.until) and fnmatchcase(model, self.model)
