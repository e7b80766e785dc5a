"""Spend by family, tier, user and tag, and of a part of the organization: nothing lost, nothing counted twice."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.model import CONSOLE, DIMENSIONS, UNATTRIBUTED, UNKNOWN, UNTAGGED, Dimension
from watcher.admin_api.answers import ApiKey, CostBucket, CostRow, UsageBucket, UsageRow, User, Workspace
from watcher.ledger import SpendReport, spend_report
from watcher.ledger.spend_csv import spend_csv
from watcher.ledger.spend_json import spend_json
from watcher.pricing import PriceBook
from watcher.store import Store

ORG = "org_1"
NOW = datetime(2026, 11, 20, 10, 37, tzinfo=UTC)
TODAY = datetime(2026, 11, 20, tzinfo=UTC)
MONTH = datetime(2026, 11, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OPUS, OTHER_OPUS, HAIKU = "claude-opus-5-5", "claude-opus-4-5-20251101", "claude-haiku-4-5"
GROUPED = ("api_key_id", "workspace_id", "model", "service_tier")


def key(ident: str, name: str, workspace: str, owner: str | None) -> ApiKey:
    return ApiKey(ident, name, "active", workspace, False, MONTH, owner, None, None, None)


def use(key_id: str | None, workspace: str | None, model: str, tier: str | None, tokens: int) -> UsageRow:
    return UsageRow(key_id, workspace, model, tier, "0-200k", "global", None, tokens, 0, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path: Path = tmp_path_factory.mktemp("spend") / "watcher.db"
    with Store.open(f"sqlite:///{path}") as opened:
        fill(opened)
        yield opened


def fill(store: Store) -> None:
    keys = [key("key_1", "ci", "w1", "u1"), key("key_2", "batch", "w2", "u2"), key("key_3", "old", "w2", None)]
    store.directory.record_api_keys(ORG, keys, NOW)
    store.directory.record_users(ORG, [User("u1", "Ada", "ada@team.example", "developer", MONTH)], NOW)
    tagged = {"team": "platform", "cost": "=1+1"}
    workspaces = [Workspace("w1", "prod", MONTH, None, tagged), Workspace("w2", "dev", MONTH, None, {"team": "search"})]
    store.directory.record_workspaces(ORG, workspaces, NOW)
    rows = (
        use("key_1", "w1", OPUS, "standard", 1_000_000),
        use("key_1", "w1", HAIKU, "batch", 2_000_000),
        use("key_2", "w2", OTHER_OPUS, "batch", 3_000_000),
        use("key_3", "w2", HAIKU, None, 4_000_000),
        use("never_listed", "w2", HAIKU, "standard", 5_000_000),
        use(None, None, OPUS, "standard", 6_000_000),
    )
    for hour in (TODAY + 2 * HOUR, TODAY + 9 * HOUR, TODAY - 6 * DAY):
        store.usage.replace(ORG, [UsageBucket(hour, hour + HOUR, GROUPED, rows)], NOW)
    begin = TODAY - 6 * DAY
    costs = [
        CostRow("w1", "a line", "tokens", OPUS, "standard", "uncached_input_tokens", "0-200k", "global", None, 10**10),
        CostRow("w1", "a line", "code_execution", None, None, None, None, None, None, 10**9),
    ]
    store.costs.replace(ORG, [CostBucket(begin, begin + DAY, tuple(costs))], NOW)
    # The key is called something else by now, and archived; the other is no longer listed at all.
    renamed = ApiKey("key_1", "continuous", "archived", "w1", False, MONTH, "u1", None, None, None)
    store.directory.record_api_keys(ORG, [renamed, keys[2]], NOW)


def ask(store: Store, *by: Dimension, where: tuple[tuple[str, str], ...] = (), compare: bool = False) -> SpendReport:
    start = TODAY if compare else MONTH
    return spend_report(store, PriceBook(), ORG, by, start, NOW, "total", NOW, where=where, compare=compare)


def tokens(report: SpendReport) -> dict[str, int]:
    """Millions of tokens by the values of a row."""
    return {"+".join(value for _, value in row.parts): sum(row.tokens) // 1_000_000 for row in report.rows}


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("model_family", {"opus": 30, "haiku": 33, UNATTRIBUTED: 0}),
        ("service_tier", {"standard": 36, "batch": 15, UNKNOWN: 12, UNATTRIBUTED: 0}),
        ("user", {"u1": 9, "u2": 9, UNKNOWN: 27, CONSOLE: 18, UNATTRIBUTED: 0}),
        ("tag:team", {"platform": 9, "search": 36, UNTAGGED: 18}),
    ],
)
def test_spend_is_broken_down_by_every_dimension(store: Store, by: Dimension, expected: dict[str, int]) -> None:
    assert tokens(ask(store, by)) == expected


dimension_lists = st.lists(st.sampled_from([*DIMENSIONS, "tag:team", "tag:cost"]), unique=True, max_size=4)


@settings(max_examples=12, deadline=None)
@given(dimension_lists)
def test_rows_add_up_to_the_same_total_by_whatever_dimensions(store: Store, by: list[Dimension]) -> None:
    report = ask(store, *by)
    for figure in ("settled", "provisional", "estimated", "cost"):
        assert sum(getattr(row, figure) for row in report.rows) == getattr(report.total, figure)
    assert report.total == ask(store).total
    assert len({row.parts for row in report.rows}) == len(report.rows)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from([*DIMENSIONS, "tag:team"]), dimension_lists)
def test_the_parts_that_conditions_take_add_up_to_the_whole(store: Store, word: Dimension, by: list[Dimension]) -> None:
    values = [row.of(word) or "" for row in ask(store, word).rows]
    parts = [ask(store, *by, where=((word, value),)) for value in values]
    assert sum(part.total.cost for part in parts) == ask(store).total.cost
    together = ask(store, *by, where=tuple((word, value) for value in values))
    assert (together.total, together.rows) == (ask(store).total, ask(store, *by).rows)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ((("workspace", "prod*"),), {"key_1": 9, UNATTRIBUTED: 0}),
        ((("user", "*@team.example"),), {"key_1": 9}),
        ((("model_family", "haiku"), ("service_tier", "batch")), {"key_1": 6}),
        ((("api_key", "ci"),), {}),
        ((("api_key", "continuous"),), {"key_1": 9}),
        ((("api_key", "batch"), ("api_key", "old")), {"key_2": 9, "key_3": 12}),
        ((("tag", "team=platform"), ("tag", "team=search"), ("tag", "cost=*")), {"key_1": 9, UNATTRIBUTED: 0}),
        ((("tag:team", "(none)"),), {CONSOLE: 18}),
        ((("api_key", "nobody"),), {}),
    ],
)
def test_a_part_of_the_spend_is_asked_for(
    store: Store, where: tuple[tuple[str, str], ...], expected: dict[str, int]
) -> None:
    report = ask(store, "api_key", where=where)
    assert tokens(report) == expected
    assert report.total.cost == sum(row.cost for row in report.rows)


def test_the_window_before_is_that_of_the_part_too(store: Store) -> None:
    whole = ask(store, "model_family", compare=True)
    part = ask(store, "model_family", where=(("user", "ada"),), compare=True)
    assert part.previous is not None
    assert part.previous.cost == 0
    assert part.trend == whole.trend
    assert sum(part.total.trend) == part.total.cost < whole.total.cost


def test_a_key_that_was_renamed_archived_or_unlisted_keeps_its_history_and_its_name(store: Store) -> None:
    names = {row["api_key"]: row["api_key_name"] for row in spend_json(ask(store, "api_key"))["rows"]}
    assert names["key_1"] == "continuous"
    assert names["key_2"] == "batch"
    assert names["never_listed"] is None
    assert tokens(ask(store, "api_key"))["key_1"] == 9


def test_json_has_a_field_for_every_dimension_and_says_what_a_null_is(store: Store) -> None:
    rows = spend_json(ask(store, "user", "tag:team"))["rows"]
    shown = [(row["user"], row["user_name"], row["user_email"], row["tag:team"], row.get("kind")) for row in rows]
    assert set(shown) == {
        ("u1", "Ada", "ada@team.example", "platform", None),
        ("u2", None, None, "search", None),
        (None, None, None, "search", "unknown"),
        (None, None, None, None, "console"),
        (None, None, None, "platform", "unattributed"),
    }
    assert {row.get("kind") for row in spend_json(ask(store, "tag:cost"))["rows"]} == {None, "untagged"}
    document = spend_json(ask(store, "model_family", where=(("tag", "team=platform"), ("user", "ada"))))
    assert document["where"] == ["tag=team=platform", "user=ada"]
    assert "where" not in spend_json(ask(store, "user"))


def test_csv_has_the_same_columns_and_defuses_what_owners_write_into_tags(store: Store) -> None:
    by: tuple[Dimension, ...] = ("model_family", "service_tier", "user", "tag:cost")
    lines = list(csv.DictReader(io.StringIO(spend_csv(ask(store, *by)))))
    assert list(lines[0])[:7] == ["model_family", "service_tier", "user", "user_name", "user_email", "tag:cost", "kind"]
    assert {line["tag:cost"] for line in lines} == {"'=1+1", ""}
    assert len(lines) == len(ask(store, *by).rows)
