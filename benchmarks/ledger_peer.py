"""The peer of decoding and storing: plain pydantic models and SQLAlchemy Core inserts, a row of the table a row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text, create_engine, event, func, insert, select


class CacheCreation(BaseModel):
    """Tokens written to the cache."""

    ephemeral_1h_input_tokens: int
    ephemeral_5m_input_tokens: int


class ServerToolUse(BaseModel):
    """Searches."""

    web_search_requests: int


class Result(BaseModel):
    """A row of the report."""

    api_key_id: str | None
    workspace_id: str | None
    model: str | None
    service_tier: str | None
    context_window: str | None
    inference_geo: str | None
    uncached_input_tokens: int
    cache_read_input_tokens: int
    cache_creation: CacheCreation
    output_tokens: int
    server_tool_use: ServerToolUse


class Bucket(BaseModel):
    """An hour of the report."""

    starting_at: datetime
    ending_at: datetime
    results: list[Result]


class Page(BaseModel):
    """A page of the report."""

    data: list[Bucket]
    has_more: bool
    next_page: str | None


_DIMENSIONS = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo")
_COUNTS = ("uncached", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_searches")

usage = Table(
    "usage",
    MetaData(),
    Column("hour", Integer, primary_key=True),
    *(Column(name, Text, primary_key=True) for name in _DIMENSIONS),
    *(Column(name, BigInteger) for name in _COUNTS),
)


def decode_and_store(bodies: Iterable[bytes], database: Path) -> int:
    """Read the pages into a new database, all in one transaction; returns how many rows it holds then."""
    engine = create_engine(f"sqlite:///{database}")

    @event.listens_for(engine, "connect")
    def prepare(connection: object, _record: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")  # type: ignore[attr-defined]
        connection.execute("PRAGMA synchronous = FULL")  # type: ignore[attr-defined]

    with engine.begin() as connection:
        usage.metadata.create_all(connection)
        for body in bodies:
            for bucket in Page.model_validate_json(body).data:
                connection.execute(insert(usage), [_row(bucket, result) for result in bucket.results])
        stored: int = connection.execute(select(func.count()).select_from(usage)).scalar_one()
    engine.dispose()
    return stored


def _row(bucket: Bucket, result: Result) -> dict[str, object]:
    return {
        "hour": int(bucket.starting_at.timestamp()) // 3600,
        **{name: getattr(result, name) for name in _DIMENSIONS},
        "uncached": result.uncached_input_tokens,
        "cache_read": result.cache_read_input_tokens,
        "cache_write_5m": result.cache_creation.ephemeral_5m_input_tokens,
        "cache_write_1h": result.cache_creation.ephemeral_1h_input_tokens,
        "output": result.output_tokens,
        "web_searches": result.server_tool_use.web_search_requests,
    }
