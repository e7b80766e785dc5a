"""Following a sequence of pages to its end, and no further.

`has_more` alone decides: a cursor on the last page is passed over, a promised page without a cursor is an
error, and so is a cursor that was followed before or a sequence that does not end. A cursor is opaque, and
is sent back only with the very parameters that it came with.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from watcher.admin_api.decoding import Page
from watcher.admin_api.errors import BrokenPaging

T = TypeVar("T")


def follow(ask: Callable[[str | None], Page[T]], *, endpoint: str, at_most: int) -> Iterator[tuple[T, ...]]:
    """The items of each page, in order; `ask` gets the page at a cursor, None for the first.

    Raises BrokenPaging where the sequence cannot be followed, after the pages before it were given out:
    whoever needs the whole must take all before using any. Other errors are `ask`'s own.
    """
    seen: set[str] = set()
    cursor: str | None = None
    for _ in range(at_most):
        page = ask(cursor)
        yield page.items
        if not page.has_more:
            return
        cursor = page.cursor
        if not cursor:
            raise BrokenPaging(endpoint, 200, None, "more pages are promised, but there is no cursor to ask for them")
        if cursor in seen:
            raise BrokenPaging(endpoint, 200, None, "the pages go in a circle: a cursor came for the second time")
        seen.add(cursor)
    raise BrokenPaging(endpoint, 200, None, f"more than {at_most} pages came, which cannot be right")
