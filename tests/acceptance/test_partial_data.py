"""Data that lack a part, come late or are read again: nothing resolves or falls because of it, and all ends right."""

from __future__ import annotations

import shutil
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import httpx
import pytest

from rules.model import DEFAULT_WORKSPACE, UNATTRIBUTED, SourceEvidence, State
from tests.acceptance.conftest import Start
from tests.acceptance.nearby import Neighbour
from tests.acceptance.running import (
    DAY,
    HOUR,
    KEY,
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

NOON = at("2026-11-17 12:00")
MONTH = at("2026-11-01 00:00")
ALMOST = 0.9995
"""What an estimate may lose when another day settles and the prices that are paid become better known."""
ASKED = Asked(budgets=(monthly(1220),), anomalies=(KEY_SPEND,), backfill=16 * DAY)


def world(directory: Path, began: datetime = NOON) -> World:
    """A key runs away four hours before `began`, from which faults count."""
    scenario = incident_file(directory, "runaway after=-4h for=28h")
    return World(started_at=began, keys=8, workspaces=2, days=16, scenario=scenario)


def until_noon(watcher: Watcher) -> Watcher:
    """Three hours up to noon, when the runaway fires and a budget was crossed."""
    watcher.cycle()
    watcher.run(until=NOON)
    return at_work(watcher)


def at_work(watcher: Watcher) -> Watcher:
    assert len(watcher.firing("anomaly")) == 1
    assert watcher.firing("budget")
    return watcher


@pytest.fixture(scope="module")
def at_noon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of noon: made once, to be copied."""
    directory = tmp_path_factory.mktemp("noon")
    clock = HandClock(NOON - 3 * HOUR)
    organization = world(directory)
    with Neighbour(organization, clock.now) as simulator:
        watcher = until_noon(Watcher(organization, simulator, clock, directory / "watcher.db", ASKED))
        watcher.store.backup(directory / "noon.db")
        watcher.close()
    return directory / "noon.db"


@pytest.fixture
def busy(start: Start, at_noon: Path, tmp_path: Path) -> Watcher:
    """A daemon that is started anew at noon."""
    database = shutil.copy(at_noon, tmp_path / "busy.db")
    return at_work(start(world(tmp_path), ASKED, now=NOON, database=database))


def fault(watcher: Watcher, text: str) -> None:
    """Let one fault strike from now on, written as in a fault file."""
    file = watcher.database.with_name("faults.toml")
    file.write_text(f"[[fault]]\n{text}\n", encoding="utf-8")
    watcher.world.set_faults(file)


def total(watcher: Watcher) -> int:
    return watcher.spend(MONTH, watcher.now + HOUR).total.cost


def never_falls(watcher: Watcher, until: datetime, every: timedelta) -> list[str]:
    """Run on, while no figure of this month falls and nothing about money ends; what was told, as summaries."""
    before = total(watcher)
    known = {alert.id for alert in watcher.alerts if alert.subject.kind != "source"}
    told: list[str] = []
    while watcher.now < until:
        told += [alert.summary for sent in watcher.run(watcher.now + every, every) for alert in sent.alerts]
        now = total(watcher)
        assert now > ALMOST * before
        before = now
        assert known <= {alert.id for alert in watcher.alerts if alert.state is State.FIRING}
    return told


def truth(watcher: Watcher, until: datetime = NOON) -> list[tuple[object, ...]]:
    """Usage of the two days before `until`, row by row, as the database has it."""
    assert watcher.last.overview.complete_until >= until
    organization = watcher.store.organizations.id_of("") or ""
    usage = watcher.store.usage.read(organization, until - 2 * DAY, until)
    figures = zip(
        usage.hour.tolist(),
        usage.series.tolist(),
        usage.uncached_input.tolist(),
        usage.cache_read.tolist(),
        usage.cache_write_5m.tolist(),
        usage.cache_write_1h.tolist(),
        usage.output.tolist(),
        usage.web_searches.tolist(),
        strict=True,
    )
    return sorted((hour, str(usage.keys[place]), *counts) for hour, place, *counts in figures)


def test_a_stalled_api_is_told_as_a_stall_and_lowers_nothing(busy: Watcher) -> None:
    fault(busy, 'kind = "stall"\nafter = "10m"')
    told = never_falls(busy, NOON + 5 * HOUR, 30 * MINUTE)
    assert len(told) == 1
    assert told[0].startswith("No usage data since 13:00 UTC")
    (alert,) = busy.firing("source")
    assert isinstance(alert.evidence, SourceEvidence)
    assert "no alert resolves because of it" in alert.evidence.consequence
    assert busy.last.overview.complete_until == NOON + HOUR, "behind the stall nothing counts as known"


def test_hours_that_were_read_and_come_back_empty_are_not_believed(start: Start, tmp_path: Path) -> None:
    busy = until_noon(start(world(tmp_path, began=NOON - 2 * HOUR), ASKED, now=NOON - 3 * HOUR))
    fault(busy, 'kind = "stall"')
    (told, *more) = never_falls(busy, NOON + 3 * HOUR, 30 * MINUTE)
    assert not more
    assert "comes back empty where it held figures before" in told
    assert busy.metric("watcher_source_stalled_since_timestamp_seconds", source="usage") > 0
    busy.world.set_faults(None)
    busy.run(NOON + 5 * HOUR, 30 * MINUTE)
    assert not busy.firing("source")
    assert not busy.status.problems


def test_an_open_hour_that_shrinks_is_counted_and_keeps_what_it_had(busy: Watcher) -> None:
    fault(busy, 'kind = "shrinking-hour"\nevery = 2')
    assert not never_falls(busy, NOON + 2 * HOUR, 5 * MINUTE)
    assert busy.metric("watcher_usage_shrinkings_total") > 5


@pytest.mark.parametrize("kind", ["half-cost-day", "empty-cost-bucket"])
def test_a_cost_day_that_is_not_whole_yet_does_not_settle_and_lowers_nothing(busy: Watcher, kind: str) -> None:
    monday = at("2026-11-16 00:00")
    fault(busy, f'kind = "{kind}"')
    before = busy.spend(monday, monday + DAY).total
    busy.clock.moment = monday + 2 * DAY + HOUR  # the bill of Monday comes out a day late
    busy.cycle()
    busy.run(monday + 2 * DAY + 9 * HOUR, 4 * HOUR)
    during = busy.spend(monday, monday + DAY).total
    assert during.cost > ALMOST * before.cost
    assert during.tokens == before.tokens
    assert during.settled == 0
    busy.world.set_faults(None)
    busy.run(monday + 3 * DAY + 12 * HOUR, 9 * HOUR)
    after = busy.spend(monday, monday + DAY).total
    assert after.settled == after.cost > 0


def test_a_cost_day_that_was_read_and_comes_back_empty_is_held_back_and_told(busy: Watcher) -> None:
    fault(busy, 'kind = "empty-cost-bucket"')
    (told, *more) = never_falls(busy, NOON + 3 * HOUR, HOUR)
    assert not more
    assert told.startswith("The cost report comes back empty where it held figures before")
    assert any("Source cost is suspect" in problem for problem in busy.status.problems)


def test_late_rows_keep_the_watermark_behind_and_end_right(busy: Watcher, start: Start) -> None:
    fault(busy, 'kind = "late-rows"')
    known = {alert.id for alert in busy.alerts}
    assert not busy.run(NOON + 6 * HOUR + 30 * MINUTE, 30 * MINUTE)
    assert {alert.id for alert in busy.alerts} == known
    lag = busy.now.timestamp() - busy.metric("watcher_data_watermark_timestamp_seconds", source="usage")
    assert lag >= 90 * 60, "an hour now counts as complete later than 30 minutes after its end"
    busy.world.set_faults(None)
    assert not busy.run(NOON + 8 * HOUR + 30 * MINUTE, HOUR)
    assert truth(busy, NOON + 5 * HOUR) == truth(fresh(busy, start), NOON + 5 * HOUR)


def fresh(watcher: Watcher, start: Start) -> Watcher:
    """Another watcher of the same world at the same moment, on a new database: it never saw an earlier version."""
    other = start(watcher.world, watcher.asked, now=watcher.now)
    other.cycle()
    return other


def test_rows_that_vanish_change_or_come_back_when_read_again_end_right(busy: Watcher, start: Start) -> None:
    (alert,) = busy.firing("anomaly")
    key = alert.subject.scope.api_key or ""
    busy.run(NOON + HOUR)
    rows = len(truth(busy))
    busy.world.set_key_status(key, "inactive", NOON - 150 * MINUTE)  # the past is rewritten: 09:30 changes, 10:00 goes
    busy.run(NOON + 2 * HOUR)
    without = truth(busy)
    assert without == truth(fresh(busy, start))
    assert len(without) < rows, "the key's rows of 10:00 and 11:00 are gone"
    busy.world.set_key_status(key, "active", NOON - 150 * MINUTE)
    busy.run(NOON + 4 * HOUR)
    assert truth(busy) == truth(fresh(busy, start))
    assert len(truth(busy)) == rows


@pytest.mark.parametrize("times", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_the_same_poll_over_and_over_changes_nothing_and_sends_nothing(busy: Watcher, times: int) -> None:
    busy.poll()
    alerts, spend = busy.alerts, busy.spend(MONTH, busy.now, ("api_key", "model"), "hour").rows
    for _ in range(times):
        assert not busy.poll()
        assert not busy.last.ingested.changed_hours
        assert not busy.last.ingested.changed_days
        assert not busy.last.decision.transitions
    assert busy.alerts == alerts
    assert busy.spend(MONTH, busy.now, ("api_key", "model"), "hour").rows == spend


def test_settled_days_of_all_keys_add_up_to_the_bill_to_the_nano_dollar(busy: Watcher) -> None:
    busy.clock.moment = NOON + DAY
    busy.cycle()
    bill = bill_by_day_and_workspace(busy, MONTH)
    report = busy.spend(MONTH, at("2026-11-15 00:00"), ("workspace", "api_key"), "day")
    shares: dict[tuple[date, str], int] = defaultdict(int)
    for row in report.rows:
        assert row.start is not None
        assert row.cost == row.settled + row.provisional + row.estimated
        shares[row.start.date(), row.of("workspace") or ""] += row.settled
    settled = {day for day, _ in shares}
    assert len(settled) == 14
    assert dict(shares) == {place: amount for place, amount in bill.items() if place[0] in settled}
    assert any(row.of("api_key") == UNATTRIBUTED for row in report.rows), "code execution has no key"


def bill_by_day_and_workspace(watcher: Watcher, start: datetime) -> dict[tuple[date, str], int]:
    """The cost report, asked over HTTP and added up as decimals, in nano-dollars; each line is rounded half to even."""
    sums: dict[tuple[date, str], int] = defaultdict(int)
    query: dict[str, str | list[str]] = {
        "starting_at": start.isoformat(),
        "group_by[]": ["workspace_id", "description"],
        "limit": "31",
    }
    headers = {"x-api-key": KEY.reveal(), "anthropic-version": "2023-06-01"}
    with httpx.Client(base_url=watcher.simulator.url, headers=headers, trust_env=False, verify=False) as client:
        while True:
            page = client.get("/v1/organizations/cost_report", params=query).raise_for_status().json()
            for bucket in page["data"]:
                day = datetime.fromisoformat(bucket["starting_at"]).date()
                for row in bucket["results"]:
                    nano = (Decimal(row["amount"]) * 10_000_000).quantize(Decimal(1), ROUND_HALF_EVEN)
                    sums[day, row["workspace_id"] or DEFAULT_WORKSPACE] += int(nano)
            if not page["has_more"]:
                break
            query["page"] = page["next_page"]
    return dict(sums)
