"""A failure says whether anything of the message left this machine."""

from __future__ import annotations

import socket

import pytest

from notifiers.base import DeliveryError
from notifiers.http import OutgoingHttp
from notifiers.slack_api import SlackApi
from tests.slack_workspace import BOT_TOKEN, CHANNEL, Refusal, slack_workspace
from tests.stage import Listener


def failure(url: str, http: OutgoingHttp) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        http.post(url, json={}, allow_private=True)
    return caught.value


def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert failure(f"http://127.0.0.1:{taken.getsockname()[1]}/", OutgoingHttp()).untaken


def test_where_the_name_has_no_address_nothing_was_sent() -> None:
    def nowhere(*_: object) -> list[object]:
        raise OSError

    assert failure("http://hook.example/", OutgoingHttp(resolve=nowhere)).untaken  # type: ignore[arg-type]


def test_what_was_answered_with_an_error_or_not_in_time_may_have_been_taken() -> None:
    with Listener(answer=503) as busy, Listener(delay=2.0) as slow:
        assert not failure(busy.url, OutgoingHttp()).untaken
        assert not failure(slow.url, OutgoingHttp(timeout=0.2)).untaken


@pytest.mark.parametrize(
    ("word", "untaken", "of_message"),
    [
        ("token_revoked", True, False),
        ("not_in_channel", True, False),
        ("ratelimited", True, False),
        ("internal_error", False, False),
        ("msg_too_long", False, True),
        ("never_heard_of", False, True),
    ],
)
def test_what_slack_says_no_to_for_whoever_asks_was_not_taken(word: str, untaken: bool, of_message: bool) -> None:
    with slack_workspace() as workspace:
        api = SlackApi(BOT_TOKEN, OutgoingHttp(), f"{workspace.url}/api", allow_private=True)
        workspace.refuse("chat.postMessage", Refusal(word))
        with pytest.raises(DeliveryError) as caught:
            api.call(lambda client: client.chat_postMessage(channel=CHANNEL, text="x"))
    assert (caught.value.untaken, caught.value.of_message) == (untaken, of_message)


@pytest.mark.parametrize(
    ("status", "untaken", "of_message"),
    [
        *((status, True, False) for status in (302, 401, 403, 404, 407, 410, 429)),
        *((status, False, True) for status in (400, 413, 422, 500)),
        *((status, False, False) for status in (408, 502, 503, 504)),
    ],
)
def test_a_status_says_whether_it_was_taken_and_whose_fault_it_is(status: int, untaken: bool, of_message: bool) -> None:
    with Listener(answer=status) as answering:
        told = failure(answering.url, OutgoingHttp())
    assert (told.untaken, told.of_message) == (untaken, of_message)
