"""What is wrong with the value of an option, in this program's words and not in those of the library that checks it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager

import typer

_CHOICE = re.compile(r"(?:Value error, )?'(?P<word>.*)' is not one of (?P<choices>'.*')\.?")
_WORDS = (
    (r"Value error, ", ""),
    (r"Input should be a valid integer.*", "must be a whole number."),
    (r"Input should be a valid number.*", "must be a number."),
    (r"Input should be greater than or equal to (.*)", r"must be at least \1."),
    (r"Input should be less than or equal to (.*)", r"must be at most \1."),
)


@contextmanager
def in_our_words() -> Iterator[None]:
    """Let a refused value of an option be told in a sentence, with the choice that was probably meant."""
    try:
        yield
    except typer.BadParameter as wrong:
        wrong.message = _said(wrong.message)
        raise


def _said(message: str) -> str:
    for pattern, words in _WORDS:
        message = re.sub(f"^{pattern}", words, message)
    choice = _CHOICE.fullmatch(message)
    if choice is None:
        return message
    near = difflib.get_close_matches(choice["word"].lower(), re.findall("'([^']*)'", choice["choices"]), n=1)
    return f"{message} Did you mean '{near[0]}'?" if near else message
