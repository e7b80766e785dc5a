"""The news of actions on keys in words: what, why, what happens next, what can be done; how sure it is at the end.

Pure. All of it is plain text: names in it are harmless, and whoever shows it escapes it for the medium.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rules import action_headlines
from rules.action_headlines import asks, denied, graces, gravest, in_short, rehearsed, who_of
from rules.actions import NO_KEY, POLICY, UNDER_WAY, WAITING, Action, ActionEvidence, ActionNews, ActionState
from rules.clock_words import ago, when
from rules.model import Alert
from rules.money import display_usd
from rules.savings import saved
from rules.wording import clean

MOST_KEYS = 5
"""More are counted."""
LONGEST_REASON = 500
_LONGEST_WORKSPACE = 40
_SIMPLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)
_TOLD_BY_TIME = ("somebody may still say no", "somebody must approve it")


@dataclass(frozen=True, slots=True)
class Step:
    """Something that the reader can do, and the command that does it."""

    what: str
    command: str


@dataclass(frozen=True, slots=True)
class Told:
    """One piece of news, in reading order."""

    headline: str
    story: str = ""
    """What the alert says that it is about, for who has not been told."""
    why: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    can: tuple[Step, ...] = ()
    small: tuple[str, ...] = ()
    pressing: bool = False
    """Whether somebody should look at it now."""
    good: bool = False
    """Whether it is the end of something."""


def told(news: ActionNews, alert: Alert | None, now: datetime) -> Told:
    """The news as it is at `now`; `alert` is the one that it is about, as far as it is known."""
    headline = action_headlines.headline(news, now)
    if news.brake is not None:
        return _braked(news, headline)
    rows = news.actions
    every = all(row.state is ActionState.CONFIRMED for row in rows)
    return Told(
        headline=headline,
        story="" if alert is None or not _of_one_cause(rows) else clean(alert.summary, LONGEST_REASON),
        why=(*_why(rows, now), *_done(rows, alert, now)),
        next=tuple(_next(rows, now)),
        can=tuple(_can(rows, now)),
        small=tuple(_small(rows, now)),
        pressing=gravest(rows),
        good=every,
    )


def standing(row: Action, now: datetime) -> str:
    """How it stands with one row, for a list: "Key “x” is not deactivated: The key is protected: …"."""
    line = action_headlines.of_row(row, who_of(row), now)
    if row.state in WAITING and row.waits and row.waits not in _TOLD_BY_TIME:
        return f"{line}; it waits: {clean(row.waits, LONGEST_REASON)}"
    if row.state in {ActionState.REFUSED, ActionState.EXPIRED, ActionState.ABANDONED} and not denied(row):
        return f"{line}: {clean(row.reason, LONGEST_REASON).removesuffix('.')}"
    return line


# ---------------------------------------------------------------------------------------------- why


def _why(rows: Sequence[Action], now: datetime) -> Iterator[str]:
    first = rows[0]
    if not _of_one_cause(rows):
        return
    if first.evidence is not None and first.cause.by_policy:
        if any(row.state is not ActionState.CONFIRMED for row in rows):
            yield _too_much(first, first.evidence, now)
        if first.key != NO_KEY and first.cause.scope.api_key is None:
            yield _share(rows, first.evidence)
    if not first.cause.by_policy and first.cause.kind != "reset":
        yield f"{clean(first.by)} asked for it: {clean(first.reason, LONGEST_REASON)}"
    elif first.cause.kind == "reset":
        yield clean(first.reason, LONGEST_REASON)
    if len(rows) == 1 and _says_why(first):
        yield clean(first.reason, LONGEST_REASON)


def _of_one_cause(rows: Sequence[Action]) -> bool:
    """Whether all of them rest on the same figures."""
    return len({row.cause.id for row in rows}) == 1


def _says_why(row: Action) -> bool:
    """Whether the row's reason says why it ended otherwise than it was meant to."""
    ended = row.state in {ActionState.REFUSED, ActionState.EXPIRED, ActionState.ABANDONED}
    said_already = denied(row) and row.reason == f"{row.by} said no."
    return ended and not rehearsed(row) and not said_already


def _too_much(row: Action, found: ActionEvidence, now: datetime) -> str:
    bound = display_usd(found.bound)
    beside = f"the budget allows {bound}" if row.cause.kind == "budget" else f"{bound} was expected"
    least = f"{display_usd(found.certain)} or more since {when(found.since, now)}"
    return f"{display_usd(row.amount)} are surely too much: {least}, where {beside}."


def _share(rows: Sequence[Action], found: ActionEvidence) -> str:
    whose = who_of(rows[0]).start if len(rows) == 1 else f"These {len(rows)} keys"
    verb = "has" if len(rows) == 1 else "have"
    sure = f"{100 * found.confidence:.0f} %"
    return f"{whose} {verb} {100 * found.share:.0f} % of the excess, with a confidence of {sure}."


# ---------------------------------------------------------------------------------------------- what happens next


def _next(rows: Sequence[Action], now: datetime) -> Iterator[str]:
    if len(rows) > 1:
        yield from (_as_one(row) for row in rows[:MOST_KEYS])
        if len(rows) > MOST_KEYS:
            yield f"And {len(rows) - MOST_KEYS} more."
        yield from _ahead([row for row in rows if row.open], now)
        return
    (row,) = rows
    if row.state is ActionState.CONFIRMED:
        yield _after(row)
    elif row.open:
        yield from _ahead(rows, now)
    elif row.state is ActionState.ABANDONED and row.sent_at is not None:
        yield "This program does not try again. Look at the key in the Console, under API keys."
    elif rehearsed(row):
        yield "Nothing was done: this is a dry run."
    elif row.key != NO_KEY and row.cause.by_policy:
        yield "It is not asked about again for the same cause."


def _as_one(row: Action) -> str:
    """One of several keys: what it has to do with it, and how it stands."""
    told = [clean(row.workspace_name, _LONGEST_WORKSPACE)] if row.workspace_name else []
    if row.evidence is not None:
        spent, usual = display_usd(row.evidence.key_observed), display_usd(row.evidence.key_expected)
        told.append(f"{spent}, usually {usual}")
    where = f" ({', '.join(told)})" if told else ""
    why = f", as {_clause(row)}" if _says_why(row) else ""
    return f"{who_of(row).start}{where}: {in_short(row)}{why}."


def _clause(row: Action) -> str:
    said = clean(row.reason, LONGEST_REASON).removesuffix(".")
    return said if denied(row) else said[:1].lower() + said[1:]


def _ahead(rows: Sequence[Action], now: datetime) -> Iterator[str]:
    """What becomes of rows that are open, where it is the same of all of them."""
    if len({(row.state, row.mode, row.due_at, row.expires_at, row.waits) for row in rows}) != 1:
        return
    row, it = rows[0], "it" if len(rows) == 1 else "them"
    key = who_of(row).name if len(rows) == 1 else "each of them"
    if row.state in UNDER_WAY:
        yield f"It is carried out now, and told once {key} was read afterwards. Only the status changes."
        return
    if row.mode == "dry_run":
        yield "Nothing will be done: this is a dry run."
    elif row.state is ActionState.APPROVED:
        yield "It is begun as soon as nothing speaks against it, within 30 minutes."
    elif asks(row, now) and row.expires_at is not None:
        yield f"Nothing is done unless somebody approves {it} by {when(row.expires_at, now)}; then the plan is dropped."
    elif graces(row, now) and row.due_at is not None:
        at = f"{when(row.due_at, now)} ({ago(row.due_at, now)})"
        yield f"At {at} {key} is set to inactive, and requests with it fail. Nothing else is touched."
    if row.waits and row.waits not in _TOLD_BY_TIME:
        yield f"It also waits: {clean(row.waits, LONGEST_REASON)}."


def _after(row: Action) -> str:
    if row.what == "reactivate":
        return "Requests with it are answered again."
    if row.cause.kind == "drill":
        return "It is turned on again by itself, which is told too."
    return "Requests with it fail from now on; no other key was touched. Whoever turns it on again is not fought."


def _done(rows: Sequence[Action], alert: Alert | None, now: datetime) -> Iterator[str]:
    """By whose leave keys were deactivated, what they had cost, and what that saves."""
    for row in [row for row in rows if row.state is ActionState.CONFIRMED and row.what == "deactivate"][:MOST_KEYS]:
        start = "It" if len(rows) == 1 else who_of(row).start
        if row.by != POLICY and row.cause.by_policy:
            at = f" at {when(row.approved_at, now)}" if row.approved_at is not None else ""
            yield f"Approved by {clean(row.by)}{at}."
        if row.evidence is not None:
            spent, usual = display_usd(row.evidence.key_observed), display_usd(row.evidence.key_expected)
            yield f"{start} had spent {spent} since {when(row.evidence.since, now)}, where {usual} is {_usual(row)}."
        if (found := saved(row, alert, now)) is not None:
            yield f"Being off saves {found.words(now)}: an estimate."


def _usual(row: Action) -> str:
    own = row.cause.scope.api_key == row.key and row.cause.kind == "budget"
    return "what the budget allows" if own else "usual"


# ---------------------------------------------------------------------------------------------- what the reader can do


def _can(rows: Sequence[Action], now: datetime) -> Iterator[Step]:
    shown = rows[:MOST_KEYS]
    for row in shown:
        which = "" if len(rows) == 1 else f" ({who_of(row).name})"
        if row.state is ActionState.PROPOSED and row.mode == "approve" and asks(row, now):
            yield Step(f"Approve{which}", f"watcher actions approve {row.id}")
        if row.state in WAITING and row.mode != "dry_run":
            yield Step(f"Say no{which}", f"watcher actions deny {row.id}")
        if row.stopped and row.cause.kind != "drill":
            yield Step(f"Turn it on again{which}", f"watcher keys reactivate {_named(row)} --reason …")
    if any(row.open for row in rows):
        yield Step("Hold everything", "watcher actions pause --for 2h")
    yield Step("See the evidence", f"watcher actions show {rows[0].id}" if len(rows) == 1 else "watcher actions")


def _named(row: Action) -> str:
    """The key as a command takes it: a name that needs no quotes, or its id."""
    return row.key_name if _SIMPLE.fullmatch(row.key_name) else row.key


# ---------------------------------------------------------------------------------------------- how sure


def _small(rows: Sequence[Action], now: datetime) -> Iterator[str]:
    found = rows[0].evidence if _of_one_cause(rows) else None
    if found is not None:
        sure = f"{display_usd(found.certain)} of {display_usd(found.observed)} are sure"
        yield f"{sure} (estimates counted {percent_of(found.error)} lower)" if found.certain < found.observed else sure
        yield f"data as of {when(found.data_as_of, now)} ({ago(found.data_as_of, now)})"
    idents = [row.id for row in rows[:MOST_KEYS]]
    more = f" and {len(rows) - MOST_KEYS} more" if len(rows) > MOST_KEYS else ""
    yield f"action{'s' if len(rows) > 1 else ''} {', '.join(idents)}{more}"


def percent_of(ratio: float) -> str:
    """A ratio as a percentage that is nothing only where it is: "20 %", "0.4 %", "under 0.1 %"."""
    if 0 < ratio < 0.001:
        return "under 0.1 %"
    return f"{100 * ratio:.1f} %" if 0 < ratio < 0.01 else f"{100 * ratio:.0f} %"


def _braked(news: ActionNews, headline: str) -> Told:
    brake = news.brake
    if news.event != "paused" or brake is None:
        return Told(
            headline,
            next=("Plans that waited begin their grace anew, with a new time to say no.",),
            can=(Step("See what waits", "watcher actions"),),
            good=True,
        )
    why = f": {clean(brake.why, LONGEST_REASON)}" if brake.why else ""
    return Told(
        headline,
        why=(f"By {clean(brake.by)}{why}.",),
        next=("No key is deactivated or turned on by this program meanwhile. Alerts are told as before.",),
        can=(Step("Let go", "watcher actions resume"), Step("See what waits", "watcher actions")),
    )
