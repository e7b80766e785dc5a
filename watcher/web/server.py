"""Serving the pages from a thread of the daemon's."""

from __future__ import annotations

import socket
import threading

import uvicorn
from starlette.types import ASGIApp

from watcher.settings import TlsSettings


class PortTaken(Exception):
    """The address that the configuration names is in use."""


def bind(host: str, port: int, *, or_any: bool = False) -> socket.socket:
    """A listening socket. Raises PortTaken if the port is in use, unless any other will do (`or_any`)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        if or_any:
            listener.bind((host, 0))
        else:
            listener.close()
            why = error.strerror or "it cannot be listened on"
            raise PortTaken(f"{host}:{port} cannot be served ({why}): set another `listen` under [http].") from None
    listener.listen(128)
    return listener


class PageServer:
    """Runs an application on a socket until it is stopped."""

    def __init__(self, app: ASGIApp, listener: socket.socket, tls: TlsSettings | None = None) -> None:
        self._listener = listener
        self._scheme = "https" if tls else "http"
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=2,
            limit_concurrency=64,
            h11_max_incomplete_event_size=16_384,
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)

    @property
    def url(self) -> str:
        """Where the pages are."""
        host, port = self._listener.getsockname()[:2]
        return f"{self._scheme}://[{host}]:{port}" if ":" in host else f"{self._scheme}://{host}:{port}"

    def start(self) -> None:
        """Begin to serve; requests that come before uvicorn is up wait in the socket's queue."""
        self._thread.start()

    def stop(self) -> None:
        """End within about three seconds."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(3)
        self._listener.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])
