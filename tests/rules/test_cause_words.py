"""Why, in one line: short, exact, and harmless whatever a key or a model is called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.cause_words import why
from rules.causes import Carriers, Cause, Effects

USD = 1_000_000_000
NONE = Effects(0, 0, 0, 0, 0, 0, 100, 100, 0, 0, 0, 0)


def cause(**effects: object) -> Cause:
    return Cause(100 * USD, replace(NONE, **effects))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, ""),
        (Cause(0), ""),
        (Cause(-5 * USD, replace(NONE, volume=-5 * USD)), ""),
        (Cause(100 * USD), ""),
        (cause(volume=100 * USD, tokens=420), "more volume (4.2 times the tokens)"),
        (cause(volume=100 * USD, tokens=120), "more volume"),
        (cause(volume=100 * USD, tokens=10**9, tokens_expected=0), "more volume"),
        (
            cause(volume=85 * USD, model=15 * USD, tokens=200, gained="opus", lost="haiku"),
            "85 % by more volume (2.0 times the tokens), 15 % by dearer models (opus took over from haiku)",
        ),
        (cause(model=100 * USD, gained="opus"), "dearer models"),
        (
            cause(volume=130 * USD, model=-30 * USD, gained="haiku", lost="opus"),
            "130 % by more volume, −30 % by cheaper models (haiku took over from opus)",
        ),
        (
            cause(tier=100 * USD, tier_gained="standard", tier_lost="batch"),
            "dearer service tiers (standard took over from batch)",
        ),
        (
            cause(kind=100 * USD, cache_before=920_000, cache=30_000),
            "the prompt cache no longer hits (cache reads fell from 92 % to 3 % of the input)",
        ),
        (
            cause(kind=100 * USD, cache_before=920_000, cache=4_000),
            "the prompt cache no longer hits (cache reads fell from 92 % to under 1 % of the input)",
        ),
        (
            cause(kind=60 * USD, volume=40 * USD, cache_before=920_000, cache=600_000),
            "60 % by fewer cache hits (cache reads fell from 92 % to 60 % of the input), 40 % by more volume",
        ),
        (
            cause(kind=95 * USD, volume=5 * USD, output=400_000, output_before=100_000),
            "more output (output is 40 % of the tokens, 10 % before)",
        ),
        (
            cause(kind=-50 * USD, volume=150 * USD, cache=920_000, cache_before=300_000),
            "150 % by more volume, −50 % by more cache hits (cache reads rose from 30 % to 92 % of the input)",
        ),
        (cause(kind=100 * USD), "dearer tokens"),
        (cause(price=100 * USD), "higher prices for the same"),
        (cause(other=100 * USD), "cost that no tokens explain"),
        (Cause(100 * USD, None, Carriers(40, 3 * USD)), "spread over 40 keys, none above 3 %"),
        (Cause(1000 * USD, None, Carriers(40, 31 * USD)), "spread over 40 keys, none above 4 %"),
        (Cause(100 * USD, None, Carriers(4, 3 * USD)), ""),
        (Cause(100 * USD, None, Carriers(40, 30 * USD)), ""),
        (
            Cause(
                100 * USD, replace(NONE, volume=100 * USD), Carriers(1, 95 * USD, 1.0, "k", "batch", "opus", 93 * USD)
            ),
            "key “batch” on opus (93 % of it); more volume",
        ),
    ],
)
def test_what_is_said(known: Cause | None, expected: str) -> None:
    assert why(known) == expected


def test_hostile_names_stay_on_one_short_line() -> None:
    hostile = "\u202e<!channel>\n[red]" + "x" * 500
    words = why(
        Cause(
            100 * USD,
            replace(NONE, model=100 * USD, gained=hostile, lost=hostile),
            Carriers(1, 95 * USD, 1.0, "k", hostile, hostile, 95 * USD),
        )
    )
    assert "\n" not in words
    assert "\u202e" not in words
    assert len(words) < 250
