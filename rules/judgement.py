"""One whole judgement: what is known, held against every rule, becomes alerts and messages. Pure.

The daemon, a replay of history and the tests all decide through `decide`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from rules import (
    action_requests,
    anomaly,
    budgets,
    drift,
    early,
    feedback,
    hindsight,
    lifecycle,
    pauses,
    prices,
    quiet_requests,
    routing,
    sources,
    stall,
)
from rules.asked import Act, Answer, Request
from rules.budget_requests import hear
from rules.caps import Caps
from rules.carried import Carried
from rules.digest import DigestRule
from rules.drift import DriftRule
from rules.events import Event
from rules.groups import Group, waiting
from rules.hearing import Audience
from rules.lifecycle import Advance
from rules.limits import capped
from rules.measures import SPEND, Measure
from rules.model import (
    Alert,
    AnomalyRule,
    Breach,
    Budget,
    Kind,
    Names,
    NoData,
    Notification,
    Route,
    Scope,
    Snapshot,
    SpendView,
    State,
    Subject,
    Transition,
    Verdict,
)
from rules.overlay import Foreknown
from rules.owned import Owner
from rules.owners import owned_anew
from rules.price_fit import TOKENS
from rules.prices import PriceRule
from rules.quieted import Feedback, Silence
from rules.selectors import takes_organization
from rules.stall import Stall


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner asks to be told of, and where."""

    budgets: tuple[Budget, ...] = ()
    anomalies: tuple[AnomalyRule, ...] = ()
    routes: tuple[Route, ...] = ()
    drift: DriftRule = field(default_factory=DriftRule)
    prices: PriceRule = field(default_factory=PriceRule)
    receivers: tuple[str, ...] | None = None
    """Every receiver that there is, by name; None where that is not known."""
    events: tuple[Event, ...] = ()
    """What is planned, as far as it is near."""
    digests: tuple[DigestRule, ...] = ()
    """The summaries that come by the clock; a judgement does not look at them."""
    owners: tuple[Owner, ...] = ()
    """Whose alerts are whose: the first that takes one."""

    def of(self, organization: str, called: Sequence[str]) -> Rules:
        """Those that are for an organization of this id and these names."""
        return replace(
            self,
            budgets=tuple(rule for rule in self.budgets if takes_organization(rule.select, organization, called)),
            anomalies=tuple(rule for rule in self.anomalies if takes_organization(rule.select, organization, called)),
            events=tuple(event for event in self.events if takes_organization(event.select, organization, called)),
            digests=tuple(rule for rule in self.digests if takes_organization(rule.select, organization, called)),
        )

    def under(self, caps: Caps | None, names: Names) -> Rules:
        """The same, where budgets take their limits from the provider with what these are now."""
        return replace(self, budgets=tuple(capped(budget, caps, names) for budget in self.budgets))

    @property
    def measures(self) -> frozenset[Measure]:
        """What budgets count beside spend, and output tokens where an anomaly rule follows what they cost."""
        priced = {TOKENS} if any(rule.unit_price and rule.direction != "down" for rule in self.anomalies) else set()
        return frozenset(budget.measure for budget in self.budgets) - {SPEND} | priced

    @property
    def ask_for_caps(self) -> bool:
        """Whether any budget takes its limits from the provider."""
        return any(budget.console for budget in self.budgets)


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier judgements left behind: all that a judgement knows beside the snapshot.

    `alerts` are those that are open, and beside them the events that closed after `closed_since`.
    """

    alerts: Sequence[Alert] = ()
    remembered: str | None = None
    """The `remember` of the last decision that was kept; None where this database has never been judged."""
    requests: Sequence[Request] = ()
    """What people asked for since then, in its order; each is answered by this judgement."""
    silences: Sequence[Silence] = ()
    """Those that have not ended."""
    groups: Sequence[Group] = ()
    """The groups of alerts whose messages are timed."""
    feedback: Sequence[Feedback] = ()
    """What was said of anomalies and still changes what is judged."""
    ended: Sequence[Alert] = ()
    """Alerts that have ended, and that a request gives feedback on, or whose end a group is still to tell."""
    untold: frozenset[str] = frozenset()
    """The ids of alerts that messages tell of which wait for receivers that are no more."""

    @property
    def is_first(self) -> bool:
        """Whether nothing has been judged before: all that is true already is then one message a receiver."""
        return self.remembered is None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a judgement came to: the alerts it made or changed, how, and who is told."""

    alerts: tuple[Alert, ...]
    transitions: tuple[Transition, ...]
    notifications: tuple[Notification, ...]
    remember: str
    """To be kept with the alerts, and handed to the next judgement in `Past`."""
    view: SpendView
    """The figures it was based on; their complete part ends where a stall began."""
    counted: Mapping[Measure, SpendView | str]
    """And those of what budgets count beside spend."""
    stall: Stall | None
    answers: tuple[Answer, ...] = ()
    """One for each request: none of them is to be handed to a judgement again."""
    acts: tuple[Act, ...] = ()
    paused: tuple[str, ...] = ()
    """The budgets that tell nothing at present, by name."""
    silences: tuple[Silence, ...] = ()
    """The silences that it made or changed."""
    groups: tuple[Group, ...] = ()
    """The groups that it made, changed or ended."""
    in_force: int = 0
    """How many silences hold at present."""
    feedback: tuple[Feedback, ...] = ()
    """What was said of anomalies, as far as it is new or changed."""
    breaches: tuple[Breach, ...] = ()
    """What budgets and anomaly rules held against their subjects: what may be done about it follows from these."""


def closed_since(rules: Rules, remembered: str | None, now: datetime) -> datetime | None:
    """Events that closed after this moment belong into `Past.alerts`; None where none do."""
    return hindsight.watch(rules.budgets, remembered, now).earliest


def beginnings(rules: Rules, remembered: str | None, now: datetime) -> frozenset[datetime]:
    """When the periods begin that are judged at `now`: as far back spend has to be known (`SpendView.earlier`)."""
    since = hindsight.watch(rules.budgets, remembered, now).since
    return frozenset(
        period.start for budget in rules.budgets for period in budgets.periods(budget, since[budget.name], now)
    )


def decide(snapshot: Snapshot, rules: Rules, past: Past, now: datetime, carried: Carried | None = None) -> Decision:
    """Judge a snapshot by every rule and advance the alerts. Same arguments, same decision, ids included.

    What is `carried` from one decision of an organization to the next makes it quick (`rules.carried`).
    """
    silence = stall.judge(snapshot.view, now)
    view, counted = snapshot.view, snapshot.counted
    if silence is not None:
        view = _cap(view, silence.since)
        counted = {measure: _capped(measure, known, silence.since) for measure, known in counted.items()}
    elsewhere = quiet_requests.WHAT | feedback.WHAT | action_requests.WHAT
    others = [request for request in past.requests if request.what not in elsewhere]
    heard = hear(others, rules.budgets, past.alerts, past.remembered, now)
    asked = quiet_requests.hear(past.requests, past.silences, heard.alerts, now)
    known = lifecycle.applied(heard.alerts, asked.alerts)
    said = feedback.hear(past.requests, past.feedback, [*past.ended, *known], now)
    alerts = lifecycle.applied(known, said.alerts)
    holding = tuple(silence for silence in asked.silences if silence.holds(now))
    whole_watch = hindsight.watch(rules.budgets, past.remembered, now)
    held = heard.pauses.still_needed(whole_watch)
    watch = held.narrow(whole_watch)
    judged = replace(snapshot, view=view, counted=counted)
    foreknown = Foreknown(rules.events, said.feedback)
    verdicts = _of_budgets(judged, rules.budgets, watch, held, alerts, now, stalled=silence is not None)
    verdicts += _of_figures(judged, rules, alerts, silence, now, foreknown=foreknown, carried=carried)
    memory = prices.recall(past.remembered)
    if snapshot.ratios is not None:
        told = prices.judge(rules.prices, snapshot.ratios, memory, view, snapshot.names, alerts, now)
        verdicts, memory = [*verdicts, *told.breaches], told.memory
    untold = {ident for _, ident in waiting(past.groups)}
    moved = lifecycle.advance(alerts, verdicts, configured(rules), snapshot.names, now, rules.budgets, untold=untold)
    advance = Advance((*said.alerts, *moved.alerts), (*said.transitions, *moved.transitions))
    called = [snapshot.organization_name, *([snapshot.label] if snapshot.label else [])]
    owned = owned_anew(rules.owners, lifecycle.applied(alerts, advance.alerts), snapshot.names, called)
    advance = replace(advance, alerts=lifecycle.applied(advance.alerts, owned))
    lasting = feedback.ended(said.feedback, advance.alerts)
    routed = routing.notifications(
        advance,
        alerts,
        Audience(rules.routes, rules.receivers, snapshot.label, holding, past.groups, past.ended, past.untold),
        organization_name=snapshot.organization_name,
        told_as=snapshot.told_as,
        first_judgement=past.is_first,
        now=now,
        names=snapshot.names,
    )
    return Decision(
        alerts=lifecycle.applied(heard.forgotten.alerts, asked.alerts, routed.alerts),
        transitions=(*heard.forgotten.transitions, *advance.transitions),
        notifications=routed.notifications,
        remember=pauses.remember(prices.remember(watch.remember, memory), held),
        view=view,
        counted=counted,
        stall=silence,
        answers=tuple(sorted((*heard.answers, *asked.answers, *said.answers), key=lambda answer: answer.number)),
        acts=(*heard.acts, *asked.acts, *said.acts),
        paused=tuple(budget.name for budget in rules.budgets if held.holds(budget.name)),
        silences=asked.changed,
        groups=routed.groups,
        in_force=len(holding),
        feedback=(*said.changed, *lasting),
        breaches=tuple(verdict for verdict in verdicts if isinstance(verdict, Breach)),
    )


def _of_budgets(
    snapshot: Snapshot,
    rules: Sequence[Budget],
    watch: hindsight.Watch,
    paused: pauses.Pauses,
    alerts: Sequence[Alert],
    now: datetime,
    *,
    stalled: bool,
) -> list[Verdict]:
    """Every verdict of every budget on one snapshot; of those that are paused those alone on what is listed."""
    verdicts: list[Verdict] = []
    for budget in rules:
        held = [alert for alert in alerts if alert.state is not State.RESOLVED and _is_of(alert, budget)]
        figures = snapshot.figures(budget.measure)
        if isinstance(figures, str):
            verdicts.append(NoData(Subject(budget.name, "budget", Scope(snapshot.organization)), figures))
            continue
        people = snapshot.names_of(budget.measure)
        found = budgets.judge(budget, figures, people, now, watch.since[budget.name], held)
        early_held = [
            alert for alert in alerts if alert.state is not State.RESOLVED and alert.subject.rule == budget.name
        ]
        found += early.judge(budget, figures, people, early_held, now, off=snapshot.off, stalled=stalled)
        verdicts += pauses.only_listed(found, early_held) if paused.holds(budget.name) else found
    return verdicts


def _of_figures(
    snapshot: Snapshot,
    rules: Rules,
    alerts: Sequence[Alert],
    silence: Stall | None,
    now: datetime,
    *,
    foreknown: Foreknown,
    carried: Carried | None,
) -> Iterator[Verdict]:
    """Every verdict of the rules that look at the figures by themselves: anomalies, sources, estimate against bill."""
    view, names = snapshot.view, snapshot.names
    firing = frozenset(alert.subject.fingerprint for alert in alerts if alert.state is not State.RESOLVED)
    for rule in rules.anomalies:
        tokens = snapshot.figures(TOKENS) if rule.unit_price else None
        beside = anomaly.Beside(tokens, foreknown, snapshot.off, silence is not None)
        yield from anomaly.judge(rule, view, names, firing, now, beside, carried=carried)
    yield from sources.judge(snapshot, silence, now, alerts)
    yield from drift.judge(rules.drift, snapshot.organization, snapshot.reconciled, names, now)


def _is_of(alert: Alert, budget: Budget) -> bool:
    return alert.subject.kind == "budget" and alert.subject.rule == budget.name


def configured(rules: Rules) -> frozenset[tuple[Kind, str]]:
    """(kind, name) of every rule in force; an alert of another rule has lost its reason to be."""
    found: set[tuple[Kind, str]] = {("source", name) for name in sources.RULES}
    found |= {("budget", budget.name) for budget in rules.budgets}
    found |= {(kind, budget.name) for budget in rules.budgets for kind in early.asked(budget)}
    found |= {("anomaly", rule.name) for rule in rules.anomalies}
    found |= {("drift", drift.RULE)} if rules.drift.enabled else set()
    found |= {("price", prices.RULE)} if rules.prices.enabled else set()
    return frozenset(found)


def _capped(measure: Measure, known: SpendView | str, until: datetime) -> SpendView | str:
    """The figures that hang on the same source as spend, complete no longer than that."""
    return known if isinstance(known, str) or measure.claude_code else _cap(known, until)


def _cap(view: SpendView, until: datetime) -> SpendView:
    return replace(view, complete_until=min(view.complete_until, until))
