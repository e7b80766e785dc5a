"""Money is exact: parsed from the decimal string, shown without losing or inventing anything."""

import random
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.money import LARGEST_NANO, display_usd, parse_cents, parse_usd, usd_string


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("123.45", 1_234_500_000),
        ("0", 0),
        ("-0", 0),
        ("0.0000001", 1),
        ("00012.5", 125_000_000),
        ("-250", -2_500_000_000),
        ("1e2", 1_000_000_000),
        ("1.5E-3", 15_000),
        ("922337203685.4775807", LARGEST_NANO),
    ],
)
def test_cents_become_exact_nano_dollars(text: str, nano: int) -> None:
    assert parse_cents(text) == nano


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("0.00000005", 0),
        ("0.00000015", 2),
        ("0.00000025", 2),
        ("0.000000050000001", 1),
        ("0.00000004999", 0),
        ("-0.00000015", -2),
        ("-0.00000005", 0),
        ("5e-8", 0),
        ("15e-8", 2),
    ],
)
def test_what_lies_below_a_nano_dollar_is_rounded_half_to_even(text: str, nano: int) -> None:
    assert parse_cents(text) == nano


@pytest.mark.parametrize(
    "text",
    [
        "", " ", " 1", "1 ", "1\n", "amount", "NaN", "nan", "sNaN", "Infinity", "-Infinity", "inf", "1,234.5",
        "1_000", "0x10", "1.", ".5", "+1", "--1", "1.2.3", "1e", "1e99999", "1e41", "1e-41", "$1", "1 USD",
        "²", "١٢", "1e1.5",
        "9" * 65, "0." + "1" * 63, "922337203685.4775808", "1e20", "-1e20",
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused_and_shown(text: str) -> None:
    with pytest.raises(ValueError, match="cents") as refused:
        parse_cents(text)
    assert ascii(text[:24])[:-1] in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_refusal_does_not_repeat_an_absurdly_long_text() -> None:
    with pytest.raises(ValueError, match=r"\(1000000 characters\)") as refused:
        parse_cents("9" * 1_000_000)
    assert len(str(refused.value)) < 120


def test_ten_thousand_amounts_sum_as_decimal_sums_them() -> None:
    generator = random.Random(20_261_130)
    texts = []
    for _ in range(10_000):
        places = generator.randint(0, 12)
        digits = f"{generator.randrange(10 ** generator.randint(1, 8))}"
        fraction = "".join(generator.choice("0123456789") for _ in range(places))
        texts.append(f"{generator.choice(['', '', '', '-'])}{digits}{'.' if places else ''}{fraction}")
    total = sum(parse_cents(text) for text in texts)
    with localcontext(prec=60):
        exact = sum((Decimal(text) * 10_000_000 for text in texts), Decimal(0))
        rounded = sum((Decimal(text) * 10_000_000).to_integral_value(rounding=ROUND_HALF_EVEN) for text in texts)
    assert total == rounded
    assert abs(total - exact) <= Decimal("0.5") * len(texts)


def test_amounts_of_up_to_seven_fractional_digits_sum_without_any_rounding() -> None:
    generator = random.Random(7)
    texts = [f"{generator.randrange(10**14)}e-7" for _ in range(1_000)]
    assert sum(map(parse_cents, texts)) == sum(Decimal(text) * 10_000_000 for text in texts)


@given(st.decimals(min_value=-(10**11), max_value=10**11, places=12, allow_nan=False, allow_infinity=False))
def test_parsing_is_the_rounding_of_decimal(amount: Decimal) -> None:
    with localcontext(prec=60):
        expected = int((amount * 10_000_000).to_integral_value(rounding=ROUND_HALF_EVEN))
    assert parse_cents(f"{amount:f}") == expected


@given(st.integers(min_value=-LARGEST_NANO, max_value=LARGEST_NANO))
def test_the_exact_string_reads_back_as_the_same_amount(nano: int) -> None:
    text = usd_string(nano)
    assert parse_usd(text) == nano
    assert "e" not in text.lower()
    assert Decimal(text) * 10**9 == nano


@given(st.text(max_size=80))
def test_any_text_is_either_an_integer_or_a_value_error(text: str) -> None:
    try:
        nano = parse_cents(text)
    except ValueError:
        return
    assert abs(nano) <= LARGEST_NANO


@pytest.mark.parametrize(
    ("text", "nano"), [("10000", 10**13), ("0.000000001", 1), ("1E+3", 10**12), ("-1.5", -1_500_000_000)]
)
def test_dollars_of_a_config_are_read_as_dollars(text: str, nano: int) -> None:
    assert parse_usd(text) == nano


def test_a_refused_dollar_amount_says_dollars() -> None:
    with pytest.raises(ValueError, match="not a decimal number of dollars: 'ten'"):
        parse_usd("ten")


@pytest.mark.parametrize(
    ("nano", "text"),
    [(1_234_500_000, "1.2345"), (0, "0"), (12 * 10**9, "12"), (-1, "-0.000000001"), (100 * 10**9, "100")],
)
def test_the_exact_string_has_no_exponent_and_no_needless_zeros(nano: int, text: str) -> None:
    assert usd_string(nano) == text


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (1_234_500_000, "$1.23"),
        (12_345_678_900_000, "$12,345.68"),
        (0, "$0.00"),
        (1, "<$0.01"),
        (9_999_999, "<$0.01"),
        (-9_999_999, "-<$0.01"),
        (10_000_000, "$0.01"),
        (-3_000_000_000, "-$3.00"),
        (15_000_000, "$0.02"),
        (25_000_000, "$0.02"),
        (999_999_999, "$1.00"),
        (1_000_000 * 10**9, "$1,000,000.00"),
    ],
)
def test_money_is_shown_to_people_in_cents(nano: int, text: str) -> None:
    assert display_usd(nano) == text
