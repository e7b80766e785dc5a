"""What people say of alerts: that nothing is to be sent of some for a while, and that somebody has taken one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rules.matchers import Matcher


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
