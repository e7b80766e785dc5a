from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.gallery_samples import HOSTILE_NAMES, NOW, moved_prices, notification
from notifiers.alert_json import alert_json
from notifiers.render import story
from notifiers.story import Tone, plain_text
from rules.evidence import PriceMove
from rules.model import CONSOLE, DEFAULT_WORKSPACE, Alert, PriceEvidence, State
from rules.summary import summarize


def evidence(alert: Alert) -> PriceEvidence:
    assert isinstance(alert.evidence, PriceEvidence)
    return alert.evidence


def with_only(alert: Alert, *, new: bool = False, moves: bool = False) -> Alert:
    found = evidence(alert)
    kept = replace(found, new_models=found.new_models if new else (), moves=found.moves if moves else ())
    changed = replace(alert, evidence=kept)
    return replace(changed, summary=summarize(changed))


def told(alert: Alert) -> str:
    return plain_text(story(notification(alert)), 100_000)


def test_a_new_model_is_told_with_who_uses_it() -> None:
    alert = with_only(moved_prices(), new=True)
    assert story(notification(alert)).title == "Model claude-fable-5-2 is in use for the first time"
    text = told(alert)
    assert "• claude-fable-5-2: $12.40 since 11:00 UTC (3 h 8 min ago), most of it by key batch-summariser" in text
    assert "in workspace Production (3 keys in all)." in text
    assert "watcher spend --by model --by api_key --from 2026-11-20T11:00:00Z" in text
    assert alert.summary == "Model claude-fable-5-2 is in use for the first time: $12.40 since 11:00 UTC"


def test_a_moved_price_is_told_with_what_it_was_and_is() -> None:
    alert = with_only(moved_prices(), moves=True)
    of = story(notification(alert))
    assert of.tone is Tone.WARNING
    assert of.title == "The prices of 2 models moved by +12 %"
    text = told(alert)
    assert "• claude-opus-5 output, input: 80 % before, 90 % now, +12 %." in text
    assert "• claude-opus-9 output: +12 %; no list price is known for it." in text
    assert alert.summary.startswith(
        "The price learned of model claude-opus-5 (output, input) moved by +12 %, "
        "80 % of the list price before, 90 % now"
    )


def test_both_are_one_message() -> None:
    assert story(notification(moved_prices())).title == (
        "Model claude-fable-5-2 is in use for the first time; the prices of 2 models moved by +12 %"
    )


def test_web_searches_are_named_as_such() -> None:
    found = replace(
        evidence(moved_prices()), new_models=(), moves=(PriceMove("", ("web_searches",), 900_000, 800_000),)
    )
    alert = replace(moved_prices(), evidence=found)
    assert story(notification(alert)).title == "The price of web searches moved by -11 %"
    assert "• web searches: 90 % before, 80 % now, -11 %." in told(alert)


def test_console_use_and_the_default_workspace_have_no_ids() -> None:
    found = evidence(moved_prices())
    model = replace(found.new_models[0], api_key=CONSOLE, workspace=DEFAULT_WORKSPACE, keys=1)
    text = told(replace(moved_prices(), evidence=replace(found, new_models=(model,))))
    assert "by Console use in the default workspace." in text


def test_many_are_counted() -> None:
    found = evidence(moved_prices())
    many = tuple(replace(found.new_models[0], model=f"claude-{number}") for number in range(30))
    alert = replace(moved_prices(), evidence=replace(found, new_models=many, moves=()))
    assert story(notification(alert)).title == "30 models are in use for the first time"
    assert "• and 20 more" in told(alert)
    assert summarize(alert).endswith("; and 27 more")


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_harmless(name: str) -> None:
    found = evidence(moved_prices())
    model = replace(found.new_models[0], model=name, api_key_name=name, workspace_name=name)
    moves = tuple(replace(move, model=name, kinds=(name,)) for move in found.moves)
    text = told(replace(moved_prices(), evidence=replace(found, new_models=(model,), moves=moves)))
    assert len(text.splitlines()) == len(told(moved_prices()).splitlines())
    assert not any(char in text for char in "\x1b\u202e\u200b\ud83d")


def test_the_json_form_has_the_models_and_the_ratios() -> None:
    document = alert_json(moved_prices())
    assert document["prices"]["new_models"][0]["spent_usd"] == "12.4"
    assert document["prices"]["moves"][0] == {
        "model": "claude-opus-5",
        "kinds": ["output", "uncached_input"],
        "before_ppm": 800_000,
        "after_ppm": 900_000,
        "of_list": True,
    }
    json.dumps(document)


def test_a_closed_one_says_so() -> None:
    assert summarize(replace(moved_prices(), state=State.RESOLVED, ends_at=NOW)).endswith("(closed)")
