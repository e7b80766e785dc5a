"""Every fault of the simulator: the daemon lives, nothing resolves because of it, it is seen, and it passes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from rules.model import Notification, State
from tests.acceptance.conftest import Start
from tests.acceptance.nearby import Neighbour
from tests.acceptance.running import (
    DAY,
    HOUR,
    KEY_SPEND,
    MINUTE,
    Asked,
    HandClock,
    Watcher,
    at,
    incident_file,
    monthly,
)
from watcher.simulator import World
from watcher.simulator.faults import ANSWER_KINDS, PRESETS

NOON = at("2026-11-17 12:00")
"""When the faults begin, which is the start of the simulation as they count it."""
BEFORE = 6 * HOUR
FAULTY = 7 * HOUR
"""Longer than the longest preset lasts by itself."""
ASKED = Asked(budgets=(monthly(1220),), anomalies=(KEY_SPEND,), backfill=16 * DAY)


@dataclass(frozen=True)
class Sign:
    """How a fault can be seen: a metric that is above zero, and a sentence in `status` in which this pattern is found,
    None where all was read in spite of it and there is nothing to say."""

    metric: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    status: str | None = None
    step: timedelta = HOUR
    lasting: timedelta = 3 * HOUR


def refused(reason: str, status: str | None = None) -> Sign:
    return Sign("watcher_api_request_failures_total", (("reason", reason),), status)


USAGE_FAILS = r"Source usage fails|sources fail \(.*\busage\b.*\)"
"""Alone or with others that fail for the same reason."""
STALLED = "watcher_source_stalled_since_timestamp_seconds"
FAILING = "watcher_source_failing_since_timestamp_seconds"
SIGNS = {
    "none": Sign(),
    "rate-limit": refused("rate_limited"),
    "rate-limit-silent": refused("rate_limited"),
    "server-errors": refused("server_error"),
    "gateway-timeouts": refused("server_error"),
    "overloaded": refused("server_error"),
    "timeouts": refused("timeout"),
    "resets": refused("connection"),
    "half-bodies": refused("connection"),
    "html": refused("server_error"),
    "stale-cursors": Sign(),  # seen only where an answer has several pages: see the first start at the end
    "stray-cursors": Sign(),  # harmless by the documented rule that has_more decides
    "lost-cursors": refused("refused"),
    "forbidden-cost": Sign(FAILING, (("source", "cost"),), "Source cost fails"),
    "forbidden-analytics": Sign(),  # this organization has none of them: see test_analytics
    "late-analytics": Sign(),
    "outage": replace(refused("server_error", USAGE_FAILS), step=30 * MINUTE, lasting=4 * HOUR),
    "stall": Sign(STALLED, (("source", "usage"),), "Source usage is suspect", 30 * MINUTE, FAULTY),
    "half-cost-day": Sign(),  # the day loses its standing as settled: see test_partial_data
    "late-rows": Sign(),  # the watermark stays behind: see test_partial_data
    "shrinking-hour": Sign("watcher_usage_shrinkings_total", step=5 * MINUTE, lasting=HOUR),
    "empty-cost-bucket": Sign(STALLED, (("source", "cost"),), "Source cost is suspect"),
    "flaky": refused("rate_limited"),
}


TWINS = {"none", "gateway-timeouts", "overloaded", "resets", "stale-cursors", "stray-cursors", "forbidden-analytics",
         "late-analytics", "half-cost-day", "late-rows", "timeouts", "flaky", "rate-limit-silent", "server-errors",
         "lost-cursors", "stall", "shrinking-hour", "504", "529", "html", "reset"}  # fmt: skip
"""What is like another one here, or has scripts of its own elsewhere: part of the long form."""


def each_of(faults: Iterable[str]) -> list[ParameterSet]:
    return [pytest.param(fault, marks=[pytest.mark.slow] if fault in TWINS else []) for fault in faults]


def world(directory: Path, max_report_rows: int = 60_000) -> World:
    """A small organization in which a key runs away four hours before noon, and goes on for a day."""
    scenario = incident_file(directory, "runaway after=-4h for=28h")
    return World(started_at=NOON, keys=8, workspaces=2, days=16, scenario=scenario, max_report_rows=max_report_rows)


@dataclass(frozen=True)
class Prepared:
    """A database in which the runaway fires and a budget was crossed, and what came of it without any fault."""

    database: Path
    usage: dict[datetime, int]
    spend: dict[tuple[str | None, ...], int]

    def copy_to(self, directory: Path) -> Path:
        return Path(shutil.copy(self.database, directory / "watcher.db"))


def usage_by_hour(watcher: Watcher, until: datetime) -> dict[datetime, int]:
    organization = watcher.store.organizations.id_of("") or ""
    hours = watcher.store.usage.observed(organization, NOON - DAY, until)
    return {hour: state.tokens for hour, state in hours.items()}


def settled_spend(watcher: Watcher) -> dict[tuple[str | None, ...], int]:
    """Spend of November by key and model until the end of the faulty day, read when that day has settled."""
    watcher.clock.moment = NOON + 4 * DAY
    watcher.cycle()
    report = watcher.spend(at("2026-11-01 00:00"), at("2026-11-18 00:00"), ("workspace", "api_key", "model"))
    assert report.total.cost == report.total.settled
    return {(row.of("workspace"), row.of("api_key"), row.of("model")): row.cost for row in report.rows}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Six hours of the runaway's day, once for all tests; then the rest of it without a fault."""
    directory = tmp_path_factory.mktemp("prepared")
    clock = HandClock(NOON - BEFORE)
    organization = world(directory)
    with Neighbour(organization, clock.now) as simulator:
        watcher = Watcher(organization, simulator, clock, directory / "watcher.db", ASKED)
        watcher.cycle()
        watcher.run(until=NOON)
        assert [alert.subject.scope.api_key for alert in watcher.firing("anomaly")] == [runaway(watcher)]
        assert watcher.firing("budget")
        watcher.store.backup(directory / "prepared.db")
        watcher.run(until=NOON + FAULTY + 2 * HOUR)
        usage = usage_by_hour(watcher, watcher.now)
        spend = settled_spend(watcher)
        watcher.close()
    return Prepared(directory / "prepared.db", usage, spend)


def runaway(watcher: Watcher) -> str | None:
    return watcher.world.incidents[0].api_key_id


def resolved(watcher: Watcher, kinds: set[str]) -> list[str]:
    """Why alerts of these kinds resolved, in this process."""
    known = {alert.id: alert for alert in watcher.store.alerts.list()}
    return [
        row.why
        for row in watcher.transitions
        if row.after is State.RESOLVED and known[row.alert_id].subject.kind in kinds
    ]


def shows(watcher: Watcher, sign: Sign) -> tuple[bool, bool]:
    """Whether metric and status show the fault at this moment."""
    metric = sign.metric is None or watcher.metric(sign.metric, **dict(sign.labels)) > 0
    return metric, sign.status is None or any(re.search(sign.status, problem) for problem in watcher.status.problems)


def about_spend(messages: list[Notification]) -> list[str]:
    """The summaries of those messages that are about money and not about the data."""
    return [alert.summary for message in messages for alert in message.alerts if alert.subject.kind != "source"]


def recover(watcher: Watcher) -> None:
    """No more faults; a client that was in a hurry begins anew with as much patience as every other."""
    watcher.world.set_faults(None)
    if watcher.asked != ASKED:
        watcher.asked = ASKED
        watcher.restart()


def test_every_preset_has_a_sign() -> None:
    assert SIGNS.keys() == PRESETS.keys()


@pytest.mark.parametrize("preset", each_of(PRESETS))
def test_a_fault_resolves_nothing_is_seen_and_passes(
    start: Start, prepared: Prepared, tmp_path: Path, preset: str
) -> None:
    sign = SIGNS[preset]
    asked = replace(ASKED, timeout_seconds=0.3) if preset == "timeouts" else ASKED
    watcher = start(world(tmp_path), asked, now=NOON, database=prepared.copy_to(tmp_path))
    firing = {alert.id for alert in watcher.firing("anomaly") + watcher.firing("budget")}
    watcher.world.set_faults(preset)
    seen_in_metrics = seen_in_status = False
    heard: list[Notification] = []
    while watcher.now < NOON + sign.lasting:
        heard += watcher.run(until=watcher.now + sign.step, every=sign.step)
        metric, status = shows(watcher, sign)
        seen_in_metrics, seen_in_status = seen_in_metrics or metric, seen_in_status or status
        assert firing <= {alert.id for alert in watcher.alerts}
        assert watcher.last.overview.at == watcher.now, "the cycle came to its end"
    assert seen_in_metrics, sign
    assert seen_in_status, sign

    recover(watcher)
    heard += watcher.run(until=watcher.now + HOUR, every=30 * MINUTE)
    watcher.clock.moment = NOON + FAULTY + 2 * HOUR
    heard += watcher.cycle()
    assert not watcher.status.problems, "it has recovered by itself"
    assert watcher.last.whole
    assert not watcher.firing("source")
    assert firing <= {alert.id for alert in watcher.alerts}
    assert not resolved(watcher, {"anomaly", "budget"})
    assert not about_spend(heard), "nothing new was said about money"
    assert usage_by_hour(watcher, watcher.now) == prepared.usage
    assert settled_spend(watcher) == prepared.spend


@pytest.mark.parametrize("kind", each_of(kind for kind in ANSWER_KINDS if kind != "lost-cursor"))
def test_an_api_that_answers_nothing_else_for_hours_is_told_once_and_taken_up_again(
    start: Start, prepared: Prepared, tmp_path: Path, kind: str
) -> None:
    asked = replace(ASKED, timeout_seconds=0.1, budget_seconds=0.15) if kind == "timeout" else ASKED
    watcher = start(world(tmp_path), asked, now=NOON, database=prepared.copy_to(tmp_path))
    firing = {alert.id for alert in watcher.firing("anomaly") + watcher.firing("budget")}
    file = tmp_path / "faults.toml"
    file.write_text(f'[[fault]]\nkind = "{kind}"\npath = "*"\n', encoding="utf-8")
    watcher.world.set_faults(file)
    heard = watcher.run(until=NOON + HOUR, every=30 * MINUTE)
    assert watcher.metric("watcher_api_request_failures_total") > 0
    assert any(re.search(USAGE_FAILS, problem) for problem in watcher.status.problems)
    assert watcher.metric(FAILING, source="usage") == (NOON + 30 * MINUTE).timestamp()
    assert watcher.metric("watcher_source_last_success_timestamp_seconds", source="usage") == NOON.timestamp()
    assert firing <= {alert.id for alert in watcher.alerts}
    assert len(heard) == 1, "one story, one message"

    recover(watcher)
    over = watcher.run(until=NOON + 2 * HOUR, every=30 * MINUTE)
    assert [message.reason for message in over] == ["resolved"]
    assert not watcher.status.problems
    assert not resolved(watcher, {"anomaly", "budget"})
    watcher.clock.moment = NOON + FAULTY + 2 * HOUR
    assert not watcher.cycle()
    assert usage_by_hour(watcher, watcher.now) == prepared.usage


@pytest.mark.parametrize(
    "preset",
    [
        "none",
        "lost-cursors",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("stale-cursors", "stray-cursors", "flaky")),
    ],
)
def test_a_first_start_whose_many_pages_lead_astray_ends_with_the_same_figures(
    start: Start, prepared: Prepared, tmp_path: Path, preset: str
) -> None:
    watcher = start(world(tmp_path, max_report_rows=200), ASKED, now=NOON)  # a day of hours takes several pages
    watcher.world.set_faults(preset)
    watcher.cycle()
    watcher.run(until=NOON + 15 * MINUTE, every=5 * MINUTE)
    astray = watcher.metric("watcher_api_request_failures_total") + watcher.metric("watcher_poll_failures_total")
    absent = sum("limits" in request.path or "/analytics/" in request.path for request in watcher.simulator.requests)
    refusals = 2 + absent  # what it takes to find out how much may be asked for at once, and what is not offered
    # Pages that lead back to themselves are no failure of a poll any more: it reads the day again, in halves.
    assert (astray > refusals) == (preset in {"lost-cursors", "flaky"})
    watcher.world.set_faults(None)
    watcher.run(until=NOON + HOUR, every=45 * MINUTE)
    assert not watcher.status.problems
    watcher.clock.moment = NOON + FAULTY + 2 * HOUR
    watcher.cycle()
    assert usage_by_hour(watcher, watcher.now) == prepared.usage
    assert settled_spend(watcher) == prepared.spend
