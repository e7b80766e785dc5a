import pytest

from watcher.pricing.models import version, without_suffix


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-5-5", (5, 5)),
        ("claude-opus-4-20250514", (4, 0)),
        ("claude-3-5-haiku-20241022", (3, 5)),
        ("claude-opus-4.6", (4, 6)),
        ("claude-fable-6", (6, 0)),
        ("us.anthropic.claude-sonnet-4-5-v1", (4, 5)),
        ("", None),
        ("claude-2.1", (2, 1)),
    ],
)
def test_the_version_is_read_from_the_id(model: str, expected: tuple[int, int] | None) -> None:
    assert version(model) == expected


def test_only_a_trailing_date_or_alias_is_taken_off() -> None:
    assert without_suffix("claude-opus-5-latest") == "claude-opus-5"
    assert without_suffix("claude-opus-4-20250514") == "claude-opus-4"
    assert without_suffix("claude-opus-4-6") == "claude-opus-4-6"
