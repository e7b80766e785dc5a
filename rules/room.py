"""Room above the expected: what may come there, because it was planned or somebody expected it, is no news."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

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
