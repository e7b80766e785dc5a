from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from benchmarks.gallery_samples import (
    HOSTILE_NAMES,
    hostile_key,
    many,
    notification,
    organization_budget,
    runaway_key,
    workspace_parent,
)
from notifiers.alertmanager import AlertmanagerNotifier, alert_labels
from notifiers.base import DeliveryError, Probed, Refreshed
from notifiers.http import OutgoingHttp
from rules.model import Alert, Reason, State

NOW = datetime(2026, 11, 20, 14, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Cluster:
    """Members that answer with a status each, by host, and keep what they were posted."""

    def __init__(self, **statuses: int) -> None:
        self.statuses = statuses
        self.posted: list[tuple[str, Any]] = []
        self.headers: list[httpx.Headers] = []
        self.now = NOW

    def notifier(self, **more: Any) -> AlertmanagerNotifier:
        def answer(request: httpx.Request) -> httpx.Response:
            host = request.headers["host"].partition(":")[0]
            self.headers.append(request.headers)
            if request.method == "POST":
                self.posted.append((f"{host}{request.url.path}", json.loads(request.content)))
            text = '{"versionInfo": {"version": "0.25.0"}}' if request.url.path.endswith("/status") else "secret"
            return httpx.Response(self.statuses[host], text=text)

        http = OutgoingHttp(
            transport=httpx.MockTransport(answer), resolve=lambda *_: [(2, 1, 6, "", ("8.8.8.8", 9093))]
        )
        urls = tuple(f"https://{host}:9093/am/" for host in self.statuses)
        return AlertmanagerNotifier("am", urls, http, clock=lambda: self.now, **more)

    @property
    def alerts(self) -> list[dict[str, Any]]:
        (found,) = [alerts for _, alerts in self.posted]
        return list(found)


def told(alert: Alert, **more: Any) -> dict[str, Any]:
    cluster = Cluster(a=200)
    cluster.notifier(**more).send(notification(alert))
    (one,) = cluster.alerts
    return one


def test_a_firing_alert_says_what_it_is_and_until_when_it_may_be_believed() -> None:
    one = told(runaway_key(), link="https://watcher.example/")
    assert one["labels"] == {
        "alertname": "ClaudeAnomaly",
        "kind": "anomaly",
        "severity": "critical",
        "rule": "key spend",
        "organization": runaway_key().subject.scope.organization,
        "api_key": "apikey_01Rj2N8SVvo6BePZj99NhmiT",
    }
    assert (one["startsAt"], one["endsAt"]) == ("2026-11-20T10:00:00Z", "2026-11-20T14:14:00Z")
    assert one["generatorURL"] == "https://watcher.example/"
    assert one["annotations"]["summary"] == runaway_key().summary
    assert one["annotations"]["api_key_name"] == "batch-summariser"
    assert (one["annotations"]["value_usd"], one["annotations"]["expected_usd"]) == ("380.5", "10.5")
    assert "batch-summariser" in one["annotations"]["description"]


def test_each_alert_is_told_by_itself_and_parents_are_inside_the_story() -> None:
    cluster = Cluster(a=200)
    cluster.notifier().send(notification(*many(40), inhibited=(workspace_parent(),)))
    assert len(cluster.alerts) == 40
    assert len({json.dumps(one["labels"]) for one in cluster.alerts}) == 40


def test_a_resolved_alert_ends_when_it_ended() -> None:
    over = replace(runaway_key(state=State.RESOLVED), ends_at=NOW - 3 * MINUTE)
    assert told(over)["endsAt"] == "2026-11-20T14:07:00Z"
    assert told(replace(over, ends_at=over.starts_at))["endsAt"] == "2026-11-20T10:00:01Z", "never before it began"


def test_an_event_lasts_a_day_whatever_its_period() -> None:
    event = replace(organization_budget(), closes_at=NOW + timedelta(days=11), fired_at=NOW)
    cluster = Cluster(a=200)
    notifier = cluster.notifier()
    for hours in (0, 23.99, 24, 48):
        cluster.now = NOW + timedelta(hours=hours)
        notifier.refresh([event], cluster.now)
    ends = [alerts[0]["endsAt"] for _, alerts in cluster.posted]
    assert ends == ["2026-11-20T14:14:00Z", "2026-11-21T14:10:00Z"], "and afterwards it is not told again"


def test_a_refresh_moves_the_end_and_changes_nothing_else() -> None:
    cluster = Cluster(a=200)
    notifier = cluster.notifier(refresh_every=5 * MINUTE)
    assert isinstance(notifier, Refreshed)
    notifier.send(notification(runaway_key()))
    cluster.now += 5 * MINUTE
    notifier.refresh([runaway_key()], cluster.now)
    first, second = (alerts[0] for _, alerts in cluster.posted)
    assert (first.pop("endsAt"), second.pop("endsAt")) == ("2026-11-20T14:30:00Z", "2026-11-20T14:35:00Z")
    first["annotations"].pop("description")
    second["annotations"].pop("description")  # it says how old the data are
    assert first == second


def test_nothing_to_tell_posts_nothing() -> None:
    cluster = Cluster(a=500)
    cluster.notifier().refresh([], NOW)
    cluster.notifier().send(replace(notification(runaway_key()), reason=Reason.INITIAL, alerts=()))
    assert cluster.posted == []


def test_every_member_of_a_cluster_is_told_and_one_that_took_it_is_enough() -> None:
    cluster = Cluster(a=500, b=200, c=400)
    cluster.notifier().send(notification(runaway_key()))
    assert [where for where, _ in cluster.posted] == [f"{host}/am/api/v2/alerts" for host in "abc"]
    with pytest.raises(DeliveryError, match="status 500") as caught:
        Cluster(a=400, b=500).notifier().send(notification(runaway_key()))
    assert caught.value.retryable, "one of them may take it later"
    with pytest.raises(DeliveryError, match="status 400") as caught:
        Cluster(a=400, b=401).notifier().send(notification(runaway_key()))
    assert not caught.value.retryable


def test_it_signs_in_where_it_is_asked_to() -> None:
    cluster = Cluster(a=200)
    notifier = cluster.notifier(authorization="Bearer CANARY")
    notifier.send(notification(runaway_key()))
    assert cluster.headers[0]["authorization"] == "Bearer CANARY"
    assert "CANARY" not in repr(notifier)


def test_it_can_be_asked_for_its_status_without_being_told_anything() -> None:
    cluster = Cluster(a=200, b=200)
    notifier = cluster.notifier()
    assert isinstance(notifier, Probed)
    assert notifier.probe() == "Alertmanager 0.25.0 answers"
    assert cluster.posted == []
    with pytest.raises(DeliveryError, match="status 401"):
        Cluster(a=200, b=401).notifier().probe()


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_stands_in_no_label_and_wakes_nobody(name: str) -> None:
    one = told(hostile_key(name))
    assert one["labels"] == alert_labels(hostile_key("harmless"))
    for text in one["annotations"].values():
        assert not any(wake in text for wake in ("<!", "<@", "<https:", "\x1b", "\u202e"))
    assert "\n" not in one["annotations"]["api_key_name"]
