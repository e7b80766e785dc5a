"""An Admin API with nothing but keys, behind the real client: it can be late, lose answers, refuse, and be killed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal

import httpx

from watcher.admin_api import AdminReader, Connection, ConnectionSettings, KeyAdministrator, RetryPolicy, connect
from watcher.secret import Secret

Fault = Literal["lost before", "lost after", "refused", "limited", "unavailable", "killed before", "killed after"]
FAULTS: tuple[Fault, ...] = (
    "lost before",
    "lost after",
    "refused",
    "limited",
    "unavailable",
    "killed before",
    "killed after",
)
CREATED = datetime(2026, 1, 1, tzinfo=UTC)


class Killed(BaseException):
    """The program ends here, as by SIGKILL: nothing after this runs."""


@dataclass
class KeyApi:
    """Keys by id with their statuses. `faults` are used up one a request, the first first; None is none."""

    keys: dict[str, str]
    on_write: Callable[[str, str], None] = lambda _key, _status: None
    """Called before a write takes effect, with the key and its new status."""
    on_request: Callable[[], None] = lambda: None
    """Called before each request is answered."""
    faults: list[Fault | None] = field(default_factory=list)
    writes: list[tuple[str, str]] = field(default_factory=list)
    """Every write that took effect."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Every request, method and key."""

    def connection(self) -> Connection:
        settings = ConnectionSettings(
            "https://api.example",
            Secret("sk-ant-admin01-x"),
            timeout_seconds=5,
            budget_seconds=5,
            retries=RetryPolicy(attempts=1),
        )
        return connect(settings, transport=httpx.MockTransport(self._answer), pause=lambda _seconds: None)

    @cached_property
    def hands(self) -> tuple[AdminReader, KeyAdministrator]:
        """What reads and changes its keys."""
        over = self.connection()
        return AdminReader(over), KeyAdministrator(over)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        ident = request.url.path.rpartition("/")[2]
        self.asked.append((request.method, ident))
        self.on_request()
        fault = self.faults.pop(0) if self.faults else None
        if fault == "killed before":
            raise Killed
        if fault == "lost before":
            raise httpx.ConnectError("no way", request=request)
        if fault == "refused":
            return _error(400, "invalid_request_error", "it may not be changed")
        if fault == "limited":
            return _error(429, "rate_limit_error", "too many")
        if fault == "unavailable":
            return _error(529, "overloaded_error", "busy")
        if ident not in self.keys:
            return _error(404, "not_found_error", "no such key")
        if request.method == "POST":
            status = json.loads(request.content)["status"]
            self.on_write(ident, status)
            self.keys[ident] = status
            self.writes.append((ident, status))
        if fault == "killed after":
            raise Killed
        if fault == "lost after":
            raise httpx.ReadTimeout("too late", request=request)
        return httpx.Response(200, json=self.shown(ident))

    def shown(self, ident: str) -> dict[str, object]:
        return {
            "id": ident,
            "type": "api_key",
            "name": ident,
            "status": self.keys[ident],
            "workspace_id": "wrk-a",
            "created_at": CREATED.isoformat().replace("+00:00", "Z"),
            "created_by": {"id": "user_1", "type": "user"},
            "partial_key_hint": "sk-ant-api03-R2D...igAA",
        }


def _error(status: int, kind: str, message: str) -> httpx.Response:
    return httpx.Response(status, json={"type": "error", "error": {"type": kind, "message": message}})
