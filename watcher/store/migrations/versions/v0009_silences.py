"""What people have silenced."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the table, empty."""
    op.create_table(
        "silences",
        Column("organization", Text, primary_key=True),
        Column("id", Text, primary_key=True),
        Column("ends_at", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("payload", Text, nullable=False),
        sqlite_strict=True,
    )
