"""What whole days came to, by leaf, kept beside what it was made from. The daemon fills it as it goes."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text, UniqueConstraint

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the tables, empty: what they hold can always be computed again."""
    big = BigInteger().with_variant(Integer(), "sqlite")
    dimensions = ("organization", "workspace", "api_key", "model", "service_tier")
    op.create_table(
        "leaves",
        Column("id", big, primary_key=True, autoincrement=True),
        *(Column(name, Text, nullable=False) for name in dimensions),
        UniqueConstraint(*dimensions, name="uq_leaves_dimensions"),
        sqlite_strict=True,
    )
    op.create_table(
        "day_sums",
        Column("organization", Text, primary_key=True),
        Column("day", big, primary_key=True, autoincrement=False),
        Column("made_from", LargeBinary, nullable=False),
        Column("prices", LargeBinary, nullable=False),
        Column("lesson", Text, nullable=True),
        Column("unpriced", Text, nullable=False),
        Column("packed", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
