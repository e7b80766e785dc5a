"""Which alerts share messages, and what of them was told."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the table, empty."""
    op.create_table(
        "groups",
        Column("organization", Text, primary_key=True),
        Column("id", Text, primary_key=True),
        Column("payload", Text, nullable=False),
        sqlite_strict=True,
    )
