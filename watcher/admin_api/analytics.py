"""Reading the analytics reports: the provider's own cost and usage, by key and hour.

What the API documents for them: hours need an end; one request spans 31 days at most, reaches back 365 days
and never before 2026; at most five dimensions, beside the kind of cost; 60 requests a minute.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from watcher.admin_api import decoding_analytics
from watcher.admin_api.answers_analytics import AnalyticsCostRow, AnalyticsCosts, AnalyticsUsageRow, AnalyticsUsages
from watcher.admin_api.buckets import HOUR, BucketSequence
from watcher.admin_api.decoding import Page
from watcher.admin_api.decoding_analytics import COST_DIMENSIONS, USAGE_DIMENSIONS, RefreshedPage
from watcher.admin_api.endpoints import ANALYTICS_BETA, ANALYTICS_COST, ANALYTICS_USAGE, moment
from watcher.admin_api.errors import BadRequest, BrokenPaging, Malformed
from watcher.admin_api.pacing import Pacer
from watcher.admin_api.paging import follow
from watcher.admin_api.retrying import TimeBudget
from watcher.admin_api.transport import Get

R = TypeVar("R", AnalyticsCostRow, AnalyticsUsageRow)

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
FARTHEST_BACK = timedelta(days=365)
LONGEST_RANGE = timedelta(days=31)
# Under the 60 that are allowed, as repetitions of failed requests count there and are not paced here.
REQUESTS_A_MINUTE = 50

# The context window is the one of the remaining dimensions that chooses a list price; the others only scale it.
_DIMENSIONS = ("api_key_id", "workspace_id", "model", "service_tier", "context_window")
_KINDS_OF_COST = ("cost_type", "token_type")
_ROWS_A_PAGE = "1000"
# Ten million rows: far beyond any organization's month, near enough to stop a sequence that never ends.
_MOST_PAGES = 10_000
_READINGS = 2


def reaches_back_to(now: datetime) -> datetime:
    """The first hour that the analytics reports can be asked for at `now`."""
    back = now.astimezone(UTC) - FARTHEST_BACK
    return max(EARLIEST, back + (EARLIEST - back) % HOUR)


@dataclass(frozen=True, slots=True)
class _Report(Generic[R]):
    """One of the two reports: where it is, what it is grouped by, and how a page of a range is read."""

    endpoint: str
    grouped_by: tuple[str, ...]
    dimensions: int
    decode: Callable[[datetime, datetime], Callable[[bytes], RefreshedPage[R]]]


_COST = _Report(ANALYTICS_COST, _DIMENSIONS + _KINDS_OF_COST, COST_DIMENSIONS, decoding_analytics.cost_page)
_USAGE = _Report(ANALYTICS_USAGE, _DIMENSIONS, USAGE_DIMENSIONS, decoding_analytics.usage_page)


@dataclass(frozen=True, slots=True)
class _Reading(Generic[R]):
    """What one pass over all pages gave. `moved` when the report changed under it, `repeated` when rows came twice."""

    rows: tuple[R, ...]
    refreshed_at: datetime | None
    moved: bool
    repeated: bool


@dataclass(frozen=True, slots=True)
class AnalyticsReader:
    """The analytics reports within one time budget, at the pace they allow; waiting for one's turn is not in it."""

    get: Get
    budget: TimeBudget
    pacer: Pacer

    def costs(self, starting_at: datetime, ending_at: datetime, now: datetime | None) -> AnalyticsCosts:
        """See `AdminReader.analytics_cost`."""
        return AnalyticsCosts(*self._read(_COST, starting_at, ending_at, now))

    def usages(self, starting_at: datetime, ending_at: datetime, now: datetime | None) -> AnalyticsUsages:
        """See `AdminReader.analytics_usage`."""
        return AnalyticsUsages(*self._read(_USAGE, starting_at, ending_at, now))

    def _read(
        self, report: _Report[R], starting_at: datetime, ending_at: datetime, now: datetime | None
    ) -> tuple[datetime, datetime, datetime | None, tuple[R, ...]]:
        rows: list[R] = []
        refreshed: list[datetime] = []
        whole: tuple[datetime, datetime] = _hours(report.endpoint, starting_at, ending_at, now)
        for first, last in _ranges(*whole):
            reading = self._settled_reading(report, first, last)
            rows += reading.rows
            refreshed += [reading.refreshed_at] if reading.refreshed_at else []
        return *whole, min(refreshed, default=None), tuple(rows)

    def _settled_reading(self, report: _Report[R], starting_at: datetime, ending_at: datetime) -> _Reading[R]:
        """A reading of one state of the report, if two tries find one.

        A report that is refreshed all the time is taken as it came, with its oldest refreshment, unless a row
        came twice: then the pages have slid under the reading, and other rows may have been missed. A cursor
        that is refused is mended by beginning again, once; a question that is refused is not.
        """
        for left in reversed(range(_READINGS)):
            refreshed: list[datetime | None] = []
            try:
                reading = self._reading(report, starting_at, ending_at, refreshed)
            except BadRequest as error:
                if not refreshed:
                    raise
                if not left:
                    told = f"a page was refused that the page before it promised: {error.message}"
                    raise BrokenPaging(error.endpoint, error.status, error.request_id, told) from error
                continue
            if not reading.moved and not reading.repeated:
                return reading
        if reading.repeated:
            raise Malformed(report.endpoint, 200, None, "the report changed while it was read: a row came twice")
        return reading

    def _reading(
        self, report: _Report[R], starting_at: datetime, ending_at: datetime, refreshed: list[datetime | None]
    ) -> _Reading[R]:
        """One pass; `refreshed` gets one entry a page, also when the pass does not come to its end."""
        rows: list[R] = []
        for page in self._pages(report, starting_at, ending_at, refreshed):
            rows += page
        rows.sort(key=lambda row: row.starting_at)
        return _Reading(
            tuple(rows),
            min((each for each in refreshed if each is not None), default=None),
            moved=len(set(refreshed)) > 1,
            repeated=len({row[: report.dimensions] for row in rows}) < len(rows),
        )

    def _pages(
        self, report: _Report[R], starting_at: datetime, ending_at: datetime, refreshed: list[datetime | None]
    ) -> Iterator[tuple[R, ...]]:
        parameters: list[tuple[str, str]] = [
            ("starting_at", moment(starting_at)),
            ("ending_at", moment(ending_at)),
            ("time_bucket_width", "1h"),
            # By time, as what is ordered by amount moves between pages when an amount is restated.
            ("order_by", "time"),
            ("order", "asc"),
            ("limit", _ROWS_A_PAGE),
            *(("group_by[]", dimension) for dimension in report.grouped_by),
        ]
        decode = report.decode(starting_at, ending_at)

        def ask(cursor: str | None) -> Page[R]:
            self.budget.postpone(self.pacer.take_turn())
            continued = parameters if cursor is None else [*parameters, ("page", cursor)]
            answer = self.get(report.endpoint, decode, budget=self.budget, parameters=continued, beta=ANALYTICS_BETA)
            refreshed.append(answer.refreshed_at)
            return answer.page

        return follow(ask, endpoint=report.endpoint, at_most=_MOST_PAGES)


def _hours(
    endpoint: str, starting_at: datetime, ending_at: datetime, now: datetime | None
) -> tuple[datetime, datetime]:
    """The range widened to whole hours; ValueError for one that the API would refuse for its age."""
    sequence: BucketSequence[AnalyticsCosts] = BucketSequence(endpoint, HOUR, starting_at, ending_at)
    earliest = EARLIEST if now is None else reaches_back_to(now)
    if sequence.starting_at < earliest:
        raise ValueError(f"analytics reach back to {earliest:%Y-%m-%d %H:%M} UTC, not to {starting_at}")
    return sequence.starting_at, sequence.ending_at or ending_at


def _ranges(starting_at: datetime, ending_at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The range in pieces of what one request may span."""
    while starting_at < ending_at:
        until = min(starting_at + LONGEST_RANGE, ending_at)
        yield starting_at, until
        starting_at = until
