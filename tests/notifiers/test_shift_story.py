"""What people read of dearer tokens and of silence."""

from __future__ import annotations

import json

import pytest

from benchmarks.gallery_samples import HOSTILE_NAMES, NOW, dearer_key, dearer_runaway, notification, silent_key
from notifiers.alert_json import alert_json
from notifiers.hour_phrases import odds_words
from notifiers.render import alert_story, story
from notifiers.story import Story, Tone
from rules.model import Alert, Odds, Reason, State


def text_of(told: Story) -> str:
    rows = [*told.lead, *(row for section in told.sections for row in section.lines)]
    return "\n".join([told.title, *("".join(words.text for words in row) for row in rows), *told.picture, *told.footer])


def test_dearer_tokens_are_told_with_both_prices_and_what_they_cost() -> None:
    told = text_of(alert_story(dearer_key(), NOW))
    assert told.startswith("Key “batch-summariser” (Production): each output token costs 3.1 times as much as usual\n")
    assert "since 09:00 UTC: $66.30 a million, where $21.40 is normal." in told
    assert "That has cost $177.20 more so far: $261.60 for 4.0M output tokens, where $84.40 is normal." in told
    assert "Now $29.50 an hour more." in told
    assert "a cache that no longer hits" in told
    assert "expected at most once in 4 years on clean data among 120 series" in told


def test_spend_whose_tokens_are_dearer_says_so_and_names_no_parent_of_its_own_scope() -> None:
    told = text_of(story(notification(dearer_runaway(), inhibited=(dearer_key(),))))
    assert "Each output token costs 3.1 times as much as usual" in told
    assert "behind the excess" not in told


def test_the_end_of_a_shift_says_whether_the_price_went_back() -> None:
    back = text_of(alert_story(dearer_key(state=State.RESOLVED, after=22_000_000_000), NOW))
    stays = alert_story(dearer_key(state=State.RESOLVED, after=66_000_000_000), NOW)
    assert "pays its usual price for output tokens again" in back
    assert "where $84.40 is normal: $177.20 more." in back
    assert stays.title.endswith("still pays $66.00 for a million output tokens, and that counts as its normal now")
    assert stays.tone is Tone.WARNING


def test_silence_is_told_with_how_long_and_what_usually_comes() -> None:
    told = text_of(alert_story(silent_key(), NOW))
    assert told.startswith("Key “batch-summariser” (Production) has sent nothing for 5 h\n")
    assert "It usually spends $13.90 an hour." in told
    assert "Its longest silence of the four weeks before was 2 hours." in told
    assert "disable" not in told


def test_the_end_of_a_silence_says_whether_spend_came_back() -> None:
    assert alert_story(silent_key(state=State.RESOLVED, after=1), NOW).title.endswith("spends again")
    still = alert_story(silent_key(state=State.RESOLVED, after=0), NOW)
    assert still.title.endswith("is silent still, and that counts as its normal now")


def test_summaries_are_one_line() -> None:
    assert dearer_key().summary == (
        'Key "batch-summariser" (apikey_01Rj2N8SVvo6BePZj99NhmiT) in workspace "Production": each output token costs '
        "3.1 times as much as usual, $66.30 a million where $21.40 a million is normal — $177 more since 09:00 UTC"
    )
    assert silent_key().summary == (
        'Key "batch-summariser" (apikey_01Rj2N8SVvo6BePZj99NhmiT) in workspace "Production" has sent nothing for 5 h, '
        "since 10:00 UTC; it usually spends $13.90/h, and its longest earlier silence was 2 h"
    )


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("make", [dearer_key, silent_key])
def test_hostile_names_stay_on_one_line(name: str, make: type[Alert]) -> None:
    names = dict.fromkeys(dearer_key().names, name)
    alert = make(names=names)  # type: ignore[call-arg]
    assert "\n" not in alert.summary
    assert "\x1b" not in text_of(story(notification(alert, reason=Reason.FIRST)))


def test_the_json_form_has_the_figures_as_exact_strings() -> None:
    price, silence, spend = (alert_json(alert) for alert in (dearer_key(), silent_key(), dearer_runaway()))
    assert price["unit_price"]["before_usd"] == "21.4"
    assert price["unit_price"]["more_per_hour_usd"] == "29.5"
    assert price["clean_data"] == {"at_most_a_year": 0.24, "series": 120, "less_than": False}
    assert silence["silence"]["missing_usd"] == "69.5"
    assert spend["unit_price"]["since"] == "2026-11-20T09:00:00Z"
    json.dumps([price, silence, spend])


@pytest.mark.parametrize(
    ("odds", "words"),
    [
        (None, ()),
        (Odds(12.2, 3), ("expected at most 12 times a year on clean data among 3 series",)),
        (Odds(1.0, 1), ("expected at most once a year on clean data among 1 series",)),
        (Odds(0.5, 9, floored=True), ("expected less than once in 2 years on clean data among 9 series",)),
        (Odds(0.0, 9, floored=True), ("expected less than once in 100 years on clean data among 9 series",)),
    ],
)
def test_odds_are_put_in_few_words(odds: Odds | None, words: tuple[str, ...]) -> None:
    assert odds_words(odds) == words
