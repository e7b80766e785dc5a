from __future__ import annotations

import pytest

from rules.families import family, family_of


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-5-5", "opus"),
        ("claude-opus-4-5-20251101", "opus"),
        ("claude-opus-4-20250514", "opus"),
        ("claude-3-5-haiku-20241022", "haiku"),
        ("claude-3-5-haiku-latest", "haiku"),
        ("claude-opus-4.6", "opus"),
        ("Claude-Sonnet-5", "sonnet"),
        ("claude-fable-5-2", "fable"),
        ("claude-mythos-5-2", "mythos"),
        ("claude-instant-1.2", "instant"),
        ("claude-nova-7", "nova"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "sonnet"),
        ("vertex_ai/claude-3-7-sonnet@20250219", "sonnet"),
        ("opus-5", "opus"),
        ("", None),
        ("claude-2.1", None),
        ("claude-fast", None),
        ("gpt-6", None),
        ("(unattributed)", None),
    ],
)
def test_the_family_is_read_from_the_id(model: str, expected: str | None) -> None:
    assert family(model) == expected
    assert family_of(model) == (expected or model)
