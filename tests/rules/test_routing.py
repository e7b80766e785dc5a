"""Who hears of what stands in test_alert_scenarios.py; here is what a script does not show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import lifecycle, routing
from rules.dimensions import known_of
from rules.hearing import Audience
from rules.inhibition import narrowness
from rules.model import (
    DIMENSIONS,
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
from tests.rules.timing import MANY, SIZES, within

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
    names: Names = Names(),  # noqa: B008 - frozen
) -> routing.Routed:
    routes = [Route(receiver) for receiver in receivers]
    return routing.notifications(
        advance, known, Audience(routes), organization_name="Acme", first_judgement=False, now=now, names=names
    )


def route(
    *breaches: Breach,
    receivers: tuple[str, ...] = ("ops",),
    names: Names = Names(),  # noqa: B008 - frozen
) -> routing.Routed:
    return send(lifecycle.advance((), breaches, CONFIGURED, names, NOW), receivers=receivers, names=names)


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


OWNED = Names(
    workspace_of_key={"k": "w", "j": "w2"},
    user_of_key={"k": "ada", "j": "ada"},
    tags_of_workspace={"w": {"team": "platform"}, "w2": {"team": "search"}},
)


def whole(excess: int, **parts: str) -> Breach:
    return anomaly(Scope.of("org_1", {part.replace("tag_", "tag:"): value for part, value in parts.items()}), excess)


def kinds_told(*breaches: Breach) -> set[str]:
    return told(route(*breaches, names=OWNED))


def test_a_key_tells_the_story_of_all_that_it_lies_in() -> None:
    key = whole(60, api_key="k")
    parents = (whole(70, user="ada"), whole(70, workspace="w"), whole(70, tag_team="platform"), whole(70))
    assert kinds_told(key, *parents) == {"api_key"}


def test_what_a_key_does_not_lie_in_tells_its_own_story() -> None:
    key = whole(60, api_key="k")
    assert kinds_told(key, whole(70, user="bob"), whole(70, workspace="w2")) == {"api_key", "user", "workspace"}
    assert kinds_told(key, whole(70, tag_team="search")) == {"api_key", "tag:team"}


def test_a_key_explains_a_family_or_a_tier_by_what_it_has_too_much_in_them() -> None:
    opus, haiku = "claude-opus-4-5-20251101", "claude-3-5-haiku-latest"
    evidence = (
        Share("model", opus, opus, 50 * USD),
        Share("model", haiku, haiku, 10 * USD),
        Share("service_tier", "batch", "batch", 55 * USD),
    )
    key = anomaly(Scope("org_1", api_key="k"), 60, evidence)
    assert kinds_told(key, whole(70, model_family="opus"), whole(70, service_tier="batch")) == {"api_key"}
    assert kinds_told(key, whole(70, model_family="haiku")) == {"api_key", "model_family"}
    assert kinds_told(key, whole(70, service_tier="priority")) == {"api_key", "service_tier"}
    assert kinds_told(whole(60, model=opus), whole(70, model_family="opus")) == {"model"}


def test_several_keys_of_a_user_explain_it_together() -> None:
    assert kinds_told(whole(20, api_key="k"), whole(20, api_key="j"), whole(70, user="ada")) == {"api_key"}
    assert kinds_told(whole(20, api_key="k"), whole(70, user="ada")) == {"api_key", "user"}


def test_a_workspace_tells_the_story_of_its_tag_and_a_tag_that_of_the_organization() -> None:
    assert kinds_told(whole(60, workspace="w"), whole(70, tag_team="platform")) == {"workspace"}
    assert kinds_told(whole(60, tag_team="platform"), whole(70)) == {"tag:team"}
    assert kinds_told(whole(60, tag_team="platform"), whole(70, workspace="w2")) == {"tag:team", "workspace"}


def test_a_combination_is_told_before_what_holds_it() -> None:
    both = whole(60, user="ada", model_family="opus")
    assert kinds_told(both, whole(70, user="ada"), whole(70, model_family="opus")) == {"user+model_family"} or {
        "model_family+user"
    } == kinds_told(both, whole(70, user="ada"), whole(70, model_family="opus"))
    assert "model_family" in kinds_told(both, whole(70, model_family="haiku"))


PARTS = [*DIMENSIONS, "tag:team", "tag:env"]


@given(st.sets(st.sampled_from(PARTS)), st.sets(st.sampled_from(PARTS)))
def test_what_lies_inside_by_its_dimensions_is_the_narrower_one(some: set[str], other: set[str]) -> None:
    inner, outer, both = (Scope.of("org_1", dict.fromkeys(named, "x")) for named in (some, other, some | other))
    assert narrowness(both) >= narrowness(outer)
    inside, outside = lies_inside(inner, outer), lies_inside(outer, inner)
    if inside and not outside:
        assert narrowness(inner) > narrowness(outer)


def lies_inside(inner: Scope, outer: Scope) -> bool:
    certain = known_of(inner, Names(workspace_of_key={"x": "w"}), ("tag:team", "tag:env"))
    return outer.parts().keys() <= certain.keys()


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


@pytest.mark.parametrize("count", SIZES)
def test_thousands_of_alerts_are_routed_without_a_step_per_pair(count: int) -> None:
    workspaces = {f"apikey_{i:05d}": f"wrkspc_{i % 60}" for i in range(count)}
    keys = [anomaly(Scope("org_1", api_key=key), 10 * MANY // count) for key in workspaces]
    parents = [anomaly(Scope("org_1", workspace=f"wrkspc_{i}"), 2000) for i in range(60)]
    parents += [anomaly(Scope("org_1", model=f"model-{i}"), 2000) for i in range(12)]
    parents += [anomaly(Scope("org_1", user=f"user_{i}"), 300) for i in range(300)]
    parents += [anomaly(Scope("org_1"), 100_000)]
    users = {f"apikey_{i:05d}": f"user_{i % 300}" for i in range(count)}
    names = Names(workspace_of_key=workspaces, user_of_key=users)
    advance = lifecycle.advance((), keys + parents, CONFIGURED, names, NOW)
    routed = within(1.6 * count / MANY, lambda: send(advance, names=names))  # less than half of it on a quiet machine
    (message,) = routed.notifications
    assert len(message.alerts) == count + 60 + 12 - 60
    assert len(message.inhibited) == 61 + 300
