"""`watcher check --online` asks the receivers without a message; `watcher notify test` sends one through each type."""

from __future__ import annotations

import gc
import json
import socket
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from tests.stage import NOW, Listener, here, write_config
from watcher.simulator import Simulator, World

# aiosmtpd's connections that still say goodbye, and apprise's plugins as they are read.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
ROUTING_KEY = "R" * 32


class Mailbox(Message):
    """Keeps the subjects of what it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.subjects: list[str] = []

    def handle_message(self, message: object) -> None:
        self.subjects.append(str(message["Subject"]))  # type: ignore[index]


@pytest.fixture
def mail() -> Iterator[tuple[int, Mailbox]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    mailbox = Mailbox()
    controller = Controller(mailbox, "127.0.0.1", port, ready_timeout=30)
    controller.start()
    yield port, mailbox
    controller.stop()
    let_go()


def let_go() -> None:
    """Collect what the server left open, here where it is expected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def receivers(hook: str, am: str, port: int) -> str:
    tables = {
        "hook": f'type = "webhook"\nurl = "{hook}/hook"\nallow_private = true',
        "am": f'type = "alertmanager"\nurl = "{am}"\nallow_private = true',
        "pager": f'type = "pagerduty"\nurl = "{hook}/pager"\nrouting_key = "{ROUTING_KEY}"\nallow_private = true',
        "mail": (
            f'type = "email"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nallow_plain = true\n'
            'from = "watcher@team.example"\nto = ["ann@team.example"]'
        ),
        "chat": f'type = "apprise"\nurl = "{hook.replace("http:", "json:")}/chat"',
        "terminal": 'type = "console"',
    }
    return "".join(
        f'[[receiver]]\nname = "{name}"\n{lines}\n[[route]]\nreceiver = "{name}"\n' for name, lines in tables.items()
    )


def test_a_test_message_goes_through_every_type(tmp_path: Path, mail: tuple[int, Mailbox]) -> None:
    port, mailbox = mail
    with Listener() as hook, Listener() as am:
        config = write_config(tmp_path, "http://127.0.0.1:9", receivers(hook.url, am.url, port))
        for name in ("hook", "am", "pager", "mail", "chat", "terminal"):
            code, out, err = here("notify", "test", name, "-c", config)
            assert (code, f'"{name}" took the message' in err) == (0, True), (name, err)
            assert ("Test: " in out) is (name == "terminal")
        told = {path: json.loads(body) for _, path, body in hook.seen}
        (alert,) = am.messages[0]
    assert set(told) == {"/hook", "/pager", "/chat"}
    assert told["/hook"]["reason"] == "test"
    assert told["/pager"]["payload"]["summary"].startswith("Test: ")
    assert "Test: " in told["/chat"]["title"]
    assert alert["labels"]["rule"] == "test"
    assert "test of claude-watcher" in alert["annotations"]["summary"]
    (subject,) = mailbox.subjects
    assert "Test: " in subject.replace("_", " ") or "=?utf-8?" in subject


def test_check_online_asks_each_receiver_without_a_message(tmp_path: Path, mail: tuple[int, Mailbox]) -> None:
    port, mailbox = mail
    status = b'{"versionInfo": {"version": "0.25.0"}}'
    world = World(started_at=NOW - timedelta(hours=5), keys=2, days=2)
    with Simulator(world, lambda: NOW) as simulator, Listener() as hook, Listener(body=status) as am:
        config = write_config(tmp_path, simulator.url, receivers(hook.url, am.url, port))
        code, out, _ = here("check", "--online", "-c", config)
        said = [line.strip() for line in out.splitlines() if line.strip()[:1] in "✓–✗" and "receiver" in line]
        assert said == [
            '– receiver "hook": not asked, as it takes nothing but messages: watcher notify test hook sends one',
            '✓ receiver "am": Alertmanager 0.25.0 answers',
            '– receiver "pager": not asked, as it takes nothing but messages: watcher notify test pager sends one',
            '✓ receiver "mail": the mail server answers',
            '✓ receiver "chat": apprise understands the address; no service was asked',
            '– receiver "terminal": prints on standard output',
        ]
        assert code == 0
        am.answer = 401
        code, out, _ = here("check", "--online", "-c", config)
        assert code == 1
        assert '✗ receiver "am": the receiver answered with status 401' in out
        assert {path for _, path, _ in am.seen} == {"/api/v2/status"}
    assert hook.seen == []
    assert mailbox.subjects == []
