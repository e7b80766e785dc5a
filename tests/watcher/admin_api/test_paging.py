"""Pages are followed to their end, and no further."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.admin_api.decoding import Page
from watcher.admin_api.errors import BrokenPaging, Malformed
from watcher.admin_api.paging import follow


def book(*pages: Page[int]):
    """Pages by the cursor of the page before them, and the cursors that were asked for."""
    asked: list[str | None] = []

    def ask(cursor: str | None) -> Page[int]:
        asked.append(cursor)
        return pages[len(asked) - 1]

    return ask, asked


def read(ask, at_most: int = 100) -> list[int]:
    return [item for items in follow(ask, endpoint="/v1/x", at_most=at_most) for item in items]


def test_a_stray_next_page_on_the_last_page_is_ignored() -> None:
    ask, asked = book(Page((1, 2), True, "b"), Page((3,), False, "stray"))
    assert read(ask) == [1, 2, 3]
    assert asked == [None, "b"]


def test_an_empty_page_in_between_is_followed() -> None:
    ask, _ = book(Page((), True, "b"), Page((3,), False, None))
    assert read(ask) == [3]


@pytest.mark.parametrize("cursor", [None, ""])
def test_a_promised_page_without_a_cursor_is_an_error(cursor: str | None) -> None:
    ask, _ = book(Page((1,), True, cursor))
    with pytest.raises(BrokenPaging, match="no cursor"):
        read(ask)


def test_a_cursor_seen_before_is_an_error_and_not_followed() -> None:
    ask, asked = book(Page((1,), True, "a"), Page((2,), True, "b"), Page((3,), True, "a"))
    with pytest.raises(BrokenPaging, match="circle"):
        read(ask)
    assert asked == [None, "a", "b"]


def test_a_sequence_that_does_not_end_is_broken_off() -> None:
    ask, asked = book(*(Page((number,), True, str(number)) for number in range(50)))
    with pytest.raises(BrokenPaging, match="more than 7 pages"):
        read(ask, at_most=7)
    assert len(asked) == 7


def test_as_many_pages_as_allowed_are_read() -> None:
    ask, _ = book(Page((1,), True, "a"), Page((2,), False, None))
    assert read(ask, at_most=2) == [1, 2]


def test_broken_paging_is_an_answer_that_cannot_be_trusted() -> None:
    assert issubclass(BrokenPaging, Malformed)


@given(st.lists(st.lists(st.integers(), max_size=5).map(tuple), min_size=1, max_size=20))
def test_every_item_of_every_page_comes_once_and_in_order(pages: list[tuple[int, ...]]) -> None:
    last = len(pages) - 1
    ask, _ = book(*(Page(items, index < last, f"c{index}") for index, items in enumerate(pages)))
    assert read(ask) == [item for items in pages for item in items]
