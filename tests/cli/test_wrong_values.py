"""What a command says of a value that an option does not take."""

from __future__ import annotations

import pytest

from tests.stage import here


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("notify", "test", "ops", "--as", "bugdet"),
            (
                "Invalid value for '--as': 'bugdet' is not one of 'anomaly', 'budget', 'resolved', 'digest'. "
                "Did you mean 'budget'?"
            ),
        ),
        (
            ("--log-level", "DEBGU", "status"),
            "Invalid value for '--log-level': 'DEBGU' is not one of 'debug', 'info', 'warning'. Did you mean 'debug'?",
        ),
        (
            ("spend", "--bucket", "fortnight"),
            "Invalid value for '--bucket': 'fortnight' is not one of 'total', 'day', 'hour'.",
        ),
        (("spend", "--top", "few"), "Invalid value for '--top': must be a whole number."),
        (("spend", "--top", "0"), "Invalid value for '--top': must be at least 1."),
        (("simulate", "--port", "70000"), "Invalid value for '--port': must be at most 65535."),
        (("demo", "--speed", "fast"), "Invalid value for '--speed': must be a number."),
    ],
)
def test_a_wrong_value_is_told_in_a_sentence_with_what_was_probably_meant(
    arguments: tuple[str, ...], says: str
) -> None:
    code, out, err = here(*arguments)
    assert (code, out) == (2, "")
    assert says in " ".join(err.replace("│", " ").split())
    assert "Value error" not in err
