import sqlite3
from datetime import date, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from watcher.store import (
    AnalyticsHour,
    AnalyticsRow,
    Bound,
    NoDatabase,
    NotADatabase,
    SchemaTooNew,
    SchemaTooOld,
    SeriesKey,
    Store,
    schema,
    tables,
)
from watcher.store.database import Database
from watcher.store.times import EPOCH

_KEY = SeriesKey("ws", "key", "m", "", "", "", "")


def test_an_empty_database_is_migrated_to_exactly_the_tables_the_code_knows(tmp_path: Path) -> None:
    _knows_its_tables(f"sqlite:///{tmp_path}/w.db")


@pytest.mark.outside
def test_an_empty_postgresql_database_is_migrated_to_exactly_the_tables_the_code_knows(postgres_url: str) -> None:
    _knows_its_tables(postgres_url)


def _knows_its_tables(url: str) -> None:
    _migrated(url)
    with Store.open(url) as store, store.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_a_database_that_is_made_at_once_is_what_all_migrations_come_to(tmp_path: Path) -> None:
    _migrated(f"sqlite:///{tmp_path}/steps.db")
    Store.open(f"sqlite:///{tmp_path}/once.db").close()
    steps, once = _as_sqlite_keeps_it(tmp_path / "steps.db"), _as_sqlite_keeps_it(tmp_path / "once.db")
    assert "alembic_version" in {name for _, name, *_ in once}
    assert once == steps
    assert _version(tmp_path / "once.db") == _version(tmp_path / "steps.db") == schema.HEAD


def _migrated(url: str) -> None:
    """An empty database with the tables that all migrations come to, one after the other."""
    database = Database(url)
    config = Config()
    config.set_main_option("script_location", "watcher.store:migrations")
    try:
        with database.writing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        database.close()


def _as_sqlite_keeps_it(path: Path) -> list[tuple[object, ...]]:
    """Every table and index with its columns (sorted: a migration can only add them at the end) and its settings."""
    connection = sqlite3.connect(path)
    try:
        tables = connection.execute("SELECT name, type, strict, wr FROM pragma_table_list WHERE schema = 'main'")
        found: list[tuple[object, ...]] = []
        for name, *rest in tables.fetchall():
            columns = connection.execute(
                'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?)', [name]
            )
            found.append(("table", name, *rest, *sorted(columns.fetchall(), key=repr)))
        indexes = connection.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'index'").fetchall()
        for name, table in indexes:
            parts = connection.execute('SELECT seqno, name, "desc", coll FROM pragma_index_xinfo(?)', [name]).fetchall()
            found.append(("index", name, table, *parts))
        return sorted(found, key=repr)
    finally:
        connection.close()


def test_an_sqlite_database_has_strict_tables_throughout(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as store, store.database.reading() as connection:
        listed = connection.exec_driver_sql("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").all()
    ours = {name: strict for name, strict in listed if name in tables.metadata.tables}
    assert set(ours) == set(tables.metadata.tables)
    assert all(ours.values())


def test_the_version_that_the_code_expects_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "watcher.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


def test_opening_twice_migrates_once(store_url: str) -> None:
    for _ in range(2):
        with Store.open(store_url) as store:
            store.cursor.set("here", "still")
    with Store.open(store_url, read_only=True) as store:
        assert store.cursor.get("here") == "still"


@pytest.mark.parametrize("read_only", [False, True])
def test_a_schema_newer_than_the_program_is_refused_and_left_alone(read_only: bool, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/w.db"
    Store.open(url).close()
    with sqlite3.connect(tmp_path / "w.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(SchemaTooNew, match=r"^.*w\.db was written by a newer version .*9999.*$"):
        Store.open(url, read_only=read_only)
    assert _version(tmp_path / "w.db") == "9999"


def test_an_older_schema_is_not_migrated_by_a_reader(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/w.db"
    Store.open(url).close()
    with sqlite3.connect(tmp_path / "w.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    with pytest.raises(SchemaTooOld, match="older version"):
        Store.open(url, read_only=True)


def _of_the_first_version(store_url: str) -> None:
    """An empty database with the tables of version 0001, and an hour of usage in it."""
    database = Database(store_url)
    config = Config()
    config.set_main_option("script_location", "watcher.store:migrations")
    try:
        with database.writing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
            connection.exec_driver_sql("INSERT INTO series VALUES (1, 'org', 'ws', 'key', 'm', '', '', '', '')")
            connection.exec_driver_sql("INSERT INTO series VALUES (2, 'other', 'ws', 'key', 'm', '', '', '', '')")
            connection.exec_driver_sql("INSERT INTO usage_hours VALUES (490000, 1, 1, 2, 3, 4, 5, 6)")
            connection.exec_driver_sql("INSERT INTO usage_hours VALUES (490000, 2, 9, 9, 9, 9, 9, 9)")
            for owner, hour, rows, tokens in (("org", 490000, 1, 15), ("org", 490001, 0, 0), ("other", 490000, 1, 45)):
                connection.execute(
                    text("INSERT INTO usage_buckets VALUES (:owner, :hour, :digest, '', :rows, :tokens, 0, 0, 0)"),
                    {"owner": owner, "hour": hour, "digest": b"", "rows": rows, "tokens": tokens},
                )
            connection.execute(
                text("INSERT INTO cost_days VALUES ('org', 20416, :digest, 7, 2, 0, 0, 0, 1, 0)"), {"digest": b""}
            )
            remembered = {"organization": "org", "judgement": "{}", "last_cycle_at": "then", "pruned_at": "once"}
            for name, value in remembered.items():
                connection.execute(text("INSERT INTO cursor VALUES (:name, :value)"), {"name": name, "value": value})
            for place, line, amount in ((0, "NULL, 'Tokens'", 9), (1, "'', NULL", -2)):
                rest = f"{line}, NULL, 'm', NULL, NULL, NULL, NULL, NULL, {amount}"
                connection.exec_driver_sql(f"INSERT INTO cost_rows VALUES ('org', 20416, {place}, {rest})")
    finally:
        database.close()


def test_a_database_of_the_first_version_is_migrated_and_keeps_what_it_holds(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/w.db"
    _of_the_first_version(url)
    _is_whole(url)


@pytest.mark.outside
def test_a_postgresql_database_of_the_first_version_is_migrated_too(postgres_url: str) -> None:
    _of_the_first_version(postgres_url)
    _is_whole(postgres_url)


def _is_whole(url: str) -> None:
    with pytest.raises(SchemaTooOld, match="older version"):
        Store.open(url, read_only=True)
    hour = EPOCH + 490_000 * timedelta(hours=1)
    with Store.open(url) as store:
        columns = store.usage.read("org", hour, hour + timedelta(hours=2))
        assert (columns.keys, columns.hour.tolist(), columns.series.tolist()) == ((_KEY,), [490_000], [0])
        assert columns.output.tolist() == [5]
        assert store.usage.read("other", hour, hour + timedelta(hours=2)).output.tolist() == [9]
        (day,) = store.costs.read("org", date(2025, 1, 1), date(2027, 1, 1))
        told = [(row.workspace_id, row.description, row.model, row.amount) for row in day.rows]
        assert told == [(None, "Tokens", "m", 9), ("", None, "m", -2)]
        assert len(store.usage.buckets("org", hour, hour + timedelta(hours=2))) == 2
        assert store.organizations.all() == (Bound("org", ""),)
        assert [store.cursor.get(name, "org") for name in ("judgement", "last_cycle_at")] == ["{}", "then"]
        assert (store.cursor.get("pruned_at"), store.cursor.get("pruned_at", "org")) == ("once", None)
        told = AnalyticsHour(hour, (AnalyticsRow("ws", "key", "m", "", "", output=9),))
        store.analytics.replace("org", [told], hour + timedelta(days=1))
        assert store.analytics.read("org", hour, hour + timedelta(hours=1)).output.tolist() == [9]
        with store.database.reading() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, tables.metadata) == []


def test_another_programs_tables_are_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "w.db") as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(NotADatabase, match="another program's tables"):
        Store.open(f"sqlite:///{tmp_path}/w.db")


def test_a_reader_does_not_make_a_database(tmp_path: Path) -> None:
    with pytest.raises(NoDatabase, match="there is no database at"):
        Store.open(f"sqlite:///{tmp_path}/w.db", read_only=True)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "w.db").touch()
    with pytest.raises(NoDatabase, match="is empty"):
        Store.open(f"sqlite:///{tmp_path}/w.db", read_only=True)


@pytest.mark.outside
def test_an_empty_postgresql_database_is_migrated_too(postgres_url: str) -> None:
    with pytest.raises(NoDatabase, match="is empty"):
        Store.open(postgres_url, read_only=True)
    with Store.open(postgres_url.replace("postgresql+psycopg", "postgresql")) as store:
        assert store.usage.span("org") is None


def _version(path: Path) -> str:
    connection = sqlite3.connect(path)
    try:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    finally:
        connection.close()
