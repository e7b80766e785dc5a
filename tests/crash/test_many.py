"""Random kills over thousands of changes of state: three receivers, one of which fails a fifth of the time."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from rules.model import State
from tests.crash.evidence import contradicted, damage, told
from tests.crash.many import RECEIVERS, Errand
from tests.crash.receiver import Receiver, Request
from tests.crash.stage import KILLED, Stable


@dataclass
class Town:
    """The receivers, and the stable of the processes to kill."""

    folder: Path
    receiver: Receiver
    stable: Stable

    def live(self, name: str, steps: int, die_after: float | None = None) -> int:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        errand = Errand(str(folder), self.receiver.url, steps, seed=6, die_after=die_after)
        return self.stable.lead_by(json.dumps(asdict(errand)).encode() + b"\n")

    def database(self, name: str) -> Path:
        return self.folder / name / "watcher.db"

    def arrived(self, name: str) -> dict[str, tuple[Request, ...]]:
        """What arrived, by receiver."""
        return {each: self.receiver.requests(f"/{kind}/{name}/{each}") for each, kind in RECEIVERS.items()}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("many")
    stable = Stable(folder / "log", "tests.crash.many")
    try:
        with Receiver().serving() as receiver:
            yield Town(folder, receiver, stable)
    finally:
        stable.close()


def alerts_of(database: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By id the state of every alert, and who has heard of it."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT id, state, payload FROM alerts").fetchall()
    return {ident: (state, tuple(json.loads(payload)["heard"] or ())) for ident, state, payload in rows}


def transitions_of(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM transitions").fetchone()[0])


def silenced_at_the_end(database: Path) -> set[str]:
    """Alerts that ended while a silence held: of their end nothing is sent."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT id, payload FROM alerts").fetchall()
    return {ident for ident, payload in rows if json.loads(payload)["silenced"] is not None}


def states_told(requests: Iterable[Request]) -> dict[str, list[str]]:
    """By alert the states in the order in which messages with them were first taken; a repeat of an id adds nothing."""
    seen: set[str] = set()
    found: dict[str, list[str]] = {}
    for request in requests:
        if request.accepted and request.body["id"] not in seen:
            seen.add(request.body["id"])
            for alert in request.body["alerts"]:
                found.setdefault(alert["id"], []).append(alert["state"])
    return found


def check(town: Town, name: str) -> None:
    """Nothing lost, no end before its beginning, nothing twice but under the same id."""
    alerts, silenced = alerts_of(town.database(name)), silenced_at_the_end(town.database(name))
    assert damage(town.database(name)) == []
    for receiver, requests in town.arrived(name).items():
        known = states_told(requests)
        heard = {ident for ident, (_, who) in alerts.items() if receiver in who}
        assert set(known) <= heard
        # What began and ended while a receiver failed is superseded, and told to nobody.
        untold = {
            ident for ident in heard - set(known) if RECEIVERS[receiver] == "reliable" or not is_over(alerts[ident])
        }
        assert untold == set(), "lost"
        for ident, states in known.items():
            assert states[0] == "firing"
            assert "resolved" not in states[:-1]
            assert states[-1] == alerts[ident][0] or ident in silenced, "lost"
        assert contradicted(requests) == []


def is_over(alert: tuple[str, tuple[str, ...]]) -> bool:
    return alert[0] == State.RESOLVED.value


def done(database: Path) -> int:
    """The step that was committed last."""
    if not database.exists():
        return 0
    with closing(sqlite3.connect(database)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'cursor'").fetchone():
            return 0
        found = connection.execute("SELECT value FROM cursor WHERE name = 'step'").fetchone()
    return int(found[0]) if found else 0


def kill(town: Town, name: str, steps: int, kills: int, seconds: float) -> None:
    """Kill exactly so many lives of one database at random moments, spread over all its steps."""
    chance = random.Random(name)
    killed, ended = 0, KILLED
    while ended == KILLED:
        behind = done(town.database(name)) / steps < 0.9 * killed / kills
        wait = chance.uniform(0.02, seconds if behind else 0.2) if killed < kills else None
        ended = town.live(name, steps, die_after=wait)
        assert damage(town.database(name)) == []
        killed += ended == KILLED
    assert ended == 0, town.stable.said()
    assert killed == kills


def run(town: Town, steps: int, kills: int, transitions: int) -> None:
    """One undisturbed life, and many that are killed: they tell the same."""
    begun = time.monotonic()
    assert town.live(f"calm-{kills}", steps) == 0, town.stable.said()
    took = time.monotonic() - begun
    kill(town, f"killed-{kills}", steps, kills, seconds=2 * took / kills + 0.2)
    for name in (f"calm-{kills}", f"killed-{kills}"):
        check(town, name)
        assert transitions_of(town.database(name)) >= transitions
    assert alerts_of(town.database(f"calm-{kills}")) == alerts_of(town.database(f"killed-{kills}"))
    calm, arrived = town.arrived(f"calm-{kills}"), town.arrived(f"killed-{kills}")
    for each in (name for name, kind in RECEIVERS.items() if kind == "reliable"):
        assert told(arrived[each]) == told(calm[each])
    reasons = {request.body["reason"] for requests in arrived.values() for request in requests}
    assert reasons == {"initial", "first", "new in group", "repeated", "escalated", "resolved"}
    again = {each: len(requests) - len({every.body["id"] for every in requests}) for each, requests in arrived.items()}
    sent = Counter({each: len(requests) for each, requests in arrived.items()})
    changes = transitions_of(town.database(f"killed-{kills}"))
    # shown with -s
    print(f"{kills} kills, {changes} transitions, arrived {dict(sent)}, of them again under a known id {again}")  # noqa: T201


@pytest.mark.timeout(300)
def test_a_few_kills_lose_nothing_of_what_timed_routes_owe(town: Town) -> None:
    run(town, steps=20, kills=8, transitions=300)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_kills_over_five_thousand_transitions_lose_nothing(town: Town) -> None:
    run(town, steps=290, kills=200, transitions=5_000)
