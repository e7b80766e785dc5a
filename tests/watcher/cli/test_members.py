import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.cells import cell_len

from rules.model import SourceState
from tests.stage import NOW, here, write_config
from tests.watcher.store.samples import HOUR, ORG, T0
from watcher.admin_api.answers import User, Workspace
from watcher.admin_api.answers_limits import WorkspaceMember
from watcher.store import Store


@dataclass(frozen=True)
class Place:
    """A configuration, and the store that it names."""

    config: Path
    store: Store

    def asked(self, *more: str) -> str:
        code, out, err = here("members", "-c", self.config, *more)
        assert (code, err) == (0, "")
        return out


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    config = write_config(tmp_path, "http://127.0.0.1:9")
    with Store.open(f"sqlite:///{tmp_path}/watcher.db") as store:
        store.organizations.bind("", ORG)
        yield Place(config, store)


def workspaces(place: Place, **names: str) -> None:
    items = [Workspace(ident, name, T0, NOW if name == "archived" else None, {}) for ident, name in names.items()]
    place.store.directory.record_workspaces(ORG, items, NOW)


def listed(place: Place, workspace: str, **roles: str) -> None:
    members = [WorkspaceMember(workspace, user, role) for user, role in roles.items()]
    place.store.directory.record_workspace_members(ORG, workspace, members, NOW)
    place.store.lookups.note(ORG, "workspace_members", workspace, NOW - 2 * HOUR, found=True)


def test_each_workspace_s_members_are_told_with_name_address_and_role(place: Place) -> None:
    workspaces(place, ws_1="search", ws_2="Batch", ws_3="archived")
    place.store.directory.record_users(
        ORG, [User("u1", "Ann", "ann@x.com", "admin", T0), User("u2", "Bob", "bob@x.com", "developer", T0)], NOW
    )
    listed(place, "ws_1", u1="workspace_admin", left="workspace_user")
    lines = [line.rstrip() for line in place.asked().splitlines()]
    assert [line.split() for line in lines] == [
        ["who", "e-mail", "role"],
        ["Batch"],
        ["not", "read", "yet"],
        ["search"],
        ["Ann", "ann@x.com", "admin"],
        ["left", "user"],
        ["in", "no", "workspace"],
        ["Bob", "bob@x.com", "developer"],
        ["The", "default", "workspace", "has", "no", "list", "of", "members."],
        ["The", "oldest", "of", "these", "lists", "was", "read", "2", "h", "ago."],
    ]
    document = json.loads(place.asked("--json"))
    assert [each["read_at"] is None for each in document["workspaces"]] == [True, False]
    assert document["workspaces"][1]["members"][1] == {
        "id": "left",
        "name": None,
        "email": None,
        "role": "workspace_user",
    }
    assert [each["id"] for each in document["in_no_workspace"]] == ["u2"]


def test_a_workspace_that_nobody_works_in_is_not_one_that_was_never_read(place: Place) -> None:
    workspaces(place, ws_1="empty", ws_2="unread")
    listed(place, "ws_1")
    assert [line.strip() for line in place.asked().splitlines()[1:5]] == ["empty", "nobody", "unread", "not read yet"]


@pytest.mark.parametrize(
    ("pattern", "found"), [("SEA*", ["ws_1"]), ("ws_2", ["ws_2"]), ("[prod]", ["ws_3"]), ("x", [])]
)
def test_a_pattern_takes_ids_and_names_whatever_the_case(place: Place, pattern: str, found: list[str]) -> None:
    workspaces(place, ws_1="search", ws_2="Batch", ws_3="[prod]")
    document = json.loads(place.asked("--workspace", pattern, "--json"))
    assert [each["id"] for each in document["workspaces"]] == found
    assert ("No workspace matches." in place.asked("--workspace", pattern)) == (not found)


def test_a_key_that_may_not_ask_is_told(place: Place) -> None:
    place.store.sources.save(ORG, SourceState("workspace_members", offered=False, last_attempt_at=NOW))
    assert "Who works in which workspace is not offered to this key." in place.asked()


@pytest.mark.parametrize("name", ["[bold]x[/]", "a\x1b[31mb", "x" * 300, "漢" * 90, "a\u202eb\nc", ""])
def test_hostile_names_are_harmless_at_80_columns(place: Place, name: str) -> None:
    workspaces(place, ws_1=name)
    place.store.directory.record_users(ORG, [User("u1", name, name, name, T0)], NOW)
    listed(place, "ws_1", u1=name, u2=name)
    text = place.asked()
    assert not any(char in text for char in "\x1b\u202e")
    assert max(map(cell_len, text.splitlines())) <= 80
