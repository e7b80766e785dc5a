"""What can go wrong with the database, each in one sentence that says what to do.

    StoreError
    ├── UnknownStore    the URL names no database that this program can use
    ├── NoSuchFolder    the folder that the database should lie in does not exist
    ├── NoDatabase      opened for reading only, and nothing is there yet
    ├── NotADatabase    the file is something else, or is damaged
    ├── NotWritable     the file, its folder or the file system may not be written to
    ├── Replaced        the file was removed, or another one was put in its place, while it was in use
    ├── DiskFull        there is no room left
    ├── Locked          another process holds the database for too long
    ├── Unreachable     a PostgreSQL server cannot be reached, or broke the connection off
    ├── SchemaTooNew    a newer version of this program has made it
    ├── SchemaTooOld    opened for reading only, and it has to be migrated first
    └── BackupRefused   a copy cannot be made as asked

A password in a URL never appears in a message.
"""


class StoreError(Exception):
    """The database cannot be used as asked; the text is one sentence."""


class UnknownStore(StoreError):
    """The URL names no database that this program can use."""


class NoSuchFolder(StoreError):
    """The folder that the database should lie in does not exist."""


class NoDatabase(StoreError):
    """There is nothing to read yet."""


class NotADatabase(StoreError):
    """The file is no database, or is damaged."""


class NotWritable(StoreError):
    """The file, its folder or the file system may not be written to."""


class Replaced(StoreError):
    """The file was removed, or another one was put in its place, while it was in use."""


class DiskFull(StoreError):
    """There is no room left; nothing of the transaction was kept."""


class Locked(StoreError):
    """Another process holds the database for longer than the busy timeout."""


class Unreachable(StoreError):
    """A PostgreSQL server cannot be reached, or broke the connection off."""


class SchemaTooNew(StoreError):
    """A newer version of this program has made the database."""


class SchemaTooOld(StoreError):
    """The database has to be migrated first, and was opened for reading only."""


class BackupRefused(StoreError):
    """A copy cannot be made as asked."""
