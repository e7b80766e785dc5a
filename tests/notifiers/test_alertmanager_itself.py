"""Debian's Alertmanager takes our alerts, groups them, tells of them, and sees them resolved or expired."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.gallery_samples import hostile_key, many, notification, runaway_key
from notifiers.alertmanager import AlertmanagerNotifier, wall_now
from notifiers.http import OutgoingHttp
from rules.model import Alert, Reason, State
from tests.stage import ANYBODY, ready

BINARY = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(
        BINARY is None, reason="Alertmanager is not installed (apt-get install prometheus-alertmanager)"
    ),
]
CONFIG = """
route:
  receiver: hook
  group_by: [rule]
  group_wait: 100ms
  group_interval: 200ms
  repeat_interval: 1h
receivers:
- name: hook
  webhook_configs:
  - url: {url}
    send_resolved: true
"""


@dataclass
class Itself:
    url: str
    hook: Any

    def notifier(self, **more: Any) -> AlertmanagerNotifier:
        return AlertmanagerNotifier("am", (self.url,), OutgoingHttp(), allow_private=True, **more)

    def get(self, what: str) -> Any:
        return httpx.get(f"{self.url}/api/v2/{what}", trust_env=False, timeout=60, verify=ANYBODY).json()

    def told(self) -> list[dict[str, Any]]:
        """What it has told its own receiver so far."""
        return [json.loads(request.body) for request in list(self.hook.received)]


@pytest.fixture
def itself(tmp_path: Path, serve: Callable[..., Any], scripts: Any) -> Iterator[Itself]:
    hook = serve(scripts.answer(200))
    (tmp_path / "am.yml").write_text(CONFIG.format(url=hook.url))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(BINARY), f"--config.file={tmp_path / 'am.yml'}", f"--storage.path={tmp_path / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stderr=log, stdout=log) as process:
        try:
            found = Itself(f"http://127.0.0.1:{port}", hook)
            until(lambda: ready(found.url))
            yield found
        finally:
            process.terminate()


def until(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := holds():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to that in time")


def recent(alert: Alert) -> Alert:
    now = datetime.now(UTC)
    return replace(alert, starts_at=now - timedelta(hours=2), fired_at=now)


def test_it_takes_our_alerts_groups_them_and_sees_them_resolved(itself: Itself) -> None:
    notifier = itself.notifier(link="https://watcher.example/")
    assert notifier.probe().startswith("Alertmanager 0.")
    keys = tuple(map(recent, (runaway_key(), replace(hostile_key("<!channel> ключ"), id="other"))))
    assert len({alert.subject.rule for alert in keys}) == 1
    notifier.send(notification(*keys))

    active = itself.get("alerts")
    assert {one["annotations"]["summary"] for one in active} >= {keys[0].summary}
    assert {one["generatorURL"] for one in active} == {"https://watcher.example/"}
    groups = itself.get("alerts/groups")
    assert [(group["labels"], len(group["alerts"])) for group in groups] == [
        ({"rule": keys[0].subject.rule}, len(active))
    ]
    first = until(itself.told)[0]
    assert (first["status"], len(first["alerts"])) == ("firing", len(active))

    over = [replace(alert, state=State.RESOLVED, ends_at=datetime.now(UTC)) for alert in keys]
    notifier.send(replace(notification(*over), reason=Reason.RESOLVED))
    assert itself.get("alerts") == []
    last = until(lambda: [told for told in itself.told() if told["status"] == "resolved"])[0]
    assert {one["status"] for one in last["alerts"]} == {"resolved"}


def test_what_is_not_told_again_expires_and_what_is_lasts(itself: Itself) -> None:
    """A tenth of a second stands for a minute: alerts end 1.2 s ahead."""
    notifier = itself.notifier(refresh_every=timedelta(seconds=0.3))
    alert = recent(runaway_key())
    notifier.send(notification(alert))
    late, before = 0, time.monotonic()
    for _ in range(8):
        notifier.refresh([alert], wall_now())
        late += time.monotonic() - before > 1.0
        before = time.monotonic()
        assert len(itself.get("alerts")) == 1 or time.monotonic() - before > 1.0
        time.sleep(0.3)
    until(lambda: itself.get("alerts") == [])
    firing = [told["status"] for told in itself.told() if told["status"] == "firing"]
    assert 1 <= len(firing) <= 1 + late, "told once, unless this machine stood still for longer than that"


def test_a_storm_is_taken_at_once(itself: Itself) -> None:
    storm = tuple(map(recent, many(500)))
    began = wall_now()
    itself.notifier().send(notification(*storm))
    assert len(itself.get("alerts")) == 500
    assert wall_now() - began < timedelta(seconds=10)
