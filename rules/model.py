"""The vocabulary: what a figure is about, what a rule says of it, and what becomes of that.

Everything here is a frozen value. Times are timezone-aware UTC; money is integer nano-dollars (`rules.money`);
windows are `[from, to)`. `rules.scope` and `rules.evidence` hold the parts that stand on their own; all of it is
imported from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from rules.actions import ActionNews
from rules.caps import Caps
from rules.configured import AnomalyRule, Budget, Selector
from rules.digest import Digest
from rules.evidence import (
    AnomalyEvidence,
    BudgetEvidence,
    BurnEvidence,
    DriftEvidence,
    Evidence,
    ForecastEvidence,
    PaceEvidence,
    PriceEvidence,
    SourceEvidence,
    Terms,
    TriggerEvidence,
)
from rules.figures import EarlierSpend, Leaf, SpendView
from rules.learned import LearnedRatio
from rules.measures import SPEND, Measure
from rules.owned import Owned
from rules.quieted import Acknowledgement, Judged, Silenced
from rules.reconciled import ReconciledDay
from rules.routes import Route
from rules.scope import (
    CONSOLE,
    DEFAULT_WORKSPACE,
    DIMENSIONS,
    HOUR,
    TAG,
    UNATTRIBUTED,
    UNKNOWN,
    UNTAGGED,
    Dimension,
    Kind,
    Names,
    Nano,
    Scope,
    Severity,
    State,
    Subject,
)
from rules.shift_evidence import HourPoint, Odds, PriceShift, Share, SilenceEvidence, UnitPriceEvidence

__all__ = [
    "CONSOLE",
    "DEFAULT_WORKSPACE",
    "DIMENSIONS",
    "HOUR",
    "TAG",
    "UNATTRIBUTED",
    "UNKNOWN",
    "UNTAGGED",
    "Alert",
    "AnomalyEvidence",
    "AnomalyRule",
    "Breach",
    "Budget",
    "BudgetEvidence",
    "BurnEvidence",
    "Clear",
    "Dimension",
    "DriftEvidence",
    "EarlierSpend",
    "Evidence",
    "ForecastEvidence",
    "HourPoint",
    "Kind",
    "Leaf",
    "Names",
    "Nano",
    "NoData",
    "Notification",
    "Odds",
    "Owned",
    "PaceEvidence",
    "PriceEvidence",
    "PriceShift",
    "Reason",
    "Route",
    "Scope",
    "Selector",
    "Severity",
    "Share",
    "SilenceEvidence",
    "Snapshot",
    "SourceEvidence",
    "SourceState",
    "SpendView",
    "State",
    "Subject",
    "Terms",
    "Transition",
    "TriggerEvidence",
    "UnitPriceEvidence",
    "Verdict",
]


# ---------------------------------------------------------------------------------------------- what rules say


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
    over: str | None = None
    """Why it is over at once and without a word, whatever the data say: its period has ended, say."""


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
    owner: str = ""
    """Whom to ask, by name and e-mail address: the user of the scope or of its key, where that is known."""
    owner_email: str = ""
    """That person's address alone, "" where it is not known."""
    owned: Owned | None = None
    """Whose it is, where the configuration says so."""
    inhibited_by: str | None = None
    """The id of the alert that tells this one's story, if one does."""
    reset_at: datetime | None = None
    """When somebody had it forgotten: it then says nothing any more of what was told."""
    heard: tuple[str, ...] | None = None
    """The receivers that were told that it fires, in their order; None where nobody was, or it is not known."""
    silenced: Silenced | None = None
    """What holds it back at present."""
    waits: bool = False
    """Whether somebody is to be told of it, once nothing holds it back any more."""
    acknowledged: Acknowledgement | None = None
    """Who has taken it, if somebody has."""
    judged: Judged | None = None
    """What somebody said of it, if it is an anomaly and somebody has."""

    @property
    def is_event(self) -> bool:
        """Whether it is told once and closes by the calendar, as a budget crossing does."""
        return self.closes_at is not None

    @property
    def whose(self) -> str:
        """Whom to ask: the configured owner, or else the user of the scope or of its key; "" where nobody is known."""
        return self.owned.words if self.owned is not None else self.owner

    @property
    def told_by(self) -> str | None:
        """Whose message tells of it, if it is not told by itself: the id of an alert, or a higher mark in words."""
        if isinstance(self.evidence, TriggerEvidence) and self.evidence.told_with is not None:
            return self.evidence.told_with
        return self.inhibited_by


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
    NEW = "new in group"
    """Alerts that joined a group of which a message went out before."""
    REPEATED = "repeated"
    """What was told before fires on, and the route asks to be told again."""
    ESCALATED = "escalated"
    """Somebody else was told, and nobody acknowledged it in time."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody has taken it: for receivers that track incidents alone."""
    RESOLVED = "resolved"
    DIGEST = "digest"
    """The summary of a day or a week, which is about no alert."""
    ACTION = "action"
    """What is to be done to a key, or was done."""
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
    told_as: str = ""
    """What the owner calls the organization, where several are watched; the title then says it."""
    digest: Digest | None = None
    """What a digest tells; None of every other message."""
    news: ActionNews | None = None
    """What is to be done about these alerts, or was done; also in a message that tells of the alerts themselves."""


# ---------------------------------------------------------------------------------------------- what a judgement reads


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
    reconciled: Sequence[ReconciledDay] = ()
    """The latest settled days in order, what their tokens are estimated at beside what was billed."""
    told_as: str = ""
    """What messages call the organization, beside its own name, where they must tell it from others."""
    label: str = ""
    """What the configuration calls the organization; "" where it says nothing."""
    ratios: Mapping[tuple[str, str], LearnedRatio] | None = None
    """What was learned of prices, by model and kind of token; None where nothing is known of them."""
    caps: Caps | None = None
    """What the provider caps spend at; None where nothing asks for it."""
    counted: Mapping[Measure, SpendView | str] = field(default_factory=dict)
    """What budgets count beside spend, each in the form of a view whose `cost` it is, or why it is not known."""
    people: Names | None = None
    """The names to go by in what is counted of Claude Code, whose keys are actors; None for `names`."""
    off: frozenset[str] = frozenset()
    """The ids of keys that the directory says are switched off: nothing more is to be expected of them."""

    def figures(self, measure: Measure) -> SpendView | str:
        """The view of what is counted, or a clause that says why it is not known."""
        return self.view if measure == SPEND else self.counted.get(measure, "nothing of it has been read")

    def names_of(self, measure: Measure) -> Names:
        """The names to go by in these figures."""
        return self.people if measure.claude_code and self.people is not None else self.names
