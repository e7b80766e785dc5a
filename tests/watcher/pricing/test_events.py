from datetime import date

from watcher.pricing import BookState, Discount, Learned, price_events
from watcher.pricing.events import DiscountJumped, ModelFirstSeen, ModelPriced

DAY = date(2026, 11, 1)
OPUS, NEW = "claude-opus-5-5", "claude-zenith-1"


def state(
    ratio: int = 800_000, spread: int = 0, models: tuple[str, ...] = (OPUS,), unpriced: tuple[str, ...] = ()
) -> BookState:
    learned = Learned({(OPUS, 4): Discount(ratio, spread, 9, DAY, DAY)})
    return BookState(learned, frozenset(models), frozenset(unpriced))


def test_a_first_state_is_no_event() -> None:
    assert price_events(None, state(models=(OPUS, NEW))) == ()


def test_nothing_changed_is_no_event() -> None:
    assert price_events(state(), state()) == ()


def test_a_model_first_seen_is_told_with_whether_it_has_a_price() -> None:
    after = state(models=(OPUS, "claude-haiku-4-5", NEW), unpriced=(NEW,))
    assert price_events(state(), after) == (ModelFirstSeen("claude-haiku-4-5", False), ModelFirstSeen(NEW, True))


def test_a_stand_in_that_a_learned_price_replaces_is_told() -> None:
    assert price_events(state(models=(NEW,), unpriced=(NEW,)), state(models=(NEW,))) == (ModelPriced(NEW),)


def test_a_model_that_is_no_longer_used_has_not_been_priced() -> None:
    assert price_events(state(models=(NEW,), unpriced=(NEW,)), state(models=())) == ()


def test_a_ratio_that_moves_by_more_than_two_percent_has_jumped() -> None:
    assert price_events(state(800_000), state(816_000)) == ()
    assert price_events(state(800_000), state(700_000)) == (DiscountJumped(OPUS, "output", 800_000, 700_000),)


def test_a_ratio_that_always_moves_has_to_move_more() -> None:
    assert price_events(state(800_000, spread=50_000), state(700_000)) == ()
    assert price_events(state(800_000, spread=50_000), state(600_000))


def test_what_was_not_learned_before_has_not_jumped() -> None:
    assert price_events(BookState(Learned(), frozenset({OPUS}), frozenset()), state()) == ()
