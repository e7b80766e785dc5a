"""A simulator in the same process, and the way to it: what is asked and answered, without a network between them.

Sockets, and two threads that wait for each other, would be a good part of what a scenario takes. That the client and
the simulator understand each other over the network is shown where connections break, and by every test of a command.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Self

import httpx
from starlette.types import Message

from watcher.simulator import Simulator

ADDRESS = "http://127.0.0.1:1"
"""Where a client is told to find a simulator that is nearby; nobody listens there."""
BREAKING = {"timeout", "reset", "half-body"}
"""Faults that are none of an answer but of a connection."""


class Neighbour(Simulator):
    """A simulator that listens nowhere until somebody wants to know where."""

    _listens = False

    @property
    def url(self) -> str:
        if not self._listens:
            self._listens = True
            self.start()
        return super().url

    def __enter__(self) -> Self:
        return self


class Nearby(httpx.BaseTransport):
    """Puts a client's questions to a neighbour; over the network where connections are to break."""

    def __init__(self, neighbour: Neighbour) -> None:
        self._neighbour = neighbour
        self._network: httpx.HTTPTransport | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if any(fault.kind in BREAKING for fault in self._neighbour.world.fault_schedule.faults):
            if self._network is None:
                self._network = httpx.HTTPTransport(verify=False, trust_env=False)
            request.url = httpx.URL(self._neighbour.url).copy_with(raw_path=request.url.raw_path)
            return self._network.handle_request(request)
        said = self._said(request)
        body = b"".join(message.get("body", b"") for message in said[1:])
        return httpx.Response(said[0]["status"], headers=said[0]["headers"], stream=httpx.ByteStream(body))

    def _said(self, request: httpx.Request) -> list[Message]:
        path, _, query = request.url.raw_path.partition(b"?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.url.scheme,
            "path": request.url.path,
            "raw_path": path,
            "query_string": query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": (request.url.host, request.url.port),
        }
        said: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": request.read(), "more_body": False}

        async def send(message: Message) -> None:
            said.append(message)

        _at_once(self._neighbour.app(scope, receive, send))
        return said

    def close(self) -> None:
        if self._network is not None:
            self._network.close()


def _at_once(answer: Coroutine[Any, Any, None]) -> None:
    """Run to its end what waits for nothing."""
    try:
        answer.send(None)
    except StopIteration:
        return
    answer.close()
    raise AssertionError("the simulator waits, and no loop would wake it")
