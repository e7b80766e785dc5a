"""Room above the expected: what may come there, because it was planned or somebody expected it, is no news."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_T = TypeVar("_T", bound=np.generic)

GRACE = 1.25
"""Times what is planned on top of the usual: hours stray around a planned level as they do around the usual one."""


@dataclass(frozen=True, slots=True)
class Room:
    """Hours × rows each, or None for none of it."""

    factor: Floats | None = None
    """How many times the usual is expected; 1 and more. What comes trains as if it had not been planned."""
    allowed: Floats | None = None
    """So much on top of that, in the unit of the values. What comes within it trains as it is, but says nothing of how
    far hours stray."""

    def part(self, hours: slice) -> Room:
        """Some of the hours."""
        factor, allowed = self.factor, self.allowed
        return Room(None if factor is None else factor[hours], None if allowed is None else allowed[hours])

    def with_another(self) -> Room:
        """With one more row, in which there is no room."""
        factor, allowed = self.factor, self.allowed
        return Room(
            None if factor is None else with_another(factor, 1.0),
            None if allowed is None else with_another(allowed, 0.0),
        )

    def same(self, other: Room) -> bool:
        """Whether it is the same room."""
        return _equal(self.factor, other.factor) and _equal(self.allowed, other.allowed)

    def over(self, expected: Floats) -> Floats:
        """How far it reaches above the usual."""
        planned = 0.0 if self.factor is None else GRACE * (self.factor - 1.0) * expected
        room: Floats = np.zeros_like(expected) + planned + (0.0 if self.allowed is None else self.allowed)
        return room

    def news(self, seen: Floats, expected: Floats) -> Floats:
        """What is to be judged: as much as came less the room, but not less than the usual where so much came."""
        judged: Floats = np.minimum(seen, np.maximum(expected, seen - self.over(expected)))
        return judged

    def usual(self, seen: Floats) -> Floats:
        """What came as if nothing had been planned."""
        return seen if self.factor is None else seen / self.factor

    def meant(self, seen: Floats, expected: Floats) -> Flags | None:
        """What came within what was allowed; None where nothing was."""
        if self.allowed is None:
            return None
        within: Flags = (self.allowed > 0) & (seen > expected) & (seen <= expected + self.over(expected))
        return within

    def planned(self, expected: Floats) -> Floats:
        """What was planned to come."""
        return expected if self.factor is None else expected * self.factor


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Some hours as they are judged, hours × rows."""

    values: Floats
    untaught: Flags | None = None
    room: Room | None = None

    def part(self, hours: slice) -> Hours:
        """Some of them."""
        untaught, room = self.untaught, self.room
        return Hours(
            self.values[hours],
            None if untaught is None else untaught[hours],
            None if room is None else room.part(hours),
        )

    def same(self, other: Hours) -> bool:
        """Whether they are the same; where nothing is untaught it does not matter how that is said."""
        if not len(self.values) == len(other.values) == 0 and not _equal(self.values, other.values):
            return False
        barred, other_barred = (
            None if each is None or not each.any() else each for each in (self.untaught, other.untaught)
        )
        return _equal(barred, other_barred) and (self.room or Room()).same(other.room or Room())


def with_another(array: npt.NDArray[_T], fill: float) -> npt.NDArray[_T]:
    """Hours × rows with one more row of this value."""
    return np.concatenate([array, np.full((len(array), 1), fill, dtype=array.dtype)], axis=1)


def _equal(one: npt.NDArray[_T] | None, other: npt.NDArray[_T] | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
