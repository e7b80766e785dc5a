"""Claude Code's figures: kinds of customer apart, actors resolved where they are one, nothing lost or counted twice."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tests.watcher.store.samples import DAY, HOUR, ORG, T0, api_key, claude_code_row
from watcher.admin_api.answers import ClaudeCodeModel, ClaudeCodeRow, User
from watcher.claude_code import DIMENSIONS, By, Report, claude_code_report
from watcher.claude_code.forms import to_csv, to_json
from watcher.cli.claude_code_table import show
from watcher.store import Store

TODAY = T0.date()
NOW = T0 + 12 * HOUR
DOLLAR = 10**9
WORK = ("sessions", "lines_added", "lines_removed", "commits", "pull_requests")
HOSTILE = ["=cmd()", "[bold]x[/]", "a\x1b[31mb", "x" * 300, "漢字" * 60, "a\u202eb", "line\nbreak", ""]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as opened:
        yield opened


def keep(store: Store, *rows: ClaudeCodeRow) -> None:
    for day in {row.day for row in rows}:
        store.claude_code.replace(ORG, day, [row for row in rows if row.day == day], NOW)


def report(store: Store, *by: By, days: int = 1, top: int | None = None) -> Report:
    start = TODAY - (days - 1) * DAY
    return claude_code_report(store, ORG, by or ("user",), start, TODAY + DAY, NOW, top=top)


def shown(found: Report, width: int = 80) -> str:
    out = io.StringIO()
    show(found, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def subscription(day: date = TODAY, actor: str = "ann@example.com", **other: object) -> ClaudeCodeRow:
    return claude_code_row(day, actor, customer_type="subscription", subscription_type="team", **other)


def test_what_the_api_bills_and_what_subscriptions_hold_are_never_one_figure(store: Store) -> None:
    keep(store, claude_code_row(TODAY), subscription(sessions=5), claude_code_row(TODAY, customer_type="barter"))
    found = report(store)
    assert [(each.customer_type, each.total.sessions) for each in found.sections] == [
        ("api", 1),
        ("subscription", 5),
        ("barter", 1),
    ]
    assert {each.total.estimated for each in found.sections} == {2 * DOLLAR}
    document = to_json(found)
    assert "total" not in document
    assert "6" not in json.dumps([each["total"]["estimated_usd"] for each in document["customer_types"]])
    text = shown(found)
    assert "Subscription: held by subscriptions: what the provider estimates" in text
    assert "not money billed" in text
    assert "$4.00" not in text
    assert "$6.00" not in text


def test_rows_that_do_not_tell_their_kind_of_customer_are_apart_too(store: Store) -> None:
    keep(store, claude_code_row(TODAY), claude_code_row(TODAY, customer_type=None))
    assert [each.customer_type for each in report(store).sections] == ["api", "unknown"]


def test_one_person_s_terminals_and_remote_machines_are_one_row(store: Store) -> None:
    keep(
        store,
        claude_code_row(TODAY),
        claude_code_row(TODAY, terminal_type="tmux"),
        claude_code_row(TODAY, is_remote=True),
    )
    (section,) = report(store).sections
    (row,) = section.rows
    assert (row.figures.sessions, row.figures.lines_added, row.figures.estimated) == (3, 30, 6 * DOLLAR)


def test_people_are_found_by_their_address_and_keys_by_their_name_where_it_is_one(store: Store) -> None:
    store.directory.record_users(ORG, [User("user_1", "Ann", "Ann@Example.com", "user", T0)], T0)
    store.directory.record_api_keys(
        ORG, [api_key("key_1", "ci"), api_key("key_2", "twin"), api_key("key_3", "twin"), api_key("key_4", "old")], T0
    )
    store.directory.record_api_keys(
        ORG, [api_key(f"key_{n}", "ci" if n == 1 else "twin") for n in (1, 2, 3)], T0 + HOUR
    )
    machines = [claude_code_row(TODAY, name, actor_kind="api_key") for name in ("ci", "twin", "old", "ann@example.com")]
    keep(store, claude_code_row(TODAY), claude_code_row(TODAY, "left@example.com"), *machines)
    (section,) = report(store).sections
    assert {(row.key.actor, row.key.actor_kind): (row.ident, row.name) for row in section.rows} == {
        ("ann@example.com", "user"): ("user_1", "Ann"),
        ("left@example.com", "user"): (None, "left@example.com"),
        ("ci", "api_key"): ("key_1", "ci"),
        ("twin", "api_key"): (None, "twin"),
        ("old", "api_key"): ("key_4", "old"),
        ("ann@example.com", "api_key"): (None, "ann@example.com"),
    }
    assert "ci (key)" in shown(report(store))


def test_by_model_only_what_a_model_has_is_told(store: Store) -> None:
    models = (ClaudeCodeModel("opus", 1, 2, 3, 4, 3 * DOLLAR), ClaudeCodeModel("haiku", 10, 20, 30, 40, DOLLAR))
    keep(
        store, claude_code_row(TODAY, model_breakdown=models), claude_code_row(TODAY, "bob", model_breakdown=models[:1])
    )
    (section,) = report(store, "model").sections
    assert [(row.key.model, row.figures.estimated, row.figures.input) for row in section.rows] == [
        ("opus", 6 * DOLLAR, 2),
        ("haiku", DOLLAR, 10),
    ]
    (told,) = to_json(report(store, "model"))["customer_types"]
    assert {told["rows"][0][name] for name in WORK} == {None}
    assert told["total"]["sessions"] == 2, "in all, what was done is told"
    assert next(csv.DictReader(io.StringIO(to_csv(report(store, "model")))))["sessions"] == ""


def test_days_that_were_never_read_are_named_and_not_taken_for_nothing(store: Store) -> None:
    keep(store, claude_code_row(TODAY - 2 * DAY), claude_code_row(TODAY))
    found = claude_code_report(store, ORG, ("user",), TODAY - 8 * DAY, TODAY + 9 * DAY, NOW)
    assert found.missing == tuple(TODAY - n * DAY for n in (8, 7, 6, 5, 4, 3, 1)), "days to come are not missing"
    told = " ".join(shown(found).split())
    assert "Not read yet: 2026-10-25, 2026-10-26, " in told
    assert "2026-10-29 and 2 days more." in told


def test_a_day_whose_emptiness_is_not_believed_is_named(store: Store) -> None:
    keep(store, claude_code_row(TODAY))
    store.claude_code.hold_back(ORG, TODAY, NOW + HOUR)
    assert report(store).held == (TODAY,)
    assert "is not believed, so what was read before stands: 2026-11-02." in " ".join(shown(report(store)).split())


def test_the_top_rows_stay_and_the_rest_is_one_row_that_completes_the_sum(store: Store) -> None:
    people = [claude_code_row(TODAY, f"p{n}", sessions=n) for n in range(6)]
    dear = replace(people[2], model_breakdown=(ClaudeCodeModel("m", 0, 0, 0, 0, 9 * DOLLAR),))
    keep(store, *people[:2], dear, *people[3:])
    (section,) = report(store, top=2).sections
    assert [(row.key.actor, row.merged) for row in section.rows] == [("p2", 0), ("p5", 0), (None, 4)]
    assert sum(row.figures.sessions for row in section.rows) == section.total.sessions == 15
    assert "others (4)" in shown(report(store, top=2))


ROWS = st.builds(
    claude_code_row,
    st.integers(0, 3).map(lambda n: TODAY - n * DAY),
    st.sampled_from(["a@x", "b@x", "c"]),
    actor_kind=st.sampled_from(["user", "api_key"]),
    customer_type=st.sampled_from(["api", "subscription", None, "new"]),
    sessions=st.integers(0, 9),
    commits=st.integers(0, 9),
    model_breakdown=st.lists(
        st.builds(ClaudeCodeModel, st.sampled_from("xyz"), *[st.integers(0, 99)] * 4, st.integers(0, 10**12)),
        max_size=3,
    ).map(tuple),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(ROWS, max_size=12), by=st.sets(st.sampled_from(DIMENSIONS), min_size=1), top=st.none() | st.just(1)
)
def test_every_breakdown_adds_up_to_the_same_totals(
    rows: list[ClaudeCodeRow], by: set[By], top: int | None, store: Store
) -> None:
    for day in range(4):
        at = TODAY - day * DAY
        store.claude_code.replace(ORG, at, [row for row in rows if row.day == at], NOW)
    found = report(store, *by, days=4, top=top)
    for section in found.sections:
        mine = [row for row in rows if (row.customer_type or "unknown") == section.customer_type]
        estimated = sum(use.cost_nano for row in mine for use in row.model_breakdown)
        assert section.total.estimated == estimated == sum(row.figures.estimated for row in section.rows)
        assert section.total.sessions == sum(row.sessions for row in mine)
        if "model" not in by:
            assert sum(row.figures.commits for row in section.rows) == section.total.commits
    lines = list(csv.DictReader(io.StringIO(to_csv(found))))
    assert len(lines) == sum(len(section.rows) for section in found.sections)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("by", [("user",), ("model",), ("day", "user", "model")])
def test_hostile_names_stay_within_their_cell_at_80_columns(store: Store, name: str, by: tuple[By, ...]) -> None:
    model = ClaudeCodeModel(name, 10**9, 10**9, 10**9, 10**9, 12_345 * DOLLAR)
    busy = {
        "sessions": 12_345,
        "lines_added": 999_999,
        "lines_removed": 999_999,
        "commits": 12_345,
        "pull_requests": 999,
    }
    keep(store, claude_code_row(TODAY, name, actor_kind="api_key", model_breakdown=(model,), **busy))
    text = shown(report(store, *by))
    assert not any(char in text for char in "\x1b\u202e")
    assert max(map(cell_len, text.splitlines())) <= 80
    assert text.count("$12,345.00") == 2, "no amount is cut"
    cells = next(csv.reader(io.StringIO(to_csv(report(store, *by)).partition("\n")[2])))
    assert not any(cell.startswith("=") for cell in cells)


def test_a_window_without_anything_says_so(store: Store) -> None:
    assert report(store).sections == ()
    assert "Nothing was done with it." in shown(report(store))
    assert "Not read yet: 2026-11-02." in shown(report(store))


def test_the_day_that_is_today_follows_utc(store: Store) -> None:
    late = datetime.fromisoformat("2026-11-02T23:30:00-05:00")
    found = claude_code_report(store, ORG, ("user",), TODAY, TODAY + 3 * DAY, late)
    assert found.missing == (TODAY, TODAY + timedelta(days=1))
