"""API keys for terminals, at 80 columns or more: one line of figures a key, and below it what else is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from notifiers.text import LONGEST_NAME, ago, clean, shorten, when
from rules.actions import POLICY
from rules.money import display_usd
from watcher.actions.words import LONGEST_REASON
from watcher.keys.report import KeyChange, KeyRow
from watcher.lines import print_hanging

_FIGURES = 38
"""What the columns after the names take."""
_STATES = {"active": "green", "inactive": "bold red"}


def show(found: Sequence[KeyRow], most: int | None, asked: Sequence[str], now: datetime, *, allowed: bool) -> None:
    """Print the keys; `most` of them unless that is None. `allowed` is whether the configuration has [shutoff]."""
    console = Console()
    room = max(console.width - _FIGURES, 30)
    key_room, workspace_room = room - room // 3 - 1, room // 3
    if found:
        title = f"{'key':<{key_room}} {'workspace':<{workspace_room}} {'month':>11} {'24 h':>11}  state"
        console.print(Text(title, style="dim"), soft_wrap=True)
    else:
        console.print(Text("No key fits."))
    for row in found if most is None else found[:most]:
        name, workspace = _cell(row.key.name, key_room), _cell(row.workspace_name or "-", workspace_room)
        figures = f" {display_usd(row.month):>11} {display_usd(row.last_day):>11}  "
        state = Text(clean(row.key.status, 10), style=_STATES.get(row.key.status, "yellow"))
        console.print(Text.assemble(name, " ", workspace, figures, state), soft_wrap=True)
        for note in _notes(row, now):
            print_hanging(console, Text("  "), Text(note, style="dim"))
    hidden = 0 if most is None else len(found) - most
    if hidden > 0:
        console.print(Text(f"and {hidden} more: --all shows them", style="dim"))
    for sentence in asked:
        print_hanging(console, Text(""), Text(sentence))
    if not allowed:
        console.print(Text("The configuration has no [shutoff]: no key can be changed.", style="dim"))


def _cell(text: str, room: int) -> Text:
    label = Text(shorten(clean(text, LONGEST_NAME), room))
    label.truncate(room, overflow="ellipsis", pad=True)
    return label


def _notes(row: KeyRow, now: datetime) -> Iterator[str]:
    owner = clean(row.owner_name) if row.owner_name else "nobody known"
    mail = f" <{clean(row.owner_email)}>" if row.owner_email and row.owner_email != row.owner_name else ""
    used = f"last used {ago(row.last_used_at, now)}" if row.last_used_at else "not used in 66 days"
    yield f"{clean(row.key.id)}, of {owner}{mail}, {used}"
    if row.protection:
        yield f"protected: {clean(row.protection, LONGEST_REASON)}"
    if row.unconfirmed and not row.protection:
        which = ", ".join(clean(pattern) for pattern in row.unconfirmed)
        yield f"not protected, though {which} fits it by now: `watcher keys protect` confirms that"
    if row.changed is not None:
        yield change_words(row.changed, now)


def change_words(changed: KeyChange, now: datetime) -> str:
    """ "inactive since between 10:05 UTC and 10:10 UTC, not by claude-watcher"."""
    change = changed.change
    what = (
        f"changed from {clean(str(change.before))} to {clean(str(change.after))}"
        if change.field == "status"
        else f"renamed from {clean(str(change.before))}"
    )
    before, after = when(change.last_seen_before, now), when(change.observed_at, now)
    between = f"at {after}" if before == after else f"between {before} and {after}"
    asker = "its policy" if changed.by == POLICY else clean(changed.by)
    by = f"by claude-watcher for {asker} ({changed.action})" if changed.action else "not by claude-watcher"
    return f"{what} {between}, {by}"
