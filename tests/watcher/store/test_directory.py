from dataclasses import replace

from rules.model import DEFAULT_WORKSPACE, Names
from tests.watcher.store.samples import DAY, HOUR, ORG, T0, api_key, bucket, row
from watcher.admin_api.answers import Invite, Organization, User, Workspace
from watcher.admin_api.answers_limits import WorkspaceMember
from watcher.store import Store


def test_a_key_renamed_keeps_its_id_and_its_history(store: Store) -> None:
    store.directory.record_api_keys(ORG, [api_key("k", "old name")], T0)
    store.directory.record_api_keys(ORG, [api_key("k", "old name")], T0 + HOUR)
    store.directory.record_api_keys(ORG, [api_key("k", "[new]", "inactive")], T0 + 2 * HOUR)
    assert store.directory.names(ORG).of("k") == "[new]"
    (seen,) = store.directory.seen_api_keys(ORG)
    assert (seen.first_seen_at, seen.last_seen_at, seen.item.status) == (T0, T0 + 2 * HOUR, "inactive")
    told = {(each.field, each.before, each.after) for each in store.directory.changes(ORG, T0)}
    assert told == {("name", "old name", "[new]"), ("status", "active", "inactive")}
    for change in store.directory.changes(ORG, T0, "api_key", "k"):
        assert (change.last_seen_before, change.observed_at) == (T0 + HOUR, T0 + 2 * HOUR)


def test_a_key_that_is_no_longer_listed_keeps_its_name(store: Store) -> None:
    store.directory.record_api_keys(ORG, [api_key("a", "one"), api_key("b", "two")], T0)
    store.directory.record_api_keys(ORG, [api_key("b", "two")], T0 + DAY)
    assert [key.id for key in store.directory.api_keys(ORG)] == ["b"]
    assert store.directory.names(ORG).of("a") == "one"
    store.directory.record_api_keys(ORG, [api_key("a", "one"), api_key("b", "two")], T0 + 2 * DAY)
    assert {key.id for key in store.directory.api_keys(ORG)} == {"a", "b"}
    assert [(each.id, each.field, each.after) for each in store.directory.changes(ORG, T0)] == [
        ("a", "listed", "no"),
        ("a", "listed", "yes"),
    ]


def test_a_key_that_is_read_by_itself_says_nothing_of_one_whose_id_begins_alike(store: Store) -> None:
    store.directory.record_api_keys(ORG, [api_key("key_1"), api_key("key_10")], T0)
    store.directory.record_api_key(ORG, api_key("key_1", status="inactive"), T0 + HOUR)
    assert [(key.id, key.status) for key in store.directory.api_keys(ORG)] == [
        ("key_1", "inactive"),
        ("key_10", "active"),
    ]
    assert [each.last_seen_at for each in store.directory.seen_api_keys(ORG)] == [T0 + HOUR, T0]
    assert [(each.id, each.field) for each in store.directory.changes(ORG, T0)] == [("key_1", "status")]


def test_keys_that_can_spend_nothing_are_those_listed_as_off(store: Store) -> None:
    statuses = {"a": "active", "i": "inactive", "r": "archived", "e": "expired", "n": "novel"}
    store.directory.record_api_keys(ORG, [api_key(key, status=status) for key, status in statuses.items()], T0)
    assert store.directory.switched_off(ORG) == {"i", "r", "e"}
    assert store.directory.switched_off("another") == frozenset()


def test_the_workspace_of_a_key_is_known_also_where_the_api_says_null(store: Store) -> None:
    shared = replace(api_key("c", workspace=None), organization_scoped=True)
    store.directory.record_api_keys(ORG, [api_key("a"), api_key("b", workspace=None), shared], T0)
    assert store.directory.names(ORG).workspace_of_key == {"a": "ws_1", "b": DEFAULT_WORKSPACE}


def test_whose_a_key_is_and_the_tags_of_workspaces_stay_known_when_they_are_archived_or_gone(store: Store) -> None:
    principal = replace(api_key("b"), principal="svac_1")
    nobody = replace(api_key("c"), created_by=None)
    store.directory.record_api_keys(ORG, [api_key("a"), principal, nobody], T0)
    store.directory.record_users(ORG, [User("user_1", "Ann", "ann@example.com", "developer", T0)], T0)
    store.directory.record_workspaces(ORG, [Workspace("ws_1", "prod", T0, T0 + HOUR, {"team": "search"})], T0)
    for known in (store.directory.names(ORG), _without_anything(store)):
        assert known.user_of_key == {"a": "user_1", "b": "svac_1"}
        assert (known.of("user_1"), known.emails) == ("Ann", {"user_1": "ann@example.com"})
        assert known.tags_of_workspace == {"ws_1": {"team": "search"}}


def _without_anything(store: Store) -> Names:
    store.directory.record_api_keys(ORG, [], T0 + DAY)
    store.directory.record_users(ORG, [], T0 + DAY)
    store.directory.record_workspaces(ORG, [], T0 + DAY)
    return store.directory.names(ORG)


def test_everything_listed_comes_back_as_it_was(store: Store) -> None:
    workspace = Workspace("ws_1", "prod 👾", T0, None, {"team": "search"})
    user = User("u1", "Ann", "ann@example.com", "developer", T0)
    invite = Invite("i1", "bob@example.com", "user", "pending", T0, T0 + 21 * DAY)
    store.directory.record_workspaces(ORG, [workspace], T0)
    store.directory.record_users(ORG, [user], T0)
    store.directory.record_invites(ORG, [invite], T0)
    assert store.directory.organization_name(ORG) == ORG
    store.directory.record_organization(ORG, Organization(ORG, "Acme"), T0)
    assert store.directory.organization_name(ORG) == "Acme"
    assert store.directory.workspaces(ORG) == (workspace,)
    assert store.directory.users(ORG) == (user,)
    assert store.directory.invites(ORG) == (invite,)
    assert store.directory.names(ORG).of("ws_1") == "prod 👾"
    assert store.directory.workspaces("another") == ()
    store.directory.record_workspaces(ORG, [replace(workspace, archived_at=T0 + DAY)], T0 + DAY)
    (change,) = store.directory.changes(ORG, T0, "workspace")
    assert (change.before, change.after) == ("active", "archived")


def test_each_workspace_s_members_are_a_listing_of_their_own(store: Store) -> None:
    def members(workspace: str, **roles: str) -> list[WorkspaceMember]:
        return [WorkspaceMember(workspace, user, role) for user, role in roles.items()]

    store.directory.record_workspace_members(ORG, "ws_1", members("ws_1", u1="admin", u2="user"), T0)
    store.directory.record_workspace_members(ORG, "ws_2", members("ws_2", u1="user"), T0)
    store.directory.record_workspace_members(ORG, "ws_1", members("ws_1", u1="user"), T0 + HOUR)
    assert {name: tuple(listed) for name, listed in store.directory.workspace_members(ORG).items()} == {
        "ws_1": (WorkspaceMember("ws_1", "u1", "user"),),
        "ws_2": (WorkspaceMember("ws_2", "u1", "user"),),
    }
    changes = store.directory.changes(ORG, T0, "workspace_member")
    assert [(each.id, each.field, each.before, each.after) for each in changes] == [
        ("ws_1/u1", "status", "admin", "user"),
        ("ws_1/u2", "listed", "yes", "no"),
    ]


def test_a_key_that_used_something_and_was_never_listed_is_unknown_until_it_was_asked_for(store: Store) -> None:
    store.usage.replace(ORG, [bucket(0, row("key_a"), row("gone"), row(None))], T0 + HOUR)
    store.usage.replace("another", [bucket(0, row("theirs"))], T0 + HOUR)
    assert store.directory.unknown_api_keys(ORG) == ("gone", "key_a")
    store.directory.record_api_keys(ORG, [api_key("key_a")], T0)
    assert store.directory.unknown_api_keys(ORG) == ("gone",)
    store.directory.keep_api_key(ORG, api_key("gone", "old batch", "archived"), T0 + HOUR)
    assert store.directory.unknown_api_keys(ORG) == ()
    assert store.directory.names(ORG).of("gone") == "old batch"
    assert [key.id for key in store.directory.api_keys(ORG)] == ["key_a"], "no listing has it"


def test_a_key_that_was_asked_for_and_is_listed_later_stays_as_it_is_listed(store: Store) -> None:
    store.directory.keep_api_key(ORG, api_key("k", "asked"), T0)
    store.directory.keep_api_key(ORG, api_key("k", "asked again"), T0 + HOUR)
    assert store.directory.names(ORG).of("k") == "asked again"
    store.directory.record_api_keys(ORG, [api_key("k", "listed")], T0 + 2 * HOUR)
    store.directory.keep_api_key(ORG, api_key("k", "asked late"), T0 + 3 * HOUR)
    (seen,) = store.directory.seen_api_keys(ORG)
    assert (seen.item.name, seen.listed, seen.first_seen_at) == ("listed", True, T0)
