"""Volume, price and mix: additive to the nano-dollar, and each where it belongs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.causes import Effects
from rules.effects import Amount, Basket, Item, effects

USD = 1_000_000_000
OPUS, HAIKU = "claude-opus-5", "claude-haiku-5"
PRICES = {(OPUS, "input"): 5000, (OPUS, "output"): 25000, (HAIKU, "input"): 1000, (HAIKU, "output"): 5000}
KINDS = ("uncached_input", "cache_read", "output")

ITEMS = st.builds(Item, st.sampled_from(["a", "b"]), st.sampled_from(["standard", "batch"]), st.sampled_from(KINDS))
BASKETS = st.dictionaries(ITEMS, st.builds(Amount, st.integers(1, 10**12), st.integers(0, 10**15)), max_size=8)


def basket(*rows: tuple[str, str, int], tier: str = "standard", factor: float = 1.0) -> Basket:
    """Millions of tokens of a model: "input" is uncached, "cache" a tenth of its price."""
    made = {}
    for model, kind, millions in rows:
        price = PRICES[model, "input"] // 10 if kind == "cache" else PRICES[model, kind]
        named = {"input": "uncached_input", "cache": "cache_read", "output": "output"}[kind]
        made[Item(model, tier, named)] = Amount(millions * 10**6, round(millions * 10**6 * price * factor))
    return made


def cost(of: Basket) -> int:
    return sum(amount.cost for amount in of.values())


def split(before: Basket, now: Basket) -> Effects:
    return effects(before, now, cost(before), cost(now))


@given(BASKETS, BASKETS, st.integers(0, 10**16), st.integers(0, 10**16))
def test_the_effects_sum_to_the_excess(before: Basket, now: Basket, expected: int, observed: int) -> None:
    found = effects(before, now, expected, observed)
    assert found.excess == observed - expected
    assert found.other == observed - cost(now)


@settings(max_examples=25, deadline=None)
@given(BASKETS, BASKETS, st.integers(2, 9))
def test_how_long_the_past_was_does_not_matter(before: Basket, now: Basket, times: int) -> None:
    longer = {item: Amount(times * amount.quantity, times * amount.cost) for item, amount in before.items()}
    assert effects(before, now, 7 * USD, 9 * USD) == effects(longer, now, 7 * USD, 9 * USD)


def test_more_of_the_same_is_volume() -> None:
    found = split(basket((OPUS, "input", 10), (OPUS, "output", 2)), basket((OPUS, "input", 30), (OPUS, "output", 6)))
    assert found.volume == found.excess > 0
    assert (found.tokens, found.tokens_expected) == (36_000_000, 12_000_000)


def test_another_model_is_mix_also_when_it_was_never_used_before() -> None:
    found = split(
        basket((HAIKU, "input", 10), (HAIKU, "output", 10)), basket((OPUS, "input", 10), (OPUS, "output", 10))
    )
    assert found.model == found.excess > 0
    assert (found.gained, found.lost) == (OPUS, HAIKU)


def test_a_cache_that_no_longer_hits_is_another_kind_of_token() -> None:
    before = basket((OPUS, "input", 1), (OPUS, "cache", 9), (OPUS, "output", 1))
    now = basket((OPUS, "input", 9), (OPUS, "cache", 1), (OPUS, "output", 1))
    found = split(before, now)
    assert found.kind == found.excess > 0
    assert (found.cache_before, found.cache) == (900_000, 100_000)


def test_a_dearer_tier_is_a_mix_of_tiers() -> None:
    found = split(basket((OPUS, "output", 4), tier="batch", factor=0.5), basket((OPUS, "output", 4)))
    assert found.tier == found.excess > 0
    assert (found.tier_gained, found.tier_lost) == ("standard", "batch")


def test_the_same_dearer_is_price() -> None:
    used = ((OPUS, "input", 10), (OPUS, "output", 2))
    found = split(basket(*used), basket(*used, factor=1.25))
    assert found.price == found.excess > 0


def test_what_no_tokens_explain_is_told_apart() -> None:
    used = basket((OPUS, "input", 10))
    assert effects(used, used, cost(used), cost(used) + 7 * USD).other == 7 * USD


def test_cost_beside_the_tokens_that_was_always_there_is_no_effect() -> None:
    used, more = basket((OPUS, "input", 10)), basket((OPUS, "input", 30))
    beside = cost(used) // 10
    found = effects(used, more, cost(used) + beside, cost(more) + beside, beside)
    assert found.volume == found.excess == cost(more) - cost(used)
    assert found.tokens_expected == 10_000_000


def test_without_a_past_all_of_it_is_volume() -> None:
    now = basket((OPUS, "input", 10))
    assert effects({}, now, USD // 100, cost(now)).volume == cost(now) - USD // 100


@pytest.mark.parametrize("nothing", [{}, {Item(OPUS, "standard", "output"): Amount(0, 0)}])
def test_nothing_used_is_no_effect_of_tokens(nothing: Basket) -> None:
    found = effects(nothing, nothing, 0, 5)
    assert (found.other, found.excess, found.gained, found.lost) == (5, 5, "", "")
