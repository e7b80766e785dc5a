"""What each Slack message shows of its alert, and what it is to show."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the columns; messages that are there already are looked at as soon as their alerts change."""
    op.add_column("slack_messages", Column("shown", Text, nullable=True))
    op.add_column("slack_messages", Column("wanted", Text, nullable=True))
    op.drop_index("ix_slack_messages_alert", "slack_messages")
    op.create_index("ix_slack_messages_alert", "slack_messages", ["alert", "receiver"])
    op.create_index("ix_slack_messages_wanted", "slack_messages", ["receiver", "wanted"])
