"""Why spend is more than was expected, as JSON."""

from __future__ import annotations

from typing import Any

from rules.cause_words import why
from rules.causes import MILLION, Cause
from rules.money import usd_string


def why_json(cause: Cause) -> dict[str, Any]:
    """The line that people read, the excess by what it comes from, and who carries it; null what is not known.

    Money is an exact decimal string of dollars, and `effects` sum to `excess_usd`; shares are of 1.
    """
    effects, carriers = cause.effects, cause.carriers
    document: dict[str, Any] = {
        "text": why(cause) or None,
        "excess_usd": usd_string(cause.excess),
        "effects": None,
        "keys": None,
    }
    if effects is not None:
        document["effects"] = {
            "volume_usd": usd_string(effects.volume),
            "model_usd": usd_string(effects.model),
            "service_tier_usd": usd_string(effects.tier),
            "token_kind_usd": usd_string(effects.kind),
            "price_usd": usd_string(effects.price),
            "other_usd": usd_string(effects.other),
            "cache_share": effects.cache / MILLION,
            "cache_share_before": effects.cache_before / MILLION,
        }
    if carriers is not None:
        document["keys"] = {
            "count": carriers.keys,
            "largest_usd": usd_string(carriers.largest),
            "confidence": carriers.confidence,
            "api_key": carriers.key or None,
            "model": carriers.model or None,
            "pair_usd": usd_string(carriers.pair) if carriers.key else None,
        }
    return document
