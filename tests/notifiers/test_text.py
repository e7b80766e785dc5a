from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.gallery_samples import HOSTILE_NAMES
from notifiers.text import REPLACEMENT, ago, bars, clean, duration, percent, plural, shorten, when

NOW = datetime(2026, 11, 20, 14, 8, tzinfo=UTC)
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
JOINERS = "\u200c\u200d"


def assert_harmless(text: str) -> None:
    assert all(unicodedata.category(char) not in HIDDEN or char in JOINERS for char in text)


@given(st.text(), st.integers(min_value=4, max_value=200))
def test_a_cleaned_text_is_one_visible_line_within_its_length(text: str, longest: int) -> None:
    cleaned = clean(text, longest)
    assert 1 <= len(cleaned) <= longest
    assert_harmless(cleaned)


@given(st.text(max_size=60))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=60))
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pay\u202eroll", f"pay{REPLACEMENT}roll"),
        ("zero\u200bwidth", f"zero{REPLACEMENT}width"),
        ("a\nb\r\nc\td", "a b  c d"),
        ("\x1b[31m", f"{REPLACEMENT}[31m"),
        ("\ud83d", REPLACEMENT),
        ("", REPLACEMENT),
        ("  \n ", REPLACEMENT),
        ("z" + "\u0301" * 9, "z" + "\u0301" * 3),
        ("👩\u200d💻 café", "👩\u200d💻 café"),
    ],
)
def test_a_hostile_text_is_made_visible(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_a_long_name_keeps_both_ends() -> None:
    assert clean("prod-" + "x" * 300 + "-eu-7", 30) == "prod-xxxxxxxxxxxxxxx…xxxx-eu-7"
    assert shorten("short", 5) == "short"
    assert all(len(clean(name, 60)) <= 60 for name in HOSTILE_NAMES)


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        (NOW - timedelta(hours=5), None, "09:08 UTC"),
        (NOW - timedelta(days=1), None, "Thu 19 Nov 14:08 UTC"),
        (NOW - timedelta(days=400), None, "Thu 16 Oct 2025 14:08 UTC"),
        (datetime(2026, 12, 1, tzinfo=UTC), ZoneInfo("UTC"), "Tue 1 Dec 00:00 UTC"),
        (datetime(2026, 11, 30, 23, tzinfo=UTC), ZoneInfo("Europe/Berlin"), "Tue 1 Dec 00:00 Europe/Berlin"),
        (NOW.replace(hour=20), ZoneInfo("Asia/Tokyo"), "Sat 21 Nov 05:08 Asia/Tokyo"),
    ],
)
def test_a_moment_is_as_short_as_it_stays_unmistakable(moment: datetime, zone: ZoneInfo | None, expected: str) -> None:
    assert when(moment, NOW, zone) == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(seconds=30), "0 min"),
        (timedelta(minutes=8), "8 min"),
        (timedelta(hours=2, minutes=10), "2 h 10 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=5, minutes=59), "5 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=2), "2 days"),
        (timedelta(minutes=-3), "0 min"),
    ],
)
def test_a_duration_has_one_or_two_units(length: timedelta, expected: str) -> None:
    assert duration(length) == expected


def test_ago_tells_past_and_future_apart() -> None:
    assert ago(NOW - timedelta(seconds=20), NOW) == "just now"
    assert ago(NOW - timedelta(hours=5), NOW) == "5 h ago"
    assert ago(NOW + timedelta(hours=5), NOW) == "in 5 h"


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (1, 2, "50 %"),
        (0, 5, "0 %"),
        (3, 0, "0 %"),
        (1, 250, "0.4 %"),
        (1, 10_000, "under 0.1 %"),
        (99_950, 100_000, "over 99 %"),
        (5, 5, "100 %"),
        (21, 1, "2,100 %"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(part: int, whole: int, expected: str) -> None:
    assert percent(part, whole) == expected


@given(st.lists(st.integers(min_value=-5, max_value=10**12), max_size=30))
def test_bars_rise_with_their_values(values: list[int]) -> None:
    drawn = bars(values, max(values, default=0))
    assert len(drawn) == len(values)
    assert sorted(drawn) == list(bars(sorted(values), max(values, default=0)))
    assert set(drawn) <= set("▁▂▃▄▅▆▇█")


def test_plurals() -> None:
    assert [plural(1, "alert"), plural(1204, "alert"), plural(2, "day", "days")] == [
        "1 alert",
        "1,204 alerts",
        "2 days",
    ]
