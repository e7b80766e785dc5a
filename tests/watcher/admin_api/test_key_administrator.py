"""One verb, sent once."""

import json

import httpx
import pytest

from watcher.admin_api import (
    AdminApiError,
    KeyAdministrator,
    Malformed,
    NotAuthenticated,
    NotOffered,
    RateLimited,
    TimedOut,
    Unavailable,
)

KEY = {"id": "key_1", "name": "ci", "status": "inactive", "created_at": "2026-03-01T10:20:30Z", "workspace_id": None}


def test_a_status_is_set_by_one_request_that_says_nothing_else(wire_up) -> None:
    wired = wire_up(lambda _: httpx.Response(200, json=KEY))
    key = KeyAdministrator(wired.connection).set_status("key_1", "inactive")
    (request,) = wired.requests
    assert (request.method, request.url.path) == ("POST", "/v1/organizations/api_keys/key_1")
    assert json.loads(request.content) == {"status": "inactive"}
    assert (key.id, key.status) == ("key_1", "inactive")
    assert [(o.endpoint, o.method, o.outcome) for o in wired.observations] == [
        ("/v1/organizations/api_keys/{api_key_id}", "POST", "ok")
    ]


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (httpx.Response(429, headers={"retry-after": "1"}), RateLimited),
        (httpx.Response(500), Unavailable),
        (httpx.Response(529), Unavailable),
        (httpx.ReadTimeout("slow"), TimedOut),
        (httpx.ConnectError("refused"), Unavailable),
        (httpx.Response(200, html="<html>"), Unavailable),
        (httpx.Response(200, content=b'{"id": "key_1", "st'), Malformed),
        (httpx.Response(401), NotAuthenticated),
        (httpx.Response(404), NotOffered),
        (httpx.Response(409), AdminApiError),
    ],
)
def test_a_write_is_never_repeated_whatever_comes_back(wire_up, answer_in_turn, trouble, kind: type) -> None:
    wired = wire_up(answer_in_turn(trouble))
    with pytest.raises(kind, match=r"api_keys/\{api_key_id\}"):
        KeyAdministrator(wired.connection).set_status("key_1", "inactive")
    assert len(wired.requests) == 1
    assert wired.pauses == []


def test_an_answer_about_another_key_is_not_believed(wire_up) -> None:
    wired = wire_up(lambda _: httpx.Response(200, json={**KEY, "id": "key_2"}))
    with pytest.raises(Malformed, match="another key came back"):
        KeyAdministrator(wired.connection).set_status("key_1", "inactive")


@pytest.mark.parametrize("status", ["archived", "expired", "", "INACTIVE"])
def test_no_other_status_can_be_set(wire_up, status: str) -> None:
    wired = wire_up(lambda _: httpx.Response(200, json=KEY))
    with pytest.raises(ValueError, match="active or inactive"):
        KeyAdministrator(wired.connection).set_status("key_1", status)  # type: ignore[arg-type]
    assert wired.requests == []


@pytest.mark.parametrize("key_id", ["", "../workspaces/ws_1", "key_1/archive", "me?x"])
def test_what_is_no_id_is_not_written_to(wire_up, key_id: str) -> None:
    wired = wire_up(lambda _: httpx.Response(200, json=KEY))
    with pytest.raises(ValueError, match="not an id"):
        KeyAdministrator(wired.connection).set_status(key_id, "inactive")
    assert wired.requests == []
