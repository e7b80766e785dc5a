"""A Slack bot from the configuration to the channel: the commands, and the daemon with its buttons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.slack_workspace import APP_TOKEN, BOT_TOKEN, CHANNEL, Refusal, Workspace, slack_workspace
from tests.stage import BUDGET, NOW, PATIENCE, PROMPT, Running, here, until, write_config
from watcher.simulator import Simulator, World
from watcher.store import Store


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with slack_workspace() as workspace:
        yield workspace


@pytest.fixture
def config(slack: Workspace, tmp_path: Path) -> Iterator[Path]:
    bot = (
        f'[[receiver]]\nname = "ops"\ntype = "slack"\nbot_token = "{BOT_TOKEN}"\napp_token = "{APP_TOKEN}"\n'
        f'channel = "{CHANNEL}"\napi_url = "{slack.url}/api"\nallow_private = true\n[[route]]\nreceiver = "ops"\n'
    )
    with Simulator(World(started_at=NOW.replace(hour=7), keys=6, days=4), lambda: NOW) as served:
        yield write_config(tmp_path, served.url, BUDGET + bot)


def test_a_test_message_is_posted_with_its_chart(slack: Workspace, config: Path) -> None:
    code, _, said = here("notify", "test", "ops", "--config", config)
    assert (code, said) == (0, 'Receiver "ops" took the message.\n')
    (posted,) = slack.top
    assert posted["blocks"][0]["text"]["text"].startswith("🧪 Test:")
    assert len(slack.uploads) == 1
    slack.refuse("chat.postMessage", Refusal("not_in_channel"))
    code, _, said = here("notify", "test", "ops", "--config", config)
    assert code == 1
    assert "/invite it there" in said


def test_the_user_of_a_key_is_mentioned_by_the_address_in_the_directory(slack: Workspace, config: Path) -> None:
    key = '[[budget]]\nname = "key"\nper = ["api_key"]\nperiod = "day"\nlimit_usd = 0.01\n'
    config.write_text(f'{config.read_text()}{key}[[owner]]\nby = "creator"\n')
    slack.people = _Everybody()
    assert here("poll", "--config", config, clock="2026-11-20T12:26:00Z@1")[0] == 0
    (posted,) = slack.top
    assert slack.called("users.lookupByEmail")
    assert "<@U012AB3CD>" in posted["text"]


class _Everybody(dict[str, Any]):
    """A workspace in which every address is somebody's."""

    def get(self, _address: str, _default: object = None) -> Any:
        return {"id": "U012AB3CD"}


def test_the_online_check_names_the_bot_and_what_it_lacks(slack: Workspace, config: Path) -> None:
    slack.scopes = "chat:write,files:write,channels:history,groups:history"
    _, shown, _ = here("check", "--online", "--config", config)
    told = re.sub(r"\s+", " ", shown)
    assert "answers as “watcher” of the workspace “Team”; the token lacks users:read (to name" in told


def test_an_alert_is_posted_acknowledged_by_its_button_and_told_once_over_a_restart(
    slack: Workspace, config: Path, tmp_path: Path
) -> None:
    with Running(config) as daemon:
        assert until(lambda: len(slack.top) == 1 and slack.connected.is_set())
        (posted,) = slack.top
        row = posted["blocks"][-1]
        assert row["type"] == "actions"
        slack.press(row["elements"][0]["action_id"], row["elements"][0]["value"], posted["ts"])
        assert slack.acknowledged.get(timeout=PATIENCE)["envelope_id"] == "e1"
        code, seconds = daemon.end()
    assert code == 0
    assert seconds < PROMPT
    assert here("poll", "--config", config, clock="2026-11-20T12:26:00Z@1")[0] == 0
    with Store.open(f"sqlite:///{tmp_path}/watcher.db") as store:
        (alert,) = store.alerts.open()
        assert alert.acknowledged is not None
        by = alert.acknowledged.by
        assert by in {"Ada (Slack U0123456789)", "Slack U0123456789"}, "the name, where it was told in a second or two"
        assert [entry.actor for entry in store.journal.list(whats={"ack"})] == [by]
    (first,) = slack.top
    assert first["ts"] == posted["ts"]
    assert [part["text"] for part in first["blocks"][1]["elements"]][:2] == ["Acknowledged by", "<@U0123456789>"]
    labels = [each["text"]["text"] for each in first["blocks"][-1]["elements"]]
    assert "Acknowledge" not in labels
    edits = len(slack.called("chat.update"))
    assert here("poll", "--config", config, clock="2026-11-20T12:27:00Z@1")[0] == 0
    assert len(slack.called("chat.update")) == edits
    silence = ("silence", "add", "--match", "rule=organization", "--for", "2h", "--comment", "a <!channel> test")
    assert here(*silence, "--by", "ops", "--config", config, clock="2026-11-20T12:28:00Z@1")[0] == 0
    shown = [_after_a_poll(slack, config, clock) for clock in ("12:29", "12:30", "14:29")]
    assert ["Silenced by ops until" in words for words in shown] == [True, True, False]
    assert "<!" not in "".join(shown)
    assert len(slack.called("chat.update")) == edits + 2
    assert len(slack.top) == 1


def _after_a_poll(slack: Workspace, config: Path, clock: str) -> str:
    """What the first message says of what people said, after a poll at that time."""
    assert here("poll", "--config", config, clock=f"2026-11-20T{clock}:00Z@1")[0] == 0
    return " ".join(part["text"] for part in slack.top[0]["blocks"][1]["elements"])
