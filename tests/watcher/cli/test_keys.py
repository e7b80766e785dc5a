"""`watcher keys` and what `watcher actions` does by hand: from the command line through polls to the API."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.stage import NOW, here, quiet_logs, write_config
from watcher.cli.confirming import must_agree, must_type
from watcher.simulator import Simulator, World
from watcher.simulator.organization import ApiKey

SHUTOFF = """\
[shutoff]
mode = "dry_run"
approvers = ["ann"]
protect = { api_key = ["nothing-*"] }
"""
MINUTE = timedelta(minutes=1)


@dataclass
class Scene:
    """An organization that was polled once; time goes on by a minute with every command."""

    config: Path
    world: World
    simulator: Simulator
    minutes: list[int]
    """Since `NOW`; the simulator reads it too."""

    def act(self, *words: str) -> tuple[int, str, str]:
        self.minutes[0] += 1
        return here(*words, "-c", self.config, clock=f"{self.now:%Y-%m-%dT%H:%M:%SZ}@1")

    def poll(self) -> None:
        self.minutes[0] += 5
        code, _, err = self.act("poll")
        assert code == 0, err

    @property
    def now(self) -> datetime:
        return NOW + self.minutes[0] * MINUTE

    def listed(self, *words: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.act("keys", "--json", *words)[1])
        return found

    def journal(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.act("actions", "--json")[1])
        return found

    @contextmanager
    def configured(self, shutoff: str) -> Iterator[None]:
        """With another [shutoff]."""
        before = self.config.read_text()
        self.config.write_text(before.replace(SHUTOFF, shutoff))
        yield
        self.config.write_text(before)

    @property
    def key(self) -> ApiKey:
        """An active key that is not the only one of its workspace, and not of Claude Code."""
        return next(key for key in self.world.organization.keys.values() if key.name.startswith("checkout"))

    def status(self, key: ApiKey) -> str:
        return self.world.organization.keys[key.id].status(self.now)

    @property
    def writes(self) -> list[str]:
        return [f"{each.method} {each.path}" for each in self.simulator.requests if each.method != "GET"]


@contextmanager
def staged(folder: Path) -> Iterator[Scene]:
    minutes = [0]
    world = World(started_at=NOW - timedelta(hours=5), seed=7, keys=8, days=3)
    with Simulator(world, lambda: NOW + minutes[0] * MINUTE) as served:
        found = Scene(write_config(folder, served.url, SHUTOFF, backfill="2d"), world, served, minutes)
        found.poll()
        yield found


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """One of its own, for what is changed in it."""
    with staged(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One for all that only look, or are refused."""
    with staged(tmp_path_factory.mktemp("untouched")) as found:
        yield found


def test_a_key_is_turned_off_by_hand_looked_at_read_back_and_turned_on_again(scene: Scene) -> None:
    key = scene.key
    code, out, err = scene.act(
        "keys", "deactivate", key.name, "--reason", "leaked\non GitHub", "--by", "ann\x1b[31m", "--yes"
    )
    assert (code, out) == (0, "")
    assert f"{key.name} ({key.id}) in Production, active, spent $" in err
    assert "carried out by the next `watcher poll`" in err
    assert scene.writes == []
    assert "Waits for the next cycle: key deactivate checkout-assistant-prod-0" in scene.act("keys")[1]
    scene.poll()
    assert scene.status(key) == "inactive"
    (row,) = scene.journal()
    assert row | {"evidence": None, "created_at": "", "updated_at": ""} == {
        "id": row["id"],
        "key": key.id,
        "key_name": key.name,
        "workspace": row["workspace"],
        "action": "deactivate_key",
        "state": "confirmed",
        "reason": "leaked on GitHub",
        "rule": None,
        "evidence": None,
        "amount_usd": "0",
        "created_at": "",
        "updated_at": "",
        "by": "ann\x1b[31m",
    }
    assert row["evidence"]["before"]["status"] == "active"
    assert row["evidence"]["after"]["status"] == "inactive"
    shown = scene.act("actions", "show", row["id"][:5])[1]
    assert f"watcher keys reactivate {key.id} -c " in shown
    assert "read back: inactive" in shown
    assert "\x1b" not in shown
    (listed,) = scene.listed("--key", "checkout*")
    assert listed["changed"] | {"after_time": "", "seen_at": ""} == {
        "field": "status",
        "before": "active",
        "after": "inactive",
        "after_time": "",
        "seen_at": "",
        "by": "claude-watcher",
        "action": row["id"],
    }
    assert scene.act("keys", "deactivate", key.id, "--reason", "x", "--yes")[0] == 2
    assert scene.act("keys", "reactivate", "checkout*", "--reason", "a false alarm", "--yes")[0] == 0
    scene.poll()
    assert scene.status(key) == "active"
    assert [row["action"] for row in scene.journal()] == ["reactivate_key", "deactivate_key"]
    assert scene.writes == [f"POST /v1/organizations/api_keys/{key.id}"] * 2


@pytest.mark.parametrize("command", [("keys", "deactivate"), ("actions", "drill")])
@pytest.mark.parametrize(("mode", "said"), [("dry_run", True), ("approve", False), ("auto", False)])
def test_what_is_done_by_hand_under_a_dry_run_is_said_before_the_name_is_typed(
    untouched: Scene, command: tuple[str, str], mode: str, *, said: bool
) -> None:
    with untouched.configured(SHUTOFF.replace('"dry_run"', f'"{mode}"')):
        code, _, err = untouched.act(
            *command, untouched.key.name, "--reason", "x", *["--spending"][: command[1] == "drill"]
        )
    assert (code, "There is no terminal to ask" in err) == (2, True)
    assert ('mode = "dry_run" holds back the policy alone: what is asked for by hand is done.' in err) is said


def test_a_drill_turns_a_test_key_off_and_on_again_and_one_that_spends_is_refused(scene: Scene) -> None:
    key = scene.key
    code, _, err = scene.act("actions", "drill", key.name, "--yes")
    assert code == 2
    assert "in the last 7 days: --spending" in err
    assert scene.act("actions", "drill", key.name, "--yes", "--spending")[0] == 0
    scene.poll()
    assert scene.status(key) == "inactive"
    scene.poll()
    assert scene.status(key) == "active"
    again, off = scene.journal()
    assert (off["evidence"]["kind"], off["state"]) == ("drill", "confirmed")
    assert (again["action"], again["state"], again["by"]) == ("reactivate_key", "confirmed", "policy")
    scene.poll()
    assert len(scene.writes) == 2


def test_what_is_paused_is_not_done_and_is_said_to_be_until_it_is_resumed(scene: Scene) -> None:
    assert scene.act("keys", "deactivate", scene.key.id, "--reason", "x", "--yes")[0] == 0
    code, out, err = scene.act("actions", "pause", "--for", "2h", "--reason", "an  audit")
    assert (code, out) == (0, "")
    assert "nothing is begun from this moment on" in err
    scene.poll()
    assert scene.writes == []
    (row,) = scene.journal()
    assert row["state"] == "refused"
    assert "actions are paused until 2026-11-20 14:" in row["reason"]
    assert "(an audit)." in scene.act("actions")[1].splitlines()[0]
    code, _, err = scene.act("keys", "deactivate", scene.key.id, "--reason", "x", "--yes")
    assert code == 0
    assert "This is refused as long as actions are paused" in err
    assert scene.act("actions", "resume")[0] == 0
    scene.poll()
    shown = scene.act("actions")[1]
    assert "paused" not in shown.splitlines()[0]
    # With the time: the pause of which it speaks is over by now.
    assert re.search(r"Refused \d\d:\d\d UTC: key deactivate checkout-assistant-prod-0", shown)
    assert scene.writes == []


def test_what_is_protected_by_hand_is_off_limits_until_it_no_longer_is(scene: Scene) -> None:
    key = scene.key
    assert scene.act("keys", "protect", key.name, "--by", "ann")[0] == 0
    scene.poll()
    assert [row["protected"] for row in scene.listed("--key", key.id)] == ["ann has protected it"]
    assert {row["name"] for row in scene.listed("--protected")} >= {key.name}
    assert key.name not in {row["name"] for row in scene.listed("--unprotected")}
    code, _, err = scene.act("keys", "deactivate", key.id, "--reason", "x", "--yes")
    assert (code, err) == (
        2,
        f"'{key.name}' is protected: ann has protected it. Nothing turns it off, not even by hand.\n",
    )
    assert scene.act("keys", "unprotect", key.name)[0] == 0
    assert scene.act("keys", "protect", "--workspace", "production")[0] == 0
    scene.poll()
    (row,) = scene.listed("--key", key.id)
    assert row["protected"].endswith("has protected its workspace")
    assert scene.writes == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("keys", "deactivate", "*", "--reason", "x", "--yes"), "12 keys are called '*': name one by its id."),
        (("keys", "deactivate", "no-such", "--reason", "x", "--yes"), "No key is called 'no-such'"),
        (("keys", "deactivate", "checkout*", "--reason", " ", "--yes"), "--reason must not be empty"),
        (("keys", "deactivate", "checkout*", "--reason", "x"), "There is no terminal to ask on: say --yes"),
        (("keys", "reactivate", "checkout*", "--reason", "x", "--yes"), "there is nothing to reactivate"),
        (("keys", "protect"), "Say either a key or --workspace."),
        (("keys", "protect", "--workspace", "no-such"), "No workspace is called 'no-such'"),
        (("actions", "show", "beef"), "No action has an id that begins with 'beef'"),
        (("actions", "pause", "--for", "0s"), "--for must be more than nothing"),
        (("actions", "pause", "--for", "soon"), "--for must be a duration"),
    ],
)
def test_what_cannot_be_meant_is_said_at_once_and_asks_for_nothing(
    untouched: Scene, words: tuple[str, ...], sentence: str
) -> None:
    code, out, err = untouched.act(*words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert "Asked for" not in err


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "deactivate", "checkout*", "--reason", "x", "--yes"),
        ("keys", "protect", "checkout*"),
        ("actions", "pause"),
        ("actions", "drill", "checkout*", "--yes"),
    ],
)
def test_without_shutoff_in_the_configuration_nothing_can_be_asked_for(
    untouched: Scene, words: tuple[str, ...]
) -> None:
    with untouched.configured(""):
        code, _, err = untouched.act(*words)
        assert (code, "has no [shutoff], so no key can be changed" in err) == (1, True)
        assert "no key can be changed" in untouched.act("keys")[1]


def test_while_the_mode_is_off_nothing_is_done_by_hand_neither(untouched: Scene) -> None:
    with untouched.configured(SHUTOFF.replace('"dry_run"', '"off"')):
        code, _, err = untouched.act("keys", "deactivate", "checkout*", "--reason", "x", "--yes")
    assert (code, 'mode = "off"' in err) == (1, True)


def test_the_list_fits_80_columns_and_can_be_filtered(untouched: Scene) -> None:
    shown = untouched.act("keys")[1]
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "protected: it is of the Claude Code workspace, whose keys belong to people" in shown
    everything = {row["name"]: row for row in untouched.listed("--all")}
    assert {row["state"] for row in everything.values()} >= {"active", "inactive", "archived"}
    assert {row["state"] for row in untouched.listed()} == {"active", "inactive"}
    assert [row["name"] for row in untouched.listed("--state", "inactive")] == ["paused-crawler"]
    spent = [float(row["spend_usd"]["month"]) for row in everything.values()]
    assert spent == sorted(spent, reverse=True)
    assert spent[0] > 0
    assert {row["workspace_name"] for row in untouched.listed("--workspace", "production")} == {"Production"}
    (owner,) = {row["owner_name"] for row in untouched.listed("--owner", "grace*")}
    assert owner == "Grace Horvat"


def test_check_names_patterns_that_protect_nothing_and_asks_whose_the_action_key_is(untouched: Scene) -> None:
    idle = 'warning: shutoff.protect.api_key "nothing-*" fits nothing that is there, so it protects nothing'
    code, _, err = untouched.act("check")
    assert (code, idle in err) == (0, True)
    own = SHUTOFF.replace("nothing-*", "check*") + 'action_key = "sk-ant-admin01-own"\n'
    with untouched.configured(own):
        code, out, err = untouched.act("check", "--online")
    assert (code, "protects nothing" in err) == (0, False)
    assert "✓ action key: lists 12 keys of this organization; whether it may change one was not tried" in out
    with untouched.configured(SHUTOFF):
        code, out, err = untouched.act("check", "--online")
    assert (code, idle in err) == (0, True)
    assert "– action key: the key that is read with" in out
    assert untouched.writes == []


class Terminal(io.StringIO):
    """A terminal on which somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("typed", ["prod\x1b[31m", "apikey_01", "prod\N{REPLACEMENT CHARACTER}[31m"])
def test_a_name_is_typed_as_it_is_as_it_is_shown_or_by_its_id(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    must_type("prod\x1b[31m", "apikey_01", "deactivate it", yes=False, terminal=Terminal(f"{typed}\n"))
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["", "yes", "prodd", "PROD"])
def test_whoever_types_something_else_has_asked_for_nothing(typed: str) -> None:
    with quiet_logs(), pytest.raises(typer.Exit) as ended:
        must_type("prod", "apikey_01", "deactivate it", yes=False, terminal=Terminal(f"{typed}\n"))
    assert ended.value.exit_code == 1


def test_saying_no_is_agreed_to_on_a_terminal_and_needs_none() -> None:
    must_agree("Say no", yes=False, terminal=Terminal("Y\n"))
    must_agree("Say no", yes=False, terminal=io.StringIO())
    must_agree("Say no", yes=True, terminal=Terminal("n\n"))
    with pytest.raises(typer.Exit):
        must_agree("Say no", yes=False, terminal=Terminal("\n"))
