"""Decisions about keys as people see them: every state in words, hostile names harmless wherever they stand."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notifiers.action_json import action_json
from rules.actions import NO_KEY, Action, ActionEvidence, ActionState, Cause, Look
from rules.keys import Key
from rules.model import Scope
from rules.policy import Policy
from watcher.actions.standing import ShutoffStanding, held_words, shutoff_json, shutoff_words
from watcher.actions.words import evidence_words
from watcher.cli.actions_table import show_journal, show_one
from watcher.cli.keys_table import show as show_keys
from watcher.keys.report import KeyChange, KeyRow
from watcher.metrics.board import Board
from watcher.metrics.collecting import families
from watcher.secret import Secret
from watcher.settings import MetricsSettings, OrganizationSettings, Settings, ShutoffSettings, StoreSettings
from watcher.store import Change

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
USD = 1_000_000_000
HOSTILE = "pr\x1b[31mod\u202e\n</script><!channel>[bold]" + "x" * 90
SETTINGS = Settings(
    Path("config.toml"),
    (OrganizationSettings("https://api.anthropic.com", Secret("k")),),
    StoreSettings("sqlite:///x"),
    shutoff=ShutoffSettings(Policy(mode="approve")),
)
EVIDENCE = ActionEvidence(
    since=NOW - 5 * 60 * MINUTE,
    observed=300 * USD,
    certain=250 * USD,
    bound=100 * USD,
    key_observed=280 * USD,
    key_expected=20 * USD,
    share=0.97,
    confidence=0.99,
    error=0.2,
    data_as_of=NOW - 5 * MINUTE,
    unpriced=(HOSTILE,),
)
PROPOSED = Action(
    id="a1b2c3d4",
    organization="org",
    cause=Cause("anomaly", HOSTILE, Scope("org", api_key="k1"), "alert-1"),
    what="deactivate",
    key="k1",
    key_name=HOSTILE,
    workspace="w1",
    workspace_name=HOSTILE,
    state=ActionState.PROPOSED,
    reason=f"It is {HOSTILE} too much.",
    mode="approve",
    amount=150 * USD,
    created_at=NOW - 4 * MINUTE,
    updated_at=NOW,
    by=HOSTILE,
    alert="alert-1",
    evidence=EVIDENCE,
    due_at=NOW + 11 * MINUTE,
    expires_at=NOW + 26 * MINUTE,
    waits="somebody must approve it",
)
CONFIRMED = replace(
    PROPOSED,
    state=ActionState.CONFIRMED,
    waits="",
    approved_at=NOW - 3 * MINUTE,
    intent_at=NOW - 2 * MINUTE,
    sent_at=NOW - 2 * MINUTE,
    confirmed_at=NOW - MINUTE,
    before=Look(NOW - 2 * MINUTE, "active", HOSTILE),
    after=Look(NOW - MINUTE, "inactive", HOSTILE),
)
NOBODY = replace(PROPOSED, key=NO_KEY, key_name="", state=ActionState.REFUSED, reason="No key is touched: spread.")
ROWS = [
    PROPOSED,
    CONFIRMED,
    NOBODY,
    *(replace(CONFIRMED, state=state) for state in ActionState if state is not ActionState.PROPOSED),
    replace(CONFIRMED, what="reactivate", cause=replace(PROPOSED.cause, kind="hand", rule=""), evidence=None),
]


def harmless(text: str) -> bool:
    return not any(
        unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"} for char in text.replace("\n", "")
    )


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")


def test_the_journal_shows_every_state_in_80_columns_and_no_name_does_harm(capsys: pytest.CaptureFixture[str]) -> None:
    show_journal(ROWS, 50, [], HOSTILE, SETTINGS, NOW)
    shown = capsys.readouterr().out
    assert harmless(shown)
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "[bold]" in shown
    for state in ActionState:
        assert f" {state.value} " in shown
    assert "It waits: somebody must approve it. It expires at 12:46 UTC." in " ".join(shown.split())


def test_the_newest_of_many_are_shown_and_the_others_counted(capsys: pytest.CaptureFixture[str]) -> None:
    show_journal(ROWS, 2, ["Waits for the next cycle: x."], "", SETTINGS, NOW)
    shown = capsys.readouterr().out
    assert f"and {len(ROWS) - 2} more: --most {len(ROWS)} shows them" in shown
    assert shown.endswith("Waits for the next cycle: x.\n")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.what} {row.state.value}")
def test_one_decision_is_told_whole(row: Action, capsys: pytest.CaptureFixture[str]) -> None:
    show_one(row, NOW, " -c x.toml")
    shown = capsys.readouterr().out
    assert harmless(shown)
    assert all(len(line) <= 80 for line in shown.splitlines() if "watcher " not in line)
    offered = [line.split("watcher ")[1].split(" -c")[0] for line in shown.splitlines() if ": watcher " in line]
    undo = "keys reactivate k1" if row.what == "deactivate" else "keys deactivate k1"
    expected = {
        ActionState.PROPOSED: ["actions approve a1b2c3d4", "actions deny a1b2c3d4"],
        ActionState.APPROVED: ["actions deny a1b2c3d4"],
        ActionState.SENT: [undo],
        ActionState.CONFIRMED: [undo],
        ActionState.ABANDONED: [undo],
    }
    assert offered == expected.get(row.state, [])
    if row.evidence is not None:
        told = " ".join(shown.split())
        assert "of which $250.00 is certain" in told
        assert "$150.00 over the expected $100.00" in told


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (0.2, "estimates were up to 20 % too high"),
        (0.003, "estimates were up to 0.3 % too high"),
        (0.0002, "estimates were not too high of late"),
        (0.0, "estimates were not too high of late"),
    ],
)
def test_how_far_estimates_are_trusted_is_said_without_a_nothing(error: float, said: str) -> None:
    first, *_ = evidence_words(replace(PROPOSED, evidence=replace(EVIDENCE, error=error)), NOW)
    assert f"$250.00 is certain ({said}): " in first


def test_json_has_the_fields_of_the_contract_and_ascii_makes_names_harmless() -> None:
    fields = "id key key_name workspace action state reason rule evidence amount_usd created_at updated_at by"
    for row in ROWS:
        found = action_json(row)
        assert list(found) == fields.split()
        assert json.loads(json.dumps(found)) == found
        assert json.dumps(found).isprintable()
    assert action_json(NOBODY)["key"] is None
    assert action_json(PROPOSED)["evidence"]["figures"]["key_excess_usd"] == "260"
    assert action_json(PROPOSED)["evidence"]["digest"] == PROPOSED.digest


def test_a_key_s_change_is_told_with_whom_it_came_from_as_far_as_known(capsys: pytest.CaptureFixture[str]) -> None:
    change = Change("api_key", "k1", "status", "active", "inactive", NOW - 15 * MINUTE, NOW - 10 * MINUTE)
    key = Key("k1", HOSTILE, "w1", "inactive", NOW)
    row = KeyRow(key, "org", HOSTILE, "u1", HOSTILE, HOSTILE, 5 * USD, USD, NOW, "", (HOSTILE,), KeyChange(change))
    ours = replace(row, protection=HOSTILE, changed=KeyChange(change, "a1b2c3d4", "policy"))
    renamed = replace(row, changed=KeyChange(replace(change, field="name", before=HOSTILE, after="x")))
    show_keys([row, ours, renamed], None, [], NOW, allowed=True)
    shown = capsys.readouterr().out
    assert harmless(shown)
    assert all(len(line) <= 80 for line in shown.splitlines())
    told = " ".join(shown.split())
    assert "changed from active to inactive between 12:05 UTC and 12:10 UTC, not by claude-watcher" in told
    assert "by claude-watcher for its policy (a1b2c3d4)" in told
    assert "fits it by now: `watcher keys protect` confirms that" in told


def test_how_shutoff_stands_is_told_in_words_json_and_gauges() -> None:
    standing = ShutoffStanding(
        "approve", HOSTILE, None, HOSTILE, (PROPOSED,), CONFIRMED, {ActionState.PROPOSED: 1, ActionState.CONFIRMED: 2}
    )
    words = [*shutoff_words(standing, NOW), *held_words(standing)]
    assert all(map(harmless, words))
    assert words[0] == "Shutoff: approve; 1 action waits."
    assert "somebody must approve it (until 12:46 UTC); `watcher actions show a1b2c3d4`" in words[1]
    found = shutoff_json(standing)
    assert (found["paused"], found["waiting"][0]["until"]) == (True, "2026-11-20T12:46:00Z")
    assert list(held_words(None)) == list(held_words(replace(standing, held=""))) == []
    assert shutoff_json(None) | {"configured": None} == shutoff_json(ShutoffStanding("off")) | {"configured": None}
    board = Board("org", shutoff=standing)
    gauges = {family.name: family.samples for family in families(board, MetricsSettings())}
    modes = {sample.labels["mode"]: sample.value for sample in gauges["watcher_shutoff_mode"]}
    assert modes == {"off": 0, "dry_run": 0, "approve": 1, "auto": 0}
    assert [sample.value for sample in gauges["watcher_shutoff_paused"]] == [1]
    states = {sample.labels["state"]: sample.value for sample in gauges["watcher_actions"]}
    assert (states["proposed"], states["confirmed"], states["refused"]) == (1, 2, 0)
    nothing = {family.name: family.samples for family in families(None, MetricsSettings())}
    assert not nothing["watcher_shutoff_mode"] + nothing["watcher_shutoff_paused"] + nothing["watcher_actions"]
