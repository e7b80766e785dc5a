"""Words for people: hostile names made harmless, times, durations and shares put shortly."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rules import clock_words
from rules.wording import clean as harmless

LONGEST_NAME = 60
LONGEST_GIVEN = 100
"""The most characters that the configuration lets its owner call something."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_MARKS_IN_A_ROW = 3
_BARS = "▁▂▃▄▅▆▇█"
_LIVE = re.compile(r"<(?=[!@#]|[a-z]+:)", re.IGNORECASE)
_AT = re.compile(r"(?<!\w)@(?=\w)")
_LINK = re.compile(r"\]\s*\(")


when, duration, ago = clock_words.when, clock_words.duration, clock_words.ago


def clean(text: str, longest: int = LONGEST_NAME) -> str:
    """One line of text that cannot rearrange or hide what stands around it, at most `longest` characters long.

    Line breaks become blanks; control characters (escape sequences begin with one), marks that turn the direction of
    writing, invisible characters and lone surrogates become U+FFFD, so that they are seen (`rules.wording.clean`). Of a
    pile of combining marks three stay. A long text loses its middle, since both ends of a name tell it from its
    neighbours. What the medium itself gives a meaning to (`<`, `*`, `[`) is left for the renderer to escape.
    """
    if text.isascii() and text.isprintable():
        return shorten(text.strip() or REPLACEMENT, longest)
    kept: list[str] = []
    marks = 0
    for char in harmless(text, max(len(text), 1)):
        marks = marks + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        if marks <= _MARKS_IN_A_ROW:
            kept.append(" " if char.isspace() else char)
    return shorten("".join(kept).strip() or REPLACEMENT, longest)


def given(name: str) -> str:
    """A name out of the configuration, `clean` and whole: no two of them come to the same text."""
    return clean(name, LONGEST_GIVEN)


def tamed(text: str) -> str:
    """The text with the bracket that would begin a mention or a link in Slack replaced by one that looks like it.

    It is for what may end up in mrkdwn, there or behind a bridge, where `<!channel>` would wake everybody.
    """
    return _LIVE.sub("‹", text)


def asleep(text: str) -> str:
    """The text for a medium that is not known: neither Slack's mentions, nor @everyone, nor Markdown's links wake."""
    return _LINK.sub("] (", _AT.sub("\N{FULLWIDTH COMMERCIAL AT}", tamed(text)))


def shorten(text: str, longest: int) -> str:
    """The text itself, or its beginning and end around an ellipsis, `longest` characters together."""
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 3
    return text[: longest - 1 - tail] + "…" + text[len(text) - tail :]


def percent(part: int, whole: int) -> str:
    """A share: "97 %", "0.4 %" below one; "under 0.1 %" for what is not nothing; "0 %" of nothing."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.1:
        return "under 0.1 %"
    if 99.9 <= share < 100:
        return "over 99 %"
    return f"{share:.1f} %" if 0 < share < 1 else f"{share:,.0f} %"


def number(value: float) -> str:
    """A number as a person would write it: "80", "99.5"."""
    return f"{value:g}"


def short_count(count: int) -> str:
    """A count at a glance: "950", "12.3k", "4.5M", "6.7G"."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count / size:.1f}{unit}"
    return str(count)


def bars(values: Sequence[int], highest: int) -> str:
    """One block character a value, its height by its share of `highest`; nothing is the lowest."""
    top = max(highest, 1)
    return "".join(_BARS[min(max(round(7 * value / top), 0), 7)] for value in values)


def plural(count: int, one: str, many: str = "") -> str:
    """ "1 alert", "12 alerts", "1,204 alerts"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
