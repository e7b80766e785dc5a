from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from benchmarks.gallery_samples import (
    HOSTILE_NAMES,
    hostile_key,
    hostile_scope,
    many,
    notification,
    runaway_key,
    typical,
)
from notifiers.base import DeliveryError
from notifiers.http import OutgoingHttp
from notifiers.render import story
from notifiers.slack import SlackWebhookNotifier, slack_message
from rules.model import Alert, Notification, Owned, Reason, State

URL = "https://hooks.slack.com/services/T/B/secret"


def texts(part: Any) -> Iterator[tuple[str, str]]:
    """Every text of the blocks with the type of the element it stands in."""
    if isinstance(part, list):
        for item in part:
            yield from texts(item)
    elif isinstance(part, dict):
        if isinstance(part.get("text"), str):
            yield part["type"], part["text"]
        for value in part.values():
            yield from texts(value)


def assert_slack_takes(message: dict[str, Any]) -> None:
    """Slack's documented limits, and the rule that nothing in the blocks is ever read as mrkdwn."""
    for block in Block.parse_all(message["blocks"]):
        block.validate_json()
    kinds = [block["type"] for block in message["blocks"]]
    assert kinds[0] == "header"
    assert set(kinds) <= {"header", "rich_text", "context"}
    assert len(kinds) <= 50
    assert len(message["blocks"][0]["text"]["text"]) <= 150
    assert 0 < len(message["text"]) < 3000
    assert len(json.dumps(message["blocks"], ensure_ascii=False)) <= 12_000
    for kind, text in texts(message["blocks"]):
        assert kind in {"plain_text", "text"}
        assert 0 < len(text) <= 3000
    assert all(block["elements"] for block in message["blocks"] if "elements" in block)
    assert {message[key] for key in ("mrkdwn", "link_names", "unfurl_links", "unfurl_media")} == {False}
    assert message["parse"] == "none"


def everything(message: dict[str, Any]) -> str:
    return "\n".join(text for _, text in texts(message["blocks"]))


@pytest.mark.parametrize("title", typical())
def test_slack_takes_every_typical_message(title: str) -> None:
    assert_slack_takes(slack_message(story(typical()[title])))


@pytest.mark.parametrize("sample", [hostile_key, hostile_scope])
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_shown_and_does_nothing(name: str, sample: Callable[[str], Alert]) -> None:
    about = sample(name)
    message = slack_message(story(notification(about, inhibited=(hostile_key(name),), organization=name)))
    assert_slack_takes(message)
    shown = everything(message)
    for live in ("<!", "<@", "<#", "<http:", "<https:", "\u202e", "\x1b", "\u200b", "\ud83d"):
        assert live not in shown
        assert live not in message["text"]
    assert not set(message["text"]) & set("<>")
    assert "apikey_01Rj2N8SVvo6BePZj99NhmiT" in shown


@given(st.text(max_size=400))
def test_slack_takes_a_key_of_any_name(name: str) -> None:
    alert = hostile_key(name.encode("utf-8", "replace").decode())
    assert_slack_takes(slack_message(story(notification(alert))))
    assert_slack_takes(slack_message(story(notification(alert, alert, reason=Reason.INITIAL))))


def test_a_thousand_children_are_told_by_their_largest() -> None:
    message = slack_message(story(notification(hostile_key("x" * 300, children=1000))))
    assert_slack_takes(message)
    assert "all other models together" in everything(message)


@pytest.mark.parametrize("reason", [Reason.FIRST, Reason.INITIAL, Reason.RESOLVED, Reason.TEST])
@pytest.mark.parametrize("count", [2, 30, 500, 3000])
def test_every_alert_of_a_crowd_is_named_or_counted(count: int, reason: Reason) -> None:
    alerts = many(count)
    message = slack_message(story(notification(*alerts, reason=reason)))
    assert_slack_takes(message)
    shown = everything(message)
    named = sum(f"(apikey_01{index:022d})" in shown for index in range(count))
    counted = sum(
        int(text.removeprefix("and ").removesuffix(" more; ").replace(",", ""))
        for _, text in texts(message["blocks"])
        if text.startswith("and ") and text.endswith(" more; ")
    )
    assert named + counted == count
    assert named >= min(count, 20)


def test_ampersands_and_brackets_of_the_fallback_are_escaped_within_its_length() -> None:
    message = slack_message(story(notification(*(hostile_key("<&>" * 100) for _ in range(40)))))
    assert "&lt;&amp;&gt;" in message["text"]
    assert_slack_takes(message)


OWNED = [
    (
        Owned("payments", "ana@team.example", "S012AB3CD"),
        "<!subteam^S012AB3CD>",
        [{"type": "usergroup", "usergroup_id": "S012AB3CD"}],
    ),
    (Owned("Ana", slack="U012AB3CD"), "<@U012AB3CD>", [{"type": "user", "user_id": "U012AB3CD"}]),
    (Owned("Ana"), "", []),
    (Owned("<!channel>", slack="!channel"), "", []),
    (Owned("<@U012AB3CD>", slack="U012> <!here"), "", []),
]


def mentions(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, list):
        for item in part:
            yield from mentions(item)
    elif isinstance(part, dict):
        if part.get("type") in {"user", "usergroup", "broadcast", "channel"}:
            yield part
        for value in part.values():
            yield from mentions(value)


@pytest.mark.parametrize(("owned", "text", "elements"), OWNED)
def test_an_owner_is_named_and_mentioned_by_a_configured_id_alone(
    owned: Owned, text: str, elements: list[dict[str, Any]]
) -> None:
    alert = replace(runaway_key(), owned=owned)
    message = slack_message(story(notification(alert)))
    assert_slack_takes(message)
    assert list(mentions(message["blocks"])) == elements
    assert message["text"].endswith(f"\n{text}") is bool(text)
    assert "Owner: " in message["text"]
    assert message["text"].count("<") == bool(text)


def test_an_end_names_the_owner_and_wakes_nobody() -> None:
    alert = replace(runaway_key(), owned=OWNED[0][0], state=State.RESOLVED, ends_at=runaway_key().starts_at)
    message = slack_message(story(notification(alert, reason=Reason.RESOLVED)))
    assert "Owner: payments (ana@team.example)" in message["text"]
    assert "<" not in message["text"]
    assert list(mentions(message["blocks"])) == []


def test_many_alerts_mention_each_owner_once_and_the_first_five() -> None:
    owned = [Owned(f"team {number // 2}", slack=f"S{number // 2:05}") for number in range(20)]
    alerts = [replace(alert, owned=own) for alert, own in zip(many(20), owned, strict=True)]
    message = slack_message(story(notification(*alerts)))
    assert_slack_takes(message)
    assert [each["usergroup_id"] for each in mentions(message["blocks"])] == [f"S{number:05}" for number in range(5)]
    assert "and 5 more" in message["text"]


def sending(answers: list[tuple[int, str]]) -> tuple[list[dict[str, Any]], Callable[[Notification], None]]:
    bodies: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        status, text = answers.pop(0)
        return httpx.Response(status, text=text)

    http = OutgoingHttp(transport=httpx.MockTransport(answer), resolve=lambda *_: [(2, 1, 6, "", ("8.8.8.8", 443))])
    return bodies, SlackWebhookNotifier("ops", URL, http).send


@pytest.mark.parametrize("word", ["invalid_blocks", "invalid_payload\n", "msg_blocks_too_long", "invalid_blocks: [0]"])
def test_what_slack_refuses_for_its_form_is_sent_once_more_as_text(word: str) -> None:
    bodies, send = sending([(400, word), (200, "ok")])
    send(notification(runaway_key()))
    with_blocks, alone = bodies
    assert with_blocks["blocks"]
    assert alone == {"text": with_blocks["text"]}


def test_a_form_refused_twice_is_an_error() -> None:
    bodies, send = sending([(400, "invalid_blocks"), (400, "invalid_payload")])
    with pytest.raises(DeliveryError, match="invalid_payload") as caught:
        send(notification(runaway_key()))
    assert not caught.value.retryable
    assert len(bodies) == 2


@pytest.mark.parametrize(
    ("status", "word", "says", "retryable"),
    [
        (403, "action_prohibited", "restricts", False),
        (404, "channel_not_found", "does not exist", False),
        (404, "no_service", "disabled or removed", False),
        (410, "channel_is_archived", "archived", False),
        (403, "invalid_token", "not valid", False),
        (500, "rollup_error", "status 500", True),
        (404, "no secret_word of ours", "status 404", False),
    ],
)
def test_slacks_own_word_is_explained_and_no_other_is_quoted(
    status: int, word: str, says: str, retryable: bool
) -> None:
    bodies, send = sending([(status, word)])
    with pytest.raises(DeliveryError, match=says) as caught:
        send(notification(runaway_key()))
    assert caught.value.retryable is retryable
    assert "secret" not in caught.value.reason
    assert len(bodies) == 1
