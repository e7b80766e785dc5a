"""What is told of actions on keys through every channel: rendered, escaped, within limits; no incident of its own."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from benchmarks.gallery_actions import action, asking, done, five_keys, told, typical_actions
from benchmarks.gallery_samples import HOSTILE_NAMES, NOW, many, runaway_key
from notifiers.alertmanager import alert_annotations
from notifiers.apprise import AppriseNotifier
from notifiers.base import DeliveryError, Notifier
from notifiers.console import ConsoleNotifier
from notifiers.email_message import email_message
from notifiers.http import OutgoingHttp
from notifiers.pagerduty import pagerduty_event
from notifiers.render import story
from notifiers.slack import slack_message
from notifiers.webhook import notification_json
from rules.model import Notification, Reason, State
from tests.notifiers.test_alertmanager import Cluster
from tests.notifiers.test_contract import CANARY, PATIENT, RECEIVERS, TLS
from tests.notifiers.test_slack import assert_slack_takes, everything

NAMES = (*HOSTILE_NAMES, "n" * 300)
QUIET = ("alertmanager", "pagerduty")
"""Receivers to which an action alone is nothing to open an incident for."""


@pytest.fixture(
    params=[kind for kind in RECEIVERS if not kind.endswith("ing")]
)  # those tell one thing whatever is sent
def receiver(request: pytest.FixtureRequest) -> tuple[str, Callable[..., Notifier]]:
    return request.param, RECEIVERS[request.param]


def printed(letter: Notification, width: int = 80) -> str:
    stream = io.StringIO()
    ConsoleNotifier("ops", Console(file=stream, width=width, color_system=None)).send(letter)
    return stream.getvalue()


def page(letter: Notification) -> tuple[str, str, str]:
    """Subject, text and HTML of the e-mail."""
    mail = email_message(letter, "watcher@team.example", ["ops@team.example"])
    text, html = mail.iter_parts()
    return str(mail["Subject"]), text.get_content(), html.get_content()  # type: ignore[attr-defined]


def test_the_parts_stand_in_the_order_in_which_a_reader_needs_them() -> None:
    text = printed(told(action()))
    parts = ["unless someone says", "is spending $84.30/h", "surely too much", "set to inactive", "deny", "are sure ("]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_inside_the_alerts_own_message_it_is_the_first_line_and_the_first_thing_that_happens_next() -> None:
    shown = story(told(action(), reason=Reason.FIRST))
    assert "spends $84.30/h" in shown.title
    assert shown.lead[0][0].text.startswith("Key “batch-summariser” will be deactivated at 14:23 UTC")
    ahead, can = shown.sections[-2:]
    assert (ahead.heading, can.heading) == ("What happens next", "What you can do")
    assert "At 14:23 UTC" in ahead.lines[0][0].text
    assert "another" in "".join(words.text for words in ahead.lines[-1])
    assert can.lines[0][1].text.startswith("watcher actions deny ")


def test_no_message_says_any_more_that_nothing_is_switched_off() -> None:
    for letter in typical_actions().values():
        assert "switched off by itself" not in printed(letter)


@pytest.mark.parametrize("what", typical_actions())
def test_slack_takes_every_typical_message_about_actions(what: str) -> None:
    assert_slack_takes(slack_message(story(typical_actions()[what])))


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_key_does_nothing_in_any_channel(name: str) -> None:
    alert, rows = five_keys()
    hostile = tuple(replace(row, key_name=name, workspace_name=name) for row in rows)
    letters = [
        told(*hostile, alerts=(alert,)),
        told(asking(key_name=name, workspace_name=name, reason=name, waits=name)),
        told(action(key_name=name), reason=Reason.FIRST),
        told(done(key_name=name, by=name), event="ended"),
    ]
    for letter in letters:
        message = slack_message(story(letter))
        assert_slack_takes(message)
        shown = everything(message) + message["text"]
        assert "<!channel>" not in shown
        assert "<@U" not in shown
        text = printed(letter)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert max(map(cell_len, text.splitlines())) <= 80
        subject, _, html = page(letter)
        assert "\n" not in subject
        assert "<script>" not in html
        assert "<!channel>" not in html
        json.dumps(notification_json(letter), allow_nan=False).encode("ascii")


def test_a_mail_says_the_same_as_text_and_as_html() -> None:
    subject, text, html = page(told(asking()))
    assert "Deactivate key “batch-summariser”? Approve within 30 minutes" in subject
    for words in ("watcher actions approve", "Nothing is done unless somebody approves it by 14:38 UTC"):
        assert words in text
        assert words in html


def test_a_webhook_has_the_rows_with_their_evidence() -> None:
    body = notification_json(told(asking()))
    assert body["reason"] == "action"
    assert [alert["id"] for alert in body["alerts"]] == [runaway_key().id]
    assert body["action"]["event"] == "planned"
    (row,) = body["action"]["actions"]
    assert {key: row[key] for key in ("key_name", "action", "state", "rule", "amount_usd", "by")} == {
        "key_name": "batch-summariser",
        "action": "deactivate_key",
        "state": "proposed",
        "rule": "key spend",
        "amount_usd": "296",
        "by": "policy",
    }
    evidence = row["evidence"]
    assert (evidence["mode"], evidence["expires_at"]) == ("approve", "2026-11-20T14:38:00Z")
    assert evidence["figures"]["certain_usd"] == "306.5"
    documented = (Path(__file__).parents[2] / "docs/receivers.md").read_text(encoding="utf-8")
    for part in (body["action"], row, evidence, evidence["figures"]):
        assert [name for name in part if f"`{name}`" not in documented] == []
    assert "action" not in notification_json(replace(told(asking()), news=None))


def test_a_webhook_says_who_paused_actions_and_until_when() -> None:
    body = notification_json(typical_actions()["Actions are paused"])
    assert body["action"]["brake"] == {
        "since": "2026-11-20T14:08:00Z",
        "until": "2026-11-20T16:08:00Z",
        "by": "ann",
        "why": "deploy of the gateway",
    }


def test_an_action_alone_is_sent_or_accepted_and_opens_no_incident(
    receiver: tuple[str, Callable[..., Notifier]], serve: Callable[..., Any], scripts: Any
) -> None:
    kind, make = receiver
    server = serve(scripts.answer(200))
    notifier = make("ops", server.url, OutgoingHttp(timeout=PATIENT, tls=TLS), allow_private=True)
    for letter in (told(action()), told(done(), event="ended"), typical_actions()["Actions are paused"]):
        notifier.send(letter)
    assert len(server.received) == (0 if kind.startswith(QUIET) else 3)
    for request in server.received:
        assert isinstance(json.loads(request.body.decode("ascii")), dict)


@pytest.mark.parametrize(("status", "retryable"), [(400, False), (429, True), (500, True)])
def test_an_action_that_is_not_taken_is_one_error_and_tells_no_secret(
    receiver: tuple[str, Callable[..., Notifier]],
    status: int,
    serve: Callable[..., Any],
    scripts: Any,
    *,
    retryable: bool,
) -> None:
    _, make = receiver
    server = serve(scripts.answer(status))
    url = f"{server.url}/services/{CANARY}?token={CANARY}"
    notifier = make("ops", url, OutgoingHttp(timeout=PATIENT, tls=TLS), allow_private=True)
    with pytest.raises(DeliveryError) as caught:
        notifier.send(told(action(), reason=Reason.FIRST))
    assert caught.value.retryable is retryable
    assert CANARY not in caught.value.reason


def test_an_incident_says_in_its_details_what_is_done_to_its_key() -> None:
    letter = told(action(), reason=Reason.FIRST)
    details = pagerduty_event(runaway_key(), letter)["payload"]["custom_details"]
    assert "will be deactivated at 14:23 UTC unless someone says no" in details["text"]
    assert details["action"]["actions"][0]["state"] == "proposed"
    other = pagerduty_event(many(1)[0], letter)["payload"]["custom_details"]
    assert "action" not in other


def test_alertmanager_says_it_as_an_annotation_also_when_it_is_told_again() -> None:
    cluster = Cluster(a=200)
    notifier = cluster.notifier()
    notifier.send(told(action(), reason=Reason.FIRST))
    notifier.send(told(done(), event="ended", later=18))
    notifier.refresh([runaway_key()], NOW + timedelta(minutes=19))
    first, again = [alerts[0]["annotations"] for _, alerts in cluster.posted]
    assert first["action"] == "Key “batch-summariser” will be deactivated at 14:23 UTC unless someone says no"
    assert again["action"] == "Key “batch-summariser” is off since 14:25 UTC"
    notifier.refresh([], NOW + timedelta(minutes=20))
    notifier.refresh([runaway_key()], NOW + timedelta(minutes=21))
    assert "action" not in cluster.posted[-1][1][0]["annotations"]
    assert "action" not in alert_annotations(runaway_key(), NOW)


def test_alertmanager_forgets_it_with_the_end_of_the_alert() -> None:
    cluster = Cluster(a=200)
    notifier = cluster.notifier()
    notifier.send(told(action(), reason=Reason.FIRST))
    notifier.send(told(reason=Reason.RESOLVED, alerts=(runaway_key(state=State.RESOLVED),)))
    notifier.refresh([runaway_key()], NOW)
    assert "action" not in cluster.posted[-1][1][0]["annotations"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of its own plugins, as they are read
def test_apprise_sends_it_as_title_and_text(serve: Callable[..., Any], scripts: Any) -> None:
    server = serve(scripts.answer(200))
    AppriseNotifier("chat", (f"json://127.0.0.1:{server.port}/",)).send(told(asking(key_name="<!channel> @everyone")))
    body = json.loads(server.received[0].body)
    assert "Deactivate key" in body["title"]
    assert "watcher actions approve" in body["message"]
    assert "<!channel>" not in body["title"] + body["message"]
