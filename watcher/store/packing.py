"""Many rows of whole numbers as one value of the database, a few bytes a number, and back.

A database hands over one value as fast as another, so a report over a month costs hundreds of values and not millions.
A packed value is the format's number (1), the number of columns, and the number of rows in four bytes; for each column
how many bytes its numbers take (1, 2, 4 or 8); then column after column, signed and little-endian as all of it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

FORMAT = 1

_HEAD = struct.Struct("<BBI")
_TYPES = {size: np.dtype(f"<i{size}") for size in (1, 2, 4, 8)}


def pack(columns: IntArray) -> bytes:
    """An array of column x row as bytes; the same numbers are always the same bytes."""
    width, rows = columns.shape
    kinds = [_TYPES[_size(column)] for column in columns]
    head = _HEAD.pack(FORMAT, width, rows) + bytes(kind.itemsize for kind in kinds)
    return head + b"".join(column.astype(kind).tobytes() for column, kind in zip(columns, kinds, strict=True))


def unpack(values: Sequence[bytes], width: int) -> tuple[IntArray, IntArray]:
    """Packed arrays of `width` columns, one behind the other: the whole, and how many rows each brought.

    ValueError for what `pack` did not make.
    """
    sizes = np.array([_rows(value, width) for value in values], dtype=np.int64)
    whole = np.empty((width, int(sizes.sum())), dtype=np.int64)
    begin = 0
    for value, rows in zip(values, sizes.tolist(), strict=True):
        at = _HEAD.size + width
        for column in range(width):
            kind = _TYPES[value[_HEAD.size + column]]
            whole[column, begin : begin + rows] = np.frombuffer(value, kind, rows, at)
            at += rows * kind.itemsize
        begin += rows
    return whole, sizes


def _size(column: IntArray) -> int:
    """The fewest bytes that hold each of the numbers."""
    low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    return next(size for size in (1, 2, 4, 8) if -(1 << 8 * size - 1) <= low and high < 1 << 8 * size - 1)


def _rows(value: bytes, width: int) -> int:
    if len(value) < _HEAD.size + width:
        raise ValueError("a packed value that is cut off")
    number, columns, rows = _HEAD.unpack_from(value)
    if number != FORMAT or columns != width:
        raise ValueError(f"a packed value of format {number} with {columns} columns, where 1 with {width} was expected")
    taken = value[_HEAD.size : _HEAD.size + width]
    if not set(taken) <= _TYPES.keys() or len(value) != _HEAD.size + width + rows * sum(taken):
        raise ValueError("a packed value whose length is not what it says")
    return int(rows)
