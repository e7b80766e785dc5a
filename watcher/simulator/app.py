"""The web application: routes, credentials, faults and the error envelope around the endpoints."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from watcher.simulator import routes_analytics as analytics
from watcher.simulator import routes_directory as directory
from watcher.simulator import routes_limits as limits
from watcher.simulator import routes_reports as reports
from watcher.simulator.analytics import Analytics
from watcher.simulator.analytics_report import AnalyticsReports
from watcher.simulator.answering import Asked, Json
from watcher.simulator.billing import Billing
from watcher.simulator.errors import ApiError, not_found
from watcher.simulator.faults import Fault
from watcher.simulator.requests import SeenRequest, authenticate
from watcher.simulator.world import World

Endpoint = Callable[[Asked], Awaitable[Json]]
REMEMBERED_REQUESTS = 20_000

_BASE = "/v1/organizations"
_ENDPOINTS: dict[str, dict[str, Endpoint]] = {
    "/me": {"GET": directory.organization_me},
    "/workspaces": {"GET": directory.list_workspaces},
    "/workspaces/{workspace_id}": {"GET": directory.get_workspace, "POST": directory.update_workspace},
    "/workspaces/{workspace_id}/members": {"GET": directory.list_members},
    "/users": {"GET": directory.list_users},
    "/users/{user_id}": {
        "GET": directory.get_user,
        "POST": directory.update_user,
        "DELETE": directory.remove_user,
    },
    "/invites": {"GET": directory.list_invites, "POST": directory.create_invite},
    "/invites/{invite_id}": {"GET": directory.get_invite, "DELETE": directory.delete_invite},
    "/api_keys": {"GET": directory.list_keys},
    "/api_keys/{api_key_id}": {"GET": directory.get_key, "POST": directory.update_key},
    "/usage_report/messages": {"GET": reports.messages_usage},
    "/usage_report/claude_code": {"GET": reports.claude_code_usage},
    "/cost_report": {"GET": reports.cost},
}
_ANALYTICS: dict[str, dict[str, Endpoint]] = {
    "/analytics/cost": {"GET": analytics.analytics_cost},
    "/analytics/usage": {"GET": analytics.analytics_usage},
}
_LIMITS: dict[str, dict[str, Endpoint]] = {
    "/spend_limits": {"GET": limits.list_spend_limits},
    "/spend_limits/effective": {"GET": limits.list_effective_spend_limits},
    "/rate_limits": {"GET": limits.list_rate_limits},
    "/workspaces/{workspace_id}/rate_limits": {"GET": limits.list_workspace_rate_limits},
}
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_MAINTENANCE = "<!doctype html><html><head><title>503</title></head><body>Down for maintenance.</body></html>"


class AdminApi:
    """The Admin API of one world.

    `now` gives the simulated moment (aware UTC). `disconnect` breaks a client's connection: with False at once, with
    True after what was sent has gone out; without it, faults that need it are answered with a 500.
    """

    def __init__(
        self,
        world: World,
        now: Callable[[], datetime],
        disconnect: Callable[[tuple[str, int], bool], None] | None = None,
    ) -> None:
        self.world = world
        self.requests: deque[SeenRequest] = deque(maxlen=REMEMBERED_REQUESTS)
        self.writes: deque[SeenRequest] = deque(maxlen=REMEMBERED_REQUESTS)
        self._now = now
        self._disconnect = disconnect
        self._billing = Billing(world)
        self._analytics = AnalyticsReports(world, Analytics(world, self._billing))
        self._numbers = itertools.count(1)

    def starlette(self) -> Starlette:
        """The ASGI application."""
        offered = _ENDPOINTS | (_ANALYTICS if self.world.analytics else {}) | (_LIMITS if self.world.limits else {})
        routes = [Route(_BASE + path, self._route(by_method), methods=_METHODS) for path, by_method in offered.items()]
        elsewhere = Route("/{rest:path}", self._route({}), methods=_METHODS)
        return Starlette(routes=[*routes, elsewhere])

    def _route(self, by_method: dict[str, Endpoint]) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            number = next(self._numbers)
            request_id = f"req_{self.world.seed:06d}{number:012d}"
            seen = SeenRequest(request.method, request.url.path, request.url.query)
            self.requests.append(seen)
            if request.method != "GET":
                self.writes.append(seen)
            try:
                response = await self._answer(request, by_method, request_id)
            except ApiError as error:
                response = self._error(error, request_id)
            response.headers["request-id"] = request_id
            response.headers["anthropic-organization-id"] = self.world.organization.id
            return response

        return respond

    async def _answer(self, request: Request, by_method: dict[str, Endpoint], request_id: str) -> Response:
        now = self._now()
        caller = authenticate(request)
        strike = self.world.fault_schedule.strike(request.method, request.url.path, now)
        fault = strike.answer
        if fault is not None and fault.kind == "lost-cursor" and "page" not in request.query_params:
            fault = None
        if fault is not None and fault.kind != "half-body":
            return await self._fail(request, fault, request_id)
        if not by_method:
            raise not_found()
        endpoint = by_method.get("GET" if request.method == "HEAD" else request.method)
        if endpoint is None:
            raise ApiError(405, "Method Not Allowed")
        answer = await endpoint(Asked(request, caller, self.world, self._billing, self._analytics, now, strike))
        body = answer if isinstance(answer, bytes) else json.dumps(answer, separators=(",", ":")).encode()
        if fault is not None:
            return _HalfBody(body, lambda: self._break(request, after_sending=True))
        return Response(body, media_type="application/json")

    async def _fail(self, request: Request, fault: Fault, request_id: str) -> Response:
        """The answer that a fault puts in place of the true one."""
        if fault.kind == "timeout":
            await asyncio.sleep(fault.hang)
            raise ApiError(504, "The request timed out.")
        if fault.kind == "reset":
            self._break(request, after_sending=False)
            await asyncio.sleep(0.01)
            raise ApiError(500, "Internal server error")
        if fault.kind == "html":
            return Response(_MAINTENANCE, status_code=503, media_type="text/html")
        if fault.kind == "lost-cursor":
            raise ApiError(400, "page: Invalid page token")
        status = int(fault.kind)
        response = self._error(ApiError(status, _MESSAGES[status]), request_id)
        if fault.retry_after is not None:
            response.headers["retry-after"] = str(fault.retry_after)
        return response

    def _break(self, request: Request, *, after_sending: bool) -> None:
        if self._disconnect is not None and request.client is not None:
            self._disconnect((request.client.host, request.client.port), after_sending)

    def _error(self, error: ApiError, request_id: str) -> Response:
        body = json.dumps(error.body(request_id)).encode()
        return Response(body, status_code=error.status, media_type="application/json")


_MESSAGES = {
    403: "This organization does not have access to this endpoint.",
    429: "This request would exceed your organization's rate limit.",
    500: "Internal server error",
    504: "The request timed out.",
    529: "Overloaded",
}


class _HalfBody(Response):
    """Announces the whole body, sends half of it, and breaks the connection."""

    def __init__(self, body: bytes, disconnect: Callable[[], None]) -> None:
        super().__init__(body, media_type="application/json")
        self._break = disconnect

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        half = bytes(self.body[: max(1, len(self.body) // 2)])
        await send({"type": "http.response.body", "body": half, "more_body": True})
        self._break()
        await asyncio.sleep(0.01)
