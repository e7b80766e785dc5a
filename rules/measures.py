"""What a budget counts: dollars, tokens of some kind or requests, of the ledger or of the Claude Code report.

Whatever is counted is a whole number by leaf and hour, so that one judgement serves them all: nano-dollars, tokens,
requests. Words for an amount come from here, so that nothing that is not money is ever told as money.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rules.money import display_usd, usd_string

Unit: TypeAlias = Literal["usd", "tokens", "requests"]

TOKENS: Mapping[str, tuple[str, ...]] = {
    "total": ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output"),
    "input": ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h"),
    "uncached_input": ("uncached_input",),
    "cache_read": ("cache_read",),
    "cache_write": ("cache_write_5m", "cache_write_1h"),
    "output": ("output",),
}
"""The kinds of tokens that can be counted, and the price book's kinds that each of them holds."""

_KINDS = {
    "total": "",
    "input": "input ",
    "uncached_input": "uncached input ",
    "cache_read": "cache-read ",
    "cache_write": "cache-write ",
    "output": "output ",
}


@dataclass(frozen=True, slots=True)
class Measure:
    """What is counted. `kind` is of tokens, one of `TOKENS`.

    `claude_code` names the kind of customer ("api", "subscription") of whom Claude Code's own estimate is counted, ""
    where it is the ledger's figure.
    """

    unit: Unit = "usd"
    kind: str = ""
    claude_code: str = ""

    @property
    def id(self) -> str:
        """The measure as it stands in identifiers: "tokens:output", "claude_code:api"; empty for spend in dollars."""
        if self.claude_code:
            return f"claude_code:{self.claude_code}"
        return f"{self.unit}:{self.kind}" if self.kind else "" if self.unit == "usd" else self.unit

    @property
    def noun(self) -> str:
        """What is counted, in words: "output tokens", "requests"; empty for dollars, which have a sign."""
        if self.unit == "tokens":
            return f"{_KINDS.get(self.kind, '')}tokens"
        return "requests" if self.unit == "requests" else ""

    @property
    def is_money(self) -> bool:
        """Whether amounts are nano-dollars."""
        return self.unit == "usd"


SPEND = Measure()
"""What things cost, by the ledger."""


def exact(measure: Measure, amount: int) -> str | int:
    """An amount for programs: money as a decimal string of dollars, anything else as the whole number that it is."""
    return usd_string(amount) if measure.is_money else amount


def bare(measure: Measure, amount: int) -> str:
    """An amount without its noun: "$1,234.50", "12,345,678"."""
    return display_usd(amount) if measure.is_money else f"{amount:,}"


def amount_words(measure: Measure, amount: int) -> str:
    """An amount for people: "$1,234.50", "12,345,678 output tokens", "1 request"."""
    if measure.is_money:
        return display_usd(amount)
    noun = measure.noun.removesuffix("s") if amount == 1 else measure.noun
    return f"{amount:,} {noun}"


def of_limit(measure: Measure, amount: int, limit: int) -> str:
    """ "$80.00 of $100.00", "80,000 of 100,000 output tokens"."""
    return f"{bare(measure, amount)} of {amount_words(measure, limit)}"
