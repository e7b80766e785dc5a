"""What the JSON form of an anomaly says beyond its amounts: its odds, dearer tokens, silence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rules.evidence import Evidence
from rules.model import AnomalyEvidence, Odds, PriceShift, SilenceEvidence, UnitPriceEvidence
from rules.money import usd_string


def shift_json(evidence: Evidence) -> dict[str, Any]:
    """Objects by name; empty for what is no anomaly. Prices are of a million output tokens."""
    match evidence:
        case AnomalyEvidence():
            price = {} if evidence.price is None else {"unit_price": _shift(evidence.price)}
            return price | _odds(evidence.odds)
        case UnitPriceEvidence():
            more = {
                "output_tokens": evidence.tokens,
                "spent_usd": usd_string(evidence.observed),
                "at_the_usual_price_usd": usd_string(evidence.expected),
                "more_per_hour_usd": usd_string(evidence.per_hour),
            }
            return {"unit_price": _shift(evidence.shift) | more} | _odds(evidence.odds)
        case SilenceEvidence():
            silence = {
                "since": _utc(evidence.since),
                "hours": evidence.hours,
                "usual_per_hour_usd": usd_string(evidence.normal_per_hour),
                "missing_usd": usd_string(evidence.missing),
                "longest_before_hours": evidence.longest,
            }
            return {"silence": silence}
        case _:
            return {}


def _shift(shift: PriceShift) -> dict[str, Any]:
    return {
        "unit": "million output tokens",
        "before_usd": usd_string(shift.before),
        "now_usd": usd_string(shift.now),
        "since": _utc(shift.since),
        "more_usd": usd_string(shift.excess),
    }


def _odds(odds: Odds | None) -> dict[str, Any]:
    if odds is None:
        return {}
    return {"clean_data": {"at_most_a_year": odds.a_year, "series": odds.series, "less_than": odds.floored}}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
