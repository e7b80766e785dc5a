"""An intent beside other rows about the same key, and beside somebody else who changes its row meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.actions import Action, ActionState, Cause
from tests.rules.offending import MINUTE, NOW
from tests.shutoff.api import KeyApi
from tests.shutoff.test_execution import ORG, intent, quiet
from watcher.shutoff import Shutoff
from watcher.store import Judgement, Store


@pytest.fixture
def api(store: Store) -> KeyApi:
    remember(store, intent())
    return KeyApi({"key-1": "active"})


def remember(store: Store, *rows: Action) -> None:
    store.remember(Judgement(organization=ORG, actions=rows, at=NOW))


def done(row: Action, ident: str, minutes: int) -> Action:
    """A row of another cause that was carried out so many minutes before the intent."""
    at = NOW - minutes * MINUTE
    cause = Cause("budget", "another", row.cause.scope, ident)
    return replace(
        row,
        id=ident,
        cause=cause,
        state=ActionState.CONFIRMED,
        created_at=at,
        intent_at=at,
        sent_at=at,
        confirmed_at=at,
    )


def carry_out(store: Store, api: KeyApi) -> Action:
    (row,) = Shutoff(store, ORG, *api.hands, quiet()).carry_out()
    return row


def test_a_stop_from_before_the_intent_was_the_guard_s_to_judge(store: Store, api: KeyApi) -> None:
    remember(store, replace(intent(), created_at=NOW - 10 * MINUTE), done(intent(), "other", 5))
    assert carry_out(store, api).state is ActionState.CONFIRMED


def test_a_stop_at_the_moment_of_the_intent_counts_as_since_then(store: Store, api: KeyApi) -> None:
    remember(store, done(intent(), "other", 0))
    assert carry_out(store, api).state is ActionState.REFUSED


def test_a_key_that_this_program_turned_on_since_the_intent_was_turned_on_by_nobody_else(
    store: Store, api: KeyApi
) -> None:
    remember(store, done(replace(intent(), what="reactivate"), "other", 0))
    assert carry_out(store, api).state is ActionState.CONFIRMED


def test_what_somebody_else_made_of_the_row_meanwhile_stands_and_is_what_is_told(store: Store, api: KeyApi) -> None:
    denied = replace(intent(), state=ActionState.REFUSED, reason="ann said no.")
    api.on_request = lambda: remember(store, denied)
    row = carry_out(store, api)
    assert (row.state, row.reason) == (ActionState.REFUSED, "ann said no.")
    assert api.writes == []
