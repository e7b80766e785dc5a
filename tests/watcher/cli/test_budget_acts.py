"""`watcher budgets pause`, `resume`, `reset` and `journal`: from the command line through a cycle to the receiver."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.stage import NOW, Listener, Running, environment, here, receiver, until, write_config
from tests.watcher.cli.conftest import BUDGETS
from watcher.simulator import Simulator, World
from watcher.store import Store

LATER = "2026-11-20T12:25:00Z@1"


@dataclass
class Scene:
    """An organization that was polled once, and what its receiver heard."""

    config: Path
    listener: Listener

    def act(self, *words: str, clock: str = LATER) -> tuple[int, str, str]:
        return here("budgets", words[0], "-c", self.config, *words[1:], clock=clock)

    def poll(self, clock: str = LATER) -> list[tuple[str, str]]:
        """One poll: rule and scope of each alert that it told."""
        heard = len(self.listener.messages)
        assert here("poll", "-c", self.config, clock=clock)[0] == 0
        return [
            (alert["rule"], " ".join(alert["scope"].values()))
            for message in self.listener.messages[heard:]
            for alert in message["alerts"]
        ]

    def listed(self) -> set[tuple[str, str]]:
        alerts = json.loads(here("alerts", "-c", self.config, "--json", clock=LATER)[1])
        return {(alert["rule"], " ".join(alert["scope"].values())) for alert in alerts if alert["kind"] == "budget"}

    def journal(self, *words: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.act("journal", "--json", *words)[1])
        return found

    @property
    def lines(self) -> list[dict[str, Any]]:
        (organization,) = json.loads(here("budgets", "-c", self.config, "--json", clock=LATER)[1])["organizations"]
        found: list[dict[str, Any]] = organization["budgets"]
        return found


@pytest.fixture
def scene(copied: tuple[Path, Listener]) -> Scene:
    return Scene(*copied)


def test_a_reset_waits_for_a_cycle_and_is_then_told_and_noted(scene: Scene) -> None:
    before = scene.listed()
    code, out, err = scene.act("reset", "--budget", "organization", "--reason", "the  limit was\nwrong", "--by", "ann")
    assert (code, out) == (0, "")
    assert err == (
        "Asked for. It is carried out by the next `watcher poll` or `watcher run`: no daemon runs on this database.\n"
    )
    shown = here("budgets", "-c", scene.config, clock=LATER)[1]
    assert "Waits for the next cycle: reset organization (ann)." in shown
    (waiting,) = scene.journal()
    assert (waiting["outcome"], waiting["done_at"], waiting["reason"]) == (None, None, "the limit was wrong")
    assert scene.poll() == [("organization", "")]
    assert scene.listed() == before
    assert scene.poll() == []
    (done,) = scene.journal()
    assert done | {"organization": None} == {
        "asked_at": done["asked_at"],
        "done_at": done["done_at"],
        "by": "ann",
        "what": "reset",
        "organization": None,
        "budget": "organization",
        "scope": None,
        "until": None,
        "reason": "the limit was wrong",
        "outcome": "reset: 1 crossing ended, thresholds armed anew",
        "done": True,
    }
    out = scene.act("journal")[1]
    assert "ann reset organization: the limit was wrong" in out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert scene.journal("--budget", "keys a day") == []


def test_a_reset_of_one_key_by_its_name_or_id_leaves_the_others_alone(scene: Scene) -> None:
    crossed = [line for line in scene.lines if line["budget"] == "keys a day" and float(line["spent_usd"]) > 0.01]
    assert len(crossed) > 1
    one = crossed[0]
    for called in (one["label"], one["label"].upper(), one["scope"]["api_key"]):
        assert scene.act("reset", "--budget", "keys a day", "--scope", called, "--reason", "again")[0] == 0
        assert scene.poll() == [("keys a day", one["scope"]["api_key"])]
    code, _, err = scene.act("reset", "--budget", "keys a day", "--scope", "nobody", "--reason", "again")
    assert code == 2
    assert "No line of the budget 'keys a day' is called 'nobody'. There are: " in err


def test_the_line_of_a_budget_without_scopes_is_called_all_as_the_table_shows_it(scene: Scene) -> None:
    assert scene.act("reset", "--budget", "organization", "--scope", "all", "--reason", "again")[0] == 0
    assert scene.poll() == [("organization", "")]


def test_the_journal_of_a_budget_that_nobody_asked_anything_about_says_just_that(scene: Scene) -> None:
    assert scene.act("reset", "--budget", "organization", "--reason", "again")[0] == 0
    assert scene.act("journal", "--budget", "keys a day")[1] == "Nobody has paused, resumed or reset 'keys a day'.\n"


def test_a_pause_is_shown_until_it_is_resumed(scene: Scene) -> None:
    words = (
        "pause",
        "--budget",
        "organization",
        "--until",
        "2026-12-01",
        "--reason",
        "a [bold]migration",
        "--by",
        "ann",
    )
    assert scene.act(*words)[0] == 0
    assert scene.act("reset", "--budget", "organization", "--reason", "anew", "--by", "ann")[0] == 0
    assert scene.poll() == []
    assert ("organization", "") not in scene.listed()
    out = here("budgets", "-c", scene.config, clock=LATER)[1]
    assert "  paused until Tue 1 Dec 00:00 UTC by ann (a [bold]migration)\n" in out
    assert "organization (paused) " in here("status", "-c", scene.config, clock=LATER)[1]
    status = json.loads(here("status", "-c", scene.config, "--json", clock=LATER)[1])
    assert {line["budget"] for line in status["budgets"] if line["paused"]} == {"organization"}
    (line,) = [line for line in scene.lines if line["budget"] == "organization"]
    assert (line["paused"]["until"], line["paused"]["by"]) == ("2026-12-01T00:00:00Z", "ann")
    assert scene.act("resume", "--budget", "organization", "--by", "bob")[0] == 0
    assert scene.poll() == [("organization", "")]
    assert [(each["by"], each["what"]) for each in scene.journal()] == [
        ("bob", "resume"),
        ("ann", "reset"),
        ("ann", "pause"),
    ]
    assert "paused until" not in here("budgets", "-c", scene.config, clock=LATER)[1]


def test_a_budget_that_the_configuration_pauses_says_so_in_check_and_in_the_table(scene: Scene) -> None:
    text = scene.config.read_text()
    scene.config.write_text(text.replace('name = "organization"\n', 'name = "organization"\npaused = true\n'))
    assert 'Budget "organization": $100 a month (UTC) for the whole organization; is paused and tells nothing.' in (
        " ".join(here("check", "-c", scene.config)[1].split())
    )
    assert scene.poll() == []
    assert "  paused by the configuration\n" in here("budgets", "-c", scene.config, clock=LATER)[1]
    assert scene.act("resume", "--budget", "organization")[0] == 0
    scene.poll()
    assert scene.journal()[0]["outcome"] == "refused: the configuration pauses it: take `paused = true` out there"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("pause", "--budget", "nothing", "--reason", "x"),
            "No budget is called 'nothing'. There are: ",
        ),
        (("pause", "--budget", "organization", "--reason", " "), "--reason must not be empty"),
        (("reset", "--budget", "organization", "--reason", "x" * 501), "--reason may have 500 characters"),
        (
            ("pause", "--budget", "organization", "--reason", "x", "--until", "2026-11-19"),
            "--until must lie in the future",
        ),
        (("pause", "--budget", "organization", "--reason", "x", "--until", "soon"), "--until must be a date or an ISO"),
        (("pause", "--budget", "organization", "--reason", "x", "--until", "0s"), "--until must lie in the future"),
        (("reset", "--budget", "organization"), "Missing option"),
        (("reset", "--budget", "organization", "--reason", "x\udcff"), "--reason must be UTF-8 text"),
        (("reset", "--budget", "organization", "--reason", "x", "--by", "ann\udcff"), "--by must be UTF-8 text"),
        (("reset", "--budget", "organization", "--reason", "x", "--scope", ""), "There are: all."),
        (
            ("reset", "--budget", "organization", "--reason", "x", "--organization", "x"),
            "No organization is called 'x'",
        ),
    ],
)
def test_what_cannot_be_asked_is_wrong_usage_and_asks_nothing(
    scene: Scene, words: tuple[str, ...], sentence: str
) -> None:
    code, out, err = scene.act(*words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert scene.journal() == []


def test_options_before_a_subcommand_are_refused_and_not_dropped(scene: Scene) -> None:
    code, _, err = here("budgets", "-c", scene.config, "journal")
    assert code == 2
    assert "Options stand after the name of the subcommand, as in `watcher budgets journal -c FILE`." in err


def test_without_a_database_nothing_is_asked_or_made(tmp_path: Path) -> None:
    config = write_config(tmp_path, "http://127.0.0.1:9", BUDGETS)
    code, _, err = here("budgets", "reset", "-c", config, "--budget", "organization", "--reason", "x")
    assert code == 1
    assert "watcher.db" in err
    assert list(tmp_path.iterdir()) == [config]


def test_a_running_daemon_carries_it_out_with_its_next_cycle(scene: Scene) -> None:
    """The daemon runs at 60 times the clock's speed, so that its next cycle comes within seconds."""
    with Running(scene.config, env=environment("2026-11-20T12:30:00Z@60")) as daemon:
        daemon.line("cycle done")
        heard = len(scene.listener.messages)
        code, _, err = scene.act("reset", "--budget", "organization", "--reason", "x", clock="2026-11-20T12:31:00Z@1")
        assert code == 0
        assert "the next cycle of the running daemon, within 5 minutes" in err
        assert until(lambda: len(scene.listener.messages) > heard)
        assert daemon.end()[0] == 0
    (message,) = scene.listener.messages[heard:]
    assert [(alert["rule"], alert["state"]) for alert in message["alerts"]] == [("organization", "firing")]
    assert scene.poll(clock="2026-11-20T12:50:00Z@1") == []


def test_of_several_organizations_only_the_one_that_is_named_hears_of_it(tmp_path: Path) -> None:
    worlds = [World(started_at=NOW - timedelta(hours=5), seed=seed, keys=3, days=5) for seed in (1, 2)]
    with Simulator(worlds[0], lambda: NOW) as one, Simulator(worlds[1], lambda: NOW) as two, Listener() as listener:
        tables = "".join(
            f'[[organization]]\nname = "{name}"\nbase_url = "{served.url}"\nadmin_key = "sk-ant-admin01-{name}"\n'
            for name, served in (("east", one), ("west", two))
        )
        config = write_config(tmp_path, one.url, BUDGETS + receiver("hook", f"{listener.url}/hook"), backfill="4d")
        text = config.read_text()
        config.write_text(tables + text[text.index("[store]") :])
        scene = Scene(config, listener)
        assert here("poll", "-c", config)[0] == 0
        asked = ("reset", "--budget", "organization", "--reason", "x")
        code, _, err = scene.act(*asked, "--organization", "west")
        assert (code, err.partition(".")[0]) == (0, "Asked for in 'west'")
        assert scene.poll() == [("organization", "")]
        (entry,) = scene.journal()
        assert entry["organization"]["label"] == "west"
        assert scene.act(*asked)[0] == 0
        assert sorted(scene.poll()) == [("organization", ""), ("organization", "")]
        assert [entry["organization"]["label"] for entry in scene.journal()].count("east") == 1


def test_a_pending_command_of_an_unknown_kind_is_answered_and_does_no_harm(scene: Scene) -> None:
    with Store.open(f"sqlite:///{scene.config.with_name('watcher.db')}") as store:
        (bound,) = store.organizations.all()
        number = store.commands.append(NOW, "ann", "silence", {"alert": "x"}, bound.id)
    assert scene.poll() == []
    with Store.open(f"sqlite:///{scene.config.with_name('watcher.db')}") as store:
        done = store.commands.get(number)
        assert done is not None
        assert done.outcome == "refused: this version does not know 'silence'"
