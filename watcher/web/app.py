"""The pages and endpoints. Everything is read-only, for those that `watcher.web.access` lets in."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

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
from watcher.web.answers import Answer, Answers
from watcher.web.asking import Refusal, link
from watcher.web.facts import Facts
from watcher.web.static_files import CACHED, address_of, static_file

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]

API = "/api/v1"
NOT_FOUND = 404
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_UNCACHED = (b"cache-control", b"no-store")


class _SafeHeaders:
    """Adds the headers that keep a browser from doing anything with a page but showing it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *_HEADERS]
                if all(name != b"cache-control" for name, _ in headers):
                    headers.append(_UNCACHED)
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, with_headers)


def build_app(
    read: Callable[[], Status],
    metrics: Metrics,
    ready: Callable[[], bool],
    http: Callable[[], HttpSettings] = HttpSettings,
    facts: Facts | None = None,
) -> ASGIApp:
    """The application. `read` gives the present status, `ready` whether a first cycle has ended.

    `http` gives the settings in force, which say who is let in. Without `facts` there is the overview alone.
    """
    pages = _environment(full=facts is not None)

    async def page(_request: Request) -> Response:
        values = {"status": await run_in_threadpool(read), "shutoff": {}, "charts": {}, "place": None, "labels": ("",)}
        return HTMLResponse(await run_in_threadpool(pages.get_template("overview.html").render, values))

    async def exposition(request: Request) -> Response:
        body, content_type = await run_in_threadpool(metrics.render, request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    async def healthy(_request: Request) -> Response:
        return PlainTextResponse("claude-watcher is running.\n")

    async def readiness(_request: Request) -> Response:
        if ready():
            return PlainTextResponse("claude-watcher is ready.\n")
        return PlainTextResponse("The first cycle has not ended yet.\n", status_code=503)

    async def refused(request: Request, error: Exception) -> Response:
        status_code = error.status_code if isinstance(error, HTTPException) else 500
        sentence = {404: "There is no such page.", 405: "Only GET is served."}.get(status_code, "That did not work.")
        headers = error.headers if isinstance(error, HTTPException) else None
        if request.url.path.startswith(f"{API}/"):
            return _as_json({"error": sentence}, status_code, headers)
        if status_code == NOT_FOUND and "text/html" in request.headers.get("accept", ""):
            return _problem(pages, sentence, status_code)
        return PlainTextResponse(f"{sentence}\n", status_code, headers)

    app = Starlette(
        routes=[
            *([Route("/", page)] if facts is None else _pages(Answers(facts), pages)),
            Route("/static/{name}", _static),
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


def _environment(*, full: bool) -> Environment:
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(present.FILTERS)
    pages.globals.update(static=address_of, link=link, full=full)
    return pages


def _pages(answers: Answers, pages: Environment) -> list[Route]:
    """Each page with its part of the API."""

    def both(path: str, name: str, answer: Callable[[Request], Answer]) -> list[Route]:
        return [
            Route(path, _html(pages, f"{name}.html", answer)),
            Route(API + ("/overview" if path == "/" else path), _json(answer)),
        ]

    def asked(method: Callable[[list[tuple[str, str]]], Answer]) -> Callable[[Request], Answer]:
        return lambda request: method(request.query_params.multi_items())

    return [
        *both("/", "overview", lambda _request: answers.overview()),
        *both("/series", "series", asked(answers.series)),
        *both("/alerts", "alerts", asked(answers.alerts)),
        *both(
            "/alerts/{ident}",
            "alert",
            lambda request: answers.alert(request.query_params.multi_items(), request.path_params["ident"]),
        ),
        *both("/keys", "keys", asked(answers.keys)),
        *both("/actions", "actions", asked(answers.actions)),
        *both("/prices", "prices", asked(answers.prices)),
    ]


def _problem(pages: Environment, sentence: str, status: int) -> Response:
    told = {"sentence": sentence, "place": None, "labels": ("",)}
    return HTMLResponse(pages.get_template("problem.html").render(told), status)


def _as_json(form: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(form, allow_nan=False, separators=(",", ":"))
    return Response(f"{body}\n", status, headers, media_type="application/json")


def _html(pages: Environment, template: str, answer: Callable[[Request], Answer]) -> Handler:
    def render(request: Request) -> Response:
        try:
            values = answer(request).values
        except Refusal as refusal:
            return _problem(pages, refusal.sentence, refusal.status)
        return HTMLResponse(pages.get_template(template).render(values))

    async def handle(request: Request) -> Response:
        return await run_in_threadpool(render, request)

    return handle


def _json(answer: Callable[[Request], Answer]) -> Handler:
    def render(request: Request) -> Response:
        try:
            status, form = 200, answer(request).form()
        except Refusal as refusal:
            status, form = refusal.status, {"error": refusal.sentence}
        return _as_json(form, status)

    async def handle(request: Request) -> Response:
        return await run_in_threadpool(render, request)

    return handle


async def _static(request: Request) -> Response:
    found = static_file(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    content, kind = found
    return Response(content, headers={"content-type": kind, "cache-control": CACHED})
