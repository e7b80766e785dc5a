"""The rows of an hour packed into one value: usage, and the provider's own cost."""

from __future__ import annotations

import numpy as np
from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text, text

from watcher.store.packing import pack

revision = "0003"
down_revision = "0002"

_HOURS_AT_ONCE = 24


def upgrade() -> None:
    """Make the tables of blocks, fill them from those of rows, and drop these."""
    for name in ("usage", "analytics"):
        op.create_table(
            f"{name}_blocks",
            Column("organization", Text, primary_key=True),
            Column("hour", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
            Column("packed", LargeBinary, nullable=False),
            sqlite_strict=True,
        )
        _fill(name)
        op.drop_table(f"{name}_hours")


def _fill(name: str) -> None:
    """Pack the rows of every stored hour, those of an hour without any too."""
    connection = op.get_bind()
    hours = connection.execute(text(f"SELECT organization, hour FROM {name}_buckets ORDER BY hour")).all()  # noqa: S608
    rows_of = text(
        f"SELECT series.organization, used.* FROM {name}_hours AS used JOIN series ON series.id = used.series "  # noqa: S608
        "WHERE used.hour >= :low AND used.hour < :high ORDER BY used.hour, used.series"
    )
    into = text(f"INSERT INTO {name}_blocks (organization, hour, packed) VALUES (:organization, :hour, :packed)")  # noqa: S608
    width = {"usage": 7, "analytics": 8}[name]
    for begin in range(0, len(hours), _HOURS_AT_ONCE):
        some = hours[begin : begin + _HOURS_AT_ONCE]
        found: dict[tuple[str, int], list[tuple[int, ...]]] = {(owner, hour): [] for owner, hour in some}
        span = {"low": some[0].hour, "high": some[-1].hour + 1}
        for owner, hour, *numbers in connection.execute(rows_of, span):
            if (owner, hour) in found:
                found[owner, hour].append(tuple(numbers))
        packed = [
            {"organization": owner, "hour": hour, "packed": pack(np.array(rows, dtype=np.int64).reshape(-1, width).T)}
            for (owner, hour), rows in found.items()
        ]
        connection.execute(into, packed)
