"""A back-fill killed in the middle, with a real SIGKILL, goes on where it was."""

import sqlite3
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

from tests.watcher.store.samples import DAY, HOUR, ORG, T0, row
from tests.watcher.store.scripted import PollSettings, ScriptedReader
from watcher.ingest import Plan, ingest
from watcher.store import Store

NOW = T0 + 9 * DAY + 10.5 * HOUR
DAYS = 6
SETTINGS = PollSettings(backfill=timedelta(days=DAYS))

KILLED = """
import os, signal, sys
from tests.watcher.store.samples import ORG
from tests.watcher.test_ingest_kill import NOW, SETTINGS, a_reader
from watcher.ingest import Plan, ingest
from watcher.store import Store

def kill_in_the_middle_of_a_transaction(done, total):
    if done == 2:
        with store.database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM usage_blocks")
            os.kill(os.getpid(), signal.SIGKILL)

store = Store.open(sys.argv[1])
plan = Plan.due(store, ORG, NOW, SETTINGS)
ingest(a_reader(), store, ORG, NOW, plan, kill_in_the_middle_of_a_transaction)
"""


def a_reader() -> ScriptedReader:
    return ScriptedReader(lambda hour: (row("key_a", hour.hour), row(None, hour.day)), today=NOW.date())


def test_a_back_fill_that_was_killed_resumes_where_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/w.db"
    killed = subprocess.run([sys.executable, "-c", KILLED, url], check=False, capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    connection = sqlite3.connect(tmp_path / "w.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    first = T0 + 3 * DAY
    with Store.open(url) as store:
        assert store.usage.span(ORG) == (first, first + 2 * DAY)
        assert len(store.usage.read(ORG, first, NOW)) == 2 * 24 * 2
        plan = Plan.due(store, ORG, NOW, SETTINGS)
        assert [part.start for part in plan.backfill] == [first + n * DAY for n in range(2, DAYS)]
        reader = a_reader()
        done = ingest(reader, store, ORG, NOW, plan)
        assert done.failures == {}
        asked = [call[1] for call in reader.calls if call[0] == "usage"]
        assert min(asked) == first + 2 * DAY
        found = {each.starting_at: Counter(each.rows) for each in store.usage.buckets(ORG, first, NOW)}
    expected = a_reader().usage(first, NOW)
    assert found == {each.starting_at: Counter(each.rows) for each in expected}
