"""Frozen dataclasses as JSON text: what is only ever read back whole."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


class Payload(Generic[T]):
    """How values of one type are written as text and read back equal, infinite floats included."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        """Made when it is first needed, as that takes longer than many a command."""
        return TypeAdapter(self._kind)

    def write(self, value: T) -> str:
        """The text of a value."""
        return json.dumps(self._adapter.dump_python(value, mode="json"), ensure_ascii=False, separators=(",", ":"))

    def read(self, text: str) -> T:
        """The value of a text that `write` made."""
        return self._adapter.validate_json(text)
