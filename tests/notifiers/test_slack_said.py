"""The first message of an alert shows who has taken it, what is silenced and what was expected, by an edit each."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from benchmarks.gallery_samples import many, organization_budget, runaway_key
from notifiers.base import DeliveryError
from notifiers.slack_bot import AT_ONCE
from notifiers.slack_memory import Sent
from notifiers.slack_pace import Pace
from notifiers.slack_said import said_blocks, said_words
from rules.model import Alert, Reason, State
from rules.quieted import Acknowledgement, Judged, Silenced
from tests.notifiers.test_slack_bot import bot, message, over, title
from tests.slack_workspace import Refusal, Workspace
from watcher.store import Judgement, Store, StoreError
from watcher.store.slack_messages import SlackMessages

ALERT = runaway_key()
NOW = message(ALERT).created_at + timedelta(minutes=3)
ANA = "Ana (Slack U0123456789)"


def taken(alert: Alert, by: str = ANA, comment: str = "pressed in Slack") -> Alert:
    return replace(alert, acknowledged=Acknowledgement(by, NOW, comment))


def silenced(alert: Alert, by: str = "ops", until: datetime = NOW + timedelta(hours=24), comment: str = "") -> Alert:
    return replace(alert, silenced=Silenced("s1", until, by, comment))


def expected(alert: Alert, by: str = "ops") -> Alert:
    return replace(over(alert), judged=Judged("expected", by, NOW))


def judged(store: Store, *alerts: Alert) -> None:
    """What a judgement commits."""
    store.remember(Judgement(alerts=alerts))


def told(slack: Workspace, store: Store, *alerts: Alert, **more: Any) -> Any:
    """A bot that has told of these alerts in a message each; its outbox remembers them."""
    ops = bot(slack, store, interactive=True, **more)
    for index, alert in enumerate(alerts):
        first = message(alert, ident=f"first{index}")
        store.remember(Judgement(alerts=(alert,), notifications=(first,)))
        ops.send(first)
    return ops


def line(posted: dict[str, Any]) -> str:
    """The line below the title, if it is one of those that say what people said."""
    block = posted["blocks"][1]
    return " ".join(part["text"] for part in block["elements"]) if block["type"] == "context" else ""


def labels(posted: dict[str, Any]) -> list[str]:
    block = posted["blocks"][-1]
    return [each["text"]["text"] for each in block["elements"]] if block["type"] == "actions" else []


def edits(slack: Workspace) -> int:
    return len(slack.called("chat.update"))


ALL = ["Acknowledge", "Silence 24 h", "Expected, don't tell me again"]


def test_nothing_said_shows_nothing_and_edits_nothing(slack: Workspace, store: Store) -> None:
    ops = told(slack, store, ALERT)
    judged(store, replace(ALERT, value=ALERT.value or 0))
    assert not ops.keep_current(NOW)
    (first,) = slack.top
    assert (line(first), labels(first), edits(slack)) == ("", ALL, 0)


def test_who_takes_it_is_shown_by_the_first_message_whose_button_goes(slack: Workspace, store: Store) -> None:
    ops = told(slack, store, ALERT)
    before = title(slack.top[0])
    judged(store, taken(ALERT))
    ops.keep_current(NOW)
    (first,) = slack.top
    assert line(first) == f"Acknowledged by <@U0123456789> at {NOW:%H:%M} UTC"
    assert f"Acknowledged by Ana at {NOW:%H:%M} UTC" in first["text"]
    assert labels(first) == ALL[1:]
    assert title(first) == before
    for block in Block.parse_all(first["blocks"]):
        block.validate_json()


def test_a_silence_is_shown_as_long_as_it_holds(slack: Workspace, store: Store) -> None:
    ops = told(slack, store, ALERT)
    judged(store, silenced(ALERT, comment="a load test"))
    ops.keep_current(NOW)
    (first,) = slack.top
    assert line(first).startswith("Silenced by ops until Sat 21 Nov")
    assert line(first).endswith(": a load test")
    assert labels(first) == [ALL[0], ALL[2]]
    judged(store, ALERT)
    ops.keep_current(NOW + timedelta(hours=24))
    (first,) = slack.top
    assert (line(first), labels(first)) == ("", ALL)
    assert edits(slack) == 2


def test_what_was_expected_is_said_and_nothing_is_left_to_press(slack: Workspace, store: Store) -> None:
    ops = told(slack, store, ALERT)
    judged(store, expected(ALERT))
    ops.keep_current(NOW)
    (first,) = slack.top
    assert line(first) == f"Expected, says ops at {NOW:%H:%M} UTC"
    assert labels(first) == []
    assert title(first).startswith("✅")


def test_several_sayings_stand_in_one_line_and_are_one_edit(slack: Workspace, store: Store) -> None:
    ops = told(slack, store, ALERT)
    judged(store, taken(ALERT))
    judged(store, silenced(taken(ALERT)))
    assert not ops.keep_current(NOW)
    assert not ops.keep_current(NOW)
    (first,) = slack.top
    assert "Acknowledged by" in line(first)
    assert "Silenced by" in line(first)
    assert labels(first) == ALL[2:]
    assert edits(slack) == 1


def test_what_was_said_and_taken_back_before_it_was_shown_is_no_edit(slack: Workspace, store: Store) -> None:
    ops = told(slack, store, ALERT)
    judged(store, silenced(ALERT))
    judged(store, ALERT)
    ops.keep_current(NOW)
    assert edits(slack) == 0


def test_each_thing_said_is_shown_once_whatever_restarts(slack: Workspace, store: Store) -> None:
    """A crash between the edit and the note that it was made edits once more, to the same."""

    class FullDisk(SlackMessages):
        def shows(self, receiver: str, sent: Sent, alerts: Any) -> None:
            raise StoreError("the disk is full")

    told(slack, store, ALERT)
    judged(store, taken(ALERT))
    with pytest.raises(StoreError):
        bot(slack, store, interactive=True, memory=FullDisk(store.database, store.alerts)).keep_current(NOW)
    (before,) = [dict(each) for each in slack.top]
    for _ in range(20):
        judged(store, taken(ALERT))
        bot(slack, store, interactive=True).keep_current(NOW)
    (first,) = slack.top
    assert first == before
    assert (edits(slack), len(slack.messages)) == (2, 1)


def test_what_is_said_between_the_decision_and_the_message_is_shown_too(slack: Workspace, store: Store) -> None:
    first = message(ALERT)
    store.remember(Judgement(alerts=(ALERT,), notifications=(first,)))
    judged(store, taken(ALERT))
    ops = bot(slack, store, interactive=True)
    ops.send(first)
    ops.keep_current(NOW)
    assert line(slack.top[0]).startswith("Acknowledged by")
    assert edits(slack) == 1


def test_what_is_said_while_an_edit_is_under_way_is_shown_by_the_next(slack: Workspace, store: Store) -> None:
    class Late(SlackMessages):
        def shows(self, receiver: str, sent: Sent, alerts: Any) -> None:
            judged(store, silenced(taken(ALERT)))
            super().shows(receiver, sent, alerts)

    told(slack, store, ALERT)
    judged(store, taken(ALERT))
    bot(slack, store, memory=Late(store.database, store.alerts)).keep_current(NOW)
    assert "Silenced" not in line(slack.top[0])
    bot(slack, store).keep_current(NOW)
    assert "Silenced" in line(slack.top[0])


def test_an_end_that_is_told_needs_no_second_edit(slack: Workspace, store: Store) -> None:
    ops = told(slack, store, ALERT)
    ended = taken(over(ALERT))
    judged(store, ended)
    ops.send(message(ended, reason=Reason.RESOLVED, ident="end", later=60))
    ops.keep_current(NOW)
    assert edits(slack) == 1
    assert line(slack.top[0]).startswith("Acknowledged by")
    assert line(slack.thread(slack.top[0]["ts"])[0]) == "", "the thread tells that it ended, and nothing else"


def test_what_ends_without_a_word_loses_its_buttons(slack: Workspace, store: Store) -> None:
    crossing = replace(organization_budget(), closes_at=NOW)
    ops = told(slack, store, crossing)
    assert labels(slack.top[0]) == ALL[:2]
    judged(store, replace(crossing, state=State.RESOLVED, ends_at=NOW))
    ops.keep_current(NOW)
    (first,) = slack.top
    assert labels(first) == []
    assert len(slack.messages) == 1


def test_a_message_about_several_alerts_counts_what_was_said(slack: Workspace, store: Store) -> None:
    alerts = many(3)
    first = message(*alerts, reason=Reason.INITIAL)
    store.remember(Judgement(alerts=alerts, notifications=(first,)))
    ops = bot(slack, store, interactive=True)
    ops.send(first)
    judged(store, taken(alerts[0]), silenced(alerts[1]), silenced(taken(alerts[2])))
    ops.keep_current(NOW)
    assert line(slack.top[0]) == "Of 3 alerts: 2 acknowledged, 2 silenced"
    assert "began watching" in title(slack.top[0])
    assert edits(slack) == 1


def test_what_is_told_later_by_a_message_of_its_own_is_not_edited(slack: Workspace, store: Store) -> None:
    """Ends of two messages told in one: it is no first message of theirs."""
    alerts = many(2)
    ops = told(slack, store, *alerts)
    ended = tuple(map(over, alerts))
    end = message(*ended, reason=Reason.RESOLVED, ident="end", later=60)
    store.remember(Judgement(alerts=ended, notifications=(end,)))
    ops.send(end)
    judged(store, *(replace(alert, judged=Judged("real", "ops", NOW)) for alert in ended))
    before = edits(slack)
    ops.keep_current(NOW)
    assert edits(slack) == before + 2


def test_edits_are_a_second_apart_and_a_few_at_a_time(slack: Workspace, store: Store) -> None:
    now, waits = [0.0], []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    alerts = many(AT_ONCE + 2)
    told(slack, store, *alerts)
    judged(store, *map(taken, alerts))
    ops = bot(slack, store, pace=Pace(seconds=lambda: now[0], pause=pause))
    assert ops.keep_current(NOW)
    assert edits(slack) == AT_ONCE
    assert waits == [1.0] * (AT_ONCE - 1)
    assert not ops.keep_current(NOW)
    assert edits(slack) == AT_ONCE + 2


def test_a_rate_limit_is_kept_to_and_nothing_is_forgotten(slack: Workspace, store: Store) -> None:
    now = [0.0]
    ops = told(slack, store, ALERT, pace=Pace(seconds=lambda: now[0], pause=lambda _seconds: None))
    judged(store, taken(ALERT))
    slack.refuse("chat.update", Refusal("ratelimited", 429, {"retry-after": "30"}))
    for _ in range(3):
        with pytest.raises(DeliveryError) as caught:
            ops.keep_current(NOW)
        assert caught.value.retry_after is not None
    assert edits(slack) == 1
    now[0] = 31.0
    ops.keep_current(NOW)
    assert line(slack.top[0]).startswith("Acknowledged by")


@pytest.mark.parametrize(("word", "again"), [("edit_window_closed", 0), ("message_not_found", 0), ("invalid_auth", 1)])
def test_what_can_never_be_edited_is_left_and_what_may_be_is_tried_again(
    slack: Workspace, store: Store, word: str, again: int
) -> None:
    ops = told(slack, store, ALERT)
    judged(store, taken(ALERT))
    slack.refuse("chat.update", Refusal(word))
    with suppress(DeliveryError):
        ops.keep_current(NOW)
    ops.keep_current(NOW)
    assert edits(slack) == 1 + again


def test_another_receivers_messages_are_left_to_it(slack: Workspace, store: Store) -> None:
    told(slack, store, ALERT)
    judged(store, taken(ALERT))
    replace(bot(slack, store), name="finance").keep_current(NOW)
    assert edits(slack) == 0


HOSTILE = [
    "<!channel>",
    "<@U999999999>",
    "*bold* `x` _y_ &amp;",
    "a\n\x1b[31m\u202eb",
    "n" * 40_000,
    "Ana (Slack <!here>)",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_somebody_is_called_stands_there_letter_by_letter(name: str) -> None:
    alert = silenced(taken(replace(ALERT, judged=Judged("real", name, NOW, name)), name, name), name, comment=name)
    (block,) = said_blocks([alert], NOW)
    block.validate_json()
    parts = block.to_dict()["elements"]
    assert {part["type"] for part in parts} == {"plain_text"}
    assert not any(wakes in json.dumps(parts) for wakes in ("<!", "<@"))
    assert all(len(part["text"]) < 400 and "\n" not in part["text"] for part in parts)
    assert len(said_words([alert], NOW)) < 1_000


def test_only_an_id_that_slack_gave_is_a_mention() -> None:
    spoofed = taken(ALERT, "x (Slack U999999999) (Slack U0123456789)")
    (block,) = said_blocks([spoofed], NOW)
    assert [part["text"] for part in block.to_dict()["elements"]][1] == "<@U0123456789>"
    (nameless,) = said_blocks([taken(ALERT, "Slack U0123456789")], NOW)
    assert [part["text"] for part in nameless.to_dict()["elements"]][1] == "<@U0123456789>"
