from __future__ import annotations

import base64
import itertools
import json
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from benchmarks.gallery_samples import (
    HOSTILE_NAMES,
    cold_cache,
    hostile_key,
    notification,
    organization_budget,
    runaway_key,
    stalled_source,
    workspace_parent,
)
from notifiers.alert_json import alert_json
from notifiers.http import OutgoingHttp
from notifiers.signing import read_keys
from notifiers.webhook import WebhookNotifier
from rules.model import Notification, Scope, State


def posted(message: Notification) -> dict[str, Any]:
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(202)

    http = OutgoingHttp(transport=httpx.MockTransport(answer), resolve=lambda *_: [(2, 1, 6, "", ("8.8.8.8", 443))])
    WebhookNotifier("hook", "https://example.com/secret", http).send(message)
    (body,) = bodies
    decoded: dict[str, Any] = json.loads(body)
    return decoded


def test_the_body_says_what_was_promised() -> None:
    body = posted(notification(runaway_key(), inhibited=(workspace_parent(),)))
    assert {key: body[key] for key in ("id", "reason", "receiver")} == {
        "id": "ntf_7d1f6c02a9",
        "reason": "first",
        "receiver": "ops",
    }
    (told,) = body["alerts"]
    assert told["names"] == dict(runaway_key().names)
    promised = ("id", "fingerprint", "rule", "kind", "severity", "state", "scope", "starts_at", "ends_at")
    promised += ("value_usd", "expected_usd", "limit_usd", "summary")
    assert {key: told[key] for key in promised} == {
        "id": runaway_key().id,
        "fingerprint": runaway_key().subject.fingerprint,
        "rule": "key spend",
        "kind": "anomaly",
        "severity": "critical",
        "state": "firing",
        "scope": {"api_key": "apikey_01Rj2N8SVvo6BePZj99NhmiT"},
        "starts_at": "2026-11-20T10:00:00Z",
        "ends_at": None,
        "value_usd": "380.5",
        "expected_usd": "10.5",
        "limit_usd": None,
        "summary": runaway_key().summary,
    }
    assert [parent["rule"] for parent in body["inhibited"]] == ["workspace spend"]


def test_an_anomaly_says_why_with_effects_that_sum_to_the_excess() -> None:
    why = alert_json(workspace_parent())["why"]
    assert why["text"].startswith("key “batch-summariser” on claude-opus-5-5 (97 % of it); ")
    assert why["keys"] == {
        "count": 1,
        "largest_usd": "370",
        "confidence": 1.0,
        "api_key": workspace_parent().evidence.cause.carriers.key,  # type: ignore[union-attr]
        "model": "claude-opus-5-5",
        "pair_usd": "361.4",
    }
    cold = alert_json(cold_cache())["why"]
    assert cold["keys"] is None
    amounts = {name: Decimal(value) for name, value in cold["effects"].items() if name.endswith("_usd")}
    assert sum(amounts.values()) == Decimal(cold["excess_usd"]) == 96
    assert (cold["effects"]["cache_share_before"], cold["effects"]["cache_share"]) == (0.921, 0.031)
    assert "why" not in alert_json(organization_budget())


def test_money_is_an_exact_decimal_string() -> None:
    exact = replace(organization_budget(), value=1_234_500_001, limit=9_223_372_036_854_775_807, expected=-1)
    told = alert_json(exact)
    assert (told["value_usd"], told["limit_usd"], told["expected_usd"]) == (
        "1.234500001",
        "9223372036.854775807",
        "-0.000000001",
    )


def test_times_are_utc_whatever_their_zone() -> None:
    moment = datetime(2026, 11, 20, 16, 30, 0, 250_000, tzinfo=timezone(timedelta(hours=2)))
    told = alert_json(replace(stalled_source(), starts_at=moment, ends_at=moment, state=State.RESOLVED))
    assert told["starts_at"] == told["ends_at"] == "2026-11-20T14:30:00.250000Z"


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_arrives_as_it_is(name: str) -> None:
    body = posted(notification(hostile_key(name)))
    assert name in body["alerts"][0]["names"].values()


def test_a_scope_of_a_user_and_a_tag_is_told_by_dimension() -> None:
    scope = Scope.of("org", {"user": "u1", "tag:team": "</script>", "service_tier": "batch"})
    alert = runaway_key()
    told = alert_json(replace(alert, subject=replace(alert.subject, scope=scope), names={"u1": "<!channel>"}))
    assert told["scope"] == {"service_tier": "batch", "user": "u1", "tag:team": "</script>"}
    assert told["names"] == {"u1": "<!channel>"}


# ------------------------------------------------------------------------------------------- signatures

SECRETS = ["whsec_" + base64.b64encode(bytes(range(start, start + 32))).decode() for start in (0, 100)]


def sent(notifier_clock: float, *secrets: str, times: int = 1) -> list[httpx.Request]:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(204)

    http = OutgoingHttp(transport=httpx.MockTransport(answer), resolve=lambda *_: [(2, 1, 6, "", ("8.8.8.8", 443))])
    keys = read_keys(" ".join(secrets))
    ticks = itertools.count(notifier_clock)
    notifier = WebhookNotifier("hook", "https://example.com/x", http, keys=keys, clock=lambda: next(ticks))
    for _ in range(times):
        notifier.send(notification(hostile_key("ключ-ß-鍵")))
    return requests


def test_an_independent_library_verifies_the_signature_and_refuses_what_was_changed() -> None:
    (request,) = sent(time.time(), SECRETS[0])
    trusting = Webhook(SECRETS[0])
    assert trusting.verify(request.content, dict(request.headers))["id"] == "ntf_7d1f6c02a9"
    with pytest.raises(WebhookVerificationError):
        trusting.verify(request.content.replace(b"first", b"other"), dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRETS[1]).verify(request.content, dict(request.headers))


def test_while_secrets_change_either_of_them_verifies() -> None:
    (request,) = sent(time.time(), *SECRETS)
    assert request.headers["webhook-signature"].count("v1,") == 2
    for secret in SECRETS:
        Webhook(secret).verify(request.content, dict(request.headers))


def test_each_try_has_the_same_id_and_body_and_the_time_it_was_made() -> None:
    first, second = sent(1_700_000_000.9, SECRETS[0], times=2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "ntf_7d1f6c02a9"
    assert first.content == second.content
    assert [request.headers["webhook-timestamp"] for request in (first, second)] == ["1700000000", "1700000001"]


def test_without_a_secret_nothing_is_signed() -> None:
    (request,) = sent(time.time())
    assert not {"webhook-id", "webhook-timestamp", "webhook-signature"} & set(request.headers)


@pytest.mark.parametrize("text", ["whsec_", "whsec_AAAA", "AAAA" * 8, "whsec_!!", "WHSEC_" + "A" * 44, "v1,whsec_A"])
def test_what_is_no_secret_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="must be whsec_ and behind it") as caught:
        read_keys(f"{SECRETS[0]} {text}")
    assert SECRETS[0] not in str(caught.value)
