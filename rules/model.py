"""The vocabulary: what a figure is about, what a rule says of it, and what becomes of that.

Everything here is a frozen value. Times are timezone-aware UTC; money is integer nano-dollars (`rules.money`);
windows are `[from, to)`. Ids are the Admin API's own, and three names stand where the API answers null:
Console use has no key, the default workspace has no id, and some cost has no usage behind it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

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


Kind: TypeAlias = Literal["budget", "anomaly", "source"]


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


# ---------------------------------------------------------------------------------------------- figures


@dataclass(frozen=True, slots=True)
class Leaf:
    """The finest series the ledger keeps: one key on one model in one workspace."""

    workspace: str
    api_key: str
    model: str


@dataclass(frozen=True, slots=True)
class SpendView:
    """Spend by leaf and hour, the working view that rules read.

    `cost[i, j]` is the best known nano-dollars of `leaves[i]` in the hour that begins at `start + j hours`;
    `settled[i, j]` is the part of it that the provider has settled. Hours before `complete_until` are complete:
    a zero there is a real zero. From there to `observed_until` the figures are lower bounds (the open hour and
    those not settled down yet); nothing is known later. `known[j]` is False for an hour before `complete_until`
    that was never read (a hole): it is missing, not zero. Arrays are read-only.
    """

    organization: str
    start: datetime
    leaves: tuple[Leaf, ...]
    cost: npt.NDArray[np.int64]
    settled: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]
    complete_until: datetime
    observed_until: datetime
    unpriced: frozenset[str] = frozenset()
    """Models whose price is a stand-in: their figures are over-estimates."""

    @property
    def hours(self) -> int:
        """How many hours the view spans."""
        return int(self.cost.shape[1])

    def index(self, moment: datetime) -> int:
        """The column of the hour that `moment` falls in; may lie outside `0 … hours - 1`."""
        return (moment - self.start) // HOUR


@dataclass(frozen=True, slots=True)
class HourPoint:
    """One hour of a story: what was seen beside what the baseline held for likely, nano-dollars."""

    hour: datetime
    observed: Nano
    expected: Nano
    upper: Nano
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Share:
    """A child's part of its parent's figure."""

    dimension: Dimension
    id: str
    name: str
    cost: Nano


# ---------------------------------------------------------------------------------------------- what rules say


@dataclass(frozen=True, slots=True)
class BudgetEvidence:
    """Why a budget's threshold counts as crossed; frozen with the alert."""

    period: str
    """The period's name for people: "November 2026", "20 Nov 2026", "week of 16 Nov 2026"."""
    period_start: datetime
    period_end: datetime
    timezone: str
    threshold_percent: float
    also_crossed: tuple[float, ...]
    """Lower thresholds of the same budget that were crossed in the same judgement, and are told with this one."""
    spent: Nano
    limit: Nano
    settled: Nano
    data_as_of: datetime
    top: tuple[Share, ...] = ()
    unpriced: tuple[str, ...] = ()
    type: Literal["budget"] = "budget"


@dataclass(frozen=True, slots=True)
class AnomalyEvidence:
    """Why an hour or a stretch of hours is not normal; frozen with the alert."""

    since: datetime
    observed: Nano
    """Spent since `since`."""
    expected: Nano
    """What the baseline held for likely over the same hours."""
    per_hour: Nano
    """Spend per hour at present: the newest complete hour, or the open one scaled by what has passed of it."""
    normal_per_hour: Nano
    upper_per_hour: Nano
    score: float
    """How improbable, in robust standard deviations of the baseline's residual scale."""
    history_hours: int
    points: tuple[HourPoint, ...]
    data_as_of: datetime
    settled: Nano = 0
    top: tuple[Share, ...] = ()
    unpriced: tuple[str, ...] = ()
    type: Literal["anomaly"] = "anomaly"


@dataclass(frozen=True, slots=True)
class SourceEvidence:
    """What is wrong with a source of data; frozen with the alert."""

    source: str
    problem: str
    since: datetime
    consequence: str
    remedy: str
    data_as_of: datetime | None = None
    type: Literal["source"] = "source"


Evidence: TypeAlias = BudgetEvidence | AnomalyEvidence | SourceEvidence


@dataclass(frozen=True, slots=True)
class Breach:
    """The rule holds against the subject.

    `closes_at` makes it an event: told once, listed until then, closed silently. Without it, it is a state that lasts
    until complete data clear it. `starts_at` is when it began in the data, not when it was noticed.
    """

    subject: Subject
    severity: Severity
    starts_at: datetime
    value: Nano | None
    expected: Nano | None
    limit: Nano | None
    evidence: Evidence
    closes_at: datetime | None = None
    hold_for: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Clear:
    """Complete data say that the rule does not hold. The rule has applied its own hysteresis already."""

    subject: Subject
    value: Nano | None = None


@dataclass(frozen=True, slots=True)
class NoData:
    """Nothing can be said: never resolves an alert, never starts one, never touches a key."""

    subject: Subject
    why: str


Verdict: TypeAlias = Breach | Clear | NoData


# ---------------------------------------------------------------------------------------------- what becomes of it


@dataclass(frozen=True, slots=True)
class Alert:
    """One stretch of a subject in breach. `id` is unique to the stretch, the fingerprint to the subject."""

    id: str
    subject: Subject
    severity: Severity
    state: State
    starts_at: datetime
    pending_since: datetime
    evidence: Evidence
    summary: str
    value: Nano | None = None
    expected: Nano | None = None
    limit: Nano | None = None
    fired_at: datetime | None = None
    ends_at: datetime | None = None
    closes_at: datetime | None = None
    clear_since: datetime | None = None
    """Since when complete data have said Clear, while `keep_firing_for` still holds the alert."""
    keep_firing_for: timedelta = timedelta(0)
    names: Mapping[str, str] = field(default_factory=dict)
    """The names, when the alert was last written, of the scope's ids and of the workspace that its key lives in."""
    inhibited_by: str | None = None
    """The id of the alert that tells this one's story, if one does."""

    @property
    def is_event(self) -> bool:
        """Whether it is told once and closes by the calendar, as a budget crossing does."""
        return self.closes_at is not None


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state of one alert, kept as a row with its reason."""

    alert_id: str
    at: datetime
    before: State | None
    after: State
    why: str
    silent: bool = False
    """Whether nobody is to be told: a period that ended, a breach folded into a higher threshold."""


class Reason(StrEnum):
    """Why a notification is sent now."""

    FIRST = "first"
    INITIAL = "initial"
    """The one message of a new database's first judgement: everything that was true already."""
    RESOLVED = "resolved"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one receiver. `id` is the same on every try, so that a receiver can tell a repeat."""

    id: str
    receiver: str
    reason: Reason
    alerts: tuple[Alert, ...]
    created_at: datetime
    organization: str
    """The organization's name, for the reader."""
    inhibited: tuple[Alert, ...] = ()
    """Alerts whose story is told by those in `alerts`: the parents inside the message."""


# ---------------------------------------------------------------------------------------------- what is asked for


@dataclass(frozen=True, slots=True)
class Selector:
    """Globs on an id or a name, one a dimension; None takes all. All that are set must match."""

    workspace: str | None = None
    api_key: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """Spend against a limit over a calendar period.

    `thresholds` are percent of `limit`, ascending. `per` makes one such budget for each value of those dimensions.
    """

    name: str
    period: Literal["day", "week", "month"]
    timezone: str
    limit: Nano
    thresholds: tuple[float, ...]
    per: tuple[Dimension, ...] = ()
    select: Selector = Selector()


@dataclass(frozen=True, slots=True)
class AnomalyRule:
    """Spend that the baseline holds for improbable and that is material in money."""

    name: str
    per: tuple[Dimension, ...] = ("api_key",)
    select: Selector = Selector()
    min_excess: Nano = 5_000_000_000
    """Nano-dollars per hour over the expected, below which nothing is said."""
    hold_for: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(hours=2)
    severity: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True)
class Route:
    """Where alerts go. Every route whose receiver is named hears of every alert."""

    receiver: str


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is known of one source of data of one organization.

    `offered` is False where the API answers 403 or 404: absent, not failed; None before it was first asked.
    """

    source: str
    offered: bool | None = None
    watermark: datetime | None = None
    last_attempt_at: datetime | None = None
    last_success_at: datetime | None = None
    failing_since: datetime | None = None
    failure: str | None = None
    stalled_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a judgement reads, taken at one moment."""

    organization: str
    organization_name: str
    view: SpendView
    names: Names
    sources: Sequence[SourceState] = ()
