"""A key decided about in Slack, from the plan to the key: the program against the simulator and a workspace."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from notifiers.http import OutgoingHttp
from notifiers.slack_action_blocks import APPROVE, DEACTIVATE, DENY
from notifiers.slack_api import SlackApi
from notifiers.slack_bot import SlackBotNotifier
from notifiers.slack_pace import Pace
from rules.actions import Action, ActionState
from rules.model import Notification
from rules.policy import KeyAction, Policy
from tests.acceptance.conftest import Start
from tests.acceptance.running import (
    KEY_SPEND,
    MINUTE,
    RECEIVER,
    Asked,
    Recorder,
    Watcher,
    at,
    dollars,
    incident_file,
)
from tests.slack_workspace import APP_TOKEN, BOT_TOKEN, CHANNEL, Workspace, slack_workspace
from tests.stage import until
from watcher.listening import Listening
from watcher.secret import Secret
from watcher.settings import Settings, ShutoffSettings, SlackBotSettings, WaySettings
from watcher.simulator import World
from watcher.slack_offers import SlackOffers

TUESDAY = at("2026-11-17 06:00")
ADA, EVE = "U0123456789", "U0999999999"
POLICY = Policy(mode="approve", grace=timedelta(0), min_amount=dollars(20), approvers=(ADA,))


@dataclass
class Relay(Recorder):
    """A recorder that hands everything on to a bot."""

    to: list[SlackBotNotifier] = field(default_factory=list)

    def send(self, notification: Notification) -> None:
        for bot in self.to:
            bot.send(notification)
        super().send(notification)


@dataclass
class Script:
    """A watcher whose receiver is a bot in a workspace, and somebody who presses."""

    watcher: Watcher
    slack: Workspace
    key: str
    presses: int = 0

    @property
    def first(self) -> dict[str, Any]:
        (posted,) = self.slack.top
        return posted

    @property
    def thread(self) -> list[dict[str, Any]]:
        return self.slack.thread(self.first["ts"])

    @property
    def rows(self) -> tuple[Action, ...]:
        return self.watcher.store.actions.all(self.watcher.world.organization.id)

    @property
    def status(self) -> str:
        return self.watcher.world.organization.keys[self.key].status(self.watcher.now)

    @property
    def writes(self) -> list[str]:
        return [request.path for request in self.watcher.simulator.requests if request.method != "GET"]

    def forward(self, minutes: int = 5, every: int = 5) -> None:
        self.watcher.run(self.watcher.now + minutes * MINUTE, every * MINUTE)

    def until(self, holds: Callable[[], bool], hours: int = 9) -> None:
        ends = self.watcher.now + timedelta(hours=hours)
        while not holds():
            assert self.watcher.now < ends
            self.forward(10, 10)

    def button(self, action: str) -> tuple[str, str] | None:
        """The value of a button, and the message that has it: the newest first."""
        for ts, posted in reversed(self.slack.messages.items()):
            for block in posted.get("blocks", ()):
                for each in block.get("elements", ()) if block["type"] == "actions" else ():
                    if each["action_id"] == action:
                        return each["value"], ts
        return None

    def press(self, action: str, user: str = ADA) -> None:
        """Press it, and wait until Slack has heard that it was taken, and who pressed of what came of it."""
        self.presses += 1
        found = self.button(action)
        assert found is not None
        answers = self.answers
        self.slack.press(action, *found, envelope=f"e{self.presses}", user=user)
        assert self.slack.acknowledged.get(timeout=10)["envelope_id"] == f"e{self.presses}"
        assert until(lambda: self.answers > answers)

    @property
    def answers(self) -> int:
        return len(self.slack.called("chat.postEphemeral")) + len(self.slack.called("chat.postMessage"))

    @property
    def whispers(self) -> list[str]:
        return [str(given["text"]) for given in self.slack.called("chat.postEphemeral")]


@pytest.fixture
def scripted(start: Start, tmp_path: Path) -> Iterator[Callable[..., Script]]:
    with ExitStack() as stack:

        def begin(policy: Policy = POLICY, *, action: bool = True) -> Script:
            slack = stack.enter_context(slack_workspace())
            scenario = incident_file(tmp_path, "runaway after=1h for=9h factor=20")
            world = World(started_at=TUESDAY, seed=7, keys=6, workspaces=2, days=21, scenario=scenario)
            rule = replace(KEY_SPEND, action=KeyAction()) if action else KEY_SPEND
            watcher = start(world, Asked(anomalies=(rule,), policy=policy))
            way = WaySettings(allow_private=True)
            bot = SlackBotSettings(
                RECEIVER, Secret(BOT_TOKEN), CHANNEL, way, Secret(APP_TOKEN), api_url=f"{slack.url}/api/"
            )
            api = SlackApi(BOT_TOKEN, OutgoingHttp(timeout=5), bot.api_url, allow_private=True)
            notifier = SlackBotNotifier(
                RECEIVER,
                CHANNEL,
                api,
                watcher.store.slack_messages,
                interactive=True,
                draw=lambda _chart: b"\x89PNG",
                pace=Pace(seconds=lambda: 0.0, pause=lambda _seconds: None),
                keys=SlackOffers(watcher.store, policy),
            )
            watcher.recorders[RECEIVER] = Relay(RECEIVER, to=[notifier])
            ears = Listening(watcher.store, watcher.clock)
            settings = Settings(
                tmp_path / "c.toml",
                (),
                store=None,  # type: ignore[arg-type]
                receivers=(bot,),
                shutoff=ShutoffSettings(policy),
            )
            ears.begin(settings, OutgoingHttp(timeout=5), lambda: [watcher.world.organization.id])
            stack.callback(ears.stop)
            assert slack.connected.wait(10)
            return Script(watcher, slack, str(world.incidents[0].api_key_id))

        yield begin


def test_a_key_is_approved_in_slack_and_off_with_the_next_cycle(scripted: Callable[..., Script]) -> None:
    script = scripted()
    script.until(lambda: script.button(APPROVE) is not None)
    (row,) = script.rows
    assert (row.key, row.state, row.mode) == (script.key, ActionState.PROPOSED, "approve")
    assert "Deactivate key" in script.first["text"]
    assert "What happens next" in script.first["text"]

    script.press(APPROVE, EVE)
    assert "not among those who decide about keys" in script.whispers[-1]
    assert script.watcher.store.commands.pending() == ()

    script.press(APPROVE)
    assert "approves it" in script.thread[-1]["text"]
    script.press(APPROVE)
    assert "has asked for that already" in script.whispers[-1]
    assert script.status == "active"

    script.until(lambda: script.status == "inactive", hours=1)
    (row,) = script.rows
    assert (row.state, row.by) == (ActionState.CONFIRMED, f"Ada (Slack {ADA})")
    assert script.writes == [f"/v1/organizations/api_keys/{script.key}"]
    told = script.thread[-1]
    assert "is off since" in told["text"]
    assert "Approved by Ada" in told["text"]
    assert "Being off saves about $" in told["text"]
    assert "watcher keys reactivate" in told["text"]
    assert told["reply_broadcast"] is True
    assert script.button(APPROVE) is None
    assert script.button(DENY) is None
    assert "is off since" in script.first["text"]


def test_a_key_that_somebody_says_no_about_stays_on_and_is_not_asked_about_again(
    scripted: Callable[..., Script],
) -> None:
    script = scripted()
    script.until(lambda: script.button(DENY) is not None)
    (before,) = [script.button(APPROVE)]
    script.press(DENY)
    script.forward()
    (row,) = script.rows
    assert (row.state, row.by) == (ActionState.REFUSED, f"Ada (Slack {ADA})")
    assert "stays on: Ada" in script.thread[-1]["text"]
    assert before is not None
    assert script.button(APPROVE) is None
    messages = len(script.slack.messages)
    script.forward(60, 20)
    assert script.status == "active"
    assert len(script.rows) == 1
    assert script.button(APPROVE) is None
    assert not any("Approve within" in posted["text"] for posted in [*script.slack.messages.values()][messages:])
    assert script.writes == []


@pytest.mark.slow
def test_what_nobody_approves_expires_and_says_so(scripted: Callable[..., Script]) -> None:
    script = scripted()
    script.until(lambda: script.button(APPROVE) is not None)
    script.forward(40, 20)
    (row,) = script.rows
    assert row.state is ActionState.EXPIRED
    assert "nobody approved it" in script.thread[-1]["text"]
    assert script.button(APPROVE) is None


def test_a_key_is_stopped_by_a_press_though_no_rule_asks_for_it(scripted: Callable[..., Script]) -> None:
    script = scripted(action=False)
    script.until(lambda: script.button(DEACTIVATE) is not None)
    assert script.rows == ()
    script.press(DEACTIVATE)
    script.until(lambda: script.status == "inactive", hours=1)
    (row,) = script.rows
    assert (row.cause.kind, row.state, row.by) == ("hand", ActionState.CONFIRMED, f"Ada (Slack {ADA})")
    assert "is off since" in script.thread[-1]["text"]
    assert script.button(DEACTIVATE) is None
    assert DEACTIVATE not in json.dumps(script.first["blocks"])


@pytest.mark.slow
def test_a_plan_in_its_grace_is_stopped_by_a_press(scripted: Callable[..., Script]) -> None:
    script = scripted(replace(POLICY, mode="auto", grace=timedelta(minutes=15)))
    script.until(lambda: script.button(DENY) is not None)
    assert "will be deactivated at" in script.first["text"]
    assert "unless someone says no" in script.first["text"]
    script.press(DENY)
    script.forward(30, 15)
    (row,) = script.rows
    assert row.state is ActionState.REFUSED
    assert script.status == "active"
    assert script.writes == []
