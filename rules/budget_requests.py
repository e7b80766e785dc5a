"""What people ask about budgets: to pause one, to resume it, to forget what it told in the running period. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from rules import pauses
from rules.asked import Act, Answer, Refused, Request, act_of
from rules.lifecycle import Advance, applied
from rules.model import Alert, Budget, BudgetEvidence, State, Transition
from rules.pauses import Pause, Pauses
from rules.summary import summarize

PAUSE, RESUME, RESET = "budgets pause", "budgets resume", "budgets reset"
ITSELF = "claude-watcher"
"""Who ends a pause whose time is over."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What requests came to: the pauses that hold now, and the alerts without what is to be forgotten."""

    pauses: Pauses
    alerts: tuple[Alert, ...]
    forgotten: Advance = field(default_factory=Advance)
    """What forgetting changed of the alerts."""
    answers: tuple[Answer, ...] = ()
    acts: tuple[Act, ...] = ()


def hear(
    requests: Iterable[Request],
    budgets: Sequence[Budget],
    alerts: Sequence[Alert],
    remembered: str | None,
    now: datetime,
) -> Heard:
    """Carry out what was asked, in its order; `budgets` are those in force, `remembered` is the last judgement's.

    A pause that was until a moment ends there, whether or not a judgement looked then. A reset concerns periods that
    run at `now`. Every request is answered, also one that cannot be carried out.
    """
    heard = _expire(Heard(pauses.recall(remembered), tuple(alerts)), now)
    configured = {budget.name: budget for budget in budgets}
    for request in requests:
        heard, answer = _carry_out(request, heard, configured, now)
        acts = (*heard.acts, act_of(request, answer))
        heard = _expire(replace(heard, answers=(*heard.answers, answer), acts=acts), now)
    return replace(heard, pauses=heard.pauses.as_configured(budgets, now))


def _expire(heard: Heard, now: datetime) -> Heard:
    """End the pauses whose time is over."""
    held, acts = heard.pauses, heard.acts
    for name in held.expired(now):
        until = held.asked[name].until or now
        acts = (*acts, Act(ITSELF, RESUME, {"budget": name, "reason": "the time of its pause is over", "done": True}))
        held = held.ended(name, until)
    return replace(heard, pauses=held, acts=acts)


def _carry_out(request: Request, heard: Heard, configured: Mapping[str, Budget], now: datetime) -> tuple[Heard, Answer]:
    def refused(why: str) -> tuple[Heard, Answer]:
        return heard, Answer(request.number, f"refused: {why}", done=False)

    act = _ACTS.get(request.what)
    if act is None:
        return refused(f"this version does not know {request.what!a}")
    budget, reason = request.details.get("budget"), request.details.get("reason")
    if not isinstance(budget, str) or not isinstance(reason, str):
        return refused("it cannot be read")
    if budget not in configured:
        return refused(f"no budget called {budget!a} is in force here")
    try:
        changed, outcome = act(request, heard, configured[budget], now)
    except Refused as why:
        return refused(str(why))
    except (ValueError, TypeError, AttributeError):
        return refused("it cannot be read")
    return changed, Answer(request.number, outcome)


def _pause(request: Request, heard: Heard, budget: Budget, now: datetime) -> tuple[Heard, str]:
    text = request.details.get("until")
    until = None if text is None else datetime.fromisoformat(text)
    if until is not None and until <= now:
        raise Refused("its time was over before it was carried out")
    pause = Pause(now, request.actor, request.details["reason"], until)
    return replace(heard, pauses=heard.pauses.paused(budget.name, pause)), "paused"


def _resume(request: Request, heard: Heard, budget: Budget, now: datetime) -> tuple[Heard, str]:
    if budget.name not in heard.pauses.asked:
        if budget.paused:
            raise Refused("the configuration pauses it: take `paused = true` out there")
        raise Refused("it is not paused")
    # As of when it was asked: a period that has ended since then is still told of.
    changed = heard.pauses.ended(budget.name, min(request.at, now))
    still = ", but the configuration still pauses it" if budget.paused else ""
    return replace(heard, pauses=changed), f"resumed{still}"


def _reset(request: Request, heard: Heard, budget: Budget, now: datetime) -> tuple[Heard, str]:
    scope = request.details.get("scope")
    wanted = None if scope is None else {str(dimension): str(value) for dimension, value in scope.items()}

    def concerns(alert: Alert) -> bool:
        subject, evidence = alert.subject, alert.evidence
        if subject.kind != "budget" or subject.rule != budget.name or not isinstance(evidence, BudgetEvidence):
            return False
        runs = evidence.rolling or evidence.period_end > now
        return runs and (wanted is None or dict(subject.scope.parts()) == wanted)

    why = f"reset by {request.actor}: {request.details['reason']}"
    change = forget(filter(concerns, heard.alerts), why, now)
    listed = sum(1 for alert in heard.alerts if alert.state is not State.RESOLVED and concerns(alert))
    crossings = "nothing was listed" if not listed else f"{listed} crossing{'s' if listed > 1 else ''} ended"
    forgotten = Advance(
        applied(heard.forgotten.alerts, change.alerts), (*heard.forgotten.transitions, *change.transitions)
    )
    alerts = applied(heard.alerts, change.alerts)
    return replace(heard, alerts=alerts, forgotten=forgotten), f"reset: {crossings}, thresholds armed anew"


def forget(alerts: Iterable[Alert], why: str, now: datetime) -> Advance:
    """What it changes that these crossings count as told no more: those that are open end, silently.

    Their thresholds may be crossed, and told, again.
    """
    changed: list[Alert] = []
    ended: list[Transition] = []
    for alert in sorted(alerts, key=lambda alert: alert.id):
        if alert.state is not State.RESOLVED:
            resolved = replace(alert, state=State.RESOLVED, ends_at=now, reset_at=now)
            changed.append(replace(resolved, summary=summarize(resolved)))
            ended.append(Transition(alert.id, now, alert.state, State.RESOLVED, why, silent=True))
        elif alert.reset_at is None:
            changed.append(replace(alert, reset_at=now))
    return Advance(tuple(changed), tuple(ended))


_ACTS: dict[str, Callable[[Request, Heard, Budget, datetime], tuple[Heard, str]]] = {
    PAUSE: _pause,
    RESUME: _resume,
    RESET: _reset,
}
