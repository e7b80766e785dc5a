from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.pricing import NOTHING, Cell, Learned, PricedDay, learn
from watcher.pricing.learned import ANY_MODEL, ENOUGH, FEWEST_DAYS, MOST_DAYS

FIRST = date(2026, 11, 1)
DAY = timedelta(days=1)
USD = 1_000_000_000
OPUS, HAIKU, NEW = "claude-opus-5-5", "claude-haiku-4-5", "claude-zenith-1"
INPUT, OUTPUT, SEARCH = 0, 4, 5


def paid(listed_usd: float, ratio: float, *, stand_in: bool = False) -> Cell:
    listed = round(listed_usd * USD)
    return Cell(listed, round(listed * ratio), stand_in)


def days(*cells: dict[tuple[str, int], Cell]) -> list[PricedDay]:
    return [PricedDay(FIRST + number * DAY, each) for number, each in enumerate(cells)]


def of_one(*ratios: float, listed_usd: float = 100) -> Learned:
    return learn(days(*({(OPUS, INPUT): paid(listed_usd, ratio)} for ratio in ratios)))


def ratio(learned: Learned, model: str = OPUS, kind: int = INPUT, *, listed: bool = True) -> int:
    discount = learned.discount(model, kind, listed=listed)
    assert discount is not None
    return discount.ratio


def test_the_ratio_is_the_median_of_the_days_and_knows_which_days_they_were() -> None:
    discount = of_one(0.8, 0.7, 0.81).discount(OPUS, INPUT, listed=True)
    assert discount is not None
    assert (discount.ratio, discount.days, discount.basis) == (800_000, 3, "kind")
    assert (discount.since, discount.until) == (FIRST, FIRST + 2 * DAY)


def test_the_spread_is_the_usual_distance_of_a_day_relative_to_the_ratio() -> None:
    discount = of_one(0.8, 0.79, 0.81, 0.8, 0.82).discount(OPUS, INPUT, listed=True)
    assert discount is not None
    assert discount.spread == round(1.4826 * 0.01 / 0.8 * 1_000_000)


def test_two_days_are_too_few_for_anything() -> None:
    assert of_one(*[0.8] * (FEWEST_DAYS - 1)) == NOTHING


def test_a_day_with_too_few_tokens_says_nothing() -> None:
    assert of_one(0.8, 0.8, 0.8, listed_usd=0.49) == NOTHING
    assert ratio(of_one(0.8, 0.8, 0.8, listed_usd=ENOUGH / USD)) == 800_000


def test_free_days_and_credits_teach_nothing() -> None:
    assert of_one(0, 0, 0, -0.5) == NOTHING
    assert ratio(of_one(0, 0, 0, 0, 0.8, 0.8, 0.8)) == 800_000


def test_kinds_are_learned_apart() -> None:
    learned = learn(days(*[{(OPUS, INPUT): paid(9, 0.8), (OPUS, OUTPUT): paid(9, 0.5)}] * 3))
    assert (ratio(learned, kind=INPUT), ratio(learned, kind=OUTPUT)) == (800_000, 500_000)


def test_a_kind_without_days_of_its_own_takes_the_ratio_of_its_model() -> None:
    learned = learn(days(*[{(OPUS, INPUT): paid(30, 0.8), (OPUS, OUTPUT): paid(10, 0.4), (HAIKU, 0): paid(99, 1)}] * 3))
    discount = learned.discount(OPUS, 1, listed=True)
    assert discount is not None
    assert (discount.ratio, discount.basis) == (700_000, "model")


def test_small_kinds_count_in_their_models_ratio() -> None:
    learned = learn(days(*[{(OPUS, kind): paid(0.2, 0.8) for kind in range(4)}] * 3))
    assert not learned.cells
    assert ratio(learned) == 800_000


def test_a_listed_model_without_days_takes_the_ratio_of_the_organization() -> None:
    learned = learn(days(*[{(OPUS, INPUT): paid(10, 0.9), (HAIKU, INPUT): paid(30, 0.7)}] * 3))
    discount = learned.discount("claude-sonnet-5", INPUT, listed=True)
    assert discount is not None
    assert (discount.ratio, discount.basis) == (750_000, "organization")


def test_a_model_without_a_list_price_never_borrows_and_never_lends() -> None:
    learned = learn(days(*[{(OPUS, INPUT): paid(10, 0.9), (NEW, INPUT): paid(500, 0.3, stand_in=True)}] * 3))
    assert ratio(learned, NEW, listed=False) == 300_000
    assert ratio(learned, NEW, OUTPUT, listed=False) == 300_000
    assert learned.discount("claude-zenith-2", INPUT, listed=False) is None
    assert ratio(learned, "claude-sonnet-5") == 900_000


def test_searches_are_learned_whatever_the_model_or_else_like_everything() -> None:
    tokens = {(OPUS, INPUT): paid(10, 0.9)}
    learned = learn(days(*[tokens | {(ANY_MODEL, SEARCH): paid(1, 0.6)}] * 3))
    assert ratio(learned, NEW, SEARCH, listed=False) == 600_000
    assert ratio(learned) == 900_000
    assert ratio(learn(days(*[tokens] * 3)), NEW, SEARCH, listed=False) == 900_000


def test_a_new_discount_is_followed_within_eleven_days() -> None:
    old, new = [0.8] * 40, [0.6] * 11
    assert ratio(of_one(*old, *new[:10])) == 800_000
    assert ratio(of_one(*old, *new)) == 600_000


def test_only_the_latest_days_are_learned_from() -> None:
    discount = of_one(*[0.8] * 40).discount(OPUS, INPUT, listed=True)
    assert discount is not None
    assert (discount.days, discount.since) == (MOST_DAYS, FIRST + 19 * DAY)


usual = st.floats(0.05, 2.0)
wild = st.one_of(st.floats(1e-9, 1e9), st.floats(-10, 0))
amounts = st.builds(Cell, st.integers(-(10**12), 10**15), st.integers(-(10**15), 10**15), st.booleans())
histories = st.lists(
    st.dictionaries(st.tuples(st.sampled_from([OPUS, NEW]), st.integers(0, 5)), amounts, max_size=6), max_size=30
)


@given(st.lists(usual, min_size=FEWEST_DAYS, max_size=MOST_DAYS - 1), wild, st.data())
def test_one_wild_day_never_moves_the_ratio_out_of_what_the_others_say(
    ratios: list[float], odd: float, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(ratios)))
    found = ratio(of_one(*ratios[:at], odd, *ratios[at:]))
    assert round(min(ratios) * 1_000_000) - 1 <= found <= round(max(ratios) * 1_000_000) + 1


@given(usual, wild, st.integers(2, 20), st.data())
def test_one_wild_day_among_equal_ones_moves_nothing(
    usually: float, odd: float, many: int, data: st.DataObject
) -> None:
    ratios = [usually] * many
    ratios.insert(data.draw(st.integers(0, many)), odd)
    if many < FEWEST_DAYS and odd <= 0:
        assert of_one(*ratios) == NOTHING
    else:
        assert abs(ratio(of_one(*ratios)) - usually * 1_000_000) <= 1


@given(histories, st.randoms())
def test_the_order_of_the_days_does_not_matter(history: list[dict[tuple[str, int], Cell]], random: object) -> None:
    in_order = days(*history)
    shuffled = list(in_order)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert learn(shuffled) == learn(in_order)


@given(histories)
def test_whatever_is_learned_is_above_zero(history: list[dict[tuple[str, int], Cell]]) -> None:
    learned = learn(days(*history))
    found = [*learned.cells.values(), *learned.models.values(), learned.organization]
    for discount in found:
        if discount is not None:
            assert 0 < discount.ratio <= 10**9
            assert discount.spread >= 0
            assert FEWEST_DAYS <= discount.days <= MOST_DAYS


@pytest.mark.parametrize("reported", [1, 10**18])
def test_absurd_reports_are_bounded(reported: int) -> None:
    learned = learn(days(*[{(OPUS, INPUT): Cell(10**12, reported)}] * 3))
    assert 1 <= ratio(learned) <= 10**9
