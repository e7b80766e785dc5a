"""The first tables."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    _usage()
    _usage_readings()
    _cost()
    _directory_and_sources()
    _judgement()
    _delivery()
    _people()


def big() -> TypeEngine[int]:
    """A 64-bit integer in every dialect; SQLite's INTEGER is one already, and STRICT knows no BIGINT."""
    return BigInteger().with_variant(Integer(), "sqlite")


def _number(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, big(), nullable=nullable)


def _words(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _number_key(name: str) -> Column[int]:
    return Column(name, big(), primary_key=True, autoincrement=False)


def _sequence(name: str = "id") -> Column[int]:
    return Column(name, big(), primary_key=True, autoincrement=True)


def _usage() -> None:
    op.create_table(
        "series",
        Column("id", big(), primary_key=True, autoincrement=True),
        _words("organization"),
        _words("workspace"),
        _words("api_key"),
        _words("model"),
        _words("service_tier"),
        _words("context_window"),
        _words("inference_geo"),
        _words("speed"),
        UniqueConstraint(
            "organization",
            "workspace",
            "api_key",
            "model",
            "service_tier",
            "context_window",
            "inference_geo",
            "speed",
            name="uq_series_dimensions",
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "usage_hours",
        _number_key("hour"),
        _number_key("series"),
        _number("uncached_input"),
        _number("cache_read"),
        _number("cache_write_5m"),
        _number("cache_write_1h"),
        _number("output"),
        _number("web_searches"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _usage_readings() -> None:
    op.create_table(
        "usage_buckets",
        _key("organization"),
        _number_key("hour"),
        Column("digest", LargeBinary, nullable=False),
        _words("grouped_by"),
        _number("row_count"),
        _number("tokens"),
        _number("first_observed_at"),
        _number("changed_at"),
        _number("revision"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_readings",
        _key("organization"),
        _number_key("start_hour"),
        _number("end_hour"),
        _number("observed_at"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "held_buckets",
        _key("organization"),
        _key("source"),
        _number_key("bucket"),
        _number("since_at"),
        _number("observed_at"),
        _number("accepted_at"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "revisions",
        _sequence(),
        _words("organization"),
        _words("source"),
        _number("bucket"),
        _number("previous_at"),
        _number("observed_at"),
        _number("before"),
        _number("after"),
        _number("moved"),
        Index("ix_revisions_observed", "organization", "source", "observed_at"),
        sqlite_strict=True,
    )


def _cost() -> None:
    op.create_table(
        "cost_days",
        _key("organization"),
        _number_key("day"),
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
        "cost_rows",
        _key("organization"),
        _number_key("day"),
        _number_key("position"),
        _words("workspace_id", nullable=True),
        _words("description", nullable=True),
        _words("cost_type", nullable=True),
        _words("model", nullable=True),
        _words("service_tier", nullable=True),
        _words("token_type", nullable=True),
        _words("context_window", nullable=True),
        _words("inference_geo", nullable=True),
        _words("speed", nullable=True),
        _number("amount"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "claude_code_days",
        _key("organization"),
        _number_key("day"),
        _words("payload"),
        _number("observed_at"),
        _number("changed_at"),
        sqlite_strict=True,
    )


def _directory_and_sources() -> None:
    op.create_table(
        "directory",
        _key("organization"),
        _key("kind"),
        _key("id"),
        _words("name"),
        _words("status"),
        _number("listed"),
        _number("first_seen_at"),
        _number("last_seen_at"),
        _words("payload"),
        sqlite_strict=True,
    )
    op.create_table(
        "directory_changes",
        _sequence(),
        _words("organization"),
        _words("kind"),
        _words("subject"),
        _words("field"),
        _words("before", nullable=True),
        _words("after", nullable=True),
        _number("last_seen_before_at"),
        _number("observed_at"),
        Index("ix_directory_changes_subject", "organization", "kind", "subject"),
        sqlite_strict=True,
    )
    op.create_table(
        "sources",
        _key("organization"),
        _key("source"),
        _number("offered", nullable=True),
        _number("watermark_at", nullable=True),
        _number("last_attempt_at", nullable=True),
        _number("last_success_at", nullable=True),
        _number("failing_since_at", nullable=True),
        _words("failure", nullable=True),
        _number("stalled_since_at", nullable=True),
        sqlite_strict=True,
    )


def _judgement() -> None:
    op.create_table(
        "alerts",
        _key("id"),
        _words("organization"),
        _words("fingerprint"),
        _words("kind"),
        _words("rule"),
        _words("state"),
        _words("severity"),
        _number("starts_at"),
        _number("ends_at", nullable=True),
        _number("closes_at", nullable=True),
        _words("payload"),
        Index("ix_alerts_fingerprint", "fingerprint"),
        Index("ix_alerts_starts_at", "starts_at"),
        Index("ix_alerts_state", "state"),
        sqlite_strict=True,
    )
    op.create_table(
        "transitions",
        _sequence(),
        Column(
            "alert_id", Text, ForeignKey("alerts.id", name="fk_transitions_alert", ondelete="CASCADE"), nullable=False
        ),
        _number("at"),
        _words("before", nullable=True),
        _words("after"),
        _words("why"),
        _number("silent"),
        Index("ix_transitions_alert_id", "alert_id"),
        sqlite_strict=True,
    )


def _delivery() -> None:
    op.create_table(
        "outbox",
        _sequence("sequence"),
        _words("id"),
        _words("receiver"),
        _words("reason"),
        _number("created_at"),
        _words("alert_ids"),
        _words("payload"),
        _number("attempts"),
        _number("due_at"),
        _words("last_error", nullable=True),
        _number("delivered_at", nullable=True),
        UniqueConstraint("id", name="uq_outbox_id"),
        Index("ix_outbox_waiting", "delivered_at", "receiver", "sequence"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_table(
        "deliveries",
        _sequence(),
        Column(
            "notification_id",
            Text,
            ForeignKey("outbox.id", name="fk_deliveries_notification", ondelete="CASCADE"),
            nullable=False,
        ),
        _number("at"),
        _words("error", nullable=True),
        Index("ix_deliveries_notification_id", "notification_id"),
        sqlite_strict=True,
    )
    op.create_table("cursor", _key("name"), _words("value"), sqlite_strict=True)


def _people() -> None:
    op.create_table(
        "journal",
        _sequence(),
        _number("at"),
        _words("actor"),
        _words("what"),
        _words("details"),
        Index("ix_journal_at", "at"),
        sqlite_strict=True,
    )
    op.create_table(
        "commands",
        _sequence(),
        _number("at"),
        _words("actor"),
        _words("what"),
        _words("details"),
        _number("consumed_at", nullable=True),
        _words("outcome", nullable=True),
        sqlite_strict=True,
    )
