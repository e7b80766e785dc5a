import random
from dataclasses import replace
from datetime import date

from tests.watcher.store.samples import DAY, HOUR, ORG, T0, cost_day, cost_row
from watcher.store import CostDay, Store

FIRST = date(2026, 11, 2)
NOON = T0 + 12 * HOUR


def only(store: Store) -> CostDay:
    (day,) = store.costs.read(ORG, FIRST, FIRST + DAY)
    return day


def test_the_run_of_identical_readings_is_counted_and_a_restatement_begins_a_new_one(store: Store) -> None:
    rows = (cost_row(5), cost_row(7, None), cost_row(-2, "ws_2", description=None, model=None))
    assert store.costs.replace(ORG, [cost_day(0, *rows)], NOON) == {FIRST}
    assert store.costs.replace(ORG, [cost_day(0, *reversed(rows))], NOON + 13 * HOUR) == frozenset()
    day = only(store)
    assert (day.observed_at, day.unchanged_since, day.readings, day.amount) == (NOON + 13 * HOUR, NOON, 2, 10)
    assert sorted(row.amount for row in day.rows) == [-2, 5, 7]
    assert set(day.rows) == set(rows)
    assert store.costs.replace(ORG, [cost_day(0, *rows[:2])], NOON + DAY) == {FIRST}
    day = only(store)
    assert (day.unchanged_since, day.readings, day.revision, day.amount) == (NOON + DAY, 1, 1, 12)
    (revision,) = store.costs.revisions(ORG, NOON)
    assert (revision.bucket, revision.before, revision.after) == (FIRST, 10, 12)


def test_a_day_that_is_empty_is_known_and_one_never_read_is_not(store: Store) -> None:
    store.costs.replace(ORG, [cost_day(0), cost_day(2, cost_row(1))], NOON)
    assert [day.day for day in store.costs.read(ORG, FIRST, FIRST + 5 * DAY)] == [FIRST, FIRST + 2 * DAY]
    assert store.costs.span(ORG) == (FIRST, FIRST + 3 * DAY)
    assert store.costs.read("another", FIRST, FIRST + 5 * DAY) == ()


def test_amounts_come_back_to_the_nano_dollar(store: Store) -> None:
    amounts = [random.Random(3).randrange(-(2**55), 2**55) for _ in range(200)]
    rows = [cost_row(amount, description=f"line {number}") for number, amount in enumerate(amounts)]
    store.costs.replace(ORG, [cost_day(0, *rows)], NOON)
    assert sorted(row.amount for row in only(store).rows) == sorted(amounts)


def test_null_and_empty_dimensions_stay_apart(store: Store) -> None:
    rows = {cost_row(1), cost_row(1, None), cost_row(1, speed="fast"), replace(cost_row(1), description="")}
    store.costs.replace(ORG, [cost_day(0, *rows)], NOON)
    assert set(only(store).rows) == rows


def test_a_day_held_back_keeps_its_rows_and_when_they_were_last_believed(store: Store) -> None:
    store.costs.replace(ORG, [cost_day(0, cost_row(5))], NOON)
    store.costs.replace(ORG, [], NOON + HOUR, held_back=[FIRST])
    assert (only(store).amount, only(store).observed_at, only(store).readings) == (5, NOON, 1)
    (held,) = store.costs.held(ORG)
    assert (held.bucket, held.since) == (FIRST, NOON + HOUR)
    store.costs.replace(ORG, [cost_day(0, cost_row(6))], NOON + 2 * HOUR)
    assert store.costs.held(ORG) == ()


def test_claude_code_days_are_kept_whole(store: Store) -> None:
    from watcher.admin_api.answers import ClaudeCodeModel, ClaudeCodeRow  # noqa: PLC0415 (only this test)

    spent = ClaudeCodeModel("claude-m", 1, 2, 3, 4, 5_000_000)
    person = ClaudeCodeRow(FIRST, "a@example.com", "user", "api", None, "vscode", True, 1, 2, 3, 4, 5, (spent,))
    assert store.claude_code.replace(ORG, FIRST, [person], NOON)
    assert not store.claude_code.replace(ORG, FIRST, [person], NOON + HOUR)
    assert store.claude_code.read(ORG, FIRST, FIRST + DAY) == {FIRST: (person,)}
    assert store.claude_code.replace(ORG, FIRST, [], NOON + DAY)
    assert store.claude_code.read(ORG, FIRST, FIRST + DAY) == {FIRST: ()}
