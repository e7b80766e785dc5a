"""The pages and endpoints. Everything is read-only, for those that `watcher.web.access` lets in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watcher.metrics import Metrics
from watcher.settings import HttpSettings
from watcher.status import Status
from watcher.web import present
from watcher.web.access import Access

_HEADERS = (
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)


class _SafeHeaders:
    """Adds the headers that keep a browser from doing anything with a page but showing it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        await self._app(scope, receive, with_headers)


def build_app(
    read: Callable[[], Status],
    metrics: Metrics,
    ready: Callable[[], bool],
    http: Callable[[], HttpSettings] = HttpSettings,
) -> ASGIApp:
    """The application. `read` gives the present status, `ready` whether a first cycle has ended.

    `http` gives the settings in force, which say who is let in.
    """
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(present.FILTERS)

    async def page(_request: Request) -> Response:
        status = await run_in_threadpool(read)
        return HTMLResponse(await run_in_threadpool(pages.get_template("overview.html").render, status=status))

    async def exposition(request: Request) -> Response:
        body, content_type = await run_in_threadpool(metrics.render, request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    async def healthy(_request: Request) -> Response:
        return PlainTextResponse("claude-watcher is running.\n")

    async def readiness(_request: Request) -> Response:
        if ready():
            return PlainTextResponse("claude-watcher is ready.\n")
        return PlainTextResponse("The first cycle has not ended yet.\n", status_code=503)

    async def refused(_request: Request, error: Exception) -> Response:
        status_code = error.status_code if isinstance(error, HTTPException) else 500
        sentence = {404: "There is no such page.", 405: "Only GET is served."}.get(status_code, "That did not work.")
        return PlainTextResponse(sentence + "\n", status_code=status_code)

    app = Starlette(
        routes=[
            Route("/", page),
            Route("/metrics", exposition),
            Route("/-/healthy", healthy),
            Route("/-/ready", readiness),
        ],
        middleware=[
            Middleware(Access, settings=http),
        ],
        exception_handlers={HTTPException: refused, 500: refused},
    )
    app.router.redirect_slashes = False  # an address is right or it is not there
    return _SafeHeaders(app)
