"""What a budget's triggers say before a threshold is crossed, in a message and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks import gallery_triggers
from benchmarks.gallery_samples import NOW, alert, burning_key, fast_month, foreseen_month, notification
from notifiers.alert_json import alert_json
from notifiers.render import story
from notifiers.story import plain_text
from rules.model import Alert, BurnEvidence, Evidence, ForecastEvidence, Reason, State
from rules.summary import summarize


def text(told: Alert, reason: Reason = Reason.FIRST) -> str:
    return plain_text(story(notification(told, reason=reason)), 3000)


def changed(told: Alert, evidence: Evidence) -> Alert:
    made = replace(told, evidence=evidence)
    return replace(made, summary=summarize(made))


def test_a_burn_says_how_fast_against_what_is_sustainable_and_when_the_rest_is_gone() -> None:
    said = text(burning_key())
    assert "key “batch-summariser” (Production) burns $38.50/h, 28 times what $1,000 sustains" in said
    assert "Now $38.50 an hour; $1.39 an hour is sustainable over the period." in said
    assert "$412.40 of $1,000 (41 %) spent for November 2026." in said
    assert "At this rate the $587.60 that are left are gone in 15 h, at 21 Nov, 05:18 UTC" in said
    assert "2 times over 6 h with it: not told separately." in said
    assert said.rstrip().endswith(burning_key().id)


def test_a_burn_beyond_the_limit_says_by_how_much_it_is_passed() -> None:
    evidence = gallery_triggers.burn(NOW)
    passed = replace(evidence, spent=evidence.limit * 2, exhausted_at=None)
    assert "The limit is passed by $1,000" in text(changed(burning_key(), passed))
    lasting = replace(evidence, exhausted_at=None)
    assert "$587.60 are left, which lasts at this rate" in text(changed(burning_key(), lasting))


def test_the_end_of_a_burn_says_where_it_is_now() -> None:
    said = text(burning_key(state=State.RESOLVED), Reason.RESOLVED)
    assert "no longer burns too fast at $1.10/h: it had burnt $38.50/h, and $1.39/h is sustainable" in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "crosses it on 24 Nov, between 23 Nov and 27 Nov"),
        ({"late": None}, "on 24 Nov, 23 Nov at the earliest, perhaps not within the period"),
        ({"crosses": None}, "perhaps within the period"),
        ({"own": True}, "beyond $10,000 (limit $10,000 for November 2026)"),
        ({"percent": 120.0}, "beyond 120 % of $10,000 for November 2026"),
        ({"little": True}, "80 % interval $11,120 to $14,030, from little history"),
        ({"timezone": "Pacific/Kiritimati"}, "crosses it on 25 Nov"),
    ],
)
def test_a_forecast_says_where_it_ends_and_when_it_crosses(change: dict[str, object], words: str) -> None:
    evidence = replace(gallery_triggers.forecast(NOW), **change)  # type: ignore[arg-type]
    assert words in changed(foreseen_month(), evidence).summary


def test_a_pace_says_how_far_ahead_it_is_and_where_that_leads() -> None:
    said = text(fast_month())
    assert "workspace “Production” is 30 % ahead of its pace: $3,410 of $4,000 for November 2026" in said
    assert "it ends at $5,206; the limit is gone on 23 Nov" in said


def test_the_json_has_the_figures_exactly() -> None:
    burn, forecast, pace = (alert_json(each) for each in (burning_key(), foreseen_month(), fast_month()))
    assert burn["kind"] == "burn"
    assert {key: burn["burn"][key] for key in ("mark", "factor", "burnt_usd", "remaining_usd", "exhausted_at")} == {
        "mark": "4 times over 1 h",
        "factor": 4,
        "burnt_usd": "38.5",
        "remaining_usd": "587.6",
        "exhausted_at": "2026-11-21T05:18:00Z",
    }
    assert (forecast["value_usd"], forecast["limit_usd"], forecast["expected_usd"]) == ("12412", "10000", None)
    assert forecast["forecast"]["early_at"] == "2026-11-23T09:00:00Z"
    assert (pace["value_usd"], pace["expected_usd"]) == ("3410", "2620")
    assert pace["pace"]["total_usd"] == "5206"
    json.dumps([burn, forecast, pace])


def test_several_are_listed_under_headings_of_their_own() -> None:
    told = notification(burning_key(), foreseen_month(), fast_month(), reason=Reason.INITIAL)
    headings = [section.heading for section in story(told).sections]
    assert headings == ["Budgets that burn", "Budgets that will be passed", "Budgets ahead of their pace"]


def test_the_end_of_a_forecast_names_the_mark() -> None:
    evidence = replace(gallery_triggers.forecast(NOW), after=9_000_000_000_000)
    assert isinstance(evidence, ForecastEvidence)
    over = alert("forecast", "organization", evidence, state=State.RESOLVED)
    assert "is not forecast to pass 100 % of $10,000 any more" in text(over, Reason.RESOLVED)
    assert "will end at $9,000, below" in over.summary


def test_a_day_is_told_in_hours_of_its_zone() -> None:
    month = gallery_triggers.burn(NOW)
    assert isinstance(month, BurnEvidence)
    day = replace(month, timezone="Europe/Berlin", period="20 Nov 2026")
    assert "gone at 21 Nov, 06:18 Europe/Berlin" in changed(burning_key(), day).summary
