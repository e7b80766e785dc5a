"""A time zone that there is not: what was probably meant is named where that is plain, and else nothing."""

from __future__ import annotations

import pytest

from watcher.config import values
from watcher.config.problems import Wrong

RIGHT = 'must be a time zone such as "UTC" or "Europe/Berlin", not'
NOTHING = ""
OFFSET = "; an offset knows no change of the clocks: name a place"
ABBREVIATION = "; an abbreviation may mean several: name a place"


def said(name: str) -> str:
    with pytest.raises(Wrong) as wrong:
        values.zone(name)
    text = str(wrong.value)
    assert text.startswith(f'{RIGHT} "{name}"')
    return text.removeprefix(f'{RIGHT} "{name}"')


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("europe/berlin", "Europe/Berlin"),
        ("Europ/Berlin", "Europe/Berlin"),
        ("Europe/Berlim", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("America/NewYork", "America/New_York"),
        ("Los Angeles", "America/Los_Angeles"),
        ("Asia/Tokio", "Asia/Tokyo"),
        ("Europe/Zürich", "Europe/Zurich"),
        ("America/London", "Europe/London"),
        ("Rome", "Europe/Rome"),
        ("US/Pacfic", "US/Pacific"),
        ("utc", "UTC"),
    ],
)
def test_a_zone_that_is_nearly_written_is_named(name: str, guess: str) -> None:
    assert said(name) == f'; did you mean "{guess}"?'


@pytest.mark.parametrize(
    "name",
    ["Mars/Base", "Europe/Munich", "Europe/Frankfurt", "Asia/Bombay", "America/San Francisco", "Europe", "Germany"],
)
def test_of_a_place_that_has_no_zone_nothing_is_guessed(name: str) -> None:
    assert said(name) == NOTHING


@pytest.mark.parametrize("name", ["UTC+2", "GMT+2", "+02:00", "utc-05:30", "GMT2"])
def test_an_offset_is_told_that_it_is_none(name: str) -> None:
    assert said(name) == OFFSET


@pytest.mark.parametrize("name", ["CEST", "pst", "Foo"])
def test_an_abbreviation_may_mean_several(name: str) -> None:
    assert said(name) == ABBREVIATION
