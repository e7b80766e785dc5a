"""The journal of actions on keys, and what protects keys from them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the tables, empty."""
    op.create_table(
        "actions",
        Column("organization", Text, primary_key=True),
        Column("id", Text, primary_key=True),
        Column("cause", Text, nullable=False),
        Column("api_key", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("created_at", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("updated_at", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("payload", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("ix_actions_state", "actions", ["organization", "state"])
    op.create_table(
        "protections",
        Column("organization", Text, primary_key=True),
        Column("what", Text, primary_key=True),
        Column("id", Text, primary_key=True),
        Column("pattern", Text, primary_key=True),
        Column("taken", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("at", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("by", Text, nullable=False),
        sqlite_strict=True,
    )
