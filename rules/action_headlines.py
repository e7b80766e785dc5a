"""What an action on keys comes to, in one line, by the state of its row in the journal. Pure, and unescaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.actions import NO_KEY, UNDER_WAY, Action, ActionNews, ActionState
from rules.clock_words import when
from rules.wording import clean

LONGEST_KEY = 40
DRY = "Dry run"
"""What the reason of an action begins with that would have been carried out."""


@dataclass(frozen=True, slots=True)
class Who:
    """One key by its name, or several by their number."""

    name: str
    several: bool = False

    @property
    def start(self) -> str:
        """As the beginning of a sentence."""
        return self.name[:1].upper() + self.name[1:]

    def form(self, one: str, several: str) -> str:
        """The form of a verb."""
        return several if self.several else one


def who_of(row: Action) -> Who:
    """The key of a row."""
    return Who(f"key “{clean(row.key_name, LONGEST_KEY)}”")


def headline(news: ActionNews, now: datetime) -> str:
    """The whole news in one line; names in it are harmless, and are not escaped."""
    if news.brake is not None:
        return _braked(news)
    rows = news.actions
    if len(rows) == 1:
        return of_row(rows[0], who_of(rows[0]), now)
    alike = {of_row(row, Who("these keys", several=True), now) for row in rows}
    if len(alike) == 1:
        return of_row(rows[0], Who(f"{len(rows)} keys", several=True), now)
    waiting = [row for row in rows if row.state is ActionState.PROPOSED]
    if waiting and len({of_row(row, Who("these", several=True), now) for row in waiting}) == 1:
        return of_row(waiting[0], Who(f"{len(waiting)} of {len(rows)} keys", several=True), now)
    counts = Counter(map(in_short, rows))
    return f"Of {len(rows)} keys {', '.join(f'{count} {what}' for what, count in counts.items())}"


def denied(row: Action) -> bool:
    """Whether a person said no."""
    return row.state is ActionState.REFUSED and row.reason.startswith(f"{row.by} said no")


def rehearsed(row: Action) -> bool:
    """Whether it would have been carried out, had it been no dry run."""
    return row.state is ActionState.REFUSED and row.mode == "dry_run" and row.reason.startswith(DRY)


def graces(row: Action, now: datetime) -> bool:
    """Whether somebody may still say no before it is done by itself."""
    return row.state is ActionState.PROPOSED and row.mode == "auto" and row.due_at is not None and now < row.due_at


def asks(row: Action, now: datetime) -> bool:
    """Whether it waits for a person to approve it."""
    return row.state is ActionState.PROPOSED and row.mode == "approve" and now < (row.expires_at or now)


def of_row(row: Action, who: Who, now: datetime) -> str:
    """One row, or several that are alike, in one line."""
    if row.key == NO_KEY:
        return "No key is deactivated"
    if row.state is ActionState.CONFIRMED:
        return _confirmed(row, who, now)
    if row.state is ActionState.ABANDONED:
        return _abandoned(row, who)
    if row.state in {ActionState.REFUSED, ActionState.EXPIRED}:
        return _not_done(row, who)
    if row.state in UNDER_WAY:
        return f"{who.start} {who.form('is', 'are')} being {_done(row)}"
    if row.state is ActionState.APPROVED:
        return f"{who.start} {who.form('is', 'are')} to be {_done(row)}: {clean(row.by)} approved it"
    return _proposed(row, who, now)


def _proposed(row: Action, who: Who, now: datetime) -> str:
    ahead = row.due_at is not None and now < row.due_at
    at = f" at {when(row.due_at, now)}" if ahead and row.due_at is not None else ""
    if row.mode == "dry_run":
        return f"{DRY}: {who.name} would be {_done(row)}{at or ' once nothing speaks against it'}"
    if row.mode == "approve":
        left = (row.expires_at or now) - now
        limit = f"Approve within {_minutes(left)}" if left > timedelta(0) else "The time for approving it is over"
        return f"Deactivate {who.name}? {limit}"
    if ahead:
        return f"{who.start} will be {_done(row)}{at} unless someone says no"
    return f"{who.start} will be {_done(row)} once nothing speaks against it"


def _minutes(left: timedelta) -> str:
    minutes = -(-int(left.total_seconds()) // 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def _confirmed(row: Action, who: Who, now: datetime) -> str:
    since = f"since {when(row.confirmed_at or row.updated_at, now)}"
    be = who.form("is", "are")
    if row.what == "deactivate":
        return f"{f'Drill: {who.name}' if row.cause.kind == 'drill' else who.start} {be} off {since}"
    if row.cause.kind == "reset":
        why = ", which ends the drill" if "as a drill" in row.reason else ", as the period has ended"
        return f"{who.start} {be} on again {since}{why}"
    return f"{who.start} {be} on again {since}"


def _abandoned(row: Action, who: Who) -> str:
    if row.sent_at is None:
        return f"{who.start} {who.form('was', 'were')} not {_done(row)}: it took too long"
    state = "off" if row.what == "deactivate" else "on"
    return f"Nobody knows whether {who.name} {who.form('is', 'are')} {state}: look at it in the Console"


def _not_done(row: Action, who: Who) -> str:
    be = who.form("is", "are")
    if rehearsed(row):
        return f"{DRY}: {who.name} would have been {_done(row)}"
    if denied(row):
        return f"{who.start} {who.form('stays', 'stay')} on: {clean(row.by)} said no"
    if row.state is ActionState.EXPIRED:
        nobody = row.reason.startswith("Nobody approved")
        return f"{who.start} {be} not {_done(row)}: {'nobody approved it' if nobody else 'its time is over'}"
    return f"{who.start} {be} not {_done(row)}"


def _done(row: Action) -> str:
    return "deactivated" if row.what == "deactivate" else "turned on again"


def in_short(row: Action) -> str:
    """How it stands with a row in two words, as one of several."""
    if row.state is ActionState.CONFIRMED:
        return "off" if row.what == "deactivate" else "on again"
    if row.state in {ActionState.REFUSED, ActionState.EXPIRED}:
        return "not touched"
    if row.state is ActionState.ABANDONED:
        return "in doubt" if row.sent_at is not None else "not touched"
    return f"to be {_done(row)}" if row.mode == "auto" or row.state in UNDER_WAY else "waiting for approval"


def _braked(news: ActionNews) -> str:
    brake = news.brake
    if news.event == "paused" and brake is not None:
        until = f" until {brake.until:%Y-%m-%d %H:%M} UTC" if brake.until is not None else ""
        return f"Actions on keys are paused{until}"
    return "Actions on keys are allowed again"


def gravest(rows: Sequence[Action]) -> bool:
    """Whether somebody should look now: something is about to be done, waits to be decided, or is in doubt."""
    pressing = any(row.open and row.mode != "dry_run" for row in rows)
    return pressing or any(row.state is ActionState.ABANDONED and row.sent_at is not None for row in rows)
