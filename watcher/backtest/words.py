"""Words for back-tests, on a terminal and on a page."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from notifiers.text import duration, plural
from rules.money import display_usd
from rules.periods import MONTHS
from watcher.backtest.stops import Acts, Stop
from watcher.backtest.told import Told

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def story(told: Told) -> str:
    """When it began, was told and ended, and the money before and after, as one line."""
    words = [f"told {duration(told.paged_at - told.began)} after it began" if told.told_at else "told to nobody"]
    if told.before is not None and told.after is not None and told.before + told.after > 0:
        kind = "over the limit" if told.alert.subject.kind == "budget" else "of excess"
        words.append(f"{display_usd(told.before)} {kind} before, {display_usd(told.after)} after")
    if told.resolved_at is not None:
        words.append(f"ended {moment(told.resolved_at)}")
    elif not told.alert.is_event:
        words.append("fires still")
    return "; ".join(words)


def stop_story(stop: Stop) -> str:
    """What was too much, what stopping the key would have saved, and what it would have cost, as one line."""
    words = [f"{display_usd(stop.row.amount)} too much by then"]
    until = f"until {moment(stop.until if stop.ended is None else stop.ended)} UTC"
    words.append(f"about {display_usd(stop.saved)} saved {until}" if stop.saved else "nothing saved")
    if stop.usual:
        words.append(f"{display_usd(stop.usual)} of other use cut off until {moment(stop.until)} UTC")
    return "; ".join(words)


def acts_line(acts: Acts) -> str:
    """All of it as one line."""
    if not acts.stops:
        return "No key would have been deactivated."
    keys = plural(len(acts.stops), "key would have been deactivated", "keys would have been deactivated")
    wrong = f"{len(acts.innocent)} of them innocent in hindsight" if acts.innocent else "none innocent in hindsight"
    return f"{keys}, {wrong}; about {display_usd(acts.saved)} saved (an estimate)."


def day(when: date) -> str:
    """A day for people: "9 Nov 2026"."""
    return f"{when.day} {MONTHS[when.month - 1][:3]} {when.year}"


def moment(when: datetime) -> str:
    """A moment of UTC for people: "Mon 9 Nov 14:20"."""
    return f"{_WEEKDAYS[when.weekday()]} {when.day} {MONTHS[when.month - 1][:3]} {when:%H:%M}"


def later(span: timedelta) -> str:
    """How much later, or earlier, one of two tells the same."""
    if not span:
        return "at the same time"
    return f"{duration(abs(span))} {'later' if span > timedelta(0) else 'earlier'}"
