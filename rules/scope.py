"""What a figure is about: ids and names, the organization or a part of it, and how much it matters.

Ids are the Admin API's own, and words in brackets stand where it has none: Console use has no key, the default
workspace has no id, some cost has no usage behind it, and some things are not told or not there at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Literal, TypeAlias

Nano: TypeAlias = int
"""Integer nano-dollars: $1 is 1_000_000_000."""

CONSOLE = "(console)"
"""The key of usage that had none: Console and Workbench use (a null api_key_id in a report grouped by it)."""
DEFAULT_WORKSPACE = "(default)"
"""The default workspace, which the reports show as a null workspace_id."""
UNATTRIBUTED = "(unattributed)"
"""The key, and where needed the model, of reported cost that no usage explains."""

UNKNOWN = "(unknown)"
"""What the API does not tell: whose a key is, the service tier of some usage, the family of a model without a name."""
UNTAGGED = "(none)"
"""The value of a tag in a workspace that does not have it."""

Dimension: TypeAlias = str
"""What spend is broken down by: one of `DIMENSIONS`, or a tag of its workspace, "tag:team"."""
DIMENSIONS: tuple[Dimension, ...] = ("workspace", "api_key", "model", "model_family", "service_tier", "user")
TAG = "tag:"
"""What the dimension of a workspace tag begins with; the tag's key follows."""

HOUR = timedelta(hours=1)

_FIRST = ("workspace", "api_key", "model")
"""The dimensions that have their place in every fingerprint, set or not."""


class Severity(StrEnum):
    """How much it matters, mildest first."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class State(StrEnum):
    """Where an alert is in its life; Prometheus' words, with their meaning."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


Kind: TypeAlias = Literal["budget", "forecast", "burn", "pace", "anomaly", "source", "drift", "price"]
"""What an alert is about. "forecast", "burn" and "pace" are of budgets, before their thresholds are crossed."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a figure is about: the organization, or the part of it that the set dimensions name (ids, not names)."""

    organization: str
    workspace: str | None = None
    api_key: str | None = None
    model: str | None = None
    model_family: str | None = None
    service_tier: str | None = None
    user: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    """Keys and values of workspace tags, ordered by key."""

    @classmethod
    def of(cls, organization: str, parts: Mapping[Dimension, str]) -> Scope:
        """The scope that these dimensions name. KeyError on a word that is no dimension."""
        tags: list[tuple[str, str]] = []
        named: dict[str, str] = {}
        for dimension, value in parts.items():
            if dimension.startswith(TAG):
                tags.append((dimension.removeprefix(TAG), value))
            elif dimension in DIMENSIONS:
                named[dimension] = value
            else:
                raise KeyError(dimension)
        return cls(organization, tags=tuple(sorted(tags)), **named)

    @property
    def kind(self) -> str:
        """ "organization", "workspace", "api_key", "model", "tag:team", or a combination joined by "+"."""
        return "+".join(self.parts()) or "organization"

    def parts(self) -> dict[Dimension, str]:
        """The dimensions that are set, in the order of `DIMENSIONS`, then the tags by key."""
        parts: dict[Dimension, str] = {}
        if self.workspace is not None:
            parts["workspace"] = self.workspace
        if self.api_key is not None:
            parts["api_key"] = self.api_key
        if self.model is not None:
            parts["model"] = self.model
        if self.model_family is not None:
            parts["model_family"] = self.model_family
        if self.service_tier is not None:
            parts["service_tier"] = self.service_tier
        if self.user is not None:
            parts["user"] = self.user
        for key, value in self.tags:
            parts[TAG + key] = value
        return parts


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alert is about, whatever its state: one rule, one scope, and which instance of it.

    `instance` tells apart several alerts of one rule and scope: a budget's period start and threshold
    ("2026-11-01T00:00:00Z/80"); empty for states such as anomalies.
    """

    rule: str
    kind: Kind
    scope: Scope
    instance: str = ""

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits, the same for the same subject in every process and version."""
        scope = self.scope
        parts = (
            self.kind,
            self.rule,
            self.instance,
            scope.organization,
            scope.workspace,
            scope.api_key,
            scope.model,
            # What came later is only there where it is set, so that older fingerprints stay.
            *(f"{dimension}={value}" for dimension, value in scope.parts().items() if dimension not in _FIRST),
        )
        text = "\x1f".join("" if part is None else part for part in parts)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Names:
    """What people call the ids, and what belongs to whom, as it is now. Unknown ids are their own name."""

    by_id: Mapping[str, str] = field(default_factory=dict)
    """The name of every workspace, key and user ever listed."""
    workspace_of_key: Mapping[str, str] = field(default_factory=dict)
    user_of_key: Mapping[str, str] = field(default_factory=dict)
    """Whose a key is: its principal, or else who created it."""
    emails: Mapping[str, str] = field(default_factory=dict)
    """The e-mail address of every user ever listed."""
    tags_of_workspace: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, ident: str) -> str:
        """The name of a key, workspace or user; a model, or an id never listed, is returned as it is."""
        return _SPECIAL.get(ident) or self.by_id.get(ident) or ident

    def whom_to_ask(self, scope: Scope) -> str:
        """The user of the scope, or of its key, by name and e-mail address; empty where no such person is known."""
        user = scope.user or self.user_of_key.get(scope.api_key or "")
        if user is None or user not in self.by_id:
            return ""
        name, email = self.by_id[user], self.emails.get(user)
        return name if email in {None, "", name} else f"{name} ({email})"

    def email_of(self, scope: Scope) -> str:
        """That person's e-mail address; empty where none is known."""
        return self.emails.get(scope.user or self.user_of_key.get(scope.api_key or "") or "") or ""


_SPECIAL = {
    CONSOLE: "Console",
    DEFAULT_WORKSPACE: "default workspace",
    UNATTRIBUTED: "unattributed",
    UNKNOWN: "unknown",
    UNTAGGED: "none",
}
