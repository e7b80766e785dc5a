"""Whose something is, as the configuration says: a team or a person, and how to reach them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rules.matchers import Matcher

_SLACK_ID = re.compile(r"[USW][A-Z0-9]{4,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Owned:
    """The owner of an alert's scope."""

    name: str
    email: str = ""
    """An address, or a name and an address; "" where none is known."""
    slack: str = ""
    """The id of a Slack user ("U012AB3CD") or user group ("S012AB3CD"); "" where nobody is to be mentioned."""

    @property
    def words(self) -> str:
        """As people read it: "payments (ana@team.example)"."""
        return f"{self.name} ({self.email})" if self.email not in {"", self.name} else self.name


@dataclass(frozen=True, slots=True)
class Owner:
    """One owner, and what is theirs: alerts for which all matchers hold; all of them where there are none.

    Without `owned` it is the user of an alert's scope or key, and takes no alert for which nobody is known.
    """

    owned: Owned | None
    match: tuple[Matcher, ...] = ()
    place: str = field(default="", compare=False)
    """Where it stands in the configuration: "owner[0]"."""


def is_slack_id(text: str) -> bool:
    """Whether a text has the form of the id of a Slack user or user group, and so cannot be anything else there."""
    return _SLACK_ID.fullmatch(text) is not None
