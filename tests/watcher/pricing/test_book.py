import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest

from watcher.pricing import PriceBook, Traffic
from watcher.pricing.lists import PromptLengths
from watcher.pricing.published import prompt_lengths

NOW = date(2026, 11, 20)
BOOK = PriceBook()

# USD per million tokens: input / 5 m write / 1 h write / cache read / output.
PUBLISHED = {
    "claude-opus-5-5": "4/5/8/0.2/20",
    "claude-opus-5": "5/6.25/10/0.5/25",
    "claude-opus-4-8": "5/6.25/10/0.5/25",
    "claude-opus-4-7": "5/6.25/10/0.5/25",
    "claude-opus-4-6": "5/6.25/10/0.5/25",
    "claude-opus-4-5-20251101": "5/6.25/10/0.5/25",
    "claude-opus-4-1-20250805": "15/18.75/30/1.5/75",
    "claude-opus-4-20250514": "15/18.75/30/1.5/75",
    "claude-sonnet-5-5": "2/2.5/4/0.1/10",
    "claude-sonnet-5": "2/2.5/4/0.2/10",
    "claude-sonnet-4-6": "3/3.75/6/0.3/15",
    "claude-sonnet-4-5-20250929": "3/3.75/6/0.3/15",
    "claude-sonnet-4-20250514": "3/3.75/6/0.3/15",
    "claude-haiku-5-5": "0.1/0.125/0.2/0.01/0.5",
    "claude-haiku-4-5-20251001": "1/1.25/2/0.1/5",
    "claude-3-5-haiku-20241022": "0.8/1/1.6/0.08/4",
    "claude-fable-5-2": "8/10/16/0.2/40",
    "claude-mythos-5-2": "8/10/16/0.2/40",
    "claude-fable-5-1": "10/12.5/20/0.25/50",
}
BEFORE_4_6 = {model for model in PUBLISHED if any(part in model for part in ("-4-1", "-4-5", "-4-2025", "3-5"))}


def traffic(
    model: str, tier: str = "standard", window: str = "0-200k", geo: str = "global", speed: str = ""
) -> Traffic:
    return Traffic(model, tier, window, geo, speed)


def published(model: str) -> list[Decimal]:
    five_minutes, hour = 1, 2
    usd = [Decimal(text) * 1_000_000 for text in PUBLISHED[model].split("/")]
    return [usd[0], usd[3], usd[five_minutes], usd[hour], usd[4]]


def pico(item: Traffic, day: date = NOW) -> list[int]:
    return list(BOOK.rates(item, day).pico[:5])


@pytest.mark.parametrize("model", PUBLISHED)
def test_every_published_price_is_in_the_book(model: str) -> None:
    rates = BOOK.rates(traffic(model), NOW)
    assert list(rates.pico[:5]) == published(model)
    assert rates.source == "list"


@pytest.mark.parametrize("day", [date(2026, 10, 13), date(2026, 10, 14)], ids=["before the list knew", "after"])
@pytest.mark.parametrize("model", PUBLISHED)
def test_batch_is_half_on_every_kind_whether_or_not_the_list_knows_it(model: str, day: date) -> None:
    assert pico(traffic(model, tier="batch"), day) == [rate / 2 for rate in published(model)]


@pytest.mark.parametrize("model", PUBLISHED)
def test_us_inference_costs_a_tenth_more_from_4_6_on(model: str) -> None:
    factor = Decimal(1) if model in BEFORE_4_6 else Decimal("1.1")
    assert pico(traffic(model, geo="us")) == [rate * factor for rate in published(model)]


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-opus-4-8", "claude-opus-4-6"])
def test_fast_mode_is_double_and_never_on_top_of_batch(model: str) -> None:
    standard = published(model)
    assert pico(traffic(model, speed="fast")) == [2 * rate for rate in standard]
    assert pico(traffic(model, tier="batch", speed="fast")) == [rate / 2 for rate in standard]


def test_batch_and_us_together_keep_every_digit_of_the_cheapest_kind() -> None:
    assert BOOK.rates(traffic("claude-haiku-5-5", tier="batch", geo="us"), NOW).pico[1] == 5_500


@pytest.mark.parametrize("model", ["claude-sonnet-4-20250514", "claude-sonnet-4-5-20250929"])
def test_prompts_over_200k_cost_more_on_sonnet_4_and_4_5(model: str) -> None:
    doubled = [2 * rate for rate in published(model)[:4]]
    assert pico(traffic(model, window="200k-1M")) == [*doubled, published(model)[4] * Decimal("1.5")]


@pytest.mark.parametrize("model", ["claude-opus-4-6", "claude-sonnet-4-6"])
def test_the_long_context_premium_of_4_6_ended_on_13_march_2026(model: str) -> None:
    long = traffic(model, window="200k-1M")
    assert pico(long, date(2026, 3, 13)) == published(model)
    assert pico(long, date(2026, 3, 12))[0] == 2 * published(model)[0]
    assert pico(long, date(2026, 3, 12))[4] == published(model)[4] * Decimal("1.5")


def test_a_price_step_that_the_report_cannot_show_is_taken_low_and_marked() -> None:
    short = BOOK.rates(traffic("claude-haiku-5-5", window="0-200k"), NOW)
    long = BOOK.rates(traffic("claude-haiku-5-5", window="200k-1M"), NOW)
    assert (short.uncertain, short.pico[0]) == (True, 100_000)
    assert (long.uncertain, long.pico[0]) == (False, 500_000)


@pytest.mark.parametrize("tier", ["priority", "priority_on_demand", "flex", "flex_discount", "", "of tomorrow"])
def test_tiers_without_a_published_price_are_standard_and_uncertain(tier: str) -> None:
    rates = BOOK.rates(traffic("claude-opus-5-5", tier=tier), NOW)
    assert list(rates.pico[:5]) == published("claude-opus-5-5")
    assert rates.uncertain


def test_a_plain_listed_price_is_certain() -> None:
    assert not BOOK.rates(traffic("claude-opus-5-5"), NOW).uncertain


def test_a_web_search_is_a_cent_in_every_mode() -> None:
    for item in (
        traffic("claude-opus-5-5"),
        traffic("claude-opus-5-5", tier="batch", geo="us"),
        traffic("claude-new-1"),
    ):
        assert BOOK.rates(item, NOW).pico[5] == 10_000_000_000


def test_an_unknown_model_costs_the_dearest_of_its_family_and_says_so() -> None:
    rates = BOOK.rates(traffic("claude-opus-9-1"), NOW)
    assert list(rates.pico[:5]) == published("claude-opus-4-1-20250805")
    assert (rates.source, rates.uncertain) == ("unpriced", True)


@pytest.mark.parametrize("model", ["claude-zenith-1", "", "gpt-9", "[bold]\u202e"])
def test_a_model_of_unknown_family_costs_the_dearest_of_all(model: str) -> None:
    rates = BOOK.rates(traffic(model), NOW)
    assert list(rates.pico[:5]) == published("claude-opus-4-1-20250805")
    assert rates.source == "unpriced"


def test_a_stand_in_takes_the_modifiers_too() -> None:
    assert pico(traffic("claude-opus-9", tier="batch", geo="us"))[0] == 15_000_000 * Decimal("0.55")


def test_an_alias_or_a_date_after_a_known_model_is_that_model() -> None:
    assert pico(traffic("claude-sonnet-5-5-latest")) == published("claude-sonnet-5-5")
    assert pico(traffic("claude-fable-5-2@20261001")) == published("claude-fable-5-2")


def test_a_model_of_old_without_cache_prices_still_costs_something_for_every_kind() -> None:
    assert min(pico(traffic("claude-2.1"))) > 0


@pytest.mark.parametrize(
    ("window", "lengths"),
    [
        ("0-200k", PromptLengths(0, 200_000)),
        ("200k-1M", PromptLengths(200_000, 1_000_000)),
        ("", PromptLengths()),
        ("huge", PromptLengths()),
    ],
)
def test_context_windows_are_read_as_prompt_lengths(window: str, lengths: PromptLengths) -> None:
    assert prompt_lengths(window) == lengths


def test_prices_need_no_network_and_the_import_is_put_off_until_the_first_one() -> None:
    program = """
import socket, sys
from datetime import date
def refuse(*arguments, **options):
    raise AssertionError("a connection was tried")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from watcher.pricing import PriceBook, Traffic
assert "genai_prices" not in sys.modules
import threading
PriceBook().rates(Traffic("claude-opus-5-5"), date(2026, 11, 20))
assert "genai_prices" in sys.modules
assert threading.active_count() == 1, threading.enumerate()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
