"""What a database and a receiver are left with, read without the program's own store."""

from __future__ import annotations

import json
import re
import sqlite3
import struct
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.crash.receiver import Request
from tests.crash.stage import Plot

Row = tuple[Any, ...]

_REQUEST_ID = re.compile(r"req_\w+")
"""The simulator counts its requests, and a life that was cut off made some more: the one thing that may differ."""

_STATE = {
    "usage": """
        SELECT hour, organization, workspace, api_key, model, service_tier, context_window, inference_geo, speed,
               uncached_input, cache_read, cache_write_5m, cache_write_1h, output, web_searches
        FROM unpacked_usage JOIN series ON series.id = unpacked_usage.series""",
    "buckets": "SELECT * FROM usage_buckets",
    "readings": """
        WITH RECURSIVE each_hour(hour, end_hour, observed_at) AS (
            SELECT start_hour, end_hour, observed_at FROM usage_readings
            UNION ALL SELECT hour + 1, end_hour, observed_at FROM each_hour WHERE hour + 1 < end_hour)
        SELECT hour, observed_at FROM each_hour""",
    "held": "SELECT * FROM held_buckets",
    "revisions": "SELECT organization, source, bucket, previous_at, observed_at, before, after, moved FROM revisions",
    "cost days": """
        SELECT organization, day, digest, amount, row_count, first_observed_at, observed_at, revision
        FROM cost_days""",
    "cost rows": """
        SELECT organization, day, position, workspace_id, description, cost_type, model, service_tier, token_type,
               context_window, inference_geo, speed, amount
        FROM unpacked_costs JOIN cost_lines ON cost_lines.id = unpacked_costs.line""",
    "Claude Code": "SELECT * FROM claude_code_days",
    "directory": "SELECT * FROM directory",
    "sources": "SELECT * FROM sources",
    "alerts": "SELECT * FROM alerts",
    "transitions": "SELECT alert_id, at, before, after, why, silent FROM transitions",
    "outbox": "SELECT id, receiver, reason, created_at, alert_ids, payload, delivered_at IS NOT NULL FROM outbox",
    "cursor": "SELECT name, value FROM cursor WHERE name NOT IN ('pruned_at', 'usage_grouping')",
}


def _connect(database: Path) -> sqlite3.Connection:
    """A reader of the database that also has its packed usage and costs as rows."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.execute(
        "CREATE TEMP TABLE unpacked_usage (hour, series, uncached_input, cache_read, cache_write_5m, cache_write_1h, "
        "output, web_searches)"
    )
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'usage_blocks'").fetchone():
        for hour, packed in connection.execute("SELECT hour, packed FROM usage_blocks").fetchall():
            rows = [(hour, *row) for row in _unpacked(packed)]
            connection.executemany("INSERT INTO unpacked_usage VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.execute("CREATE TEMP TABLE unpacked_costs (day, position, line, amount)")
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'cost_blocks'").fetchone():
        for day, packed in connection.execute("SELECT day, packed FROM cost_blocks").fetchall():
            rows = [(day, position, *row) for position, row in enumerate(_unpacked(packed))]
            connection.executemany("INSERT INTO unpacked_costs VALUES (?, ?, ?, ?)", rows)
    return connection


def _unpacked(packed: bytes) -> Iterable[Row]:
    """The rows of a packed hour, as `watcher.store.packing` says that they are laid out."""
    _, width, rows = struct.unpack_from("<BBI", packed)
    sizes, at = packed[6 : 6 + width], 6 + width
    columns = []
    for size in sizes:
        columns.append(struct.unpack_from(f"<{rows}{dict(zip((1, 2, 4, 8), 'bhiq', strict=True))[size]}", packed, at))
        at += rows * size
    return zip(*columns, strict=True)


def state_of(database: Path) -> dict[str, list[str]]:
    """All that a database knows and has decided, in an order of its own; how often a message was tried is not in it."""
    with closing(_connect(database)) as connection:
        return {
            name: sorted(_REQUEST_ID.sub("", repr(row)) for row in connection.execute(query))
            for name, query in _STATE.items()
        }


def damage(database: Path) -> list[str]:
    """What is broken, or half there, in a database; empty where nothing is. One without tables yet is whole."""
    if not database.exists():
        return []
    with closing(_connect(database)) as connection:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        found += [f"dangling reference: {row}" for row in connection.execute("PRAGMA foreign_key_check")]
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables:
            for what, query in _CONTRADICTIONS.items():
                found += [f"{what}: {row}" for row in connection.execute(query)]
    return found


_CONTRADICTIONS = {
    "an hour whose rows are not those it was stored with": """
        SELECT bucket.hour, bucket.row_count, count(used.hour), bucket.tokens, total(
            uncached_input + cache_read + cache_write_5m + cache_write_1h + output)
        FROM usage_buckets AS bucket LEFT JOIN unpacked_usage AS used ON used.hour = bucket.hour
        GROUP BY bucket.hour
        HAVING bucket.row_count != count(used.hour)
            OR bucket.tokens != total(uncached_input + cache_read + cache_write_5m + cache_write_1h + output)""",
    "rows of an hour that is not stored": """
        SELECT DISTINCT hour FROM usage_blocks WHERE hour NOT IN (SELECT hour FROM usage_buckets)""",
    "an hour that no reading covers": """
        SELECT hour FROM usage_buckets WHERE NOT EXISTS (
            SELECT 1 FROM usage_readings WHERE start_hour <= hour AND hour < end_hour)""",
    "a day whose rows are not those it was stored with": """
        SELECT bucket.day, bucket.row_count, count(line.day), bucket.amount, total(line.amount)
        FROM cost_days AS bucket LEFT JOIN unpacked_costs AS line ON line.day = bucket.day
        GROUP BY bucket.day HAVING bucket.row_count != count(line.day) OR bucket.amount != total(line.amount)""",
    "an alert whose state is not that of its last transition": """
        SELECT id, state FROM alerts WHERE state IS NOT (
            SELECT after FROM transitions WHERE alert_id = alerts.id ORDER BY transitions.id DESC LIMIT 1)""",
    "a message about an alert that is not there": """
        SELECT outbox.id FROM outbox, json_each(outbox.alert_ids) AS told
        WHERE told.value NOT IN (SELECT id FROM alerts)""",
    "a message that is marked without a try that succeeded": """
        SELECT id FROM outbox WHERE delivered_at IS NOT NULL
            AND id NOT IN (SELECT notification_id FROM deliveries WHERE error IS NULL)""",
}


def lost(database: Path, requests: Iterable[Request]) -> list[tuple[str, str]]:
    """States that were reached, were not superseded, and are named in no message that was taken: (alert, state).

    What is told inside another alert's message, closes silently, or was folded into a higher threshold, is not owed.
    """
    named = {
        (alert["id"], alert["state"])
        for request in requests
        if request.accepted
        for alert in (*request.body["alerts"], *request.body["inhibited"])
    }
    with closing(_connect(database)) as connection:
        reached = connection.execute(
            """SELECT alert_id, after, payload FROM transitions JOIN alerts ON alerts.id = alert_id
            WHERE silent = 0 AND after IN ('firing', 'resolved')
                AND transitions.id = (SELECT max(id) FROM transitions AS newest WHERE newest.alert_id = alerts.id)"""
        ).fetchall()
    owed = [(ident, after) for ident, after, payload in reached if json.loads(payload)["inhibited_by"] is None]
    return [state for state in owed if state not in named]


def told(requests: Iterable[Request]) -> dict[str, str]:
    """The messages that were taken, by id, in the order of their first arrival."""
    messages: dict[str, str] = {}
    for request in requests:
        if request.accepted:
            messages.setdefault(request.body["id"], _text(request.body))
    return messages


def contradicted(requests: Iterable[Request]) -> list[str]:
    """The ids of messages that came with two different contents."""
    seen: dict[str, set[str]] = {}
    for request in requests:
        seen.setdefault(request.body["id"], set()).add(json.dumps(request.body, sort_keys=True))
    return [ident for ident, contents in seen.items() if len(contents) > 1]


def out_of_order(requests: Iterable[Request]) -> list[str]:
    """The ids of alerts whose end was told before their beginning."""
    began: set[str] = set()
    found: list[str] = []
    for request in requests:
        for alert in (*request.body["alerts"], *request.body["inhibited"]):
            if alert["state"] == "firing" and request.accepted:
                began.add(alert["id"])
            elif alert["state"] == "resolved" and alert["id"] not in began:
                found.append(alert["id"])
    return found


def _text(body: Mapping[str, Any]) -> str:
    return _REQUEST_ID.sub("", json.dumps(body, sort_keys=True))


def difference(one: Mapping[str, list[str]], other: Mapping[str, list[str]]) -> dict[str, tuple[list[str], list[str]]]:
    """What only the one state has, and what only the other, for each part in which they differ."""
    return {
        part: (sorted(set(one[part]) - set(other[part])), sorted(set(other[part]) - set(one[part])))
        for part in one
        if one[part] != other[part]
    }


def check_against(reference: Plot, plot: Plot) -> None:
    """Fail unless what many lives have left behind is what one undisturbed life leaves behind."""
    assert damage(plot.database) == []
    assert difference(state_of(reference.database), state_of(plot.database)) == {}
    assert told(plot.requests) == told(reference.requests)
    assert contradicted(plot.requests) == []
    assert out_of_order(plot.requests) == []
    assert lost(plot.database, plot.requests) == []
