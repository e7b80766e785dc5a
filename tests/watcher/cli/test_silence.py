"""`watcher silence` and `watcher ack`: from the command line through polls to receiver, page and metrics."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.stage import Listener, Running, environment, here, until

LATER, AFTER = "2026-11-20T12:25:00Z@1", "2026-11-20T14:25:00Z@1"
EARLY, SOON = "2026-11-20T12:20:00Z@1", "2026-11-20T12:30:00Z@1"
"""Each command begins the drill anew: what comes after another one has a later clock."""
ARGUMENTS = ("--match", "rule=organization", "--for", "1h", "--comment", "a  load\ntest", "--by", "ann")


@dataclass
class Scene:
    """An organization that was never polled, and what its receiver heard."""

    config: Path
    listener: Listener

    def act(self, *words: str, clock: str = LATER) -> tuple[int, str, str]:
        return here(*words, "-c", self.config, clock=clock)

    def poll(self, clock: str = LATER) -> set[str]:
        """One poll: the rules that it told of."""
        heard = len(self.listener.messages)
        assert self.act("poll", clock=clock)[0] == 0
        return {alert["rule"] for message in self.listener.messages[heard:] for alert in message["alerts"]}

    def silences(self, *words: str, clock: str = LATER) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.act("silence", "list", "--json", *words, clock=clock)[1])
        return found

    def alert(self, rule: str, clock: str = LATER) -> dict[str, Any]:
        alerts = json.loads(self.act("alerts", "--json", clock=clock)[1])
        found: dict[str, Any] = next(alert for alert in alerts if alert["rule"] == rule)
        return found

    def reset(self, rule: str, clock: str = LATER) -> None:
        assert self.act("budgets", "reset", "--budget", rule, "--reason", "again", clock=clock)[0] == 0


@pytest.fixture
def scene(copied: tuple[Path, Listener]) -> Scene:
    return Scene(*copied)


def test_a_silence_waits_for_a_cycle_holds_and_lets_go(scene: Scene) -> None:
    code, out, err = scene.act("silence", "add", *ARGUMENTS, clock=EARLY)
    ident = out.strip()
    assert (code, len(ident)) == (0, 8)
    assert "Asked for. It is carried out by the next `watcher poll`" in err
    assert err.endswith("At present it is about 1 open alert.\n")
    assert scene.silences() == []
    assert "Waits for the next cycle: silence add rule=" in scene.act("silence", "list")[1]
    scene.reset("organization")
    assert scene.poll() == set()
    (silence,) = scene.silences()
    assert silence | {"organization": None} == {
        "id": ident,
        "organization": None,
        "state": "active",
        "matchers": ['rule="organization"'],
        "starts_at": silence["starts_at"],
        "ends_at": silence["ends_at"],
        "author": "ann",
        "comment": "a load test",
    }
    held = scene.alert("organization")["silenced"]
    assert (held["id"], held["by"], held["comment"]) == (ident, "ann", "a load test")
    for words in (("alerts",), ("status",)):
        shown = " ".join(scene.act(*words)[1].split())
        assert "silenced until 13:20" in shown.replace("today ", "")
        assert "by ann: a load test" in shown
    assert "silenced" not in scene.alert("keys a day")
    assert scene.poll(AFTER) == {"organization"}
    assert "silenced" not in scene.alert("organization", AFTER)
    assert scene.poll(AFTER) == set()
    assert scene.silences(clock=AFTER) == []
    assert [silence["state"] for silence in scene.silences("--all", clock=AFTER)] == ["expired"]


def test_a_silence_expires_by_hand(scene: Scene) -> None:
    ident = scene.act("silence", "add", *ARGUMENTS, clock=EARLY)[1].strip()
    scene.reset("organization")
    assert scene.poll() == set()
    assert scene.act("silence", "expire", ident)[0] == 0
    assert f"Waits for the next cycle: silence expire {ident}" in scene.act("silence", "list")[1]
    assert scene.poll() == {"organization"}
    assert scene.act("silence", "list", clock=SOON)[1] == "Nothing is silenced.\n"
    code, _, err = scene.act("silence", "expire", ident, clock=SOON)
    assert (code, err) == (2, f"No silence '{ident}' is in force or to come: see `watcher silence list`.\n")


def test_a_silence_to_come_is_pending_until_then(scene: Scene) -> None:
    assert scene.act("silence", "add", *ARGUMENTS, "--starts", "2026-11-20T14:00", clock=EARLY)[0] == 0
    scene.reset("organization")
    assert scene.poll() == {"organization"}
    assert [silence["state"] for silence in scene.silences()] == ["pending"]
    assert "pending" in scene.act("silence", "list")[1]
    scene.reset("organization", AFTER)
    assert scene.poll(AFTER) == set()


def test_a_silence_that_came_too_late_is_listed_as_refused(scene: Scene) -> None:
    assert scene.act("silence", "add", *ARGUMENTS, clock=EARLY)[0] == 0
    assert scene.poll(AFTER) == set()
    assert scene.silences("--all", clock=AFTER) == []
    shown = " ".join(scene.act("silence", "list", clock=AFTER)[1].split())
    assert (
        'Refused 14:25 UTC: silence add rule="organization" (ann): its time was over before it was carried out' in shown
    )


def test_an_acknowledgement_is_shown_until_the_alert_ends(scene: Scene) -> None:
    ident = scene.alert("organization")["id"]
    assert scene.act("ack", ident[:6], "--comment", "on it", "--by", "bob")[0] == 0
    assert scene.poll() == set()
    taken = scene.alert("organization")["acknowledged"]
    assert (taken["by"], taken["comment"]) == ("bob", "on it")
    assert "acknowledged by bob" in scene.act("alerts")[1]
    scene.reset("organization")
    assert scene.poll() == {"organization"}
    assert "acknowledged" not in scene.alert("organization")
    code, _, err = scene.act("ack", ident)
    assert (code, err) == (2, f"No open alert has an id that begins with '{ident}': see `watcher alerts`.\n")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--match", "rul=a", "--for", "1h", "--comment", "x"), 'which no alert has; did you mean "rule"?'),
        (("--match", "rule", "--for", "1h", "--comment", "x"), "--match 'rule' must be a label, one of = != =~ !~"),
        (
            ("--match", "rule=a", "--for", "soon", "--comment", "x"),
            "--for must be a duration such as \"2h\", not 'soon'",
        ),
        (("--match", "rule=a", "--for", "0s", "--comment", "x"), "--for must be more than nothing"),
        (("--match", "rule=a", "--for", "400d", "--comment", "x"), "at most 366d, not '400d'"),
        (("--match", "rule=a", "--for", "1h", "--comment", " "), "--comment must not be empty"),
        (("--match", "rule=a", "--for", "1h", "--comment", "x", "--starts", "soon"), "or an ISO time such as"),
        (("--match", "rule=a", "--for", "1h", "--comment", "x", "--starts", "9999-12-31T23:59"), "lie within 366 days"),
        (
            ("--match", "rule=a", "--for", "1h", "--comment", "x", "--starts", "0001-01-01T00:00+14:00"),
            "lie within 366",
        ),
        (
            ("--match", "rule=a", "--for", "1h", "--comment", "x", "--starts", "2026-11-19"),
            "--for must end in the future",
        ),
        (("--match", "rule=a", "--for", "1h", "--comment", "\udcff"), "--comment must be UTF-8 text"),
        (("--match", "rule=\udcff", "--for", "1h", "--comment", "x"), "--match must be UTF-8 text"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(scene: Scene, words: tuple[str, ...], why: str) -> None:
    code, out, err = scene.act("silence", "add", *words)
    assert (code, out) == (2, "")
    assert why in err


def test_beside_a_running_daemon_the_page_and_the_metrics_say_so(scene: Scene) -> None:
    with Running(scene.config, env=environment(clock=LATER)) as running:
        assert "\nwatcher_silences{" in running.get("/metrics").text
        assert scene.act("silence", "add", *ARGUMENTS, clock=EARLY)[0] == 0
        assert scene.act("ack", scene.alert("organization")["id"], "--by", "<b>bob")[0] == 0
        running.tell(signal.SIGHUP)  # which begins a cycle at once

        def figures() -> list[str]:
            lines = running.get("/metrics").text.splitlines()
            return [line.split()[-1] for line in lines if line.startswith(("watcher_silences{", "watcher_alerts_sil"))]

        assert until(lambda: figures() == ["1.0", "1.0"])
        assert until(lambda: "acknowledged by &lt;b&gt;bob" in running.get("/").text)
        page = running.get("/").text
        assert "silenced until" in page
        assert "by ann: a load test" in page
