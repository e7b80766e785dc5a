"""The API keys as they were last listed, and what was seen to change of them: what a decision about a key reads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it was last listed."""

    id: str
    name: str
    workspace: str
    """Its id; `DEFAULT_WORKSPACE`, or "" for a key of the whole organization."""
    status: str
    listed_at: datetime
    created_at: datetime | None = None

    @property
    def digest(self) -> str:
        """What a request about it is bound to where it names one: the id and the name that somebody saw."""
        return hashlib.sha256(f"{self.id}\x1f{self.name}".encode("utf-8", "surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Flip:
    """A change of a key's status that was seen between two listings; who made it the API does not tell."""

    after: str
    last_seen_before: datetime
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an organization, and which of them somebody changed."""

    by_id: Mapping[str, Key] = field(default_factory=dict)
    flips: Mapping[str, tuple[Flip, ...]] = field(default_factory=dict)
    """The changes of status of each key, the oldest first."""
    workspaces: Mapping[str, str] = field(default_factory=dict)
    """The names of the workspaces by id."""
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def active(self) -> int:
        """How many keys work."""
        return sum(key.status == "active" for key in self.by_id.values())

    def active_in(self, workspace: str) -> int:
        """How many keys of a workspace work."""
        return sum(key.status == "active" and key.workspace == workspace for key in self.by_id.values())
