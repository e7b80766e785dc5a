"""Logging: structlog's lines and every library's go through one handler, which knows no secret's text.

Redaction is the last step before a line is written, so that a traceback, a library's debug line and our own all pass
through it. It is the second net: the first is that nothing hands a secret to a log.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from functools import cached_property
from types import TracebackType
from typing import Any, Literal, TextIO, TypeAlias
from urllib.parse import quote

Style: TypeAlias = Literal["text", "json"]

REDACTED = "[redacted]"

# Their INFO and DEBUG lines hold whole URLs, headers or statements and say nothing that our own lines do not.
_CHATTY = ("httpx", "httpcore", "slack_sdk", "asyncio", "uvicorn", "alembic", "sqlalchemy", "stamina")
# Its warnings and errors reach us as events, which watcher.schedule words and logs itself.
_TOLD_BY_US = ("apscheduler",)


class RedactingFormatter(logging.Formatter):
    """Renders a line, then blots out every secret it was told of."""

    secrets: tuple[str, ...] = ()

    def __init__(self, style: Style, *, colors: bool) -> None:
        super().__init__()
        self._look: Style = style
        self._colors = colors

    def format(self, record: logging.LogRecord) -> str:
        """The finished line, without secrets."""
        line = self._rendering.format(record)
        for secret in self.secrets:
            line = line.replace(secret, REDACTED)
        return line

    @cached_property
    def _rendering(self) -> logging.Formatter:
        """Made for the first line: most commands that only read write none, and structlog is slow to import."""
        from watcher.log_lines import rendering  # noqa: PLC0415

        return rendering(self._look, colors=self._colors)


def configure(
    level: Literal["debug", "info", "warning"] = "info", style: Style = "text", stream: TextIO | None = None
) -> None:
    """Send all logging to `stream` (stderr unless given), as text for people or one JSON object a line."""
    target = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(target)
    handler.setFormatter(RedactingFormatter(style, colors=target.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _TOLD_BY_US:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def logger(name: str) -> Any:
    """A logger of structlog's whose events go the way of every library's lines."""
    from watcher.log_lines import logger as structured  # noqa: PLC0415 - as above

    return structured(name)


def tell_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log an exception that nobody caught, traceback and all."""
    what = "the program failed in a way it should not; please report this"
    logger("watcher").critical(what, exc_info=(kind, error, trace))


def _forms(text: str) -> tuple[str, ...]:
    """A text as it is, as a URL quotes it, and as JSON escapes it."""
    return (text, quote(text, safe=""), quote(text), json.dumps(text)[1:-1])


def redact(secrets: Iterable[str]) -> None:
    """Blot out these texts, and their URL-quoted and JSON-escaped forms, from every line written from now on."""
    texts = {form for text in secrets if text for form in _forms(text)}
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, RedactingFormatter):
            known = texts | set(handler.formatter.secrets)
            handler.formatter.secrets = tuple(sorted(known, key=len, reverse=True))
