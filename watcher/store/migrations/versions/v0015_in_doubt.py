"""What is known of the tries of a message: whether the receiver may have taken it, and who is to blame."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, text

revision = "0015"
down_revision = "0014"


def _big() -> BigInteger:
    return BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns; what waits may have been taken, as far as anybody knows."""
    op.add_column("outbox", Column("in_doubt", _big(), nullable=False, server_default="0"))
    op.add_column("outbox", Column("tried_at", _big(), nullable=True))
    op.add_column("outbox", Column("failing_since_at", _big(), nullable=True))
    op.add_column("outbox", Column("own_fault", _big(), nullable=False, server_default="0"))
    op.execute(text("UPDATE outbox SET in_doubt = 1 WHERE delivered_at IS NULL"))
