"""The simulated world: an organization, what it uses and pays, and what goes wrong. It has no clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import Final

import numpy as np

from watcher.simulator.faults import FaultSchedule, load_faults
from watcher.simulator.founding import Founded, found
from watcher.simulator.incidents import Incident
from watcher.simulator.moments import DAY, HOUR, seconds
from watcher.simulator.organization import ApiKey, Organization
from watcher.simulator.price_changes import PriceChange, Tariff
from watcher.simulator.scenarios import load_scenario, write_script
from watcher.simulator.series import MEASURES, Catalogue, catalogue, populate
from watcher.simulator.tariff import nano
from watcher.simulator.traffic import Amounts, Traffic
from watcher.simulator.usage import Off, Usage, no_amounts, outside


class Anything:
    """The type of `ANYTHING`."""


ANYTHING: Final = Anything()
"""Matches every value where None has a meaning of its own (Console use, the default workspace)."""

MAX_REPORT_ROWS = 60_000


@dataclass(kw_only=True, slots=True)
class World:
    """An organization with its past and future, wholly decided by these settings and by what is done to it.

    Args:
        seed: decides everything that is drawn.
        workspaces: listed, active workspaces; the default one and an archived one come on top.
        keys: active API keys; four retired ones come on top.
        days: how far the history reaches back from `started_at`.
        scenario: name of a scenario or path of a TOML file; incidents are timed from `started_at`.
        faults: name of a preset or path of a TOML file; periods are timed from `started_at`.
        started_at: the simulated instant (aware) at which the simulation starts.
        discount: what the organization pays less than the list price; 0.2 is 20 %.
        price_changes: from which day on it pays more or less than that, for which models.
        hostile_names: give several keys names that break careless renderers.
        unknown_model: let two production keys use a model that no price list knows (`claude-opus-9`).
        max_report_rows: a usage report whose groups × buckets exceed this is refused as too fine.
        analytics, limits: answer the analytics reports, the spend and rate limits; 404 otherwise.

    Raises:
        ValueError: an unknown scenario or preset (the names are listed), or settings out of range.
    """

    started_at: datetime
    seed: int = 7
    workspaces: int = 6
    keys: int = 40
    days: int = 70
    scenario: str | Path | None = None
    faults: str | Path | None = None
    discount: float = 0.2
    price_changes: tuple[PriceChange, ...] = ()
    organization_name: str = "Northwind Robotics"
    hostile_names: bool = False
    unknown_model: bool = False
    max_report_rows: int = MAX_REPORT_ROWS
    analytics: bool = False
    limits: bool = False

    caps: dict[str, int | None] = field(init=False, default_factory=dict)
    """Spend limits a month that were set in the meantime, in cents (None for no cap), by workspace, "" for all."""
    organization: Organization = field(init=False)
    incidents: tuple[Incident, ...] = field(init=False)
    fault_schedule: FaultSchedule = field(init=False)
    catalogue: Catalogue = field(init=False)
    tariff: Tariff = field(init=False)
    history_from: datetime = field(init=False)
    archetypes: dict[str, str] = field(init=False)
    _usage: Usage = field(init=False)
    _off_spans: dict[str, tuple[tuple[float, float], ...]] = field(init=False)
    _twin_off: list[Off] = field(init=False)
    _off: list[Off] = field(init=False)

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed must be between 0 and {2**32 - 1}, not {self.seed}")
        if not 0 <= self.discount < 1:
            raise ValueError(f"discount must be at least 0 and less than 1, not {self.discount}")
        events = load_scenario(self.scenario)
        self.fault_schedule = load_faults(self.faults, self.started_at)
        founded = found(
            self.seed,
            name=self.organization_name,
            workspaces=self.workspaces,
            keys=self.keys,
            days=self.days,
            started_at=self.started_at,
            hostile=self.hostile_names,
        )
        self.organization = founded.organization
        self.archetypes = founded.archetypes
        self.history_from = founded.history_from
        series = populate(founded, self.seed, active_keys=self.keys, unknown_model=self.unknown_model)
        script = write_script(events, self.organization, series, self.started_at)
        self.incidents = tuple(script.incidents)
        discount = Fraction(str(self.discount))
        everyday = catalogue(series, discount)
        twins = catalogue([each.series for each in script.twins], discount)
        self.catalogue = catalogue([*series, *(each.series for each in script.twins)], discount)
        self.tariff = Tariff(self.catalogue, self.price_changes)
        self._usage = Usage(
            self.catalogue,
            _traffic(self, everyday, stream=0),
            _traffic(self, twins, stream=1) if script.twins else None,
            script.effects,
        )
        self._twin_off = [
            off
            for row, each in enumerate(script.twins, start=len(series))
            for off in outside(np.array([row], dtype=np.intp), each.from_second, each.to_second)
        ]
        self._off_spans = _first_off_spans(founded, self.started_at)
        self._rebuild_off()

    def _rebuild_off(self) -> None:
        rows: dict[str, list[int]] = {}
        for row, each in enumerate(self.catalogue.series):
            if each.api_key_id is not None:
                rows.setdefault(each.api_key_id, []).append(row)
        self._off = self._twin_off + [
            Off(np.array(rows[key_id], dtype=np.intp), from_second, to_second)
            for key_id, spans in self._off_spans.items()
            for from_second, to_second in spans
        ]

    def set_faults(self, faults: str | Path | None) -> None:
        """Replace the faults from now on; None ends them all. Raises ValueError as the constructor does."""
        self.fault_schedule = load_faults(faults, self.started_at)

    def set_key_status(self, key_id: str, status: str, now: datetime) -> ApiKey:
        """Set a key's status; its usage stops, or starts again, at that moment.

        Raises:
            KeyError: no such key.
            watcher.simulator.organization.Refused: the API would refuse it (an expired key cannot come back).
        """
        was_active = self.organization.keys[key_id].status(now) == "active"
        key = self.organization.set_key_status(key_id, status, now)
        spans = self._off_spans.get(key_id, ())
        if was_active and status != "active":
            self._off_spans[key_id] = (*_until(spans, seconds(now)), (seconds(now), inf))
        elif not was_active and status == "active":
            back = _until(spans, seconds(now))
            expiry = () if key.expires_at is None else ((seconds(key.expires_at), inf),)
            self._off_spans[key_id] = (*back, *expiry)
        self._rebuild_off()
        return key

    def amounts(
        self, from_second: float, to_second: float, *, seen_at: datetime | None = None
    ) -> Iterator[tuple[int, Amounts]]:
        """For each UTC day that the window touches: the day, and amounts[hour, series, measure] of its touched hours.

        Without `seen_at` what was truly used; with it, what the usage report shows at that moment.
        """
        seen = None if seen_at is None else seconds(seen_at)
        day = int(from_second // DAY)
        while day * DAY < to_second:
            first = max(0, int((from_second - day * DAY) // HOUR))
            last = min(24, int(-((day * DAY - to_second) // HOUR)))
            if last > first:
                yield (
                    day,
                    self._usage.within_hours(
                        day,
                        slice(first, last),
                        self._off,
                        from_second=from_second,
                        to_second=to_second,
                        seen_at=seen,
                    ),
                )
            day += 1

    def used(self, from_second: float, to_second: float) -> Amounts:
        """amounts[series, measure] truly used in the window [from_second, to_second)."""
        total = no_amounts(len(self.catalogue))
        for _, hours in self.amounts(from_second, to_second):
            total += hours.sum(axis=0)
        return total

    def rows(
        self,
        *,
        api_key_id: str | Anything | None = ANYTHING,
        workspace_id: str | Anything | None = ANYTHING,
        model: str | Anything = ANYTHING,
        priority: bool = True,
    ) -> list[int]:
        """Rows of the catalogue that match; None for a key is Console use, None for a workspace the default one."""
        return [
            row
            for row, each in enumerate(self.catalogue.series)
            if (isinstance(api_key_id, Anything) or each.api_key_id == api_key_id)
            and (isinstance(workspace_id, Anything) or each.workspace_id == workspace_id)
            and (isinstance(model, Anything) or each.model == model)
            and (priority or each.terms.service_tier != "priority")
        ]

    def true_cost_nano(
        self,
        from_: datetime,
        to: datetime,
        *,
        api_key_id: str | Anything | None = ANYTHING,
        workspace_id: str | Anything | None = ANYTHING,
        model: str | Anything = ANYTHING,
        priority: bool = True,
    ) -> int:
        """What usage in [from_, to) truly costs after discount, in nano-dollars: tokens and web searches.

        Code execution and session time, which have no usage, are not in it. `priority=False` leaves out the priority
        tier, as the cost report does.
        """
        rows = self.rows(api_key_id=api_key_id, workspace_id=workspace_id, model=model, priority=priority)
        femto = 0
        for day, hours in self.amounts(seconds(from_), seconds(to)):
            amounts = hours.sum(axis=0)
            for row in rows:
                prices = self.tariff.femto(row, day)
                femto += sum(int(amounts[row, measure]) * prices[measure] for measure in range(MEASURES))
        return nano(femto)


def _traffic(world: World, habits: Catalogue, *, stream: int) -> Traffic:
    return Traffic(
        habits,
        seed=world.seed,
        stream=stream,
        from_second=seconds(world.history_from),
        started=seconds(world.started_at),
    )


def _until(spans: tuple[tuple[float, float], ...], now: float) -> tuple[tuple[float, float], ...]:
    """The spans as far as they lie before `now`."""
    return tuple((start, min(end, now)) for start, end in spans if start < now)


def _first_off_spans(founded: Founded, started_at: datetime) -> dict[str, tuple[tuple[float, float], ...]]:
    """When each key was off from the beginning: before it was made, after it expired or was retired."""
    history = started_at - founded.history_from
    spans: dict[str, tuple[tuple[float, float], ...]] = {}
    for index, key in enumerate(founded.organization.keys.values()):
        off: list[tuple[float, float]] = []
        if key.created_at > founded.history_from:
            off.append((-inf, seconds(key.created_at)))
        if key.expires_at is not None:
            off.append((seconds(key.expires_at), inf))
        elif key.set_status != "active":
            ended = started_at - history / 3 - timedelta(hours=index % 24)
            workspace = founded.organization.workspace(key.workspace_id or "")
            if workspace is not None and workspace.archived_at is not None:
                ended = min(ended, workspace.archived_at)
            off.append((seconds(ended), inf))
        if off:
            spans[key.id] = tuple(off)
    return spans
