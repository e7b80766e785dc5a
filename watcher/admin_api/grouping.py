"""How finely usage is asked for, and what is given up when the API says that it is too fine.

The API refuses too fine a grouping over too many buckets with a 400 and does not say what would be fine
enough. So the reader walks down a ladder of groupings until one is accepted: fewer hours a page first, then
one hour split by keys, then without the dimensions that only matter for the price. `api_key_id`,
`workspace_id` and `model` are never given up: without them a null would read as Console use, as the default
workspace, or as no model at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

KEPT = ("api_key_id", "workspace_id", "model")
# The dearest loss last: tier and window choose the list price, geography and speed only scale it.
PRICE_ONLY = ("service_tier", "context_window", "inference_geo", "speed")

HOURS_A_PAGE = (24, 12, 6, 3, 1)
TRY_FINER_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Grouping:
    """One rung: the dimensions asked for, hours a page, and whether the hour is put together from keys."""

    dimensions: tuple[str, ...]
    hours: int
    by_keys: bool = False


def _ladder() -> tuple[Grouping, ...]:
    rungs = []
    for kept in range(len(PRICE_ONLY), -1, -1):
        dimensions = KEPT + PRICE_ONLY[:kept]
        rungs += [Grouping(dimensions, hours) for hours in HOURS_A_PAGE]
        rungs.append(Grouping(dimensions, 1, by_keys=True))
    return tuple(rungs)


LADDER = _ladder()


def coarser(rung: int, reason: str) -> int | None:
    """The next rung to try after a refusal, or None at the end of the ladder.

    Where the API's own words say that fast mode is what it does not know, fewer hours would not help:
    `speed` goes.
    """
    words = reason.lower()
    if "speed" in LADDER[rung].dimensions and ("fast-mode" in words or "anthropic-beta" in words):
        return next(index for index, grouping in enumerate(LADDER) if "speed" not in grouping.dimensions)
    return rung + 1 if rung + 1 < len(LADDER) else None


@dataclass(slots=True)
class GroupingMemory:
    """Which rung worked last, so that a poll does not begin with refusals; forgotten after a day.

    The one mutable thing here: the reader writes it, its owner may keep it as JSON between runs.
    """

    rung: int = 0
    learned_at: datetime | None = None

    def start(self, now: datetime | None) -> int:
        """The rung to begin with: the remembered one, or the finest when it was not learned within the last day."""
        if now is None or self.learned_at is None:
            return self.rung
        return self.rung if timedelta(0) <= now - self.learned_at < TRY_FINER_AFTER else 0

    def learn(self, rung: int, now: datetime | None) -> None:
        """Remember that this rung was accepted. The day counts from when the rung changed."""
        if rung != self.rung or self.learned_at is None or self.start(now) != self.rung:
            self.rung, self.learned_at = rung, now

    def to_json(self) -> dict[str, object]:
        """A plain dict for `json.dumps`."""
        grouping = LADDER[self.rung]
        return {
            "dimensions": list(grouping.dimensions),
            "hours": grouping.hours,
            "by_keys": grouping.by_keys,
            "learned_at": self.learned_at.isoformat() if self.learned_at else None,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, object]) -> "GroupingMemory":
        """What `to_json` gave; a fresh memory for anything else, such as a rung that another version had."""
        try:
            learned_at = datetime.fromisoformat(str(kept.get("learned_at")))
        except ValueError:
            return cls()
        if learned_at.tzinfo is None:
            return cls()
        memories = (cls(rung, learned_at) for rung in range(len(LADDER)))
        shape = {name: kept.get(name) for name in ("dimensions", "hours", "by_keys")}
        return next((memory for memory in memories if shape.items() <= memory.to_json().items()), cls())
