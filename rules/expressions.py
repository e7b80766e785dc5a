"""Regular expressions that people write in matchers: RE2's, as in Alertmanager, so that none takes long on any text.

Python's own `re` tries one way after the other: an expression such as `(a+)+$` can keep it busy for years with a text
of fifty characters. RE2 reads each character once. In return it has neither look-around nor back-references.
RE2 computes and does nothing else: no clock, no file, no network.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import TypeAlias

import re2

LARGEST = 1 << 20
"""Bytes that an expression may take up once it is compiled, and while it is at work."""

Fits: TypeAlias = Callable[[str], object]
"""Tells (by what is true or false) whether an expression fits a whole text, from its first character to its last."""

_SIMPLE = re.compile(r"[^\\()\[\]{}?^$*+|]*[*+]?[^\\()\[\]{}?^$*+|]*")
_STARTS = ("*", "+")


class NoExpression(ValueError):
    """A text is no regular expression. The message says why, in RE2's words."""


@lru_cache(maxsize=4096)
def fits(expression: str) -> Fits:
    """What tells whether this expression fits a text; raises NoExpression.

    Alternatives of letters and dots with at most one repetition each, such as `prod-.*` and `a|b`, mean the same to
    `re`, which is several times as fast with them and can try no more ways than the text has characters.
    """
    found = _compiled(expression)
    simple = all(_SIMPLE.fullmatch(part) and not part.startswith(_STARTS) for part in expression.split("|"))
    return re.compile(expression).fullmatch if simple else partial(_fits, found)


def _fits(expression: re2._Regexp, text: str) -> object:
    return expression.fullmatch(text.encode(errors="replace"))


def _compiled(expression: str) -> re2._Regexp:
    options = re2.Options()
    options.max_mem = LARGEST
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        (why,) = error.args
        raise NoExpression(why.decode(errors="replace") if isinstance(why, bytes) else str(why)) from None
    except UnicodeEncodeError:
        raise NoExpression("it has a character that is none") from None
