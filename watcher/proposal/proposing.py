"""What to propose: for each budget the limit, and the sentence that says how it came about. Pure.

With little history less is proposed: a month's limit from a few days would be wrong by as much as the days are odd.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from notifiers.text import clean
from rules.model import DEFAULT_WORKSPACE, UNATTRIBUTED, AnomalyRule, Nano
from rules.money import NANO_PER_USD, display_usd
from watcher.proposal.history import History, KeyDays, Months

ENOUGH_DAYS = 14
"""Below this only the organization's month is proposed, and what it rests on is said."""
LEAST_DAYS = 2
"""Below this no limit is proposed at all."""
MOST_WORKSPACES = 12
MOST_KEYS = 5
_LEAST_SHARE = 100
"""A workspace below a hundredth of the organization is left to its budget."""
_KEY_SHARE = 10
"""A key with less than a tenth of the organization has no budget of its own."""
_LEAST_LIMIT = NANO_PER_USD
_MORE = 6, 5
_MORE_A_DAY = 3, 2


@dataclass(frozen=True, slots=True)
class Proposed:
    """One budget; `how` are the sentences of its comment, `called` whom it is for, "" for no one of a name."""

    name: str
    limit: Nano
    how: tuple[str, ...]
    period: str = "month"
    thresholds: str = "[50, 80, 100]"
    per: str | None = None
    workspace: str | None = None
    api_key: str | None = None
    called: str = ""
    foreseen: bool = False
    """Whether it is told, too, when the forecast says that the limit will be crossed."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The budgets, the floor of the anomaly rule, and notes on what is missing."""

    history: History
    budgets: tuple[Proposed, ...]
    min_excess: Nano
    min_excess_how: tuple[str, ...]
    notes: tuple[str, ...] = ()


def propose(history: History, days: int, notes: Sequence[str] = ()) -> Proposal:
    """A configuration's budgets from the history, of which `days` were asked for; `notes` are what else to say."""
    budgets: list[Proposed] = []
    organization = history.organization
    if organization is not None and history.days >= LEAST_DAYS:
        budgets.append(_organization(organization, history))
        if history.days >= ENOUGH_DAYS:
            budgets += _workspaces(history.workspaces, organization)
            budgets += _keys(history.keys, history)
    excess, how = _anomaly(history)
    return Proposal(history, tuple(budgets), excess, how, (*notes, *_little(history, days)))


def _more(days: int) -> str:
    if days < ENOUGH_DAYS:
        return f"No more was asked for: run `watcher init` again with more than --days {days}."
    return "Run `watcher init` again after two weeks."


def _little(history: History, days: int) -> Iterator[str]:
    if history.days < LEAST_DAYS:
        yield (
            "There is too little spend yet to propose a limit from. Set one by hand, or let `watcher run` watch for "
            "two weeks, and run `watcher init` again."
        )
    elif history.days < ENOUGH_DAYS:
        yield (
            f"There are only {history.days:.1f} days of history: the limit below is a guess, and budgets of workspaces "
            f"and keys are left out. {_more(days)}"
        )


def _organization(months: Months, history: History) -> Proposed:
    enough = history.days >= ENOUGH_DAYS
    how = [*_past(months), _how(months, history.days)]
    if enough:
        how.append("With `forecast` it is told as soon as the month is likely to end beyond the limit.")
    return Proposed("organization", _limit(months), tuple(how), foreseen=enough)


def _how(months: Months, days: float = ENOUGH_DAYS) -> str:
    of = "the highest of these" if months.whole or months.part else "what is expected"
    unsure = "" if days >= ENOUGH_DAYS else f"; it rests on {days:.1f} days only"
    return f"Limit: {of}, {_usd(months.highest)}, + 20 %, rounded up{unsure}."


def _past(months: Months) -> tuple[str, ...]:
    part = [f"{months.part[0]} {_usd(months.part[1])}, as far as it is known"] if months.part else []
    past = ", ".join([*part, *(f"{label} {_usd(spent)}" for label, spent in months.whole)])
    known = ", as far as it is known" if months.in_part else ""
    running = f"{months.running} so far {_usd(months.so_far)}{known}, expected {_usd(months.expected)}"
    return (f"{past}; {running}." if past else f"{running}.",)


def _workspaces(workspaces: Sequence[Months], organization: Months) -> Iterator[Proposed]:
    """One for each workspace that matters: they differ by factors, and each has an owner of its own."""
    named = [each for each in workspaces if each.scope.workspace != UNATTRIBUTED]
    if len(named) < 2:
        return
    kept = [each for each in named if each.highest * _LEAST_SHARE >= organization.highest][:MOST_WORKSPACES]
    rest = named[len(kept) :]
    for place, each in enumerate(kept):
        how = [*_past(each), _how(each)]
        if place == len(kept) - 1 and rest:
            total = _usd(sum(other.highest for other in rest))
            count = f"{len(rest)} smaller ones, together" if len(rest) > 1 else "A smaller one, with"
            how.append(f"{count} {total} a month, and workspaces to come are left to the organization's budget.")
        ident = each.scope.workspace or DEFAULT_WORKSPACE
        yield Proposed(f"workspace {each.label}", _limit(each), tuple(how), workspace=ident, called=each.label)


def _keys(keys: Sequence[KeyDays], history: History) -> Iterator[Proposed]:
    """A day of any key, and of those that weigh much and have a lower highest a day of their own."""
    if not keys:
        return
    dearest = keys[0]
    any_key = _rounded_up(_times(dearest.highest, _MORE_A_DAY))
    how = (
        f"The highest day of any key: {_called(dearest.label)}, {_usd(dearest.highest)} on {dearest.day}.",
        "Limit: that + 50 %, rounded up. No key has ever spent that in a day.",
    )
    yield Proposed("any key a day", any_key, how, "day", "[100]", per='["api_key"]')
    total = sum(each.total for each in keys)
    heavy = (each for each in keys if each.is_key and each.total * _KEY_SHARE >= total)
    own = [each for each in heavy if each.highest * 2 <= dearest.highest]
    for each in own[:MOST_KEYS]:
        limit = _rounded_up(_times(each.highest, _MORE_A_DAY))
        past = f"Its highest day in {history.days:.0f} days: {_usd(each.highest)} on {each.day}. Limit: that + 50 %."
        yield Proposed(
            f"key {each.label} a day", limit, (past,), "day", "[100]", api_key=each.api_key, called=each.label
        )


def _anomaly(history: History) -> tuple[Nano, tuple[str, ...]]:
    default = AnomalyRule("").min_excess
    if history.noise is None:
        return default, ("The default: there is too little history to know the noise of keys.",)
    above = f"a key was over {_usd(history.noise)} an hour above its usual for three hours once in two hundred times"
    excess = _rounded_up(2 * history.noise)
    return excess, (f"In the last weeks {above}. Below twice that, rounded up, nothing is told.",)


def _limit(months: Months) -> Nano:
    return _rounded_up(_times(months.highest, _MORE))


def _times(nano: Nano, factor: tuple[int, int]) -> Nano:
    return nano * factor[0] // factor[1]


def _rounded_up(nano: Nano) -> Nano:
    """To two digits, and to a dollar at least: $4,312 is $4,400, $8.43 is $8.50."""
    nano = max(nano, _LEAST_LIMIT)
    unit = int("1".ljust(len(str(nano)) - 1, "0"))
    return -(-nano // unit) * unit


def _usd(nano: Nano) -> str:
    text = display_usd(nano)
    return text if nano < 100 * NANO_PER_USD else text.rpartition(".")[0]


def _called(label: str) -> str:
    return f'"{clean(label)}"'
