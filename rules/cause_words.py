"""Why spend is more than was expected, in one line: who carries it, and what kind of more it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rules.causes import MILLION, Carriers, Cause, Effects
from rules.wording import clean

LEAST = 0.1
"""The part of an excess from which an effect is worth a word."""
ALL = 0.9
"""The part from which one effect stands for all of it."""
MANY = 8
"""Keys from which an excess is spread, where the largest carries less than `FEW` of it."""
FEW = 0.2
_LONGEST_MODEL = 32
_LONGEST_KEY = 40
_POINTS = MILLION // 10
"""Ten points of a hundred, from which a share of the tokens has moved."""
_MOST = 3


class _Word(NamedTuple):
    part: float
    """Of the excess."""
    head: str
    """As one of several: "more volume"."""
    alone: str
    """As the only one."""
    detail: str = ""


def why(cause: Cause | None) -> str:
    """The line without its "Why", or "" where nothing is known; names are harmless, and no line breaks are in it.

    "more volume (12 times the tokens)", "85 % by more volume, 15 % by dearer models (claude-opus-5 took over from …)".
    """
    if cause is None or cause.excess <= 0:
        return ""
    said = [_carried(cause.carriers, cause.excess), _kinds(cause.effects, cause.excess)]
    return "; ".join(filter(None, said))


def _carried(carriers: Carriers | None, excess: int) -> str:
    if carriers is None:
        return ""
    if carriers.key:
        key, model = clean(carriers.key_name, _LONGEST_KEY), clean(carriers.model, _LONGEST_MODEL)
        return f"key “{key}” on {model} ({_percent(carriers.pair / excess)} of it)"
    if carriers.keys >= MANY and carriers.largest < FEW * excess:
        return f"spread over {carriers.keys:,} keys, none above {-(-100 * carriers.largest // excess)} %"
    return ""


def _kinds(effects: Effects | None, excess: int) -> str:
    if effects is None:
        return ""
    words = sorted((word for word in _words(effects, excess) if abs(word.part) >= LEAST), key=lambda w: -abs(w.part))
    if not words:
        return ""
    first = words[0]
    if len(words) == 1 and first.part >= ALL:
        return first.alone + _bracketed(first.detail)
    return ", ".join(f"{_percent(word.part)} by {word.head}{_bracketed(word.detail)}" for word in words[:_MOST])


def _bracketed(detail: str) -> str:
    return f" ({detail})" if detail else ""


def _words(effects: Effects, excess: int) -> Iterator[_Word]:
    part = effects.volume / excess
    head = "more volume" if part > 0 else "less volume"
    yield _Word(part, head, head, _times(effects.tokens, effects.tokens_expected))
    part = effects.model / excess
    head = "dearer models" if part > 0 else "cheaper models"
    yield _Word(part, head, head, _took_over(effects.gained, effects.lost))
    part = effects.tier / excess
    head = "dearer service tiers" if part > 0 else "cheaper service tiers"
    yield _Word(part, head, head, _took_over(effects.tier_gained, effects.tier_lost))
    yield _kind(effects, effects.kind / excess)
    part = effects.price / excess
    head = "higher prices" if part > 0 else "lower prices"
    yield _Word(part, head, f"{head} for the same")
    yield _Word(effects.other / excess, "cost that no tokens explain", "cost that no tokens explain")


def _kind(effects: Effects, part: float) -> _Word:
    """Other kinds of tokens: as a rule the cache, or longer answers."""
    head = "dearer tokens" if part > 0 else "cheaper tokens"
    if part > 0 and effects.cache_before - effects.cache >= _POINTS:
        gone = 4 * effects.cache <= effects.cache_before
        moved = f"cache reads fell from {_ppm(effects.cache_before)} to {_ppm(effects.cache)} of the input"
        return _Word(part, "fewer cache hits", f"the prompt cache {'no longer hits' if gone else 'hits less'}", moved)
    if part < 0 and effects.cache - effects.cache_before >= _POINTS:
        moved = f"cache reads rose from {_ppm(effects.cache_before)} to {_ppm(effects.cache)} of the input"
        return _Word(part, "more cache hits", "more cache hits", moved)
    if (effects.output - effects.output_before) * part > 0:
        detail = f"output is {_ppm(effects.output)} of the tokens, {_ppm(effects.output_before)} before"
        head = "more output" if part > 0 else "less output"
        return _Word(part, head, head, detail)
    return _Word(part, head, head)


def _times(tokens: int, expected: int) -> str:
    """How many times the tokens, where that is a fair thing to say."""
    if expected <= 0 or 2 * tokens < 3 * expected:
        return ""
    ratio = tokens / expected
    if ratio >= 1000:
        return ""
    return f"{ratio:,.0f} times the tokens" if ratio >= 10 else f"{ratio:.1f} times the tokens"


def _took_over(gained: str, lost: str) -> str:
    if gained and lost:
        return f"{clean(gained, _LONGEST_MODEL)} took over from {clean(lost, _LONGEST_MODEL)}"
    return ""


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %".replace("-", "−")


def _ppm(part: int) -> str:
    share = 100 * part / MILLION
    return f"{share:.0f} %" if share >= 1 or not part else "under 1 %"
