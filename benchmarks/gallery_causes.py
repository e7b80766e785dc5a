"""Why the gallery's anomalies are more than was expected, as the rules would freeze it."""

from __future__ import annotations

from rules.causes import Carriers, Cause, Effects
from rules.money import parse_usd

OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"


def taken_over() -> Cause:
    """Of $370.00: most of it a dearer model in the place of a cheaper one."""
    effects = Effects(
        volume=parse_usd("62.9"),
        model=parse_usd("303.4"),
        tier=0,
        kind=parse_usd("3.7"),
        price=0,
        other=0,
        tokens=7_200_000,
        tokens_expected=1_030_000,
        cache=610_000,
        cache_before=640_000,
        output=110_000,
        output_before=100_000,
        gained=OPUS,
        lost=HAIKU,
    )
    return Cause(parse_usd("370"), effects)


def of_one_key(key: str, name: str) -> Cause:
    """The same seen from the key's workspace."""
    cause = taken_over()
    carriers = Carriers(1, parse_usd("370"), 1.0, key, name, OPUS, parse_usd("361.4"))
    return Cause(parse_usd("374"), cause.effects, carriers)


def without_cache() -> Cause:
    """Of $96.00: the prompt cache of a steady key stopped hitting."""
    effects = Effects(
        volume=parse_usd("1.2"),
        model=0,
        tier=0,
        kind=parse_usd("94.8"),
        price=0,
        other=0,
        tokens=41_000_000,
        tokens_expected=40_500_000,
        cache=31_000,
        cache_before=921_000,
        output=30_000,
        output_before=31_000,
    )
    return Cause(parse_usd("96"), effects)


def spread() -> Cause:
    """Of $214.00: forty keys, each a little more."""
    effects = Effects(
        volume=parse_usd("209.5"),
        model=parse_usd("4.5"),
        tier=0,
        kind=0,
        price=0,
        other=0,
        tokens=96_000_000,
        tokens_expected=31_000_000,
        cache=400_000,
        cache_before=410_000,
        output=90_000,
        output_before=90_000,
    )
    return Cause(parse_usd("214"), effects, Carriers(40, parse_usd("8.1")))


def hostile(name: str) -> Cause:
    """A cause in which everything that has a name bears this one."""
    half, whole = parse_usd("150"), parse_usd("300")
    effects = Effects(0, half, half, 0, 0, 0, 2, 1, 0, 0, 0, 0, name, name, name, name)
    return Cause(whole, effects, Carriers(1, whole, 1.0, "k", name, name, whole))
