"""The rows of a day's cost report as numbered lines and packed amounts."""

from __future__ import annotations

import numpy as np
from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text, text
from sqlalchemy.types import TypeEngine

from watcher.store.packing import pack

revision = "0005"
down_revision = "0004"

_TEXTS = (
    "workspace_id",
    "description",
    "cost_type",
    "model",
    "service_tier",
    "token_type",
    "context_window",
    "inference_geo",
    "speed",
)


def upgrade() -> None:
    """Make the tables, fill them from the table of rows, and drop this."""
    op.create_table(
        "cost_lines",
        Column("id", big(), primary_key=True, autoincrement=True),
        Column("organization", Text, nullable=False),
        *(Column(name, Text, nullable=True) for name in _TEXTS),
        sqlite_strict=True,
    )
    op.create_index("ix_cost_lines_organization", "cost_lines", ["organization"])
    op.create_table(
        "cost_blocks",
        Column("organization", Text, primary_key=True),
        Column("day", big(), primary_key=True, autoincrement=False),
        Column("packed", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    _fill()
    op.drop_table("cost_rows")


def big() -> TypeEngine[int]:
    """A 64-bit integer in every dialect; SQLite's INTEGER is one already, and STRICT knows no BIGINT."""
    return BigInteger().with_variant(Integer(), "sqlite")


def _fill() -> None:
    connection = op.get_bind()
    columns = ", ".join(_TEXTS)
    connection.execute(
        text(f"INSERT INTO cost_lines (organization, {columns}) SELECT DISTINCT organization, {columns} FROM cost_rows")  # noqa: S608
    )
    lines = connection.execute(text(f"SELECT id, organization, {columns} FROM cost_lines"))  # noqa: S608
    ids = {tuple(row[1:]): row[0] for row in lines}
    rows_of = text(
        f"SELECT organization, {columns}, amount FROM cost_rows "  # noqa: S608
        "WHERE organization = :organization AND day = :day ORDER BY position"
    )
    into = text("INSERT INTO cost_blocks (organization, day, packed) VALUES (:organization, :day, :packed)")
    for organization, day in connection.execute(text("SELECT organization, day FROM cost_days")).all():
        which = {"organization": organization, "day": day}
        numbers = [(ids[tuple(row[:-1])], row[-1]) for row in connection.execute(rows_of, which)]
        packed = pack(np.array(numbers, dtype=np.int64).reshape(-1, 2).T)
        connection.execute(into, {**which, "packed": packed})
