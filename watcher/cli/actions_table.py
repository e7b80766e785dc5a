"""The journal of actions for terminals, at 80 columns or more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from notifiers.text import clean, when
from rules.actions import Action, ActionState
from rules.money import display_usd
from watcher.actions.words import (
    LONGEST_REASON,
    about,
    cause,
    evidence_words,
    hints,
    steps,
    waits_words,
    who,
)
from watcher.lines import print_hanging
from watcher.settings import Settings

_COLOURS = {
    ActionState.PROPOSED: "yellow",
    ActionState.APPROVED: "yellow",
    ActionState.CONFIRMED: "bold red",
    ActionState.ABANDONED: "bold red",
}


def show_journal(
    found: Sequence[Action], most: int, asked: Sequence[str], held: str, settings: Settings, now: datetime
) -> None:
    """Print the decisions, each with its reason; below them what became of what was `asked`. `held` is the brake."""
    console = Console()
    if settings.shutoff is None:
        console.print(Text("The configuration has no [shutoff]: no key can be changed.", style="dim"))
    if held:
        print_hanging(console, Text("! ", style="yellow"), Text(f"{clean(held, LONGEST_REASON)}.", style="yellow"))
    if not found:
        console.print(Text("Nothing has been decided about any key."))
    for row in found[:most]:
        _entry(row, console, now)
    if (hidden := len(found) - most) > 0:
        console.print(Text(f"and {hidden} more: --most {len(found)} shows them", style="dim"))
    for sentence in asked:
        print_hanging(console, Text(""), Text(sentence))


def _entry(row: Action, console: Console, now: datetime) -> None:
    lead = Text.assemble((f"{row.id}  ", "dim"), (f"{row.state.value:<9}  ", _COLOURS.get(row.state, "")))
    amount = f", {display_usd(row.amount)} too much" if row.amount else ""
    dry = " (dry run)" if row.mode == "dry_run" else ""
    print_hanging(console, lead, Text(f"{about(row)}{dry}: {cause(row)}{amount}"))
    indent = Text(" " * lead.cell_len)
    print_hanging(console, indent, Text(clean(row.reason, LONGEST_REASON)))
    if words := waits_words(row, now):
        print_hanging(console, indent, Text(words))
    print_hanging(console, indent, Text(f"{when(row.created_at, now)}, by {who(row)}", style="dim"))


def show_one(row: Action, now: datetime, config: str, *, err: bool = False) -> None:
    """Print one decision with its evidence and every step; `config` is what commands need to find the configuration."""
    console = Console(stderr=err)
    title = about(row)
    console.print(Text(f"{title[:1].upper()}{title[1:]}", style="bold"))
    facts = [
        ("id", row.id),
        ("key", f"{clean(row.key_name)} ({clean(row.key)})" if row.key else "none"),
        ("state", f"{row.state.value}{' (dry run)' if row.mode == 'dry_run' else ''}"),
        ("reason", clean(row.reason, LONGEST_REASON)),
        ("asked by", f"{cause(row)}{f', alert {clean(row.alert)}' if row.alert else ''}"),
        ("decided by", who(row)),
        ("digest", row.digest),
    ]
    for name, text in facts:
        print_hanging(console, Text(f"  {name:<11}", style="dim"), Text(text))
    if words := waits_words(row, now):
        print_hanging(console, Text(f"  {'waits':<11}", style="dim"), Text(words))
    console.print(Text("\nWhat it rests on", style="bold"))
    for sentence in evidence_words(row, now):
        print_hanging(console, Text("  "), Text(sentence))
    console.print(Text("\nSteps", style="bold"))
    for moment, step in steps(row):
        print_hanging(console, Text(f"  {moment:%Y-%m-%d %H:%M:%S} UTC  ", style="dim"), Text(step))
    found = list(hints(row, config))
    if found:
        console.print()
    for hint in found:  # a command is not broken, so that it can be copied
        console.print(Text(f"  {hint}"), soft_wrap=True)
