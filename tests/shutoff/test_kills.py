"""Shutoff under SIGKILL at any moment, an API that is late or loses answers, and a person who turns keys back on."""

from __future__ import annotations

import json
import multiprocessing
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rules.actions import Action, ActionState
from rules.policy import COOLING
from tests.shutoff.api import KeyApi
from tests.shutoff.living import ORG, clock, live
from watcher.store import Store

KEYS = [f"key-{number}" for number in range(8)]
HOT = KEYS[:6]
LAG = timedelta(minutes=45)
"""Longer than a poll takes under load, by the program's clock: 15 minutes of an intent, and what is late."""


@dataclass
class Served:
    """An API of keys behind a socket, of whose answers a fifth are late, lost after success, or never come."""

    begun: float
    chance: random.Random
    api: KeyApi = field(default_factory=lambda: KeyApi(dict.fromkeys(KEYS, "active")))
    posts: list[tuple[datetime, str, str]] = field(default_factory=list)
    person: list[tuple[datetime, str]] = field(default_factory=list)
    """When somebody turned which key on."""
    answers: int = 0
    """How many requests were answered, or not."""
    guard: threading.Lock = field(default_factory=threading.Lock)

    def get(self, ident: str) -> dict[str, object]:
        with self.guard:
            if ident == "api_keys":
                every = [self.api.shown(key) for key in self.api.keys]
                return {"data": every, "has_more": False, "first_id": KEYS[0], "last_id": KEYS[-1]}
            return self.api.shown(ident)

    def post(self, ident: str, status: str) -> dict[str, object]:
        with self.guard:
            self.posts.append((clock(self.begun), ident, status))
            self.api.keys[ident] = status
            return self.api.shown(ident)

    def turn_one_on(self) -> None:
        """Somebody turns on a key that this program turned off."""
        with self.guard:
            off = [key for key, status in self.api.keys.items() if status == "inactive"]
            if off:
                key = self.chance.choice(off)
                self.api.keys[key] = "active"
                self.person.append((clock(self.begun), key))

    def trouble(self) -> str:
        """What goes wrong with one answer."""
        with self.guard:
            self.answers += 1
            return self.chance.choice(["late", "lost", "cut"]) if self.chance.random() < 0.2 else ""

    def until_asked(self, times: int, seconds: float = 20.0) -> None:
        """Wait for so many requests more."""
        wanted, deadline = self.answers + times, time.monotonic() + seconds
        while self.answers < wanted and time.monotonic() < deadline:
            time.sleep(0.001)


@contextmanager
def serve(served: Served) -> Iterator[str]:
    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(served.get(self.path.partition("?")[0].rpartition("/")[2]))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self._answer(served.post(self.path.rpartition("/")[2], body["status"]))

        def _answer(self, told: dict[str, object]) -> None:
            trouble = served.trouble()
            if trouble == "late":
                time.sleep(0.05)
            if trouble == "lost":
                time.sleep(0.2)
            if trouble:
                self.close_connection = True
            if trouble in {"lost", "cut"}:
                return
            payload = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that was killed is no news."""

    with Server(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def kill_often(folder: Path, kills: int, seed: int) -> tuple[Served, tuple[Action, ...]]:
    """A life of so many kills, and then one in peace until nothing is open; what the API saw, and the journal."""
    served = Served(time.time(), random.Random(seed))
    database = f"sqlite:///{folder}/watcher.db"
    with Store.open(database):
        pass
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.shutoff.living"])
    with serve(served) as url:
        for number in range(kills + 1):
            process = context.Process(target=live, args=(database, url, HOT, served.begun), daemon=True)
            process.start()
            served.until_asked(served.chance.randint(1, 9) if number < kills else 40)
            time.sleep(served.chance.random() * 0.01)
            process.kill()
            process.join()
            if served.chance.random() < 0.5:
                served.turn_one_on()
    with Store.open(database) as store:
        return served, store.actions.all(ORG)


def check(served: Served, journal: tuple[Action, ...]) -> None:
    sent = [row for row in journal if row.sent_at is not None]
    posted = Counter(key for _, key, _ in served.posts)
    assert sum(posted.values()) <= len(sent), "no write is repeated, and none is without a record"
    for key, number in posted.items():
        assert number <= sum(row.key == key for row in sent)
    assert all(status == "inactive" for _, _, status in served.posts)
    for turned_on, key in served.person:
        against = [
            at for at, ident, _ in served.posts if ident == key and turned_on + LAG < at < turned_on + COOLING - LAG
        ]
        assert not against, "nobody is fought"
    off = {key for key, status in served.api.keys.items() if status == "inactive"}
    assert off <= {row.key for row in sent}, "no key is off without a record"
    assert {row.state for row in sent} <= {ActionState.SENT, ActionState.CONFIRMED, ActionState.ABANDONED}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1])
def test_no_kill_makes_a_second_write_or_loses_the_record_of_one(tmp_path: Path, seed: int) -> None:
    served, journal = kill_often(tmp_path, 25, seed)
    check(served, journal)
    assert served.posts
    assert served.person


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10))
def test_no_kill_of_a_thousand_makes_a_second_write_or_loses_the_record_of_one(tmp_path: Path, seed: int) -> None:
    served, journal = kill_often(tmp_path, 100, seed)
    check(served, journal)
    assert served.posts
    assert served.person
