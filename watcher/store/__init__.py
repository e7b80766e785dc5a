"""The store: what the program knows and has decided, in SQLite by default and in PostgreSQL by URL."""

from watcher.store.analytics import AnalyticsColumns, AnalyticsHour, AnalyticsRow, AnalyticsState, Asked
from watcher.store.costs import CostDay, DayState
from watcher.store.database import database_file
from watcher.store.errors import (
    BackupRefused,
    DiskFull,
    Locked,
    NoDatabase,
    NoSuchFolder,
    NotADatabase,
    NotWritable,
    Replaced,
    SchemaTooNew,
    SchemaTooOld,
    StoreError,
    UnknownStore,
    Unreachable,
)
from watcher.store.held import Held
from watcher.store.journal import Command, Entry
from watcher.store.listings import Change, Listed
from watcher.store.lock import advisory_lock
from watcher.store.lookups import Lookup
from watcher.store.organizations import Bound, Refusal
from watcher.store.outbox import GIVEN_UP_AFTER, Delivery, OutboxRow
from watcher.store.revisions import Revision
from watcher.store.series import SeriesKey
from watcher.store.store import Judgement, Store
from watcher.store.usage import BucketState, UsageColumns

__all__ = [
    "GIVEN_UP_AFTER",
    "AnalyticsColumns",
    "AnalyticsHour",
    "AnalyticsRow",
    "AnalyticsState",
    "Asked",
    "BackupRefused",
    "Bound",
    "BucketState",
    "Change",
    "Command",
    "CostDay",
    "DayState",
    "Delivery",
    "DiskFull",
    "Entry",
    "Held",
    "Judgement",
    "Listed",
    "Locked",
    "Lookup",
    "NoDatabase",
    "NoSuchFolder",
    "NotADatabase",
    "NotWritable",
    "OutboxRow",
    "Refusal",
    "Replaced",
    "Revision",
    "SchemaTooNew",
    "SchemaTooOld",
    "SeriesKey",
    "Store",
    "StoreError",
    "UnknownStore",
    "Unreachable",
    "UsageColumns",
    "advisory_lock",
    "database_file",
]
