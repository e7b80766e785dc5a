"""The one function that reads what a plan asks for and stores it, source by source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from rules.model import SourceState
from watcher.ingest.analytics import AnalyticsReports
from watcher.ingest.belief import Stored, believe, believe_costs
from watcher.ingest.claude_code import read_claude_code
from watcher.ingest.directory import read_lists
from watcher.ingest.halving import each
from watcher.ingest.limits import read_limits
from watcher.ingest.plan import Days, Plan
from watcher.ingest.poll import Poll, Progress
from watcher.ingest.reader import Reader
from watcher.ingest.windows import Hours
from watcher.store import Store
from watcher.watermark import REMEMBERED, LateChange, cost_watermark, settling_time, usage_watermark

SHRUNK = "ingest.shrunk_hours"
"""The name in the cursor of the number of readings in which an hour not complete yet had less than before."""

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ingested:
    """What a poll came to.

    `changed_hours` (of usage or analytics) and `changed_days` say something new now. `sources` are the states of the
    sources in `attempted`; `failures` has one sentence for each that exists and could not be read. `shrunk_hours`
    counts open hours that fell.
    """

    changed_hours: frozenset[datetime] = frozenset()
    changed_days: frozenset[date] = frozenset()
    sources: tuple[SourceState, ...] = ()
    attempted: tuple[str, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    shrunk_hours: int = 0


def ingest(
    reader: Reader,
    store: Store,
    organization: str,
    now: datetime,
    plan: Plan,
    progress: Progress | None = None,
    *,
    requests: bool = False,
) -> Ingested:
    """Read what the plan asks for. Each reading is stored in one transaction, or, unfinished, not at all.

    One source that fails does not stop the others, and its state says so. Within a source nothing is read after a
    reading that did not finish, but what is refused as asked (400) or cannot be read is left out (see `halving`).
    With `requests` the report that alone tells requests is read for them.
    `progress` is told how many days of the back-fill are done, and of how many. Raises StoreError where the store
    cannot be written, and `OtherOrganization` for the key of another organization.
    """
    poll = Poll(reader, store, organization, now)
    reports = _Reports(poll)
    read_lists(poll, plan.lists)
    if plan.usage is not None or plan.backfill:
        poll.ask("usage", lambda: reports.usage(plan, progress), reports.settle_usage)
    if plan.costs:
        poll.ask(
            "cost", lambda: each(plan.costs, reports.costs, lambda days: days.halves(now.date())), reports.settle_costs
        )
    analytics = AnalyticsReports(poll, progress)
    analytics.read(plan.analytics, requests=requests)
    read_claude_code(poll, plan.claude_code)
    read_limits(poll, plan.lists)
    return Ingested(
        changed_hours=frozenset(reports.changed_hours | analytics.changed_hours),
        changed_days=frozenset(reports.changed_days),
        sources=tuple(poll.states),
        attempted=tuple(state.source for state in poll.states),
        failures=poll.failures,
        shrunk_hours=reports.shrunk_hours,
    )


class _Reports:
    """The usage report and the cost report, as one poll reads them."""

    def __init__(self, poll: Poll) -> None:
        self._reader, self._store, self._organization, self._now = poll.reader, poll.store, poll.organization, poll.now
        self.changed_hours: set[datetime] = set()
        self.changed_days: set[date] = set()
        self.shrunk_hours = 0

    def usage(self, plan: Plan, progress: Progress | None) -> None:
        """The back-fill, day by day, then the trailing window."""
        settling = self._settling()
        total = len(plan.backfill)

        def take(hours: Hours) -> None:
            self._usage_of(hours, settling)
            if progress is not None and total and hours.end <= plan.backfill[-1].end:
                progress(sum(day.end <= hours.end for day in plan.backfill), total)

        if progress is not None and total:
            progress(0, total)
        trailing = () if plan.usage is None else (plan.usage,)
        each((*plan.backfill, *trailing), take, lambda hours: hours.halves)

    def _usage_of(self, hours: Hours, settling: timedelta) -> None:
        now, usage = self._now, self._store.usage
        buckets = self._reader.usage(hours.start, hours.end, now=now)
        observed = usage.observed(self._organization, hours.start, hours.end)
        open_from = min((hour for hour in observed if now < hour + _HOUR + settling), default=None)
        still_open = () if open_from is None else usage.buckets(self._organization, open_from, hours.end)
        stored = Stored(
            tokens={hour: state.tokens for hour, state in observed.items()},
            open_buckets={bucket.starting_at: bucket for bucket in still_open},
            held_since={held.bucket: held.since for held in usage.held(self._organization)},
        )
        belief = believe(buckets, stored, now)
        self.changed_hours |= usage.replace(self._organization, belief.buckets, now, held_back=belief.held_back)
        if belief.fell:
            self.shrunk_hours += belief.fell
            self._store.cursor.add(SHRUNK, belief.fell, self._organization)

    def _settling(self) -> timedelta:
        changes = self._store.usage.revisions(self._organization, self._now - REMEMBERED)
        return settling_time(
            (
                LateChange(
                    change.bucket,
                    change.previous_at,
                    change.observed_at,
                    change.moved / max(change.before, change.after, 1),
                    from_nothing=change.before == 0,
                )
                for change in changes
            ),
            self._now,
        )

    def settle_usage(self, state: SourceState) -> SourceState:
        """The watermark, and since when readings are held back."""
        usage, organization = self._store.usage, self._organization
        span = usage.span(organization)
        if span is None:
            return state
        watermark = usage_watermark(
            {hour: bucket.observed_at for hour, bucket in usage.observed(organization, *span).items()},
            self._now,
            self._settling(),
            asked=usage.read_at(organization, *span),
            previous=state.watermark,
        )
        since = min((held.since for held in usage.held(organization)), default=None)
        return replace(state, watermark=watermark.complete_until, stalled_since=since)

    def costs(self, days: Days) -> None:
        """One reading of the cost report."""
        costs, organization = self._store.costs, self._organization
        until = self._now.date() + _DAY if days.end is None else days.end
        buckets = self._reader.costs(_midnight(days.start), None if days.end is None else _midnight(days.end))
        rows = {day: state.row_count for day, state in costs.observed(organization, days.start, until).items()}
        held_since = {held.bucket: held.since for held in costs.held(organization)}
        taken, held_back = believe_costs(buckets, rows, held_since, self._now)
        self.changed_days |= costs.replace(organization, taken, self._now, held_back=held_back)

    def settle_costs(self, state: SourceState) -> SourceState:
        """The watermark, and since when readings are held back."""
        costs, organization = self._store.costs, self._organization
        span = costs.span(organization)
        if span is None:
            return state
        read = {day: known.observed_at for day, known in costs.observed(organization, *span).items()}
        watermark = cost_watermark(read, self._now, previous=state.watermark)
        since = min((held.since for held in costs.held(organization)), default=None)
        return replace(state, watermark=watermark.complete_until, stalled_since=since)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
