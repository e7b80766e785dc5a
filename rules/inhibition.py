"""Which alert tells another's story: the narrower anomalies that explain a wider one.

The excess of an anomaly is what was seen over what the baseline held for likely. Alerts of one kind of scope do not
overlap, so their parts add up: ten runaway keys together may explain their workspace. Kinds are tried from the
narrowest (a key) to the widest, and the first kind that explains enough tells the story, through its largest part.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from rules.model import Alert, AnomalyEvidence, Nano, State

BEGINS_AT = Fraction(1, 2)
"""The part of an alert's excess that others must explain to inhibit it."""
LASTS_TO = Fraction(1, 3)
"""The part down to which they keep it inhibited; the gap keeps an alert near one half from being told and untold."""

_NARROWEST_FIRST = (
    "workspace+api_key+model",
    "api_key+model",
    "workspace+api_key",
    "api_key",
    "workspace+model",
    "workspace",
    "model",
    "organization",
)
_RANK = {kind: rank for rank, kind in enumerate(_NARROWEST_FIRST)}


@dataclass(frozen=True, slots=True)
class Inhibition:
    """The outcome: ids of the firing alerts to tell now, of those folded into another's story now, and what changed."""

    told: frozenset[str]
    folded: frozenset[str]
    changed: tuple[Alert, ...]


def inhibit(alerts: Iterable[Alert], began: Collection[str]) -> Inhibition:
    """Find for each alert that began to fire, or is inhibited already, whether others tell its story.

    `began` holds the ids of alerts that began to fire in this judgement and are to be told of. An inhibited alert whose
    own data are clear already is left as it is: telling of it would be followed at once by its end.
    """
    firing = {alert.id: alert for alert in alerts if alert.state is State.FIRING}
    tellers = _Tellers(firing.values())
    told: set[str] = set()
    folded: set[str] = set()
    changed: dict[str, Alert] = {}
    for alert in sorted(firing.values(), key=lambda alert: (_RANK[alert.subject.scope.kind], alert.id)):
        fresh = alert.id in began
        if not fresh and alert.inhibited_by is None:
            continue
        teller = tellers.of(alert, BEGINS_AT if fresh else LASTS_TO)
        if teller is not None:
            root = changed.get(teller.id, teller).inhibited_by or teller.id
            if fresh:
                folded.add(alert.id)
            if root != alert.inhibited_by:
                changed[alert.id] = replace(alert, inhibited_by=root)
        elif fresh:
            told.add(alert.id)
        elif alert.clear_since is None:
            changed[alert.id] = replace(alert, inhibited_by=None)
            told.add(alert.id)
        else:
            tellers.leave_out(alert)
    return Inhibition(frozenset(told), frozenset(folded), tuple(changed.values()))


class _Tellers:
    """The firing anomalies by kind of scope, and within it by what they lie in, so that few have to be looked at."""

    __slots__ = ("_by_kind",)

    def __init__(self, firing: Iterable[Alert]) -> None:
        self._by_kind: dict[str, list[tuple[Alert, dict[str, str]]]] = {}
        for alert in firing:
            if isinstance(alert.evidence, AnomalyEvidence):
                self._by_kind.setdefault(alert.subject.scope.kind, []).append((alert, _place(alert)))

    def leave_out(self, alert: Alert) -> None:
        """An alert that nobody hears of cannot tell the story of another."""
        kind = alert.subject.scope.kind
        self._by_kind[kind] = [pair for pair in self._by_kind.get(kind, ()) if pair[0].id != alert.id]

    def of(self, parent: Alert, least: Fraction) -> Alert | None:
        """The alert that tells the parent's story if at least `least` of its excess is explained, else None."""
        evidence = parent.evidence
        excess = evidence.observed - evidence.expected if isinstance(evidence, AnomalyEvidence) else 0
        if excess <= 0:
            return None
        place = _place(parent)
        for kind in _NARROWEST_FIRST[: _RANK[parent.subject.scope.kind]]:
            parts: dict[str, tuple[Nano, Alert]] = {}
            for child, where in self._by_kind.get(kind, ()):
                if _apart(where, place):
                    continue
                part = _explained(child, where, parent)
                key = "\x1f".join(child.subject.scope.parts().values())
                if part > parts.get(key, (0, child))[0]:
                    parts[key] = (part, child)
            if sum(part for part, _ in parts.values()) >= least * excess and parts:
                return max(parts.values(), key=lambda pair: (pair[0], pair[1].id))[1]
        return None


def _place(alert: Alert) -> dict[str, str]:
    """The dimensions in which the alert lies: those of its scope, and the workspace of its key where that is known."""
    scope = alert.subject.scope
    parts: dict[str, str] = {"organization": scope.organization}
    parts.update((dimension, ident) for dimension, ident in scope.parts().items())
    if "api_key" in parts and "workspace" not in parts:
        beside = next((ident for ident in alert.names if ident not in parts.values()), None)
        if beside is not None:
            parts["workspace"] = beside
    return parts


def _apart(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two scopes have nothing in common: a dimension that both name, differently."""
    return any(other.get(dimension, ident) != ident for dimension, ident in one.items())


def _explained(child: Alert, where: Mapping[str, str], parent: Alert) -> Nano:
    """How much of the parent's excess is the child's.

    A child that lies wholly inside counts with its excess, one that lies partly inside with no more than is known to
    have been too much there.
    """
    mine, theirs = child.evidence, parent.evidence
    if not isinstance(mine, AnomalyEvidence) or not isinstance(theirs, AnomalyEvidence):
        return 0
    excess = _excess_since(mine, theirs.since)
    if excess <= 0 or all(dimension in where for dimension in parent.subject.scope.parts()):
        return max(excess, 0)
    return min(excess, _shared(child, where, parent))


def _excess_since(evidence: AnomalyEvidence, since: datetime) -> Nano:
    """The excess from `since` on, by the hours that the evidence keeps; all of it where it did not begin before."""
    if evidence.since >= since or not evidence.points or evidence.points[0].hour > since:
        return evidence.observed - evidence.expected
    return sum(point.observed - point.expected for point in evidence.points if point.hour >= since)


def _shared(child: Alert, where: Mapping[str, str], parent: Alert) -> Nano:
    """What two scopes that cross have too much in common, by the parts that the evidence of either names."""
    inside_child = _least(_parts(child), parent, where)
    inside_parent = _least(_parts(parent), child, _place(parent))
    return max(inside_child, inside_parent)


def _least(parts: Mapping[tuple[str, str], Nano], other: Alert, settled: Collection[str]) -> Nano:
    """The smallest of the parts that the other's scope asks for, leaving out the dimensions that are settled."""
    asked = [part for part in other.subject.scope.parts().items() if part[0] not in settled]
    return min((parts.get(part, 0) for part in asked), default=0)


def _parts(alert: Alert) -> dict[tuple[str, str], Nano]:
    evidence = alert.evidence
    shares = evidence.top if isinstance(evidence, AnomalyEvidence) else ()
    return {(share.dimension, share.id): share.cost for share in shares}
