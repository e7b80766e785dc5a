"""What a figure is about: ids and names, the organization or a part of it, and how much it matters.

Ids are the Admin API's own, and three names stand where the API answers null: Console use has no key, the default
workspace has no id, and some cost has no usage behind it.
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

Dimension: TypeAlias = Literal["workspace", "api_key", "model"]
DIMENSIONS: tuple[Dimension, ...] = ("workspace", "api_key", "model")

HOUR = timedelta(hours=1)


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


Kind: TypeAlias = Literal["budget", "anomaly", "source", "drift"]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a figure is about: the organization, or the part of it that the set dimensions name (ids, not names)."""

    organization: str
    workspace: str | None = None
    api_key: str | None = None
    model: str | None = None

    @property
    def kind(self) -> str:
        """ "organization", "workspace", "api_key", "model", or a combination joined by "+"."""
        return "+".join(self.parts()) or "organization"

    def parts(self) -> dict[Dimension, str]:
        """The dimensions that are set, in the order workspace, api_key, model."""
        pairs: tuple[tuple[Dimension, str | None], ...] = (
            ("workspace", self.workspace),
            ("api_key", self.api_key),
            ("model", self.model),
        )
        return {dimension: value for dimension, value in pairs if value is not None}


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
        )
        text = "\x1f".join("" if part is None else part for part in parts)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Names:
    """What people call the ids: name by id, and the workspace a key lives in. Unknown ids are their own name."""

    by_id: Mapping[str, str] = field(default_factory=dict)
    workspace_of_key: Mapping[str, str] = field(default_factory=dict)

    def of(self, ident: str) -> str:
        """The name of a key or workspace; a model, or an id never listed, is returned as it is."""
        special = {CONSOLE: "Console", DEFAULT_WORKSPACE: "default workspace", UNATTRIBUTED: "unattributed"}
        return special.get(ident) or self.by_id.get(ident) or ident
