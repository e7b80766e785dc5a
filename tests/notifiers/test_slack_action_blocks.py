"""The buttons that decide about keys: what a bot shows under which message, and when they go."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from benchmarks.gallery_actions import action, asking, done, five_keys, told
from benchmarks.gallery_samples import HOSTILE_NAMES, NOW, notification, runaway_key
from notifiers.slack_action_blocks import APPROVE, DEACTIVATE, DENY, offer_blocks, plan_blocks
from notifiers.slack_keys import Offer, Shown, Words
from rules.actions import Action, ActionState
from rules.model import Alert, Notification, Reason
from tests.notifiers.test_slack_bot import bot, known, message
from tests.slack_workspace import CHANNEL, Refusal, Workspace
from watcher.store import Store
from watcher.store.actions import write_actions
from watcher.store.outbox import write_notifications
from watcher.store.slack_plans import SlackPlans

OFFER = Offer(runaway_key().id, "apikey_1", "batch-summariser", "Production", "0123456789ab")


@dataclass
class Journal:
    """What the bot is told of keys: the rows of a store, and one key that may be deactivated."""

    store: Store
    offered: Offer | None = None
    said: Words = Words()  # noqa: RUF009 (frozen)

    def rows(self, alerts: Sequence[Alert]) -> Sequence[Action]:
        wanted = {alert.id for alert in alerts}
        every = self.store.actions.all(runaway_key().subject.scope.organization)
        return [row for row in every if row.alert in wanted]

    def words(self) -> Words:
        return self.said

    def offer(self, alert: Alert, now: datetime) -> Offer | None:
        assert now >= NOW
        return self.offered if alert.id == OFFER.alert else None

    def plans(self, receiver: str, alerts: Collection[str]) -> Sequence[Shown]:
        return SlackPlans(self.store.database, self.store.actions).of(receiver, alerts)


def kept(store: Store, *rows: Action, letters: Sequence[Notification] = ()) -> None:
    with store.database.writing() as connection:
        write_actions(connection, rows)
        write_notifications(connection, letters)


def pressable(blocks: Sequence[Any]) -> list[str]:
    rows = [block if isinstance(block, dict) else block.to_dict() for block in blocks]
    return [each["text"]["text"] for row in rows if row["type"] == "actions" for each in row["elements"]]


def about_keys(posted: dict[str, Any]) -> list[str]:
    rows = [block for block in posted["blocks"] if str(block.get("block_id")) not in {"watcher_alert", "None"}]
    return pressable(rows)


def letter(row: Action, ident: str, *, event: str = "planned", later: int = 0) -> Notification:
    made = told(row, event=event, later=later)  # type: ignore[arg-type]
    return replace(made, id=ident, receiver="ops")


# ---------------------------------------------------------------------------------------------- which buttons


def test_what_waits_for_approval_can_be_approved_or_denied() -> None:
    (row,) = plan_blocks([asking()], NOW)
    approve, deny = row.to_dict()["elements"]
    assert (approve["action_id"], approve["text"]["text"], approve["style"]) == (APPROVE, "Approve…", "danger")
    assert (deny["action_id"], deny["text"]["text"]) == (DENY, "Deny")
    assert approve["value"] == deny["value"] == f"{asking().id}:{asking().digest}"
    question = approve["confirm"]["text"]["text"]
    assert "batch-summariser" in question
    assert "$296.00" in question
    assert "Open until 14:38 UTC." in question
    assert "confirm" not in deny


def test_what_is_done_by_itself_can_be_stopped() -> None:
    assert pressable(plan_blocks([action()], NOW)) == ["Stop this"]
    assert pressable(plan_blocks([action()], NOW + timedelta(hours=1))) == ["Stop this"]


@pytest.mark.parametrize(
    "row",
    [
        done(),
        action(mode="dry_run"),
        action(state=ActionState.INTENT),
        asking(state=ActionState.REFUSED),
        asking(state=ActionState.EXPIRED),
    ],
)
def test_what_is_decided_or_a_dry_run_has_no_buttons(row: Action) -> None:
    assert plan_blocks([row], NOW) == []


def test_nobody_is_asked_in_slack_who_cannot_answer_there() -> None:
    assert pressable(plan_blocks([asking()], NOW, Words(yes=False))) == ["Deny"]
    assert plan_blocks([asking(), action()], NOW, Words(yes=False, no=False)) == []


def test_what_is_approved_and_waits_can_only_be_denied() -> None:
    assert pressable(plan_blocks([asking(state=ActionState.APPROVED)], NOW)) == ["Deny"]


def test_five_keys_have_a_row_each_that_names_them() -> None:
    _, rows = five_keys()
    assert pressable(plan_blocks(rows, NOW))[:3] == ["Approve… batch-0", "Deny batch-0", "Approve… batch-1"]
    assert len(plan_blocks(rows, NOW)) == 4
    assert len({block.block_id for block in plan_blocks(rows, NOW)}) == 4


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "n" * 300, "<!channel>" * 30])
def test_slack_takes_the_buttons_whatever_the_keys_are_called(name: str) -> None:
    _, rows = five_keys()
    hostile = [replace(row, key_name=name, workspace_name=name) for row in rows]
    blocks = [*plan_blocks(hostile, NOW), *offer_blocks(replace(OFFER, name=name, workspace=name))]
    for block in Block.parse_all([block.to_dict() for block in blocks]):
        block.validate_json()
    for block in blocks:
        for button in block.to_dict()["elements"]:
            assert len(button["text"]["text"]) <= 75
            assert len(button["value"]) <= 2000
            confirm = button.get("confirm")
            if confirm is not None:
                assert len(confirm["title"]["text"]) <= 100
                assert len(confirm["text"]["text"]) <= 300
                assert confirm["text"]["type"] == "plain_text"
                assert len(confirm["confirm"]["text"]) <= 30
    assert "<!channel>" not in json.dumps([block.to_dict() for block in blocks])


# ---------------------------------------------------------------------------------------------- in the channel


def test_a_plan_with_the_alerts_first_message_has_its_buttons_there(slack: Workspace, store: Store) -> None:
    known(store, runaway_key())
    kept(store, asking())
    first = replace(told(asking(), reason=Reason.FIRST), id="n1", receiver="ops")
    bot(slack, store, interactive=True, keys=Journal(store, OFFER)).send(first)
    (posted,) = slack.top
    assert about_keys(posted) == ["Approve…", "Deny"]


def test_a_plan_of_an_alert_that_was_told_is_in_its_thread_and_seen_in_the_channel(
    slack: Workspace, store: Store
) -> None:
    known(store, runaway_key())
    ops = bot(slack, store, interactive=True, keys=Journal(store, OFFER))
    ops.send(message(runaway_key()))
    (first,) = slack.top
    assert about_keys(first) == ["Deactivate key…"]
    kept(store, asking())
    ops.send(letter(asking(), "n2"))
    (answer,) = slack.thread(first["ts"])
    assert answer["reply_broadcast"] is True
    assert about_keys(answer) == ["Approve…", "Deny"]
    assert about_keys(slack.top[0]) == ["Approve…", "Deny"]
    assert "Deactivate key “batch-summariser”?" in slack.top[0]["text"]


@pytest.mark.parametrize(
    ("end", "line", "loud"),
    [
        (done(), "is off since 14:25 UTC", True),
        (asking(state=ActionState.REFUSED, by="ann", reason="ann said no."), "stays on: ann said no", False),
        (
            asking(state=ActionState.EXPIRED, reason="Nobody approved it within 30 minutes."),
            "nobody approved it",
            False,
        ),
        (action(state=ActionState.ABANDONED, sent_at=NOW, reason="?"), "Nobody knows whether", True),
    ],
)
def test_once_it_is_decided_its_buttons_go_and_the_thread_tells_what_came_of_it(
    slack: Workspace, store: Store, end: Action, line: str, *, loud: bool
) -> None:
    known(store, runaway_key())
    ops = bot(slack, store, interactive=True, keys=Journal(store))
    plan = letter(asking(), "n2")
    kept(store, asking(), letters=[plan])
    ops.send(message(runaway_key()))
    ops.send(plan)
    kept(store, end)
    ops.send(letter(end, "n3", event="ended", later=18))
    (first,) = slack.top
    before, after = slack.thread(first["ts"])
    assert about_keys(first) == about_keys(before) == about_keys(after) == []
    assert line in before["text"]
    assert line in after["text"]
    assert line in first["text"]
    assert after["reply_broadcast"] is loud


def test_a_plan_message_that_can_no_longer_be_edited_keeps_the_outcome_from_nobody(
    slack: Workspace, store: Store
) -> None:
    known(store, runaway_key())
    ops = bot(slack, store, interactive=True, keys=Journal(store))
    plan = letter(asking(), "n2")
    kept(store, asking(), letters=[plan])
    ops.send(message(runaway_key()))
    ops.send(plan)
    kept(store, done())
    slack.refuse("chat.update", Refusal("edit_window_closed"), Refusal("edit_window_closed"))
    ops.send(letter(done(), "n3", event="ended", later=18))
    assert len(slack.thread(slack.top[0]["ts"])) == 2


def test_what_is_about_no_alert_stands_by_itself_without_buttons(slack: Workspace, store: Store) -> None:
    drill = replace(told(done(alert="", evidence=None), event="ended", alerts=()), id="n1", receiver="ops")
    bot(slack, store, interactive=True, keys=Journal(store, OFFER)).send(drill)
    (posted,) = slack.top
    assert pressable(posted["blocks"]) == []
    assert slack.uploads == []


def test_without_an_app_token_nothing_can_be_pressed(slack: Workspace, store: Store) -> None:
    known(store, runaway_key())
    kept(store, asking())
    bot(slack, store, keys=Journal(store, OFFER)).send(letter(asking(), "n1"))
    assert pressable(slack.top[0]["blocks"]) == []


def test_a_message_about_several_alerts_offers_no_key(slack: Workspace, store: Store) -> None:
    other = replace(runaway_key(), id="other")
    known(store, runaway_key(), other)
    several = replace(notification(runaway_key(), other), receiver="ops")
    bot(slack, store, interactive=True, keys=Journal(store, OFFER)).send(several)
    assert DEACTIVATE not in json.dumps(slack.top[0]["blocks"])


def test_the_message_is_the_one_that_was_looked_at(slack: Workspace, store: Store) -> None:
    """Made anew with `python -m json.tool` from what the failure shows, once somebody has looked at it."""
    alert, rows = five_keys()
    known(store, alert)
    kept(store, *rows)
    plan = replace(told(*rows, alerts=(alert,)), id="n1", receiver="ops")
    bot(slack, store, interactive=True, keys=Journal(store)).send(plan)
    (given,) = slack.called("chat.postMessage")
    assert given["channel"] == CHANNEL
    golden = json.loads((Path(__file__).parent / "slack_plan_message.json").read_text(encoding="utf-8"))
    assert given == golden
    for block in Block.parse_all(golden["blocks"]):
        block.validate_json()


@pytest.mark.parametrize("dry", [True, False])
def test_the_question_about_a_key_says_under_a_dry_run_that_a_press_is_no_part_of_it(*, dry: bool) -> None:
    (block,) = offer_blocks(replace(OFFER, dry_run=dry))
    assert ("The dry run holds back the policy alone: this is done." in str(block.to_dict())) is dry
