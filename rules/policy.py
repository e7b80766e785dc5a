"""What the owner allows to be done to keys, and under which conditions: nothing, unless the configuration says more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal, TypeAlias

from rules.intervals import TimeInterval
from rules.money import NANO_PER_USD
from rules.scope import Nano

Mode: TypeAlias = Literal["off", "dry_run", "approve", "auto"]
MODES: Sequence[Mode] = ("off", "dry_run", "approve", "auto")
"""From nothing to everything."""

FRESH = timedelta(minutes=90)
"""The oldest that the usage watermark may be for a key to be touched."""
APPROVAL = timedelta(minutes=30)
"""How long an approval may be given."""
COOLING = timedelta(hours=24)
"""For how long a key that a person turned back on is left alone, whatever the cause."""
OPEN_INTENT = timedelta(minutes=15)
"""An intent that is older than this, and was not carried out, never is."""
DAY = timedelta(hours=24)
LEAST_SHARE = Fraction(1, 2)
"""Of an excess that at most `MOST_KEYS` keys must explain together for any of them to be touched."""
LEAST_CONFIDENCE = 0.8
"""With which they must be known to (`rules.attribution`)."""
MOST_KEYS = 5
LEAST_MULTIPLE = 5.0
"""Times what is usual, below which an anomaly stops no key by itself: a launch looks the same."""
USUAL_AFTER = timedelta(days=7)
"""A key that began to spend less than this before a breach has no usual spend: a person decides what becomes of it."""


def lowest(*modes: Mode) -> Mode:
    """The one that allows least."""
    return min(modes, key=MODES.index)


@dataclass(frozen=True, slots=True)
class KeyAction:
    """That a threshold or an anomaly rule asks for keys to be deactivated; `mode` None is that of the policy."""

    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Protect:
    """Globs on the ids or names of what is never deactivated, and tags of workspaces ("key=value")."""

    api_key: tuple[str, ...] = ()
    workspace: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    claude_code: bool = True
    """Whether the workspace that holds the keys of Claude Code is protected, too."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole of `[shutoff]`; without that table there is none, and the program cannot write to the API at all."""

    mode: Mode = "off"
    protect: Protect = Protect()
    max_per_cycle: int = 1
    max_per_day: int = 3
    max_share: Fraction = Fraction(1, 10)
    """Of the active keys, in any 24 hours; rounded down, and at least one."""
    grace: timedelta = timedelta(minutes=15)
    min_amount: Nano = 50 * NANO_PER_USD
    """Over the limit, or in excess, below which no key is touched."""
    approvers: tuple[str, ...] = ()
    """Who may approve: ids of Slack users, and what the command line knows people as; where it names nobody, whoever
    can run the command on the machine, and nobody in Slack."""
    reactivate_at_reset: bool = False
    not_during: tuple[TimeInterval, ...] = ()
    """When nothing is done that no person has approved."""

    def mode_of(self, action: KeyAction) -> Mode:
        """The mode of one rule: never more than that of the policy."""
        return self.mode if action.mode is None else lowest(self.mode, action.mode)

    def forbids(self, moment: datetime) -> str:
        """The name of the interval in which nothing is done by itself; "" where that is allowed."""
        return next((each.name for each in self.not_during if each.holds(moment)), "")

    def most_in_a_day(self, active: int) -> int:
        """How many keys may be deactivated in any 24 hours where so many are active."""
        return min(self.max_per_day, max(1, int(self.max_share * active)))


@dataclass(frozen=True, slots=True)
class Brake:
    """What holds every action at once."""

    until: datetime | None = None
    """None: until somebody lets go."""
    by: str = ""
    since: datetime | None = None
    why: str = ""

    def holds(self, now: datetime) -> bool:
        """Whether it is on."""
        return self.since is not None and (self.until is None or now < self.until)

    @property
    def words(self) -> str:
        """What holds, as a clause."""
        ends = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        return f"actions are paused{ends} ({self.why or self.by})"


NO_BRAKE = Brake()
