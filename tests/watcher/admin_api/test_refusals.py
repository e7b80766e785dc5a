"""What an unsuccessful response is called, and how little of it is repeated."""

import httpx
import pytest

from watcher.admin_api.errors import BadRequest, RateLimited, Unavailable
from watcher.admin_api.refusals import error_of, seconds_to_wait
from watcher.secret import Secret

DATE = "Mon, 30 Nov 2026 22:00:00 GMT"


def told(body: bytes, status: int = 400, **headers: str):
    response = httpx.Response(status, headers=headers)
    return error_of(response, body, "/v1/x", Secret("sk-CANARY"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "Mon, 30 Nov 2026 22:00:45 GMT", "date": DATE}, 45.0),
        ({"retry-after": "Mon, 30 Nov 2026 21:00:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Mon, 30 Nov 2026 22:00:45 GMT"}, None),
        ({"retry-after": "Mon, 30 Nov 2026 22:00:45 -0000", "date": DATE}, None),
        ({"retry-after": "soon", "date": DATE}, None),
        ({"retry-after": "-5", "date": DATE}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_the_time_to_wait_is_read_in_both_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert seconds_to_wait(httpx.Headers(headers)) == seconds


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"type":"error","error":{"type":"invalid_request_error","message":"too many buckets"}}', "too many buckets"),
        (b'{"error":{"message":"no type here"}}', "no type here"),
        (b'{"message":"flat"}', "flat"),
        (b'{"error":"a plain string"}', "a plain string"),
        (b'{"error":{"message":["not","text"]}}', "no reason was given"),
        (b'{"error":null}', "no reason was given"),
        (b"[1, 2]", "no reason was given"),
        (b"[" * 100_000, "no reason was given"),
        (b"<html><b>maintenance</b></html>", "no reason was given"),
        (b"", "no reason was given"),
        (b"\xff\xfe", "no reason was given"),
    ],
)
def test_any_error_body_becomes_one_sentence(body: bytes, message: str) -> None:
    error = told(body)
    assert isinstance(error, BadRequest)
    assert str(error) == f"/v1/x answered 400: {message}"


def test_what_is_quoted_is_short_and_cannot_forge_a_line_or_a_color() -> None:
    error = told(b'{"message":"red \\u001b[31m\\nERROR all keys deleted\\u202e ' + b"x" * 5000 + b'"}')
    assert error.message.startswith("red [31m ERROR all keys deleted x")
    assert error.message.isprintable()
    assert len(error.message) == 200


def test_the_key_is_cut_out_of_what_is_quoted() -> None:
    assert told(b'{"message":"your key sk-CANARY is odd"}').message == "your key [secret] is odd"


def test_the_request_id_comes_from_the_header_or_else_from_the_body() -> None:
    body = b'{"error":{"message":"x"},"request_id":"req_body"}'
    assert told(body, **{"request-id": "req_head"}).request_id == "req_head"
    assert told(body).request_id == "req_body"
    assert told(body, **{"request-id": "no id at all"}).request_id == "req_body"
    assert told(b'{"request_id": 5}').request_id is None


@pytest.mark.parametrize(
    ("status", "kind"), [(429, RateLimited), (500, Unavailable), (502, Unavailable), (529, Unavailable)]
)
def test_the_time_to_wait_travels_with_the_error(status: int, kind: type) -> None:
    error = told(b"", status, **{"retry-after": "7"})
    assert type(error) is kind
    assert error.retry_after == 7.0
    assert error.worth_retrying
