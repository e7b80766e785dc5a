"""Incidents and harmless events: what they are, and what each does to the traffic.

An event is described by an `EventSpec` (built in by name, or read from TOML), laid onto an organization by
`watcher.simulator.scenarios`, and kept as an `Incident` (the truth that tests compare with) and an `Effect` (its
arithmetic).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from watcher.simulator.series import MEASURES, Series


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event and its defaults. `lasting` None means that it does not end by itself; `factor` is how many
    times the normal spend (for slow-leak: growth a day; for leaked-key: USD an hour)."""

    harmful: bool
    after: timedelta
    lasting: timedelta | None
    factor: float
    says: str


def _harm(after: timedelta, lasting: timedelta | None, factor: float, says: str) -> Kind:
    return Kind(harmful=True, after=after, lasting=lasting, factor=factor, says=says)


def _harmless(after: timedelta, lasting: timedelta | None, factor: float, says: str) -> Kind:
    return Kind(harmful=False, after=after, lasting=lasting, factor=factor, says=says)


KINDS: dict[str, Kind] = {
    "runaway": _harm(timedelta(minutes=90), None, 20.0, "a production key loops, day and night"),
    "leaked-key": _harm(timedelta(hours=1), timedelta(hours=6), 30.0, "a developer's key is abused at night"),
    "slow-leak": _harm(timedelta(), None, 0.15, "a production key grows a little every day"),
    "cache-regression": _harm(timedelta(hours=2), None, 1.0, "a production key stops reading its cache"),
    "model-switch": _harm(timedelta(hours=3), None, 1.0, "a production key moves to a dearer model"),
    "silence": _harm(timedelta(hours=4), timedelta(hours=24), 0.0, "a production key falls silent"),
    "launch": _harmless(timedelta(hours=5), timedelta(days=3), 2.2, "a workspace's product is launched"),
    "holiday": _harmless(timedelta(), timedelta(days=1), 0.3, "people are on holiday"),
    "spike": _harmless(timedelta(minutes=30), timedelta(hours=1), 5.0, "a small key is busy for one hour"),
}


@dataclass(frozen=True, slots=True)
class EventSpec:
    """One event asked for. What is None falls to the default of its kind; `key` is a glob on key names or ids, `model`
    the one that a model-switch moves to."""

    kind: str
    after: timedelta | None = None
    lasting: timedelta | None = None
    factor: float | None = None
    key: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """What truly happens: to which key (None: to many), from when, until when (None: until somebody ends it)."""

    kind: str
    harmful: bool
    api_key_id: str | None
    workspace_id: str | None
    model: str | None
    starts_at: datetime
    ends_at: datetime | None
    factor: float
    summary: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What an event does to the rows `series` of the catalogue between two instants (seconds since 1970).

    The hour's amounts gain `amounts @ change` (times the days passed since the start when `ramp`), and `extra` times
    the series' mean amounts, at a steady pace.
    """

    series: NDArray[np.intp]
    from_second: float
    to_second: float
    change: NDArray[np.float64] | None = None
    extra: float = 0.0
    ramp: bool = False


@dataclass(frozen=True, slots=True)
class Twin:
    """A series that exists only while an event lasts: the same key on another model, or someone else's use of it."""

    series: Series
    from_second: float
    to_second: float


def scaling(factor: float) -> NDArray[np.float64]:
    """The change that makes every measure `factor` times as large."""
    change: NDArray[np.float64] = np.eye(MEASURES) * (factor - 1)
    return change


def uncaching() -> NDArray[np.float64]:
    """The change that turns nine tenths of the cache reads into uncached input."""
    change = np.zeros((MEASURES, MEASURES))
    change[3, 3] = -0.9
    change[3, 0] = 0.9
    return change
