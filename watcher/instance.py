"""One instance: `run` and `poll` hold a lock on the store while they work, and a second one is refused.

SQLite: a lock (flock) on `DATABASE.lock` beside the database, which the kernel frees when its holder ends, however it
ends. The file itself stays: removing it would let two processes hold two files of one name. PostgreSQL: an advisory
lock.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from watcher.store import NoSuchFolder, NotWritable, advisory_lock, database_file


class AlreadyRunning(Exception):
    """Another process holds the store; the text is one sentence that names it."""

    exit_code: ClassVar[int] = 75


@contextmanager
def single_instance(store_url: str) -> Iterator[None]:
    """Hold the store's lock while the block runs.

    Raises `AlreadyRunning` at once where another process holds it, `UnknownStore`, `NoSuchFolder`, `NotWritable` or
    `Unreachable` where there is nothing to lock.
    """
    file = database_file(store_url)
    if file is not None:
        with _file_lock(file.with_name(f"{file.name}.lock")):
            yield
        return
    with advisory_lock(store_url) as holder:
        if holder is not None:
            raise AlreadyRunning(f"this store is in use by {holder}: stop that one first, or use another store")
        yield


def is_held(store_url: str) -> bool:
    """Whether a process runs on this store now. Raises `UnknownStore` and `Unreachable`."""
    file = database_file(store_url)
    if file is None:
        with advisory_lock(store_url) as holder:
            return holder is not None
    try:
        descriptor = os.open(file.with_name(f"{file.name}.lock"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    if not path.parent.is_dir():
        raise NoSuchFolder(f"the folder {path.parent} does not exist: create it, or let store.url name another")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise NotWritable(f"{path} cannot be written to: {(error.strerror or str(error)).lower()}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(_sentence(path, os.pread(descriptor, 32, 0))) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _sentence(path: Path, written: bytes) -> str:
    pid = written.decode(errors="replace").strip()
    who = f"process {pid}" if pid.isdigit() else "another process"
    return f"another watcher is running on this database already ({who} holds {path}): stop that one first"
