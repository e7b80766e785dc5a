"""What the ledger needs of the store: usage and analytics as columns, cost days as reported, names and sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from rules.model import Names, SourceState
from watcher.admin_api.answers import CostRow
from watcher.kept_days import DayState, DaySum, Head, SumColumns

IntArray = npt.NDArray[np.int64]


class SeriesKey(Protocol):
    """The dimensions of a series: `CONSOLE` and `DEFAULT_WORKSPACE` where the API says null, "" for other nulls."""

    @property
    def workspace(self) -> str: ...
    @property
    def api_key(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def service_tier(self) -> str: ...
    @property
    def context_window(self) -> str: ...
    @property
    def inference_geo(self) -> str: ...
    @property
    def speed(self) -> str: ...


class UsageColumns(Protocol):
    """Usage rows as columns ordered by hour: an index into `keys`, the hour (hours since 1970 UTC), and the counts."""

    @property
    def keys(self) -> Sequence[SeriesKey]: ...
    @property
    def series(self) -> npt.NDArray[np.integer[Any]]: ...
    @property
    def hour(self) -> npt.NDArray[np.integer[Any]]: ...
    @property
    def uncached_input(self) -> IntArray: ...
    @property
    def cache_read(self) -> IntArray: ...
    @property
    def cache_write_5m(self) -> IntArray: ...
    @property
    def cache_write_1h(self) -> IntArray: ...
    @property
    def output(self) -> IntArray: ...
    @property
    def web_searches(self) -> IntArray: ...


class AnalyticsColumns(Protocol):
    """The provider's hourly amounts as columns ordered by hour, in nano-dollars by what they are for.

    `other` is what is neither tokens of a known kind nor searches. Rows without a key have `UNATTRIBUTED` where they
    are no use of the API, rows without a model too; region and speed are "" throughout, since they are not told.
    """

    @property
    def keys(self) -> Sequence[SeriesKey]: ...
    @property
    def series(self) -> npt.NDArray[np.integer[Any]]: ...
    @property
    def hour(self) -> npt.NDArray[np.integer[Any]]: ...
    @property
    def uncached_input(self) -> IntArray: ...
    @property
    def cache_read(self) -> IntArray: ...
    @property
    def cache_write_5m(self) -> IntArray: ...
    @property
    def cache_write_1h(self) -> IntArray: ...
    @property
    def output(self) -> IntArray: ...
    @property
    def web_searches(self) -> IntArray: ...
    @property
    def other(self) -> IntArray: ...


class AnalyticsState(Protocol):
    """What is known of the readings of one hour of analytics that was told; `unchanged_since` begins the run of
    identical readings."""

    @property
    def observed_at(self) -> datetime: ...
    @property
    def unchanged_since(self) -> datetime: ...
    @property
    def row_count(self) -> int: ...


class CostDay(Protocol):
    """One UTC day of the cost report as it was last read; `unchanged_since` begins the run of identical readings."""

    @property
    def day(self) -> date: ...
    @property
    def rows(self) -> Sequence[CostRow]: ...
    @property
    def observed_at(self) -> datetime: ...
    @property
    def unchanged_since(self) -> datetime: ...


class BucketState(Protocol):
    """What is known of the readings of one hour of usage."""

    @property
    def observed_at(self) -> datetime: ...


class UsageStore(Protocol):
    """Usage by hour."""

    def read(self, organization: str, start: datetime, end: datetime) -> UsageColumns: ...
    def observed(self, organization: str, start: datetime, end: datetime) -> Mapping[datetime, BucketState]: ...
    def span(self, organization: str) -> tuple[datetime, datetime] | None: ...


class CostStore(Protocol):
    """The cost report by day, [start, end)."""

    def read(self, organization: str, start: date, end: date) -> Sequence[CostDay]: ...
    def span(self, organization: str) -> tuple[date, date] | None: ...


class AnalyticsStore(Protocol):
    """The provider's hourly amounts, [start, end); `observed` and `span` know the hours that were told."""

    def read(self, organization: str, start: datetime, end: datetime) -> AnalyticsColumns: ...
    def observed(self, organization: str, start: datetime, end: datetime) -> Mapping[datetime, AnalyticsState]: ...
    def span(self, organization: str) -> tuple[datetime, datetime] | None: ...


class SourceStore(Protocol):
    """What is known of the sources of data."""

    def all(self, organization: str) -> Sequence[SourceState]: ...


class DirectoryStore(Protocol):
    """What people call the ids."""

    def names(self, organization: str) -> Names: ...


class DaySumStore(Protocol):
    """What whole days came to, [start, end), and what is stored of them now."""

    def look(self, organization: str, start: date, end: date) -> tuple[dict[date, DayState], dict[date, Head]]: ...
    def read(self, organization: str, wanted: Mapping[date, Head]) -> SumColumns: ...
    def replace(self, organization: str, sums: Sequence[DaySum]) -> None: ...


class LedgerStore(Protocol):
    """The part of the store that the ledger reads."""

    @property
    def usage(self) -> UsageStore: ...
    @property
    def costs(self) -> CostStore: ...
    @property
    def analytics(self) -> AnalyticsStore: ...
    @property
    def day_sums(self) -> DaySumStore: ...
    @property
    def sources(self) -> SourceStore: ...
    @property
    def directory(self) -> DirectoryStore: ...


Bucket_co = TypeVar("Bucket_co", covariant=True)


class Revision(Protocol[Bucket_co]):
    """One change of one day or hour between two readings, in nano-dollars; see `watcher.store.revisions`."""

    @property
    def bucket(self) -> Bucket_co: ...
    @property
    def previous_at(self) -> datetime: ...
    @property
    def observed_at(self) -> datetime: ...
    @property
    def before(self) -> int: ...
    @property
    def after(self) -> int: ...
    @property
    def moved(self) -> int: ...


class Revisions(Protocol[Bucket_co]):
    """A source's changes that were seen from `since` on."""

    def revisions(self, organization: str, since: datetime) -> Sequence[Revision[Bucket_co]]: ...


class RevisedStore(Protocol):
    """What the provider told otherwise later, by day and by hour."""

    @property
    def costs(self) -> Revisions[date]: ...
    @property
    def analytics(self) -> Revisions[datetime]: ...
