"""What is told of actions on keys, in words: a table of situations, and the sentences that each must have."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from benchmarks.gallery_actions import ADA, action, asking, done, evidence, five_keys, typical_actions
from benchmarks.gallery_samples import NOW, runaway_key
from rules.action_headlines import headline
from rules.action_words import Told, told
from rules.actions import WAITING, ActionNews, ActionState, Cause
from rules.model import Alert, Notification

MINUTE = timedelta(minutes=1)


def said(letter: Notification) -> Told:
    alert = letter.alerts[0] if letter.alerts else None
    assert letter.news is not None
    return told(letter.news, alert, letter.created_at)


def everything(found: Told) -> str:
    steps = [f"{step.what}: {step.command}" for step in found.can]
    return "\n".join([found.headline, found.story, *found.why, *found.next, *steps, *found.small])


HEADLINES = {
    "The same plan alone": "Key “batch-summariser” will be deactivated at 14:23 UTC unless someone says no",
    "A key to approve": "Deactivate key “batch-summariser”? Approve within 30 minutes",
    "Five keys behind a budget, one of them protected": "Deactivate 4 of 5 keys? Approve within 30 minutes",
    "A plan in a dry run": "Dry run: key “batch-summariser” would have been deactivated",
    "A plan that was refused": "Key “batch-summariser” is not deactivated",
    "No key is touched": "No key is deactivated",
    "A key is off": "Key “batch-summariser” is off since 14:25 UTC",
    "Somebody said no": "Key “batch-summariser” stays on: Ada (Slack U0123456789) said no",
    "Nobody approved it": "Key “batch-summariser” is not deactivated: nobody approved it",
    "Nobody knows whether it is off": ("Nobody knows whether key “batch-summariser” is off: look at it in the Console"),
    "A key deactivated by hand": "Key “batch-summariser” is off since 14:25 UTC",
    "A drill": "Drill: key “batch-summariser” is off since 14:25 UTC",
    "On again at the reset": "Key “batch-summariser” is on again since 14:25 UTC, as the period has ended",
    "Actions are paused": "Actions on keys are paused until 2026-11-20 16:08 UTC",
    "Actions are allowed again": "Actions on keys are allowed again",
}


@pytest.mark.parametrize(("what", "line"), HEADLINES.items(), ids=HEADLINES)
def test_the_headline_alone_says_what_has_happened_or_will(what: str, line: str) -> None:
    assert said(typical_actions()[what]).headline == line


SENTENCES = {
    "The same plan alone": [
        "$296.00 are surely too much: $306.50 or more since 10:00 UTC, where $10.50 was expected.",
        "At 14:23 UTC (in 15 min) key “batch-summariser” is set to inactive, and requests with it fail.",
        "Say no: watcher actions deny ",
        "$306.50 of $380.50 are sure (estimates counted 20 % lower)",
        "data as of 14:00 UTC (8 min ago)",
    ],
    "A key to approve": [
        "Nothing is done unless somebody approves it by 14:38 UTC; then the plan is dropped.",
        "Approve: watcher actions approve ",
        "Say no: watcher actions deny ",
    ],
    "Five keys behind a budget, one of them protected": [
        "where the budget allows $8,000.00.",
        "These 5 keys have 83 % of the excess, with a confidence of 94 %.",
        "Key “batch-0” (Production, $380.50, usually $10.50): waiting for approval.",
        'not touched, as the key is protected: protect.api_key names it ("prod-*").',
        "Approve (key “batch-3”): watcher actions approve ",
    ],
    "A plan in a dry run": ["Nothing was done: this is a dry run."],
    "A plan that was refused": [
        'The key is protected: protect.api_key names it ("prod-*").',
        "It is not asked about again for the same cause.",
    ],
    "No key is touched": ["No key is touched: it is spread over many."],
    "A key is off": [
        "It had spent $380.50 since 10:00 UTC, where $10.50 is usual.",
        "Being off saves about $6,158.96 until Mon 23 Nov 09:00 UTC ($92.50 an hour): an estimate.",
        "Turn it on again: watcher keys reactivate batch-summariser --reason …",
    ],
    "A key is off, as approved": ["Approved by Ada (Slack U0123456789) at 14:17 UTC."],
    "Somebody said no": ["said no: the migration.", "It is not asked about again for the same cause."],
    "Nobody knows whether it is off": ["This program does not try again."],
    "A key deactivated by hand": ["Ada (Slack U0123456789) asked for it: leaked"],
    "A drill": ["It is turned on again by itself, which is told too."],
    "On again at the reset": ["Requests with it are answered again."],
    "Actions are paused": ["By ann: deploy of the gateway.", "Let go: watcher actions resume"],
    "Actions are allowed again": ["Plans that waited begin their grace anew"],
}


@pytest.mark.parametrize(("what", "sentences"), SENTENCES.items(), ids=SENTENCES)
def test_it_says_why_what_comes_next_and_what_can_be_done(what: str, sentences: list[str]) -> None:
    text = everything(said(typical_actions()[what]))
    for sentence in sentences:
        assert sentence in text


def line(row: object, later: timedelta = timedelta(0)) -> str:
    return headline(ActionNews("planned", (row,)), NOW + later)  # type: ignore[arg-type]


def test_a_plan_without_grace_says_that_it_is_done_now() -> None:
    assert line(action(state=ActionState.INTENT, due_at=NOW)) == "Key “batch-summariser” is being deactivated"


def test_a_plan_whose_grace_is_over_says_what_it_waits_for() -> None:
    late = action(waits="1 a cycle is the limit")
    news = ActionNews("planned", (late,))
    found = told(news, None, NOW + 20 * MINUTE)
    assert found.headline == "Key “batch-summariser” will be deactivated once nothing speaks against it"
    assert "It also waits: 1 a cycle is the limit." in found.next


def test_the_time_that_is_left_to_approve_is_told_in_whole_minutes() -> None:
    assert line(asking(), 29 * MINUTE + timedelta(seconds=30)).endswith("Approve within 1 minute")
    assert line(asking(), 30 * MINUTE).endswith("The time for approving it is over")


def test_nobody_is_told_to_approve_what_is_decided() -> None:
    for row in (done(), asking(state=ActionState.EXPIRED, reason="x"), replace(asking(), state=ActionState.APPROVED)):
        steps = told(ActionNews("ended", (row,)), None, NOW).can
        assert not any("approve" in step.command for step in steps)


def test_keys_that_are_alike_are_counted_and_others_are_told_apart() -> None:
    _, rows = five_keys()
    off = [replace(row, state=ActionState.CONFIRMED, confirmed_at=NOW) for row in rows[:2]]
    assert headline(ActionNews("ended", tuple(off)), NOW) == "2 keys are off since 14:08 UTC"
    mixed = headline(ActionNews("ended", (off[0], rows[4])), NOW)
    assert mixed == "Of 2 keys 1 off, 1 not touched"


def test_more_than_five_keys_are_counted() -> None:
    _, rows = five_keys()
    many = tuple(replace(rows[0], id=f"a{number}") for number in range(9))
    found = told(ActionNews("planned", many), None, NOW)
    assert "And 4 more." in found.next
    assert found.small[-1] == "actions a0, a1, a2, a3, a4 and 4 more"


@pytest.mark.parametrize("name", ["<!channel>", "two\nlines", "pay\u202eroll", "n" * 300, "\x1b[31mred"])
def test_a_name_cannot_break_or_turn_a_line(name: str) -> None:
    for row in (action(key_name=name), asking(key_name=name), done(key_name=name)):
        text = everything(told(ActionNews("planned", (row,)), None, NOW))
        assert "\u202e" not in text
        assert "\x1b" not in text
        assert all(len(each) < 400 for each in text.splitlines())


def test_a_command_takes_a_name_only_where_it_needs_no_quotes() -> None:
    found = told(ActionNews("ended", (done(key_name="it's; rm -rf /"),)), None, NOW)
    command = next(step.command for step in found.can if "reactivate" in step.command)
    assert command == f"watcher keys reactivate {done().key} --reason …"


def test_what_is_settled_is_sure_without_a_word_on_estimates() -> None:
    settled = action(evidence=evidence(certain=evidence().observed))
    small = told(ActionNews("planned", (settled,)), None, NOW).small
    assert small[0] == "$380.50 of $380.50 are sure"


def test_only_what_is_open_or_in_doubt_presses() -> None:
    pressing = {name for name, letter in typical_actions().items() if said(letter).pressing}
    assert pressing == {
        "A runaway key that is stopped unless someone says no",
        "The same plan alone",
        "A key to approve",
        "Five keys behind a budget, one of them protected",
        "Nobody knows whether it is off",
    }


def test_it_tells_the_alerts_story_where_it_is_known() -> None:
    alert: Alert = runaway_key()
    assert told(ActionNews("planned", (action(),)), alert, NOW).story == alert.summary
    assert told(ActionNews("planned", (action(),)), None, NOW).story == ""
    assert ADA in everything(told(ActionNews("ended", (done(by=ADA),)), alert, NOW))


CAUSES = ("budget", "anomaly", "hand", "drill", "reset")
MODES_OF = ("dry_run", "approve", "auto")


@pytest.mark.parametrize("state", ActionState)
def test_whatever_the_row_the_words_hold_and_only_what_was_read_is_called_off(state: ActionState) -> None:
    for kind, mode, what in itertools.product(CAUSES, MODES_OF, ("deactivate", "reactivate")):
        cause = Cause(kind, "key spend", runaway_key().subject.scope, "1")  # type: ignore[arg-type]
        for rest in ({}, {"evidence": None, "due_at": None, "expires_at": None}, {"expires_at": NOW, "sent_at": NOW}):
            row = action(cause=cause, mode=mode, what=what, state=state, reason="So it is.", **rest)
            for rows in ((row,), (row, replace(row, id="b"))):
                found = told(ActionNews("ended", rows), runaway_key(), NOW)
                assert found.headline
                assert all(found.why)
                assert all(found.next)
                assert (" off since" in found.headline) is (state is ActionState.CONFIRMED and what == "deactivate")
                assert (" on again since" in found.headline) is (
                    state is ActionState.CONFIRMED and what == "reactivate"
                )
                commands = [step.command for step in found.can]
                assert any("approve" in each for each in commands) <= (state is ActionState.PROPOSED)
                assert any("deny" in each for each in commands) <= (state in WAITING)


def test_what_is_not_the_same_of_several_keys_is_said_of_none() -> None:
    _, rows = five_keys()
    later = replace(rows[1], expires_at=NOW + 50 * MINUTE)
    found = told(ActionNews("planned", (rows[0], later)), None, NOW)
    assert len(found.next) == 2


def test_a_no_without_a_reason_is_said_once() -> None:
    silent = asking(state=ActionState.REFUSED, by="ann", reason="ann said no.")
    text = everything(told(ActionNews("ended", (silent,)), None, NOW))
    assert text.count("said no") == 1
