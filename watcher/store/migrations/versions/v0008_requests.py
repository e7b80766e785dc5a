"""How many requests each series made in each hour, where a budget asks for it."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the table, empty: the hours are read when a budget asks for them."""
    big = BigInteger().with_variant(Integer(), "sqlite")
    op.create_table(
        "request_blocks",
        Column("organization", Text, primary_key=True),
        Column("hour", big, primary_key=True, autoincrement=False),
        Column("observed_at", big, nullable=False),
        Column("packed", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
