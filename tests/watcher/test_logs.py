"""What is logged, and what never is."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from watcher import logs

SECRET = "sk-ant-admin01-c4n4ry/with+signs"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    lines = io.StringIO()
    yield lines
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_secret_is_blotted_out_of_our_lines_and_of_every_librarys(stream: io.StringIO, style: str) -> None:
    logs.configure("debug", style, stream)  # type: ignore[arg-type]
    logs.redact([SECRET])
    logs.logger("ours").info("ours", value=SECRET, url=f"https://x/{SECRET}?a")
    logging.getLogger("a.library").debug("theirs %s", SECRET)
    try:
        raise RuntimeError(f"refused: {SECRET}")
    except RuntimeError:
        logs.logger("ours").exception("failed")
        logging.getLogger("a.library").exception("failed")
    text = stream.getvalue()
    assert "c4n4ry" not in text
    assert text.count(logs.REDACTED) >= 5


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_traceback_shows_no_local_variable_where_a_cut_or_wrapped_secret_would_not_be_known(
    stream: io.StringIO, style: str
) -> None:
    long = "sk-ant-admin01-" + 30 * "c4n4ry"
    logs.configure("debug", style, stream)  # type: ignore[arg-type]
    logs.redact([long])

    def send(header: str) -> None:
        raise OSError("the disk is full")

    try:
        send(long)
    except OSError as error:
        logs.logger("ours").exception("failed")
        logging.getLogger("a.library").exception("failed")
        logs.tell_uncaught(type(error), error, error.__traceback__)
    text = stream.getvalue()
    assert text.count("the disk is full") >= 3
    assert "c4n4ry" not in text


def test_the_quoted_form_of_a_secret_is_blotted_out_too(stream: io.StringIO) -> None:
    logs.configure("info", "text", stream)
    logs.redact([SECRET])
    logging.getLogger("a.library").info("GET /?key=sk-ant-admin01-c4n4ry%2Fwith%2Bsigns")
    assert "c4n4ry" not in stream.getvalue()


def test_json_lines_are_json_with_level_and_time(stream: io.StringIO) -> None:
    logs.configure("info", "json", stream)
    logs.logger("ours").info("cycle done", hours=3)
    logging.getLogger("a.library").warning("theirs")
    ours, theirs = map(json.loads, stream.getvalue().splitlines())
    assert (ours["event"], ours["hours"], ours["level"]) == ("cycle done", 3, "info")
    assert (theirs["event"], theirs["level"]) == ("theirs", "warning")
    assert ours["timestamp"].endswith("Z")


def test_the_libraries_that_log_whole_urls_are_quiet_even_at_debug(stream: io.StringIO) -> None:
    logs.configure("debug", "text", stream)
    logging.getLogger("httpx").info("HTTP Request: POST https://hooks.slack.com/services/T/B/X")
    logging.getLogger("httpcore.connection").debug("connect_tcp.started")
    assert stream.getvalue() == ""


def test_the_level_is_a_floor(stream: io.StringIO) -> None:
    logs.configure("warning", "text", stream)
    logs.logger("ours").info("quiet")
    logs.logger("ours").warning("heard")
    assert "quiet" not in stream.getvalue()
    assert "heard" in stream.getvalue()
