"""Published list prices that genai-prices does not hold, each with its reason.

Compared with genai-prices 0.2.3 in November 2026. A row is dropped when the package learns it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Addition:
    """USD per million tokens of one model (the id genai-prices gives it) for prompts above a length.

    Valid from `since` until before `until`; None is without end. Prices are decimal strings in the order input,
    cache read, 5-minute cache write, 1-hour cache write, output.
    """

    model: str
    prompts_over: int
    since: date | None
    until: date | None
    usd_per_million: tuple[str, str, str, str, str]
    why: str


ADDITIONS: tuple[Addition, ...] = (
    Addition(
        model="claude-sonnet-4-0",
        prompts_over=200_000,
        since=None,
        until=None,
        usd_per_million=("6", "0.6", "7.5", "12", "22.5"),
        why="genai-prices has one flat price for Sonnet 4; prompts over 200k tokens cost 2x input and 1.5x output, "
        "as on Sonnet 4.5",
    ),
)
