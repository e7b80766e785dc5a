from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_sdk.models.blocks import Block

from benchmarks.gallery_samples import many, notification, runaway_key, typical
from notifiers.base import DeliveryError, Probed
from notifiers.chart import png
from notifiers.http import OutgoingHttp
from notifiers.render import story
from notifiers.slack import slack_message
from notifiers.slack_api import SlackApi
from notifiers.slack_bot import SlackBotNotifier
from notifiers.slack_buttons import buttons
from notifiers.slack_memory import Sent
from notifiers.slack_pace import Pace
from rules.model import Alert, Notification, Reason, State
from rules.quieted import Acknowledgement
from tests.slack_workspace import BOT_TOKEN, CHANNEL, Refusal, Workspace
from watcher.store import Store, StoreError
from watcher.store.alerts import write_alerts
from watcher.store.slack_messages import SlackMessages

TLS = httpx.create_ssl_context()


def bot(slack: Workspace, store: Store, **more: Any) -> SlackBotNotifier:
    http = OutgoingHttp(timeout=60, tls=TLS)
    api = SlackApi(BOT_TOKEN, http, f"{slack.url}/api/", allow_private=True)
    pace = Pace(seconds=lambda: 0.0, pause=lambda _seconds: None)
    given: dict[str, Any] = {"memory": store.slack_messages, "draw": lambda _chart: b"\x89PNG", "pace": pace, **more}
    return SlackBotNotifier("ops", CHANNEL, api, **given)


def known(store: Store, *alerts: Alert) -> None:
    with store.database.writing() as connection:
        write_alerts(connection, alerts)


def message(*alerts: Alert, reason: Reason = Reason.FIRST, ident: str = "n1", later: int = 0) -> Notification:
    made = notification(*alerts, reason=reason)
    return replace(made, id=ident, receiver="ops", created_at=made.created_at + timedelta(minutes=later))


def over(alert: Alert) -> Alert:
    return replace(alert, state=State.RESOLVED, ends_at=alert.starts_at + timedelta(hours=5))


def title(posted: dict[str, Any]) -> str:
    return str(posted["blocks"][0]["text"]["text"])


def test_the_first_message_stands_in_the_channel_with_its_chart_in_the_thread(slack: Workspace, store: Store) -> None:
    alert = runaway_key()
    known(store, alert)
    bot(slack, store).send(message(alert))
    (posted,) = slack.top
    assert posted["channel"] == CHANNEL
    assert posted["metadata"] == {"event_type": "claude_watcher_message", "event_payload": {"id": "n1"}}
    assert next(block["type"] for block in posted["blocks"]) == "header"
    ((picture, about),) = slack.uploads
    assert picture == b"\x89PNG"
    assert (about["channel_id"], about["thread_ts"]) == (CHANNEL, posted["ts"])
    assert len(slack.called("files.getUploadURLExternal")[0]["alt_txt"]) > 20
    assert set(slack.tokens) == {f"Bearer {BOT_TOKEN}"}


def test_a_real_picture_is_drawn(slack: Workspace, store: Store) -> None:
    bot(slack, store, draw=png).send(message(runaway_key()))
    assert slack.uploads[0][0].startswith(b"\x89PNG\r\n")


def test_an_end_is_shown_by_the_first_message_and_told_in_its_thread(slack: Workspace, store: Store) -> None:
    alert = runaway_key()
    known(store, alert)
    ops = bot(slack, store)
    ops.send(message(alert))
    known(store, over(alert))
    ops.send(message(over(alert), reason=Reason.RESOLVED, ident="n2", later=60))
    (first,) = slack.top
    (answer,) = slack.thread(first["ts"])
    assert title(first).startswith("✅")
    assert title(answer).startswith("✅")
    assert answer["reply_broadcast"] is False


@pytest.mark.parametrize("reason", [Reason.REPEATED, Reason.ESCALATED])
def test_what_is_told_again_is_an_answer_that_the_channel_sees(slack: Workspace, store: Store, reason: Reason) -> None:
    alert = runaway_key()
    known(store, alert)
    ops = bot(slack, store)
    ops.send(message(alert))
    ops.send(message(alert, reason=reason, ident="n2", later=60))
    (first,) = slack.top
    (answer,) = slack.thread(first["ts"])
    assert answer["reply_broadcast"] is True
    assert len(slack.called("chat.update")) == 1


def test_an_escalation_to_another_receiver_stands_by_itself(slack: Workspace, store: Store) -> None:
    alert = runaway_key()
    known(store, alert)
    bot(slack, store).send(message(alert, reason=Reason.ESCALATED))
    assert len(slack.top) == 1
    assert slack.called("chat.update") == []


def test_a_message_about_several_alerts_counts_those_that_ended(slack: Workspace, store: Store) -> None:
    alerts = many(3)
    known(store, *alerts)
    ops = bot(slack, store)
    ops.send(message(*alerts))
    ended = over(alerts[0])
    known(store, ended)
    ops.send(message(ended, reason=Reason.RESOLVED, ident="n2", later=60))
    (first,) = slack.top
    assert "1 resolved" in title(first)
    assert len(slack.thread(first["ts"])) == 1


def test_what_was_already_true_at_the_first_start_is_counted_down_too(slack: Workspace, store: Store) -> None:
    alerts = many(3)
    known(store, *alerts)
    ops = bot(slack, store)
    ops.send(message(*alerts, reason=Reason.INITIAL))
    known(store, over(alerts[0]))
    ops.send(message(over(alerts[0]), reason=Reason.RESOLVED, ident="n2", later=60))
    (first,) = slack.top
    assert "began watching" in title(first)
    assert "1 resolved" in json.dumps(first["blocks"])


def test_ends_of_several_messages_edit_each_and_are_told_in_one(slack: Workspace, store: Store) -> None:
    alerts = many(3)
    known(store, *alerts)
    ops = bot(slack, store)
    for index, alert in enumerate(alerts):
        ops.send(message(alert, ident=f"n{index}"))
    ended = tuple(map(over, alerts))
    known(store, *ended)
    ops.send(message(*ended, reason=Reason.RESOLVED, ident="n9", later=60))
    assert [title(each)[0] for each in slack.top] == ["✅"] * 4
    assert len(slack.called("chat.update")) == 3


def test_a_message_that_was_posted_and_not_noted_is_found_again(slack: Workspace, store: Store) -> None:
    alert = runaway_key()
    known(store, alert)
    slack.refuse("chat.postMessage", Refusal(cut=True))
    with pytest.raises(DeliveryError) as caught:
        bot(slack, store).send(message(alert))
    assert caught.value.retryable
    ops = bot(slack, store)  # as after a crash: nothing is left in memory
    ops.send(message(alert))
    assert len(slack.messages) == 1
    assert slack.called("conversations.history")[0]["include_all_metadata"] == "1"
    ops.send(message(over(alert), reason=Reason.RESOLVED, ident="n2", later=60))
    assert len(slack.top) == 1, "what was found again is edited and answered"


def test_a_message_whose_place_could_not_be_noted_is_found_again(slack: Workspace, store: Store) -> None:
    class FullDisk(SlackMessages):
        def posted(self, notification: Notification, sent: Sent) -> None:
            raise StoreError("the disk is full")

    with pytest.raises(StoreError):
        bot(slack, store, memory=FullDisk(store.database, store.alerts)).send(message(runaway_key()))
    bot(slack, store).send(message(runaway_key()))
    assert len(slack.messages) == 1


def test_an_answer_that_was_posted_and_not_noted_is_found_again_in_its_thread(slack: Workspace, store: Store) -> None:
    alert = runaway_key()
    known(store, alert)
    ops = bot(slack, store)
    ops.send(message(alert))
    slack.refuse("chat.postMessage", Refusal(cut=True))
    again = message(alert, reason=Reason.REPEATED, ident="n2", later=60)
    with pytest.raises(DeliveryError):
        ops.send(again)
    bot(slack, store).send(again)
    assert len(slack.messages) == 2
    assert slack.called("conversations.replies")


def test_without_the_scope_to_look_it_is_told_twice_rather_than_not(
    slack: Workspace, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    slack.refuse("chat.postMessage", Refusal(cut=True))
    ops = bot(slack, store)
    with pytest.raises(DeliveryError):
        ops.send(message(runaway_key()))
    slack.refuse("conversations.history", Refusal("missing_scope", more={"needed": "channels:history"}))
    ops.send(message(runaway_key()))
    assert len(slack.messages) == 2
    assert "lacks the scope channels:history" in caplog.text


def test_what_was_noted_as_posted_is_not_posted_again(slack: Workspace, store: Store) -> None:
    bot(slack, store).send(message(runaway_key()))
    bot(slack, store).send(message(runaway_key()))
    assert len(slack.messages) == 1


def test_a_message_that_somebody_deleted_is_told_anew(slack: Workspace, store: Store) -> None:
    alert = runaway_key()
    known(store, alert)
    ops = bot(slack, store)
    ops.send(message(alert))
    slack.messages.clear()
    ops.send(message(over(alert), reason=Reason.RESOLVED, ident="n2", later=60))
    (posted,) = slack.top
    assert title(posted).startswith("✅")


def test_a_chart_that_fails_keeps_no_message_back(
    slack: Workspace, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    slack.refuse("files.getUploadURLExternal", Refusal("missing_scope", more={"needed": "files:write"}))
    bot(slack, store).send(message(runaway_key()))
    assert len(slack.messages) == 1
    assert "lacks the scope files:write" in caplog.text

    def fails(_chart: object) -> bytes:
        raise MemoryError

    bot(slack, store, draw=fails).send(message(runaway_key(), ident="n2"))
    assert len(slack.messages) == 2


@pytest.mark.parametrize("word", ["invalid_blocks", "msg_too_long", "msg_blocks_too_long"])
def test_what_slack_refuses_for_its_form_is_sent_once_more_as_text(slack: Workspace, store: Store, word: str) -> None:
    slack.refuse("chat.postMessage", Refusal(word))
    bot(slack, store).send(message(runaway_key()))
    (posted,) = slack.top
    assert posted["blocks"] == []
    assert "batch-summarizer" in posted["text"] or posted["text"]


@pytest.mark.parametrize(
    ("word", "retryable", "says"),
    [
        ("invalid_auth", False, "token is not valid"),
        ("token_revoked", False, "revoked"),
        ("channel_not_found", False, "no channel of this id"),
        ("not_in_channel", False, "/invite"),
        ("is_archived", False, "archived"),
        ("restricted_action", False, "restricts"),
        ("missing_scope", False, "lacks a scope"),
        ("fatal_error", True, "Slack failed"),
        ("internal_error", True, "Slack failed"),
        ("ratelimited", True, "too many"),
        ("service_unavailable", True, "not available"),
        ("something_new", False, "something_new"),
        ("CANARY4f9aXq: no word", True, "not what it documents"),
    ],
)
def test_slacks_word_decides_what_becomes_of_it(
    slack: Workspace, store: Store, word: str, retryable: bool, says: str
) -> None:
    slack.refuse("chat.postMessage", Refusal(word))
    with pytest.raises(DeliveryError, match=says) as caught:
        bot(slack, store).send(message(runaway_key()))
    assert caught.value.retryable is retryable
    assert "CANARY" not in caught.value.reason


def test_a_rate_limit_is_kept_to_without_asking_again(slack: Workspace, store: Store) -> None:
    now = [100.0]
    pace = Pace(seconds=lambda: now[0], pause=lambda _seconds: None)
    ops = bot(slack, store, pace=pace)
    slack.refuse("chat.postMessage", Refusal("ratelimited", 429, {"retry-after": "30"}))
    for waited in (0, 10):
        now[0] = 100.0 + waited
        with pytest.raises(DeliveryError) as caught:
            ops.send(message(runaway_key()))
        assert caught.value.retryable
        assert caught.value.retry_after == 30 - waited
    assert len(slack.calls) == 1
    now[0] = 131.0
    ops.send(message(runaway_key()))
    assert len(slack.messages) == 1


def test_messages_to_one_channel_are_a_second_apart(slack: Workspace, store: Store) -> None:
    now, waits = [0.0], []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    ops = bot(slack, store, pace=Pace(seconds=lambda: now[0], pause=pause))
    for index in range(4):
        ops.send(message(runaway_key(), ident=f"n{index}"))
    assert waits == [1.0, 1.0, 1.0]


def test_no_proxy_of_the_environment_and_no_redirect_is_followed(
    slack: Workspace, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    bot(slack, store).send(message(runaway_key()))
    slack.refuse("chat.postMessage", Refusal("x", 302, {"location": f"{slack.url}/api/elsewhere"}))
    with pytest.raises(DeliveryError, match="redirects"):
        bot(slack, store).send(message(runaway_key(), ident="n2"))
    assert "elsewhere" not in {name for name, _ in slack.calls}


def test_a_test_message_is_remembered_by_nobody(slack: Workspace, store: Store) -> None:
    ops = bot(slack, store)
    test = message(runaway_key(), reason=Reason.TEST)
    ops.send(test)
    ops.send(test)
    assert len(slack.top) == 2
    assert not store.slack_messages.firsts("ops", [test.alerts[0].id])


def test_no_secret_is_in_a_log_or_in_what_it_shows(
    slack: Workspace, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ops = bot(slack, store)
    shown = repr(ops)
    for refusal in (Refusal("invalid_auth"), Refusal("x", 500), Refusal(cut=True)):
        slack.refuse("chat.postMessage", refusal)
        with pytest.raises(DeliveryError) as caught:
            ops.send(message(runaway_key()))
        shown += repr(caught.value) + str(caught.value.__cause__) + str(caught.value.__context__)
    ops.send(message(runaway_key(), ident="n3"))
    shown += "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "CANARY" not in shown


def test_the_probe_names_the_bot_and_what_its_token_lacks(slack: Workspace, store: Store) -> None:
    ops = bot(slack, store)
    assert isinstance(ops, Probed)
    assert ops.probe() == "answers as “watcher” of the workspace “Team”, with every scope"
    slack.scopes = "chat:write,users:read"
    assert "the token lacks channels:history (to find after a crash" in ops.probe()
    slack.scopes = "users:read"
    with pytest.raises(DeliveryError, match="lacks chat:write"):
        ops.probe()


def test_buttons_stand_under_a_message_about_one_alert_and_only_if_somebody_listens(
    slack: Workspace, store: Store
) -> None:
    alert = runaway_key()
    known(store, alert, *many(2))
    ops = bot(slack, store, interactive=True)
    ops.send(message(alert))
    ops.send(message(*many(2), ident="n2"))
    bot(slack, store).send(message(alert, ident="n3"))
    kinds = [[block["type"] for block in each["blocks"]] for each in slack.top]
    assert ["actions" in each for each in kinds] == [True, False, False]
    row = slack.top[0]["blocks"][-1]
    assert [each["text"]["text"] for each in row["elements"]] == [
        "Acknowledge",
        "Silence 24 h",
        "Expected, don't tell me again",
    ]
    assert {each["value"] for each in row["elements"]} == {alert.id}
    ops.send(message(over(alert), reason=Reason.RESOLVED, ident="n4", later=60))
    assert "Acknowledge" not in json.dumps(slack.top[0]["blocks"])


def test_an_alert_that_somebody_has_taken_is_not_taken_again() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    (row,) = buttons(replace(runaway_key(), acknowledged=Acknowledgement("Ada", at, "")))
    assert "Acknowledge" not in json.dumps(row.to_dict())


@pytest.mark.parametrize("name", typical())
def test_slack_takes_every_typical_message_with_its_buttons(name: str) -> None:
    sample = typical()[name]
    blocks = slack_message(story(sample))["blocks"]
    blocks += [block.to_dict() for alert in sample.alerts[:1] for block in buttons(alert)]
    assert len(blocks) <= 50
    for block in Block.parse_all(blocks):
        block.validate_json()


def test_the_message_is_the_one_that_was_looked_at(slack: Workspace, store: Store) -> None:
    """Made anew with `python -m json.tool` from what the failure shows, once somebody has looked at it."""
    bot(slack, store, interactive=True).send(message(runaway_key()))
    (given,) = slack.called("chat.postMessage")
    golden = json.loads((Path(__file__).parent / "slack_bot_message.json").read_text(encoding="utf-8"))
    assert given == golden
    for block in Block.parse_all(golden["blocks"]):
        block.validate_json()
