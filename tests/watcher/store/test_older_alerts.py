"""Alerts as an older version wrote them, and as this one does, read back as what they were."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.gallery_samples import dearer_key, dearer_runaway, silent_key
from rules.causes import Carriers, Cause, Effects
from rules.model import Alert, AnomalyEvidence, Scope, Share, Subject
from tests.watcher.store.samples import anomaly
from watcher.store.payload import Payload

PAYLOAD = Payload[Alert](Alert)
OLDER = (
    '{"id":"a1","subject":{"rule":"keys","kind":"anomaly","scope":{"organization":"org_1","workspace":"wrkspc_1",'
    '"api_key":null,"model":"claude-opus-5"},"instance":""},"severity":"warning","state":"firing",'
    '"starts_at":"2026-11-02T00:00:00Z","pending_since":"2026-11-02T00:00:00Z","evidence":{"since":'
    '"2026-11-02T00:00:00Z","observed":9000000000,"expected":1000000000,"per_hour":5000000000,"normal_per_hour":'
    '100000000,"upper_per_hour":400000000,"score":Infinity,"history_hours":900,"points":[],"data_as_of":'
    '"2026-11-02T01:00:00Z","settled":0,"top":[{"dimension":"api_key","id":"k","name":"batch","cost":5}],"unpriced":[],'
    '"after_per_hour":null,"type":"anomaly"},"summary":"key_a spends too much","value":9000000000,"expected":null,'
    '"limit":null,"fired_at":null,"ends_at":null,"closes_at":null,"clear_since":null,"keep_firing_for":"PT2H",'
    '"names":{"key_a":"<!channel>"},"inhibited_by":null}'
)


def test_an_alert_of_an_older_version_is_still_the_same_alert() -> None:
    alert = PAYLOAD.read(OLDER)
    assert alert.subject.scope == Scope("org_1", "wrkspc_1", None, "claude-opus-5")
    assert alert.subject.fingerprint == "2544cc2bc8ffe01d"
    assert alert.evidence.top == (Share("api_key", "k", "batch", 5),)  # type: ignore[union-attr]
    assert alert.evidence.cause is None  # type: ignore[union-attr]


def test_a_cause_reads_back_equal() -> None:
    effects = Effects(1, -2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, "opus", "haiku", "standard", "batch")
    cause = Cause(17, effects, Carriers(3, 9, 0.75, "k", "\u202e<b>", "opus", 8))
    alert = replace(anomaly(), evidence=replace(anomaly().evidence, cause=cause))  # type: ignore[arg-type]
    assert PAYLOAD.read(PAYLOAD.write(alert)) == alert


def test_an_alert_about_any_scope_reads_back_equal() -> None:
    parts = {"model_family": "opus", "service_tier": "batch", "user": "u", "tag:team": "\u202e", "tag:env": ""}
    alert = replace(anomaly(), subject=Subject("r", "anomaly", Scope.of("org_1", parts)))
    again = PAYLOAD.read(PAYLOAD.write(alert))
    assert again == alert
    assert again.subject.scope.parts() == parts


@pytest.mark.parametrize(
    "alert", [dearer_key(), dearer_key(after=5), dearer_runaway(), silent_key(), silent_key(after=0)]
)
def test_alerts_about_prices_and_silence_read_back_equal(alert: Alert) -> None:
    assert PAYLOAD.read(PAYLOAD.write(alert)) == alert


def test_an_older_anomaly_has_no_price_and_no_odds() -> None:
    evidence = PAYLOAD.read(OLDER).evidence
    assert isinstance(evidence, AnomalyEvidence)
    assert (evidence.price, evidence.odds) == (None, None)
