"""Rates are remembered for all days between two price changes: never past one."""

from datetime import date, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from watcher.pricing import KINDS, OwnPrice, PriceBook, Traffic
from watcher.pricing.published import published_rates

DAYS = st.dates(date(2025, 10, 1), date(2027, 3, 1))
MODELS = st.sampled_from(
    ["claude-opus-4-6", "claude-sonnet-4-6", "claude-haiku-5-5", "claude-sonnet-4-0", "claude-new-9"]
)
TRAFFICS = st.builds(
    Traffic,
    MODELS,
    st.sampled_from(["standard", "batch", "priority"]),
    st.sampled_from(["0-200k", "200k-1M"]),
    st.sampled_from(["global", "us"]),
    st.sampled_from(["", "fast"]),
)
BATCH_IS_LISTED = date(2026, 10, 14)
A_DAY = timedelta(days=1)
OWN = OwnPrice("claude-opus-*", (7,) * len(KINDS), date(2026, 6, 1), date(2026, 8, 1))


@given(st.lists(st.tuples(TRAFFICS, DAYS), min_size=1, max_size=8))
@example([(Traffic("claude-opus-4-6", "batch"), BATCH_IS_LISTED + n * A_DAY) for n in (-1, 0, 1, -2)])
@example([(Traffic("claude-opus-4-6", "standard", "200k-1M"), date(2026, 3, 13) + n * A_DAY) for n in (-1, 0)])
def test_whatever_was_asked_before_a_day_has_its_own_published_price(asked: list[tuple[Traffic, date]]) -> None:
    book = PriceBook()
    for traffic, day in asked:
        assert book.published(traffic, day) == published_rates(traffic, day)


@given(st.lists(st.tuples(TRAFFICS, DAYS), min_size=1, max_size=8))
@example([(Traffic("claude-opus-4-6"), day) for day in (date(2026, 5, 31), date(2026, 6, 1), date(2026, 8, 1))])
def test_an_own_price_holds_from_its_first_day_to_before_its_last(asked: list[tuple[Traffic, date]]) -> None:
    book = PriceBook([OWN])
    for traffic, day in asked:
        assert book.rates(traffic, day) == PriceBook([OWN]).rates(traffic, day)
        owned = OWN.covers(traffic.model, day)
        assert (book.rates(traffic, day).source == "override") == owned
