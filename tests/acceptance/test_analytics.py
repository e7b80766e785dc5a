"""The analytics reports with all their traps, beside the other reports and, for a key that reads no other, alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from rules.model import DEFAULT_WORKSPACE, SourceState
from tests.acceptance.conftest import Start
from tests.acceptance.running import DAY, HOUR, KEY_SPEND, MINUTE, Asked, Watcher, at, monthly
from watcher.secret import Secret
from watcher.simulator import World
from watcher.simulator.billing import Billing

NOON = at("2026-11-17 12:00")
COST = "/v1/organizations/analytics/cost"
USAGE = "/v1/organizations/analytics/usage"
ANALYTICS_KEY = Secret("sk-ant-analytics01-acceptance")
BESIDE = Asked(anomalies=(), backfill=3 * DAY)
ALONE = Asked(anomalies=(), backfill=3 * DAY, key=ANALYTICS_KEY)
DOLLAR = 1_000_000_000


def small(*, analytics: bool = True, **more: object) -> World:
    return World(**({"started_at": NOON, "keys": 6, "workspaces": 2, "days": 16, "analytics": analytics} | more))


def asked_for(watcher: Watcher) -> Counter[str]:
    return Counter(request.path for request in watcher.simulator.requests)


def bill(watcher: Watcher, day: datetime) -> int:
    """The final bill of a UTC day, in nano-dollars."""
    return round(sum(Billing(watcher.world).final(round(day.timestamp()) // 86_400).values()) / 1_000_000)


def fault(watcher: Watcher, text: str) -> None:
    file = watcher.database.with_name("faults.toml")
    file.write_text(f"[[fault]]\n{text}\n", encoding="utf-8")
    watcher.world.set_faults(file)


def source(watcher: Watcher, name: str) -> SourceState:
    return next(state for state in watcher.last.sources if state.source == name)


# ---------------------------------------------------------------------------------------------- there or not


@pytest.mark.parametrize("world", [{"analytics": False}, {"faults": "forbidden-analytics"}], ids=["404", "403"])
def test_an_organization_without_analytics_loses_nothing_is_asked_daily_and_has_a_note(
    start: Start, world: dict[str, object]
) -> None:
    watcher = start(small(**world), BESIDE)
    watcher.cycle()
    assert not watcher.run(NOON + 23 * HOUR, 2 * HOUR)
    assert (asked_for(watcher)[COST], asked_for(watcher)[USAGE]) == (1, 0)
    assert watcher.last.whole
    status = watcher.status
    assert status.problems == ()
    (note,) = [note for note in status.notes if "analytics" in note]
    assert note.startswith("Source analytics_cost is not offered to this key: spend is settled by the day")
    watcher.run(NOON + 24 * HOUR)
    assert asked_for(watcher)[COST] == 2


def test_analytics_that_are_taken_away_are_told_and_their_return_too(start: Start) -> None:
    watcher = start(small(), BESIDE)
    watcher.cycle()
    told_before = watcher.store.analytics.span(organization(watcher))
    fault(watcher, f'kind = "403"\npath = "/v1/organizations/analytics/*"\nfor = "{16 * 24 + 6}h"')
    (message,) = watcher.run(NOON + 3 * HOUR, 30 * MINUTE)
    (alert,) = message.alerts
    assert (alert.subject.rule, alert.subject.instance) == ("source gone", "analytics_cost")
    assert "hourly cost of analytics is no longer offered" in alert.summary
    assert watcher.store.analytics.span(organization(watcher)) == told_before
    watcher.world.set_faults(None)
    (message,) = watcher.run(NOON + 5 * HOUR, 30 * MINUTE)
    assert message.reason == "resolved"
    assert source(watcher, "analytics_cost").watermark > NOON


def organization(watcher: Watcher) -> str:
    return watcher.store.organizations.id_of("") or ""


# ---------------------------------------------------------------------------------------------- what is asked


def test_what_is_asked_for_stays_within_five_dimensions_and_sixty_requests_a_minute(start: Start) -> None:
    watcher = start(small(), replace(ALONE, paced=True))
    for _ in range(18):
        watcher.cycle()
        watcher.store.analytics.ask_again(organization(watcher))
    requests = [request for request in watcher.simulator.requests if request.path in {COST, USAGE}]
    assert len(requests) > 60
    assert watcher.now > NOON, "it had to wait"
    assert watcher.metric("watcher_api_request_failures_total", reason="rate_limited") == 0
    for request in requests:
        dimensions = {value for name, value in parse_qsl(request.query) if name == "group_by[]"}
        assert len(dimensions - {"cost_type", "token_type"}) == 5


# ---------------------------------------------------------------------------------------------- what they tell


def test_the_default_workspace_is_one_and_the_same_in_every_figure(start: Start) -> None:
    watcher = start(small(), BESIDE)
    watcher.cycle()
    ident = watcher.world.organization.default_workspace.id
    analytics = watcher.store.analytics.read(organization(watcher), NOON - 9 * DAY, NOON)
    usage = watcher.store.usage.read(organization(watcher), NOON - 9 * DAY, NOON)
    told = {analytics.keys[which].workspace for which in analytics.series}
    assert DEFAULT_WORKSPACE in told
    assert told == {usage.keys[which].workspace for which in usage.series}
    shown = watcher.spend(NOON - 3 * DAY, NOON, by=("workspace",))
    assert ident not in {row.of("workspace") for row in shown.rows} | {
        spent.id for spent in watcher.last.overview.spent
    }


def test_hours_are_settled_within_days_restated_and_add_up_to_the_bill(start: Start) -> None:
    watcher = start(small(), BESIDE)
    watcher.cycle()
    watcher.run(NOON + 40 * HOUR, 4 * HOUR)
    midnight = at("2026-11-18 00:00")
    restated = watcher.store.analytics.revisions(organization(watcher), NOON)
    assert [each for each in restated if each.bucket >= NOON and each.after > each.before], "first some were too low"
    observed = watcher.store.analytics.observed(organization(watcher), midnight - DAY, midnight)
    assert len(observed) == 24
    columns = watcher.store.analytics.read(organization(watcher), midnight - DAY, midnight)
    kinds = ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_searches", "other")
    told = sum(int(getattr(columns, kind).sum()) for kind in kinds)
    assert abs(told - bill(watcher, midnight - DAY)) < DOLLAR // 1000


def test_an_hour_without_use_is_not_known_to_be_free_until_a_day_after_its_end(start: Start) -> None:
    watcher = start(small(keys=1, workspaces=1, scenario="silence"), ALONE)
    watcher.cycle()
    watcher.run(NOON + 20 * HOUR, 4 * HOUR)
    told = watcher.store.usage.observed(organization(watcher), NOON, NOON + 20 * HOUR)
    assert all(state.tokens for state in told.values())
    assert watcher.last.overview.complete_until < NOON + 16 * HOUR


# ---------------------------------------------------------------------------------------------- alone


def test_a_key_that_may_read_analytics_alone_runs_budgets_to_the_bill(start: Start) -> None:
    watcher = start(small(days=9), replace(ALONE, budgets=(monthly(200, 100.0),), backfill=9 * DAY))
    (message,) = watcher.cycle()
    assert 'Budget "organization" passed 100 % of $200.00' in message.alerts[0].summary
    assert timedelta(hours=4) <= NOON - watcher.last.overview.complete_until <= timedelta(hours=9)
    begun = len(watcher.simulator.requests)
    assert not watcher.run(NOON + 21 * HOUR, 3 * HOUR)
    later = Counter(request.path for request in watcher.simulator.requests[begun:])
    assert set(later) == {COST, USAGE}, "what the key may not read is asked for at the start, and once a day"
    watcher.run(NOON + 3 * DAY, 6 * HOUR)
    assert max(asked_for(watcher)[path] for path in asked_for(watcher) if path not in {COST, USAGE}) <= 5
    day = at("2026-11-17 00:00")
    report = watcher.spend(day, day + DAY, by=("api_key",))
    assert report.total.cost == report.total.settled
    assert abs(report.total.settled - bill(watcher, day)) < DOLLAR // 1000
    for row in report.rows:
        key = row.of("api_key")
        if key in watcher.world.organization.keys:
            truth = watcher.world.true_cost_nano(day, day + DAY, api_key_id=key)
            assert abs(row.cost - truth) < DOLLAR // 1000
    status = watcher.status
    assert watcher.last.whole
    assert status.problems == ()
    assert any("usage comes from analytics" in note for note in status.notes)
    assert any("hours are settled by the hourly cost of analytics" in note for note in status.notes)


@pytest.mark.slow
def test_analytics_that_are_a_day_behind_are_no_stall_and_end_nothing(start: Start, tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text('[[incident]]\nkind = "runaway"\nafter = "-8h"\nfor = "60h"\n', encoding="utf-8")
    asked = Asked(budgets=(monthly(1220),), anomalies=(KEY_SPEND,), backfill=16 * DAY, key=ANALYTICS_KEY)
    watcher = start(small(keys=8, scenario=scenario), asked)
    watcher.cycle()
    (anomaly,) = watcher.firing("anomaly")
    fault(watcher, 'kind = "late-analytics"')
    watcher.run(NOON + 30 * HOUR, 3 * HOUR)
    assert not [alert for alert in watcher.alerts if alert.subject.kind == "source"]
    assert anomaly.id in {alert.id for alert in watcher.firing("anomaly")}
    assert NOON - HOUR < source(watcher, "analytics_usage").watermark < NOON + 12 * HOUR
