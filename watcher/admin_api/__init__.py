"""The Admin API client: a reader that can only GET, and a key administrator with one verb.

    with connect(ConnectionSettings(base_url=…, admin_key=Secret(…))) as connection:
        reader = AdminReader(connection)
        for bucket in reader.usage(starting_at, ending_at, now=now): …

What comes back is in `answers`, `answers_analytics` and `answers_limits`, what can go wrong in `errors`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
        TooLarge,
        Unavailable,
    )
    from watcher.admin_api.grouping import GroupingMemory
    from watcher.admin_api.key_administrator import KeyAdministrator
    from watcher.admin_api.reader import AdminReader
    from watcher.admin_api.retrying import RetryPolicy
    from watcher.admin_api.transport import Connection, ConnectionSettings, RequestObservation, connect

_HOMES = {
    "AdminApiError": "errors",
    "AdminReader": "reader",
    "BadRequest": "errors",
    "BrokenPaging": "errors",
    "Connection": "transport",
    "ConnectionSettings": "transport",
    "GroupingMemory": "grouping",
    "KeyAdministrator": "key_administrator",
    "Malformed": "errors",
    "NotAuthenticated": "errors",
    "NotOffered": "errors",
    "RateLimited": "errors",
    "Refused": "errors",
    "RequestObservation": "transport",
    "RetryPolicy": "retrying",
    "TimedOut": "errors",
    "TooLarge": "errors",
    "Unavailable": "errors",
    "connect": "transport",
}
"""In which module each name is. They are imported when they are asked for: the shapes alone need no HTTP client."""

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
    "TooLarge",
    "Unavailable",
    "connect",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
