"""The journal of what people asked about budgets: for terminals, and as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from notifiers.alert_json import utc_json
from notifiers.text import clean, when
from rules.budget_requests import PAUSE, RESET, RESUME
from watcher.cli.asking import LONGEST_REASON
from watcher.cli.organizations import Chosen
from watcher.lines import print_hanging
from watcher.store import Store

_WHAT = (PAUSE, RESUME, RESET)


@dataclass(frozen=True, slots=True)
class Noted:
    """One thing that was asked for; `outcome` is None as long as it waits for a cycle. `at` is when it was done."""

    at: datetime
    actor: str
    what: str
    details: Mapping[str, Any]
    organization: Chosen
    outcome: str | None


def entries(
    store: Store, organizations: Sequence[Chosen], budgets: Collection[str] | None, most: int
) -> tuple[Noted, ...]:
    """What waits, then what was done, the newest first; of these organizations, and of these budgets or of all."""
    known = {each.id: each for each in organizations}
    waiting = [
        Noted(each.at, each.actor, each.what, each.details, organization, None)
        for organization in organizations
        for each in reversed(store.commands.pending(organization.id))
    ]
    done = (
        Noted(each.at, each.actor, each.what, each.details, known[owner], str(each.details.get("outcome", "")))
        for each in store.journal.list(whats=_WHAT)
        if (owner := each.details.get("organization")) in known
    )
    return tuple(_only(budgets, [*waiting, *done]))[:most]


def _only(budgets: Collection[str] | None, noted: Iterable[Noted]) -> Iterator[Noted]:
    for each in noted:
        if each.what in _WHAT and (not budgets or each.details.get("budget") in budgets):
            yield each


def to_json(noted: Noted) -> Mapping[str, Any]:
    """One entry for JSON; `outcome` and `done_at` are null as long as it waits."""
    details = noted.details
    asked_at = details.get("asked_at")
    asked = noted.at if asked_at is None else datetime.fromisoformat(asked_at)
    return {
        "asked_at": utc_json(asked),
        "done_at": None if noted.outcome is None else utc_json(noted.at),
        "by": noted.actor,
        "what": noted.what.removeprefix("budgets "),
        "organization": noted.organization.as_json(),
        "budget": details.get("budget"),
        "scope": details.get("scope"),
        "until": details.get("until"),
        "reason": details.get("reason"),
        "outcome": noted.outcome,
        "done": None if noted.outcome is None else bool(details.get("done")),
    }


def show(found: Sequence[Noted], console: Console, now: datetime, budgets: Collection[str] | None = None) -> None:
    """Print the entries, each with its reason; `budgets` are those that were asked for."""
    if not found:
        which = " or ".join(ascii(name) for name in budgets) if budgets else "a budget"
        console.print(Text(f"Nobody has paused, resumed or reset {which}."))
    several = len({noted.organization.id for noted in found}) > 1
    for noted in found:
        print_hanging(console, Text(f"{when(noted.at, now)}  ", style="dim"), Text(_sentence(noted, now, several)))


def _sentence(noted: Noted, now: datetime, several: bool) -> str:
    details = noted.details
    scope, until, reason = details.get("scope"), details.get("until"), details.get("reason")
    of = f" ({clean(' '.join(scope.values()))})" if scope else ""
    where = f" in {clean(noted.organization.shown)}" if several else ""
    ends = f" until {when(datetime.fromisoformat(until), now)}" if until else ""
    why = f": {clean(reason, LONGEST_REASON)}" if reason else ""
    became = noted.outcome if noted.outcome is not None else "waits for the next cycle"
    result = f" [{clean(became, LONGEST_REASON)}]" if became else ""
    what = noted.what.removeprefix("budgets ")
    return f"{clean(noted.actor)} {what} {clean(str(details.get('budget')))}{of}{where}{ends}{why}{result}"
