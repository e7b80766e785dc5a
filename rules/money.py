"""Money as integer nano-dollars: parsed exactly from decimal strings, shown exactly or for people.

One nano-dollar is 1e-9 USD. A 64-bit integer of them reaches beyond nine billion dollars, and whatever is
refused here as too large would not have fitted. Nothing in this module touches a float.

The wire's amounts are decimal strings of *cents*: "123.45" is $1.2345, which is 1,234,500,000 nano-dollars.
Reading them as dollars is the classic mistake of this field, so the two parsers carry the unit in their
names.
"""

import re

NANO_PER_USD = 1_000_000_000
NANO_PER_CENT = 10_000_000
LARGEST_NANO = 2**63 - 1

_LONGEST_TEXT = 64
_LARGEST_EXPONENT = 40
_DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,4}))?")


def parse_cents(text: str) -> int:
    """The nano-dollars of a decimal string of cents, exactly: `"123.45"` → 1_234_500_000.

    Up to seven fractional digits of a cent are exact; what lies below a nano-dollar is rounded half to
    even. Negative amounts (credits) are read. ValueError, naming what came, for anything that is not a
    plain decimal number (NaN, Infinity, empty, words, blanks, a comma), for one longer than 64 characters,
    and for one beyond int64.
    """
    return _parse(text, decimal_places=7, unit="cents")


def parse_usd(text: str) -> int:
    """The nano-dollars of a decimal string of dollars: `"1.2345"` → 1_234_500_000. Rules of `parse_cents`."""
    return _parse(text, decimal_places=9, unit="dollars")


def usd_string(nano: int) -> str:
    """The exact amount in dollars, no exponent, no needless zeros: 1_234_500_000 → `"1.2345"`, 0 → `"0"`."""
    whole, fraction = divmod(abs(nano), NANO_PER_USD)
    digits = f"{whole}.{fraction:09d}".rstrip("0").rstrip(".")
    return f"-{digits}" if nano < 0 else digits


def display_usd(nano: int) -> str:
    """The amount for people, rounded half to even to the cent: `"$1.23"`, `"$12,345.68"`, `"-$3.00"`.

    An amount that is not zero yet under a cent is never shown as zero: `"<$0.01"`, or `"-<$0.01"` for a
    credit.
    """
    size = abs(nano)
    sign = "-" if nano < 0 else ""
    if 0 < size < NANO_PER_CENT:
        return f"{sign}<$0.01"
    dollars, cents = divmod(divide_half_even(size, NANO_PER_CENT), 100)
    return f"{sign}${dollars:,}.{cents:02d}"


def _parse(text: str, *, decimal_places: int, unit: str) -> int:
    """`text` times 10**decimal_places as an integer, rounded half to even."""
    match = _DECIMAL.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    if match is None:
        raise ValueError(f"not a decimal number of {unit}: {_shown(text)}")
    sign, whole, fraction, exponent_text = match.groups(default="")
    exponent = int(exponent_text or "0")
    if abs(exponent) > _LARGEST_EXPONENT:
        raise ValueError(f"the exponent of this number of {unit} is absurd: {_shown(text)}")
    shift = decimal_places + exponent - len(fraction)
    digits = int(whole + fraction)
    nano = digits * 10**shift if shift >= 0 else divide_half_even(digits, 10**-shift)
    if nano > LARGEST_NANO:
        raise ValueError(f"this number of {unit} is too large to be money: {_shown(text)}")
    return -nano if sign else nano


def divide_half_even(dividend: int, divisor: int) -> int:
    """dividend / divisor for non-negative integers, rounded half to even."""
    quotient, rest = divmod(dividend, divisor)
    twice = 2 * rest
    return quotient + 1 if twice > divisor or (twice == divisor and quotient % 2) else quotient


def _shown(text: str) -> str:
    """What came, as printable ASCII and no longer than a line."""
    return ascii(text) if len(text) <= _LONGEST_TEXT else f"{text[:24]!a}… ({len(text)} characters)"
