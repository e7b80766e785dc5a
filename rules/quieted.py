"""What people say of alerts: that nothing is to be sent of some, that somebody has taken one, what an anomaly was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from rules.matchers import Matcher
from rules.scope import Nano, Subject

Word: TypeAlias = Literal["expected", "real"]
"""What people may say of an anomaly."""
EXPECTED: Literal["expected"] = "expected"
REAL: Literal["real"] = "real"

LASTS = timedelta(weeks=8)
"""How long from the story's beginning the scope is widened."""
REACH = timedelta(days=70)
"""So far back hours are looked at: older ones have nothing left to teach."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing is sent of the alerts that meet all matchers, from `starts_at` until before `ends_at`."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str

    def holds(self, now: datetime) -> bool:
        """Whether it is in force."""
        return self.starts_at <= now < self.ends_at


@dataclass(frozen=True, slots=True)
class Silenced:
    """Which silence holds an alert back, of several the one that ends last, as the last judgement saw it."""

    id: str
    until: datetime
    by: str
    comment: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who has taken an alert, and when."""

    by: str
    at: datetime
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What somebody said of an anomaly: that it was "expected", or that it is "real"; when and why."""

    verdict: Word
    by: str
    at: datetime
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What was said of one alert, and what follows from it."""

    alert: str
    subject: Subject
    verdict: Word
    since: datetime
    """The first hour of the story."""
    until: datetime | None
    """When the alert ended; None while it is open."""
    usual: Nano
    """What is normal an hour, as the alert had it."""
    excess: Nano
    """The most an hour that came on top of that."""
    by: str
    at: datetime
    comment: str = ""
    taken_back: bool = False

    @property
    def ends_at(self) -> datetime | None:
        """From when on it changes nothing any more; None as long as that is open."""
        if self.taken_back:
            return self.at
        if self.verdict == EXPECTED:
            return self.since + LASTS
        return None if self.until is None else self.until + REACH

    def holds(self, now: datetime) -> bool:
        """Whether it still changes what is judged."""
        return self.ends_at is None or self.ends_at > now
