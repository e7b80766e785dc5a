"""Usage rows, from bytes to sums."""

import json
import time
import tracemalloc

import pytest

from watcher.admin_api.decoding import usage_page
from watcher.admin_api.wire import WireError

HOUR = {"starting_at": "2026-11-01T00:00:00Z", "ending_at": "2026-11-01T01:00:00Z"}


def read(*results: dict[str, object]):
    body = json.dumps({"data": [{**HOUR, "results": list(results)}], "has_more": False}).encode()
    return usage_page(("model",))(body).items[0].rows


def test_every_kind_of_token_lands_in_its_own_count() -> None:
    (row,) = read(
        {
            "api_key_id": "k", "workspace_id": "w", "model": "m", "service_tier": "batch", "context_window": "0-200k",
            "inference_geo": "us", "speed": "fast", "account_id": "a", "service_account_id": None,
            "uncached_input_tokens": 1, "cache_read_input_tokens": 2, "output_tokens": 5,
            "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
            "server_tool_use": {"web_search_requests": 6},
        }
    )  # fmt: skip
    assert row == ("k", "w", "m", "batch", "0-200k", "us", "fast", 1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"cache_creation": None, "server_tool_use": None, "output_tokens": None},
        {"cache_creation": {}, "server_tool_use": {"web_search_requests": None}},
        {"cache_creation": {"ephemeral_24h_input_tokens": 5}, "something_new": [1]},
    ],
)
def test_counts_that_are_null_or_missing_are_zero(result: dict[str, object]) -> None:
    assert read(result) == ((None,) * 7 + (0,) * 6,)


def test_rows_that_share_all_dimensions_are_added() -> None:
    rows = read(
        {"model": "m", "output_tokens": 1, "account_id": "a"},
        {"model": "m", "output_tokens": 2, "uncached_input_tokens": 7, "account_id": "b"},
        {"model": None, "output_tokens": 4},
    )
    assert [(row.model, row.output, row.uncached_input) for row in rows] == [("m", 3, 7), (None, 4, 0)]


@pytest.mark.parametrize(
    ("result", "place"),
    [
        ({"output_tokens": -1}, "data[0].results[0].output_tokens"),
        ({"output_tokens": 1.5}, "data[0].results[0].output_tokens"),
        ({"output_tokens": 10**12 + 1}, "data[0].results[0].output_tokens"),
        ({"output_tokens": "many"}, "data[0].results[0].output_tokens"),
        ({"cache_creation": {"ephemeral_5m_input_tokens": -1}}, "cache_creation.ephemeral_5m_input_tokens"),
        ({"server_tool_use": {"web_search_requests": 10**9 + 1}}, "server_tool_use.web_search_requests"),
        ({"model": 5}, "data[0].results[0].model"),
    ],
)
def test_a_count_that_is_none_is_refused_by_its_place(result: dict[str, object], place: str) -> None:
    with pytest.raises(WireError) as refused:
        read(result)
    assert place in str(refused.value)
    assert not refused.value.cut


def test_rows_that_are_each_possible_and_no_hour_together_are_refused_by_their_place() -> None:
    many = [{"model": str(number), "output_tokens": 10**11} for number in range(11)]
    assert len(read(*many[:10])) == 10
    with pytest.raises(WireError, match=r"^data\[0\].results: more than 10\*\*12 tokens in one hour$"):
        read(*many)
    searches = [{"model": str(number), "server_tool_use": {"web_search_requests": 10**9}} for number in range(2)]
    with pytest.raises(WireError, match=r"^data\[0\].results: more than 10\*\*9 web searches in one hour$"):
        read(*searches)


def test_however_much_is_wrong_only_the_first_complaint_is_made_and_told() -> None:
    body = json.dumps({"data": [1] * 500_000, "has_more": False}).encode()
    tracemalloc.start()
    with pytest.raises(WireError, match=r"^data\[0\]: not an object$"):
        usage_page(())(body)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50 * len(body)


@pytest.mark.parametrize("body", [b"", b"{", b'{"data": [', b"null trailing", b"\xff\xfe"])
def test_json_that_is_cut_says_so(body: bytes) -> None:
    with pytest.raises(WireError) as refused:
        usage_page(())(body)
    assert refused.value.cut


@pytest.mark.parametrize("body", [b"null", b"[]", b"5", b'"text"'])
def test_whole_json_of_another_shape_is_not_taken_for_cut(body: bytes) -> None:
    with pytest.raises(WireError) as refused:
        usage_page(())(body)
    assert not refused.value.cut


def test_a_large_page_decodes_at_fifty_thousand_rows_a_second_or_more() -> None:
    results = [
        {
            "api_key_id": f"apikey_{number}", "workspace_id": "wrkspc_1", "model": "claude-opus-5",
            "service_tier": "standard", "context_window": "0-200k", "inference_geo": "global", "speed": None,
            "uncached_input_tokens": number, "cache_read_input_tokens": number, "output_tokens": number,
            "cache_creation": {"ephemeral_5m_input_tokens": number, "ephemeral_1h_input_tokens": 0},
            "server_tool_use": {"web_search_requests": 0},
        }
        for number in range(12_000)
    ]  # fmt: skip
    body = json.dumps({"data": [{**HOUR, "results": results}], "has_more": False}).encode()
    decode = usage_page(())
    seconds = []
    for _ in range(4):
        began = time.thread_time()  # what this thread itself used: other work on the machine does not count
        decode(body)
        seconds.append(time.thread_time() - began)
    # Four to five times this on a machine of 2024: what is guarded here is the order of magnitude.
    assert 12_000 / min(seconds) > 50_000
