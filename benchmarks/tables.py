"""Tables in Markdown, row by row as they are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: str, rows: Iterable[Sequence[object]]) -> None:
    """Print a head of the form `| a | b |` and the rows below it."""
    print(f"\n{head}\n{'| --- ' * (head.count('|') - 1)}|", flush=True)
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
