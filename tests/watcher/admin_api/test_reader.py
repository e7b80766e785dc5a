"""The directory, Claude Code, and the promise that a reader only reads."""

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from watcher.admin_api import AdminReader, BrokenPaging, Malformed, NotOffered
from watcher.admin_api.answers import ClaudeCodeModel

BORN = "2026-03-01T10:20:30.123456Z"
BORN_AT = datetime(2026, 3, 1, 10, 20, 30, 123456, tzinfo=UTC)
DAY = date(2026, 11, 20)


def listing(*entries: dict[str, object], more: bool = False, last: str | None = None) -> httpx.Response:
    page = {"data": list(entries), "has_more": more, "first_id": None, "last_id": last}
    return httpx.Response(200, json=page)


def key(**fields: object) -> dict[str, object]:
    return {"id": "key_1", "name": "ci", "status": "active", "created_at": BORN, "type": "api_key", **fields}


def test_a_reader_never_sends_anything_but_get(wire_up) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/me"):
            return httpx.Response(200, json={"id": "org"})
        if "/api_keys/" in request.url.path:
            return httpx.Response(200, json=key())
        return httpx.Response(200, json={"data": [], "has_more": False})

    wired = wire_up(handler)
    reader = AdminReader(wired.connection)
    calls = [
        reader.organization, reader.workspaces, reader.api_keys, reader.users, reader.invites,
        lambda: reader.api_key("key_1"), lambda: reader.usage(start, start + timedelta(hours=1)),
        lambda: reader.costs(start, None), lambda: reader.claude_code(DAY),
        lambda: reader.analytics_cost(start, start + timedelta(hours=1)),
        lambda: reader.analytics_usage(start, start + timedelta(hours=1)),
        reader.spend_limits, reader.effective_spend_limits, reader.rate_limits,
        lambda: reader.workspace_rate_limits("ws_1"), lambda: reader.workspace_members("ws_1"),
    ]  # fmt: skip
    for call in calls:
        call()
    assert len(wired.requests) == len(calls)
    assert {request.method for request in wired.requests} == {"GET"}
    assert not [name for name in vars(reader) if "post" in name]


def test_a_directory_is_followed_by_its_last_id_in_the_largest_pages(wire_up) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("after_id") == "key_2":
            return listing(key(id="key_3"), last="key_3")
        return listing(key(id="key_1"), key(id="key_2"), more=True, last="key_2")

    wired = wire_up(handler)
    assert [key_.id for key_ in AdminReader(wired.connection).api_keys()] == ["key_1", "key_2", "key_3"]
    assert wired.parameters(0) == [("limit", "1000")]
    assert wired.parameters(1) == [("limit", "1000"), ("after_id", "key_2")]


def test_an_entry_that_slipped_to_the_next_page_comes_once(wire_up, answer_in_turn) -> None:
    wired = wire_up(answer_in_turn(listing(key(), more=True, last="key_1"), listing(key(), key(id="key_2"))))
    assert [key_.id for key_ in AdminReader(wired.connection).api_keys()] == ["key_1", "key_2"]


def test_a_directory_that_promises_more_without_a_last_id_is_broken(wire_up) -> None:
    wired = wire_up(lambda _: listing(key(), more=True))
    with pytest.raises(BrokenPaging, match="/v1/organizations/api_keys"):
        AdminReader(wired.connection).api_keys()


def test_archived_workspaces_are_asked_for_too(wire_up) -> None:
    entries = [
        {"id": "ws_1", "name": "prod", "created_at": BORN, "archived_at": None, "tags": {"team": "a"}, "new": [1]},
        {"id": "ws_2", "name": "old", "created_at": BORN, "archived_at": "2026-05-01T00:00:00+02:00"},
    ]
    wired = wire_up(lambda _: listing(*entries))
    first, second = AdminReader(wired.connection).workspaces()
    assert ("include_archived", "true") in wired.parameters()
    assert (first.name, first.created_at, first.archived_at, first.tags) == ("prod", BORN_AT, None, {"team": "a"})
    assert second.archived_at == datetime(2026, 4, 30, 22, tzinfo=UTC)
    assert second.tags == {}


@pytest.mark.parametrize(
    ("fields", "workspace_id", "organization_scoped"),
    [
        ({"workspace_id": "ws_1"}, "ws_1", False),
        ({"workspace_id": None}, None, False),
        ({}, None, False),
        ({"scope": {"type": "workspace", "workspace_id": "ws_1"}}, "ws_1", False),
        ({"scope": {"type": "organization"}}, None, True),
        ({"scope": {"type": "workspace", "workspace_id": "ws_1"}, "workspace_id": "ws_1"}, "ws_1", False),
        ({"scope": {"type": "workspace", "workspace_id": "ws_default"}, "workspace_id": None}, None, False),
        ({"scope": {"type": "organization"}, "workspace_id": None}, None, True),
        ({"scope": None, "workspace_id": "ws_1"}, "ws_1", False),
        ({"scope": {"type": "galaxy"}}, None, False),
    ],
)
def test_where_a_key_belongs_is_read_in_both_shapes(wire_up, fields, workspace_id, organization_scoped: bool) -> None:
    wired = wire_up(lambda _: httpx.Response(200, json=key(**fields)))
    read = AdminReader(wired.connection).api_key("key_1")
    assert (read.workspace_id, read.organization_scoped) == (workspace_id, organization_scoped)


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        (None, None),
        ({"type": "user_actor", "user_id": "user_1"}, "user_1"),
        ({"type": "service_account_actor", "service_account_id": "svac_1"}, "svac_1"),
        ({"type": "user", "id": "user_1"}, "user_1"),
        ({"type": "robot"}, None),
    ],
)
def test_who_a_key_acts_for_is_read_in_every_shape(wire_up, principal, expected: str | None) -> None:
    wired = wire_up(
        lambda _: httpx.Response(200, json=key(principal=principal, created_by={"id": "u", "type": "user"}))
    )
    read = AdminReader(wired.connection).api_key("key_1")
    assert (read.principal, read.created_by) == (expected, "u")


def test_an_unknown_status_and_missing_optional_fields_are_no_trouble(wire_up) -> None:
    bare = {"id": "key_1", "status": "hibernating", "created_at": BORN}
    wired = wire_up(lambda _: httpx.Response(200, json=bare))
    read = AdminReader(wired.connection).api_key("key_1")
    assert (read.status, read.name, read.created_by, read.expires_at, read.partial_key_hint) == (
        "hibernating",
        "key_1",
        None,
        None,
        None,
    )


@pytest.mark.parametrize("key_id", ["", "../users", "a/b", "a?b", "key 1", "x" * 200, "key_1\n"])
def test_what_is_no_id_never_becomes_part_of_a_path(wire_up, key_id: str) -> None:
    wired = wire_up(lambda _: httpx.Response(200, json=key()))
    with pytest.raises(ValueError, match="not an id"):
        AdminReader(wired.connection).api_key(key_id)
    assert wired.requests == []


def test_users_and_invites_are_read(wire_up) -> None:
    user = {"id": "user_1", "email": "a@example.com", "name": None, "role": "jester", "added_at": BORN}
    invite = {"id": "inv_1", "email": "b@example.com", "role": "user", "status": "expired", "invited_at": BORN,
              "expires_at": "2026-03-22T10:20:30Z"}  # fmt: skip
    wired = wire_up(lambda request: listing(user if request.url.path.endswith("users") else invite))
    reader = AdminReader(wired.connection)
    (read_user,) = reader.users()
    (read_invite,) = reader.invites()
    assert (read_user.name, read_user.role, read_user.added_at) == ("a@example.com", "jester", BORN_AT)
    assert (read_invite.status, read_invite.expires_at) == ("expired", datetime(2026, 3, 22, 10, 20, 30, tzinfo=UTC))


def test_a_key_without_a_birthday_is_refused_by_its_place(wire_up) -> None:
    wired = wire_up(lambda _: listing(key(), key(id="key_2", created_at=None)))
    with pytest.raises(Malformed, match=r"data\[1\].created_at: not a moment in time"):
        AdminReader(wired.connection).api_keys()


def test_a_complaint_about_a_hostile_field_stays_one_short_line(wire_up) -> None:
    entry = {"id": "ws_1", "created_at": BORN, "tags": {"\x1b[31m\nFAKE LOG LINE " + "x" * 5000: 5}}
    wired = wire_up(lambda _: listing(entry))
    with pytest.raises(Malformed, match=r"data\[0\].tags.* \[31m FAKE LOG LINE") as failed:
        AdminReader(wired.connection).workspaces()
    assert str(failed.value).isprintable()
    assert len(str(failed.value)) < 400


def session(**fields: object) -> dict[str, object]:
    return {
        "date": "2026-11-20T00:00:00Z",
        "actor": {"type": "user_actor", "email_address": "a@example.com"},
        "organization_id": "org",
        "customer_type": "subscription",
        "subscription_type": "team",
        "terminal_type": "vscode",
        "is_remote": True,
        "core_metrics": {
            "num_sessions": 3,
            "lines_of_code": {"added": 40, "removed": 5},
            "commits_by_claude_code": 2,
            "pull_requests_by_claude_code": 1,
        },
        "tool_actions": {},
        "model_breakdown": [],
        **fields,
    }


def code_page(*rows: dict[str, object], more: str | None = None) -> httpx.Response:
    return httpx.Response(200, json={"data": list(rows), "has_more": more is not None, "next_page": more})


def test_a_day_of_claude_code_is_read_page_by_page(wire_up, answer_in_turn) -> None:
    wired = wire_up(answer_in_turn(code_page(session(), more="p2"), code_page(session(is_remote=False))))
    remote, local = AdminReader(wired.connection).claude_code(DAY)
    assert wired.parameters(1) == [("starting_at", "2026-11-20"), ("limit", "1000"), ("page", "p2")]
    assert (remote.day, remote.actor, remote.actor_kind, remote.is_remote) == (DAY, "a@example.com", "user", True)
    assert (remote.customer_type, remote.subscription_type, remote.terminal_type) == ("subscription", "team", "vscode")
    assert (remote.sessions, remote.lines_added, remote.lines_removed, remote.commits, remote.pull_requests) == (
        3,
        40,
        5,
        2,
        1,
    )
    assert not local.is_remote


@pytest.mark.parametrize("amount", ["186.1", '"186.1"', "1.861e2", "186.10000000000000000001"])
def test_the_estimated_cost_is_exact_whether_number_or_string(wire_up, amount: str) -> None:
    use = {
        "model": "opus",
        "tokens": {"input": 1, "output": 2, "cache_read": 3, "cache_creation": None},
        "estimated_cost": {"currency": "usd", "amount": "@"},
    }
    body = code_page(session(model_breakdown=[use])).text.replace('"@"', amount)
    wired = wire_up(lambda _: httpx.Response(200, text=body))
    (row,) = AdminReader(wired.connection).claude_code(DAY)
    assert row.model_breakdown == (ClaudeCodeModel("opus", 1, 2, 3, 0, 1_861_000_000),)


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        ({"type": "api_actor", "api_key_name": "ci"}, ("ci", "api_key")),
        ({"type": "user_actor", "email_address": "x@example.com"}, ("x@example.com", "user")),
        ({"type": "service_actor", "service_account_id": "s"}, ("service_actor", "api_key")),
        ({}, ("", "api_key")),
    ],
)
def test_who_worked_is_a_person_or_a_key(wire_up, actor, expected: tuple[str, str]) -> None:
    wired = wire_up(lambda _: code_page(session(actor=actor)))
    (row,) = AdminReader(wired.connection).claude_code(DAY)
    assert (row.actor, row.actor_kind) == expected


def test_an_older_row_without_the_newer_fields_is_read(wire_up) -> None:
    row = session(core_metrics={"num_sessions": None})
    for name in ("is_remote", "subscription_type", "terminal_type", "customer_type", "tool_actions", "model_breakdown"):
        del row[name]
    wired = wire_up(lambda _: code_page(row))
    (read,) = AdminReader(wired.connection).claude_code(DAY)
    assert (read.is_remote, read.sessions, read.lines_added, read.model_breakdown) == (False, 0, 0, ())


def test_a_row_of_another_day_is_refused(wire_up) -> None:
    wired = wire_up(lambda _: code_page(session(), session(date="2026-11-19T00:00:00Z")))
    with pytest.raises(Malformed, match=r"data\[1\].date: 2026-11-19 came where 2026-11-20 was asked for"):
        AdminReader(wired.connection).claude_code(DAY)


def test_a_source_that_is_not_offered_says_so(wire_up, refuse) -> None:
    wired = wire_up(lambda _: refuse(403, "Claude Code is not enabled"))
    with pytest.raises(NotOffered, match=r"usage_report/claude_code answered 403 .*Claude Code is not enabled"):
        AdminReader(wired.connection).claude_code(DAY)
