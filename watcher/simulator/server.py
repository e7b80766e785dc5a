"""Serves a world over HTTP with uvicorn, in a thread of its own or until told to stop."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from watcher.simulator.app import AdminApi
from watcher.simulator.requests import SeenRequest
from watcher.simulator.world import World

START_SECONDS = 10.0


class _Connections:
    """The open connections by client address, so that a fault can break one."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        """A uvicorn protocol that keeps this register."""
        transports = self._transports

        class Registered(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client is not None:
                    transports[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    transports.pop(self.client, None)
                super().connection_lost(exc)

        return Registered

    def disconnect(self, client: tuple[str, int], after_sending: bool) -> None:  # noqa: FBT001 - one switch, two ways
        """Break a connection: after what was sent has gone out, or at once and with a reset."""
        transport = self._transports.get(client)
        if transport is None:
            return
        if after_sending:
            transport.close()
            return
        plug = transport.get_extra_info("socket")
        if plug is not None:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


class _Server(uvicorn.Server):
    """Tells when it has started, or that it never will."""

    def __init__(self, config: uvicorn.Config, running: threading.Event) -> None:
        super().__init__(config)
        self._running = running

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._running.set()


class Simulator:
    """A world served over HTTP. A context manager: it serves inside the block.

    Args:
        world: what is served.
        now: gives the simulated moment, aware UTC; called once a request.
        host: address to listen on.
        port: 0 picks a free one; `url` tells which.
    """

    def __init__(self, world: World, now: Callable[[], datetime], host: str = "127.0.0.1", port: int = 0) -> None:
        self.world = world
        self._host = host
        self._port = port
        connections = _Connections()
        self._api = AdminApi(world, now, connections.disconnect)
        self.app = self._api.starlette()
        """The application that is served, for whoever needs no network to ask it."""
        self._protocol = connections.protocol()
        self._ended = False
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return f"http://{self._host}:{self._port}"

    @property
    def requests(self) -> tuple[SeenRequest, ...]:
        """The last 20,000 requests, oldest first."""
        return tuple(self._api.requests)

    @property
    def writes(self) -> tuple[SeenRequest, ...]:
        """Of the requests those that were no GET, the last 20,000 of them, oldest first."""
        return tuple(self._api.writes)

    def start(self) -> None:
        """Listen and serve in a thread; returns once requests are answered.

        Raises:
            OSError: the port cannot be had.
            RuntimeError: it already serves, or did not start in time.
        """
        if self._thread is not None:
            raise RuntimeError("the simulator already serves")
        # With the protocol left at 0 asyncio would not switch Nagle's algorithm off: 40 ms a request.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._host, self._port))
            self._port = int(listener.getsockname()[1])
        except OSError:
            listener.close()
            raise
        config = uvicorn.Config(
            self.app,
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            http=self._protocol,
            ws="none",
            timeout_graceful_shutdown=1,
        )
        running = threading.Event()
        self._ended = False
        self._server = _Server(config, running)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="simulator", daemon=True
        )
        self._thread.start()
        if not running.wait(START_SECONDS):
            self.stop()
            raise RuntimeError("the simulator did not start in time")

    def stop(self) -> None:
        """Stop serving; answers under way get a second. Harmless when it does not serve."""
        self._ended = True
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=5.0)
        self._server = None
        self._thread = None

    def serve_forever(self) -> None:
        """Serve until `end` or `stop` is called from elsewhere, or the server dies."""
        if self._thread is None:
            self.start()
        thread = self._thread
        while thread is not None and thread.is_alive() and not self._ended:
            thread.join(timeout=0.1)
        self.stop()

    def end(self) -> None:
        """Make `serve_forever` return; for signal handlers, which may take no lock (so this is a plain flag)."""
        self._ended = True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


@contextmanager
def serve(world: World, now: Callable[[], datetime], *, port: int = 0) -> Iterator[Simulator]:
    """Serve a world for the length of a block."""
    with Simulator(world, now, port=port) as simulator:
        yield simulator
