from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from watcher.ledger.shares import cascade, evenly

groups = st.lists(
    st.tuples(
        st.integers(-(2**62), 2**62) | st.integers(-1000, 1000),
        st.lists(st.integers(0, 10**12), min_size=1, max_size=8).filter(any),
    ),
    min_size=1,
    max_size=6,
)


@given(groups)
def test_the_shares_of_a_group_sum_exactly_to_its_amount(items: list[tuple[int, list[int]]]) -> None:
    sizes = [len(weights) for _, weights in items]
    starts = np.cumsum([0, *sizes[:-1]])
    weights = np.array([weight for _, group in items for weight in group])
    shares = cascade(np.array([amount for amount, _ in items]), weights, starts)
    for (amount, _), begin, size in zip(items, starts.tolist(), sizes, strict=True):
        assert sum(shares[begin : begin + size].tolist()) == amount


@given(groups)
def test_a_share_is_within_a_nano_dollar_of_the_fair_one(items: list[tuple[int, list[int]]]) -> None:
    for amount, group in items:
        small = amount % 10**15
        shares = cascade(np.array([small]), np.array(group), np.array([0])).tolist()
        for share, weight in zip(shares, group, strict=True):
            # Floats are off by less than half a nano-dollar at this size, on either side of a step.
            assert abs(share - Fraction(small) * weight / sum(group)) <= 2


def test_a_member_without_weight_gets_nothing() -> None:
    shares = cascade(np.array([100, 7]), np.array([0, 3, 0, 0, 5, 0]), np.array([0, 3]))
    assert shares.tolist() == [0, 100, 0, 0, 7, 0]


@given(st.integers(-(10**18), 10**18), st.integers(1, 24))
def test_even_parts_differ_by_at_most_one_and_sum_exactly(amount: int, parts: int) -> None:
    shares = evenly(amount, parts)
    assert sum(shares) == amount
    assert max(shares) - min(shares) <= 1
