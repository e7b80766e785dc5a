"""Which alert tells another's story: the narrower anomalies that explain a wider one, the source that fails for all.

The excess of an anomaly is what was seen over what the baseline held for likely, of a silence what is missing; that of
a budget's trigger is what goes beyond what its limit sustains. Each kind of alert explains its own alone.
Alerts of one kind of scope do not
overlap, so their parts add up: ten runaway keys together may explain their workspace. Kinds are tried from the
narrowest (a key) to the widest, and the first kind that explains enough tells the story, through its largest part.
A scope lies inside another when all it spends belongs to it: a key inside its workspace, its user and the tags of that
workspace, a model inside its family (`rules.dimensions`).
What a scope spends too much and what its tokens cost too much are one story too (`rules.one_scope`), and so are sources
of data that cannot be read (`rules.outages`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from rules import one_scope, outages
from rules.dimensions import derived, known_of
from rules.model import (
    TAG,
    Alert,
    AnomalyEvidence,
    Dimension,
    Kind,
    Names,
    Nano,
    Scope,
    SilenceEvidence,
    State,
    TriggerEvidence,
    UnitPriceEvidence,
)

BEGINS_AT = Fraction(1, 2)
"""The part of an alert's excess that others must explain to inhibit it."""
LASTS_TO = Fraction(1, 3)
"""The part down to which they keep it inhibited; the gap keeps an alert near one half from being told and untold."""

_WIDTHS = ("api_key", "user", "workspace", TAG, "model", "model_family", "service_tier")
"""From the dimension that makes a scope narrowest to the one that does so least; `TAG` stands for every tag."""
_FOLLOWS = {"workspace": "api_key", "user": "api_key", TAG: "workspace", "model_family": "model"}
"""What follows from what: beside a key, its workspace says nothing new."""

_Rank: TypeAlias = tuple[tuple[int, ...], str]
_TooMuch: TypeAlias = AnomalyEvidence | UnitPriceEvidence | SilenceEvidence | TriggerEvidence


@dataclass(frozen=True, slots=True)
class Inhibition:
    """The outcome: ids of the firing alerts to tell now, of those folded into another's story now, and what changed."""

    told: frozenset[str]
    folded: frozenset[str]
    changed: tuple[Alert, ...]


def inhibit(alerts: Iterable[Alert], began: Collection[str], names: Names) -> Inhibition:
    """Find for each alert that began to fire, or is inhibited already, whether others tell its story.

    `began` holds the ids of alerts that began to fire in this judgement and are to be told of. An inhibited alert whose
    own data are clear already is left as it is: telling of it would be followed at once by its end. `names` say what
    lies inside what.
    """
    firing = {alert.id: alert for alert in alerts if alert.state is State.FIRING}
    tellers = {
        plot: _Tellers([alert for alert in firing.values() if _plot(alert) == plot and not _is_silent(alert)], names)
        for plot in {_plot(alert) for alert in firing.values()}
    }
    beside = one_scope.Beside(firing.values())
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
            least = BEGINS_AT if fresh else LASTS_TO
            near = [other for other in beside.of(alert) if other.id in told or _was_heard(other, began)]
            teller = one_scope.teller(alert, near, least) or tellers[_plot(alert)].of(alert, least)
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
            tellers[_plot(alert)].leave_out(alert)
    return Inhibition(frozenset(told), frozenset(folded), tuple(changed.values()))


def narrowness(scope: Scope) -> tuple[int, ...]:
    """How narrow a kind of scope is, the larger the narrower.

    A scope that lies inside another by what follows from its dimensions is narrower than it.
    """
    return _narrowness(tuple(scope.parts()))


@lru_cache(maxsize=1000)
def _narrowness(dimensions: tuple[Dimension, ...]) -> tuple[int, ...]:
    named = Counter(TAG if dimension.startswith(TAG) else dimension for dimension in dimensions)
    new = {dimension: count for dimension, count in named.items() if not _settled(dimension, named)}
    return (*(new.get(dimension, 0) for dimension in _WIDTHS), named.total() - sum(new.values()))


def _settled(dimension: str, named: Collection[str]) -> bool:
    """Whether a dimension follows from another that is named."""
    source = _FOLLOWS.get(dimension)
    return source is not None and (source in named or _settled(source, named))


def _in_order(alert: Alert) -> tuple[tuple[int, ...], str, tuple[int, str], bool, str]:
    """Sorting key: who may tell a story comes before those whose story it may be."""
    scope = alert.subject.scope
    return *_rank(scope), outages.importance(alert), isinstance(alert.evidence, UnitPriceEvidence), alert.id


def _rank(scope: Scope) -> _Rank:
    """Sorting key of kinds, narrowest first; no two kinds have the same."""
    return tuple(-count for count in narrowness(scope)), scope.kind


def _was_heard(alert: Alert, began: Collection[str]) -> bool:
    return alert.id not in began and alert.inhibited_by is None


@dataclass(frozen=True, slots=True)
class _Excess:
    """A firing alert about too much, with what is asked of it again and again worked out once."""

    alert: Alert
    evidence: _TooMuch
    place: Mapping[Dimension, str]
    """The dimensions in which it lies for certain: those of its scope, and what follows from them."""
    asked: tuple[tuple[Dimension, str], ...]
    """The dimensions of its scope, with their ids."""
    parts: Mapping[tuple[Dimension, str], Nano]
    """What its evidence says of the parts within it."""

    @property
    def excess(self) -> Nano:
        """What was seen over what was expected, or sustained."""
        return _excess_of(self.evidence)


def _plot(alert: Alert) -> tuple[Kind, bool]:
    """What its story is about: too much of its kind, or nothing at all. Alerts explain only those about the same."""
    return alert.subject.kind, isinstance(alert.evidence, SilenceEvidence)


def _excess_of(evidence: _TooMuch) -> Nano:
    if isinstance(evidence, SilenceEvidence):
        return evidence.missing
    return evidence.observed - evidence.expected if isinstance(evidence, AnomalyEvidence) else evidence.excess


def _is_silent(alert: Alert) -> bool:
    """Whether it is a mark that a higher one tells of: nobody hears of it."""
    return isinstance(alert.evidence, TriggerEvidence) and alert.evidence.told_with is not None


def _too_much(alert: Alert, names: Names, tags: Collection[Dimension]) -> _Excess | None:
    evidence, scope = alert.evidence, alert.subject.scope
    if not isinstance(evidence, _TooMuch):
        return None
    parts = scope.parts()
    beside = next((ident for ident in alert.names if ident not in parts.values()), None)
    place = known_of(scope, names, tags, beside)
    return _Excess(alert, evidence, place, tuple(parts.items()), _parts(evidence, names))


def _parts(evidence: _TooMuch, names: Names) -> dict[tuple[Dimension, str], Nano]:
    """The excess of every part that the evidence names, and of the users, tags and families that those belong to.

    Evidence names the largest parts only, so these sums are at most what is really there.
    """
    parts: dict[tuple[Dimension, str], Nano] = {}

    def add(dimension: Dimension, ident: str, cost: Nano) -> None:
        parts[dimension, ident] = parts.get((dimension, ident), 0) + cost

    for share in () if isinstance(evidence, SilenceEvidence) else evidence.top:
        add(share.dimension, share.id, share.cost)
        if share.dimension == "api_key":
            add("user", derived("user", share.id, names), share.cost)
        elif share.dimension == "model":
            add("model_family", derived("model_family", share.id, names), share.cost)
        elif share.dimension == "workspace":
            for key, value in names.tags_of_workspace.get(share.id, {}).items():
                add(TAG + key, value, share.cost)
    return parts


class _Tellers:
    """The firing anomalies by kind of scope, found by where they lie, so that few are looked at for each parent."""

    __slots__ = ("_by_kind", "_kinds", "_left_out", "_names", "_placed", "_tags")

    def __init__(self, firing: Collection[Alert], names: Names) -> None:
        self._names = names
        self._tags = {TAG + key for alert in firing for key, _ in alert.subject.scope.tags}
        self._by_kind: dict[str, list[_Excess]] = {}
        self._placed: dict[tuple[str, Dimension], dict[str | None, list[_Excess]]] = {}
        self._left_out: set[str] = set()
        kinds: dict[str, _Rank] = {}
        for alert in firing:
            child = _too_much(alert, names, self._tags)
            if child is not None:
                scope = alert.subject.scope
                kinds[scope.kind] = _rank(scope)
                self._by_kind.setdefault(scope.kind, []).append(child)
        self._kinds = sorted(kinds.items(), key=lambda pair: pair[1])

    def leave_out(self, alert: Alert) -> None:
        """An alert that nobody hears of cannot tell the story of another."""
        self._left_out.add(alert.id)

    def of(self, alert: Alert, least: Fraction) -> Alert | None:
        """The alert that tells the story of this one if at least `least` of its excess is explained, else None."""
        own = _rank(alert.subject.scope)
        narrower = [kind for kind, rank in self._kinds if rank < own]
        parent = _too_much(alert, self._names, self._tags) if narrower else None
        if parent is None or parent.excess <= 0:
            return None
        for kind in narrower:
            largest: dict[tuple[tuple[Dimension, str], ...], tuple[Nano, str, Alert]] = {}
            for child in self._near(kind, parent):
                part = _explained(child, parent)
                if part > 0 and part > largest.get(child.asked, (0,))[0]:
                    largest[child.asked] = (part, child.alert.id, child.alert)
            if largest and sum(part for part, _, _ in largest.values()) >= least * parent.excess:
                return max(largest.values(), key=lambda found: found[:2])[2]
        return None

    def _near(self, kind: str, parent: _Excess) -> Iterator[_Excess]:
        """The anomalies of this kind that do not lie elsewhere: where both are certain of a dimension, they agree."""
        organization = parent.alert.subject.scope.organization
        for child in self._candidates(kind, parent):
            if child.alert.id in self._left_out or child.alert.subject.scope.organization != organization:
                continue
            if not _apart(child, parent):
                yield child

    def _candidates(self, kind: str, parent: _Excess) -> Sequence[_Excess]:
        """Those that agree with the parent in the dimension that leaves fewest."""
        found: Sequence[_Excess] = self._by_kind[kind]
        for dimension in {"workspace", *(dimension for dimension, _ in parent.asked)}:
            value = parent.place.get(dimension)
            if value is not None:
                placed = self._in(kind, dimension)
                agreeing = [*placed.get(value, ()), *placed.get(None, ())]
                found = min(found, agreeing, key=len)
        return found

    def _in(self, kind: str, dimension: Dimension) -> Mapping[str | None, list[_Excess]]:
        """The anomalies of a kind by where they lie in a dimension."""
        placed = self._placed.get((kind, dimension))
        if placed is None:
            placed = self._placed[kind, dimension] = {}
            for child in self._by_kind[kind]:
                placed.setdefault(child.place.get(dimension), []).append(child)
        return placed


def _apart(child: _Excess, parent: _Excess) -> bool:
    """Whether there is a dimension in which they lie in different places for certain."""
    return any(parent.place.get(dimension, ident) != ident for dimension, ident in child.place.items())


def _explained(child: _Excess, parent: _Excess) -> Nano:
    """How much of the parent's excess is the child's.

    A child that lies wholly inside counts with its excess, one that lies partly inside with no more than is known to
    have been too much there, by the parts that the evidence of either names.
    """
    if all(dimension in child.place for dimension, _ in parent.asked):
        return max(_excess_since(child.evidence, parent.evidence), 0)
    if not child.parts and not parent.parts:
        return 0
    inside_child = _least(child.parts, parent.asked, child.place)
    inside_parent = _least(parent.parts, child.asked, parent.place)
    inside = max(inside_child, inside_parent)
    return min(_excess_since(child.evidence, parent.evidence), inside) if inside > 0 else 0


def _least(
    parts: Mapping[tuple[Dimension, str], Nano],
    asked: Iterable[tuple[Dimension, str]],
    certain: Collection[Dimension],
) -> Nano:
    """The smallest of the parts that are asked for, leaving out the dimensions that are certain."""
    return min((parts.get(part, 0) for part in asked if part[0] not in certain), default=0)


def _excess_since(evidence: _TooMuch, beside: _TooMuch) -> Nano:
    """An anomaly's excess since the other began, by the hours that the evidence keeps, if it did not begin later."""
    whole = TriggerEvidence | SilenceEvidence
    if isinstance(evidence, whole) or isinstance(beside, whole):
        return _excess_of(evidence)
    since = beside.since
    if evidence.since >= since or not evidence.points or evidence.points[0].hour > since:
        return _excess_of(evidence)
    return sum(point.observed - point.expected for point in evidence.points if point.hour >= since)
