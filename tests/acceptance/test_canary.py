"""A canary secret for every secret setting: whatever goes wrong, it is written nowhere.

The program runs as processes of its own with everything that can fail failing; then every byte that any of them wrote
is searched, files, streams, pages and messages alike, for each secret as it is, quoted for a URL, and in base64.
"""

from __future__ import annotations

import base64
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.stage import BUDGET, NOW, Listener, Running, detour, environment, every_byte, here, until, write_config
from watcher.simulator import Simulator, World

CANARIES = {
    "admin_key": "sk-ant-admin01-cAnArY0admin+/=~x",
    "slack": "/services/T0CANARY/B0CANARY/cAnArY1slack",
    "webhook": "/hook/cAnArY2webhook?token=cAnArY3query",
    "userinfo": "cAnArY4password",
    "heartbeat": "/ping/cAnArY5heartbeat",
    "console": "cAnArY6environment",
    "routing_key": "cAnArY7routing000000000000000000",
    "token": "cAnArY8token",
    "password": "cAnArY9password",
    "apprise": "/chat/cAnArY0apprise",
    "secret": "whsec_cAnArY1secret0000000000000000000",
}
PARTS = [re.findall(r"cAnArY\d\w+", text) for text in CANARIES.values()]
NEEDLES = {part for parts in PARTS for part in parts}


def traces(data: bytes) -> list[str]:
    """Which canaries are in some bytes, in any of the spellings that a program would leave."""
    found = []
    for needle in NEEDLES:
        plain = needle.encode()
        spellings = {plain, quote(needle, safe="").encode(), needle[::-1].encode(), plain.hex().encode()}
        for shift in range(3):  # base64 of a text that holds it, at each of the three alignments
            whole = base64.b64encode(b"x" * shift + plain)
            spellings.add(whole[4:-4])
        found += [f"{needle} as {spelling!r}" for spelling in spellings if spelling in data]
    return found


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    world = World(started_at=NOW - timedelta(hours=5), keys=6, days=4)
    with Simulator(world, lambda: NOW) as served:
        yield served


def settings(slack: str, hook: str, heart: str) -> str:
    return (
        f'{BUDGET}[heartbeat]\nurl = "{heart}{CANARIES["heartbeat"]}"\nallow_private = true\n'
        f'[[receiver]]\nname = "ops"\ntype = "slack"\nurl = "{slack}{CANARIES["slack"]}"\nallow_private = true\n'
        f'[[receiver]]\nname = "hook"\ntype = "webhook"\nurl = "{hook}{CANARIES["webhook"]}"\nallow_private = true\n'
        f'[[route]]\nreceiver = "ops"\n[[route]]\nreceiver = "hook"\n{others(hook)}'
    )


def others(hook: str) -> str:
    """The other types of receiver: each is told the same, and refuses it in words that repeat what it was sent."""
    tables = (
        f'name = "pager"\ntype = "pagerduty"\nurl = "{hook}/pager"\nrouting_key = "{CANARIES["routing_key"]}"',
        f'name = "am"\ntype = "alertmanager"\nurl = "{hook}/am"\ntoken = "{CANARIES["token"]}"',
        f'name = "signed"\ntype = "webhook"\nurl = "{hook}/signed"\nsecret = "{CANARIES["secret"]}"',
    )
    reached = "".join(f"[[receiver]]\n{table}\nallow_private = true\n" for table in tables)
    mail = 'type = "email"\nhost = "127.0.0.1"\nport = 9\ntls = "none"\nallow_plain = true\nfrom = "a@b"\nto = ["c@d"]'
    signs_in = f'username = "u"\npassword = "{CANARIES["password"]}"'
    chat = f'type = "apprise"\nurl = "json://127.0.0.1:9{CANARIES["apprise"]}"'
    reached += f'[[receiver]]\nname = "mail"\n{mail}\n{signs_in}\n[[receiver]]\nname = "chat"\n{chat}\n'
    names = ("pager", "am", "signed", "mail", "chat")
    return reached + "".join(f'[[route]]\nreceiver = "{name}"\n' for name in names)


def key() -> str:
    return f'admin_key = "{CANARIES["admin_key"]}"'


def echoing(status: int) -> tuple[int, bytes]:
    """An answer of the API that repeats the key, as a gateway's error page may."""
    told = {"type": "error", "error": {"type": "api_error", "message": f"bad key {CANARIES['admin_key']}"}}
    return status, json.dumps(told).encode()


@pytest.mark.parametrize("style", ["text", pytest.param("json", marks=pytest.mark.slow)])
def test_a_daemon_at_debug_with_everything_failing_writes_no_secret(
    simulator: Simulator, tmp_path: Path, style: str
) -> None:
    pages: list[bytes] = []
    answers = {
        "/v1/organizations/users": echoing(401),
        "/v1/organizations/cost_report": (200, b'{"data": [{"starting_at": "never"}]}'),
    }
    with ExitStack() as opened:
        api = opened.enter_context(detour(simulator.url, answers))
        # Receivers that repeat what they were sent, in an error that asks to be tried again and in one that does not.
        slack = opened.enter_context(Listener(500, body=CANARIES["slack"].encode()))
        hook = opened.enter_context(Listener(404, body=CANARIES["webhook"].encode()))
        config = write_config(tmp_path, api, settings(slack.url, hook.url, "http://127.0.0.1:9"), key=key())
        daemon = opened.enter_context(Running(config, "--log-level", "debug", "--log-format", style))
        assert until(lambda: bool(slack.seen and hook.seen) and daemon.get("/-/ready").status_code == 200)
        undelivered = set()
        while undelivered != {"ops", "hook", "pager", "am", "signed", "mail", "chat"}:
            undelivered |= set(re.findall(r'receiver"?[=:] ?"?(\w+)', daemon.line("not delivered")))
        pages += [daemon.get(path).content for path in ("/", "/metrics", "/-/ready", "/none")]
        good = config.read_text()
        for broken in (
            good.replace("allow_private = true", "allow_private = 3"),
            good.replace('admin_key = "', 'admin_key = "  '),
            good.replace(CANARIES["admin_key"], CANARIES["admin_key"] + "\\n\\u0000"),
            good.replace('url = "http:', 'url = "gopher:'),
            good.replace("http://127.0.0.1:9/", f"http://user:{CANARIES['userinfo']}@127.0.0.1:9/"),
            good.replace("[anthropic]", "[anthropic"),
            good.replace('type = "slack"', 'type = "slak"'),
            good + "\n[heartbeat]\nurl = 3\n",
        ):
            config.write_text(broken)
            daemon.tell(signal.SIGHUP)
            daemon.line("reloaded")
        config.write_text(good.replace("limit_usd = 100", "limit_usd = 101"))
        daemon.tell(signal.SIGHUP)
        daemon.line("configuration reloaded")
        pages.append(daemon.get("/metrics").content)
        code, _ = daemon.end()
        assert code == 0
        assert daemon.process.stdout is not None
        written = daemon.process.stdout.read() + "".join(daemon.lines)
        # An event says by its routing key for whom it is; no other message holds a secret.
        messages = b"".join(body for each in (slack, hook) for _, path, body in each.seen if path != "/pager")
    config.unlink()  # the owner wrote the secrets there; what the program wrote is all the rest
    assert "not delivered" in written
    assert "users" in written
    assert traces(written.encode()) == []
    assert traces(b"".join(pages)) == []
    assert traces(messages) == []
    files = every_byte(tmp_path)
    assert any(path.name == "watcher.db" for path, _ in files)
    for path, data in files:
        assert traces(data) == [], path.name


def test_no_command_shows_a_secret_in_success_or_failure(simulator: Simulator, tmp_path: Path) -> None:
    config = write_config(tmp_path, simulator.url, settings(*["http://127.0.0.1:9"] * 3), key=key())
    outputs: list[str] = []
    for command in ("check", "check --online", "poll", "status --json", "alerts --json", "notify test ops"):
        _, out, err = here("--log-level", "debug", *command.split(), "-c", config)
        outputs += [out, err]
    refused = write_config(tmp_path / "refused", simulator.url, key='admin_key = "sk-ant-cAnArY0admin"')
    outputs += here("poll", "-c", refused)[1:]
    missing = write_config(tmp_path / "missing", simulator.url, key='admin_key = "${CANARY:-cAnArY6environment x}"')
    outputs += here("check", "-c", missing)[1:]
    (tmp_path / "twin").touch(0o600)
    (tmp_path / "twin").write_text(CANARIES["admin_key"])
    proxy = f'proxy = "http://user:{CANARIES["userinfo"]}@127.0.0.1:9"'
    proxied = write_config(tmp_path / "proxied", simulator.url, key=f'admin_key_file = "../twin"\n{proxy}')
    for command in ("check", "check --online", "status"):
        outputs += here("--log-level", "debug", *command.split(), "-c", proxied)[1:]
    server = write_config(tmp_path / "server", simulator.url, key=key())
    database = f"postgresql://user:{CANARIES['userinfo']}@127.0.0.1:9/x"
    server.write_text(server.read_text().replace("sqlite:///watcher.db", database))
    for command in ("check", "status", "poll", "backup x"):
        outputs += here("--log-level", "debug", *command.split(), "-c", server)[1:]
    assert traces("".join(outputs).encode()) == []
    assert "did not take the message" in "".join(outputs)
    for path in (config, refused, missing, proxied, server, tmp_path / "twin"):
        path.unlink()
    for path, data in every_byte(tmp_path):
        assert traces(data) == [], path.name


PROVOKED = """\
import sys, threading, types
from pathlib import Path
from watcher.__main__ import main
import watcher.cli as cli
from watcher.cli.context import load_settings

def provoke(config: Path) -> None:
    settings = load_settings(config)
    def fail():
        url = settings.receivers[0].url.reveal()
        raise RuntimeError(f"cannot reach {url}")
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    raise RuntimeError(f"401 for {settings.organizations[0].admin_key.reveal()}", settings.organizations[0].admin_key)

module = sys.modules["watcher.cli.provoke"] = types.ModuleType("watcher.cli.provoke")
module.register = lambda app: app.command("provoke")(provoke)
cli.MODULES["provoke"] = "provoke"
main()
"""


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_failure_that_nobody_caught_is_told_with_its_traceback_and_without_secrets(
    simulator: Simulator, tmp_path: Path, style: str
) -> None:
    config = write_config(tmp_path, simulator.url, settings(*["http://127.0.0.1:9"] * 3), key=key())
    command = [sys.executable, "-c", PROVOKED, "--log-format", style, "provoke", str(config)]
    done = subprocess.run(command, env=environment(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.count(b"RuntimeError") >= 2
    assert done.stderr.count(b"[redacted]") >= 2
    assert b"please report this" in done.stderr
    assert traces(done.stdout + done.stderr) == []
    if style == "json":
        assert all(json.loads(line)["level"] == "critical" for line in done.stderr.splitlines())


def test_the_search_finds_what_it_looks_for() -> None:
    for needle in NEEDLES:
        for hidden in (needle, quote(needle), f"user:{needle}"):
            assert traces(b"before " + hidden.encode() + b" after")
            assert traces(base64.b64encode(b"Basic " + hidden.encode() + b" and more"))
