"""Text for people that wraps under its own beginning, not at the edge of the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

_NARROWEST = 20


def print_hanging(console: Console, lead: Text, text: Text) -> None:
    """Print the text after `lead`; the lines that it wraps into begin where its first one did."""
    width = max(console.width - lead.cell_len, _NARROWEST)
    first, *rest = text.wrap(console, width) or [Text()]
    for start, line in ((lead, first), *((Text(" " * lead.cell_len), line) for line in rest)):
        line.rstrip()
        console.print(Text.assemble(start, line), soft_wrap=True)
