"""Signals are heard whenever they come, and none of them stops the one who waits for them."""

from __future__ import annotations

import subprocess
import sys

from watcher.signals import Signals

STORM = """\
import os, signal, threading, time
from watcher.signals import Signals

signals = Signals()
signals.listen()
heard = 0

def storm():
    for _ in range(20_000):
        os.kill(os.getpid(), signal.SIGHUP)
    while True:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)

threading.Thread(target=storm, daemon=True).start()
while signals.wait() != "end":
    heard += 1
print("ended after", heard)
"""


def test_a_storm_of_signals_while_it_waits_and_works_loses_none_and_blocks_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", STORM], capture_output=True, timeout=60, check=False, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout.removeprefix("ended after ")) > 0


def test_several_reloads_are_one_and_an_end_comes_before_them() -> None:
    signals = Signals()
    signals.ask("reload")
    signals.ask("reload")
    assert signals.wait() == "reload"
    signals.ask("reload")
    signals.ask("end")
    assert signals.wait() == "end"
