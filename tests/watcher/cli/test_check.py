"""How `watcher check` says its sentences: one a line where they are read by programs, wrapped on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stage import BUDGET, environment, receiver, write_config

TOLD = 'Budget "organization": $100 a month (UTC) for the whole organization; tells once a month at 50 % ($50).'
WIDTH = 60


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path, "http://127.0.0.1:9", BUDGET + receiver("hook", "http://127.0.0.1:9/"))


def on_a_terminal(*arguments: str | Path) -> tuple[int, str]:
    """What a command writes to a terminal of `WIDTH` columns, on both ways out; and its exit code."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "watcher", *map(str, arguments)]
    env = environment(COLUMNS=str(WIDTH), TERM="xterm")
    with subprocess.Popen(command, env=env, stdout=follower, stderr=follower, stdin=subprocess.DEVNULL) as process:
        os.close(follower)
        written = b""
        while chunk := _read(leader):
            written += chunk
        code = process.wait(60)
    os.close(leader)
    return code, written.decode()


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65_536)
    except OSError:  # as Linux says that nobody holds the other end any more
        return b""


def test_each_sentence_is_a_line_of_its_own_where_no_terminal_is(config: Path) -> None:
    command = [sys.executable, "-m", "watcher", "check", "-c", str(config)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, check=True)
    assert f"  {TOLD}" in done.stdout.splitlines()
    assert all(line.endswith(".") for line in done.stdout.splitlines())
    assert all(line.startswith("warning: ") for line in done.stderr.splitlines())


def test_on_a_terminal_sentences_wrap_under_their_own_beginning(config: Path) -> None:
    code, out = on_a_terminal("check", "-c", config)
    lines = out.splitlines()
    assert code == 0
    assert max(map(len, lines)) <= WIDTH
    at = next(index for index, line in enumerate(lines) if line.startswith('  Budget "organization"'))
    assert lines[at + 1].startswith("  ")
    assert " ".join(f"{lines[at]} {lines[at + 1]}".split()) in TOLD
    assert len(lines[at]) > WIDTH - 20


def test_on_a_terminal_what_is_wrong_wraps_too(config: Path) -> None:
    config.write_text(config.read_text().replace("limit_usd = 100", 'timezone = "UTC+2"'))
    code, out = on_a_terminal("check", "-c", config)
    lines = out.splitlines()
    assert code == 3
    at = next(index for index, line in enumerate(lines) if line.startswith("  budget[0].timezone: "))
    assert max(map(len, lines[at:])) <= WIDTH
    assert lines[at + 1].startswith("  ")
