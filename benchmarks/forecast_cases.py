"""What `benchmarks.forecast` is measured on: past spend by hour, cut at a moment, and how the period truly ended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rules.forecast import Forecast, Group, forecasts
from rules.model import HOUR, Leaf, SpendView
from watcher.simulator import World

Longs = npt.NDArray[np.int64]

DAYS = (5, 10, 20)
AT = 13
"""The hour of the day of the cut, when a day is neither young nor over."""
VIEW = 71 * 24
"""How many hours the working view reaches back."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Panel:
    """Spend of leaves by hour (leaves × hours), known ahead for scoring, and the scopes to forecast by kind."""

    start: datetime
    leaves: tuple[Leaf, ...]
    cost: Longs
    known: npt.NDArray[np.bool_]
    scopes: tuple[tuple[str, Group], ...]

    def seen(self, column: int) -> SpendView:
        """The view as it is when everything before `column` is complete."""
        first = max(column - VIEW, 0)
        at = self.start + column * HOUR
        cost, known = self.cost[:, first:column], self.known[first:column]
        begin = self.start + first * HOUR
        return SpendView("org", begin, self.leaves, cost, np.zeros_like(cost), known, at, at)


@dataclass(frozen=True, slots=True)
class Case:
    """One scope at one moment of one period: what it had spent by the hour (the period's first at `begun`), how many
    hours are left, and what the whole period came to."""

    source: str
    day: int
    past: Longs
    begun: int
    left: int
    truth: int
    told: Forecast

    @property
    def spent(self) -> int:
        """What the period had cost so far."""
        return int(self.past[self.begun :].sum())


def cases(source: str, panel: Panel, periods: Sequence[tuple[int, int]]) -> Iterator[Case]:
    """Every scope of the panel in every period (first and last column), at each of `DAYS`, where it spent anything."""
    for first, last in periods:
        for day in DAYS:
            now = first + 24 * (day - 1) + AT
            view = panel.seen(now)
            groups = [group for _, group in panel.scopes]
            start, end = panel.start + first * HOUR, panel.start + last * HOUR
            for (kind, group), told in zip(panel.scopes, forecasts(view, groups, start, end), strict=True):
                cost = panel.cost[group.rows].sum(axis=0)
                truth = int(cost[first:last].sum())
                past = cost[max(now - VIEW, 0) : now]
                if truth > 0 and past.any():
                    begun = first - max(now - VIEW, 0)
                    yield Case(f"{source} {kind}", day, past, begun, last - now, truth, told)


def simulated(seed: int, keys: int, scenario: str, started_at: datetime, until: datetime) -> tuple[World, Panel]:
    """An organization's true spend by hour, from 140 days before `started_at`, at which the scenario begins."""
    days = 140
    world = World(started_at=started_at, seed=seed, keys=keys, days=days, scenario=scenario, workspaces=keys // 8 + 2)
    return world, panel_of(world, started_at.replace(hour=0) - timedelta(days=days - 1), until)


def panel_of(world: World, start: datetime, until: datetime) -> Panel:
    """What the world truly spends in [start, until), whole days; scopes are the organization, workspaces and keys."""
    femto = np.array(world.catalogue.femto, dtype=np.float64)
    window = world.amounts((start - EPOCH).total_seconds(), (until - EPOCH).total_seconds())
    cost = np.concatenate([(hours * femto).sum(axis=2) / 1e6 for _, hours in window]).T.round().astype(np.int64)
    leaves = tuple(
        Leaf(each.workspace_id or "(default)", each.api_key_id or "(console)", each.model)
        for each in world.catalogue.series
    )
    scopes = [("organization", Group(np.arange(len(leaves))))]
    for kind, of in (("workspace", [leaf.workspace for leaf in leaves]), ("key", [leaf.api_key for leaf in leaves])):
        names = np.array(of)
        scopes += [(kind, Group(np.flatnonzero(names == name))) for name in sorted(set(of))]
    return Panel(start, leaves, cost, np.ones(cost.shape[1], dtype=np.bool_), tuple(scopes))


def months(panel: Panel, first: int, last: int) -> list[tuple[int, int]]:
    """The UTC months of 2026 from `first` to `last` as columns of the panel."""
    starts = [datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in range(first - 1, last + 1)]
    columns = [(start - panel.start) // HOUR for start in starts]
    return list(pairwise(columns))


def collected(folder: Path) -> Iterator[tuple[bool, Panel, list[tuple[int, int]]]]:
    """Real arrival patterns: `series.npz` and `labels.json` of the anomaly yardstick in that folder.

    Each series is one leaf, in millionths of its unit, with its missing hours unknown (for scoring they are what the
    same hour of a week before or after had). Periods are 30 days, ending with the data and one and two fortnights
    earlier, with a week of past at least. Whether the incidents leave a period alone is told for all its periods
    together: those touched come as a panel of their own.
    """
    arrays = np.load(folder / "series.npz")
    labels = json.loads((folder / "labels.json").read_text())["series"]
    offsets = arrays["offsets"]
    for place, label in enumerate(labels):
        values = arrays["values"][offsets[place] : offsets[place + 1]].astype(np.float64)
        values = values[: len(values) // 24 * 24]
        known = np.isfinite(values)
        cost = np.round(_filled(values) * 1e6).astype(np.int64)[None]
        start = EPOCH + int(arrays["start_hour"][place]) * HOUR
        panel = Panel(start, (Leaf("w", label["id"], "m"),), cost, known, (("series", Group(np.array([0]))),))
        ends = [len(values) - back for back in (0, 14 * 24, 28 * 24)]
        periods = [(end - 720, end) for end in ends if end - 720 >= 168 and known[end - 720 : end].mean() > 0.95]
        for clean in (True, False):
            yield clean, panel, [period for period in periods if _calm(label["incidents"], period) == clean]


def _calm(incidents: Sequence[dict[str, int]], period: tuple[int, int]) -> bool:
    """Whether no incident touches the period or the fortnight before it."""
    return not any(
        each.get("injected_start", each["start"]) < period[1]
        and each.get("neutral_end", each["end"]) > period[0] - 14 * 24
        for each in incidents
    )


def _filled(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    filled = values.copy()
    for shift in (168, -168, 336, -336, 24, -24):
        if abs(shift) >= len(filled):
            continue
        moved = np.full(len(filled), np.nan)
        moved[max(shift, 0) : len(filled) + min(shift, 0)] = filled[max(-shift, 0) : len(filled) - max(shift, 0)]
        filled = np.where(np.isfinite(filled), filled, moved)
    return np.nan_to_num(filled)
