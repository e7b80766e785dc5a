"""Pages: lists page by object ids, reports by opaque cursors bound to the question they were given for."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from watcher.simulator.errors import invalid
from watcher.simulator.parameters import Parameters

LIST_PARAMETERS = frozenset({"after_id", "before_id", "limit"})

_T = TypeVar("_T")
_PREFIX = "page_"


def list_page(
    items: Sequence[_T], parameters: Parameters, identity: Callable[[_T], str], wire: Callable[[_T], dict[str, Any]]
) -> dict[str, Any]:
    """One page of a directory list: `{data, first_id, last_id, has_more}`.

    Raises:
        ApiError: 400 for both cursors at once, an unknown cursor, or a limit outside 1 to 1000.
    """
    limit = parameters.integer("limit", 20, 1, 1000)
    after, before = parameters.text("after_id"), parameters.text("before_id")
    if after is not None and before is not None:
        raise invalid("after_id and before_id cannot be used together")
    places = {identity(item): place for place, item in enumerate(items)}
    for name, cursor in (("after_id", after), ("before_id", before)):
        if cursor is not None and cursor not in places:
            raise invalid(f"{name}: no object with ID {cursor!r}")
    if before is not None:
        end = places[before]
        start = max(0, end - limit)
        more = start > 0
    else:
        start = 0 if after is None else places[after] + 1
        end = min(len(items), start + limit)
        more = end < len(items)
    page = items[start:end]
    return {
        "data": [wire(item) for item in page],
        "first_id": identity(page[0]) if page else None,
        "last_id": identity(page[-1]) if page else None,
        "has_more": more,
    }


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a report goes on: a position (seconds, or a row number) in the answer to one question."""

    position: int
    question: str

    def encode(self) -> str:
        """The opaque text of the cursor."""
        raw = f"{self.position}.{_digest(self.question)}".encode()
        return _PREFIX + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_cursor(text: str, question: str) -> Cursor:
    """Read a cursor given for `question`. Raises ApiError (400) when it is not one, or was given for another."""
    encoded = text.removeprefix(_PREFIX)
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode("ascii")
        position, _, digest = raw.partition(".")
        cursor = Cursor(int(position), question)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise invalid("page: Invalid page token") from None
    if not text.startswith(_PREFIX) or digest != _digest(question):
        raise invalid("page: Page token does not match the request parameters")
    return cursor


def _digest(question: str) -> str:
    return hashlib.sha256(question.encode()).hexdigest()[:16]


def cursor_page(
    items: Sequence[_T], parameters: Parameters, *, default: int | None, faults: frozenset[str]
) -> tuple[Sequence[_T], str | None]:
    """One page of a list that goes on at a cursor, and the cursor of the next page, which alone says that there is one.

    `default` is the limit when none is asked for, None for all.

    Raises:
        ApiError: 400 for a limit outside 1 to 1000, or a cursor of another question.
    """
    limit = parameters.integer("limit", default or max(1, len(items)), 1, 1000)
    question, page = parameters.fingerprint(), parameters.text("page")
    first = 0 if page is None else read_cursor(page, question).position
    stop = first + limit
    _, cursor = report_tail(
        here=first,
        onward=stop if stop < len(items) else None,
        question=question,
        faults=faults - {"stray-cursor"},
    )
    return items[first:stop], cursor


def report_tail(*, here: int, onward: int | None, question: str, faults: frozenset[str]) -> tuple[bool, str | None]:
    """`(has_more, next_page)` of a report page that began at `here` and goes on at `onward`, if it does.

    Two faults falsify it: `stale-cursor` hands out the cursor of the page just read again, `stray-cursor` leaves a
    cursor on the last page.
    """
    if onward is None:
        stray = Cursor(here, question).encode() if "stray-cursor" in faults else None
        return False, stray
    position = here if "stale-cursor" in faults else onward
    return True, Cursor(position, question).encode()
