"""What the commands say of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import typer

from tests.stage import here
from watcher.cli import app


def commands(within: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Each command with the help of its options and arguments, as it was written."""
    inside = getattr(within, "commands", None)
    if inside is not None:
        for name, command in inside.items():
            yield from commands(command, (*path, name))
    helps = [getattr(parameter, "help", None) for parameter in getattr(within, "params", ())]
    yield path, [text for text in helps if text]


EVERY = list(commands(typer.main.get_command(app)))


@pytest.mark.parametrize(("path", "helps"), EVERY, ids=[" ".join(path) or "watcher" for path, _ in EVERY])
def test_help_shows_every_word_that_was_written(path: tuple[str, ...], helps: list[str]) -> None:
    """What stands in square brackets is markup to Rich, which leaves it out unless it is escaped."""
    code, out, _ = here(*path, "--help")
    assert code == 0
    shown = set(re.split(r"[\s│]+", out))
    for text in helps:
        written = set(text.replace("\\[", "[").split())
        assert written <= shown, written - shown


def test_a_default_in_words_is_shown() -> None:
    assert "[default: this month]" in " ".join(here("spend", "--help")[1].replace("│", " ").split())
