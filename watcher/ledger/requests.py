"""Requests by leaf and hour in the form of the working view, where a budget asks for them and somebody tells them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from rules.model import HOUR, Leaf, SourceState, SpendView
from watcher.ledger.series import SeriesTable
from watcher.store import Store

SOURCE = "analytics_usage"
"""The only source that tells requests."""


def requests_view(store: Store, organization: str, like: SpendView) -> SpendView | str:
    """A view of the hours of `like` whose `cost` counts requests, or why they are not known."""
    state: SourceState = store.sources.get(organization, SOURCE)
    if state.offered is False:
        return f"{SOURCE}, which alone tells requests, is not offered to this key"
    end = like.start + like.hours * HOUR
    told = store.requests.observed(organization, like.start, end)
    if not told:
        return f"{SOURCE}, which alone tells requests, has told none yet"
    columns = store.requests.read(organization, like.start, end)
    table = SeriesTable(tuple(columns.keys))
    index: dict[Leaf, int] = {}
    row_of = [index.setdefault(leaf, len(index)) for leaf in table.leaves]
    leaf = np.array(row_of, dtype=np.intp)[table.leaf_of[columns.series]]
    counted = np.zeros((len(index), like.hours), dtype=np.int64)
    epoch = (like.start - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(hours=1)
    np.add.at(counted, (leaf, columns.hour.astype(np.intp) - epoch), columns.requests)
    used = np.flatnonzero(counted.any(axis=1))
    leaves = tuple(index)
    known = np.zeros(like.hours, dtype=np.bool_)
    known[[(hour - like.start) // HOUR for hour in told]] = True
    complete = max(state.watermark or like.start, like.start)
    counted = counted[used]
    return replace(
        like,
        leaves=tuple(leaves[row] for row in used.tolist()),
        cost=counted,
        settled=np.broadcast_to(np.zeros((), dtype=np.int64), counted.shape),
        known=known,
        complete_until=complete,
        observed_until=max(complete, max(told) + HOUR),
        unpriced=frozenset(),
        earlier=None,
    )
