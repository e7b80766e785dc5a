"""A Slack workspace on loopback: the Web API as far as a bot uses it, and Socket Mode, with what happened on record."""

from __future__ import annotations

import base64
import hashlib
import json
import queue
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs

BOT_TOKEN, APP_TOKEN = "xoxb-1-CANARY4f9aXq", "xapp-1-CANARY4f9aXq"
CHANNEL = "C0123456789"
SCOPES = "chat:write,channels:history,groups:history,files:write,users:read,users:read.email"


@dataclass
class Refusal:
    """What a method answers next in place of doing anything, unless `after` it has done it."""

    error: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    cut: bool = False
    """The message is taken, and the connection closed without an answer."""


class Workspace:
    """Messages by their `ts` in order, uploads, and everything that was called."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.tokens: list[str] = []
        self.uploads: list[tuple[bytes, dict[str, Any]]] = []
        self.refusals: dict[str, list[Refusal]] = {}
        self.scopes = SCOPES
        self.people: dict[str, dict[str, Any]] = {}
        self.url = ""
        self.sockets: list[socket.socket] = []
        self.connected = threading.Event()
        self.acknowledged: queue.Queue[dict[str, Any]] = queue.Queue()
        self._pending: list[tuple[bytes, dict[str, Any]]] = []
        self._count = 0

    def refuse(self, method: str, *refusals: Refusal) -> None:
        self.refusals.setdefault(method, []).extend(refusals)

    def called(self, method: str) -> list[dict[str, Any]]:
        return [given for name, given in self.calls if name == method]

    @property
    def top(self) -> list[dict[str, Any]]:
        return [message for message in self.messages.values() if not message.get("thread_ts")]

    def thread(self, ts: str) -> list[dict[str, Any]]:
        return [message for message in self.messages.values() if message.get("thread_ts") == ts]

    def send(self, envelope: dict[str, Any]) -> None:
        """Send an envelope over the newest Socket Mode connection."""
        self.sockets[-1].sendall(_frame(json.dumps(envelope).encode()))

    def press(self, action: str, alert: str, ts: str, envelope: str = "e1", user: str = "U0123456789") -> None:
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": "ada"},
            "channel": {"id": CHANNEL, "name": "ops"},
            "container": {"type": "message", "message_ts": ts, "channel_id": CHANNEL},
            "message": {"ts": ts},
            "actions": [{"action_id": action, "value": alert, "type": "button", "block_id": "watcher_alert"}],
        }
        self.send(
            {"type": "interactive", "envelope_id": envelope, "accepts_response_payload": False, "payload": payload}
        )

    def answer(self, method: str, given: dict[str, Any]) -> dict[str, Any]:  # noqa: C901 (a table)
        match method:
            case "auth.test":
                return {"ok": True, "team": "Team", "user": "watcher", "bot_id": "B1", "user_id": "U1"}
            case "chat.postMessage":
                return {"ok": True, "channel": given["channel"], "ts": self._keep(given)}
            case "chat.update":
                if given["ts"] not in self.messages:
                    return {"ok": False, "error": "message_not_found"}
                self.messages[given["ts"]] |= given
                return {"ok": True, "channel": given["channel"], "ts": given["ts"]}
            case "conversations.history":
                return {"ok": True, "messages": [*reversed(self.top)]}
            case "conversations.replies":
                return {"ok": True, "messages": [self.messages[given["ts"]], *self.thread(given["ts"])]}
            case "files.getUploadURLExternal":
                return {"ok": True, "upload_url": f"{self.url}/upload/v1/CANARY4f9aXq", "file_id": "F1"}
            case "files.completeUploadExternal":
                self.uploads.append((self._pending.pop()[0], given))
                return {"ok": True, "files": [{"id": "F1"}]}
            case "users.info":
                return {"ok": True, "user": {"id": given["user"], "profile": {"display_name": "Ada"}, "name": "ada"}}
            case "users.lookupByEmail":
                user = self.people.get(given["email"])
                return {"ok": False, "error": "users_not_found"} if user is None else {"ok": True, "user": user}
            case "chat.postEphemeral":
                return {"ok": True, "message_ts": "1.1"}
            case "apps.connections.open":
                return {"ok": True, "url": f"{self.url.replace('http', 'ws', 1)}/link?ticket=CANARY4f9aXq"}
        return {"ok": False, "error": "unknown_method"}

    def keep_upload(self, content: bytes) -> None:
        self._pending.append((content, {}))

    def _keep(self, given: dict[str, Any]) -> str:
        self._count += 1
        ts = f"1700000000.{self._count:06d}"
        self.messages[ts] = {"ts": ts, **given}
        return ts


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def workspace(self) -> Workspace:
        return cast(_Server, self.server).workspace

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        method = self.path.rpartition("/")[2].partition("?")[0]
        if self.path.startswith("/upload/"):
            self.workspace.keep_upload(body)
            self._reply(200, b"OK", {})
            return
        self.workspace.tokens.append(self.headers.get("authorization", ""))
        given = (
            json.loads(body)
            if body.startswith(b"{")
            else {name: values[0] for name, values in parse_qs(body.decode()).items()}
        )
        self.workspace.calls.append((method, given))
        refusals = self.workspace.refusals.get(method, [])
        refusal = refusals.pop(0) if refusals else None
        headers = {"x-oauth-scopes": self.workspace.scopes, "content-type": "application/json"}
        if refusal is None or refusal.cut:
            answer = self.workspace.answer(method, given)
            if refusal is not None:
                self.close_connection = True
                return
            self._reply(200, json.dumps(answer).encode(), headers)
            return
        answer = {"ok": False, "error": refusal.error, **refusal.more}
        self._reply(refusal.status, json.dumps(answer).encode(), headers | refusal.headers)

    def do_GET(self) -> None:
        accept = self.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        digest = hashlib.sha1(accept.encode()).digest()
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        self.workspace.sockets.append(self.connection)
        self.connection.sendall(_frame(b'{"type":"hello","num_connections":1}'))
        self.workspace.connected.set()
        try:
            while (received := _read_frame(self.rfile)) is not None:
                opcode, data = received
                if opcode == 9:
                    self.connection.sendall(_frame(data, 10))
                elif opcode == 1:
                    self.workspace.acknowledged.put(json.loads(data))
                elif opcode == 8:
                    return
        except OSError:
            return

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    workspace: Workspace

    def handle_error(self, *_arguments: object) -> None:
        pass  # a client that has gone, as some of the tests want it to


@contextmanager
def slack_workspace() -> Iterator[Workspace]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.workspace = workspace = Workspace()
        workspace.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield workspace
        finally:
            for each in workspace.sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            server.shutdown()
            thread.join()


def _frame(data: bytes, opcode: int = 1) -> bytes:
    head = bytes([0x80 | opcode])
    if len(data) < 126:
        return head + bytes([len(data)]) + data
    return head + bytes([126]) + struct.pack(">H", len(data)) + data


def _read_frame(stream: Any) -> tuple[int, bytes] | None:
    head = stream.read(2)
    if len(head) < 2:
        return None
    length = head[1] & 0x7F
    if length == 126:
        length = struct.unpack(">H", stream.read(2))[0]
    elif length == 127:
        length = struct.unpack(">Q", stream.read(8))[0]
    mask = stream.read(4) if head[1] & 0x80 else b"\0\0\0\0"
    data = stream.read(length)
    return head[0] & 0x0F, bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
