"""Reading the daily cost report."""

from datetime import datetime

from watcher.admin_api import decoding
from watcher.admin_api.answers import CostBucket
from watcher.admin_api.buckets import DAY, BucketSequence
from watcher.admin_api.decoding import Page
from watcher.admin_api.endpoints import COST, moment
from watcher.admin_api.errors import BadRequest
from watcher.admin_api.paging import follow
from watcher.admin_api.retrying import TimeBudget
from watcher.admin_api.transport import Get, Parameters

DAYS_A_PAGE = (31, 7, 1)
# Ten years of days, one a page: the report has no end of its own when none is asked for.
_MOST_PAGES = 3660


def read_costs(
    get: Get, budget: TimeBudget, starting_at: datetime, ending_at: datetime | None
) -> tuple[CostBucket, ...]:
    """Daily cost by workspace and description, oldest first.

    A 400 is answered with fewer days a page; the grouping is never given up, as the amounts mean nothing
    without it. One that comes after some pages keeps them, and the reading goes on behind them. Raises
    AdminApiError.
    """
    sequence: BucketSequence[CostBucket] = BucketSequence(COST, DAY, starting_at, ending_at)
    sizes = list(DAYS_A_PAGE)
    while not sequence.complete:
        reached = sequence.reached
        parameters = _parameters(sequence, sizes[0])

        def ask(cursor: str | None, parameters: Parameters = parameters) -> Page[CostBucket]:
            continued = parameters if cursor is None else [*parameters, ("page", cursor)]
            return get(COST, decoding.cost_page, budget=budget, parameters=continued)

        try:
            for buckets in follow(ask, endpoint=COST, at_most=_MOST_PAGES):
                sequence.extend(buckets)
        except BadRequest:
            if sequence.reached == reached:
                sizes.pop(0)
                if not sizes:
                    raise
        else:
            break
    return sequence.buckets


def _parameters(sequence: BucketSequence[CostBucket], days: int) -> Parameters:
    """What to ask for behind the days that are there."""
    parameters = [
        ("starting_at", moment(sequence.reached)),
        ("bucket_width", "1d"),
        ("limit", str(days)),
        ("group_by[]", "workspace_id"),
        ("group_by[]", "description"),
    ]
    if sequence.ending_at is not None:
        parameters.append(("ending_at", moment(sequence.ending_at)))
    return parameters
