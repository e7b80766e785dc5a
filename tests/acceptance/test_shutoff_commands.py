"""People beside the guard: what is approved, denied and braked on the command line, and what a cycle makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from rules.actions import ActionState
from rules.policy import KeyAction, Policy
from tests.acceptance.conftest import Start
from tests.acceptance.running import KEY, KEY_SPEND, MINUTE, Asked, Watcher, at, dollars, incident_file
from tests.acceptance.test_analytics import ANALYTICS_KEY
from tests.stage import here, write_config
from watcher.simulator import World

TUESDAY = at("2026-11-17 06:00")
WATCHED = replace(KEY_SPEND, action=KeyAction())
POLICY = Policy(mode="approve", min_amount=dollars(20), approvers=("ann",))
SHUTOFF = '[shutoff]\nmode = "approve"\nmin_usd = 20\napprovers = ["ann"]\n'


class Desk:
    """The command line of whoever runs the watcher, at its present moment."""

    def __init__(self, watcher: Watcher, folder: Path) -> None:
        self.watcher = watcher
        self.config = write_config(folder / "desk", watcher.simulator.url, SHUTOFF)
        self.config.write_text(self.config.read_text().replace("sqlite:///watcher.db", f"sqlite:///{watcher.database}"))

    def act(self, *words: str) -> tuple[int, str, str]:
        return here(*words, "-c", self.config, clock=f"{self.watcher.now:%Y-%m-%dT%H:%M:%SZ}@1")

    def journal(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.act("actions", "--json")[1])
        return found


def proposed(start: Start, folder: Path) -> tuple[Watcher, Desk]:
    """A watcher whose guard has just asked for a key that burns to be deactivated."""
    scenario = incident_file(folder, "runaway after=1h for=9h factor=20")
    world = World(started_at=TUESDAY, seed=7, keys=12, workspaces=3, days=21, scenario=scenario)
    watcher = start(world, Asked(anomalies=(WATCHED,), policy=POLICY))
    watcher.cycle()
    watcher.run(TUESDAY + timedelta(hours=1))
    while not watcher.store.actions.all(world.organization.id) and watcher.now < at("2026-11-17 16:00"):
        watcher.run(watcher.now + 5 * MINUTE, 5 * MINUTE)
    return watcher, Desk(watcher, folder)


def state(watcher: Watcher) -> ActionState:
    (row,) = watcher.store.actions.all(watcher.world.organization.id)
    return row.state


def test_what_is_approved_on_the_command_line_is_done_once_and_by_whom_is_kept(start: Start, tmp_path: Path) -> None:
    watcher, desk = proposed(start, tmp_path)
    (row,) = desk.journal()
    assert (row["state"], row["rule"], row["by"]) == ("proposed", "key spend", "policy")
    assert float(row["amount_usd"]) >= 20
    figures = row["evidence"]["figures"]
    assert float(figures["certain_usd"]) - float(figures["bound_usd"]) == float(row["amount_usd"])
    shown = desk.act("actions")[1]
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "It waits: an anomaly must be seen in two versions of the data. It expires at" in " ".join(shown.split())
    code, _, err = desk.act("actions", "approve", row["id"], "--by", "bob", "--yes")
    assert (code, err) == (2, "'bob' is not among the approvers in [shutoff]: say who you are with --by.\n")
    code, _, err = desk.act("actions", "approve", row["id"], "--by", "ann")
    assert (code, "There is no terminal to ask on: say --yes" in err) == (2, True)
    code, out, err = desk.act("actions", "approve", row["id"][:4], "--by", "ann", "--yes")
    assert (code, out) == (0, "")
    assert f"Deactivate {row['key_name']} in" in err
    assert "where $" in err
    watcher.run(watcher.now + 10 * MINUTE, 5 * MINUTE)
    (row,) = desk.journal()
    assert (row["state"], row["by"]) == ("confirmed", "ann")
    assert watcher.world.organization.keys[row["key"]].status(watcher.now) == "inactive"
    shown = desk.act("actions", "show", row["id"])[1]
    assert "approved by ann" in shown
    assert f"watcher keys reactivate {row['key']}" in shown
    code, _, err = desk.act("actions", "deny", row["id"], "--by", "ann", "--yes")
    assert (code, err.startswith("It does not wait any more: it is confirmed.")) == (2, True)


def test_what_is_denied_ends_with_who_and_why_and_is_never_asked_again(start: Start, tmp_path: Path) -> None:
    watcher, desk = proposed(start, tmp_path)
    (row,) = desk.journal()
    assert desk.act("actions", "deny", row["id"], "--by", "ann", "--reason", "a\nlaunch")[0] == 0
    watcher.run(watcher.now + timedelta(hours=2), 15 * MINUTE)
    (row,) = desk.journal()
    assert (row["state"], row["reason"], row["by"]) == ("refused", "ann said no: a launch.", "ann")
    assert watcher.world.organization.keys[row["key"]].status(watcher.now) == "active"


def test_what_has_changed_since_it_was_shown_is_not_approved_and_a_pause_holds_what_was(
    start: Start, tmp_path: Path
) -> None:
    watcher, desk = proposed(start, tmp_path)
    (row,) = desk.journal()
    details = {"action": row["id"], "digest": "0" * 12}
    watcher.store.commands.append(watcher.now, "ann", "action approve", details, watcher.world.organization.id)
    watcher.run(watcher.now + 5 * MINUTE, 5 * MINUTE)
    assert state(watcher) is ActionState.PROPOSED
    shown = " ".join(desk.act("actions")[1].split())
    refused = f"Refused {watcher.now:%H:%M} UTC: action approve {row['id']} (ann)"
    assert f"{refused}: what it would do has changed since it was shown" in shown
    assert desk.act("actions", "approve", row["id"], "--by", "ann", "--yes")[0] == 0
    assert desk.act("actions", "pause", "--reason", "an audit", "--by", "root")[0] == 0
    watcher.run(watcher.now + 10 * MINUTE, 5 * MINUTE)
    (row,) = desk.journal()
    assert row["state"] == "approved"
    assert row["evidence"]["waits_for"] == "actions are paused (an audit)"
    standing = json.loads(desk.act("status", "--json")[1])["organizations"][0]["shutoff"]
    assert (standing["mode"], standing["paused"], standing["paused_by"]) == ("approve", True, "root")
    assert [each["key"] for each in standing["waiting"]] == [row["key"]]
    status = " ".join(desk.act("status")[1].split())
    assert "Actions are paused (an audit): no key is changed, by policy or by hand." in status
    assert f"Shutoff: approve; 1 action waits. deactivate {row['key_name']}: actions are paused (an audit)" in status
    assert watcher.metric("watcher_shutoff_paused") == 1
    assert watcher.metric("watcher_shutoff_mode", mode="approve") == 1 == watcher.metric("watcher_shutoff_mode")
    assert watcher.metric("watcher_actions", state="approved") == 1
    assert desk.act("actions", "resume")[0] == 0
    watcher.run(watcher.now + 10 * MINUTE, 5 * MINUTE)
    assert state(watcher) is ActionState.CONFIRMED
    assert watcher.metric("watcher_shutoff_paused") == 0
    assert watcher.metric("watcher_key_deactivations_total") == 1
    assert f"Last: {row['key_name']} deactivated" in desk.act("status")[1]


def test_reading_with_an_analytics_key_no_rule_acts_and_the_action_key_lists_and_changes_by_hand(
    start: Start, tmp_path: Path
) -> None:
    scenario = incident_file(tmp_path, "runaway after=-6h for=30h factor=20")
    world = World(started_at=TUESDAY, seed=7, keys=6, workspaces=2, days=21, analytics=True, scenario=scenario)
    policy = Policy(mode="auto", grace=timedelta(0), min_amount=dollars(1))
    asked = Asked(anomalies=(WATCHED,), policy=policy, key=ANALYTICS_KEY, action_key=KEY)
    watcher = start(world, asked)
    desk = Desk(watcher, tmp_path)
    desk.config.write_text(desk.config.read_text().replace('approvers = ["ann"]', ""))
    watcher.cycle()
    watcher.run(TUESDAY + timedelta(hours=12), timedelta(hours=1))
    assert watcher.firing("anomaly")
    assert watcher.simulator.writes == ()
    key = str(world.incidents[0].api_key_id)
    assert [row["state"] for row in desk.journal()] == ["proposed"]
    (listed,) = json.loads(desk.act("keys", "--json", "--key", key)[1])
    assert (listed["name"], listed["state"]) == (world.organization.keys[key].name, "active")
    assert desk.act("keys", "deactivate", listed["name"], "--reason", "it burns", "--yes")[0] == 0
    watcher.run(watcher.now + 5 * MINUTE, 5 * MINUTE)
    assert world.organization.keys[key].status(watcher.now) == "inactive"
    assert len(watcher.simulator.writes) == 1
