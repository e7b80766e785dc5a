import os
import shutil
import sqlite3
import stat
import tempfile
import threading
from pathlib import Path

import pytest

from tests.watcher.store.samples import ORG, T0, bucket, row
from watcher.store import (
    DiskFull,
    Locked,
    NoSuchFolder,
    NotADatabase,
    NotWritable,
    Replaced,
    Store,
    StoreError,
    UnknownStore,
    Unreachable,
    database,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_database_and_its_logs_are_for_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Store.open(f"sqlite:///{tmp_path}/w.db") as store:
            store.usage.replace(ORG, [bucket(0, row())], T0)
            modes = {path.name: mode(path) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"w.db": 0o600, "w.db-wal": 0o600, "w.db-shm": 0o600}


def test_a_database_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path}/w.db").close()
    (tmp_path / "w.db").chmod(0o644)
    Store.open(f"sqlite:///{tmp_path}/w.db").close()
    assert mode(tmp_path / "w.db") == 0o600


def test_sqlite_is_set_up_to_lose_nothing_at_a_power_cut(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as store, store.database.reading() as connection:
        asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        answers = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in asked]
    assert answers == ["wal", 2, 1, 10_000]


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFolder, match=f"the folder {tmp_path}/nowhere does not exist"):
        Store.open(f"sqlite:///{tmp_path}/nowhere/w.db")


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotADatabase, match="is a folder"):
        Store.open(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_database_is_refused_and_left_alone(read_only: bool, tmp_path: Path) -> None:
    (tmp_path / "w.db").write_text("dear diary, " * 1000)
    with pytest.raises(NotADatabase, match=r"w\.db is not a database of this program"):
        Store.open(f"sqlite:///{tmp_path}/w.db", read_only=read_only)
    assert (tmp_path / "w.db").read_text() == "dear diary, " * 1000


def test_a_database_that_may_not_be_written_to_is_refused() -> None:
    folder = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    try:
        Store.open(f"sqlite:///{folder}/w.db").close()
        (folder / "w.db").chmod(0o444)
        folder.chmod(0o555)
        if root:  # who may write everywhere
            os.seteuid(65534)
        with pytest.raises(NotWritable, match=r"w\.db cannot be written to: permission denied"):
            Store.open(f"sqlite:///{folder}/w.db")
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o700)
        shutil.rmtree(folder)


def test_a_full_disk_is_told_and_the_transaction_leaves_nothing(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as store:
        store.cursor.set("before", "there")
        with store.database.writing() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(DiskFull, match=r"the disk that holds .*w\.db is full"):
            store.journal.append(T0, "me", "fill", {"text": "x" * 100_000})
        assert store.journal.list() == ()
        assert store.cursor.get("before") == "there"


def test_a_database_that_is_removed_or_replaced_in_use_takes_no_writing_that_would_be_lost(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as store:
        store.cursor.set("x", "before")
        (tmp_path / "w.db").rename(tmp_path / "aside.db")
        with pytest.raises(Replaced, match=r"w\.db was removed or replaced while this program used it.*restart it"):
            store.cursor.set("x", "lost")
        (tmp_path / "w.db").write_bytes(b"")
        with pytest.raises(Replaced):
            store.cursor.set("x", "lost")
        (tmp_path / "aside.db").rename(tmp_path / "w.db")
        store.cursor.set("x", "after")
        assert store.cursor.get("x") == "after"


def test_a_database_that_another_process_holds_for_too_long_is_told_as_locked(
    tmp_path: Path,
) -> None:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as store:
        other = sqlite3.connect(tmp_path / "w.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            assert store.cursor.get("reading") is None  # readers are not kept out
            with store.database.raw() as connection:
                connection.execute("PRAGMA busy_timeout = 50")
            with pytest.raises(Locked, match="locked by another process"):
                store.cursor.set("x", "y")
        finally:
            other.close()
        store.cursor.set("x", "y")
        assert store.cursor.get("x") == "y"


def test_writers_in_several_threads_take_turns(store: Store) -> None:
    def count() -> None:
        for _ in range(20):
            store.cursor.add("count", 1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.cursor.get("count") == "80"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://root:s3cret@host/db",
        "postgresql://me:s3cret@host",
        "s3cret",
        "",
        "sqlite+aiosqlite:///x",
    ],
)
def test_a_url_that_names_no_usable_store_is_refused_without_telling_its_password(url: str) -> None:
    with pytest.raises(UnknownStore, match="the store must be") as refused:
        Store.open(url)
    assert "s3cret" not in str(refused.value)


@pytest.mark.outside
def test_a_server_that_cannot_be_reached_is_told_without_the_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    with pytest.raises(Unreachable, match=r"\*\*\*") as refused:
        Store.open(f"postgresql://me:s3cret@/db?host={tmp_path}")
    assert "s3cret" not in str(refused.value)


def test_every_refusal_is_a_store_error_of_one_line() -> None:
    assert issubclass(DiskFull, StoreError)
    assert issubclass(NotWritable, StoreError)
    assert database.database_file("sqlite:///a/b.db") == Path("a/b.db")
    assert database.database_file("postgresql://host/db") is None
