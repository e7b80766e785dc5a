"""What people said of anomalies."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the table, empty."""
    op.create_table(
        "feedback",
        Column("organization", Text, primary_key=True),
        Column("alert", Text, primary_key=True),
        Column("ends_at", BigInteger().with_variant(Integer(), "sqlite"), nullable=True),
        Column("payload", Text, nullable=False),
        sqlite_strict=True,
    )
