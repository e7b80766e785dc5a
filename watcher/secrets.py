"""Which texts of a configuration must never be shown, for the log's redaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any
from urllib.parse import urlsplit

from watcher.secret import Secret
from watcher.settings import Settings


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Every secret's text, and of a secret URL also the part behind the host, which is what makes it one."""
    texts: list[str] = []
    for secret in _walk(settings):
        text = secret.reveal()
        texts.append(text)
        if "://" in text:
            parts = urlsplit(text)
            behind = parts.path + (f"?{parts.query}" if parts.query else "")
            texts += [part for part in (behind, parts.password) if part and len(part) > 3]
    if password := urlsplit(settings.store.url).password:
        texts.append(password)
    return tuple(texts)


def _walk(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _walk(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _walk(getattr(value, field.name))
