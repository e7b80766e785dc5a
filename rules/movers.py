"""Who spent otherwise than usual over a period: the biggest changes by workspace, key and model, with the reason. Pure.

The usual is the mean of the same hours of the week in up to four weeks before (`rules.attribution.by_habit`), shared
out over the children as it is there, so that their changes add up to the whole's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rules import cause_words
from rules.attribution import WEEK, WEEKS, Excess, Part, by_habit
from rules.causes import Effects
from rules.digest import Mover
from rules.dimensions import values_of
from rules.driven import driven
from rules.figures import SpendView
from rules.scope import HOUR, UNATTRIBUTED, Dimension, Names, Nano, Scope
from rules.wording import clean

DIMENSIONS: tuple[Dimension, ...] = ("workspace", "api_key", "model")
MOST = 3
"""Of each dimension so many are told."""
LEAST = 1_000_000_000
"""Nano-dollars of change below which nobody moved."""
LEAST_PART = 0.01
"""And so much of the whole period's spend."""


class Moved(NamedTuple):
    """What was usual of the whole, None without a week of history, and who moved, by dimension, the biggest first."""

    usual: Nano | None
    movers: tuple[Mover, ...]


def movers(view: SpendView, names: Names, members: npt.NDArray[np.intp], window: slice) -> Moved:
    """The biggest changes of these leaves over the columns of `window`; a change within its own noise is none."""
    cut = _with_weeks_alone(view, window)
    if cut is None or not len(members) or window.stop <= window.start:
        return Moved(None, ())
    view, window = cut
    habit = by_habit(view, members, window)
    excess = Excess(view, names, habit)
    least = max(LEAST, LEAST_PART * max(excess.observed, habit.likely))
    found: list[Mover] = []
    for dimension in DIMENSIONS:
        parts = excess.by(dimension).parts
        if len(parts) > 1:
            values = values_of(dimension, [view.leaves[place] for place in members.tolist()], names)
            known = (part for part in parts if part.ids[0] != UNATTRIBUTED)  # that comes with the bill, days later
            moved = [part for part in known if abs(part.excess) >= max(least, part.noise)]
            moved.sort(key=lambda part: (-abs(part.excess), part.ids))
            for part in moved[:MOST]:
                mine = members[np.array([value == part.ids[0] for value in values], dtype=np.bool_)]
                found.append(_mover(view, names, dimension, part, mine, window))
    return Moved(habit.likely, tuple(found))


def _with_weeks_alone(view: SpendView, window: slice) -> tuple[SpendView, slice] | None:
    """The view from the beginning of whole weeks that were read, at most four; None where there is none."""
    first = int(np.argmax(view.known)) if view.known.any() else view.hours
    weeks = min((window.start - first) // WEEK, WEEKS)
    if weeks < 1:
        return None
    begin = window.start - weeks * WEEK
    cost, settled, known = view.cost[:, begin:], view.settled[:, begin:], view.known[begin:]
    cut = replace(view, start=view.start + begin * HOUR, cost=cost, settled=settled, known=known)
    return cut, slice(window.start - begin, window.stop - begin)


def _mover(
    view: SpendView, names: Names, dimension: Dimension, part: Part, mine: npt.NDArray[np.intp], window: slice
) -> Mover:
    ident = part.ids[0]
    why = _why(view, names, dimension, part, mine, window)
    return Mover(dimension, ident, names.of(ident), part.observed, part.expected, why)


def _why(
    view: SpendView, names: Names, dimension: Dimension, part: Part, mine: npt.NDArray[np.intp], window: slice
) -> str:
    ident = part.ids[0]
    if not part.expected:
        return "nothing of it in the weeks before"
    if not part.observed:
        return "nothing of it any more"
    cut = by_habit(view, mine, window)
    cause = driven(view, names, Scope.of(view.organization, {dimension: ident}), cut).cause
    if part.excess > 0:
        return cause_words.why(cause)
    return _less(cause.effects)


def _less(effects: Effects | None) -> str:
    """The largest of the effects that made it less, and how large a part of it that is."""
    if effects is None or effects.excess >= 0:
        return ""
    amount, words = min(_falls(effects), key=lambda fall: fall[0])
    if amount >= 0:
        return ""
    share = round(100 * amount / effects.excess)
    return words if share >= 95 else f"{share} % by {words}"


def _falls(effects: Effects) -> Iterator[tuple[Nano, str]]:
    ratio = effects.tokens / effects.tokens_expected if effects.tokens_expected else 1.0
    yield effects.volume, "less volume" + (f" ({100 * ratio:.0f} % of the tokens)" if ratio < 1 else "")
    yield effects.model, "cheaper models" + _took_over(effects.gained, effects.lost)
    yield effects.tier, "cheaper service tiers" + _took_over(effects.tier_gained, effects.tier_lost)
    hits = effects.cache > effects.cache_before
    yield effects.kind, "more cache hits" if hits else "cheaper tokens"
    yield effects.price, "lower prices for the same"
    yield effects.other, "less cost that no tokens explain"


def _took_over(gained: str, lost: str) -> str:
    return f" ({clean(gained, 40)} took over from {clean(lost, 40)})" if gained and lost else ""
