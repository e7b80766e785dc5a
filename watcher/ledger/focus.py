"""Spend as charges, the finest that a bill has: by day or hour, series and kind of token, to the nano-dollar.

What a key spent in a slot of time is shared over the kinds of tokens that it used there by their published price, so
that the shares sum to it exactly and a settled month, exported again, is the same file. Money without tokens behind it
(cost that no usage explains) is a charge without a kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from rules.model import HOUR, Leaf, Nano
from watcher.ledger.days import Day, days_of, earliest, midnight, read_days
from watcher.ledger.grids import HOURS, totals
from watcher.ledger.learning import learn_from
from watcher.ledger.reading import IntArray, LedgerStore
from watcher.ledger.settlement import DaySpend, settle_day
from watcher.ledger.shares import cascade
from watcher.pricing import KINDS, PriceBook, Quote, Traffic

Standing: TypeAlias = Literal["settled", "provisional", "estimated"]

STANDINGS: tuple[Standing, ...] = ("settled", "provisional", "estimated")

_PICO_PER_NANO = 1000
_ESTIMATED = STANDINGS.index("estimated")


@dataclass(frozen=True, slots=True)
class Used:
    """What of a kind was used: tokens or searches, of traffic whose unit the list and the price book price so."""

    traffic: Traffic
    kind: int
    quantity: int
    listed: Quote
    price: Quote


@dataclass(frozen=True, slots=True)
class Charge:
    """What one series cost by one kind in [start, end), a UTC day or hour or the part of it that was asked for.

    `used` is None for money that no usage explains.
    """

    start: datetime
    end: datetime
    leaf: Leaf
    standing: Standing
    cost: Nano
    used: Used | None


def charges(
    store: LedgerStore,
    prices: PriceBook,
    organization: str,
    window: tuple[datetime, datetime],
    now: datetime,
    *,
    hourly: bool = False,
) -> Iterator[Charge]:
    """The charges of the hours that begin in the window `[from, to)`, day after day; few days are in memory at a time.

    They sum to what the spend report says of the same window at `now`, in every combination of workspace, key, model
    and service tier.
    """
    first = _hour_at_or_after(window[0])
    until = min(_hour_at_or_after(window[1]), _hour_at_or_after(now - HOUR + timedelta(microseconds=1)) + HOUR)
    book = prices.taught(learn_from(store, prices, organization, now))
    for day in read_days(store, organization, days_of(max(first, earliest(store, organization, until)), until)):
        begins = midnight(day.usage.day)
        hours = range(max((first - begins) // HOUR, 0), min((until - begins) // HOUR, HOURS))
        slots = [range(hour, hour + 1) for hour in hours] if hourly else [hours]
        spend = settle_day(day, book, now)
        for slot in slots:
            yield from split(day, spend, book, slot)


def split(day: Day, spend: DaySpend, book: PriceBook, hours: range) -> list[Charge]:
    """The charges of some hours of a day, which sum to its spend in them, leaf by leaf and standing by standing.

    Tokens stand with the money of their key in their hour, those that cost nothing with what the day is.
    """
    usage, traffics = day.usage, day.usage.table.traffics
    money = np.stack([getattr(spend, name)[:, hours.start : hours.stop] for name in STANDINGS])
    groups = _groups(day, spend, money, hours)
    listed = [book.published(traffic, usage.day).quotes for traffic in traffics]
    priced = [book.rates(traffic, usage.day).quotes for traffic in traffics]
    where, kind = np.nonzero(groups.counts)
    traffic = usage.table.traffic_of[groups.series[where]]
    quantity = groups.counts[where, kind]
    account = groups.account[where]
    cost = _shared(money.sum(axis=2).ravel(), account, _weights(listed, traffic, kind, quantity))
    begins = midnight(usage.day)
    start, end = begins + hours.start * HOUR, begins + hours.stop * HOUR
    leaves = len(spend.leaves)
    found = [
        Charge(
            start,
            end,
            spend.leaves[which % leaves],
            STANDINGS[which // leaves],
            nano,
            Used(traffics[of], each, amount, listed[of][each], priced[of][each]),
        )
        for which, nano, of, each, amount in zip(
            account.tolist(), cost.tolist(), traffic.tolist(), kind.tolist(), quantity.tolist(), strict=True
        )
    ]
    rest = money.sum(axis=2).ravel()
    rest[account] = 0
    found += [
        Charge(start, end, spend.leaves[which % leaves], STANDINGS[which // leaves], int(rest[which]), None)
        for which in np.flatnonzero(rest).tolist()
    ]
    return found


class _Groups(NamedTuple):
    """Usage added up by account (standing and leaf as one number) and series, ordered by account and name of series."""

    account: IntArray
    series: IntArray
    counts: IntArray


def _groups(day: Day, spend: DaySpend, money: IntArray, hours: range) -> _Groups:
    usage, leaves = day.usage, len(spend.leaves)
    inside = np.flatnonzero((usage.hour >= hours.start) & (usage.hour < hours.stop))
    series, hour = usage.series[inside], usage.hour[inside]
    leaf = usage.table.leaf_of[series]
    present = money != 0
    standing = np.where(present.any(axis=0), present.argmax(axis=0), _otherwise(spend)[hours.start : hours.stop])
    account = standing[leaf, hour - hours.start] * leaves + leaf
    rank = usage.table.rank
    many = len(usage.table.keys)
    numbers, place = np.unique(account * many + rank[series], return_inverse=True)
    by_rank = np.argsort(rank)
    return _Groups(
        numbers // max(many, 1), by_rank[numbers % max(many, 1)], totals(place, usage.counts[inside], len(numbers))
    )


def _otherwise(spend: DaySpend) -> IntArray:
    """The standing, hour by hour, of tokens that cost nothing."""
    settled = set(range(HOURS)) if spend.standing == "settled" else set(spend.told.settled if spend.told else ())
    return np.array([0 if hour in settled else _ESTIMATED for hour in range(HOURS)], dtype=np.int64)


def _weights(listed: list[tuple[Quote, ...]], traffic: IntArray, kind: IntArray, quantity: IntArray) -> IntArray:
    """Nano-dollars at the published price, and at least one, so that what was used always weighs."""
    pico = np.array([[quote.pico for quote in quotes] for quotes in listed], dtype=np.int64).reshape(-1, len(KINDS))
    nano, below = np.divmod(pico[traffic, kind], _PICO_PER_NANO)
    weights: IntArray = np.maximum(quantity * nano + quantity * below // _PICO_PER_NANO, 1)
    return weights


def _shared(amounts: IntArray, account: IntArray, weights: IntArray) -> IntArray:
    """Each account's amount shared over its members, which follow each other."""
    if not len(account):
        return weights
    starts = np.flatnonzero(np.diff(account, prepend=-1))
    return cascade(amounts[account[starts]], weights, starts)


def _hour_at_or_after(moment: datetime) -> datetime:
    whole = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return whole if whole == moment else whole + HOUR
