"""The peers of `benchmarks.pages`, in a process of their own: the least that such answers can take.

    python -m benchmarks.pages_peer SERIES ROWS

Serves `/metrics`, so many gauges by prometheus_client's own application, and `/rows`, a bare Starlette page of a Jinja2
template with a table of so many rows. Where is told in one line on standard output.
"""

from __future__ import annotations

import sys

from jinja2 import DictLoader, Environment
from prometheus_client import CollectorRegistry, Gauge, make_asgi_app
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from watcher.web.server import PageServer, bind

_PAGE = """<!doctype html><title>Rows</title><table>{% for row in rows %}
<tr><th>{{ row.name }}</th>{% for cell in row.cells %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>"""


def app(series: int, rows: int) -> Starlette:
    """Both answers."""
    registry = CollectorRegistry()
    gauge = Gauge("peer_usd", "As many series.", ("organization", "scope", "id"), registry=registry)
    for number in range(series):
        gauge.labels("org", "api_key", f"apikey_{number:024}").set(number / 7)
    template = Environment(loader=DictLoader({"page": _PAGE}), autoescape=True).get_template("page")
    table = [{"name": f"key <{number}>", "cells": [f"${number}.00"] * 4} for number in range(rows)]

    def page(_request: Request) -> HTMLResponse:
        return HTMLResponse(template.render(rows=table))

    return Starlette(routes=[Mount("/metrics", make_asgi_app(registry)), Route("/rows", page)])


def main(arguments: list[str]) -> None:
    """Serve until killed."""
    series, rows = map(int, arguments)
    server = PageServer(app(series, rows), bind("127.0.0.1", 0))
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    server.start()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])
