"""Which alert tells another's story: the narrower anomalies that explain a wider one, the source that fails for all.

The excess of an anomaly is what was seen over what the baseline held for likely. Alerts of one kind of scope do not
overlap, so their parts add up: ten runaway keys together may explain their workspace. Kinds are tried from the
narrowest (a key) to the widest, and the first kind that explains enough tells the story, through its largest part.
Sources of data that cannot be read are one story too (`rules.outages`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from rules import outages
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
    for alert in sorted(firing.values(), key=_in_order):
        fresh = alert.id in began
        if not fresh and alert.inhibited_by is None:
            continue
        if outages.is_outage(alert):
            heard = (other for other in firing.values() if other.id in told or _was_heard(other, began))
            teller = outages.teller(alert, heard)
        else:
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


def _in_order(alert: Alert) -> tuple[int, tuple[int, str], str]:
    """Sorting key: who may tell a story comes before those whose story it may be."""
    return _RANK[alert.subject.scope.kind], outages.importance(alert), alert.id


def _was_heard(alert: Alert, began: Collection[str]) -> bool:
    return alert.id not in began and alert.inhibited_by is None


@dataclass(frozen=True, slots=True)
class _Anomaly:
    """A firing anomaly, with what is asked of it again and again worked out once."""

    alert: Alert
    evidence: AnomalyEvidence
    place: Mapping[str, str]
    """The dimensions in which it lies: those of its scope, and the workspace of its key where that is known."""
    asked: tuple[tuple[str, str], ...]
    """The dimensions of its scope, with their ids."""
    parts: Mapping[tuple[str, str], Nano]
    """What its evidence says of the parts within it."""

    @property
    def excess(self) -> Nano:
        """What was seen over what was expected."""
        return self.evidence.observed - self.evidence.expected


def _anomaly(alert: Alert) -> _Anomaly | None:
    evidence, scope = alert.evidence, alert.subject.scope
    if not isinstance(evidence, AnomalyEvidence):
        return None
    place: dict[str, str] = {"organization": scope.organization}
    place.update((dimension, ident) for dimension, ident in scope.parts().items())
    if scope.api_key is not None and scope.workspace is None:
        beside = next((ident for ident in alert.names if ident not in place.values()), None)
        if beside is not None:
            place["workspace"] = beside
    parts: dict[tuple[str, str], Nano] = {(share.dimension, share.id): share.cost for share in evidence.top}
    asked: tuple[tuple[str, str], ...] = tuple(scope.parts().items())
    return _Anomaly(alert, evidence, place, asked, parts)


class _Tellers:
    """The firing anomalies by kind of scope and by workspace, so that few have to be looked at for each parent."""

    __slots__ = ("_by_kind",)

    def __init__(self, firing: Iterable[Alert]) -> None:
        self._by_kind: dict[str, dict[str | None, list[_Anomaly]]] = {}
        for alert in firing:
            child = _anomaly(alert)
            if child is not None:
                places = self._by_kind.setdefault(alert.subject.scope.kind, {})
                places.setdefault(child.place.get("workspace"), []).append(child)

    def leave_out(self, alert: Alert) -> None:
        """An alert that nobody hears of cannot tell the story of another."""
        for places in self._by_kind.get(alert.subject.scope.kind, {}).values():
            places[:] = [child for child in places if child.alert.id != alert.id]

    def of(self, alert: Alert, least: Fraction) -> Alert | None:
        """The alert that tells the story of this one if at least `least` of its excess is explained, else None."""
        narrower = [kind for kind in _NARROWEST_FIRST[: _RANK[alert.subject.scope.kind]] if kind in self._by_kind]
        parent = _anomaly(alert) if narrower else None
        if parent is None or parent.excess <= 0:
            return None
        for kind in narrower:
            largest: dict[tuple[tuple[str, str], ...], tuple[Nano, str, Alert]] = {}
            for child in self._near(kind, parent):
                part = _explained(child, parent)
                if part > 0 and part > largest.get(child.asked, (0,))[0]:
                    largest[child.asked] = (part, child.alert.id, child.alert)
            if largest and sum(part for part, _, _ in largest.values()) >= least * parent.excess:
                return max(largest.values(), key=lambda found: found[:2])[2]
        return None

    def _near(self, kind: str, parent: _Anomaly) -> Iterator[_Anomaly]:
        """The anomalies of this kind that do not lie elsewhere: in no dimension that both name do they differ."""
        places = self._by_kind.get(kind, {})
        workspace = parent.place.get("workspace")
        near = places if workspace is None else (workspace, None)
        for key in near:
            for child in places.get(key, ()):
                if all(parent.place.get(dimension, ident) == ident for dimension, ident in child.place.items()):
                    yield child


def _explained(child: _Anomaly, parent: _Anomaly) -> Nano:
    """How much of the parent's excess is the child's.

    A child that lies wholly inside counts with its excess, one that lies partly inside with no more than is known to
    have been too much there, by the parts that the evidence of either names.
    """
    excess = _excess_since(child.evidence, parent.evidence.since)
    if excess <= 0 or all(dimension in child.place for dimension, _ in parent.asked):
        return max(excess, 0)
    inside_child = _least(child.parts, parent.asked, child.place)
    inside_parent = _least(parent.parts, child.asked, parent.place)
    return min(excess, max(inside_child, inside_parent))


def _least(parts: Mapping[tuple[str, str], Nano], asked: Iterable[tuple[str, str]], settled: Collection[str]) -> Nano:
    """The smallest of the parts that are asked for, leaving out the dimensions that are settled."""
    return min((parts.get(part, 0) for part in asked if part[0] not in settled), default=0)


def _excess_since(evidence: AnomalyEvidence, since: datetime) -> Nano:
    """The excess from `since` on, by the hours that the evidence keeps; all of it where it did not begin before."""
    if evidence.since >= since or not evidence.points or evidence.points[0].hour > since:
        return evidence.observed - evidence.expected
    return sum(point.observed - point.expected for point in evidence.points if point.hour >= since)
