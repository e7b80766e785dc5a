import stat
import threading
from pathlib import Path

import pytest

from notifiers.base import DeliveryError
from rules.model import State
from tests.watcher.store.samples import DAY, HOUR, ORG, T0, anomaly, bucket, cost_day, cost_row, crossing, message, row
from watcher.store import AnalyticsHour, AnalyticsRow, BackupRefused, Judgement, Store, tables


def test_a_backup_of_a_database_in_use_is_one_state_of_it(tmp_path: Path) -> None:
    stop = threading.Event()
    with Store.open(f"sqlite:///{tmp_path}/w.db") as store:

        def write() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                with store.database.writing() as connection:
                    for name in ("left", "right"):
                        connection.execute(tables.journal.insert().values(at=number, actor=name, what="", details="{}"))

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(5):
                store.backup(tmp_path / f"copy{number}.db")
        finally:
            stop.set()
            writer.join()
    sizes = []
    for number in range(5):
        path = tmp_path / f"copy{number}.db"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with Store.open(f"sqlite:///{path}") as copy, copy.database.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            entries = copy.journal.list(limit=10**6)
            assert len([entry for entry in entries if entry.actor == "left"]) * 2 == len(entries)
            sizes.append(len(entries))
    assert sizes == sorted(sizes)


def test_a_backup_is_one_file_that_holds_everything(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    with Store.open(f"sqlite:///{tmp_path}/w.db") as store:
        store.usage.replace(ORG, [bucket(0, row("a", 3))], T0)
        told = AnalyticsHour(T0, (AnalyticsRow("ws_1", "a", "claude-m", "", "", output=7),))
        store.analytics.replace(ORG, [told], T0)
        with Store.open(f"sqlite:///{tmp_path}/w.db", read_only=True) as reader:
            reader.backup(tmp_path / "backups" / "copy.db")
    assert [path.name for path in (tmp_path / "backups").iterdir()] == ["copy.db"]
    with Store.open(f"sqlite:///{tmp_path}/backups/copy.db") as copy:
        assert copy.usage.read(ORG, T0, T0 + HOUR).output.tolist() == [3]
        assert copy.analytics.read(ORG, T0, T0 + HOUR).output.tolist() == [7]


def test_a_backup_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    with Store.open(f"sqlite:///{tmp_path}/w.db") as store:
        with pytest.raises(BackupRefused, match="exists already"):
            store.backup(tmp_path / "there")
        with pytest.raises(BackupRefused, match="does not exist"):
            store.backup(tmp_path / "nowhere" / "copy.db")
    assert (tmp_path / "there").read_text() == "mine"


@pytest.mark.outside
def test_the_backup_of_a_server_is_pg_dumps(postgres_url: str, tmp_path: Path) -> None:
    with Store.open(postgres_url) as store, pytest.raises(BackupRefused, match="pg_dump"):
        store.backup(tmp_path / "copy.db")


def test_retention_removes_what_is_older_and_nothing_else(store: Store) -> None:
    store.usage.replace(ORG, [bucket(hour, row(f"key_{hour // 24}", 1)) for hour in range(24 * 5)], T0 + 5 * DAY)
    store.costs.replace(ORG, [cost_day(day, cost_row(1)) for day in range(5)], T0 + 5 * DAY)
    for day in range(5):
        store.journal.append(T0 + day * DAY, "me", "note", {})
    assert store.prune(T0 + 3 * DAY) > 72
    columns = store.usage.read(ORG, T0, T0 + 9 * DAY)
    assert len(columns) == 48
    assert {key.api_key for key in columns.keys} == {"key_3", "key_4"}
    assert store.usage.span(ORG) == (T0 + 3 * DAY, T0 + 5 * DAY)
    assert [day.day for day in store.costs.read(ORG, T0.date(), (T0 + 9 * DAY).date())] == [
        (T0 + 3 * DAY).date(),
        (T0 + 4 * DAY).date(),
    ]
    assert len(store.journal.list()) == 2
    assert store.prune(T0 + 3 * DAY) == 0
    store.usage.replace(ORG, [bucket(99, row("key_0", 1))], T0 + 6 * DAY)
    assert store.usage.read(ORG, T0 + 99 * HOUR, T0 + 100 * HOUR).output.tolist() == [1]


def test_open_alerts_and_undelivered_messages_outlive_any_retention(store: Store) -> None:
    ended = T0 + HOUR
    alerts = (
        anomaly("open"),
        crossing("event", State.RESOLVED),
        anomaly("over", State.RESOLVED, ended),
        anomaly("recent", State.RESOLVED, T0 + 400 * DAY),
    )
    store.remember(Judgement(alerts=alerts, notifications=(message("sent", alerts[0]), message("waiting", alerts[2]))))
    store.outbox.delivered("sent", T0)
    store.outbox.failed("waiting", DeliveryError("no route", retryable=True), T0 + DAY, T0)
    store.prune(T0 + 300 * DAY)
    assert {alert.id for alert in store.alerts.list()} == {"open", "event", "recent"}
    assert [row.notification.id for row in store.outbox.pending()] == ["waiting"]
    assert store.outbox.deliveries("sent") == ()
    assert len(store.outbox.deliveries("waiting")) == 1
