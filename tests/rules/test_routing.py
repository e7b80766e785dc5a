"""Who hears of what stands in test_alert_scenarios.py; here is what a script does not show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import process_time

from rules import lifecycle, routing
from rules.model import (
    Alert,
    AnomalyEvidence,
    Breach,
    Clear,
    HourPoint,
    Names,
    Reason,
    Route,
    Scope,
    Severity,
    Share,
    Subject,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
USD = 1_000_000_000
HOUR = timedelta(hours=1)
CONFIGURED = {("anomaly", "spend")}


def anomaly(
    scope: Scope,
    excess: int,
    top: tuple[Share, ...] = (),
    since: datetime = NOW - 2 * HOUR,
    points: tuple[HourPoint, ...] = (),
) -> Breach:
    evidence = AnomalyEvidence(
        since=since,
        observed=(excess + 1) * USD,
        expected=USD,
        per_hour=USD,
        normal_per_hour=USD,
        upper_per_hour=USD,
        score=9.0,
        history_hours=1000,
        points=points,
        data_as_of=NOW,
        top=top,
    )
    return Breach(Subject("spend", "anomaly", scope), Severity.WARNING, since, excess * USD, USD, None, evidence)


def send(
    advance: lifecycle.Advance,
    known: tuple[Alert, ...] = (),
    receivers: tuple[str, ...] = ("ops",),
    now: datetime = NOW,
) -> routing.Routed:
    routes = [Route(receiver) for receiver in receivers]
    return routing.notifications(advance, known, routes, organization_name="Acme", first_judgement=False, now=now)


def route(*breaches: Breach, receivers: tuple[str, ...] = ("ops",)) -> routing.Routed:
    return send(lifecycle.advance((), breaches, CONFIGURED, Names(), NOW), receivers=receivers)


def told(routed: routing.Routed) -> set[str]:
    return {alert.subject.scope.kind for message in routed.notifications for alert in message.alerts}


def test_a_message_says_whose_it_is_and_carries_the_alerts_as_they_are_kept() -> None:
    routed = route(anomaly(Scope("org_1", api_key="k"), 60), receivers=("ops", "pager"))
    assert [message.receiver for message in routed.notifications] == ["ops", "pager"]
    for message in routed.notifications:
        assert (message.organization, message.reason, message.created_at) == ("Acme", Reason.FIRST, NOW)
        assert message.alerts == routed.alerts


def test_an_inhibited_alert_is_kept_with_the_alert_that_tells_its_story() -> None:
    routed = route(anomaly(Scope("org_1", api_key="k"), 60), anomaly(Scope("org_1"), 60))
    by_kind: dict[str, Alert] = {alert.subject.scope.kind: alert for alert in routed.alerts}
    assert by_kind["organization"].inhibited_by == by_kind["api_key"].id
    assert by_kind["api_key"].inhibited_by is None
    assert routed.notifications[0].inhibited == (by_kind["organization"],)


def test_a_key_explains_a_model_only_by_what_it_has_too_much_on_it() -> None:
    model = anomaly(Scope("org_1", model="opus"), 60)
    key = Scope("org_1", api_key="k")
    elsewhere = anomaly(key, 60, (Share("model", "haiku", "haiku", 50 * USD), Share("model", "opus", "opus", 10 * USD)))
    assert told(route(model, elsewhere)) == {"api_key", "model"}
    there = anomaly(key, 60, (Share("model", "opus", "opus", 50 * USD),))
    assert told(route(model, there)) == {"api_key"}


def test_the_parent_may_be_the_one_that_names_the_key() -> None:
    model = anomaly(Scope("org_1", model="opus"), 60, (Share("api_key", "k", "k", 40 * USD),))
    assert told(route(model, anomaly(Scope("org_1", api_key="k"), 60))) == {"api_key"}


def test_a_workspace_tells_a_model_that_it_names() -> None:
    workspace = anomaly(Scope("org_1", workspace="w"), 60, (Share("model", "opus", "opus", 40 * USD),))
    assert told(route(workspace, anomaly(Scope("org_1", model="opus"), 70))) == {"workspace"}
    assert told(route(workspace, anomaly(Scope("org_1", model="haiku"), 70))) == {"workspace", "model"}


def test_another_organization_has_its_own_story() -> None:
    routed = route(anomaly(Scope("org_2", api_key="k"), 60), anomaly(Scope("org_1"), 60))
    assert told(routed) == {"api_key", "organization"}


def test_only_the_hours_of_the_parents_story_count() -> None:
    def points(*excess: int) -> tuple[HourPoint, ...]:
        return tuple(HourPoint(NOW - (len(excess) - i) * HOUR, e * USD, 0, 0) for i, e in enumerate(excess))

    # The key burnt 200 hours ago, and next to nothing since the organization's story began.
    key = anomaly(Scope("org_1", api_key="k"), 205, since=NOW - 4 * HOUR, points=points(100, 100, 3, 2))
    assert told(route(key, anomaly(Scope("org_1"), 60))) == {"api_key", "organization"}
    busy = anomaly(Scope("org_1", api_key="k"), 205, since=NOW - 4 * HOUR, points=points(80, 85, 20, 20))
    assert told(route(busy, anomaly(Scope("org_1"), 60))) == {"api_key"}


def test_two_rules_about_one_key_are_not_two_keys() -> None:
    key, parent = anomaly(Scope("org_1", api_key="k"), 20), anomaly(Scope("org_1"), 60)
    strict = replace(key, subject=replace(key.subject, rule="strict"))
    advance = lifecycle.advance((), [key, strict, parent], {*CONFIGURED, ("anomaly", "strict")}, Names(), NOW)
    assert told(send(advance)) == {"api_key", "organization"}


def test_an_alert_that_nobody_heard_of_tells_no_story() -> None:
    key, workspace = Scope("org_1", workspace="w", api_key="k"), Scope("org_1", workspace="w")
    clear = [replace(anomaly(scope, 60), keep_firing_for=HOUR) for scope in (key, workspace)]
    known = route(*clear).alerts
    # The key's alert ends while the workspace, inhibited by it, is clear and waiting to end.
    for minutes, verdicts in (
        (5, [Clear(breach.subject) for breach in clear]),
        (70, [Clear(clear[0].subject), anomaly(Scope("org_1"), 60)]),
    ):
        now = NOW + timedelta(minutes=minutes)
        advance = lifecycle.advance(known, verdicts, CONFIGURED, Names(), now)
        routed = send(advance, known, now=now)
        known = lifecycle.applied(known, routed.alerts)
    assert [(message.reason, message.alerts[0].subject.scope.kind) for message in routed.notifications] == [
        (Reason.FIRST, "organization"),
        (Reason.RESOLVED, "workspace+api_key"),
    ]


def test_a_crossing_that_is_told_again_after_all_has_another_id() -> None:
    breach = replace(anomaly(Scope("org_1"), 60), closes_at=NOW + 24 * HOUR)
    ids = set()
    for now in (NOW, NOW + HOUR):
        advance = lifecycle.advance((), [breach], CONFIGURED, Names(), now)
        ids |= {message.id for message in send(advance, now=now).notifications}
    assert len(ids) == 2


def test_ten_thousand_alerts_are_routed_in_without_a_step_per_pair() -> None:
    workspaces = {f"apikey_{i:05d}": f"wrkspc_{i % 60}" for i in range(10_000)}
    keys = [anomaly(Scope("org_1", api_key=key), 10) for key in workspaces]
    parents = [anomaly(Scope("org_1", workspace=f"wrkspc_{i}"), 2000) for i in range(60)]
    parents += [anomaly(Scope("org_1", model=f"model-{i}"), 2000) for i in range(12)]
    parents += [anomaly(Scope("org_1"), 100_000)]
    advance = lifecycle.advance((), keys + parents, CONFIGURED, Names(workspace_of_key=workspaces), NOW)
    fastest = float("inf")
    for _ in range(3):
        begin = process_time()
        routed = send(advance)
        fastest = min(fastest, process_time() - begin)
    assert fastest < 2.0  # half of it on a quiet machine; what this catches is a step per pair of alerts
    (message,) = routed.notifications
    assert len(message.alerts) == 10_000 + 60 + 12 - 60
    assert len(message.inhibited) == 61
