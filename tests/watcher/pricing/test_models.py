import pytest

from watcher.pricing.models import family, version, without_suffix


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-5-5", ("opus", (5, 5))),
        ("claude-opus-4-20250514", ("opus", (4, 0))),
        ("claude-3-5-haiku-20241022", ("haiku", (3, 5))),
        ("claude-opus-4.6", ("opus", (4, 6))),
        ("claude-fable-6", ("fable", (6, 0))),
        ("us.anthropic.claude-sonnet-4-5-v1", ("sonnet", (4, 5))),
        ("", (None, None)),
        ("claude-2.1", (None, (2, 1))),
    ],
)
def test_family_and_version_are_read_from_the_id(model: str, expected: tuple[str, tuple[int, int]]) -> None:
    assert (family(model), version(model)) == expected


def test_only_a_trailing_date_or_alias_is_taken_off() -> None:
    assert without_suffix("claude-opus-5-latest") == "claude-opus-5"
    assert without_suffix("claude-opus-4-20250514") == "claude-opus-4"
    assert without_suffix("claude-opus-4-6") == "claude-opus-4-6"
