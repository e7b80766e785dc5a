"""The Admin API client: a reader that can only GET, and a key administrator with one verb.

    with connect(ConnectionSettings(base_url=…, admin_key=Secret(…))) as connection:
        reader = AdminReader(connection)
        for bucket in reader.usage(starting_at, ending_at, now=now): …

What comes back is in `answers`, `answers_analytics` and `answers_limits`, what can go wrong in `errors`.
"""

from watcher.admin_api.errors import (
    AdminApiError,
    BadRequest,
    BrokenPaging,
    Malformed,
    NotAuthenticated,
    NotOffered,
    RateLimited,
    Refused,
    TimedOut,
    Unavailable,
)
from watcher.admin_api.grouping import GroupingMemory
from watcher.admin_api.key_administrator import KeyAdministrator
from watcher.admin_api.reader import AdminReader
from watcher.admin_api.retrying import RetryPolicy
from watcher.admin_api.transport import Connection, ConnectionSettings, RequestObservation, connect

__all__ = [
    "AdminApiError",
    "AdminReader",
    "BadRequest",
    "BrokenPaging",
    "Connection",
    "ConnectionSettings",
    "GroupingMemory",
    "KeyAdministrator",
    "Malformed",
    "NotAuthenticated",
    "NotOffered",
    "RateLimited",
    "Refused",
    "RequestObservation",
    "RetryPolicy",
    "TimedOut",
    "Unavailable",
    "connect",
]
