"""Charges as CSV in the shape of FOCUS 1.2, the FinOps Open Cost and Usage Specification.

The columns are FOCUS's own, with its names, formats and nulls (empty cells); those that begin with x_ are ours.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from io import StringIO
from typing import Final

from rules.model import CONSOLE, UNATTRIBUTED, UNKNOWN, Leaf, Names
from rules.money import usd_string
from watcher.ledger.focus import Charge, Used
from watcher.ledger.spend_csv import defused
from watcher.ledger.spend_json import utc_text
from watcher.pricing import KINDS
from watcher.pricing.rates import TOKENS

COLUMNS: Final = (
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency"),
    *("BillingPeriodEnd", "BillingPeriodStart"),
    *("ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart"),
    *("ConsumedQuantity", "ConsumedUnit", "ContractedCost", "ContractedUnitPrice", "EffectiveCost"),
    *("InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit"),
    *("ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType"),
    *("ServiceCategory", "ServiceName", "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId"),
    *("SubAccountId", "SubAccountName", "SubAccountType", "Tags"),
    *("x_Attribution", "x_ContextWindow", "x_Model", "x_PriceSource", "x_ServiceTier", "x_Speed", "x_Standing"),
    "x_TokenKind",
)

_METERS: Final = (
    "Uncached Input Tokens",
    "Cache Read Tokens",
    "5-Minute Cache Write Tokens",
    "1-Hour Cache Write Tokens",
    "Output Tokens",
    "Web Searches",
)
_PROVIDER: Final = "Anthropic"
_EVERYWHERE: Final = frozenset({"", "global", "not_available"})
_AT_ONCE: Final = 500
_PICO_PLACES: Final = 12

Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class Account:
    """An organization whose bill it is: its id, its name, and what people call its ids."""

    id: str
    name: str
    names: Names


def focus_csv(bills: Iterable[tuple[Account, Iterable[Charge]]]) -> Iterator[str]:
    """The header and one line a charge, account after account, some hundred lines at a time.

    Lines end in a line feed. Money and prices are exact decimals of dollars. In names, control characters are replaced,
    as in `watcher.ledger.spend_csv`; ids stay whole, and one that a spreadsheet might take for a formula, or that
    begins with an apostrophe, is given one more in front.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, cells in enumerate(_every(bills), 1):
        writer.writerow([cells[column] for column in COLUMNS])
        if number % _AT_ONCE == 0:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def _every(bills: Iterable[tuple[Account, Iterable[Charge]]]) -> Iterator[Cells]:
    for account, charges in bills:
        known = _Known(account)
        yield from map(known.of_charge, charges)


def defused_id(ident: str) -> str:
    """An id as a harmless cell from which it can be had back: `=1` becomes `'=1`, and `'1` becomes `''1`."""
    return f"'{ident}" if defused(ident).startswith("'") else ident


class _Known:
    """Cells of charges; what is the same for all charges of a key or of a price is made once."""

    def __init__(self, account: Account) -> None:
        self._names = account.names
        self._always = {
            **dict.fromkeys(COLUMNS, ""),
            "BillingAccountId": defused_id(account.id),
            "BillingAccountName": defused(account.name),
            "BillingCurrency": "USD",
            "ChargeCategory": "Usage",
            "ChargeFrequency": "Usage-Based",
            "InvoiceIssuerName": _PROVIDER,
            "ProviderName": _PROVIDER,
            "PublisherName": _PROVIDER,
            "ServiceCategory": "AI and Machine Learning",
            "ServiceName": "Claude API",
            "ServiceSubcategory": "Generative AI",
            "SubAccountType": "Workspace",
        }
        self._of_leaf = lru_cache(maxsize=50_000)(self._leaf)

    def of_charge(self, charge: Charge) -> Cells:
        """Every column's cell."""
        cost = usd_string(charge.cost)
        return {
            **self._of_leaf(charge.leaf),
            **_period(charge.start, charge.end),
            **(_used(charge.used) if charge.used is not None else {"ListCost": cost, "ContractedCost": cost}),
            "BilledCost": cost,
            "EffectiveCost": cost,
            "x_Standing": charge.standing,
        }

    def _leaf(self, leaf: Leaf) -> Cells:
        names, key, workspace = self._names, leaf.api_key, leaf.workspace
        cells = {
            **self._always,
            "ChargeDescription": "Cost that no usage explains",
            "SubAccountId": defused_id(workspace),
            "SubAccountName": _name(names, workspace),
            "Tags": json.dumps(dict(sorted(names.tags_of_workspace.get(workspace, {}).items()))),
            "x_ServiceTier": "" if leaf.service_tier == UNKNOWN else defused_id(leaf.service_tier),
            "x_Model": "" if leaf.model == UNATTRIBUTED else defused_id(leaf.model),
            "x_Attribution": {CONSOLE: "console", UNATTRIBUTED: "unattributed"}.get(key, "api_key"),
        }
        if key not in {CONSOLE, UNATTRIBUTED}:
            cells |= {"ResourceId": defused_id(key), "ResourceName": _name(names, key), "ResourceType": "API Key"}
        return cells


def _name(names: Names, ident: str) -> str:
    """What people call an id; empty where nobody ever said."""
    name = names.of(ident)
    return "" if name == ident else defused(name)


def _used(used: Used) -> Cells:
    quantity = str(used.quantity)
    return {
        **_sku(used.traffic, used.kind),
        "ConsumedQuantity": quantity,
        "PricingQuantity": quantity,
        "ListUnitPrice": _usd_of_pico(used.listed.pico),
        "ListCost": _usd_of_pico(used.listed.pico * used.quantity),
        "ContractedUnitPrice": _usd_of_pico(used.price.pico),
        "ContractedCost": _usd_of_pico(used.price.pico * used.quantity),
        "x_PriceSource": used.price.source,
    }


@lru_cache(maxsize=5_000)
def _sku(traffic: tuple[str, ...], kind: int) -> Cells:
    """What the traffic and the kind alone decide."""
    model, tier, window, geo, speed = traffic
    unit = "Tokens" if kind < TOKENS else "Searches"
    sku = f"{model}/{KINDS[kind]}"
    details = {"x_ServiceTier": tier, "x_ContextWindow": window, "x_InferenceGeo": geo, "x_Speed": speed}
    region = "" if geo in _EVERYWHERE else defused_id(geo)
    return {
        "ChargeDescription": defused(f"{model}: {_METERS[kind]}" + (f", {tier} tier" if tier else "")),
        "ConsumedUnit": unit,
        "PricingUnit": unit,
        "PricingCategory": "Standard",
        "RegionId": region,
        "RegionName": region,
        "SkuId": defused_id(sku),
        "SkuMeter": _METERS[kind],
        "SkuPriceDetails": json.dumps({name: value for name, value in details.items() if value}),
        "SkuPriceId": defused_id("/".join((sku, tier or "-", window or "-", geo or "-", speed or "-"))),
        "x_ContextWindow": defused_id(window),
        "x_ServiceTier": defused_id(tier),
        "x_Speed": defused_id(speed),
        "x_TokenKind": KINDS[kind],
    }


@lru_cache(maxsize=64)
def _period(start: datetime, end: datetime) -> Cells:
    """The charge's slot of time, and the calendar month in UTC that it is billed in."""
    month = start.astimezone(UTC).replace(day=1, hour=0)
    following = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
    return {
        "BillingPeriodStart": utc_text(month),
        "BillingPeriodEnd": utc_text(following),
        "ChargePeriodStart": utc_text(start),
        "ChargePeriodEnd": utc_text(end),
    }


def _usd_of_pico(pico: int) -> str:
    """Exact dollars of pico-dollars, which are not negative, without needless zeros."""
    whole, fraction = divmod(pico, 10**_PICO_PLACES)
    return f"{whole}.{fraction:0{_PICO_PLACES}d}".rstrip("0").rstrip(".")
