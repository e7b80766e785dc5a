"""What Prometheus scrapes: every family, right values, bounded labels, harmless names."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from rules.actions import Action, ActionState, Cause
from rules.budgets import Line
from rules.forecast import Forecast
from rules.measures import Measure
from rules.model import (
    Alert,
    AnomalyEvidence,
    Scope,
    Severity,
    SourceState,
    State,
    Subject,
)
from watcher.actions.standing import ShutoffStanding
from watcher.drift_figures import Drifted, DriftFigures
from watcher.ingest import SOURCES
from watcher.metrics import Board, Metrics
from watcher.metrics.declared import METRICS
from watcher.metrics.tally import FAILURES
from watcher.overview import OTHER, Overview, Spent, UsedKind
from watcher.settings import MetricsSettings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
USD = 1_000_000_000
DOCUMENTED = (Path(__file__).parents[2] / "docs/metrics.md").read_text()
HOSTILE = '</script>"\\\n{}\u202e\x1b[31m' + "x" * 300


def spent(level: str, ident: str, month: int) -> Spent:
    return Spent(level, ident, f"name of {ident}", month // 10, month, month // 2, month // USD, 2 * month // USD)


def line(budget: str, key: str | None, dollars: int) -> Line:
    scope = Scope("org", api_key=key)
    start, end = NOW.replace(day=1, hour=0), datetime(2026, 12, 1, tzinfo=UTC)
    forecast = Forecast(2 * dollars * USD, dollars * USD, 3 * dollars * USD, (), 60.0, "enough")
    amounts = 100 * USD, dollars * USD, 0
    return Line(budget, scope, key or "", "November 2026", start, end, *amounts, forecast=forecast, burn=1.25)


def anomaly(key: str, dollars: int = 30, state: State = State.FIRING) -> Alert:
    evidence = AnomalyEvidence(
        since=NOW - timedelta(hours=2),
        observed=60 * USD,
        expected=2 * USD,
        per_hour=dollars * USD,
        normal_per_hour=1 * USD,
        upper_per_hour=5 * USD,
        score=9.0,
        history_hours=1440,
        points=(),
        data_as_of=NOW,
    )
    subject = Subject("key spend", "anomaly", Scope("org", api_key=key))
    return Alert(f"id-{key}", subject, Severity.WARNING, state, NOW, NOW, evidence, "a summary")


def decision(key: str, minutes: int = 0, state: ActionState = ActionState.CONFIRMED) -> Action:
    """One that came into its state so many minutes ago, and was proposed an hour before."""
    at = NOW - timedelta(minutes=minutes)
    cause, created = Cause("anomaly", "key spend", Scope("org", api_key=key), f"a{minutes}"), at - timedelta(hours=1)
    return Action(
        *(f"act{minutes}", "org", cause, "deactivate", key, f"name of {key}", "w", "W", state, "It burns.", "auto"),
        *(60 * USD, created, NOW),
        confirmed_at=at if state is ActionState.CONFIRMED else None,
    )


def overview(rows: tuple[Spent, ...] = (), budgets: tuple[Line, ...] = ()) -> Overview:
    rows = (spent("organization", "org", 1_234_567_890_123), *rows)
    drift = DriftFigures(
        date(2026, 11, 17),
        (Drifted(None, 500 * USD, 525 * USD), Drifted("claude-opus-5", 250 * USD, 275 * USD)),
    )
    return Overview(
        "org",
        "Org",
        NOW,
        NOW,
        NOW - timedelta(hours=1),
        rows,
        budgets,
        ("claude-new",),
        drift=drift,
        tokens=(UsedKind("output", 5, 50),),
    )


def scrape(metrics: Metrics, accept: str = "") -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Value by labels by sample name, read back by the library's own parser."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(metrics.render(accept)[0].decode()):
        sample: Sample
        for sample in family.samples:
            labels = tuple(sorted(sample.labels.items()))
            assert labels not in found.setdefault(sample.name, {}), "one series twice in a scrape"
            found[sample.name][labels] = sample.value
    return found


@pytest.fixture
def metrics() -> Metrics:
    made = Metrics(["ops", "hook"], SOURCES)
    made.waiting = (("hook", 0), ("ops", 3))
    made.now = lambda: NOW
    made.tally("", "org")
    board = Board(
        "org",
        "",
        overview(
            (spent("api_key", "key_1", 5 * USD), spent("workspace", "(default)", 7 * USD)),
            (
                line("organization", None, 80),
                line("keys", "key_1", 250),
                replace(line("tokens", None, 80), measure=Measure("tokens", "output")),
                replace(line("requests", None, 80), measure=Measure("requests")),
            ),
        ),
        (anomaly("key_1"), anomaly("key_2", state=State.PENDING)),
        (
            SourceState("usage", True, NOW - timedelta(hours=1), NOW, NOW, stalled_since=NOW - timedelta(hours=2)),
            SourceState("cost", True, None, NOW, None, NOW - timedelta(hours=3), "gave no answer"),
        ),
        NOW - timedelta(minutes=5),
        ShutoffStanding("auto", newest=(decision("key_off"),), counts={ActionState.CONFIRMED: 1}),
    )
    made.boards = {"": board}
    return made


def show(metrics: Metrics, **changes: Any) -> None:
    """Let the only organization's board say something else."""
    metrics.boards = {"": replace(metrics.boards[""], **changes)}


def labels_of(row: str) -> list[str]:
    return [label.strip() for label in row.split(",") if label.strip()]


def test_every_documented_family_is_there_with_the_documented_labels(metrics: Metrics) -> None:
    metrics.tally("").request("ok", 0.2)
    found = scrape(metrics)
    documented = dict(re.findall(r"^\| `(watcher_\w+)` \| ([a-z_, ]*) ?\|", DOCUMENTED, flags=re.MULTILINE))
    assert list(documented) == [metric.name for metric in METRICS], "the page has them in the order of the program"
    for metric in METRICS:
        assert labels_of(documented[metric.name]) == list(metric.labels), metric.name
        samples = found.get(metric.name) or found.get(f"{metric.name}_sum")
        assert samples, metric.name
        for pairs in samples:
            assert sorted(label for label, _ in pairs) == sorted(metric.labels), metric.name


def value(found: Mapping[str, Mapping[tuple[tuple[str, str], ...], float]], name: str, **labels: str) -> float:
    return found[name][tuple(sorted(labels.items()))]


def test_values_are_in_base_units(metrics: Metrics) -> None:
    found = scrape(metrics)
    one = {"organization": "org", "scope": "organization", "id": "org"}
    assert value(found, "watcher_spend_usd", **one, window="month") == 1234.567890123
    assert value(found, "watcher_spend_usd", **one, window="today") == 123.456789012
    assert value(found, "watcher_settled_usd", **one) == 617.283945061
    key = {"organization": "org", "budget": "keys", "workspace": "", "api_key": "key_1", "model": ""}
    assert value(found, "watcher_budget_limit_usd", **key) == 100
    assert value(found, "watcher_budget_spent_usd", **key) == 250
    assert value(found, "watcher_budget_ratio", **key) == 2.5
    assert value(found, "watcher_budget_forecast_usd", **key) == 500
    assert value(found, "watcher_budget_burn_ratio", **key) == 1.25
    assert value(found, "watcher_tokens", **one, window="today") == 1234
    assert value(found, "watcher_kind_tokens", organization="org", kind="output", window="month") == 50
    assert value(found, "watcher_unpriced_models", organization="org") == 1
    assert value(found, "watcher_time_seconds") == NOW.timestamp()
    assert value(found, "watcher_alerts", organization="org", kind="anomaly", state="firing") == 1
    assert value(found, "watcher_alerts", organization="org", kind="anomaly", state="pending") == 1
    assert value(found, "watcher_alerts", organization="org", kind="budget", state="firing") == 0
    where = {"organization": "org", "rule": "key spend", "workspace": "", "api_key": "key_1", "model": ""}
    assert found["watcher_anomaly_observed_usd"] == {tuple(sorted(where.items())): 30}
    assert value(found, "watcher_anomaly_expected_usd", **where) == 1
    assert value(found, "watcher_anomaly_upper_usd", **where) == 5
    hour = timedelta(hours=1)
    assert (
        value(found, "watcher_data_watermark_timestamp_seconds", organization="org", source="usage")
        == (NOW - hour).timestamp()
    )
    assert value(found, "watcher_source_failing_since_timestamp_seconds", organization="org", source="cost") == (
        (NOW - 3 * hour).timestamp()
    )
    assert list(found["watcher_source_stalled_since_timestamp_seconds"]) == [
        (("organization", "org"), ("source", "usage"))
    ]
    assert value(found, "watcher_last_cycle_success_timestamp_seconds", organization="org") == NOW.timestamp() - 300
    assert value(found, "watcher_outbox_messages", receiver="ops") == 3


def test_every_labelled_counter_begins_at_nothing() -> None:
    metrics = Metrics(["ops"], SOURCES)
    metrics.tally("", "org")
    found = scrape(metrics)
    reasons = {dict(pairs)["reason"] for pairs in found["watcher_notifications_total"]}
    assert reasons == {
        "first",
        "initial",
        "new in group",
        "repeated",
        "escalated",
        "acknowledged",
        "resolved",
        "digest",
        "action",
    }
    assert value(found, "watcher_notifications_total", receiver="ops", reason="first") == 0
    assert value(found, "watcher_notification_failures_total", receiver="ops", outcome="retried") == 0
    assert value(found, "watcher_notification_failures_total", receiver="ops", outcome="refused") == 0
    assert {dict(pairs)["source"] for pairs in found["watcher_polls_total"]} == set(SOURCES)
    assert {dict(pairs)["reason"] for pairs in found["watcher_api_request_failures_total"]} == set(FAILURES)
    assert not any(name.endswith("_created") for name in found)


def test_a_failed_request_counts_beside_the_total(metrics: Metrics) -> None:
    for outcome in ("ok", "timeout", "ok", "rate_limited"):
        metrics.tally("").request(outcome, 0.1)
    found = scrape(metrics)
    assert value(found, "watcher_api_requests_total", organization="org") == 4
    assert value(found, "watcher_api_request_failures_total", organization="org", reason="timeout") == 1
    assert value(found, "watcher_api_request_failures_total", organization="org", reason="malformed") == 0
    assert value(found, "watcher_api_request_duration_seconds_count", organization="org") == 4


def test_a_budget_for_each_key_shows_those_nearest_to_their_limit_and_no_more(metrics: Metrics) -> None:
    keys = (line("keys", f"key_{number}", number) for number in range(500))
    lines = (*keys, line("all", None, 1))
    show(metrics, overview=overview(budgets=lines))
    ratios = scrape(metrics)["watcher_budget_ratio"]
    shown = {dict(labels)["api_key"] for labels in ratios if dict(labels)["budget"] == "keys"}
    assert shown == {f"key_{number}" for number in range(500 - 11, 500)}
    assert len(ratios) == 12


def test_of_each_dimension_the_dearest_are_shown_and_the_rest_is_one(metrics: Metrics) -> None:
    rows = [spent("api_key", f"key_{number}", number * USD) for number in range(99, -1, -1)]
    rows += [spent("api_key", OTHER, 7 * USD), spent("user", "u1", USD), spent("tag:team", "x", USD)]
    show(metrics, overview=overview(tuple(rows)))
    month = {
        dict(labels)["id"]: value
        for labels, value in scrape(metrics)["watcher_spend_usd"].items()
        if dict(labels)["window"] == "month" and dict(labels)["scope"] == "api_key"
    }
    assert set(month) == {*(f"key_{number}" for number in range(90, 100)), OTHER}
    assert month[OTHER] == sum(range(90)) + 7
    assert sum(month.values()) == sum(range(100)) + 7
    assert {dict(labels)["scope"] for labels in scrape(metrics)["watcher_spend_usd"]} == {"organization", "api_key"}

    metrics.shown = MetricsSettings(("user", "tag:team", "api_key"), top=3, every_key=True)
    found = scrape(metrics)["watcher_tokens"]
    assert len({dict(labels)["id"] for labels in found if dict(labels)["scope"] == "api_key"}) == 101
    assert {dict(labels)["id"] for labels in found if dict(labels)["scope"] in {"user", "tag:team"}} == {"u1", "x"}


def test_a_large_organization_is_500_series_and_a_tenth_of_a_second(metrics: Metrics) -> None:
    """50 workspaces, 1,000 keys of which 100 have rows of their own, 10 models, a budget for each workspace and key."""
    rows = [spent("workspace", f"wrkspc_{number}", number * USD) for number in range(50)]
    rows += [spent("api_key", f"apikey_{number}", number * USD) for number in range(100)]
    rows += [spent("api_key", OTHER, 900 * USD), *(spent("model", f"claude-{n}", n * USD) for n in range(10))]
    rows += [spent("tag:team", f"team-{number}", number * USD) for number in range(50)]
    lines = [line("organization", None, 80)]
    lines += [line("workspaces", f"wrkspc_{number}", number) for number in range(50)]
    lines += [line("keys", f"apikey_{number}", number % 100) for number in range(1000)]
    alerts = tuple(anomaly(f"apikey_{number}", number) for number in range(200))
    storm = ShutoffStanding("auto", newest=tuple(decision(f"off_{number}", number) for number in range(50)))
    show(metrics, overview=overview(tuple(rows), tuple(lines)), alerts=alerts, shutoff=storm)
    metrics.tally("").request("ok", 0.1)
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        body, _ = metrics.render("")
        took.append(time.perf_counter() - begun)
    series = [row for row in body.decode().splitlines() if not row.startswith("#")]
    assert len(series) <= 500
    assert min(took) < 0.1


def test_a_scope_beyond_the_first_three_has_labels_of_its_own_and_no_empty_ones(metrics: Metrics) -> None:
    parts = {"model_family": "opus", "service_tier": "batch", "user": "u1", "tag:team": 'a"b', "tag:env": HOSTILE}
    far = replace(line("far", None, 7), scope=Scope.of("org", parts))
    odd = anomaly("k")
    odd = replace(odd, subject=replace(odd.subject, scope=Scope("org", user="\ud83d")))
    show(metrics, overview=overview(budgets=(line("near", "key_a", 50), far)), alerts=(odd,))
    found = scrape(metrics)
    near = {"organization": "org", "budget": "near", "workspace": "", "api_key": "key_a", "model": ""}
    more = {"model_family": "opus", "service_tier": "batch", "user": "u1", "tag": f'env={HOSTILE},team=a"b'}
    assert found["watcher_budget_spent_usd"] == {
        tuple(sorted(near.items())): 50,
        tuple(sorted({**near, "budget": "far", "api_key": "", **more}.items())): 7,
    }
    (place,) = found["watcher_anomaly_observed_usd"]
    assert dict(place)["user"] == "?"


def test_a_storm_of_anomalies_shows_the_dearest_and_counts_all(metrics: Metrics) -> None:
    show(metrics, alerts=tuple(anomaly(f"key_{number}", number) for number in range(500)))
    found = scrape(metrics)
    assert len(found["watcher_anomaly_observed_usd"]) == 10
    assert min(found["watcher_anomaly_observed_usd"].values()) == 490
    assert value(found, "watcher_alerts", organization="org", kind="anomaly", state="firing") == 500


def test_a_decision_has_the_time_at_which_it_came_into_its_state_and_its_key_a_name(metrics: Metrics) -> None:
    again, waiting = decision("key_off", 30), decision("key_2", 5, ActionState.PROPOSED)
    show(metrics, shutoff=ShutoffStanding("auto", newest=(decision("key_off", 1), waiting, again)))
    found = scrape(metrics)
    own = {"organization": "org", "action": "deactivate", "mode": "auto"}
    assert found["watcher_action_timestamp_seconds"] == {
        tuple(sorted({**own, "api_key": "key_off", "state": "confirmed"}.items())): NOW.timestamp() - 60,
        tuple(sorted({**own, "api_key": "key_2", "state": "proposed"}.items())): NOW.timestamp() - 65 * 60,
    }
    names = {dict(labels)["id"]: dict(labels)["name"] for labels in found["watcher_name_info"]}
    assert (names["key_off"], names["key_2"]) == ("name of key_off", "name of key_2")


def test_of_a_storm_of_decisions_the_newest_are_shown(metrics: Metrics) -> None:
    storm = tuple(decision(f"key_{number}", number) for number in range(50))
    show(metrics, shutoff=ShutoffStanding("auto", newest=storm))
    shown = scrape(metrics)["watcher_action_timestamp_seconds"]
    assert {dict(labels)["api_key"] for labels in shown} == {f"key_{number}" for number in range(10)}


@pytest.mark.parametrize("name", [HOSTILE, "\ud800", "", "a\\", '"'])
def test_a_hostile_name_stays_inside_its_label(metrics: Metrics, name: str) -> None:
    row = replace(spent("api_key", "key_1", USD), name=name)
    show(metrics, overview=overview((row,)))
    before = scrape(metrics)
    names = {dict(labels)["id"]: dict(labels)["name"] for labels in before["watcher_name_info"]}
    assert {"org", "key_1"} <= set(names)
    assert not set(names["key_1"]) & set("\n\x1b\u202e\ud800")
    assert len(names["key_1"]) <= 80


def test_an_openmetrics_scraper_is_answered_in_its_format(metrics: Metrics) -> None:
    body, content_type = metrics.render("application/openmetrics-text;version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    assert metrics.render("")[1].startswith("text/plain; version=")


def test_the_drift_is_the_bill_minus_the_estimate_of_the_newest_settled_day(metrics: Metrics) -> None:
    found = scrape(metrics)
    opus = {"organization": "org", "scope": "model", "id": "claude-opus-5"}
    assert value(found, "watcher_drift_usd", organization="org", scope="organization", id="org") == 25
    assert value(found, "watcher_drift_ratio", organization="org", scope="organization", id="org") == 0.05
    assert (value(found, "watcher_drift_usd", **opus), value(found, "watcher_drift_ratio", **opus)) == (25, 0.1)
    day = value(found, "watcher_drift_day_timestamp_seconds", organization="org")
    assert day == datetime(2026, 11, 17, tzinfo=UTC).timestamp()


def test_two_organizations_are_two_series_of_each_family(metrics: Metrics) -> None:
    other = Overview("two", "Two", NOW, NOW, NOW, (Spent("organization", "two", "Two", 1, 2 * USD, 0),), ())
    metrics.boards = {"": metrics.boards[""], "b": Board("two", "b", other), "c": Board("c", "c")}
    metrics.tally("b", "two")
    found = scrape(metrics)
    spent = {dict(labels)["organization"] for labels in found["watcher_spend_usd"]}
    assert spent == {"org", "two"}
    info = [dict(labels) for labels in found["watcher_organization_info"]]
    assert {"organization": "two", "label": "b", "name": "Two"} in info
    assert {"organization": "c", "label": "c", "name": "c"} in info
    assert value(found, "watcher_alerts", organization="org", kind="anomaly", state="firing") == 1
    assert value(found, "watcher_alerts", organization="two", kind="anomaly", state="firing") == 0
    assert {dict(labels)["organization"] for labels in found["watcher_cycles_total"]} == {"org", "two"}


def test_what_was_counted_under_a_name_goes_over_to_the_id(metrics: Metrics) -> None:
    tally = metrics.tally("east")
    with tally.in_cycle():
        tally.request("ok", 0.2)
        tally.request("timeout", 30.0)
    tally.polled(["usage", "cost"], ["cost"], 2)
    tally.cycle_ended(1.0, whole=False)
    assert value(scrape(metrics), "watcher_api_requests_total", organization="east") == 2
    metrics.tally("east", "org_east")
    metrics.tally("east", "org_east").request("ok", 0.1)
    after = scrape(metrics)
    assert ("organization", "east") not in {label for found in after.values() for labels in found for label in labels}
    for name, count in (("api_requests", 3), ("cycles", 1), ("cycle_failures", 1), ("usage_shrinkings", 2)):
        assert value(after, f"watcher_{name}_total", organization="org_east") == count
    assert value(after, "watcher_polls_total", organization="org_east", source="usage") == 1
    assert value(after, "watcher_poll_failures_total", organization="org_east", source="cost") == 1
    assert value(after, "watcher_api_request_duration_seconds_count", organization="org_east") == 3
    assert value(after, "watcher_cycle_duration_seconds_sum", organization="org_east") == 1


@pytest.mark.outside
def test_promtool_has_nothing_to_say(metrics: Metrics) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    metrics.tally("").request("timeout", 0.2)
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=metrics.render("")[0], capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_a_line_without_a_limit_has_its_spend_and_neither_limit_nor_ratio(metrics: Metrics) -> None:
    board = metrics.boards[""]
    assert board.overview is not None
    lines = replace(line("organization", None, 80), limit=None), line("keys", "key_1", 250)
    metrics.boards = {"": replace(board, overview=replace(board.overview, budgets=lines))}
    found = scrape(metrics)
    assert [len(found[f"watcher_budget_{name}"]) for name in ("spent_usd", "limit_usd", "ratio")] == [2, 1, 1]
