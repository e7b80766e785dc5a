"""Which of a trigger's marks tells of the others: of one budget and scope the highest, as one story is one message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from rules.evidence import Triggered, TriggerEvidence
from rules.model import Alert, State, Transition
from rules.summary import summarize
from rules.trigger_words import mark_of


def fold_marks(
    known: Iterable[Alert], changed: Mapping[str, Alert], transitions: Mapping[str, Transition]
) -> Iterator[tuple[Alert, Transition]]:
    """The alerts that change, with their change of state, when the highest mark tells of those that come with it.

    `known` are the alerts that there were, `changed` those that this judgement makes or changes, by id, with their
    `transitions`. A mark that begins below one that fires already, or begins with it, is not told by itself, nor is its
    end; the one that begins names those that begin with it.
    """
    firing = [alert for alert in ({alert.id: alert for alert in known} | dict(changed)).values() if _fires(alert)]
    for alerts in _by_scope(firing):
        tellers = [alert for alert in alerts if _evidence(alert).told_with is None]
        if not tellers:
            continue
        teller, also = tellers[-1], []
        for alert in alerts:
            if _began(alert, transitions) and _height(alert) < _height(teller):
                mark = mark_of(_evidence(teller))
                also.append(mark_of(_evidence(alert)))
                silent = replace(transitions[alert.id], silent=True, why=f"told with {mark}")
                yield replace(alert, evidence=replace(_evidence(alert), told_with=mark)), silent
        if also and _began(teller, transitions):
            told = replace(teller, evidence=replace(_evidence(teller), also=tuple(also)))
            yield replace(told, summary=summarize(told)), transitions[teller.id]


def _by_scope(firing: Iterable[Alert]) -> Iterable[list[Alert]]:
    """The alerts of each trigger, budget and scope, the highest mark last."""
    groups: dict[tuple[object, ...], list[Alert]] = {}
    for alert in sorted(firing, key=_height):
        groups.setdefault((alert.subject.kind, alert.subject.rule, alert.subject.scope), []).append(alert)
    return groups.values()


def _fires(alert: Alert) -> bool:
    return alert.state is State.FIRING and isinstance(alert.evidence, TriggerEvidence)


def _began(alert: Alert, transitions: Mapping[str, Transition]) -> bool:
    return alert.id in transitions and transitions[alert.id].after is State.FIRING


def _height(alert: Alert) -> tuple[float, str]:
    """Sorting key: of two that are alike the one that comes last by its name."""
    return _evidence(alert).height, alert.subject.instance


def _evidence(alert: Alert) -> Triggered:
    if not isinstance(alert.evidence, TriggerEvidence):
        raise TypeError(f"alert {alert.id} is of no trigger")
    return alert.evidence
