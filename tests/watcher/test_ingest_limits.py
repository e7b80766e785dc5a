"""Limits, members and keys asked for one by one: at a pace that spares the API, and no further than they answer."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import SourceState
from tests.watcher.store.samples import HOUR, ORG, T0, api_key, bucket, row
from tests.watcher.store.scripted import NOT_FOUND, NOT_OFFERED, UNAVAILABLE, ScriptedReader
from watcher.admin_api.answers_limits import WorkspaceMember
from watcher.admin_api.errors import Malformed
from watcher.ingest import Ingested, Plan, ingest
from watcher.ingest.by_workspace import WORKSPACES_A_POLL, due_workspaces
from watcher.store import Lookup, Store

NOW = T0 + 10.5 * HOUR
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
MALFORMED = Malformed("/v1/x", 200, None, "data[0].user_id: not a text")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as opened:
        yield opened


def poll(reader: ScriptedReader, store: Store, after: timedelta = timedelta(0), *lists: str) -> Ingested:
    plan = Plan(lists=("workspaces", *(lists or ("workspace_members",))))
    return ingest(reader, store, ORG, NOW + after, plan)


def asked(reader: ScriptedReader, method: str = "workspace_members") -> list[object]:
    """The arguments of the calls since the last time; forgets them."""
    found = [call[1] for call in reader.calls if call[0] == method]
    reader.calls.clear()
    return found


def state(store: Store, source: str = "workspace_members") -> SourceState:
    return store.sources.get(ORG, source)


def workspaces(count: int) -> list[str]:
    return [f"ws_{number:03}" for number in range(count)]


def test_a_hundred_workspaces_are_asked_ten_a_poll_and_each_once_an_hour(store: Store) -> None:
    reader = ScriptedReader(workspace_ids=workspaces(100))
    for number in range(10):
        poll(reader, store, 5 * number * MINUTE)
        assert asked(reader) == workspaces(100)[10 * number : 10 * number + 10]
    assert len(store.directory.workspace_members(ORG)) == 100
    before = state(store)
    poll(reader, store, 55 * MINUTE)
    assert asked(reader) == []
    assert state(store) == before, "nothing was asked, so nothing was learned"
    poll(reader, store, 60 * MINUTE)
    assert asked(reader) == workspaces(10)


def test_a_workspace_that_is_archived_or_has_no_sound_id_is_not_asked(store: Store) -> None:
    reader = ScriptedReader(workspace_ids=["ws_1", "../users", ""])
    poll(reader, store)
    assert asked(reader) == ["ws_1"]


def test_one_workspace_that_is_refused_says_nothing_of_the_source(store: Store) -> None:
    reader = ScriptedReader(workspace_ids=workspaces(3), failing={"workspace_members ws_001": NOT_FOUND})
    assert poll(reader, store).failures == {}
    assert state(store).offered
    assert set(store.directory.workspace_members(ORG)) == {"ws_000", "ws_002"}
    asked(reader)
    poll(reader, store, 2 * HOUR)
    assert asked(reader) == ["ws_000", "ws_002"]
    poll(reader, store, DAY)
    assert "ws_001" in asked(reader)


def test_where_the_only_workspace_that_is_due_is_refused_another_one_is_asked(store: Store) -> None:
    reader = ScriptedReader(workspace_ids=workspaces(2))
    poll(reader, store)
    reader.workspace_ids = ["ws_000", "ws_001", "ws_new"]
    reader.failing = {"workspace_members ws_new": NOT_FOUND}
    asked(reader)
    poll(reader, store, 5 * MINUTE)
    assert asked(reader) == ["ws_new", "ws_000"]
    assert (state(store).offered, state(store).failing_since) == (True, None)


def test_an_organization_that_refuses_two_workspaces_does_not_have_the_source(store: Store) -> None:
    reader = ScriptedReader(workspace_ids=workspaces(50), failing={"workspace_members": NOT_OFFERED})
    assert poll(reader, store).failures == {}
    assert asked(reader) == workspaces(2)
    assert (state(store).offered, state(store).last_success_at) == (False, None)
    reader.failing = {}
    poll(reader, store, DAY)
    assert asked(reader) == workspaces(10)
    assert state(store).offered


def test_members_that_were_told_and_are_refused_now_are_gone(store: Store) -> None:
    reader = ScriptedReader(workspace_ids=workspaces(2))
    poll(reader, store)
    reader.failing = {"workspace_members": NOT_OFFERED}
    poll(reader, store, 2 * HOUR)
    assert (state(store).offered, state(store).failing_since) == (False, NOW + 2 * HOUR)
    assert len(store.directory.workspace_members(ORG)) == 2, "what was read last stands"


def test_a_workspace_whose_answer_cannot_be_read_is_told_and_keeps_no_other_away(store: Store) -> None:
    reader = ScriptedReader(workspace_ids=workspaces(25), failing={"workspace_members ws_000": MALFORMED})
    for number in range(4):
        assert list(poll(reader, store, 5 * number * MINUTE).failures) == ["workspace_members"]
    assert len(store.directory.workspace_members(ORG)) == 24
    assert state(store).failing_since == NOW


def test_an_api_that_is_overloaded_is_not_asked_any_further_and_goes_on_where_it_was(store: Store) -> None:
    reader = ScriptedReader(workspace_ids=workspaces(4), failing={"workspace_members ws_002": UNAVAILABLE})
    assert list(poll(reader, store).failures) == ["workspace_members"]
    assert asked(reader) == workspaces(3)
    reader.failing = {}
    assert poll(reader, store, 5 * MINUTE).failures == {}
    assert asked(reader) == ["ws_003", "ws_002"]


def test_an_organization_without_workspaces_is_asked_nothing(store: Store) -> None:
    reader = ScriptedReader()
    assert poll(reader, store, timedelta(0), "workspace_members", "workspace_rate_limits").attempted == ("workspaces",)


def test_a_member_who_left_is_listed_no_more(store: Store) -> None:
    reader = ScriptedReader(workspace_ids=["ws_1"])
    poll(reader, store)
    assert store.directory.workspace_members(ORG) == {"ws_1": (WorkspaceMember("ws_1", "user of ws_1", "user"),)}


LOOKUPS = st.none() | st.tuples(st.integers(0, 200), st.sampled_from([True, False, None]))


@given(known=st.lists(LOOKUPS, max_size=30))
def test_no_workspace_waits_for_ever_and_no_poll_asks_more_than_its_share(
    known: list[tuple[int, bool | None] | None],
) -> None:
    names = workspaces(len(known))
    asked = {
        name: Lookup(NOW - each[0] * MINUTE, each[1])
        for name, each in zip(names, known, strict=True)
        if each is not None
    }
    at, left = NOW, set(names)
    for _ in range(4 + DAY // (5 * MINUTE)):
        due = due_workspaces(names, asked, at)
        assert len(due) == len(set(due)) <= WORKSPACES_A_POLL
        asked |= {name: Lookup(at, False) for name in due}
        left -= set(due)
        at += 5 * MINUTE
    assert not left


# ------------------------------------------------------------------------------------------- keys


def poll_keys(reader: ScriptedReader, store: Store, after: timedelta = timedelta(0)) -> Ingested:
    return ingest(reader, store, ORG, NOW + after, Plan(lists=("api_keys",)))


def used_by(store: Store, *keys: str) -> None:
    store.usage.replace(ORG, [bucket(0, *(row(key) for key in keys))], T0 + HOUR)


def test_a_key_that_no_listing_has_is_asked_for_by_its_id_and_keeps_its_name(store: Store) -> None:
    used_by(store, "key_a", "old")
    reader = ScriptedReader(keys=[api_key("key_a")], unlisted={"old": api_key("old", "old batch", "archived")})
    for minutes in (0, 5, 10):
        poll_keys(reader, store, minutes * MINUTE)
    assert asked(reader, "api_key") == ["old"]
    assert store.directory.names(ORG).of("old") == "old batch"


def test_keys_are_asked_for_a_few_a_poll_and_those_that_do_not_exist_once_a_week(store: Store) -> None:
    names = [f"gone_{number:02}" for number in range(12)]
    used_by(store, *names)
    reader = ScriptedReader()
    for number, count in enumerate((5, 5, 2, 0)):
        assert poll_keys(reader, store, 5 * number * MINUTE).failures == {}
        assert len(asked(reader, "api_key")) == count
    assert state(store, "api_keys").offered, "a key that is not there is no listing that is not offered"
    poll_keys(reader, store, 6 * DAY)
    assert asked(reader, "api_key") == []
    poll_keys(reader, store, 7 * DAY)
    assert asked(reader, "api_key") == names[:5]


def test_a_key_that_cannot_be_asked_for_now_is_no_failure_and_is_asked_for_an_hour_later(store: Store) -> None:
    used_by(store, "a", "b", "c")
    reader = ScriptedReader(
        unlisted={name: api_key(name, f"name of {name}") for name in ("a", "b", "c")},
        failing={"api_key a": MALFORMED, "api_key b": UNAVAILABLE},
    )
    assert poll_keys(reader, store).failures == {}
    assert asked(reader, "api_key") == ["a", "b"]
    reader.failing = {}
    poll_keys(reader, store, 5 * MINUTE)
    assert asked(reader, "api_key") == ["c"]
    poll_keys(reader, store, HOUR)
    assert asked(reader, "api_key") == ["a", "b"]
    assert {store.directory.names(ORG).of(name) for name in "abc"} == {f"name of {name}" for name in "abc"}


def test_what_cannot_be_an_id_is_never_asked_for_and_another_key_is_never_taken_for_it(store: Store) -> None:
    used_by(store, "../users", "swapped")
    reader = ScriptedReader(unlisted={"swapped": api_key("other", "another key")})
    poll_keys(reader, store)
    assert asked(reader, "api_key") == ["swapped"]
    assert store.directory.names(ORG).of("swapped") == "swapped"
    assert store.directory.seen_api_keys(ORG) == ()
