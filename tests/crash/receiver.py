"""A receiver of messages over HTTP that cannot be relied on."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One message that arrived. `accepted` says whether it was taken; its sender may have heard otherwise."""

    address: str
    body: dict[str, Any]
    accepted: bool


class Receiver:
    """Takes JSON posts; each address (the path) is a receiver of its own with its own history.

    Of the tries at unreliable addresses a fifth fails, half of them after the message was taken: the sender hears of a
    failure and cannot know better. Which ones is decided by message and try, so that every run meets the same.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._tries: Counter[tuple[str, str]] = Counter()
        receiver = self

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not body.endswith(b"}"):  # its sender was killed in the middle
                    self.close_connection = True
                    return
                self.send_response(receiver.take(self.path, json.loads(body)))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def take(self, address: str, body: dict[str, Any]) -> int:
        """Take a message or refuse it; returns the status to answer with."""
        with self._lock:
            self._tries[address, body["id"]] += 1
            mood = _mood(body["id"], self._tries[address, body["id"]]) if "unreliable" in address else "well"
            self._requests.append(Request(address, body, mood != "refuses"))
            return 200 if mood == "well" else 503

    def requests(self, address: str) -> tuple[Request, ...]:
        """Everything that arrived at an address, in order."""
        with self._lock:
            return tuple(request for request in self._requests if request.address == address)

    @contextmanager
    def serving(self) -> Iterator[Receiver]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def _mood(message: str, attempt: int) -> str:
    draw = int(hashlib.sha256(f"{message} {attempt}".encode()).hexdigest(), 16) % 10
    return {0: "refuses", 1: "forgets to say so"}.get(draw, "well")
