"""A stage for acceptance tests: a simulated API, receivers that listen, a configuration, and the real command."""

from __future__ import annotations

import json
import logging
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
from typer.main import get_command
from typer.testing import CliRunner

from watcher.cli import app

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
CLOCK = "2026-11-20T12:20:00Z@1"
ADMIN_KEY = "sk-ant-admin01-stage"
PATIENCE = 60.0
"""Seconds that a test waits for what comes at once on a machine that does nothing else."""
ANYBODY = httpx.create_ssl_context(verify=False, trust_env=False)
"""Whom a request of a test trusts, made once: that takes longer than most of them."""
PROMPT = 30.0
"""Seconds to end in, when told to: three times what is promised, and half of what hangs in these tests hangs for."""


def write_config(
    folder: Path, base_url: str, more: str = "", *, key: str = f'admin_key = "{ADMIN_KEY}"', backfill: str = "2d"
) -> Path:
    """A configuration whose pages are served on any free port; `more` is the rest of the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.toml"
    path.touch(0o600)
    path.write_text(
        f'[anthropic]\nbase_url = "{base_url}"\n{key}\n[store]\nurl = "sqlite:///watcher.db"\n'
        f'[http]\nlisten = "127.0.0.1:0"\n[poll]\nbackfill = "{backfill}"\n{more}\n'
    )
    return path


def receiver(name: str, url: str, kind: str = "webhook") -> str:
    """A receiver on this machine, and a route to it."""
    return (
        f'[[receiver]]\nname = "{name}"\ntype = "{kind}"\nurl = "{url}"\nallow_private = true\n'
        f'[[route]]\nreceiver = "{name}"\n'
    )


BUDGET = '[[budget]]\nname = "organization"\nperiod = "month"\nlimit_usd = 100\nthresholds = [50]\n'
"""A budget that every simulated organization has passed by the twentieth."""


@contextmanager
def quiet_logs() -> Iterator[None]:
    """Put logging back as it was: every command run in this process sets it up for itself."""
    root = logging.getLogger()
    handlers, level, hooks = root.handlers[:], root.level, (sys.excepthook, threading.excepthook)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        sys.excepthook, threading.excepthook = hooks


def environment(clock: str | None = CLOCK, **more: str) -> dict[str, str]:
    """This process's environment with 80 columns, no colours and the drill's clock."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WATCHER_", "ANTHROPIC"))}
    env = {**kept, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb", **more}
    return env if clock is None else {**env, "WATCHER_CLOCK": clock}


def here(*arguments: str | Path, clock: str | None = CLOCK) -> tuple[int, str, str]:
    """Run a command in this process: its exit code, standard output and standard error."""
    env: dict[str, str | None] = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb", "WATCHER_CLOCK": clock}
    with quiet_logs(), CliRunner().isolation(env=env) as (out, err, _):
        try:
            _commands().main(args=[str(argument) for argument in arguments], prog_name="watcher")
            code: object = 0
        except SystemExit as end:
            code = end.code or 0
        sys.stdout.flush()
        sys.stderr.flush()
        assert isinstance(code, int), code
        return code, out.getvalue().decode(), err.getvalue().decode()


@cache
def _commands() -> Any:
    """All commands: to make them of their functions takes longer than most of them run."""
    return get_command(app)


def watcher(
    *arguments: str | Path, env: Mapping[str, str] | None = None, seconds: float = 110.0
) -> subprocess.CompletedProcess[str]:
    """Run the command as a process of its own, to its end, which has to come within so many seconds."""
    command = [sys.executable, "-m", "watcher", *map(str, arguments)]
    return subprocess.run(
        command, env=dict(env or environment()), capture_output=True, encoding="utf-8", timeout=seconds, check=False
    )


class Listener:
    """A local HTTP server that notes what is sent to it, and answers as `answer` says after `delay` seconds."""

    def __init__(self, answer: int = 200, delay: float = 0.0, body: bytes = b"ok") -> None:
        self.answer, self.delay, self.body = answer, delay, body
        self.seen: list[tuple[float, str, bytes]] = []
        self._released = threading.Event()
        listener = self

        class Noting(BaseHTTPRequestHandler):
            def _take(self) -> None:
                sent = self.rfile.read(int(self.headers.get("content-length") or 0))
                listener.seen.append((time.monotonic(), self.path, sent))
                if listener.delay:
                    listener._released.wait(listener.delay)
                with suppress(OSError):
                    self.send_response(listener.answer)
                    self.send_header("content-length", str(len(listener.body)))
                    self.end_headers()
                    self.wfile.write(listener.body)

            do_GET = do_POST = _take  # noqa: N815 — the names are the library's

            def log_message(self, *_arguments: Any) -> None:
                """Say nothing on standard error."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Noting)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def messages(self) -> list[Any]:
        """The bodies received, as JSON."""
        return [json.loads(body) for _, _, body in self.seen]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def detour(to: str, answers: Mapping[str, tuple[int, bytes]]) -> Iterator[str]:
    """An address that passes every GET on to another, but for the paths that are answered here with a body as given."""

    class Passing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path in answers:
                status, body = answers[path]
            else:
                asked = {name: self.headers[name] for name in ("x-api-key", "anthropic-version")}
                answer = httpx.get(to + self.path, headers=asked, trust_env=False, timeout=PATIENCE, verify=ANYBODY)
                status, body = answer.status_code, answer.content
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Passing)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


class Running:
    """`watcher run` as a process; a context manager that ends it. Its lines on standard error are JSON unless told."""

    def __init__(self, config: Path, *options: str, env: Mapping[str, str] | None = None) -> None:
        self._command = [sys.executable, "-m", "watcher", *(options or ("--log-format", "json")), "run", "-c", config]
        self._env = dict(env or environment())
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = re.findall(r"http://127\.0\.0\.1:\d+", self.line("claude-watcher runs"))[0]
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdout.close()
        self.process.stderr.close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            self._waiting.put(line)

    def line(self, text: str, seconds: float = PATIENCE) -> str:
        """The next line of the log that holds a text."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            with suppress(queue.Empty):
                found = self._waiting.get(timeout=left)
                if text in found:
                    return found
        raise AssertionError(f"no line with {text!r} within {seconds} s; the log:\n{''.join(self.lines)}")

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET one of its pages."""
        return httpx.get(self.url + path, headers=headers, trust_env=False, timeout=PATIENCE, verify=ANYBODY)

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> tuple[int, float]:
        """Tell it to end with SIGTERM: its exit code, and how many seconds that took."""
        begun = time.monotonic()
        self.tell(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        self._reader.join(10)
        return code, time.monotonic() - begun


def until(told: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait for something to become true; whether it did in time. What takes long to ask is not asked all the time."""
    deadline, pause = time.monotonic() + seconds, 0.02
    while not (found := told()) and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(1.2 * pause, 0.2)
    return found


def ready(url: str) -> bool:
    """Whether a program from outside says that it is ready, as Prometheus and Alertmanager do."""
    try:
        return httpx.get(f"{url}/-/ready", trust_env=False, verify=ANYBODY).status_code == 200
    except httpx.HTTPError:
        return False


def every_byte(folder: Path) -> Sequence[tuple[Path, bytes]]:
    """Every file below a folder with its bytes."""
    return [(path, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()]
