"""Whether enough is read and kept for the periods of the budgets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from rules.hindsight import LATE
from rules.model import Budget
from watcher.config.durations import write_duration
from watcher.settings import PollSettings, StoreSettings

LONGEST_BACKFILL = timedelta(days=365)
_LONGEST = {"quarter": timedelta(days=92), "year": timedelta(days=366)}
_ONE_DAY = timedelta(days=1)


def warn_of_short_history(budgets: Sequence[Budget], poll: PollSettings, store: StoreSettings) -> Iterator[str]:
    """Sentences about budgets whose periods are longer than what is read at the first start, or than what is kept."""
    for index, budget in enumerate(budgets):
        length, place = _length(budget), f"budget[{index}].{'period' if budget.dates is None else 'from'}"
        if length is None:
            continue
        whole = f"{'these are' if budget.dates else f'a {budget.period} is up to'} {length.days} days"
        reads = min(length + LATE, LONGEST_BACKFILL)
        keeps = length + LATE + _ONE_DAY
        if poll.backfill < reads:
            yield (
                f"{place}: {whole}, and the first start reads {write_duration(poll.backfill)}: what was spent before "
                f'is missing until as much has passed; poll.backfill = "{write_duration(reads)}" reads it'
            )
        if store.keep < keeps:
            yield (
                f"{place}: {whole}, and only {write_duration(store.keep)} are kept: what was spent before is lost; "
                f'store.keep = "{write_duration(keeps)}" keeps it'
            )


def _length(budget: Budget) -> timedelta | None:
    """How long a period may be, of budgets whose periods may well be longer than what is read by default."""
    if budget.dates is not None:
        return budget.dates[1] - budget.dates[0]
    return _LONGEST.get(budget.period)
