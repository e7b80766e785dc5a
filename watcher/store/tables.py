"""The tables. Their history is in `migrations`; this is how they stand after the newest of them.

Conventions: times as in `watcher.store.times`; money is BIGINT nano-dollars; what belongs to an organization carries
its id (usage through its series); SQLite tables are STRICT. Values that are only ever read whole (an alert, a
notification, an entry of the directory) are JSON beside the columns that queries need.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData()


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


# ---------------------------------------------------------------------------------------------- usage

series = Table(
    "series",
    metadata,
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

# The rows of an hour, packed (`watcher.store.packing`): series id, uncached_input, cache_read, cache_write_5m,
# cache_write_1h, output, web_searches.
usage_blocks = Table(
    "usage_blocks",
    metadata,
    _key("organization"),
    _number_key("hour"),
    Column("packed", LargeBinary, nullable=False),
    sqlite_strict=True,
)

usage_buckets = Table(
    "usage_buckets",
    metadata,
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

# Stretches of hours and when each was read last: disjoint, so that a poll that finds nothing new writes one row.
usage_readings = Table(
    "usage_readings",
    metadata,
    _key("organization"),
    _number_key("start_hour"),
    _number("end_hour"),
    _number("observed_at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# Buckets whose newest readings are not believed. `accepted_at` is when the last reading that was believed was taken.
held_buckets = Table(
    "held_buckets",
    metadata,
    _key("organization"),
    _key("source"),
    _number_key("bucket"),
    _number("since_at"),
    _number("observed_at"),
    _number("accepted_at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

revisions = Table(
    "revisions",
    metadata,
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

# ---------------------------------------------------------------------------------------------- cost

cost_days = Table(
    "cost_days",
    metadata,
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

cost_lines = Table(
    "cost_lines",
    metadata,
    _sequence(),
    _words("organization"),
    _words("workspace_id", nullable=True),
    _words("description", nullable=True),
    _words("cost_type", nullable=True),
    _words("model", nullable=True),
    _words("service_tier", nullable=True),
    _words("token_type", nullable=True),
    _words("context_window", nullable=True),
    _words("inference_geo", nullable=True),
    _words("speed", nullable=True),
    Index("ix_cost_lines_organization", "organization"),
    sqlite_strict=True,
)

# The rows of a day's report, packed and in the order of the report: line id, nano-dollars.
cost_blocks = Table(
    "cost_blocks",
    metadata,
    _key("organization"),
    _number_key("day"),
    Column("packed", LargeBinary, nullable=False),
    sqlite_strict=True,
)

claude_code_days = Table(
    "claude_code_days",
    metadata,
    _key("organization"),
    _number_key("day"),
    _words("payload"),
    _number("observed_at"),
    _number("changed_at"),
    sqlite_strict=True,
)

# ---------------------------------------------------------------------------------------------- analytics

# The rows of an hour, packed: series id, and nano-dollars of uncached_input, cache_read, cache_write_5m,
# cache_write_1h, output, web_searches and other.
analytics_blocks = Table(
    "analytics_blocks",
    metadata,
    _key("organization"),
    _number_key("hour"),
    Column("packed", LargeBinary, nullable=False),
    sqlite_strict=True,
)

analytics_buckets = Table(
    "analytics_buckets",
    metadata,
    _key("organization"),
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

# Which hours of which report were asked for when by the clock, in stretches as `usage_readings` has them.
analytics_readings = Table(
    "analytics_readings",
    metadata,
    _key("organization"),
    _key("source"),
    _number_key("start_hour"),
    _number("end_hour"),
    _number("observed_at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# ---------------------------------------------------------------------------------------------- directory and sources

# The name that the configuration has for each organization: "" for the one of [anthropic].
organizations = Table(
    "organizations",
    metadata,
    _key("id"),
    _words("label"),
    UniqueConstraint("label", name="uq_organizations_label"),
    sqlite_strict=True,
)

directory = Table(
    "directory",
    metadata,
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

directory_changes = Table(
    "directory_changes",
    metadata,
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

# What is asked for one by one, by `subject`, and whether it was `found` (null: the answer did not say).
lookups = Table(
    "lookups",
    metadata,
    _key("organization"),
    _key("subject"),
    _key("id"),
    _number("asked_at"),
    _number("found", nullable=True),
    sqlite_strict=True,
)

sources = Table(
    "sources",
    metadata,
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

# ---------------------------------------------------------------------------------------------- judgement and delivery

alerts = Table(
    "alerts",
    metadata,
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

transitions = Table(
    "transitions",
    metadata,
    _sequence(),
    Column("alert_id", Text, ForeignKey("alerts.id", name="fk_transitions_alert", ondelete="CASCADE"), nullable=False),
    _number("at"),
    _words("before", nullable=True),
    _words("after"),
    _words("why"),
    _number("silent"),
    Index("ix_transitions_alert_id", "alert_id"),
    sqlite_strict=True,
)

outbox = Table(
    "outbox",
    metadata,
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

deliveries = Table(
    "deliveries",
    metadata,
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

# What must outlive a restart, by name; "" is the organization of what holds for all of them.
cursor = Table("cursor", metadata, _key("organization"), _key("name"), _words("value"), sqlite_strict=True)

# ---------------------------------------------------------------------------------------------- people and their acts

journal = Table(
    "journal",
    metadata,
    _sequence(),
    _number("at"),
    _words("actor"),
    _words("what"),
    _words("details"),
    Index("ix_journal_at", "at"),
    sqlite_strict=True,
)

commands = Table(
    "commands",
    metadata,
    _sequence(),
    _number("at"),
    _words("actor"),
    _words("what"),
    _words("details"),
    _number("consumed_at", nullable=True),
    _words("outcome", nullable=True),
    sqlite_strict=True,
)
