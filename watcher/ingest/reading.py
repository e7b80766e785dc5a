"""The one function that reads what a plan asks for and stores it, source by source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from rules.model import SourceState
from watcher.admin_api.errors import AdminApiError, BadRequest, NotOffered
from watcher.ingest import membership
from watcher.ingest.belief import Stored, believe, believe_costs
from watcher.ingest.outcome import failed, not_offered, succeeded
from watcher.ingest.plan import Days, Hours, Plan
from watcher.ingest.reader import Reader
from watcher.store import Store
from watcher.watermark import REMEMBERED, LateChange, cost_watermark, settling_time, usage_watermark

Progress = Callable[[int, int], None]

SHRUNK = "ingest.shrunk_hours"
"""The name in the cursor of the number of readings in which an hour not complete yet had less than before."""

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Ingested:
    """What a poll came to.

    `changed_hours` and `changed_days` say something new now. `sources` are the states of the sources in `attempted`;
    `failures` has one sentence for each that exists and could not be read. `shrunk_hours` counts open hours that fell.
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
) -> Ingested:
    """Read what the plan asks for. Each reading is stored in one transaction, or, unfinished, not at all.

    One source that fails does not stop the others, and its state says so. Within a source nothing is read after a
    reading that did not finish, but one that is refused as asked (400) is left out. `progress` is told how many days
    of the back-fill are done, and of how many. Raises StoreError where the store cannot be written, and
    `OtherOrganization` for the key of another organization.
    """
    poll = _Poll(reader, store, organization, now)
    if plan.directory:
        poll.directory()
    if plan.usage is not None or plan.backfill:
        poll.ask("usage", lambda: poll.usage(plan, progress), poll.settle_usage)
    if plan.costs:
        poll.ask("cost", lambda: _each(plan.costs, poll.costs), poll.settle_costs)
    if plan.claude_code:
        poll.ask("claude_code", lambda: _each(plan.claude_code, poll.claude_code))
    return Ingested(
        changed_hours=frozenset(poll.changed_hours),
        changed_days=frozenset(poll.changed_days),
        sources=tuple(poll.states),
        attempted=tuple(state.source for state in poll.states),
        failures=poll.failures,
        shrunk_hours=poll.shrunk_hours,
    )


class _Poll:
    """One poll under way."""

    def __init__(self, reader: Reader, store: Store, organization: str, now: datetime) -> None:
        self._reader, self._store, self._organization, self._now = reader, store, organization, now
        self.changed_hours: set[datetime] = set()
        self.changed_days: set[date] = set()
        self.states: list[SourceState] = []
        self.failures: dict[str, str] = {}
        self.shrunk_hours = 0

    def ask(
        self,
        source: str,
        read: Callable[[], None],
        settle: Callable[[SourceState], SourceState] = lambda state: state,
    ) -> None:
        """Read one source and note what became of it; `settle` adds what the store now says of it."""
        state = self._store.sources.get(self._organization, source)
        try:
            read()
            state = succeeded(state, self._now)
        except NotOffered as error:
            state = not_offered(state, error, self._now)
        except AdminApiError as error:
            state = failed(state, error, self._now)
            self.failures[source] = str(error)
        state = settle(state)
        self._store.sources.save(self._organization, state)
        self.states.append(state)

    def directory(self) -> None:
        """Who and what there is; the organization first, as another one's key must not be read any further."""
        organization, now, listings = self._organization, self._now, self._store.directory
        self.ask("organization", self._organization_itself)
        self.ask("workspaces", lambda: listings.record_workspaces(organization, self._reader.workspaces(), now))
        self.ask("api_keys", lambda: listings.record_api_keys(organization, self._reader.api_keys(), now))
        self.ask("users", lambda: listings.record_users(organization, self._reader.users(), now))
        self.ask("invites", lambda: listings.record_invites(organization, self._reader.invites(), now))

    def _organization_itself(self) -> None:
        item = self._reader.organization()
        membership.check(self._store, self._organization, item)
        item = replace(item, id=self._organization)
        self._store.directory.record_organization(self._organization, item, self._now)

    def usage(self, plan: Plan, progress: Progress | None) -> None:
        """The back-fill, day by day, then the trailing window."""
        settling = self._settling()
        parts = [(hours, number) for number, hours in enumerate(plan.backfill, 1)]
        total = len(parts)

        def take(part: tuple[Hours, int]) -> None:
            hours, number = part
            self._usage_of(hours, settling)
            if progress is not None and number:
                progress(number, total)

        if progress is not None and total:
            progress(0, total)
        _each([*parts, *([] if plan.usage is None else [(plan.usage, 0)])], take)

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
            self._store.cursor.add(SHRUNK, belief.fell)

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
        read = {day: each.observed_at for day, each in costs.observed(organization, *span).items()}
        watermark = cost_watermark(read, self._now, previous=state.watermark)
        since = min((held.since for held in costs.held(organization)), default=None)
        return replace(state, watermark=watermark.complete_until, stalled_since=since)

    def claude_code(self, day: date) -> None:
        """One day of the Claude Code report."""
        rows = self._reader.claude_code(day)
        self._store.claude_code.replace(self._organization, day, rows, self._now)


def _each(parts: Iterable[Part], take: Callable[[Part], None]) -> None:
    """Take the parts in order, up to the first that fails; one that is refused as asked does not stop the others."""
    refused: BadRequest | None = None
    for part in parts:
        try:
            take(part)
        except BadRequest as error:
            refused = refused or error
    if refused is not None:
        raise refused


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
