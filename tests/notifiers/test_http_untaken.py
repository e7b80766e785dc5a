"""A failure says whether anything of the message left this machine."""

from __future__ import annotations

import socket

import pytest

from notifiers.base import DeliveryError
from notifiers.http import OutgoingHttp
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
