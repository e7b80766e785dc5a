"""An hour put together from its keys is exactly that hour, or it is not taken."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.admin_api.answers import UsageBucket, UsageRow
from watcher.admin_api.by_keys import KEYS_A_REQUEST, DoesNotAddUp, read_hour_by_keys
from watcher.admin_api.errors import BadRequest
from watcher.admin_api.grouping import LADDER

START = datetime(2026, 11, 1, tzinfo=UTC)
ALL = LADDER[0].dimensions


@dataclass
class Hour:
    """An hour of usage that can be asked for, and can lie in one answer."""

    rows: Sequence[UsageRow]
    most_keys: int = 1000
    lie_at: int = -1
    lie: str = ""
    asked: list[int] = field(default_factory=list)

    def hour(
        self, starting_at: datetime, grouped_by: tuple[str, ...], *, api_key_ids: Sequence[str] = ()
    ) -> UsageBucket | None:
        if len(api_key_ids) > self.most_keys:
            raise BadRequest("/v1/x", 400, None, "too fine")
        self.asked.append(len(api_key_ids))
        sums: defaultdict[tuple[str | None, ...], list[int]] = defaultdict(lambda: [0] * 6)
        for row in self.rows:
            if not api_key_ids or row.api_key_id in api_key_ids:
                cell = tuple(
                    value if name in grouped_by else None for name, value in zip(ALL_FIELDS, row[:7], strict=True)
                )
                sums[cell] = [a + b for a, b in zip(sums[cell], row[7:], strict=True)]
        rows = [UsageRow(*cell, *counts) for cell, counts in sums.items()]
        if len(self.asked) - 1 == self.lie_at and rows:
            first, *others = rows
            doubled = UsageRow(*first[:7], *(2 * count for count in first[7:]))
            rows = {"lost": others, "doubled": [doubled, *others], "odd": [first._replace(output=10**9), *others]}[
                self.lie
            ]
        return UsageBucket(starting_at, starting_at + timedelta(hours=1), grouped_by, tuple(rows))


ALL_FIELDS = UsageRow._fields[:7]


def usage_row(key: str | None, workspace: str | None, model: str, *counts: int) -> UsageRow:
    return UsageRow(key, workspace, model, "standard", None, "us", None, *counts, *([1] * (6 - len(counts))))


usage_rows = st.lists(
    st.builds(
        usage_row,
        st.sampled_from([None, "a", "b", "c", "d"]),
        st.sampled_from([None, "ws"]),
        st.sampled_from(["opus", "haiku"]),
        st.integers(0, 5),
        st.integers(0, 5),
    ),
    max_size=12,
)


def by_cell(rows: Sequence[UsageRow]) -> dict[tuple[str | None, ...], tuple[int, ...]]:
    sums: dict[tuple[str | None, ...], tuple[int, ...]] = {}
    for row in rows:
        sums[row[:7]] = tuple(a + b for a, b in zip(sums.get(row[:7], (0,) * 6), row[7:], strict=True))
    return sums


@given(rows=usage_rows, most_keys=st.integers(1, 5))
def test_the_parts_are_the_hour(rows: list[UsageRow], most_keys: int) -> None:
    bucket = read_hour_by_keys(Hour(rows, most_keys), START, ALL)
    assert bucket is not None
    assert by_cell(bucket.rows) == by_cell(rows)
    assert len(bucket.rows) == len(by_cell(rows))


@given(
    rows=usage_rows.filter(lambda rows: len(by_cell(rows)) > 0),
    lie_at=st.integers(0, 3),
    lie=st.sampled_from(["lost", "doubled", "odd"]),
)
def test_a_single_answer_that_differs_never_passes_for_the_hour(rows: list[UsageRow], lie_at: int, lie: str) -> None:
    report = Hour(rows, lie_at=lie_at, lie=lie)
    try:
        bucket = read_hour_by_keys(report, START, ALL)
    except DoesNotAddUp:
        return
    assert bucket is not None
    assert by_cell(bucket.rows) == by_cell(rows)
    assert lie_at >= len(report.asked)


def test_keys_go_into_requests_by_the_hundred() -> None:
    report = Hour([usage_row(f"key_{number}", "ws", "opus") for number in range(250)])
    bucket = read_hour_by_keys(report, START, ALL)
    assert bucket is not None
    assert len(bucket.rows) == 250
    assert sorted(report.asked) == [0, 0, 50, KEYS_A_REQUEST, KEYS_A_REQUEST]


def test_a_key_that_is_too_fine_alone_is_a_refusal() -> None:
    with pytest.raises(BadRequest):
        read_hour_by_keys(Hour([usage_row("a", "ws", "opus")], most_keys=0), START, ALL)


def test_a_filter_that_lets_others_through_is_noticed() -> None:
    class Leaky(Hour):
        def hour(self, starting_at, grouped_by, *, api_key_ids=()):
            return super().hour(starting_at, grouped_by)

    rows = [usage_row("a", "ws", "opus"), usage_row(None, "ws", "opus")]
    with pytest.raises(DoesNotAddUp, match="let other keys through"):
        read_hour_by_keys(Leaky(rows), START, ALL)


def test_an_hour_that_does_not_exist_yet_is_none() -> None:
    class Future(Hour):
        def hour(self, starting_at, grouped_by, *, api_key_ids=()):
            return None

    assert read_hour_by_keys(Future([]), START, ALL) is None
