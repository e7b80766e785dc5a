"""What a digest and an explanation say of keys: what was stopped, by whom, and what that saves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from benchmarks.gallery_actions import ADA, MINUTE, action, asking, done
from benchmarks.gallery_samples import NOW, runaway_key
from notifiers.digest_json import digest_json
from notifiers.digest_story import digest_story
from notifiers.story import plain_text
from rules.actions import Action, ActionState, Cause
from rules.digest import Digest, DigestRule, Stopped
from rules.digest_time import Due, period_of_day
from rules.savings import saved
from tests.notifiers.test_digest_story import DIGEST
from watcher.digest import stopped_keys
from watcher.explain.sections import keys_section
from watcher.store import Store
from watcher.store.actions import write_actions
from watcher.store.alerts import write_alerts

ORGANIZATION = runaway_key().subject.scope.organization
RULE = DigestRule("morning", ("ops",))
DAY = date(2026, 11, 21)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as opened:
        yield opened


def happened(store: Store, *rows: Action) -> tuple[Stopped, ...]:
    with store.database.writing() as connection:
        write_actions(connection, rows)
        write_alerts(connection, [runaway_key()])

    due = Due(RULE, DAY, NOW, period_of_day(RULE, DAY))
    return tuple(stopped_keys(store, ORGANIZATION, due, {}, NOW + timedelta(days=1)))


def test_keys_that_were_deactivated_in_the_period_are_in_its_digest_with_what_that_saves(store: Store) -> None:
    (found,) = happened(store, done(by=ADA))
    whole = saved(done(), runaway_key(), NOW)
    assert whole is not None
    assert (found.name, found.saved, found.by) == ("batch-summariser", whole.amount, ADA)


def test_what_was_turned_on_again_saves_only_until_then(store: Store) -> None:
    again = done(id="again", what="reactivate", confirmed_at=NOW + 77 * MINUTE)
    (found,) = happened(store, done(), again)
    whole = saved(done(), None, NOW)
    assert whole is not None
    assert found.saved == whole.per_hour


def test_drills_plans_and_what_was_done_on_other_days_are_not(store: Store) -> None:
    drill = done(id="d", cause=Cause("drill", "", runaway_key().subject.scope, "1"), evidence=None)
    before = done(id="b", confirmed_at=NOW - timedelta(days=1))
    assert happened(store, drill, before, action(), asking(id="a", state=ActionState.REFUSED)) == ()


def test_a_digest_says_what_shutoffs_saved() -> None:
    stopped = (
        Stopped("a1", "k1", "batch <!channel>", NOW, 412_000_000_000, ADA),
        Stopped("a2", "k2", "leaked", NOW, None),
    )
    told: Digest = replace(DIGEST, stopped=stopped, more_stopped=2, saved=500_000_000_000)
    text = plain_text(digest_story(told, NOW), 10_000)
    assert "Keys deactivated; money saved by shutoffs: about $500.00, an estimate" in text
    assert f"14:08 UTC on 20 Nov, by {ADA}, saves about $412.00" in text
    assert "and 2 more; watcher actions lists them" in text
    body = digest_json(told)
    assert body["saved_usd"] == "500"
    assert body["stopped"][1] == {
        "action": "a2",
        "api_key": "k2",
        "name": "leaked",
        "at": "2026-11-20T14:08:00Z",
        "by": None,
        "saved_usd": None,
    }
    assert "Keys deactivated" not in plain_text(digest_story(DIGEST, NOW), 10_000)


EXPLAINED = {
    "shutoff unless someone says no": (
        action(),
        "Key “batch-summariser” will be deactivated at 14:23 UTC unless someone says no (action d70e1ec2, auto",
    ),
    "waits for approval": (asking(), "Deactivate key “batch-summariser”? Approve within 30 minutes"),
    "waits for something else": (
        action(waits="a silence holds the alert"),
        "unless someone says no; it waits: a silence holds the alert",
    ),
    "was refused": (
        action(state=ActionState.REFUSED, reason="The key is protected: by ann."),
        "Key “batch-summariser” is not deactivated: The key is protected: by ann (action",
    ),
    "was denied": (asking(state=ActionState.REFUSED, by="ann", reason="ann said no."), "stays on: ann said no"),
    "was done": (done(), "Being off saves about $6,158.96 until Mon 23 Nov 09:00 UTC"),
}


@pytest.mark.parametrize(("row", "says"), EXPLAINED.values(), ids=EXPLAINED)
def test_an_explanation_says_what_is_done_to_the_key(row: Action, says: str) -> None:
    section = keys_section([row], runaway_key(), NOW)
    assert section.heading == "What is done to keys"
    assert says in "\n".join(section.sentences)
