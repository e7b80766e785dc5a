"""The limits as tables for people, at 80 columns or more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from notifiers.text import LONGEST_NAME, ago, clean, percent, shorten, when
from rules.model import Nano
from rules.money import display_usd
from watcher.admin_api.answers_limits import RateLimit
from watcher.limits.forms import AMOUNT
from watcher.limits.report import CappedMember, CappedScope, LimitsReport, overrides
from watcher.lines import print_hanging
from watcher.store import Change

SHOWN_MEMBERS = 20
SHOWN_CHANGES = 10
_FIGURES_WIDTH = 46
_PERIOD_WIDTH = 8
_SOURCE_WIDTH = 14
_NOTHING_KNOWN = "-"
_WORDS = {
    "spend_limit": "spend limit",
    "member_limit": "limit of member",
    "rate_limit": "rate limit",
    "yes": "there",
    "no": "gone",
}


def show(report: LimitsReport, console: Console, now: datetime) -> None:
    """Print what is known; a part that the organization does not have is told in a line."""
    console.print(Text("Limits that the provider enforces", style="bold"))
    room = max(console.width - _FIGURES_WIDTH, 20)
    if report.scopes:
        console.print()
        console.print(_scopes(report.scopes, room))
    if report.members:
        console.print()
        console.print(_members(report.members, room))
        if (hidden := len(report.members) - SHOWN_MEMBERS) > 0:
            console.print(f"and {hidden} more: see --json")
    if report.rates:
        console.print()
        console.print(_rates(report, console.width))
    if report.changes:
        console.print()
        console.print(Text("Changed in the last 30 days", style="bold"))
        for line in _changes(report, now):
            print_hanging(console, Text("  "), Text(line))
    console.print()
    for note in _notes(report, now):
        print_hanging(console, Text(), Text(note, style="dim"))


def _scopes(scopes: Sequence[CappedScope], room: int) -> Table:
    table = _table("spend limit", "period", "limit", "spent", "used", room=room)
    for each in scopes:
        name = each.name if each.limit.is_enabled else f"{each.name} (off)"
        table.add_row(_cell(name, room), *_money(each.limit.period, each.limit.amount, each.spent))
    return table


def _members(members: Sequence[CappedMember], room: int) -> Table:
    """Each member's limit with whose it is: one of a group or of the organization is shared."""
    room = max(room - _SOURCE_WIDTH, 14)
    table = _table("member", "period", "limit", "of", "spent", "used", room=room)
    for each in members[:SHOWN_MEMBERS]:
        limit = each.limit
        name = limit.name or limit.email or limit.member_id or "nobody"
        label = f"{name} (deleted)" if limit.deleted else name
        # The provider says zero also while it does not know.
        period, amount, *spent = _money(limit.period, limit.amount, each.spent or None)
        source = Text() if limit.source is None else _cell(_spoken(limit.source.kind), _SOURCE_WIDTH - 2)
        table.add_row(_cell(label, room), period, amount, source, *spent)
    return table


def _rates(report: LimitsReport, width: int) -> Table:
    """A line for each limiter of the organization, and below it what workspaces have in its place."""
    room = max((width - 14) // 2, 20)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("rate limit", no_wrap=True, max_width=room)
    table.add_column("of", no_wrap=True, max_width=room)
    table.add_column("value", justify="right", no_wrap=True)
    by_place = overrides(report.rates)
    for rate in sorted(by_place.get(None, ()), key=lambda rate: (not rate.models, _group(rate))):
        for limit in rate.limits:
            table.add_row(_cell(_group(rate), room), _cell(_spoken(limit.kind), room), _count(limit.value))
            for workspace, value in _own(by_place, rate, limit.kind):
                name = f"  in {report.names.of(workspace)}"
                table.add_row(_cell(name, room, lead="  "), Text(""), _count(value))
    return table


def _own(
    by_place: Mapping[str | None, Sequence[RateLimit]], rate: RateLimit, kind: str
) -> Iterator[tuple[str, int | None]]:
    """The workspaces that have a value of their own for one limiter of one group."""
    for workspace, rates in by_place.items():
        for own in rates if workspace is not None else ():
            same = own.id == rate.id if own.id is not None else _group(own) == _group(rate)
            for limit in own.limits if same else ():
                if limit.kind == kind and not limit.inherited and workspace is not None:
                    yield workspace, limit.value


def _group(rate: RateLimit) -> str:
    return rate.group_name or _spoken(rate.group_kind)


def _spoken(word: str) -> str:
    return word.replace("_", " ")


def _table(*titles: str, room: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(titles[0], no_wrap=True, max_width=room)
    table.add_column(titles[1], no_wrap=True)
    for title in titles[2:]:
        table.add_column(title, justify="left" if title == "of" else "right", no_wrap=True)
    return table


def _money(period: str, amount: Nano | None, spent: Nano | None) -> Iterator[str | Text]:
    yield _cell(period, _PERIOD_WIDTH)
    yield "none" if amount is None else display_usd(amount)
    yield _NOTHING_KNOWN if spent is None else display_usd(spent)
    yield percent(spent, amount) if amount and spent is not None else ""


def _cell(text: str, room: int, lead: str = "") -> Text:
    label = Text(lead + shorten(clean(text, LONGEST_NAME), room - len(lead)))
    label.truncate(room, overflow="ellipsis")
    return label


def _count(value: int | None) -> str:
    return "no limit" if value is None else f"{value:,}"


def _changes(report: LimitsReport, now: datetime) -> Iterator[str]:
    named = _things(report)
    for change in list(reversed(report.changes))[:SHOWN_CHANGES]:
        what = named.get((change.kind, change.id), change.id)
        between = f"between {when(change.last_seen_before, now)} and {when(change.observed_at, now)}"
        told = f"{_spoken(change.field)} {_side(change, change.before)} → {_side(change, change.after)}"
        yield f"{_WORDS.get(change.kind, change.kind)} {clean(what)}: {told}, {between}"
    if (hidden := len(report.changes) - SHOWN_CHANGES) > 0:
        yield f"and {hidden} more: see --json"


def _things(report: LimitsReport) -> Mapping[tuple[str, str], str]:
    """What things are called that have changed and are still there."""
    named = {("spend_limit", each.limit.id): each.name for each in report.scopes}
    for each in report.members:
        limit = each.limit
        named["member_limit", f"{limit.member_id}/{limit.period}"] = f"{limit.name or limit.email}, {limit.period}"
    for rate in report.rates:
        place = f" in {report.names.of(rate.workspace_id)}" if rate.workspace_id else ""
        named["rate_limit", f"{rate.workspace_id or ''}/{rate.id}"] = _group(rate) + place
    return named


def _side(change: Change, text: str | None) -> str:
    if text is None:
        return "none"
    if change.field == AMOUNT:
        return display_usd(int(text))
    return clean(f"{int(text):,}" if text.isdecimal() else _WORDS.get(text, text))


def _notes(report: LimitsReport, now: datetime) -> Iterator[str]:
    absent = [_spoken(state.source) for state in report.sources if state.offered is False]
    if absent:
        yield f"Not offered to this key: {', '.join(absent)}."
    if report.scopes:
        yield "Spent by the organization and its workspaces: as the ledger has it, in this UTC day, week or month."
    if report.members:
        yield 'Spent by members: as the provider says it; "-" is nothing, or not known: it says zero for both.'
    read = [state.last_success_at for state in report.sources if state.last_success_at is not None]
    yield f"Read {ago(min(read), now)}." if read else "No limits have been read."
