"""Which Slack message tells of which alert."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the table, empty."""
    op.create_table(
        "slack_messages",
        Column("receiver", Text, primary_key=True),
        Column("notification", Text, primary_key=True),
        Column("alert", Text, primary_key=True),
        Column("at", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("reason", Text, nullable=False),
        Column("channel", Text, nullable=True),
        Column("ts", Text, nullable=True),
        Column("thread", Text, nullable=True),
        sqlite_strict=True,
    )
    op.create_index("ix_slack_messages_alert", "slack_messages", ["receiver", "alert"])
