"""From a driver's error to the sentence a person can act on."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from watcher.store import errors


def sentence_for(error: DBAPIError, place: str) -> errors.StoreError:
    """The `StoreError` that tells what happened to the database called `place`, and what to do."""
    original = error.orig
    name = getattr(original, "sqlite_errorname", None)
    if name is not None:
        return _sqlite(str(name), place, str(original))
    if type(original).__module__.partition(".")[0] == "sqlite3":
        return _sqlite("", place, str(original))
    return _postgres(original, place)


def _sqlite(name: str, place: str, words: str) -> errors.StoreError:
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return errors.Locked(f"{place} is locked by another process: see what else has it open, then try again")
    if name == "SQLITE_FULL":
        return errors.DiskFull(f"the disk that holds {place} is full: nothing was written; make room and try again")
    if name == "SQLITE_NOTADB":
        return errors.NotADatabase(f"{place} is not a database of this program: move it away, or name another file")
    if name.startswith("SQLITE_CORRUPT"):
        return errors.NotADatabase(f"{place} is damaged ({words}): put a backup in its place")
    if name.startswith("SQLITE_READONLY") or name in {"SQLITE_PERM", "SQLITE_AUTH"}:
        return errors.NotWritable(f"{place} cannot be written to: check its owner and mode, and those of its folder")
    if name.startswith("SQLITE_CANTOPEN"):
        return errors.NotWritable(f"{place} cannot be opened: check its owner and mode, and those of its folder")
    if name.startswith("SQLITE_IOERR"):
        return errors.StoreError(f"reading or writing {place} failed ({words}): check the disk and its file system")
    return errors.StoreError(f"{place} refused a statement: {words}")


def _postgres(original: BaseException | None, place: str) -> errors.StoreError:
    state = str(getattr(original, "sqlstate", None) or "")
    words = (str(original).strip().splitlines() or ["no reason given"])[0]
    if not state or state.startswith(("08", "28", "3D", "57P")):
        return errors.Unreachable(f"the database server of {place} cannot be used: {words}")
    if state in {"53100", "54000"}:
        return errors.DiskFull(f"the disk that holds {place} is full: nothing was written; make room and try again")
    if state in {"55P03", "40001", "40P01"}:
        return errors.Locked(f"{place} is locked by another process: see what else has it open, then try again")
    if state in {"42501", "25006"}:
        return errors.NotWritable(f"{place} cannot be written to: {words}")
    return errors.StoreError(f"{place} refused a statement: {words}")
