"""The tables. Their history is in `migrations`; this is how they stand after the newest of them.

Those of what was reported are in `watcher.store.reported_tables`; all are imported from here.

Conventions: times as in `watcher.store.times`; money is BIGINT nano-dollars; what belongs to an organization carries
its id (usage through its series); SQLite tables are STRICT. Values that are only ever read whole (an alert, a
notification, an entry of the directory) are JSON beside the columns that queries need.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text, UniqueConstraint

from watcher.store.columns import counted, key, metadata, number, sequence, words
from watcher.store.reported_tables import (
    analytics_blocks,
    analytics_buckets,
    analytics_readings,
    claude_code_days,
    cost_blocks,
    cost_days,
    cost_lines,
    day_sums,
    held_buckets,
    leaves,
    request_blocks,
    revisions,
    series,
    usage_blocks,
    usage_buckets,
    usage_readings,
)

__all__ = [
    "actions",
    "alerts",
    "analytics_blocks",
    "analytics_buckets",
    "analytics_readings",
    "claude_code_days",
    "commands",
    "cost_blocks",
    "cost_days",
    "cost_lines",
    "cursor",
    "day_sums",
    "deliveries",
    "directory",
    "directory_changes",
    "groups",
    "held_buckets",
    "journal",
    "leaves",
    "lookups",
    "metadata",
    "organizations",
    "outbox",
    "protections",
    "request_blocks",
    "revisions",
    "series",
    "silences",
    "sources",
    "transitions",
    "usage_blocks",
    "usage_buckets",
    "usage_readings",
]


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

# `in_doubt` counts the tries that the receiver may have taken. `tried_at` is the last one that failed. A message stands
# for a receiver that fails since `failing_since_at`; and for itself alone, once another was taken after it failed.
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
    counted("in_doubt"),
    number("tried_at", nullable=True),
    number("failing_since_at", nullable=True),
    counted("own_fault"),
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

# Alerts that share messages to one receiver, by route.
groups = Table(
    "groups",
    metadata,
    key("organization"),
    key("id"),
    words("payload"),
    sqlite_strict=True,
)

# What nothing is to be sent of, until when.
silences = Table(
    "silences",
    metadata,
    key("organization"),
    key("id"),
    number("ends_at"),
    words("payload"),
    sqlite_strict=True,
)

# What people said of anomalies, one row an alert; until when it changes what is judged.
feedback = Table(
    "feedback",
    metadata,
    key("organization"),
    key("alert"),
    number("ends_at", nullable=True),
    words("payload"),
    sqlite_strict=True,
)

# Which Slack message tells of which alert: a row for each of its alerts, or one with "". Without `ts` as long as nobody
# knows whether it was posted; `thread` is the message that it answers, "" for none. `shown` is what it shows of what
# people said of the alert, and `wanted` what it is to show, where that is something else.
slack_messages = Table(
    "slack_messages",
    metadata,
    key("receiver"),
    key("notification"),
    key("alert"),
    number("at"),
    words("reason"),
    words("channel", nullable=True),
    words("ts", nullable=True),
    words("thread", nullable=True),
    words("shown", nullable=True),
    words("wanted", nullable=True),
    Index("ix_slack_messages_alert", "alert", "receiver"),
    Index("ix_slack_messages_wanted", "receiver", "wanted"),
    sqlite_strict=True,
)

# Decisions about keys: one row for each cause and key.
actions = Table(
    "actions",
    metadata,
    key("organization"),
    key("id"),
    words("cause"),
    words("api_key"),
    words("state"),
    number("created_at"),
    number("updated_at"),
    words("payload"),
    Index("ix_actions_state", "organization", "state"),
    sqlite_strict=True,
)

# Against what a glob of protection was held, and whether it took it; "(by hand)" is what somebody protected.
protections = Table(
    "protections",
    metadata,
    key("organization"),
    key("what"),
    key("id"),
    key("pattern"),
    number("taken"),
    number("at"),
    words("by"),
    sqlite_strict=True,
)
