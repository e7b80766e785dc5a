from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.pricing import KINDS, Discount, Learned, OwnPrice, PriceBook, Traffic, plain

DAY = date(2026, 11, 20)
OPUS, NEW = "claude-opus-5-5", "claude-opus-9"
NOT_SAID = (None,) * len(KINDS)


def discount(ratio: int, spread: int = 1000) -> Discount:
    return Discount(ratio, spread, 9, date(2026, 11, 2), date(2026, 11, 18))


def learned(model: str, ratio: int) -> Learned:
    return Learned(cells={(model, kind): discount(ratio) for kind in range(5)})


def own(model: str, since: date | None = None, until: date | None = None, **usd_per_million: int) -> OwnPrice:
    pico = tuple(usd_per_million[kind] * 1_000_000 if kind in usd_per_million else None for kind in KINDS)
    return OwnPrice(model, pico, since, until)


def test_the_owners_price_comes_before_everything() -> None:
    book = PriceBook([own("claude-opus-*", output=7)], learned(OPUS, 800_000))
    rates = book.rates(plain(OPUS), DAY)
    assert (rates.pico[4], rates.quotes[4].source) == (7_000_000, "override")
    assert (rates.pico[0], rates.quotes[0].source) == (3_200_000, "learned")


def test_of_the_owners_prices_the_first_that_names_the_kind_is_taken() -> None:
    book = PriceBook([own(OPUS, output=7), own("claude-*", output=9, cache_read=2)])
    assert book.rates(plain(OPUS), DAY).pico[4] == 7_000_000
    assert book.rates(plain(OPUS), DAY).pico[1] == 2_000_000
    assert book.rates(plain("claude-haiku-4-5"), DAY).pico[4] == 9_000_000


def test_the_owners_prices_hold_from_their_first_day_until_before_their_last() -> None:
    book = PriceBook([own(OPUS, date(2026, 11, 1), date(2026, 11, 20), output=7)])
    paid = [book.rates(plain(OPUS), date(2026, *day)).pico[4] for day in ((10, 31), (11, 1), (11, 19), (11, 20))]
    assert paid == [20_000_000, 7_000_000, 7_000_000, 20_000_000]
    assert book.rates(plain(OPUS), date(2026, 11, 1)).quotes[4].since == date(2026, 11, 1)


@pytest.mark.parametrize("model", [OPUS, NEW])
def test_published_factors_come_on_top_of_the_owners_price(model: str) -> None:
    book = PriceBook([own("*", output=10)])
    assert book.rates(Traffic(model, "batch", "0-200k", "us"), DAY).pico[4] == 5_500_000
    assert book.rates(Traffic(model, "standard", "0-200k", "global", "fast"), DAY).pico[4] == 20_000_000


def test_an_owner_can_price_a_model_that_no_list_holds_and_searches() -> None:
    book = PriceBook([OwnPrice(NEW, (1, 2, 3, 4, 5, 6))])
    rates = book.rates(plain(NEW), DAY)
    assert (rates.pico, rates.source, rates.uncertain) == ((1, 2, 3, 4, 5, 6), "override", False)


def test_a_learned_ratio_is_taken_times_the_list_price_of_the_day_with_its_spread() -> None:
    rates = PriceBook(learned=learned(OPUS, 800_000)).rates(Traffic(OPUS, "batch", "0-200k", "us"), DAY)
    assert rates.pico[:5] == (1_760_000, 88_000, 2_200_000, 3_520_000, 8_800_000)
    assert rates.source == "learned"
    assert {(quote.spread, quote.days, quote.since) for quote in rates.quotes[:5]} == {(1000, 9, date(2026, 11, 2))}
    assert rates.quotes[5].source == "list"


def test_an_unlisted_model_is_unpriced_until_its_own_days_teach_its_price() -> None:
    others = learned(OPUS, 800_000)
    whole = Learned(others.cells, organization=discount(800_000))
    before = PriceBook(learned=whole).rates(plain(NEW), DAY)
    assert before.source == "unpriced"
    assert before.pico[:5] == (15_000_000, 1_500_000, 18_750_000, 30_000_000, 75_000_000)
    after = PriceBook(learned=learned(NEW, 320_000)).rates(plain(NEW), DAY)
    assert (after.source, after.pico[:5]) == ("learned", (4_800_000, 480_000, 6_000_000, 9_600_000, 24_000_000))


@pytest.mark.parametrize("day", [date(2024, 1, 1), date(2026, 3, 12), date(2027, 6, 1)])
@pytest.mark.parametrize("model", [NEW, "claude-sonnet-9", "claude-fable-9", "claude-zenith-1"])
def test_the_measure_of_an_unlisted_model_is_the_same_on_every_day(model: str, day: date) -> None:
    long = Traffic(model, "standard", "200k-1M", "global")
    assert PriceBook().basis(long, day) == PriceBook().basis(long, DAY)


def test_the_measure_of_a_listed_model_is_its_list_price_of_the_day() -> None:
    long = Traffic("claude-opus-4-6", "standard", "200k-1M", "global")
    assert [PriceBook().basis(long, date(2026, 3, day)).pico[0] for day in (12, 13)] == [10_000_000, 5_000_000]


def test_a_book_taught_something_else_leaves_the_first_as_it_was() -> None:
    first = PriceBook([own(OPUS, output=7)])
    second = first.taught(learned(OPUS, 500_000))
    assert first.rates(plain(OPUS), DAY).pico[0] == 4_000_000
    assert second.rates(plain(OPUS), DAY).pico[0] == 2_000_000
    assert second.rates(plain(OPUS), DAY).pico[4] == 7_000_000
    assert second.taught(learned(OPUS, 500_000)) is second


def test_a_list_price_says_since_when_it_holds() -> None:
    assert PriceBook().rates(plain("claude-opus-4-6"), DAY).quotes[0].since == date(2026, 3, 13)
    assert PriceBook().rates(plain("claude-opus-4-6"), date(2026, 1, 1)).quotes[0].since is None


@given(
    st.sampled_from([OPUS, NEW, "claude-haiku-5-5", "gpt-9", ""]),
    st.sampled_from(["standard", "batch", "priority"]),
    st.sampled_from(["us", "global", ""]),
    st.one_of(st.none(), st.integers(1, 10**11)),
    st.one_of(st.none(), st.integers(1, 10**9)),
)
def test_no_price_is_ever_zero_or_negative(
    model: str, tier: str, geo: str, price: int | None, ratio: int | None
) -> None:
    owned = [] if price is None else [OwnPrice("*", (None, price, *NOT_SAID[2:]))]
    taught = Learned() if ratio is None else learned(model, ratio)
    assert min(PriceBook(owned, taught).rates(Traffic(model, tier, "0-200k", geo), DAY).pico) > 0
