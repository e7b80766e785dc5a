"""Stores to test: SQLite always, and PostgreSQL where its server is installed; every test gets an empty one."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from watcher.store import Store, tables


def _postgres_programs() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return versions[-1] if versions else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of our own, on a socket in a folder; its URL without the database."""
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = _postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (initdb not found)")
    as_user: list[str] = []
    folder = Path(tempfile.mkdtemp(prefix="watcher-pg-"))
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("PostgreSQL refuses to run as root, and setpriv is not there")
        as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        os.chown(folder, 65534, 65534)
    data = folder / "data"
    options = "-c listen_addresses= -c fsync=off -c full_page_writes=off -c shared_buffers=32MB -k " + str(folder)
    try:
        subprocess.run(
            [*as_user, programs / "initdb", "-D", data, "-U", "watcher", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        log = folder / "log"
        subprocess.run(
            [*as_user, programs / "pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        with psycopg.connect(host=str(folder), user="watcher", dbname="postgres"):
            pass
        yield f"postgresql+psycopg://watcher@/%s?host={folder}"
    finally:
        if data.exists():
            subprocess.run(
                [*as_user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"],
                check=False,
                capture_output=True,
                cwd=folder,
            )
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """The URL of an empty PostgreSQL database."""
    import psycopg  # noqa: PLC0415 (an extra; the fixture above skips without it)

    name = f"w{uuid.uuid4().hex}"
    folder = postgres.partition("host=")[2]
    with psycopg.connect(host=folder, user="watcher", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres % name


@pytest.fixture(scope="session")
def shared_postgres_url(postgres: str) -> str:
    """The URL of a PostgreSQL database that one test after another uses."""
    import psycopg  # noqa: PLC0415 (see above)

    with psycopg.connect(
        host=postgres.partition("host=")[2], user="watcher", dbname="postgres", autocommit=True
    ) as admin:
        admin.execute("CREATE DATABASE shared")
    return postgres % "shared"


def _emptied(url: str) -> str:
    with Store.open(url) as store, store.database.writing() as connection:
        names = ", ".join(table.name for table in tables.metadata.sorted_tables)
        connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY")
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.outside)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store without a row in it, of each kind in turn."""
    if request.param == "postgresql":
        return _emptied(str(request.getfixturevalue("shared_postgres_url")))
    return f"sqlite:///{tmp_path}/watcher.db"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """A store without a row in it, of each kind in turn."""
    with Store.open(store_url) as opened:
        yield opened
