import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.store.packing import pack, unpack

LARGE = 2**63 - 1
EDGES = [0, 1, -1, 127, 128, -128, -129, 32767, 32768, -32769, 2**31 - 1, 2**31, -(2**31) - 1, LARGE, -LARGE - 1]
NUMBERS = st.one_of(st.sampled_from(EDGES), st.integers(-LARGE - 1, LARGE), st.integers(0, 300))
TABLES = st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=20)


def columns(rows: list[tuple[int, ...]]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return np.array(rows, dtype=np.int64).reshape(-1, 3).T


@given(st.lists(TABLES, max_size=4))
def test_what_was_packed_comes_back_table_after_table(tables: list[list[tuple[int, ...]]]) -> None:
    whole, sizes = unpack([pack(columns(rows)) for rows in tables], 3)
    assert [tuple(row) for row in whole.T.tolist()] == [row for rows in tables for row in rows]
    assert sizes.tolist() == [len(rows) for rows in tables]


def test_small_numbers_take_few_bytes() -> None:
    assert len(pack(columns([(1, 300, 100_000)] * 1000))) < 1000 * (1 + 2 + 4) + 20


@given(TABLES, st.data())
def test_a_value_that_is_damaged_is_refused(rows: list[tuple[int, ...]], data: st.DataObject) -> None:
    packed = pack(columns(rows))
    cut = data.draw(st.integers(0, len(packed) - 1))
    for damaged in (packed[:cut], packed + b"\0", b"\2" + packed[1:]):
        with pytest.raises(ValueError, match="a packed value"):
            unpack([damaged], 3)
    with pytest.raises(ValueError, match="a packed value"):
        unpack([packed], 4)
