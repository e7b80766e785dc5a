import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from watcher.instance import AlreadyRunning, is_held, single_instance
from watcher.store import NoSuchFolder, UnknownStore

HOLD = """
import sys, time
from watcher.instance import AlreadyRunning, single_instance
try:
    with single_instance(sys.argv[1]):
        print("holding", flush=True)
        time.sleep(float(sys.argv[2]))
except AlreadyRunning as refused:
    print("refused", flush=True)
    sys.exit(refused.exit_code)
"""


def start(url: str, seconds: float = 60) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", HOLD, url, str(seconds)], stdout=subprocess.PIPE, text=True)


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_whether_a_process_runs_is_told_without_making_anything_or_standing_in_its_way(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/w.db"
    assert not is_held(url)
    assert list(tmp_path.iterdir()) == []
    with start(url) as holder:
        assert first_line(holder) == "holding"
        assert is_held(url)
        holder.kill()
    assert not is_held(url)
    with single_instance(url):
        assert is_held(url)


def test_a_second_instance_is_refused_with_the_first_ones_pid(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/w.db"
    with start(url) as holder:
        assert first_line(holder) == "holding"
        with pytest.raises(AlreadyRunning, match=f"process {holder.pid} holds"), single_instance(url):
            pytest.fail("two instances at once")
        holder.kill()
    with single_instance(url):
        assert stat.S_IMODE((tmp_path / "w.db.lock").stat().st_mode) == 0o600
        assert (tmp_path / "w.db.lock").read_text() == f"{os.getpid()}\n"


def test_of_several_that_start_at_once_exactly_one_runs(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/w.db"
    processes = [start(url) for _ in range(4)]
    try:
        lines = [first_line(process) for process in processes]
        assert sorted(lines) == ["holding", "refused", "refused", "refused"]
        for process, line in zip(processes, lines, strict=True):
            if line == "refused":
                assert process.wait(60) == 75
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_the_lock_is_free_at_once_after_a_kill(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/w.db"
    with start(url) as holder:
        assert first_line(holder) == "holding"
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        began = time.monotonic()
        with single_instance(url):
            assert time.monotonic() - began < 30


def test_other_databases_are_not_locked(tmp_path: Path) -> None:
    with single_instance(f"sqlite:///{tmp_path}/a.db"), single_instance(f"sqlite:///{tmp_path}/b.db"):
        assert {path.name for path in tmp_path.iterdir()} == {"a.db.lock", "b.db.lock"}


def test_what_cannot_be_locked_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFolder, match="does not exist"), single_instance(f"sqlite:///{tmp_path}/no/w.db"):
        pytest.fail("locked in a folder that is not there")
    with pytest.raises(UnknownStore), single_instance("redis://x"):
        pytest.fail("locked what is no store")
