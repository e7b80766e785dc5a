"""structlog's part of the log: what our events hold, and how they and every library's lines look.

Apart from `watcher.logs`, and imported when the first logger or line is made, as structlog is slow to import.
"""

from __future__ import annotations

import logging
from typing import Any, Literal

import structlog

_SHARED: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
_PROCESSORS = (structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter)


def logger(name: str) -> Any:
    """A logger whose events are records of the standard library's logger of that name, whoever configured structlog."""
    return structlog.wrap_logger(logging.getLogger(name), processors=_PROCESSORS)


def rendering(style: Literal["text", "json"], *, colors: bool) -> logging.Formatter:
    """What turns a record, of ours or of a library, into a line."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(
            colors=colors,
            pad_event_to=44,
            sort_keys=False,
            # The default one shows local variables, cut and wrapped, so that a secret in one is not known again.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    tail: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if style == "json":
        tail.append(structlog.processors.format_exc_info)
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=[*tail, renderer])
