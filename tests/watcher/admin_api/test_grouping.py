"""The ladder of groupings, and the memory of where on it the API was content."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from watcher.admin_api.grouping import LADDER, Grouping, GroupingMemory, coarser

NOW = datetime(2026, 11, 30, 22, tzinfo=UTC)


def test_key_workspace_and_model_are_on_every_rung() -> None:
    assert all({"api_key_id", "workspace_id", "model"} <= set(rung.dimensions) for rung in LADDER)


def test_the_ladder_begins_with_everything_a_day_a_page() -> None:
    everything = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo", "speed")
    assert LADDER[0] == Grouping(everything, 24)


def test_hours_are_given_up_before_keys_are_split_and_those_before_dimensions() -> None:
    assert [(rung.hours, rung.by_keys) for rung in LADDER[:6]] == [
        (24, False),
        (12, False),
        (6, False),
        (3, False),
        (1, False),
        (1, True),
    ]
    assert [rung.dimensions[3:] for rung in LADDER[::6]] == [
        ("service_tier", "context_window", "inference_geo", "speed"),
        ("service_tier", "context_window", "inference_geo"),
        ("service_tier", "context_window"),
        ("service_tier",),
        (),
    ]


def test_the_ladder_ends() -> None:
    rung, steps = 0, 0
    while (below := coarser(rung, "")) is not None:
        rung, steps = below, steps + 1
    assert steps == len(LADDER) - 1


@pytest.mark.parametrize(
    "reason", ["Unexpected value(s) `fast-mode-2026-02-01` for the `anthropic-beta` header", "Fast-Mode is not for you"]
)
def test_a_refusal_of_fast_mode_drops_speed_and_no_hour(reason: str) -> None:
    rung = coarser(0, reason)
    assert rung is not None
    assert LADDER[rung] == Grouping(LADDER[0].dimensions[:-1], 24)


def test_the_same_words_do_not_jump_where_speed_is_gone_already() -> None:
    assert coarser(6, "fast-mode") == 7


def test_what_worked_is_where_the_next_reading_begins() -> None:
    memory = GroupingMemory()
    memory.learn(3, NOW)
    assert memory.start(NOW + timedelta(hours=23)) == 3


def test_the_finest_is_tried_again_after_a_day() -> None:
    memory = GroupingMemory()
    memory.learn(3, NOW)
    memory.learn(3, NOW + timedelta(hours=20))
    assert memory.start(NOW + timedelta(days=1)) == 0
    memory.learn(3, NOW + timedelta(days=1))
    assert memory.start(NOW + timedelta(days=1, hours=23)) == 3


def test_without_a_now_what_worked_is_kept() -> None:
    memory = GroupingMemory()
    memory.learn(3, None)
    assert memory.start(None) == 3
    assert memory.start(NOW) == 3


def test_a_clock_that_was_set_back_does_not_keep_a_coarse_grouping() -> None:
    memory = GroupingMemory()
    memory.learn(3, NOW)
    assert memory.start(NOW - timedelta(days=30)) == 0


@pytest.mark.parametrize("rung", range(len(LADDER)))
def test_a_memory_survives_json(rung: int) -> None:
    memory = GroupingMemory(rung, NOW)
    assert GroupingMemory.from_json(json.loads(json.dumps(memory.to_json()))) == memory


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"dimensions": ["api_key_id"], "hours": 24, "by_keys": False, "learned_at": NOW.isoformat()},
        {"dimensions": None, "hours": "x", "by_keys": 3, "learned_at": NOW.isoformat()},
        {**GroupingMemory(4, NOW).to_json(), "learned_at": "2026-11-30T22:00:00"},
        {**GroupingMemory(4, NOW).to_json(), "learned_at": "yesterday"},
        {**GroupingMemory(4, NOW).to_json(), "learned_at": None},
        {**GroupingMemory(4, NOW).to_json(), "hours": 5},
    ],
)
def test_a_memory_that_is_not_understood_is_a_fresh_one(kept: dict[str, object]) -> None:
    assert GroupingMemory.from_json(kept) == GroupingMemory()
