"""A headless Chromium, spoken to over a pipe: opens a page, notes what goes wrong, takes its picture."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE = 60.0
"""Seconds for one answer of the browser."""


def chromium() -> str | None:
    """Where it is installed; None where it is not."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass
class Tab:
    """One tab. `requests` are the addresses that were asked for, `complaints` what the console was told."""

    send_to: int
    read_from: int
    session: str = ""
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _last: int = 0
    _left: bytes = b""
    _events: list[str] = field(default_factory=list)

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What the browser answers. Raises RuntimeError where it refuses, TimeoutError where it does not answer."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.send_to, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._last:
            self._note(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, url: str) -> None:
        """Load a page, to the end."""
        self._events.clear()
        self.command("Page.navigate", url=url)
        until = time.monotonic() + PATIENCE
        while "Page.loadEventFired" not in self._events:
            self._note(self._next(max(until - time.monotonic(), 0.1)))
        # Two frames later whatever the page draws is drawn.
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page; of a promise, what it comes to."""
        found = self.command("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    def look(self, width: int, height: int = 900, *, dark: bool = False, touch: bool = False) -> None:
        """How wide the window is, and whether the person prefers it dark."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: Path, *, most: int | None = None) -> None:
        """The whole page as a PNG, or its upper `most` pixels."""
        size = self.command("Page.getLayoutMetrics")["cssContentSize"]
        height = size["height"] if most is None else min(size["height"], most)
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1}
        taken = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(b64decode(taken["data"]))

    def _next(self, patience: float = PATIENCE) -> dict[str, Any]:
        until = time.monotonic() + patience
        while b"\0" not in self._left:
            ready, _, _ = select.select([self.read_from], [], [], max(until - time.monotonic(), 0))
            piece = os.read(self.read_from, 1 << 20) if ready else b""
            if not piece:
                raise TimeoutError("the browser says nothing")
            self._left += piece
        first, _, self._left = self._left.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        method, told = event.get("method", ""), event.get("params", {})
        self._events.append(method)
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and told["type"] in {"error", "warning", "assert"}:
            self.complaints.append(str([each.get("value") for each in told["args"]]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in {"error", "warning"}:
            self.complaints.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")


@contextmanager
def browsing(program: str) -> Iterator[Tab]:
    """A tab of a browser that is started for it and ended afterwards."""
    to_read, to_send = os.pipe()
    from_read, from_send = os.pipe()
    switches = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-quic")
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # The browser reads from descriptor 3 and writes to 4.
        line = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
        browser = subprocess.Popen(
            ["bash", "-c", line, "bash", str(to_read), str(from_send), program, *switches, *quiet, "--hide-scrollbars",
             f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"],
            pass_fds=(to_read, from_send),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_read)
        os.close(from_send)
        try:
            tab = Tab(to_send, from_read)
            target = tab.command("Target.createTarget", url="about:blank")["targetId"]
            tab.session = tab.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Network", "Runtime", "Log"):
                tab.command(f"{domain}.enable")
            yield tab
        finally:
            browser.terminate()
            try:
                browser.wait(10)
            except subprocess.TimeoutExpired:
                browser.kill()
                browser.wait()
            os.close(to_send)
            os.close(from_read)
