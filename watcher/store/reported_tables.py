"""The tables of what was reported, by hour and by day, and of what its days added up to.

The words and units of `watcher.store.tables` hold here too.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, UniqueConstraint

from watcher.store.columns import big, key, metadata, number, number_key, sequence, words

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

# The rows of an hour that told its requests, packed: series id and requests.
request_blocks = Table(
    "request_blocks",
    metadata,
    key("organization"),
    number_key("hour"),
    number("observed_at"),
    Column("packed", LargeBinary, nullable=False),
    sqlite_strict=True,
)
