"""`watcher feedback`: from the command line through polls to the alert, the message and what is judged afterwards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.stage import NOW, Listener, here, receiver, write_config
from watcher.simulator import Simulator, World

RULES = """\
[[anomaly]]
name = "key spend"
[[budget]]
name = "organization"
limit_usd = 1
thresholds = [100]
"""
LATER, AFTER = "2026-11-20T12:25:00Z@1", "2026-11-20T12:45:00Z@1"
"""Each command begins the drill anew: what comes after another one has a later clock."""


@dataclass
class Scene:
    """An organization with a runaway key that was told, and what its receiver heard."""

    config: Path
    listener: Listener

    def act(self, *words: str, clock: str = LATER) -> tuple[int, str, str]:
        return here(*words, "-c", self.config, clock=clock)

    def alerts(self, *words: str, clock: str = LATER) -> dict[str, dict[str, Any]]:
        found = json.loads(self.act("alerts", "--json", *words, clock=clock)[1])
        return {alert["kind"]: alert for alert in found}

    def poll(self, clock: str = LATER) -> list[dict[str, Any]]:
        """One poll: the alerts that it told of."""
        heard = len(self.listener.messages)
        assert self.act("poll", clock=clock)[0] == 0
        return [alert for message in self.listener.messages[heard:] for alert in message["alerts"]]


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Listener]]:
    """The folder of a configuration and its database after the first poll: nothing further is read in these tests."""
    world = World(started_at=NOW - timedelta(hours=5), seed=7, keys=3, days=10, scenario="runaway")
    folder = tmp_path_factory.mktemp("polled")
    with Simulator(world, lambda: NOW) as served, Listener() as listener:
        config = write_config(folder, served.url, RULES + receiver("hook", f"{listener.url}/hook"), backfill="9d")
        assert here("poll", "-c", config)[0] == 0
        yield folder, listener


@pytest.fixture
def scene(polled: tuple[Path, Listener], tmp_path: Path) -> Scene:
    folder, listener = polled
    shutil.copytree(folder, tmp_path / "copy")
    return Scene(tmp_path / "copy" / "config.toml", listener)


def test_an_expected_anomaly_ends_with_the_next_poll_and_stays_away_until_that_is_taken_back(scene: Scene) -> None:
    told = scene.alerts()["anomaly"]
    code, out, err = scene.act("feedback", told["id"][:6], "expected", "--comment", "a  load\ntest", "--by", "ana")
    assert (code, out) == (0, "")
    assert err.startswith("Asked for. It is carried out by the next `watcher poll`")
    assert f"Waits for the next cycle: feedback {told['id']} expected (ana)" in scene.act("alerts")[1]
    (over,) = scene.poll()
    assert (over["id"], over["state"]) == (told["id"], "resolved")
    assert over["feedback"] == {"verdict": "expected", "by": "ana", "at": over["ends_at"], "comment": "a load test"}
    assert "was expected, says ana" in over["summary"]
    assert "anomaly" not in scene.alerts()
    assert "expected, says ana" in scene.act("alerts", "--all")[1]
    assert scene.poll(clock=AFTER) == []
    assert scene.act("feedback", told["id"], "--undo", clock=AFTER)[0] == 0
    (again,) = scene.poll(clock=AFTER)
    assert (again["kind"], again["state"]) == ("anomaly", "firing")
    assert again["id"] != told["id"]


def test_a_real_one_goes_on_and_says_who_called_it_so(scene: Scene) -> None:
    told = scene.alerts()["anomaly"]
    out, err = scene.act("alerts")[1:]
    assert "says" not in out
    assert err == "Meant to be? `watcher feedback ID expected`; if not, `watcher feedback ID real`.\n"
    assert scene.act("feedback", told["id"], "real", "--by", "bob")[0] == 0
    assert scene.poll() == []
    assert scene.alerts()["anomaly"]["feedback"]["verdict"] == "real"
    out, err = scene.act("alerts")[1:]
    assert "real, says bob" in out
    assert err == ""


def test_what_cannot_be_meant_is_refused_at_once(scene: Scene) -> None:
    known = scene.alerts()
    anomaly, budget = known["anomaly"]["id"], known["budget"]["id"]
    for words, says in (
        (
            ("nobody", "real"),
            f"No alert has an id that begins with 'nobody'. The newest anomalies are {anomaly} (key spe",
        ),
        ((budget, "real"), "Feedback is for anomalies of spend, and this alert is of the kind budget."),
        ((anomaly[:2], "real"), f"{anomaly[:2]!a} is too short for an id: write at least its first 4 characters."),
        ((anomaly, "good"), 'It must be "expected" or "real", not \'good\'.'),
        ((anomaly,), "Write one of: expected, real, or --undo."),
        ((anomaly, "real", "--undo"), "Write one of: expected, real, or --undo."),
        ((anomaly, "real", "--comment", "x" * 600), "--comment may have 500 characters, and this one has 600."),
    ):
        code, out, err = scene.act("feedback", *words)
        assert (code, out) == (2, "")
        assert says in err, words
    assert scene.act("alerts")[1].count("Waits for") == 0
