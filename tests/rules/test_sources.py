from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rules import sources
from rules.lifecycle import advance
from rules.model import (
    HOUR,
    Breach,
    Clear,
    Leaf,
    Names,
    NoData,
    Severity,
    Snapshot,
    SourceEvidence,
    SourceState,
    SpendView,
    State,
    Verdict,
)
from rules.stall import Stall

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GOOD = SourceState("usage", offered=True, watermark=NOW - HOUR, last_attempt_at=NOW, last_success_at=NOW)
STALL = Stall(NOW - 5 * HOUR, 900_000_000_000, 4)


def snapshot_of(*states: SourceState, unpriced: frozenset[str] = frozenset(), models: tuple[str, ...] = ()) -> Snapshot:
    leaves = tuple(Leaf("wrkspc_1", "apikey_a", model) for model in models)
    cost = np.zeros((len(leaves), 48), dtype=np.int64)
    cost[:, 30:] = 7
    start = NOW.replace(minute=0) - 47 * HOUR
    view = SpendView("org_1", start, leaves, cost, cost, np.ones(48, dtype=np.bool_), NOW, NOW, unpriced)
    return Snapshot("org_1", "Acme", view, Names(), states)


def said(snapshot: Snapshot, stall: Stall | None = None) -> dict[tuple[str, str], Verdict]:
    found = sources.judge(snapshot, stall, NOW)
    return {(v.subject.rule, v.subject.scope.model or v.subject.instance): v for v in found}


def failing(minutes: int, why: str = "usage answered 503: overloaded") -> SourceState:
    return replace(GOOD, failing_since=NOW - minutes * MINUTE, failure=why, last_success_at=NOW - minutes * MINUTE)


@pytest.mark.parametrize(
    ("state", "rule", "expected"),
    [
        (GOOD, sources.FAILING, Clear),
        (failing(14), sources.FAILING, NoData),
        (failing(15), sources.FAILING, Breach),
        (failing(0, "usage answered 401 (request-id req_1): no"), sources.FAILING, Breach),
        (failing(0, "usage answered 500 (request-id req_401): no"), sources.FAILING, NoData),
        (SourceState("usage"), sources.FAILING, NoData),
        (SourceState("usage", offered=False), sources.GONE, None),
        (SourceState("usage", offered=False), sources.FAILING, NoData),
        (replace(failing(20), offered=False), sources.GONE, Breach),
        (replace(failing(5), offered=False), sources.GONE, None),
        (replace(failing(45), offered=False, last_attempt_at=NOW - 45 * MINUTE), sources.GONE, None),
        (replace(failing(20), offered=False), sources.FAILING, NoData),
        (GOOD, sources.GONE, Clear),
        (GOOD, sources.STALE_DATA, Clear),
        (replace(GOOD, watermark=NOW - 3 * HOUR - MINUTE), sources.STALE_DATA, Breach),
        (replace(GOOD, watermark=NOW - 2 * HOUR - MINUTE), sources.STALE_DATA, NoData),
        (replace(GOOD, watermark=None), sources.STALE_DATA, NoData),
        (replace(failing(300), watermark=NOW - 5 * HOUR), sources.STALE_DATA, NoData),
        (replace(GOOD, watermark=NOW - 5 * HOUR, last_success_at=NOW - 5 * HOUR), sources.STALE_DATA, NoData),
        (replace(GOOD, watermark=NOW - 5 * HOUR, stalled_since=NOW - 5 * HOUR), sources.STALE_DATA, NoData),
        (replace(GOOD, stalled_since=NOW - HOUR), sources.STALLED, Breach),
        (GOOD, sources.STALLED, Clear),
        (failing(300), sources.STALLED, NoData),
    ],
)
def test_a_source_is_what_its_state_says(state: SourceState, rule: str, expected: type | None) -> None:
    verdict = said(snapshot_of(state)).get((rule, "usage"))
    assert (None if verdict is None else type(verdict)) is expected


def test_a_stall_is_said_of_usage_alone_and_is_not_staleness() -> None:
    cost = replace(GOOD, source="cost")
    found = said(snapshot_of(replace(GOOD, watermark=NOW - 5 * HOUR), cost), STALL)
    breach = found[sources.STALLED, "usage"]
    assert isinstance(breach, Breach)
    assert (breach.severity, breach.starts_at) == (Severity.CRITICAL, STALL.since)
    assert isinstance(found[sources.STALLED, "cost"], Clear)
    assert isinstance(found[sources.STALE_DATA, "usage"], NoData)


ANALYTICS = replace(GOOD, source="analytics_usage")
NO_USAGE = SourceState("usage", offered=False, last_attempt_at=NOW)


def test_where_usage_comes_from_analytics_it_is_stale_days_later() -> None:
    fresh, behind, stale = (replace(ANALYTICS, watermark=NOW - hours * HOUR) for hours in (49, 50.5, 52))
    for usage, expected in ((fresh, Clear), (behind, NoData), (stale, Breach)):
        verdicts = said(snapshot_of(NO_USAGE, usage))
        assert isinstance(verdicts[sources.STALE_DATA, "analytics_usage"], expected)
        assert (sources.STALE_DATA, "usage") not in verdicts


def test_a_stall_is_said_of_the_source_that_usage_comes_from() -> None:
    verdicts = said(snapshot_of(NO_USAGE, ANALYTICS), STALL)
    assert isinstance(verdicts[sources.STALLED, "analytics_usage"], Breach)
    assert not isinstance(verdicts[sources.STALLED, "usage"], Breach)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), None),
        ((GOOD,), "usage"),
        ((NO_USAGE,), "usage"),
        ((NO_USAGE, SourceState("analytics_usage", offered=False)), "usage"),
        ((NO_USAGE, ANALYTICS), "analytics_usage"),
        ((replace(GOOD, offered=False), ANALYTICS), "analytics_usage"),
        ((GOOD, ANALYTICS), "usage"),
        ((failing(60), ANALYTICS), "usage"),
    ],
)
def test_usage_comes_from_analytics_only_where_the_usage_report_is_not_offered(
    states: tuple[SourceState, ...], expected: str | None
) -> None:
    found = sources.usage_source(states)
    assert (found and found.source) == expected


def test_every_breach_says_what_it_means_and_what_to_do() -> None:
    states = (
        failing(60),
        replace(failing(60), source="cost", offered=False),
        replace(GOOD, source="users", stalled_since=NOW - HOUR),
    )
    breaches = [
        verdict
        for verdict in sources.judge(snapshot_of(*states, unpriced=frozenset({"new"}), models=("new",)), None, NOW)
        if isinstance(verdict, Breach)
    ]
    assert {breach.subject.rule for breach in breaches} == {
        sources.FAILING,
        sources.GONE,
        sources.STALLED,
        sources.UNPRICED,
    }
    for breach in breaches:
        assert isinstance(breach.evidence, SourceEvidence)
        assert len(breach.evidence.consequence) > 20
        assert breach.evidence.remedy.endswith(".")
        assert breach.subject.rule in sources.RULES


def test_a_refused_key_is_critical_and_says_that_the_key_is_the_matter() -> None:
    breach = said(snapshot_of(replace(failing(0, "users answered 401"), source="users")))[sources.FAILING, "users"]
    assert isinstance(breach, Breach)
    assert breach.severity is Severity.CRITICAL
    assert isinstance(breach.evidence, SourceEvidence)
    assert "Admin key" in breach.evidence.remedy


def test_usage_without_a_model_is_named_as_that() -> None:
    breach = said(snapshot_of(GOOD, unpriced=frozenset({""}), models=("",)))[sources.UNPRICED, ""]
    assert isinstance(breach, Breach)
    assert isinstance(breach.evidence, SourceEvidence)
    assert breach.evidence.problem == "No price is known for usage that names no model"


def test_a_failure_that_holds_line_breaks_is_shown_on_one_line() -> None:
    breach = said(snapshot_of(failing(60, "usage answered 502: <html>\r\n\x1b[31m" + 500 * "x")))[
        sources.FAILING, "usage"
    ]
    assert isinstance(breach, Breach)
    assert isinstance(breach.evidence, SourceEvidence)
    assert breach.evidence.problem.isprintable()
    assert len(breach.evidence.problem) < 200


def test_a_model_without_a_price_is_said_since_its_first_spend_until_it_has_one() -> None:
    models = ("new", "old")
    found = said(snapshot_of(GOOD, unpriced=frozenset({"new"}), models=models))
    breach = found[sources.UNPRICED, "new"]
    assert isinstance(breach, Breach)
    assert breach.severity is Severity.INFO
    assert breach.starts_at == NOW.replace(minute=0) - 17 * HOUR
    assert isinstance(found[sources.UNPRICED, "old"], Clear)


def test_an_alert_about_what_is_no_longer_known_at_all_ends() -> None:
    before = snapshot_of(replace(failing(60), source="cost"), unpriced=frozenset({"new"}), models=("new",))
    configured = {("source", rule) for rule in sources.RULES}
    open_alerts = advance((), sources.judge(before, None, NOW), configured, Names(), NOW).alerts
    assert len(open_alerts) == 2
    later = sources.judge(snapshot_of(GOOD), None, NOW, open_alerts)
    ended = advance(open_alerts, later, configured, Names(), NOW).alerts
    assert {alert.state for alert in ended if alert.subject.rule == sources.UNPRICED} == {State.RESOLVED}
    assert {alert.clear_since for alert in ended if alert.subject.rule == sources.FAILING} == {NOW}
