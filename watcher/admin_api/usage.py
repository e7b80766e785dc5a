"""Reading usage as finely as the API allows: the walk down the ladder of groupings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from watcher.admin_api import decoding
from watcher.admin_api.answers import UsageBucket
from watcher.admin_api.buckets import HOUR, BucketSequence
from watcher.admin_api.by_keys import DoesNotAddUp, read_hour_by_keys
from watcher.admin_api.decoding import Page
from watcher.admin_api.endpoints import FAST_MODE_BETA, USAGE, moment
from watcher.admin_api.errors import AdminApiError, BadRequest, Malformed, TooLarge
from watcher.admin_api.grouping import LADDER, Grouping, GroupingMemory, coarser
from watcher.admin_api.paging import follow
from watcher.admin_api.retrying import TimeBudget
from watcher.admin_api.transport import Get


@dataclass(frozen=True, slots=True)
class UsageReport:
    """The usage report as something to ask: pages of hourly buckets within one time budget."""

    get: Get
    budget: TimeBudget

    def pages(
        self,
        starting_at: datetime,
        ending_at: datetime,
        grouped_by: tuple[str, ...],
        *,
        hours: int,
        api_key_ids: Sequence[str] = (),
    ) -> Iterator[tuple[UsageBucket, ...]]:
        """The buckets of each page, oldest first; BadRequest when that is too fine."""
        parameters = [
            ("starting_at", moment(starting_at)),
            ("ending_at", moment(ending_at)),
            ("bucket_width", "1h"),
            ("limit", str(hours)),
            *(("group_by[]", dimension) for dimension in grouped_by),
            *(("api_key_ids[]", key_id) for key_id in api_key_ids),
        ]
        decode = decoding.usage_page(grouped_by)

        def ask(cursor: str | None) -> Page[UsageBucket]:
            return self.get(
                USAGE,
                decode,
                budget=self.budget,
                parameters=parameters if cursor is None else [*parameters, ("page", cursor)],
                beta=FAST_MODE_BETA if "speed" in grouped_by else None,
            )

        # A server may give fewer buckets a page than asked for, yet hardly less than one.
        return follow(ask, endpoint=USAGE, at_most=(ending_at - starting_at) // HOUR + 10)

    def hour(
        self, starting_at: datetime, grouped_by: tuple[str, ...], *, api_key_ids: Sequence[str] = ()
    ) -> UsageBucket | None:
        """One hour, or None when the API does not have it yet."""
        sequence: BucketSequence[UsageBucket] = BucketSequence(USAGE, HOUR, starting_at, starting_at + HOUR)
        for buckets in self.pages(starting_at, starting_at + HOUR, grouped_by, hours=1, api_key_ids=api_key_ids):
            sequence.extend(buckets)
        return sequence.buckets[0] if sequence.buckets else None


def read_usage(
    report: UsageReport,
    starting_at: datetime,
    ending_at: datetime,
    *,
    memory: GroupingMemory,
    now: datetime | None,
) -> tuple[UsageBucket, ...]:
    """Hourly usage, oldest first; `memory` is updated with the grouping that was accepted.

    A page that is too large is taken for a refusal. A 400 that comes after some pages keeps them: the reading goes
    on behind them with a new page sequence, which mends a stale cursor, and walks down the ladder only if its first
    page is refused too. If even the coarsest grouping is refused, the first refusal is raised: then it was not the
    grouping. Raises AdminApiError.
    """
    sequence: BucketSequence[UsageBucket] = BucketSequence(USAGE, HOUR, starting_at, ending_at)
    rung = accepted = memory.start(now)
    first_refusal: AdminApiError | None = None
    moved = False
    while not sequence.complete:
        reached = sequence.reached
        try:
            if _advance(report, sequence, LADDER[rung]):
                break
        except DoesNotAddUp as error:
            # The hour changed while it was read. That says nothing about the next poll: it is not remembered.
            moved = True
            refusal: AdminApiError = Malformed(USAGE, 200, None, str(error))
        except (BadRequest, TooLarge) as error:
            if sequence.reached > reached:
                continue
            refusal = error
        else:
            continue
        first_refusal = first_refusal or refusal
        next_rung = coarser(rung, refusal.message)
        if next_rung is None:
            raise first_refusal
        rung = next_rung
        accepted = accepted if moved else rung
    memory.learn(accepted, now)
    if now is not None:
        sequence.require(now - HOUR)
    return sequence.buckets


def _advance(report: UsageReport, sequence: BucketSequence[UsageBucket], grouping: Grouping) -> bool:
    """Read on behind what is there; whether the API has no more than that."""
    if grouping.by_keys:
        bucket = read_hour_by_keys(report, sequence.reached, grouping.dimensions)
        sequence.extend(() if bucket is None else (bucket,))
        return bucket is None
    ending_at = sequence.ending_at or sequence.reached
    for buckets in report.pages(sequence.reached, ending_at, grouping.dimensions, hours=grouping.hours):
        sequence.extend(buckets)
    return True
