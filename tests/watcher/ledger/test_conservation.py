"""Whatever was told in which order, no dollar is made, lost or counted twice."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.model import DEFAULT_WORKSPACE, UNATTRIBUTED, Leaf, SpendView
from tests.watcher.ledger.histories import (
    DAY,
    DAYS,
    HISTORIES,
    HOUR,
    LAST_POLLS,
    LAST_STEP,
    NOW,
    ORG,
    PHASES,
    PRIORITY_KEY,
    SHARES,
    T0,
    Step,
    Watching,
    World,
    a_world,
)
from watcher.ledger import Ledger, spend_report
from watcher.pricing import PriceBook
from watcher.store import Store

DAYS_OF_WORLD = [T0 + number * DAY for number in range(DAYS)]
Cells = dict[tuple[Leaf, datetime], tuple[int, int]]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("conservation") / "empty.db"
    Store.open(f"sqlite:///{path}").close()
    return path


@contextmanager
def watching(template: Path) -> Iterator[Watching]:
    with tempfile.TemporaryDirectory() as folder, closing(Watching(Path(folder) / "w.db", template)) as watched:
        yield watched


def cells(view: SpendView) -> Cells:
    """Cost and settled part by leaf and hour, where there is any."""
    return {
        (view.leaves[row], view.start + column * HOUR): (int(view.cost[row, column]), int(view.settled[row, column]))
        for row, column in np.argwhere((view.cost != 0) | (view.settled != 0)).tolist()
    }


def is_final(end: datetime, observed_at: datetime, unchanged_since: datetime, now: datetime) -> bool:
    """The rule as docs/settlement.md states it."""
    late = observed_at - end > timedelta(hours=48)
    agreed = observed_at - max(unchanged_since, end) >= timedelta(hours=12)
    return now >= end and (late or agreed)


def sums(found: Cells, part: int, day: datetime, hours: set[int]) -> dict[tuple[str, str, str], int]:
    added: dict[tuple[str, str, str], int] = defaultdict(int)
    for (leaf, at), figures in found.items():
        if at.date() == day.date() and at.hour in hours:
            added[leaf.workspace, leaf.api_key, leaf.model] += figures[part]
    return {leaf: amount for leaf, amount in added.items() if amount}


def by_workspace(leaves: dict[tuple[str, str, str], int]) -> dict[str, int]:
    added: dict[str, int] = defaultdict(int)
    for (workspace, _, _), amount in leaves.items():
        added[workspace] += amount
    return {name: amount for name, amount in added.items() if amount}


def used_hours(store: Store, day: datetime) -> set[int]:
    """The hours with use that a report should hold."""
    columns = store.usage.read(ORG, day, day + DAY)
    priority = {index for index, key in enumerate(columns.keys) if key.service_tier == "priority"}
    which = zip(columns.series.tolist(), columns.hour.tolist(), strict=True)
    return {hour % 24 for series, hour in which if series not in priority}


def told(store: Store, day: datetime, hours: set[int]) -> dict[tuple[str, str, str], int]:
    """What analytics has of some hours, by leaf."""
    columns = store.analytics.read(ORG, day, day + DAY)
    added: dict[tuple[str, str, str], int] = defaultdict(int)
    amounts = sum(getattr(columns, kind) for kind in ("uncached_input", "output", "web_searches", "other"))
    rows = zip(columns.series.tolist(), columns.hour.tolist(), np.asarray(amounts).tolist(), strict=True)
    for series, hour, amount in rows:
        if hour % 24 in hours:
            key = columns.keys[series]
            added[key.workspace, key.api_key, key.model] += amount
    return {leaf: amount for leaf, amount in added.items() if amount}


def hold(store: Store, view: SpendView, now: datetime) -> None:
    """Every settled cell is what was told of it, and nothing of it is counted otherwise too."""
    found = cells(view)
    reports = {cost.day: cost for cost in store.costs.read(ORG, T0.date(), now.date() + DAY)}
    for day in DAYS_OF_WORLD:
        report, used = reports.get(day.date()), used_hours(store, day)
        every = set(range(24))
        settled, cost = sums(found, 1, day, every), sums(found, 0, day, every)
        charged = any(amount > 0 for amount in told(store, day, every).values())
        whole = report is not None and (bool(report.rows) or not (used or charged))
        if report and whole and is_final(day + DAY, report.observed_at, report.unchanged_since, now):
            bill: dict[str, int] = defaultdict(int)
            for row in report.rows:
                bill[row.workspace_id or DEFAULT_WORKSPACE] += row.amount
            assert by_workspace(settled) == {name: amount for name, amount in bill.items() if amount}
            beside = {leaf: cost.get(leaf, 0) - settled.get(leaf, 0) for leaf in cost.keys() | settled.keys()}
            assert {leaf[1] for leaf, amount in beside.items() if amount} <= {PRIORITY_KEY}
            continue
        hours = {
            at.hour
            for at, state in store.analytics.observed(ORG, day, day + DAY).items()
            if (state.row_count or at.hour not in used)
            and is_final(at + HOUR, state.observed_at, state.unchanged_since, now)
        }
        assert settled == sums(found, 1, day, hours) == told(store, day, hours)
        assert all(sums(found, 0, day, {hour}) for hour in used - hours)
        cost = sums(found, 0, day, hours)
        beside = {leaf for leaf in cost.keys() | settled.keys() if cost.get(leaf, 0) != settled.get(leaf, 0)}
        assert {leaf[1] for leaf in beside} <= {PRIORITY_KEY, UNATTRIBUTED}


def estimated_beside_settled(store: Store, now: datetime) -> set[str | None]:
    """The keys that the report of each hour counts in both ways."""
    report = spend_report(store, PriceBook(), ORG, ("workspace", "api_key", "model"), T0, T0 + DAYS * DAY, "hour", now)
    return {row.of("api_key") for row in report.rows if row.settled and row.estimated}


def final(watched: Watching, world: World) -> Cells:
    for at in LAST_POLLS:
        watched.take(LAST_STEP, world, at)
    hold(watched.store, watched.view, NOW)
    return cells(watched.view)


@given(st.integers(0, 2**32), SHARES, HISTORIES)
@settings(max_examples=3, deadline=None, phases=PHASES, print_blob=True)
def test_every_history_conserves_and_ends_where_its_last_readings_end(
    template: Path, seed: int, analytics: float, history: list[Step]
) -> None:
    conserves(template, seed, analytics, history)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@given(st.integers(0, 2**32), SHARES, HISTORIES)
@settings(max_examples=150, deadline=None, phases=PHASES, print_blob=True)
def test_every_one_of_many_histories_conserves(
    template: Path, seed: int, analytics: float, history: list[Step]
) -> None:
    conserves(template, seed, analytics, history)


def conserves(template: Path, seed: int, analytics: float, history: list[Step]) -> None:
    world = a_world(seed, analytics=analytics)
    with watching(template) as straight:
        expected = final(straight, world)
    with watching(template) as watched:
        for step in history:
            watched.take(step, world)
            hold(watched.store, watched.view, watched.now)
            assert estimated_beside_settled(watched.store, watched.now) <= {PRIORITY_KEY}
            assert cells(watched.view) == cells(Ledger(watched.store, PriceBook(), ORG).refresh(watched.now))
        assert final(watched, world) == expected
        report = spend_report(watched.store, PriceBook(), ORG, (), T0, NOW + HOUR, "total", NOW)
        assert report.total.cost == sum(cost for cost, _ in expected.values())
