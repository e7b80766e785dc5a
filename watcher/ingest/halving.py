"""Reading around what cannot be read: a bad bucket keeps back itself, and not all that was asked for with it.

An answer that names a bad row says nothing good or bad of its other buckets, and is refused whole. So it is asked for
again in halves, and those in halves, down to the one bucket. What each half tells counts whole or not at all, like any
reading. The bad bucket stays unread: it is not complete, and is asked for again at the next poll.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from watcher.admin_api.errors import BadRequest, BrokenPaging, Malformed

Part = TypeVar("Part")
"""What one reading is of; as text it says so to a person."""

SPLITS = 16
"""How often one source is asked for halves in one poll: enough for a bad hour in each of three days."""
UNREADABLE = 20
"""After so many parts that could not be read a source is left for this time: it is not single buckets that are bad."""


@dataclass(slots=True)
class Splits:
    """How often a reading may still be halved."""

    left: int = SPLITS

    def halves(self, part: Part, error: Malformed, halve: Callable[[Part], tuple[Part, ...]]) -> tuple[Part, ...]:
        """The halves to try in place of a part that could not be read; none where that would not help."""
        if not self.left or isinstance(error, BrokenPaging):
            return ()
        halves = halve(part)
        self.left -= bool(halves)
        return halves


def placed(part: object, error: Malformed) -> Malformed:
    """The error with what was asked for, as its own place counts within the answer alone."""
    told = f"asked for {part}: {error.message}"
    return type(error)(error.endpoint, error.status, error.request_id, told)


def each(
    parts: Iterable[Part], take: Callable[[Part], None], halve: Callable[[Part], tuple[Part, ...]] = lambda _: ()
) -> None:
    """Take the parts in order, around what is refused as asked (400) or cannot be read.

    `halve` gives the two halves of a part, or nothing for one of a single bucket. Raises the first refusal once
    everything else was taken, and at once whatever else goes wrong, pages without an end included.
    """
    waiting = list(reversed(list(parts)))
    refused: BadRequest | Malformed | None = None
    splits, unreadable = Splits(), 0
    while waiting and unreadable < UNREADABLE:
        part = waiting.pop()
        try:
            take(part)
        except BrokenPaging:
            raise
        except BadRequest as error:
            refused = refused or error
        except Malformed as error:
            halves = splits.halves(part, error, halve)
            waiting += reversed(halves)
            if not halves:
                refused, unreadable = refused or placed(part, error), unreadable + 1
    if refused is not None:
        raise refused
