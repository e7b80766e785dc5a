"""A bot's messages within Slack's limits and slack-sdk's models, whatever the names and however many the parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from benchmarks.gallery_said import said
from benchmarks.gallery_samples import HOSTILE_NAMES, NOW, hostile_key, many, notification, typical
from notifiers.render import story
from notifiers.slack import LARGEST_BLOCKS
from notifiers.slack_buttons import ROW
from notifiers.slack_message import bot_message
from rules.model import Alert, Notification, Owned, State
from rules.quieted import Acknowledgement, Judged, Silenced

LONG = "n" * 300
GOLDEN = Path(__file__).parent / "slack_said_messages.json"


def message(told: Notification) -> dict[str, Any]:
    return bot_message(story(told), told, interactive=True)


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a message."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from parts(each)


def check(made: dict[str, Any]) -> None:
    """The limits that Slack documents, and those that slack-sdk knows."""
    blocks = made["blocks"]
    assert len(blocks) <= 50
    assert len(made["text"]) <= 4_000
    assert len(json.dumps(blocks, ensure_ascii=False)) <= LARGEST_BLOCKS + 2_000
    for block in Block.parse_all(blocks):
        block.validate_json()
    for block in blocks:
        match block["type"]:
            case "header":
                assert len(block["text"]["text"]) <= 150
            case "context":
                assert len(block["elements"]) <= 10
            case "actions":
                assert len(block["elements"]) <= 25
                for element in block["elements"]:
                    assert len(element["text"]["text"]) <= 75
                    assert len(element["value"]) <= 2_000
    for part in parts(blocks):
        if part.get("type") in {"plain_text", "mrkdwn"}:
            assert 0 < len(part["text"]) <= 3_000
        if part.get("type") == "button" and "confirm" in part:
            assert len(part["confirm"]["title"]["text"]) <= 100
            assert len(part["confirm"]["text"]["text"]) <= 300
            assert all(len(part["confirm"][key]["text"]) <= 30 for key in ("confirm", "deny"))


def spoken_of(alert: Alert, name: str) -> Alert:
    """An alert of which somebody of that name has said everything there is to say."""
    return replace(
        alert,
        owned=Owned(name, f"{name[:20]}@team.example", "U0123456789"),
        acknowledged=Acknowledgement(name, NOW, name),
        silenced=Silenced("s", NOW.replace(hour=23), f"{name} (Slack U0123456789)", name),
        judged=Judged("real", name, NOW, name),
    )


@pytest.mark.parametrize("name", [LONG, *HOSTILE_NAMES])
@pytest.mark.parametrize("children", [3, 1_000])
def test_long_and_hostile_names_and_many_children_stay_within_the_limits(name: str, children: int) -> None:
    made = message(notification(spoken_of(hostile_key(name, children=children), name)))
    check(made)
    wakes = [part["text"] for part in parts(made["blocks"]) if part.get("type") == "mrkdwn"]
    assert set(wakes) == {"<@U0123456789>"}


def test_a_thousand_alerts_of_which_something_was_said_are_counted() -> None:
    made = message(notification(*(spoken_of(alert, LONG) for alert in many(1_000))))
    check(made)
    said_of = made["blocks"][1]["elements"][0]["text"]
    assert said_of == "Of 1,000 alerts: 1,000 acknowledged, 1,000 silenced"


@pytest.mark.parametrize("title", [*typical(), *said()])
def test_everything_in_the_gallery_is_taken_by_slack(title: str) -> None:
    check(message((typical() | said())[title]))


@pytest.mark.parametrize("state", State)
def test_the_row_holds_what_makes_sense_and_each_button_once(state: State) -> None:
    alert = replace(hostile_key("key"), state=state, ends_at=NOW if state is State.RESOLVED else None)
    for given in (alert, spoken_of(alert, "ana")):
        made = message(notification(given))
        shown = [part["action_id"] for part in parts(made["blocks"]) if "action_id" in part]
        assert shown == [action.id for action in ROW if action.offered(given)]
        assert len(set(shown)) == len(shown)
    assert message(notification(spoken_of(alert, "ana")))["blocks"][-1]["type"] != "actions"


def test_the_messages_are_those_that_were_looked_at() -> None:
    """Made anew with `python -m tests.notifiers.test_slack_message`, once somebody has looked at `make gallery`."""
    assert {title: message(told)["blocks"] for title, told in said().items()} == json.loads(GOLDEN.read_text("utf-8"))


if __name__ == "__main__":
    blocks = {title: message(told)["blocks"] for title, told in said().items()}
    GOLDEN.write_text(json.dumps(blocks, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
