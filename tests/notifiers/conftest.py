"""A real server on loopback that answers each connection with what a script says, byte by byte if need be."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.slack_workspace import Workspace, slack_workspace
from watcher.store import Store

Script = Callable[[socket.socket], None]


@dataclass
class Received:
    """One request as it came: its first line, its headers in lower case, its body."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    script: Script
    port: int
    received: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def read_request(connection: socket.socket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    return Received(first, headers, body)


class Scripts:
    """What a server may do once it has read the request."""

    @staticmethod
    def answer(status: int, headers: dict[str, str] | None = None, body: bytes = b"ok") -> Script:
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        data = "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if status in {204, 304} else body)
        return lambda connection: connection.sendall(data)

    @staticmethod
    def bytes_then_close(data: bytes) -> Script:
        return lambda connection: connection.sendall(data)

    @staticmethod
    def bytes_then_hang(data: bytes) -> Script:
        def script(connection: socket.socket) -> None:
            connection.sendall(data)
            connection.settimeout(60)
            connection.recv(1)

        return script

    @staticmethod
    def drip(data: bytes, pause: float = 0.05) -> Script:
        def script(connection: socket.socket) -> None:
            for index in range(len(data)):
                connection.sendall(data[index : index + 1])
                time.sleep(pause)

        return script

    @staticmethod
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.fixture
def scripts() -> type[Scripts]:
    return Scripts


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server: `serve(script, tls=None)`. Each connection: read a request, run the script, close."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(script: Script, tls: ssl.SSLContext | None = None) -> Server:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        server = Server(script, listener.getsockname()[1])

        def talk(connection: socket.socket) -> None:
            try:
                with tls.wrap_socket(connection, server_side=True) if tls else connection as stream:
                    request = read_request(stream)
                    if request is not None:
                        server.received.append(request)
                        server.script(stream)
            except OSError:
                pass  # the client has gone, as some of the tests want it to

        def loop() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=talk, args=(connection,), daemon=True))
                threads[-1].start()

        threads.append(threading.Thread(target=loop, daemon=True))
        threads[-1].start()
        return server

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def refused_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with slack_workspace() as workspace:
        yield workspace


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as opened:
        yield opened
