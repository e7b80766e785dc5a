"""Reading the analytics reports into the store: the provider's own cost, and usage where the usage report is not there.

Cost goes into `store.analytics`. Usage goes into `store.usage` as if the usage report had told it, but without
geography and speed, and later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from rules.model import SourceState
from watcher.admin_api.answers_analytics import AnalyticsUsages
from watcher.admin_api.errors import BadRequest, BrokenPaging, Malformed, NotOffered
from watcher.ingest import default_workspace
from watcher.ingest.analytics_lanes import (
    COST,
    REQUESTS_A_LANE,
    REQUESTS_BESIDE,
    USAGE,
    Lanes,
    Told,
    in_turn,
    requests_for,
)
from watcher.ingest.analytics_rows import (
    GROUPED,
    TOLD_AFTER,
    Answer,
    Known,
    as_of,
    cost_hours,
    request_hours,
    sort_out,
    usage_buckets,
)
from watcher.ingest.poll import Poll, Progress
from watcher.ingest.windows import HOUR, Hours
from watcher.store import Asked, BucketState
from watcher.watermark import usage_watermark

USAGE_REPORT = "usage"
"""The source in whose place analytics/usage is read."""

_REQUESTS_KEPT = timedelta(days=71)
SETTLING = 4 * HOUR
"""How long after its end an hour of analytics/usage is awaited: what is documented as usual."""


class AnalyticsReports:
    """Both reports, as one poll reads them."""

    def __init__(self, poll: Poll, progress: Progress | None = None) -> None:
        self._poll, self._progress = poll, progress
        self._organization, self._now = poll.organization, poll.now
        self._store = poll.store
        self.changed_hours: set[datetime] = set()
        self._requests = False

    def read(self, plan: Mapping[str, Lanes], *, requests: bool = False) -> None:
        """Read what the plan asks for; analytics/usage only where the usage report is not offered, or for requests."""
        instead = self._store.sources.get(self._organization, USAGE_REPORT).offered is False
        self._requests = requests
        if not instead and not requests:
            self._store.sources.forget(self._organization, USAGE)
        elif due := plan.get(USAGE):
            most = REQUESTS_A_LANE[USAGE] if instead else REQUESTS_BESIDE
            read, settle = (self._usage_of, self._settle_usage) if instead else (self._beside, self._settle_requests)
            self._poll.ask(USAGE, partial(self._lanes, USAGE, due, read, most), settle)
        if due := plan.get(COST):
            self._poll.ask(
                COST, partial(self._lanes, COST, due, self._costs_of, REQUESTS_A_LANE[COST]), self._settle_costs
            )

    def _lanes(self, source: str, due: Lanes, read: Callable[[Hours], int], most: int) -> None:
        """Each lane, the most pressing reading first, up to `most` requests.

        What the recent lane could not read is told once the older one was taken, too: neither starves the other.

        A source that never answered and refuses its first question as asked (400) counts as not offered: it is young,
        and an organization without it need not be told so in the documented way.
        """
        known = self._store.sources.get(self._organization, source).last_success_at is not None
        told = Told()
        history = sum(map(len, due.older)) / 24

        def take(window: Hours) -> int:
            nonlocal known
            try:
                rows = read(window)
            except BadRequest as error:
                if known:
                    raise
                raise NotOffered(error.endpoint, error.status, error.request_id, error.message) from error
            known = True
            told.add(window, rows)
            return requests_for(rows)

        def take_of_history(window: Hours) -> int:
            requests = take(window)
            if source == USAGE and self._progress is not None:
                self._progress(round((told.hours - recent) / 24), round(history))
            return requests

        refused: BadRequest | Malformed | None = None
        try:
            in_turn(due.recent, most, take, told)
        except BrokenPaging:
            raise
        except (BadRequest, Malformed) as error:
            refused = error
        recent = told.hours
        in_turn(due.older, most, take_of_history, told)
        if refused is not None:
            raise refused

    def _costs_of(self, window: Hours) -> int:
        answer = self._poll.reader.analytics_cost(window.start, window.end, now=self._now)
        analytics, organization = self._store.analytics, self._organization
        observed = analytics.observed(organization, answer.starting_at, answer.ending_at)
        known = {hour: Known(state.row_count > 0, state.observed_at) for hour, state in observed.items()}
        sorted_out = sort_out(answer, known, analytics.held(organization), self._now)
        told = cost_hours(answer, sorted_out.taken, self._default_workspace(answer))
        self.changed_hours |= analytics.replace(
            organization, told, as_of(answer, self._now), held_back=sorted_out.held_back, asked=self._asked(answer)
        )
        return len(answer.rows)

    def _usage_of(self, window: Hours) -> int:
        answer = self._poll.reader.analytics_usage(window.start, window.end, now=self._now)
        usage, organization = self._store.usage, self._organization
        observed = usage.observed(organization, answer.starting_at, answer.ending_at)
        known = {
            hour: Known(state.tokens > 0, state.observed_at, final=_told_finer(hour, state))
            for hour, state in observed.items()
        }
        sorted_out = sort_out(answer, known, usage.held(organization), self._now)
        buckets = usage_buckets(answer, sorted_out.taken, self._default_workspace(answer))
        self.changed_hours |= usage.replace(
            organization, buckets, as_of(answer, self._now), held_back=sorted_out.held_back
        )
        if self._requests:
            self._requests_of(answer)
        self._store.analytics.note_asked(organization, self._asked(answer), USAGE)
        return len(answer.rows)

    def _beside(self, window: Hours) -> int:
        """The requests alone, where usage comes from the usage report."""
        answer = self._poll.reader.analytics_usage(window.start, window.end, now=self._now)
        self._requests_of(answer)
        self._store.analytics.note_asked(self._organization, self._asked(answer), USAGE)
        return len(answer.rows)

    def _requests_of(self, answer: AnalyticsUsages) -> None:
        """Keep the requests of the hours that were told; one that is empty after it held some is not believed."""
        requests, organization = self._store.requests, self._organization
        observed = requests.observed(organization, answer.starting_at, answer.ending_at)
        known = {hour: Known(filled=True, observed_at=at) for hour, at in observed.items()}
        told = sort_out(answer, known, (), self._now)
        hours = request_hours(answer, told.taken, self._default_workspace(answer))
        requests.replace(organization, hours, as_of(answer, self._now))

    def _asked(self, answer: Answer) -> Asked:
        return Asked(answer.starting_at, answer.ending_at, self._now)

    def _default_workspace(self, answer: Answer) -> str | None:
        """The real id of the default workspace, remembered as soon as an answer shows it."""
        known = default_workspace.remembered(self._store, self._organization)
        if known is None:
            listing = default_workspace.Listing.of(self._store, self._organization)
            known = default_workspace.real_id(answer.rows, listing)
            if known is not None:
                default_workspace.remember(self._store, self._organization, known)
        return known

    def _settle_costs(self, state: SourceState) -> SourceState:
        """The watermark (the end of the unbroken run of told hours), and since when readings are held back."""
        analytics, organization = self._store.analytics, self._organization
        span = analytics.span(organization)
        if span is None:
            return state
        observed = analytics.observed(organization, *span)
        watermark = usage_watermark(
            {hour: known.observed_at for hour, known in observed.items()},
            self._now,
            timedelta(0),
            asked=analytics.asked(organization, *span),
            previous=state.watermark,
        )
        since = min((held.since for held in analytics.held(organization)), default=None)
        return replace(state, watermark=watermark.complete_until, stalled_since=since)

    def _settle_requests(self, state: SourceState) -> SourceState:
        """The watermark of the hours whose requests were told."""
        analytics, organization = self._store.analytics, self._organization
        span = (self._now - _REQUESTS_KEPT, self._now + HOUR)
        watermark = usage_watermark(
            dict(self._store.requests.observed(organization, *span)),
            self._now,
            SETTLING,
            asked=analytics.asked(organization, *span, source=USAGE),
            previous=state.watermark,
        )
        return replace(state, watermark=watermark.complete_until)

    def _settle_usage(self, state: SourceState) -> SourceState:
        """The same of usage, whose hours are awaited as long as is documented as usual."""
        usage, organization = self._store.usage, self._organization
        span = usage.span(organization)
        if span is None:
            return state
        observed = usage.observed(organization, *span)
        watermark = usage_watermark(
            {hour: known.observed_at for hour, known in observed.items()},
            self._now,
            SETTLING,
            asked=self._store.analytics.asked(organization, *span, source=USAGE),
            previous=state.watermark,
        )
        since = min((held.since for held in usage.held(organization)), default=None)
        return replace(state, watermark=watermark.complete_until, stalled_since=since)


def _told_finer(hour: datetime, state: BucketState) -> bool:
    """Whether the usage report told the hour, in more dimensions than analytics can, when it was long complete."""
    return set(state.grouped_by) > set(GROUPED) and state.observed_at >= hour + HOUR + TOLD_AFTER
