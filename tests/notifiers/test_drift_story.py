from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from benchmarks.gallery_samples import HOSTILE_NAMES, NOW, drifted_model, notification
from notifiers.alert_json import alert_json
from notifiers.render import alert_story, story
from notifiers.story import Tone, plain_text
from rules.evidence import DriftPart
from rules.model import Alert, DriftEvidence, State
from rules.summary import day_span, signed_percent, summarize

USD = 1_000_000_000


def evidence(alert: Alert) -> DriftEvidence:
    assert isinstance(alert.evidence, DriftEvidence)
    return alert.evidence


def told(alert: Alert) -> str:
    return plain_text(story(notification(alert)), 100_000)


def test_a_drift_tells_the_model_the_days_both_amounts_and_what_it_makes_of_today() -> None:
    of = story(notification(drifted_model()))
    assert of.tone is Tone.WARNING
    assert of.title == "Model claude-opus-5 was billed 10 % more than estimated on 2 settled days"
    text = plain_text(of, 100_000)
    for part in (
        "16 to 17 Nov: $1,320.00 billed where tokens times price says $1,200.00: +$120.00.",
        "likely too low",
        "• on claude-opus-5 in workspace Production: $1,100.00 billed, $1,000.00 estimated, +10 %",
        "• on claude-opus-5 in the default workspace: $220.00 billed, $200.00 estimated, +10 %",
        "watcher spend --reconcile --bucket day --from 2026-11-16",
        "over 5 % and $20.00 a day on 2 settled days",
    ):
        assert part in text


def test_the_summary_is_one_line_with_the_figures() -> None:
    assert drifted_model().summary == (
        "Model claude-opus-5: $1,320.00 billed where tokens times price says $1,200.00 (+10 %), 16 to 17 Nov"
    )


def test_an_end_says_that_they_agree_again_and_why_that_may_be() -> None:
    over = replace(drifted_model(), state=State.RESOLVED, ends_at=NOW)
    assert summarize(over).startswith("Bill and estimate agree again: model claude-opus-5 had $1,320.00 billed")
    assert story(notification(over)).title == "Bill and estimate agree again"
    assert "watcher prices" in told(over)


def test_the_owners_own_price_is_what_to_correct() -> None:
    found = evidence(drifted_model())
    parts = tuple(replace(part, owned=True) for part in found.parts)
    text = told(replace(drifted_model(), evidence=replace(found, parts=parts)))
    assert "Your own prices are behind the estimate of claude-opus-5: correct its [[price]]." in text
    assert "eleven" not in text


def test_several_models_are_the_organizations_story() -> None:
    found = evidence(drifted_model())
    models = (*found.models, DriftPart(None, "", "claude-haiku-4-5", 500 * USD, 400 * USD))
    alert = replace(drifted_model(), evidence=replace(found, models=models, billed=1600 * USD, estimated=1700 * USD))
    assert alert_story(alert, NOW).title == "The organization was billed 6 % less than estimated on 2 settled days"
    assert "likely too high" in told(alert)
    assert "most of it claude-opus-5" in summarize(alert)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_of_workspaces_and_models_are_harmless(name: str) -> None:
    found = evidence(drifted_model())
    parts = tuple(replace(part, workspace="w", workspace_name=name, model=name) for part in found.parts)
    models = tuple(replace(part, model=name) for part in found.models)
    text = told(replace(drifted_model(), evidence=replace(found, parts=parts, models=models)))
    assert len(text.splitlines()) == len(told(drifted_model()).splitlines())
    assert not any(char in text for char in "\x1b\u202e\u200b\ud83d")


def test_the_json_form_names_the_days_and_the_parts() -> None:
    document = alert_json(drifted_model())
    assert (document["value_usd"], document["expected_usd"], document["limit_usd"]) == ("1320", "1200", None)
    assert document["drift"] == {
        "from": "2026-11-16",
        "to": "2026-11-17",
        "parts": [
            {
                "workspace": workspace,
                "workspace_name": name,
                "model": "claude-opus-5",
                "estimated_usd": estimated,
                "billed_usd": billed,
            }
            for workspace, name, estimated, billed in (
                ("wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ", "Production", "1000", "1100"),
                ("(default)", "default workspace", "200", "220"),
            )
        ],
    }
    json.dumps(document)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2026, 11, 16), date(2026, 11, 16), "16 Nov"),
        (date(2026, 11, 16), date(2026, 11, 17), "16 to 17 Nov"),
        (date(2026, 11, 30), date(2026, 12, 2), "30 Nov to 2 Dec"),
    ],
)
def test_days_are_spoken_of_shortly(first: date, last: date, words: str) -> None:
    assert day_span(first, last) == words


@pytest.mark.parametrize(
    ("part", "whole", "words"), [(10, 100, "+10 %"), (-42, 1000, "-4.2 %"), (12, 1, "+1,200 %"), (1, 0, "-")]
)
def test_a_change_has_its_sign(part: int, whole: int, words: str) -> None:
    assert signed_percent(part, whole) == words


def test_the_sample_is_frozen_at_the_end_of_its_last_day() -> None:
    assert evidence(drifted_model()).data_as_of == datetime(2026, 11, 18, tzinfo=UTC)
