"""Pages of the usage report as the wire has them, for as many series and hours as asked."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

GROUPED_BY = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo")
FIRST_HOUR = datetime(2026, 11, 19, tzinfo=UTC)

_MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-4-6", "claude-sonnet-4-5")
_ROW = (
    '{"api_key_id":"apikey_01%022d","workspace_id":"wrkspc_01%022d","model":"%s","service_tier":"standard",'
    '"context_window":"0-200k","inference_geo":"global","account_id":null,"service_account_id":null,'
    '"uncached_input_tokens":%d,"cache_read_input_tokens":%d,"cache_creation":{"ephemeral_1h_input_tokens":%d,'
    '"ephemeral_5m_input_tokens":%d},"output_tokens":%d,"server_tool_use":{"web_search_requests":%d}}'
)


def usage_bodies(series: int, hours: int, seed: int = 1) -> Iterator[bytes]:
    """One page an hour: `series` rows, each of another key and model, with counts of their own."""
    chance = random.Random(seed)
    for number in range(hours):
        begins = FIRST_HOUR + number * timedelta(hours=1)
        rows = ",".join(_row(which, chance) for which in range(series))
        yield (
            f'{{"data":[{{"starting_at":"{_text(begins)}","ending_at":"{_text(begins + timedelta(hours=1))}",'
            f'"results":[{rows}]}}],"has_more":false,"next_page":null}}'
        ).encode()


def _row(which: int, chance: random.Random) -> str:
    key, model = divmod(which, len(_MODELS))
    counts = (chance.randrange(10**6), chance.randrange(10**6), chance.randrange(10**5), chance.randrange(10**5))
    return _ROW % (key, key % 50, _MODELS[model], *counts, chance.randrange(10**5), chance.randrange(3))


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
