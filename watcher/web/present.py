"""How the pages write figures, times and names. Markup is escaped by the templates; what breaks a line of text is not
markup and is replaced here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rules.measures import bare
from rules.money import display_usd
from rules.policy import Mode
from watcher.actions.standing import ShutoffStanding, held_words, shutoff_words
from watcher.quiet_words import quiet_words
from watcher.why_words import why_words

_CODE = re.compile(r"`([a-z_][a-zA-Z0-9_ .=-]*)`")
"""What this program writes so; a name with such a mark in it is no command."""
_MODES: Mapping[Mode, str] = {
    "off": "off",
    "dry_run": "dry run",
    "approve": "by approval",
    "auto": "automatic",
}


def mode(standing: ShutoffStanding | None) -> str:
    """What shutoff may do, in a word or two."""
    return "not configured" if standing is None else _MODES[standing.mode]


def moment(value: datetime | None) -> str:
    """A time of day for people, in UTC."""
    return "never" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def ago(value: datetime, now: datetime) -> str:
    """How long ago, in one unit."""
    past = max(now - value, timedelta(0))
    for unit, length in (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1))):
        if past >= length:
            return f"{past // length} {unit} ago"
    return "just now"


def line(value: str) -> str:
    """A line of text, with control and direction-changing characters made visible."""
    return "".join(
        "�" if unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"} else char for char in value
    )


def pieces(sentence: str) -> Iterator[tuple[bool, str]]:
    """A sentence in pieces: whether each is code, as a command or a setting in `backticks` is, and its text."""
    for number, text in enumerate(_CODE.split(sentence)):
        yield number % 2 == 1, text


def name(value: str) -> str:
    """A name that people chose, at most 80 characters, with control and direction-changing characters made visible."""
    shown = line(value)
    return shown if len(shown) <= 80 else shown[:60] + "…" + shown[-19:]


def percent(ratio: float) -> str:
    """A ratio as a whole percentage."""
    return f"{100 * ratio:,.0f} %"


def price(exact: str) -> str:
    """An exact decimal string of dollars with two decimals at least, and as many as its first three digits need."""
    amount = Decimal(exact)
    places = max(2, 2 - amount.adjusted()) if 0 < amount < 1 else 2
    head, _, tail = f"{amount:,.{places}f}".partition(".")
    return f"{head}.{tail.rstrip('0').ljust(2, '0')}"


FILTERS: dict[str, Callable[..., Any]] = {
    "moment": moment,
    "ago": ago,
    "line": line,
    "pieces": pieces,
    "named": name,
    "percent": percent,
    "usd": display_usd,
    "price": price,
    "amount": bare,
    "quieted": quiet_words,
    "reasons": why_words,
    "acting": shutoff_words,
    "held": held_words,
    "mode": mode,
}
