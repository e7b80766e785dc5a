"""What speaks against deactivating a key now: for good, or for the time being. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import floor

from rules.actions import UNDER_WAY, Action, ActionState
from rules.model import CONSOLE, UNATTRIBUTED
from rules.money import display_usd
from rules.offences import Offence, Offender
from rules.policy import APPROVAL, COOLING, DAY, FRESH, LEAST_MULTIPLE, OPEN_INTENT
from rules.situation import Situation
from rules.touched import turned_on


@dataclass(frozen=True, slots=True)
class Ends:
    """What speaks against an action for good."""

    state: ActionState
    why: str


@dataclass(frozen=True, slots=True)
class Waits:
    """What it waits for."""

    why: str


class Objections:
    """What may be said against the rows of one journal at one moment."""

    def __init__(self, situation: Situation, rows: Mapping[str, Action], now: datetime) -> None:
        """`rows` may change between two questions: what has been begun counts."""
        self._at, self._rows, self._now, self._policy = situation, rows, now, situation.policy

    def against(self, row: Action, offence: Offence | None, begun: int) -> Ends | Waits | None:
        """The first thing that speaks against beginning it now; None if nothing does."""
        return (
            self.for_good(row, offence)
            or self._of_time(row)
            or self._of_others(row)
            or self._of_data(row, offence)
            or self._of_leave(row)
            or self._of_limits(begun)
        )

    def for_good(self, row: Action, offence: Offence | None) -> Ends | None:
        """What has ended, or holds of the key itself, whatever the time and the data."""
        return self._is_over(row, offence) or self._of_key(row, offence)

    def _is_over(self, row: Action, offence: Offence | None) -> Ends | None:
        if self._policy.mode == "off" or row.mode == "off":
            return Ends(ActionState.EXPIRED, "Shutoff was switched off before it was done.")
        ended = row.evidence is not None and row.evidence.period_end is not None
        if ended and row.evidence is not None and (row.evidence.period_end or self._now) <= self._now:
            return Ends(ActionState.EXPIRED, "The period ended before it was done.")
        if offence is None and row.alert not in self._at.firing:
            return Ends(ActionState.EXPIRED, "The alert ended before it was done.")
        return None

    def _of_key(self, row: Action, offence: Offence | None) -> Ends | None:
        """What the key itself has against it."""
        refused = ActionState.REFUSED
        if row.key in {CONSOLE, UNATTRIBUTED}:
            what = "It is used in the Console" if row.key == CONSOLE else "No key is known to have spent it"
            return Ends(refused, f"{what}: there is no key that could be deactivated.")
        key = self._at.key(row.key)
        if key is None:
            return Ends(refused, "The key is not listed by the API, so it cannot be deactivated.")
        if key.status != "active":
            return Ends(refused, f"The key is {key.status} already.")
        why = self._at.protection(key)
        if why:
            return Ends(refused, f"The key is protected: {why}.")
        back = turned_on(key, self._at.keys, self._rows.values())
        if back is not None and self._now < back + COOLING:
            hours = f"{COOLING.total_seconds() / 3600:.0f} hours"
            return Ends(refused, f"Somebody turned the key back on at {_clock(back)}: it is left alone {hours}.")
        return self._of_offender(row, offence)

    def _of_offender(self, row: Action, offence: Offence | None) -> Ends | None:
        if offence is None or offence.cause.scope.api_key is not None:
            return None
        offender = next((each for each in offence.offenders if each.key == row.key), None)
        if offender is None:
            return None
        excess = offender.observed - offender.expected
        if excess < self._policy.min_amount:
            least = display_usd(self._policy.min_amount)
            return Ends(ActionState.REFUSED, f"Its own excess is {display_usd(excess)}, which is less than {least}.")
        if not offender.goes_on:
            return Ends(ActionState.REFUSED, "The key is back to its usual spend: deactivating it would save nothing.")
        return None

    def _of_time(self, row: Action) -> Ends | None:
        now = self._now
        if row.state is ActionState.APPROVED and row.approved_at is not None and now >= row.approved_at + APPROVAL:
            return Ends(ActionState.EXPIRED, "It was approved and could not be begun within 30 minutes of that.")
        if row.mode == "approve" and row.state is ActionState.PROPOSED and now >= (row.expires_at or now):
            return Ends(ActionState.EXPIRED, "Nobody approved it within 30 minutes.")
        if row.mode != "approve" and row.due_at is not None and now >= row.due_at + DAY:
            return Ends(ActionState.EXPIRED, f"It could not be begun for a day: {row.waits}.")
        return None

    def _of_others(self, row: Action) -> Waits | None:
        under_way = any(
            each.key == row.key and each.id != row.id for each in self._rows.values() if each.state in UNDER_WAY
        )
        return Waits("something else is being done to the key") if under_way else None

    def _of_data(self, row: Action, offence: Offence | None) -> Waits | None:
        """Whether what is known now proves it, and is fresh."""
        watermark = self._at.watermark
        if self._at.no_data:
            return Waits(self._at.no_data)
        if watermark is None or self._now - watermark > FRESH:
            return Waits("usage is known to be complete only until more than 90 minutes ago")
        if offence is None:
            return Waits("no complete data say that it still holds")
        if offence.amount < self._policy.min_amount:
            least = display_usd(self._policy.min_amount)
            return Waits(f"by now it is surely {display_usd(offence.amount)} too much, which is less than {least}")
        if offence.alert.silenced is not None:
            return Waits("a silence holds the alert")
        if offence.cause.scope.api_key is None and all(each.key != row.key for each in offence.offenders):
            return Waits("by now it is not among the keys that explain the excess")
        its = [each for each in offence.offenders if each.key == row.key and each.multiple < LEAST_MULTIPLE]
        if its and offence.cause.kind == "anomaly" and row.mode != "approve":
            return Waits(f"by now it is {few_times(its)}")
        if offence.cause.kind == "anomaly" and not _twice(row, offence):
            return Waits("an anomaly must be seen in two versions of the data")
        return None

    def _of_leave(self, row: Action) -> Waits | None:
        """Whether it may be done: by the brake, by a person, or by the clock."""
        now = self._now
        if self._at.brake.holds(now):
            return Waits(self._at.brake.words)
        if row.state is ActionState.APPROVED:
            return None
        if row.mode == "approve":
            return Waits("somebody must approve it")
        if row.due_at is not None and now < row.due_at:
            return Waits("somebody may still say no")
        interval = self._policy.forbids(now)
        return Waits(f'nothing is done by itself during "{interval}"') if interval else None

    def _of_limits(self, begun: int) -> Ends | Waits | None:
        most = self._policy.most_in_a_day(self._at.keys.active())
        if len(_of_the_day(self._rows.values(), self._now)) >= most:
            return Ends(ActionState.REFUSED, f"The limit of the last 24 hours is reached: {most} keys.")
        if begun >= self._policy.max_per_cycle:
            return Waits(f"{self._policy.max_per_cycle} a cycle is the limit")
        return None


def _of_the_day(rows: Iterable[Action], now: datetime) -> list[Action]:
    """The deactivations of the policy that count towards the limit of any 24 hours: also those that may still be sent
    late."""
    since = now - DAY - OPEN_INTENT
    counted = UNDER_WAY | {ActionState.CONFIRMED}
    return [
        row
        for row in rows
        if row.what == "deactivate"
        and row.cause.by_policy
        and row.intent_at is not None
        and row.intent_at > since
        and (row.state in counted or row.sent_at is not None)
    ]


def _twice(row: Action, offence: Offence) -> bool:
    """Whether the data have changed since it was proposed, and say the same."""
    before = row.evidence
    return before is not None and offence.data_as_of > before.data_as_of and offence.observed != before.observed


def few_times(offenders: Iterable[Offender]) -> str:
    """That an anomaly is too near the usual for any of these keys to be touched by itself, as a clause."""
    times = max((each.multiple for each in offenders if each.multiple < LEAST_MULTIPLE), default=1.0)
    shown = f"{floor(10 * times) / 10:.1f} times what is usual"
    return f"{shown}, as a launch may be, and less than {LEAST_MULTIPLE:.0f} times"


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
