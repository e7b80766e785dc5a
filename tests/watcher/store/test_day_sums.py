"""Sums of whole days: kept whole or not at all, and given back only to whoever knows what they were made from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

from rules.model import Leaf
from watcher.kept_days import FIGURES, DaySum, Head
from watcher.store import Store, tables

ORG = "org_1"
FIRST = date(2026, 11, 1)
DAY = timedelta(days=1)
A, B = Leaf("w1", "key_a", "opus", "standard"), Leaf("w1", "(unattributed)", "", "(unknown)")
HEAD = Head(b"\x00made of\xff", b"", '[["opus", 0, 1, 2, 0]]', "opus\nhaiku")


def day_sum(number: int, *leaves: Leaf, head: Head = HEAD) -> DaySum:
    figures = np.arange(len(leaves) * FIGURES, dtype=np.int64).reshape(-1, FIGURES) - 5 + number * 10**15
    return DaySum(FIRST + number * DAY, head, leaves, figures)


def figures_of(store: Store, wanted: dict[date, Head], organization: str = ORG) -> dict[date, dict[Leaf, list[int]]]:
    found = store.day_sums.read(organization, wanted)
    return {
        day: {found.leaves[leaf]: row.tolist() for leaf, row in zip(leaves.tolist(), figures, strict=True)}
        for day, (leaves, figures) in found.days.items()
    }


def kept(store: Store, organization: str = ORG) -> dict[date, Head]:
    return store.day_sums.look(organization, FIRST - DAY, FIRST + 9 * DAY)[1]


def test_what_was_kept_comes_back_to_the_nano_dollar(store: Store) -> None:
    days = [day_sum(0, A, B), day_sum(1, B), day_sum(2)]
    store.day_sums.replace(ORG, days)
    assert kept(store) == {each.day: HEAD for each in days}
    assert figures_of(store, kept(store)) == {
        each.day: dict(zip(each.leaves, each.figures.tolist(), strict=True)) for each in days
    }


def test_a_day_is_given_to_nobody_who_expects_it_to_be_made_from_something_else(store: Store) -> None:
    store.day_sums.replace(ORG, [day_sum(0, A), day_sum(1, A)])
    others = {FIRST: HEAD._replace(made_from=b"other"), FIRST + DAY: HEAD._replace(prices=b"other")}
    assert figures_of(store, others) == {}
    assert figures_of(store, {}) == {}


def test_a_day_that_is_kept_anew_replaces_what_was_kept_of_it_and_no_other(store: Store) -> None:
    store.day_sums.replace(ORG, [day_sum(0, A, B), day_sum(1, A)])
    newer = HEAD._replace(prices=b"\x01", lesson=None)
    store.day_sums.replace(ORG, [day_sum(0, B, head=newer)])
    assert kept(store) == {FIRST: newer, FIRST + DAY: HEAD}
    assert {day: set(leaves) for day, leaves in figures_of(store, kept(store)).items()} == {
        FIRST: {B},
        FIRST + DAY: {A},
    }


def test_organizations_keep_their_days_and_leaves_apart(store: Store) -> None:
    store.day_sums.replace(ORG, [day_sum(0, A)])
    store.day_sums.replace("org_2", [day_sum(0, B)])
    assert set(figures_of(store, kept(store))[FIRST]) == {A}
    assert set(figures_of(store, kept(store, "org_2"), "org_2")[FIRST]) == {B}


def test_leaves_that_no_kept_day_has_any_more_go_with_the_day(store: Store) -> None:
    store.day_sums.replace(ORG, [day_sum(0, A), day_sum(3, B)])
    store.prune(datetime(2026, 11, 2, tzinfo=UTC))
    with store.database.reading() as connection:
        assert [row.api_key for row in connection.execute(tables.leaves.select())] == [B.api_key]
    assert set(kept(store)) == {FIRST + 3 * DAY}
