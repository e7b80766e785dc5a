"""`watcher members`: who works in which workspace."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.context import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    clock_for,
    load_settings,
    open_store,
    print_json,
)
from watcher.cli.organizations import OnlyOrganization, the_one

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from watcher.members import Member, Members

_GAPS = 6
_ROLE_WIDTH = 16


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("members")(members)


def members(
    config: ConfigFile = DEFAULT_CONFIG,
    workspace: Annotated[
        str | None, typer.Option("--workspace", help="Only workspaces whose id or name this pattern matches.")
    ] = None,
    only: OnlyOrganization = None,
    as_json: AsJson = False,
) -> None:
    """Show who works in which workspace, so that there is somebody to ask."""
    from rich.console import Console

    from watcher.members import read_members, to_json

    settings = load_settings(config)
    now = clock_for(settings).now()
    with open_store(settings) as store:
        found = read_members(store, the_one(settings, store, only).id, workspace)
    if as_json:
        print_json(to_json(found))
    else:
        show(found, Console(), now)


def show(found: Members, console: Console, now: datetime) -> None:
    """Print a line for each member, below the name of the workspace."""
    from rich.table import Table
    from rich.text import Text

    from watcher.lines import print_hanging

    room = max((console.width - _ROLE_WIDTH - _GAPS) // 2, 12)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("who", no_wrap=True, max_width=room)
    table.add_column("e-mail", no_wrap=True, max_width=room)
    table.add_column("role", no_wrap=True, max_width=_ROLE_WIDTH)
    for each in found.workspaces:
        table.add_row(_cell(each.name, room, bold=True))
        if not each.members:
            table.add_row(Text("  nobody" if each.read_at else "  not read yet", style="dim"))
        for member in each.members:
            table.add_row(*_cells(member, room))
    if found.elsewhere:
        table.add_row(Text("in no workspace", style="bold"))
        for member in found.elsewhere:
            table.add_row(*_cells(member, room))
    console.print(table if table.row_count else "No workspace matches.")
    for note in _notes(found, now):
        print_hanging(console, Text(), Text(note, style="dim"))


def _cells(member: Member, room: int) -> Iterator[Text]:
    from rich.text import Text

    yield _cell(member.name or member.id, room, lead="  ")
    yield _cell(member.email, room) if member.email else Text()
    yield _cell(member.role.removeprefix("workspace_").replace("_", " "), _ROLE_WIDTH)


def _cell(text: str, room: int, lead: str = "", *, bold: bool = False) -> Text:
    from rich.text import Text

    from notifiers.text import LONGEST_NAME, clean, shorten

    label = Text(lead + shorten(clean(text, LONGEST_NAME), room - len(lead)), style="bold" if bold else "")
    label.truncate(room, overflow="ellipsis")
    return label


def _notes(found: Members, now: datetime) -> Iterator[str]:
    from notifiers.text import ago

    if found.offered is False:
        yield "Who works in which workspace is not offered to this key."
    yield "The default workspace has no list of members."
    read = [each.read_at for each in found.workspaces if each.read_at is not None]
    if read:
        yield f"The oldest of these lists was read {ago(min(read), now)}."
