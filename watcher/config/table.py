"""What every table of the configuration file is made of: its base, and the types of common keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainValidator

from watcher.config import values

Text = Annotated[str, PlainValidator(values.text)]
SecretText = Annotated[str, PlainValidator(values.secret_text)]
Name = Annotated[str, PlainValidator(values.name)]
Flag = Annotated[bool, PlainValidator(values.flag)]
Zone = Annotated[str, PlainValidator(values.zone)]


class Table(BaseModel):
    """A table of the file. Keys that it does not name are refused."""

    # What checks a kind of table is built with the first of that kind, as most files have a few kinds only.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)
