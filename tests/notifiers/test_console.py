from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable

import pytest
from rich.console import Console

from benchmarks.gallery_samples import (
    HOSTILE_NAMES,
    hostile_key,
    hostile_scope,
    many,
    notification,
    runaway_key,
    typical,
)
from notifiers.base import DeliveryError
from notifiers.console import ConsoleNotifier
from rules.model import Alert, Notification


def printed(message: Notification, *, terminal: bool = False, width: int = 80) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=terminal, color_system="truecolor" if terminal else None)
    ConsoleNotifier("console", console).send(message)
    return stream.getvalue()


@pytest.mark.parametrize("title", typical())
def test_every_typical_message_fits_eighty_columns(title: str) -> None:
    assert max(map(len, printed(typical()[title]).splitlines())) <= 80


def test_key_name_id_and_money_are_there_and_colour_only_on_a_terminal() -> None:
    text = printed(notification(runaway_key()))
    assert "\x1b" not in text
    for part in ("batch-summariser", "apikey_01Rj2N8SVvo6BePZj99NhmiT", "$380.50", "$84.30 an hour", "10:00 UTC"):
        assert part in text
    assert "\x1b[1;31m" in printed(notification(runaway_key()), terminal=True)


@pytest.mark.parametrize("sample", [hostile_key, hostile_scope])
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_cannot_steer_the_terminal_or_rich(name: str, sample: Callable[[str], Alert]) -> None:
    text = printed(notification(sample(name)), width=400)
    assert {unicodedata.category(char) for char in text if char != "\n"}.isdisjoint({"Cc", "Cf", "Cs"})
    for markup in ("[red]", ":fire:", "*bold*", "<!channel>", "</script>"):
        assert (markup in text) == (markup in name)
    ours = printed(notification(sample("harmless")), terminal=True, width=400)
    theirs = printed(notification(sample(name)), terminal=True, width=400)
    assert theirs.count("\x1b") == ours.count("\x1b")


def test_a_stream_that_knows_only_ascii_still_gets_the_message() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    ConsoleNotifier("console", Console(file=stream, width=80)).send(notification(hostile_key("ключ")))
    stream.flush()
    assert b"spends $80.00/h" in raw.getvalue()


def test_a_crowd_is_printed_whole() -> None:
    text = printed(notification(*many(500)), width=400)
    assert all(f"(apikey_01{index:022d})" in text for index in range(500))


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_stream_that_takes_nothing_is_a_delivery_that_failed() -> None:
    with pytest.raises(DeliveryError, match="OSError") as caught:
        ConsoleNotifier("console", Console(file=FullDisk())).send(notification(runaway_key()))
    assert caught.value.retryable
    closed = io.StringIO()
    closed.close()
    with pytest.raises(DeliveryError, match="closed"):
        ConsoleNotifier("console", Console(file=closed, width=80)).send(notification(runaway_key()))
