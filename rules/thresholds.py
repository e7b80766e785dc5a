"""The marks on the way to a budget's limit: what each is worth, how much it matters, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from rules.evidence import BudgetEvidence
from rules.measures import Measure, Unit, amount_words
from rules.money import usd_string
from rules.policy import KeyAction
from rules.scope import Nano, Severity


@dataclass(frozen=True, slots=True)
class Threshold:
    """One mark: so many percent of the limit, or an amount of its own (nano-dollars, tokens …). One of the two is set.

    `severity` None leaves it to how near the limit the mark is.
    """

    percent: float | None = None
    amount: Nano | None = None
    severity: Severity | None = None
    unit: Unit = "usd"
    """Of the amount: that of the budget."""
    action: KeyAction | None = None
    """What is to be done when it is crossed, beside telling."""


Mark: TypeAlias = float | Threshold
"""A bare number is a percent."""


def threshold_amount(limit: Nano, mark: Mark) -> Nano:
    """The least whole number of nano-dollars that has reached the mark; a percent is read as written."""
    if isinstance(mark, Threshold):
        if mark.amount is not None:
            return mark.amount
        mark = mark.percent or 0.0
    part, whole = _part(mark)
    return -(-part * limit // whole)


@lru_cache(maxsize=256)
def _part(percent: float) -> tuple[int, int]:
    """A percent as numerator and denominator."""
    exact = Fraction(str(percent)) / 100
    return exact.numerator, exact.denominator


def mark_amount(mark: Mark) -> Nano | None:
    """The amount of a mark that is one of its own and no percentage."""
    return mark.amount if isinstance(mark, Threshold) else None


def percent_of(limit: Nano, mark: Mark) -> float:
    """The mark in percent of the limit; an amount of its own is 100 % of a limit of nothing."""
    if not isinstance(mark, Threshold):
        return mark
    if mark.amount is None:
        return mark.percent or 0.0
    return 100 * mark.amount / limit if limit else 100.0


def severity_of(limit: Nano, mark: Mark) -> Severity:
    """Its own severity, else information below 80 % of the limit, a warning below 100 %, critical from there on."""
    if isinstance(mark, Threshold) and mark.severity is not None:
        return mark.severity
    percent = percent_of(limit, mark)
    if percent >= 100:
        return Severity.CRITICAL
    return Severity.WARNING if percent >= 80 else Severity.INFO


def mark_id(mark: Mark) -> str:
    """The mark as it stands in identifiers: "80", "33.3", "$9000", "9000 tokens". Its severity is no part."""
    if not isinstance(mark, Threshold) or mark.amount is None:
        return f"{percent_of(0, mark):.10g}"
    return f"${usd_string(mark.amount)}" if mark.unit == "usd" else f"{mark.amount} {mark.unit}"


def told_mark(evidence: BudgetEvidence) -> Mark:
    """The mark that a crossing is about."""
    amount = evidence.threshold_amount
    return evidence.threshold_percent if amount is None else Threshold(amount=amount, unit=evidence.measure.unit)


def mark_words(evidence: BudgetEvidence) -> str:
    """The mark that a crossing is about, for people: "80 %", "$9,000.00"."""
    return mark_text(told_mark(evidence))


def also_words(evidence: BudgetEvidence) -> list[str]:
    """The lower marks that are told with it, for people, ascending."""
    marks: list[Mark] = [
        *evidence.also_crossed,
        *(Threshold(amount=amount, unit=evidence.measure.unit) for amount in evidence.also_crossed_amounts),
    ]
    return [mark_text(mark) for mark in sorted(marks, key=lambda mark: threshold_amount(evidence.limit, mark))]


def mark_text(mark: Mark) -> str:
    """The mark for people: "80 %", "$9,000.00", "9,000 tokens"."""
    if not isinstance(mark, Threshold) or mark.amount is None:
        return f"{percent_of(0, mark):.10g} %"
    return amount_words(Measure(mark.unit), mark.amount)
