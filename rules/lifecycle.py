"""What becomes of verdicts: inactive → pending → firing → resolved, in Prometheus' words and with their meaning.

**States** (anomalies, sources) fire when they have been in breach for `hold_for`, and resolve when `Clear` has been
said for `keep_firing_for` without a breach between. Both waits are by the clock, and both end only with a verdict that
says so. `NoData`, or no verdict at all, changes nothing: a pending alert neither fires nor falls back, a firing one
neither resolves nor begins to.

**Events** (budget crossings; `Breach.closes_at` is set) fire once for each fingerprint, stay until they close, and
resolve silently then. `Clear` does not touch them. A raised limit that undoes a crossing ends it, silently, and the
threshold may be crossed again. Of several thresholds of one rule, scope and period only the highest
is told; the lower ones, and any that come after a higher one was told, fire silently.

An alert whose rule is no longer configured resolves silently. Nothing here reads a clock or remembers anything: the
same arguments give the same answer with the same ids, in whatever order the verdicts come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rules.aftermath import at_present
from rules.clock_words import spoken
from rules.crossings import Crossing, crossing_of, is_armed, resets_of, scope_and_period
from rules.folding import fold_marks
from rules.limits import is_known, limit_of
from rules.model import (
    Alert,
    Breach,
    Budget,
    BudgetEvidence,
    Clear,
    Kind,
    Names,
    NoData,
    Severity,
    State,
    Subject,
    Transition,
    TriggerEvidence,
    Verdict,
)
from rules.rolling import window_id
from rules.summary import summarize
from rules.thresholds import Threshold, mark_id, mark_words, threshold_amount, told_mark

LINGERS = timedelta(days=7)
"""How long an event that is still to be told outlives its close: a route that opens once a week has opened by then."""
_NO_TIME = timedelta(0)
_SEVERITIES = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class Advance:
    """One judgement's outcome: alerts that are new or changed, and their changes of state, worst first."""

    alerts: tuple[Alert, ...] = ()
    transitions: tuple[Transition, ...] = ()


def advance(
    open_alerts: Iterable[Alert],
    verdicts: Iterable[Verdict],
    configured: Collection[tuple[Kind, str]],
    names: Names,
    now: datetime,
    budgets: Iterable[Budget] | None = None,
    *,
    untold: Collection[str] = (),
) -> Advance:
    """What this judgement changes.

    `open_alerts` are the alerts that are pending or firing, and beside them the resolved *events* whose `closes_at`
    lies after `hindsight.Watch.earliest`: they keep a late verdict, or a budget that was removed and put back, from
    telling a crossing again. Other resolved alerts are ignored. Verdicts and alerts of rules outside `configured` (kind
    and name) are treated as belonging to a rule that was removed, and so are crossings of thresholds that none of
    `budgets` has (None: not looked at). Of several verdicts on one subject a breach counts. `untold` are ids of alerts
    that somebody is still to be told of: events among them stay open beyond their close, at most `LINGERS`, until they
    were told, unless a silence holds them back.
    """
    asked = None if budgets is None else {rule.name: rule for rule in budgets}
    every = tuple(open_alerts)
    known = _known(every)
    outcome = _Outcome(now, names, resets_of(every))
    for subject, alert in known.items():
        why = _no_longer_asked(alert, configured, asked)
        if alert.state is not State.RESOLVED and why is not None:
            outcome.resolve(alert, now, why, silent=True)
            known[subject] = outcome.alerts[alert.id]
    # Of what has no alert a breach alone changes anything; most of thousands of verdicts say that all is well.
    listed = {subject.rule for subject in known}
    decisive = _decisive(
        verdict
        for verdict in verdicts
        if isinstance(verdict, Breach) or (verdict.subject.rule in listed and verdict.subject in known)
    )
    outcome.rearm(known, decisive, asked or {})
    for subject, verdict in decisive.items():
        if (subject.kind, subject.rule) in configured:
            outcome.take(verdict, known.get(subject))
    for alert in known.values():
        current = outcome.alerts.get(alert.id, alert)
        if current.closes_at is None or current.state is State.RESOLVED or current.closes_at > now:
            continue
        waits = current.id in untold and current.silenced is None and now < current.closes_at + LINGERS
        if not waits:
            outcome.resolve(current, current.closes_at, "period ended", silent=True)
    outcome.fold(known.values())
    for folded, transition in fold_marks(known.values(), outcome.alerts, outcome.transitions):
        outcome.put(folded, transition)
    return outcome.advance()


def close(open_alerts: Iterable[Alert], why: str, now: datetime) -> Advance:
    """What it changes that nobody asks after any of these alerts any more: all that are open end, silently."""
    outcome = _Outcome(now, Names())
    for alert in open_alerts:
        if alert.state is not State.RESOLVED:
            outcome.resolve(alert, now, why, silent=True)
    return outcome.advance()


def applied(open_alerts: Iterable[Alert], *changes: Iterable[Alert]) -> tuple[Alert, ...]:
    """`open_alerts` with each change put in the place of the alert of the same id, new ones added at the end."""
    merged = {alert.id: alert for alert in open_alerts}
    for changed in changes:
        merged.update((alert.id, alert) for alert in changed)
    return tuple(merged.values())


def worst_first(alert: Alert) -> tuple[int, int, datetime, str]:
    """Sorting key: the most severe, then the dearest, then the oldest; the same order everywhere."""
    return _SEVERITIES[alert.severity], -(alert.value or 0), alert.starts_at, alert.subject.fingerprint


def _known(alerts: Iterable[Alert]) -> dict[Subject, Alert]:
    """One alert for each subject: an open one before a closed event, and no closed state at all."""
    known: dict[Subject, Alert] = {}
    for alert in sorted(alerts, key=_in_order):
        if alert.state is State.RESOLVED and (not alert.is_event or alert.subject in known or alert.reset_at):
            continue
        known[alert.subject] = alert
    return known


def _in_order(alert: Alert) -> tuple[int, str]:
    """Sorting key: of crossings of one threshold the dearest comes first, which is the one told last."""
    crossing = crossing_of(alert)
    return -(crossing.told if crossing is not None else 0), alert.id


def _no_longer_asked(
    alert: Alert, configured: Collection[tuple[Kind, str]], budgets: Mapping[str, Budget] | None
) -> str | None:
    """Why the alert has lost its reason to be; None if it has not."""
    subject, evidence = alert.subject, alert.evidence
    if (subject.kind, subject.rule) not in configured:
        return "rule removed"
    if budgets is None or not isinstance(evidence, BudgetEvidence):
        return None
    budget = budgets.get(subject.rule)
    if budget is None or mark_id(told_mark(evidence)) not in map(mark_id, budget.thresholds):
        return "threshold removed"
    if evidence.measure != budget.measure:
        return "something else is counted"
    rolls = None if budget.window is None else window_id(budget.window)
    return "window changed" if evidence.rolling and subject.instance.partition("/")[0] != rolls else None


def _decisive(verdicts: Iterable[Verdict]) -> dict[Subject, Verdict]:
    """The one verdict that counts for each subject, whatever their order."""
    chosen: dict[Subject, Verdict] = {}
    for verdict in verdicts:
        other = chosen.get(verdict.subject)
        if other is None or _rank(verdict) < _rank(other):
            chosen[verdict.subject] = verdict
    return chosen


def _rank(verdict: Verdict) -> tuple[int, str, int, str]:
    if isinstance(verdict, Breach):
        return 0, verdict.starts_at.isoformat(), -(verdict.value or 0), repr(verdict)
    return 1 if isinstance(verdict, NoData) else 2, "", 0, ""


class _Outcome:
    """The changes of one judgement as they come together."""

    __slots__ = ("alerts", "names", "now", "resets", "transitions")

    def __init__(self, now: datetime, names: Names, resets: Mapping[Subject, datetime] | None = None) -> None:
        self.now = now
        self.names = names
        self.resets = resets or {}
        self.alerts: dict[str, Alert] = {}
        self.transitions: dict[str, Transition] = {}

    def advance(self) -> Advance:
        alerts = sorted(self.alerts.values(), key=worst_first)
        ordered = (self.transitions.get(alert.id) for alert in alerts)
        return Advance(tuple(alerts), tuple(transition for transition in ordered if transition is not None))

    def take(self, verdict: Verdict, alert: Alert | None) -> None:
        """Apply one verdict to the alert of its subject, if there is one."""
        if alert is not None and alert.state is State.RESOLVED and not is_armed(alert, verdict):
            return
        if isinstance(verdict, Breach):
            if alert is None or alert.state is State.RESOLVED:
                self._begin(verdict, again=alert is not None)
            else:
                self._go_on(alert, verdict)
        elif isinstance(verdict, Clear) and alert is not None and not alert.is_event:
            if verdict.over is not None:
                self.resolve(alert, self.now, verdict.over, silent=True)
            else:
                self._clear(at_present(alert, verdict.value))

    def rearm(
        self, known: dict[Subject, Alert], verdicts: Mapping[Subject, Verdict], budgets: Mapping[str, Budget]
    ) -> None:
        """End the crossings that a raised limit has undone, or one that was taken away; they may be told again."""
        for subject, alert in known.items():
            crossing, budget = crossing_of(alert), budgets.get(subject.rule)
            if crossing is None or budget is None or alert.state is State.RESOLVED:
                continue
            undone = alert.is_event and not isinstance(verdicts.get(subject), Breach)
            if not undone or crossing.evidence.period_end <= self.now or not is_known(budget):
                continue
            limit = limit_of(budget, subject.scope, crossing.evidence.period_start)
            if limit is None or crossing.amount(limit) > crossing.amount():
                why = "limit taken away" if limit is None else "limit raised"
                self.resolve(replace(alert, clear_since=self.now), self.now, why, silent=True)
                known[subject] = self.alerts[alert.id]

    def resolve(self, alert: Alert, at: datetime, why: str, *, silent: bool) -> None:
        """End the alert at `at`."""
        ended = replace(alert, state=State.RESOLVED, ends_at=at)
        self._put(replace(ended, summary=summarize(ended)))
        self.transitions[alert.id] = Transition(alert.id, self.now, alert.state, State.RESOLVED, why, silent)

    def fold(self, known: Iterable[Alert]) -> None:
        """Of the crossings that fire now, let the highest of each scope and period tell of those below it."""
        fresh: dict[tuple[str, ...], list[Crossing]] = {}
        for ident, transition in self.transitions.items():
            crossing = crossing_of(self.alerts[ident])
            if transition.after is State.FIRING and crossing is not None:
                fresh.setdefault(scope_and_period(crossing.alert), []).append(crossing)
        told: dict[tuple[str, ...], list[Crossing]] = {}
        for alert in known if fresh else ():
            crossing = None if alert.fired_at is None else crossing_of(self.alerts.get(alert.id, alert))
            if crossing is not None and (key := scope_and_period(alert)) in fresh:
                told.setdefault(key, []).append(crossing)
        for key, crossed in fresh.items():
            self._fold(sorted(crossed, key=Crossing.amount), told.get(key, ()))

    def _fold(self, crossed: Sequence[Crossing], told: Iterable[Crossing]) -> None:
        tells = crossed[-1]
        highest, limit = tells.amount(), tells.evidence.limit
        # A mark told under another limit is worth what it is under the present one, and counts while it is passed.
        higher = [each for each in told if highest < each.amount(limit) <= each.evidence.spent]
        if higher:
            top = max(higher, key=lambda each: each.amount(limit))
            self._silence(crossed, f"a higher threshold had been told: {mark_words(top.evidence)}")
            return
        self._silence(crossed[:-1], f"told with {mark_words(tells.evidence)}")
        if len(crossed) > 1:
            marks = [told_mark(each.evidence) for each in crossed[:-1]]
            evidence = replace(
                tells.evidence,
                also_crossed=tuple(mark for mark in marks if not isinstance(mark, Threshold)),
                also_crossed_amounts=tuple(mark.amount or 0 for mark in marks if isinstance(mark, Threshold)),
            )
            self._put(_summarized(replace(tells.alert, evidence=evidence)))

    def _silence(self, crossed: Iterable[Crossing], why: str) -> None:
        for alert in (each.alert for each in crossed):
            self.transitions[alert.id] = replace(self.transitions[alert.id], silent=True, why=why)

    def _begin(self, breach: Breach, *, again: bool = False) -> None:
        if breach.closes_at is not None and breach.closes_at <= self.now:
            return
        held = breach.hold_for > _NO_TIME
        evidence = breach.evidence
        if isinstance(evidence, BudgetEvidence):
            evidence = replace(evidence, told_amount=threshold_amount(evidence.limit, told_mark(evidence)))
        alert = Alert(
            id=_alert_id(breach, self.now, self.resets.get(breach.subject), again=again),
            subject=breach.subject,
            severity=breach.severity,
            state=State.PENDING if held else State.FIRING,
            starts_at=breach.starts_at,
            pending_since=self.now,
            evidence=evidence,
            summary="",
            value=breach.value,
            expected=breach.expected,
            limit=breach.limit,
            fired_at=None if held else self.now,
            closes_at=breach.closes_at,
            keep_firing_for=breach.keep_firing_for,
            names=_names_of(breach, self.names),
            owner=self.names.whom_to_ask(breach.subject.scope),
            owner_email=self.names.email_of(breach.subject.scope),
        )
        why = f"in breach; told if it lasts {spoken(breach.hold_for)}" if held else _why_firing(breach)
        self._put(_summarized(alert))
        self.transitions[alert.id] = Transition(alert.id, self.now, None, alert.state, why)

    def _go_on(self, alert: Alert, breach: Breach) -> None:
        evidence = breach.evidence
        if isinstance(evidence, BudgetEvidence) and isinstance(alert.evidence, BudgetEvidence):
            evidence = replace(
                evidence,
                also_crossed=alert.evidence.also_crossed,
                also_crossed_amounts=alert.evidence.also_crossed_amounts,
                told_amount=alert.evidence.told_amount,
            )
        elif isinstance(evidence, TriggerEvidence) and isinstance(alert.evidence, TriggerEvidence):
            evidence = replace(evidence, also=alert.evidence.also, told_with=alert.evidence.told_with)
        current = replace(
            alert,
            severity=breach.severity,
            evidence=evidence,
            value=breach.value,
            expected=breach.expected,
            limit=breach.limit,
            clear_since=None,
            keep_firing_for=breach.keep_firing_for,
            names=_names_of(breach, self.names),
            owner=self.names.whom_to_ask(breach.subject.scope),
            owner_email=self.names.email_of(breach.subject.scope),
        )
        if alert.state is State.PENDING and self.now - alert.pending_since >= breach.hold_for:
            current = replace(current, state=State.FIRING, fired_at=self.now)
            why = f"in breach for {spoken(breach.hold_for)}" if breach.hold_for else _why_firing(breach)
            self.transitions[alert.id] = Transition(alert.id, self.now, State.PENDING, State.FIRING, why)
        elif _same_but_for_age(alert, current):
            return
        self._put(_summarized(current))

    def _clear(self, alert: Alert) -> None:
        if alert.state is State.PENDING:
            self.resolve(alert, self.now, "over before it had lasted long enough", silent=True)
        elif alert.keep_firing_for <= _NO_TIME:
            self.resolve(alert, self.now, "clear", silent=isinstance(alert.evidence, BudgetEvidence))
        elif alert.clear_since is None:
            self._put(replace(alert, clear_since=self.now))
        elif self.now - alert.clear_since >= alert.keep_firing_for:
            silent = isinstance(alert.evidence, TriggerEvidence) and alert.evidence.told_with is not None
            self.resolve(alert, self.now, f"clear for {spoken(alert.keep_firing_for)}", silent=silent)

    def put(self, alert: Alert, transition: Transition) -> None:
        """Let the alert, and its change of state, be these."""
        self.alerts[alert.id], self.transitions[alert.id] = alert, transition

    def _put(self, alert: Alert) -> None:
        self.alerts[alert.id] = alert


def _alert_id(breach: Breach, now: datetime, reset_at: datetime | None, *, again: bool) -> str:
    """An event has one alert, and one more for each time it was armed anew, told apart by what it was then worth.

    So it is anew after each time that it was forgotten. A state has one for each stretch, told apart by when it began
    to be seen.
    """
    stretch = "" if breach.closes_at is not None else now.isoformat()
    if reset_at is not None and breach.closes_at is not None:
        stretch = f"{reset_at.isoformat()} "
    if again and isinstance(breach.evidence, BudgetEvidence):
        stretch += str(threshold_amount(breach.evidence.limit, told_mark(breach.evidence)))
    return hashlib.sha256(f"alert\x1f{breach.subject.fingerprint}\x1f{stretch}".encode()).hexdigest()[:20]


def _names_of(breach: Breach, names: Names) -> Mapping[str, str]:
    """The names of the scope's ids, and of the workspace that its key lives in."""
    scope = breach.subject.scope
    idents = [ident for ident in (scope.workspace, scope.api_key, scope.model, scope.user) if ident is not None]
    if scope.api_key is not None and scope.workspace is None:
        workspace = names.workspace_of_key.get(scope.api_key)
        idents.extend([] if workspace is None else [workspace])
    return {ident: names.of(ident) for ident in idents}


def _same_but_for_age(before: Alert, after: Alert) -> bool:
    """Whether nothing changed but the age of the data: a fresh reading of the same figures is not worth a row."""
    if before.evidence.data_as_of is None or after.evidence.data_as_of is None:
        return before == after
    aged = replace(after.evidence, data_as_of=before.evidence.data_as_of)
    return before == replace(after, evidence=aged)


def _summarized(alert: Alert) -> Alert:
    return replace(alert, summary=summarize(alert))


def _why_firing(breach: Breach) -> str:
    return "crossed" if breach.closes_at is not None else "in breach"
