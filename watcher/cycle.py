"""One cycle: read the world, judge it, remember the decision. Read this file first.

Everything the program does hangs on `run_cycle`: the daemon calls it by the clock, `watcher poll` once. What it
decided leaves through the outbox (`watcher.outbox`) once it is committed, never before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from rules import budgets, feedback, judgement
from rules.actions import Action
from rules.asked import Request
from rules.carried import Carried
from rules.groups import Group
from rules.judgement import Decision, Past, Rules, decide
from rules.measures import Measure
from rules.model import Alert, Snapshot, SourceState, SpendView
from watcher import overview as overviews
from watcher.acting import ReadAgain, carry_out
from watcher.claude_code.estimates import Estimates
from watcher.digest import digests
from watcher.events import Planned
from watcher.guarding import Hands, Judged, guarded, listeners_of
from watcher.ingest import Ingested, Plan, Reader, ingest
from watcher.key_listing import list_keys
from watcher.ledger import Ledger
from watcher.ledger.requests import requests_view
from watcher.limits.caps import read_caps
from watcher.overview import REMEMBERED, Overview
from watcher.pricing import BookState
from watcher.store import Judgement, Store

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class World:
    """What a cycle works on."""

    reader: Reader
    store: Store
    ledger: Ledger
    organization: str
    rules: Rules
    """Those of the whole configuration; which of them are for this organization is seen when it is judged."""
    clock: Callable[[], datetime]
    """What time it is when something is done to a key; a cycle has one moment for everything else."""
    label: str = ""
    """What the configuration calls the organization; "" where it stands alone."""
    one_of_several: bool = False
    """Whether what people read must say which organization it is about."""
    backfill: timedelta = timedelta(days=60)
    """How far back the history is read."""
    estimates: Estimates = field(default_factory=Estimates)
    carried: Carried = field(default_factory=Carried)
    """What the anomaly rules learnt in the cycles before: without it they learn it once more, and say the same."""
    planned: Planned = field(default_factory=Planned)
    """The events of the whole configuration."""
    every_key: bool = False
    """Whether the figures to be shown have every key by itself, and not only the dearest."""
    hands: Hands | None = None
    """What it takes to change keys; None where the configuration does not allow that."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a judgement was made from, as the pages show it: the hours of every leaf, the names, the prices."""

    snapshot: Snapshot
    """With the figures that it was based on."""
    rules: Rules
    book: BookState
    at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a cycle came to."""

    ingested: Ingested
    sources: tuple[SourceState, ...]
    decision: Decision
    overview: Overview
    looked: Looked
    """What there is to look at until the next cycle."""
    acted: Sequence[Action] = ()
    """What was under way of actions on keys, as it is after the cycle."""

    @property
    def whole(self) -> bool:
        """Whether no source that exists fails: none asked now, and none that was asked last in an earlier cycle."""
        return _whole(self.ingested, self.sources)


def run_cycle(world: World, plan: Plan, now: datetime, progress: Progress | None = None) -> Outcome:
    """Read what the plan asks for, judge all that is known, and commit the decision.

    1. Readings go into the ledger, each whole or not at all.
    2. The ledger's view, the names and the sources' states are one snapshot.
    3. Every rule judges it; alerts advance; who hears of what is decided. All pure. A digest that is due is added up.
    4. Alerts, transitions, messages and the cursor commit in one transaction, and in the same one what people asked
       for beside the running program is consumed.
    5. What days long over came to is kept, for reports to read.
    6. What may be done to keys, as the guard planned it in step 3 and step 4 committed it, is done.

    A source that fails does not end the cycle. Raises StoreError when the store cannot be read or written; what was
    committed before that stands, and the next cycle takes up from there.
    """
    store, organization = world.store, world.organization
    asks = any(measure.unit == "requests" for measure in world.rules.measures)
    ingested = ingest(world.reader, store, organization, now, plan, progress, requests=asks)
    if world.hands is not None and world.hands.lister is not None:
        list_keys(store, world.hands.lister, organization, now)
    rules = rules_of(world, now)
    snapshot = look(world, rules, ingested, now)
    rules = rules.under(snapshot.caps, snapshot.names)
    past = recall(world, rules, now)
    decision = decide(snapshot, rules, past, now, world.carried)
    judged = replace(snapshot, view=decision.view, counted=decision.counted)
    used = world.ledger.tokens(now.date())
    figures = overviews.overview(judged, rules.budgets, decision.stall, now, used, every_key=world.every_key)
    figures = replace(figures, paused=decision.paused, silences=decision.in_force)
    decided = Judged(rules, decision, judged, past.alerts, past.requests, past.is_first)
    plans = guarded(store, world.hands, decided, world.clock())
    decision = replace(decision, notifications=plans.notifications)
    told = digests(store, judged, rules, figures.budgets, decision.alerts, now, first=past.is_first)
    decision = replace(decision, notifications=(*decision.notifications, *told.notifications))
    store.remember(
        Judgement(
            alerts=decision.alerts,
            transitions=decision.transitions,
            notifications=decision.notifications,
            cursor={
                **_cursor(decision, figures, now, whole=_whole(ingested, snapshot.sources)),
                **told.cursor,
                **plans.cursor,
            },
            organization=organization,
            answers=(*decision.answers, *plans.answers),
            acts=(*decision.acts, *plans.acts),
            silences=decision.silences,
            groups=decision.groups,
            feedback=decision.feedback,
            actions=plans.actions,
            protections=plans.protections,
            at=now,
        )
    )
    world.ledger.keep()
    acted: Sequence[Action] = ()
    if world.hands is not None:
        again = ReadAgain(world.reader, store, world.ledger, organization, world.clock)
        acted = carry_out(store, world.hands, again, listeners_of(decided), organization, world.clock)
    looked = Looked(judged, rules, world.ledger.book, now)
    return Outcome(ingested, tuple(snapshot.sources), decision, figures, looked, acted)


def rules_of(world: World, now: datetime) -> Rules:
    """The rules that are for this organization, with the events that are near."""
    name = world.store.directory.organization_name(world.organization) or world.organization
    rules = replace(world.rules, events=world.planned.at(now))
    return rules.of(world.organization, [name, *([world.label] if world.label else [])])


def look(world: World, rules: Rules, ingested: Ingested, now: datetime) -> Snapshot:
    """Everything that a judgement by these rules reads, as it is after a reading."""
    store, organization = world.store, world.organization
    names = store.directory.names(organization)
    begins = judgement.beginnings(rules, store.cursor.get(REMEMBERED, organization), now)
    view = world.ledger.refresh(now, ingested.changed_hours, ingested.changed_days, begins=begins)
    return Snapshot(
        organization=organization,
        organization_name=store.directory.organization_name(organization) or organization,
        view=view,
        names=names,
        sources=store.sources.all(organization),
        reconciled=world.ledger.reconciled,
        told_as=world.label if world.one_of_several else "",
        label=world.label,
        ratios=world.ledger.book.ratios,
        caps=read_caps(store, organization, names) if rules.ask_for_caps else None,
        counted=count(world, rules, view, now),
        people=world.estimates.people(store, organization, names) if _asks_for_estimates(rules) else None,
        off=store.directory.switched_off(organization),
    )


def count(world: World, rules: Rules, view: SpendView, now: datetime) -> Mapping[Measure, SpendView | str]:
    """What budgets count beside spend; nothing is read of what none asks for."""
    tokens = world.ledger.count(view, [each for each in rules.measures if each.unit == "tokens"])
    earliest = (now - world.backfill).astimezone(UTC).date()
    since: dict[Measure, date] = {}
    for budget in rules.budgets:
        if budget.measure.claude_code:
            period = budgets.running(budget, now)
            begins = now.date() if period is None else period.start.date()
            since[budget.measure] = min(max(begins, earliest), since.get(budget.measure, now.date()))
    estimates = world.estimates.views(world.store, world.organization, view, since, now)
    asked = [measure for measure in rules.measures if measure.unit == "requests"]
    requests = {measure: requests_view(world.store, world.organization, view) for measure in asked}
    return {**tokens, **estimates, **requests}


def _asks_for_estimates(rules: Rules) -> bool:
    return any(measure.claude_code for measure in rules.measures)


def recall(world: World, rules: Rules, now: datetime) -> Past:
    """What earlier judgements left behind, as far as these rules may ask for it."""
    store = world.store
    remembered = store.cursor.get(REMEMBERED, world.organization)
    alerts = store.alerts.open(world.organization)
    closed_since = judgement.closed_since(rules, remembered, now)
    if closed_since is not None:
        alerts += store.alerts.closed_events(world.organization, closed_since)
    asked = store.commands.pending(world.organization)
    requests = tuple(Request(each.id, each.at, each.actor, each.what, each.details) for each in asked)
    groups = store.groups.all(world.organization)
    return Past(
        alerts,
        remembered,
        requests,
        store.silences.open(world.organization, now),
        groups,
        store.feedback.open(world.organization, now),
        _ended(world, requests, groups, alerts),
        frozenset() if rules.receivers is None else store.outbox.told_to_others(rules.receivers),
    )


def _ended(
    world: World, requests: Sequence[Request], groups: Sequence[Group], known: Sequence[Alert]
) -> tuple[Alert, ...]:
    """The alerts beside those known that a request gives feedback on, or whose end a group is still to tell."""
    wanted = {str(each.details.get("alert")) for each in requests if each.what in feedback.WHAT}
    wanted |= {member.alert for group in groups for member in group.members if member.over}
    wanted -= {alert.id for alert in known}
    found = world.store.alerts.these(wanted)
    return tuple(each for each in found if each.subject.scope.organization == world.organization)


def _whole(ingested: Ingested, sources: Sequence[SourceState]) -> bool:
    failing = any(source.failing_since is not None and source.offered is not False for source in sources)
    return not ingested.failures and not failing


def _cursor(decision: Decision, figures: Overview, now: datetime, *, whole: bool) -> dict[str, str]:
    moment = now.isoformat()
    cursor = {REMEMBERED: decision.remember, "overview": overviews.to_json(figures), "last_cycle_at": moment}
    return cursor | {"last_success_at": moment} if whole else cursor
