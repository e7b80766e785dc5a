"""The provider's own cost by hour, and which hours of the analytics reports were asked for when."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of analytics/cost."""
    op.create_table(
        "analytics_hours",
        _number_key("hour"),
        _number_key("series"),
        _number("uncached_input"),
        _number("cache_read"),
        _number("cache_write_5m"),
        _number("cache_write_1h"),
        _number("output"),
        _number("web_searches"),
        _number("other"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "analytics_buckets",
        Column("organization", Text, primary_key=True),
        _number_key("hour"),
        Column("digest", LargeBinary, nullable=False),
        _number("amount"),
        _number("row_count"),
        _number("first_observed_at"),
        _number("observed_at"),
        _number("unchanged_since_at"),
        _number("readings"),
        _number("revision"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "analytics_readings",
        Column("organization", Text, primary_key=True),
        Column("source", Text, primary_key=True),
        _number_key("start_hour"),
        _number("end_hour"),
        _number("observed_at"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def big() -> TypeEngine[int]:
    """A 64-bit integer in every dialect; SQLite's INTEGER is one already, and STRICT knows no BIGINT."""
    return BigInteger().with_variant(Integer(), "sqlite")


def _number(name: str) -> Column[int]:
    return Column(name, big(), nullable=False)


def _number_key(name: str) -> Column[int]:
    return Column(name, big(), primary_key=True, autoincrement=False)
