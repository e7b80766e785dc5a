"""What was learned of a price from settled days, as rules see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LearnedRatio:
    """Bills over list prices, and how far its days lie apart (relative), both in parts per million.

    `listed` is False where no list price is known, and the ratio is one of a stand-in.
    """

    ratio: int
    spread: int
    listed: bool = True
