"""The tables. Their history is in `migrations`; this is how they stand after the newest of them.

Conventions: times as in `watcher.store.times`; money is BIGINT nano-dollars; what belongs to an organization carries
its id (usage through its series); SQLite tables are STRICT. Values that are only ever read whole (an alert, a
notification, an entry of the directory) are JSON beside the columns that queries need.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, MetaData, Table, Text, UniqueConstraint

from watcher.store.columns import big, key, number, number_key, sequence, words

metadata = MetaData()


# ---------------------------------------------------------------------------------------------- usage

series = Table(
    "series",
    metadata,
    Column("id", big(), primary_key=True, autoincrement=True),
    words("organization"),
    words("workspace"),
    words("api_key"),
    words("model"),
    words("service_tier"),
    words("context_window"),
    words("inference_geo"),
    words("speed"),
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
    key("organization"),
    number_key("hour"),
    Column("packed", LargeBinary, nullable=False),
    sqlite_strict=True,
)

usage_buckets = Table(
    "usage_buckets",
    metadata,
    key("organization"),
    number_key("hour"),
    Column("digest", LargeBinary, nullable=False),
    words("grouped_by"),
    number("row_count"),
    number("tokens"),
    number("first_observed_at"),
    number("changed_at"),
    number("revision"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# Stretches of hours and when each was read last: disjoint, so that a poll that finds nothing new writes one row.
usage_readings = Table(
    "usage_readings",
    metadata,
    key("organization"),
    number_key("start_hour"),
    number("end_hour"),
    number("observed_at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# Buckets whose newest readings are not believed. `accepted_at` is when the last reading that was believed was taken.
held_buckets = Table(
    "held_buckets",
    metadata,
    key("organization"),
    key("source"),
    number_key("bucket"),
    number("since_at"),
    number("observed_at"),
    number("accepted_at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

revisions = Table(
    "revisions",
    metadata,
    sequence(),
    words("organization"),
    words("source"),
    number("bucket"),
    number("previous_at"),
    number("observed_at"),
    number("before"),
    number("after"),
    number("moved"),
    Index("ix_revisions_observed", "organization", "source", "observed_at"),
    sqlite_strict=True,
)

# ---------------------------------------------------------------------------------------------- cost

cost_days = Table(
    "cost_days",
    metadata,
    key("organization"),
    number_key("day"),
    Column("digest", LargeBinary, nullable=False),
    number("amount"),
    number("row_count"),
    number("first_observed_at"),
    number("observed_at"),
    number("unchanged_since_at"),
    number("readings"),
    number("revision"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

cost_lines = Table(
    "cost_lines",
    metadata,
    sequence(),
    words("organization"),
    words("workspace_id", nullable=True),
    words("description", nullable=True),
    words("cost_type", nullable=True),
    words("model", nullable=True),
    words("service_tier", nullable=True),
    words("token_type", nullable=True),
    words("context_window", nullable=True),
    words("inference_geo", nullable=True),
    words("speed", nullable=True),
    Index("ix_cost_lines_organization", "organization"),
    sqlite_strict=True,
)

# The rows of a day's report, packed and in the order of the report: line id, nano-dollars.
cost_blocks = Table(
    "cost_blocks",
    metadata,
    key("organization"),
    number_key("day"),
    Column("packed", LargeBinary, nullable=False),
    sqlite_strict=True,
)

claude_code_days = Table(
    "claude_code_days",
    metadata,
    key("organization"),
    number_key("day"),
    words("payload"),
    number("observed_at"),
    number("changed_at"),
    sqlite_strict=True,
)

# ---------------------------------------------------------------------------------------------- analytics

# The rows of an hour, packed: series id, and nano-dollars of uncached_input, cache_read, cache_write_5m,
# cache_write_1h, output, web_searches and other.
analytics_blocks = Table(
    "analytics_blocks",
    metadata,
    key("organization"),
    number_key("hour"),
    Column("packed", LargeBinary, nullable=False),
    sqlite_strict=True,
)

analytics_buckets = Table(
    "analytics_buckets",
    metadata,
    key("organization"),
    number_key("hour"),
    Column("digest", LargeBinary, nullable=False),
    number("amount"),
    number("row_count"),
    number("first_observed_at"),
    number("observed_at"),
    number("unchanged_since_at"),
    number("readings"),
    number("revision"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# Which hours of which report were asked for when by the clock, in stretches as `usage_readings` has them.
analytics_readings = Table(
    "analytics_readings",
    metadata,
    key("organization"),
    key("source"),
    number_key("start_hour"),
    number("end_hour"),
    number("observed_at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# ---------------------------------------------------------------------------------------------- days added up

leaves = Table(
    "leaves",
    metadata,
    sequence(),
    words("organization"),
    words("workspace"),
    words("api_key"),
    words("model"),
    words("service_tier"),
    UniqueConstraint("organization", "workspace", "api_key", "model", "service_tier", name="uq_leaves_dimensions"),
    sqlite_strict=True,
)

# What a whole day came to, packed by leaf (`watcher.store.day_sums`), and the digests of what it was made from.
day_sums = Table(
    "day_sums",
    metadata,
    key("organization"),
    number_key("day"),
    Column("made_from", LargeBinary, nullable=False),
    Column("prices", LargeBinary, nullable=False),
    words("lesson", nullable=True),
    words("unpriced"),
    Column("packed", LargeBinary, nullable=False),
    sqlite_strict=True,
)

# ---------------------------------------------------------------------------------------------- directory and sources

# The name that the configuration has for each organization: "" for the one of [anthropic].
organizations = Table(
    "organizations",
    metadata,
    key("id"),
    words("label"),
    UniqueConstraint("label", name="uq_organizations_label"),
    sqlite_strict=True,
)

directory = Table(
    "directory",
    metadata,
    key("organization"),
    key("kind"),
    key("id"),
    words("name"),
    words("status"),
    number("listed"),
    number("first_seen_at"),
    number("last_seen_at"),
    words("payload"),
    sqlite_strict=True,
)

directory_changes = Table(
    "directory_changes",
    metadata,
    sequence(),
    words("organization"),
    words("kind"),
    words("subject"),
    words("field"),
    words("before", nullable=True),
    words("after", nullable=True),
    number("last_seen_before_at"),
    number("observed_at"),
    Index("ix_directory_changes_subject", "organization", "kind", "subject"),
    sqlite_strict=True,
)

# What is asked for one by one, by `subject`, and whether it was `found` (null: the answer did not say).
lookups = Table(
    "lookups",
    metadata,
    key("organization"),
    key("subject"),
    key("id"),
    number("asked_at"),
    number("found", nullable=True),
    sqlite_strict=True,
)

sources = Table(
    "sources",
    metadata,
    key("organization"),
    key("source"),
    number("offered", nullable=True),
    number("watermark_at", nullable=True),
    number("last_attempt_at", nullable=True),
    number("last_success_at", nullable=True),
    number("failing_since_at", nullable=True),
    words("failure", nullable=True),
    number("stalled_since_at", nullable=True),
    sqlite_strict=True,
)

# ---------------------------------------------------------------------------------------------- judgement and delivery

alerts = Table(
    "alerts",
    metadata,
    key("id"),
    words("organization"),
    words("fingerprint"),
    words("kind"),
    words("rule"),
    words("state"),
    words("severity"),
    number("starts_at"),
    number("ends_at", nullable=True),
    number("closes_at", nullable=True),
    words("payload"),
    Index("ix_alerts_fingerprint", "fingerprint"),
    Index("ix_alerts_starts_at", "starts_at"),
    Index("ix_alerts_state", "state"),
    sqlite_strict=True,
)

transitions = Table(
    "transitions",
    metadata,
    sequence(),
    Column("alert_id", Text, ForeignKey("alerts.id", name="fk_transitions_alert", ondelete="CASCADE"), nullable=False),
    number("at"),
    words("before", nullable=True),
    words("after"),
    words("why"),
    number("silent"),
    Index("ix_transitions_alert_id", "alert_id"),
    sqlite_strict=True,
)

outbox = Table(
    "outbox",
    metadata,
    sequence("sequence"),
    words("id"),
    words("receiver"),
    words("reason"),
    number("created_at"),
    words("alert_ids"),
    words("payload"),
    number("attempts"),
    number("due_at"),
    words("last_error", nullable=True),
    number("delivered_at", nullable=True),
    UniqueConstraint("id", name="uq_outbox_id"),
    Index("ix_outbox_waiting", "delivered_at", "receiver", "sequence"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    sequence(),
    Column(
        "notification_id",
        Text,
        ForeignKey("outbox.id", name="fk_deliveries_notification", ondelete="CASCADE"),
        nullable=False,
    ),
    number("at"),
    words("error", nullable=True),
    Index("ix_deliveries_notification_id", "notification_id"),
    sqlite_strict=True,
)

# What must outlive a restart, by name; "" is the organization of what holds for all of them.
cursor = Table("cursor", metadata, key("organization"), key("name"), words("value"), sqlite_strict=True)

# ---------------------------------------------------------------------------------------------- people and their acts

journal = Table(
    "journal",
    metadata,
    sequence(),
    number("at"),
    words("actor"),
    words("what"),
    words("details"),
    Index("ix_journal_at", "at"),
    sqlite_strict=True,
)

commands = Table(
    "commands",
    metadata,
    sequence(),
    number("at"),
    words("actor"),
    words("what"),
    words("details"),
    number("consumed_at", nullable=True),
    words("outcome", nullable=True),
    sqlite_strict=True,
)
