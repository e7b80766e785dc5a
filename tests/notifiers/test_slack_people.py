"""Owners of whom only an e-mail address is known are mentioned, where the bot may look them up."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.gallery_samples import many, runaway_key
from notifiers.http import OutgoingHttp
from notifiers.slack_api import SlackApi
from notifiers.slack_bot import SlackBotNotifier
from notifiers.slack_pace import Pace
from notifiers.slack_people import QUICK, REMEMBERED, REST, People
from rules.model import Owned, Reason, State
from tests.notifiers.test_slack_bot import TLS, message
from tests.slack_workspace import BOT_TOKEN, CHANNEL, Refusal, Workspace, slack_workspace

ADA = replace(runaway_key(), owned=Owned("Ada", "Ada <ada@team.example>"))
LOOKUP = "users.lookupByEmail"


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with slack_workspace() as workspace:
        workspace.people = {"ada@team.example": {"id": "U012AB3CD", "name": "ada"}}
        yield workspace


class Now:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def bot(slack: Workspace, now: Callable[[], float] = lambda: 0.0) -> SlackBotNotifier:
    api = SlackApi(BOT_TOKEN, OutgoingHttp(timeout=5, tls=TLS), f"{slack.url}/api/", allow_private=True)
    pace = Pace(seconds=lambda: 0.0, pause=lambda _seconds: None)
    people = People("ops", api, now)
    return SlackBotNotifier("ops", CHANNEL, api, draw=lambda _chart: b"", pace=pace, people=people)


def mentioned(posted: dict[str, Any]) -> list[str]:
    return [each for each in ("U012AB3CD", "S012AB3CD") if each in json.dumps(posted["blocks"])]


def test_an_owner_is_mentioned_by_the_address_and_looked_up_once_a_day(slack: Workspace) -> None:
    now = Now()
    ops = bot(slack, now)
    for index in range(3):
        ops.send(message(ADA, ident=f"n{index}"))
    assert [mentioned(each) for each in slack.top] == [["U012AB3CD"]] * 3
    assert all(each["text"].endswith("<@U012AB3CD>") for each in slack.top)
    assert [call["email"] for call in slack.called(LOOKUP)] == ["ada@team.example"]
    now.seconds = REMEMBERED
    ops.send(message(ADA, ident="n9"))
    assert len(slack.called(LOOKUP)) == 2


def test_an_id_of_the_configuration_is_not_looked_up_and_an_end_wakes_nobody(slack: Workspace) -> None:
    ops = bot(slack)
    ops.send(message(replace(ADA, owned=Owned("payments", "p@team.example", "S012AB3CD"))))
    ended = replace(ADA, state=State.RESOLVED, ends_at=ADA.starts_at)
    ops.send(message(ended, reason=Reason.RESOLVED, ident="n2"))
    ops.send(message(runaway_key(), ident="n3"))
    assert [mentioned(each) for each in slack.top] == [["S012AB3CD"], [], []]
    assert slack.called(LOOKUP) == []


@pytest.mark.parametrize(
    "user",
    [
        None,
        {"id": "U012AB3CD", "deleted": True},
        {"id": "<!channel>"},
        {"id": "S012AB3CD"},
        {"id": 7},
        {"name": "ada"},
    ],
)
def test_who_is_not_found_or_no_user_is_named_and_not_mentioned(slack: Workspace, user: dict[str, Any] | None) -> None:
    slack.people = {} if user is None else {"ada@team.example": user}
    ops = bot(slack)
    for index in range(2):
        ops.send(message(ADA, ident=f"n{index}"))
    for posted in slack.top:
        assert mentioned(posted) == []
        assert "Ada" in json.dumps(posted["blocks"])
        assert "<!" not in json.dumps(posted)
    assert len(slack.called(LOOKUP)) == 1, "that there is nobody is remembered too"


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        (Refusal("missing_scope", more={"needed": "users:read.email"}), "lacks the scope users:read.email"),
        (Refusal("ratelimited", 429, {"retry-after": "30"}), "429"),
        (Refusal("x", 503), "503"),
        (Refusal("invalid_auth"), "not valid"),
        (Refusal(cut=True), "broke"),
    ],
)
def test_a_look_up_that_fails_fails_no_message_and_is_said_once(
    slack: Workspace, refusal: Refusal, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    now = Now()
    ops = bot(slack, now)
    slack.refuse(LOOKUP, refusal, refusal)
    for index in range(3):
        ops.send(message(ADA, ident=f"n{index}"))
    assert len(slack.called(LOOKUP)) == 1, "it rests after a failure"
    now.seconds = REST
    ops.send(message(ADA, ident="n8"))
    now.seconds = 2 * REST
    ops.send(message(ADA, ident="n9"))
    assert len(slack.called(LOOKUP)) == 3
    assert [mentioned(each) for each in slack.top] == [[], [], [], [], ["U012AB3CD"]]
    said = [record.getMessage() for record in caplog.records if "owners are not mentioned" in record.getMessage()]
    assert len(said) == 1
    assert says in said[0]
    assert "CANARY" not in caplog.text


def test_who_has_no_account_is_said_once(slack: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    slack.people = {}
    now = Now()
    ops = bot(slack, now)
    for day in range(3):
        now.seconds = day * REMEMBERED
        ops.send(message(ADA, ident=f"n{day}"))
    assert len(slack.called(LOOKUP)) == 3
    assert caplog.text.count("nobody in the Slack workspace has the address of the owner ada@team.example") == 1


def test_a_workspace_that_does_not_answer_delays_a_message_a_little_and_the_next_not_at_all(
    slack: Workspace, serve: Callable[..., Any], scripts: Any
) -> None:
    silent = serve(scripts.bytes_then_hang(b""))
    api = SlackApi(BOT_TOKEN, OutgoingHttp(tls=TLS).within(0.3), f"{silent.url}/api/", allow_private=True)
    ops = replace(bot(slack), people=People("ops", api))
    began = time.monotonic()
    for index in range(3):
        ops.send(message(ADA, ident=f"n{index}"))
    assert time.monotonic() - began < QUICK + 2
    assert len(silent.received) <= 1
    assert len(slack.top) == 3


def test_many_owners_are_looked_up_no_longer_than_one_may_take(slack: Workspace) -> None:
    """Each look-up takes a second here: the third one is for the next message."""
    now = Now()
    ops = bot(slack, now)
    answer = slack.answer

    def slow(method: str, given: dict[str, Any]) -> dict[str, Any]:
        now.seconds += method == LOOKUP
        return answer(method, given)

    slack.answer = slow  # type: ignore[method-assign]
    alerts = [replace(each, owned=Owned(f"p{n}", f"p{n}@team.example")) for n, each in enumerate(many(4))]
    ops.send(message(*alerts))
    assert len(slack.called(LOOKUP)) == 2
    ops.send(message(*alerts, ident="n2"))
    assert len(slack.called(LOOKUP)) == 4


def test_only_so_many_are_remembered_and_the_oldest_are_forgotten(slack: Workspace) -> None:
    api = SlackApi(BOT_TOKEN, OutgoingHttp(timeout=5, tls=TLS), f"{slack.url}/api/", allow_private=True)
    ops = replace(bot(slack), people=People("ops", api, lambda: 0.0, most=2))
    for index, who in enumerate(["a", "b", "c", "c", "a"]):
        ops.send(message(replace(ADA, owned=Owned(who, f"{who}@team.example")), ident=f"n{index}"))
    assert [call["email"][0] for call in slack.called(LOOKUP)] == ["a", "b", "c", "a"]


def test_the_probe_says_whether_the_token_may(slack: Workspace) -> None:
    slack.scopes = "chat:write,channels:history,groups:history,files:write,users:read"
    assert (
        bot(slack)
        .probe()
        .endswith("the token lacks users:read.email (to mention owners of whom only the e-mail address is known)")
    )
