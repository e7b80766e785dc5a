"""Logging: structlog's lines and every library's go through one handler, which knows no secret's text.

Redaction is the last step before a line is written, so that a traceback, a library's debug line and our own all pass
through it. It is the second net: the first is that nothing hands a secret to a log.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Literal, TextIO
from urllib.parse import quote

import structlog

REDACTED = "[redacted]"

# Their INFO and DEBUG lines hold whole URLs, headers or statements and say nothing that our own lines do not.
_CHATTY = ("httpx", "httpcore", "slack_sdk", "asyncio", "uvicorn", "alembic", "sqlalchemy", "stamina")
# Its warnings and errors reach us as events, which watcher.schedule words and logs itself.
_TOLD_BY_US = ("apscheduler",)


class RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Renders a line, then blots out every secret it was told of."""

    secrets: tuple[str, ...] = ()

    def format(self, record: logging.LogRecord) -> str:
        """The finished line, without secrets."""
        line = super().format(record)
        for secret in self.secrets:
            line = line.replace(secret, REDACTED)
        return line


def configure(
    level: Literal["debug", "info", "warning"] = "info",
    style: Literal["text", "json"] = "text",
    stream: TextIO | None = None,
) -> None:
    """Send all logging to `stream` (stderr unless given), as text for people or one JSON object a line."""
    target = sys.stderr if stream is None else stream
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(
            colors=target.isatty(),
            pad_event_to=44,
            sort_keys=False,
            # The default one shows local variables, cut and wrapped, so that a secret in one is not known again.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    tail: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if style == "json":
        tail.append(structlog.processors.format_exc_info)
    handler = logging.StreamHandler(target)
    handler.setFormatter(RedactingFormatter(foreign_pre_chain=shared, processors=[*tail, renderer]))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _TOLD_BY_US:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def tell_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log an exception that nobody caught, traceback and all."""
    what = "the program failed in a way it should not; please report this"
    structlog.get_logger("watcher").critical(what, exc_info=(kind, error, trace))


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
