"""Carrying out an intent while the API takes minutes to answer: every step is judged by the time that it is then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from rules.action_news import Listeners
from rules.actions import Action, ActionState
from rules.policy import Policy
from tests.rules.offending import MINUTE, NOW
from tests.shutoff.api import KeyApi
from tests.shutoff.test_execution import ORG, intent
from watcher.acting import carry_out
from watcher.guarding import Hands
from watcher.store import Judgement, Store


@dataclass
class Slow:
    """A journal with one intent, and an API that takes so long for each answer."""

    store: Store
    api: KeyApi
    each: timedelta = 4 * MINUTE
    now: datetime = NOW

    def carry_out(self) -> Action:
        self.api.on_request = self.pass_time
        hands = Hands(Policy(mode="auto"), *self.api.hands)
        carry_out(self.store, hands, lambda _row: "", Listeners((), {}, "Acme"), ORG, lambda: self.now)
        (row,) = self.store.actions.all(ORG)
        return row

    def pass_time(self) -> None:
        self.now += self.each


@pytest.fixture
def slow(store: Store) -> Iterator[Slow]:
    store.remember(Judgement(organization=ORG, actions=(intent(),), at=NOW))
    return Slow(store, KeyApi({"key-1": "active"}))


def approved(slow: Slow, *, ago: timedelta) -> Slow:
    row = replace(intent(), mode="approve", by="ops@example.com", approved_at=NOW - ago)
    slow.store.remember(Judgement(organization=ORG, actions=(row,), at=NOW))
    return slow


def test_no_two_steps_have_the_same_time_where_minutes_passed_between_them(slow: Slow) -> None:
    row = slow.carry_out()
    assert row.state is ActionState.CONFIRMED
    assert row.before is not None
    assert row.after is not None
    steps = [row.intent_at, row.before.at, row.sent_at, row.after.at, row.confirmed_at, row.updated_at]
    four, twelve = NOW + 4 * MINUTE, NOW + 12 * MINUTE
    assert steps == [NOW, four, four, twelve, twelve, twelve]


def test_an_intent_that_grows_too_old_while_the_key_is_looked_at_is_not_sent(slow: Slow) -> None:
    slow.each = 15 * MINUTE
    row = slow.carry_out()
    assert (row.state, row.sent_at) == (ActionState.ABANDONED, None)
    assert row.reason == "It was not carried out within 15 minutes, so it is not."
    assert slow.api.writes == []


def test_an_approval_that_runs_out_while_the_key_is_looked_at_is_not_carried_out(slow: Slow) -> None:
    row = approved(slow, ago=26 * MINUTE).carry_out()
    assert (row.state, row.reason) == (ActionState.EXPIRED, "It was approved, and not sent within 30 minutes of that.")
    assert slow.api.asked == [("GET", "key-1")]


def test_an_approval_that_has_run_out_before_the_look_is_not_carried_out(slow: Slow) -> None:
    row = approved(slow, ago=30 * MINUTE).carry_out()
    assert row.state is ActionState.EXPIRED
    assert slow.api.asked == []


def test_an_approval_that_still_holds_after_the_look_is_carried_out(slow: Slow) -> None:
    row = approved(slow, ago=26 * MINUTE - timedelta(seconds=1)).carry_out()
    assert row.state is ActionState.CONFIRMED
    assert slow.api.writes == [("key-1", "inactive")]


def test_what_was_sent_in_time_is_read_back_however_old_its_approval_is_by_then(slow: Slow) -> None:
    approved(slow, ago=20 * MINUTE)
    slow.api.faults = [None, "lost after", "unavailable"]
    assert slow.carry_out().state is ActionState.SENT
    assert slow.carry_out().state is ActionState.CONFIRMED
    assert slow.api.writes == [("key-1", "inactive")]
