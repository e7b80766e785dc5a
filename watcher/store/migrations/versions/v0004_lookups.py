"""What is asked for one by one, and whether it was there."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text
from sqlalchemy.types import TypeEngine

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table of lookups."""
    op.create_table(
        "lookups",
        Column("organization", Text, primary_key=True),
        Column("subject", Text, primary_key=True),
        Column("id", Text, primary_key=True),
        Column("asked_at", big(), nullable=False),
        Column("found", big(), nullable=True),
        sqlite_strict=True,
    )


def big() -> TypeEngine[int]:
    """A 64-bit integer in every dialect; SQLite's INTEGER is one already, and STRICT knows no BIGINT."""
    return BigInteger().with_variant(Integer(), "sqlite")
