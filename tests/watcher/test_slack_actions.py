"""Buttons in Slack over a real Socket Mode connection to a workspace on loopback, up to the command in the store."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gallery_samples import many, notification, runaway_key
from notifiers.http import OutgoingHttp
from notifiers.slack_buttons import ACKNOWLEDGE, EXPECTED, SILENCE, Press, read_press
from notifiers.slack_memory import Sent
from rules.asked import Request
from rules.feedback import FEEDBACK
from rules.model import Alert, State
from rules.quiet_requests import ACKNOWLEDGE as ACK
from rules.quiet_requests import ADD, hear
from rules.quieted import Acknowledgement
from tests.slack_workspace import APP_TOKEN, BOT_TOKEN, CHANNEL, Refusal, Workspace, slack_workspace
from tests.stage import until
from watcher.clock import DrillClock
from watcher.listening import Listening
from watcher.secret import Secret
from watcher.settings import Settings, SlackBotSettings, WaySettings
from watcher.slack_actions import SlackActions
from watcher.store import Store
from watcher.store.alerts import write_alerts

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TS = "1700000000.000001"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as opened:
        yield opened


def told(store: Store, alert: Alert, ts: str = TS) -> Alert:
    """The alert is in the store, and so is the message about it."""
    with store.database.writing() as connection:
        write_alerts(connection, [alert])
    message = replace(notification(alert), id=f"n{ts}", receiver="ops")
    store.slack_messages.begin(message)
    store.slack_messages.posted(message, Sent(CHANNEL, ts))
    return alert


def actions(store: Store, *actors: str, names: Callable[[str], str] = lambda _user: "Ada") -> SlackActions:
    organization = runaway_key().subject.scope.organization
    return SlackActions(store, DrillClock(NOW, 0.0), "ops", actors, lambda: [organization], names)


def press(action: str, alert: Alert, **more: Any) -> Press:
    given = {"user": "U0123456789", "channel": CHANNEL, "ts": TS, "thread": TS, "envelope": f"e-{action}", **more}
    return Press(action=action, alert=alert.id, **given)


@pytest.mark.parametrize(
    ("action", "what", "says"),
    [(ACKNOWLEDGE, ACK, "takes it"), (SILENCE, ADD, "24 hours"), (EXPECTED, FEEDBACK, "eight")],
)
def test_a_press_asks_for_what_its_button_says(store: Store, action: str, what: str, says: str) -> None:
    alert = told(store, runaway_key())
    reply = actions(store).take(press(action, alert))
    assert reply is not None
    assert reply.aloud
    assert says in reply.text
    assert reply.text.startswith("<@U0123456789> ")
    (command,) = store.commands.pending(alert.subject.scope.organization)
    assert command.what == what
    assert command.actor == "Ada (Slack U0123456789)"


def test_a_silence_of_a_button_holds_its_alert_and_no_other(store: Store) -> None:
    alert = told(store, runaway_key())
    reply = actions(store).take(press(SILENCE, alert))
    (command,) = store.commands.pending()
    request = Request(command.id, command.at, command.actor, command.what, command.details)
    quieted = hear([request], (), (), NOW)
    (silence,) = quieted.silences
    assert reply is not None
    assert f"watcher silence expire {silence.id}" in reply.text
    assert silence.ends_at - silence.starts_at == timedelta(hours=24)
    key = alert.subject.scope.parts()["api_key"]
    assert f'api_key="{key}"' in {str(matcher) for matcher in silence.matchers}


def test_the_same_envelope_twice_and_the_same_press_twice_ask_once(store: Store) -> None:
    alert = told(store, runaway_key())
    for action in (ACKNOWLEDGE, SILENCE, EXPECTED):
        taking = actions(store)
        assert taking.take(press(action, alert)) is not None
        assert taking.take(press(action, alert)) is None
        again = actions(store).take(press(action, alert, envelope="another"))
        assert again is not None
        assert not again.aloud
        assert "has asked for that already" in again.text
    assert len(store.commands.pending()) == 3


def test_what_cannot_be_done_is_said_to_who_pressed_alone(store: Store) -> None:
    alert = told(store, runaway_key())
    over = told(store, replace(many(1)[0], state=State.RESOLVED, ends_at=NOW), "1700000000.000002")
    taken = told(store, replace(many(2)[1], acknowledged=Acknowledgement("<!channel>", NOW)), "1700000000.000003")
    ended, had = {"ts": "1700000000.000002"}, {"ts": "1700000000.000003"}
    refused = [
        (actions(store, "U999"), press(ACKNOWLEDGE, alert), "not among those who may"),
        (actions(store), press(ACKNOWLEDGE, many(3)[2]), "does not remember"),
        (actions(store), press(ACKNOWLEDGE, over, **ended), "has ended already"),
        (actions(store), press(SILENCE, over, **ended), "has ended already"),
        (actions(store), press(ACKNOWLEDGE, taken, **had), "&lt;!channel&gt; has taken it"),
        (
            SlackActions(store, DrillClock(NOW, 0.0), "ops", (), list, str),
            press(SILENCE, alert),
            "not watched any more",
        ),
    ]
    for taking, pressed, says in refused:
        reply = taking.take(pressed)
        assert reply is not None
        assert not reply.aloud
        assert says in reply.text
    assert store.commands.pending() == ()


def test_an_actor_may_press(store: Store) -> None:
    reply = actions(store, "U0123456789").take(press(ACKNOWLEDGE, told(store, runaway_key())))
    assert reply is not None
    assert reply.aloud


@pytest.mark.parametrize(
    "change",
    [
        {"type": "view_submission"},
        {"actions": []},
        {"actions": [{"action_id": "another_app", "value": "a"}]},
        {"actions": [{"action_id": ACKNOWLEDGE, "value": "a\n<!channel>"}]},
        {"user": {"id": "<@U1>"}},
        {"user": None},
        {"channel": {"id": 7}},
        {"message": {}, "container": {}},
    ],
)
def test_what_is_no_press_of_ours_is_none(change: dict[str, Any]) -> None:
    payload = {
        "type": "block_actions",
        "user": {"id": "U0123456789"},
        "channel": {"id": CHANNEL},
        "message": {"ts": TS},
        "actions": [{"action_id": ACKNOWLEDGE, "value": "a1"}],
    }
    assert read_press(payload) is not None
    assert read_press(payload | change) is None


# ------------------------------------------------------------------------------------------- over the wire


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with slack_workspace() as workspace:
        yield workspace


@pytest.fixture
def listening(slack: Workspace, store: Store, tmp_path: Path) -> Iterator[Listening]:
    ears = Listening(store, DrillClock(NOW, 0.0), quick=60, answering=60)
    ears.begin(settings(slack, tmp_path), OutgoingHttp(timeout=60), organizations)
    assert slack.connected.wait(60)
    yield ears
    ears.stop()


def organizations() -> list[str]:
    return [runaway_key().subject.scope.organization]


def settings(slack: Workspace, folder: Path) -> Settings:
    bot = SlackBotSettings(
        "ops",
        Secret(BOT_TOKEN),
        CHANNEL,
        WaySettings(allow_private=True),
        Secret(APP_TOKEN),
        api_url=f"{slack.url}/api/",
    )
    return Settings(folder / "c.toml", (), store=None, receivers=(bot,))  # type: ignore[arg-type]


def test_a_press_is_acknowledged_answered_in_the_thread_and_asked_for(
    slack: Workspace, store: Store, listening: Listening
) -> None:
    alert = told(store, runaway_key())
    slack.press(ACKNOWLEDGE, alert.id, TS)
    assert slack.acknowledged.get(timeout=60)["envelope_id"] == "e1"
    (command,) = store.commands.pending()
    assert (command.what, command.actor) == (ACK, "Ada (Slack U0123456789)")
    assert until(lambda: bool(slack.called("chat.postMessage")))
    assert slack.called("chat.postMessage")[0]["thread_ts"] == TS

    slack.press(ACKNOWLEDGE, alert.id, TS, envelope="e1")
    slack.press(ACKNOWLEDGE, "another", TS, envelope="e2")
    assert [slack.acknowledged.get(timeout=60)["envelope_id"] for _ in range(2)] == ["e1", "e2"]
    assert until(lambda: bool(slack.called("chat.postEphemeral")))
    assert slack.called("chat.postEphemeral")[0]["user"] == "U0123456789"
    assert len(store.commands.pending()) == 1
    assert len(slack.called("chat.postMessage")) == 1


def test_a_press_of_somebody_whose_name_may_not_be_asked_is_taken_by_the_id(
    slack: Workspace, store: Store, listening: Listening
) -> None:
    slack.refuse("users.info", Refusal("missing_scope", more={"needed": "users:read"}))
    slack.press(SILENCE, told(store, runaway_key()).id, TS)
    slack.acknowledged.get(timeout=60)
    assert store.commands.pending()[0].actor == "Slack U0123456789"


def test_two_receivers_of_one_app_share_a_connection_and_keep_their_actors(
    slack: Workspace, store: Store, tmp_path: Path
) -> None:
    given = settings(slack, tmp_path)
    other = replace(given.receivers[0], name="finance", channel="C99999999", actors=("U99999999",))
    ears = Listening(store, DrillClock(NOW, 0.0), quick=60, answering=60)
    ears.begin(replace(given, receivers=(other, *given.receivers)), OutgoingHttp(timeout=60), organizations)
    assert slack.connected.wait(60)
    slack.press(ACKNOWLEDGE, told(store, runaway_key()).id, TS)
    slack.acknowledged.get(timeout=60)
    ears.stop()
    assert len(slack.called("apps.connections.open")) == 1
    assert len(store.commands.pending()) == 1


def test_it_connects_again_when_slack_asks_for_that(  # 3 s: the library's own wait for the old connection
    slack: Workspace, store: Store, listening: Listening
) -> None:
    alert = told(store, runaway_key())
    slack.send({"type": "disconnect", "reason": "refresh_requested"})
    assert until(lambda: len(slack.sockets) == 2)
    slack.press(ACKNOWLEDGE, alert.id, TS)
    assert slack.acknowledged.get(timeout=60)["envelope_id"] == "e1"


def test_it_connects_again_when_the_connection_is_gone(slack: Workspace, listening: Listening) -> None:
    slack.sockets[-1].shutdown(socket.SHUT_RDWR)
    assert until(lambda: len(slack.sockets) == 2)


def test_a_stop_is_quick_and_nothing_listens_afterwards(slack: Workspace, store: Store, listening: Listening) -> None:
    began = time.monotonic()
    listening.stop()
    assert time.monotonic() - began < 10, "the library itself would read on for twenty seconds"
    calls = len(slack.calls)
    time.sleep(0.2)
    assert len(slack.calls) == calls


def test_no_token_and_no_address_of_a_connection_is_in_a_log(
    slack: Workspace, store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    slack.refuse("apps.connections.open", Refusal("invalid_auth"))
    ears = Listening(store, DrillClock(NOW, 0.0), quick=60, answering=60)
    ears.begin(settings(slack, tmp_path), OutgoingHttp(timeout=60), organizations)
    assert slack.connected.wait(60)
    ears.stop()
    assert "the token is not valid" in caplog.text
    shown = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "CANARY" not in shown
    assert "ticket" not in shown
