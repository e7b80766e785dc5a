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
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from rules import one_scope, outages
from rules.dimensions import derived, known_of
from rules.labels import beside_of
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

_NONE: tuple[int, ...] = ()
_NO_PARTS: Mapping[str, Nano] = {}
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
    asked = [alert for alert in firing.values() if alert.id in began or alert.inhibited_by is not None]
    plots: dict[tuple[Kind, bool], list[Alert]] = {_plot(alert): [] for alert in asked}
    for alert in firing.values() if asked else ():
        plot = plots.get(_plot(alert))
        if plot is not None and not _is_silent(alert):
            plot.append(alert)
    tellers = {about: _Tellers(plot, names) for about, plot in plots.items()}
    beside = one_scope.Beside(firing.values())
    told: set[str] = set()
    folded: set[str] = set()
    changed: dict[str, Alert] = {}
    for alert in sorted(asked, key=_in_order):
        fresh = alert.id in began
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
    return _rank_of(tuple(scope.parts()))[0]


def _rank(scope: Scope) -> _Rank:
    """Sorting key of kinds, narrowest first; no two kinds have the same."""
    return _rank_of(tuple(scope.parts()))[1]


@lru_cache(maxsize=1000)
def _rank_of(dimensions: tuple[Dimension, ...]) -> tuple[tuple[int, ...], _Rank]:
    """How narrow scopes of these dimensions are, and their rank."""
    named = Counter(TAG if dimension.startswith(TAG) else dimension for dimension in dimensions)
    new = {dimension: count for dimension, count in named.items() if not _settled(dimension, named)}
    narrow = (*(new.get(dimension, 0) for dimension in _WIDTHS), named.total() - sum(new.values()))
    return narrow, (tuple(-count for count in narrow), "+".join(dimensions) or "organization")


def _settled(dimension: str, named: Collection[str]) -> bool:
    """Whether a dimension follows from another that is named."""
    source = _FOLLOWS.get(dimension)
    return source is not None and (source in named or _settled(source, named))


def _in_order(alert: Alert) -> tuple[tuple[int, ...], str, tuple[int, str], bool, str]:
    """Sorting key: who may tell a story comes before those whose story it may be."""
    scope = alert.subject.scope
    return *_rank(scope), outages.importance(alert), isinstance(alert.evidence, UnitPriceEvidence), alert.id


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
    dimensions: frozenset[Dimension]
    parts: Mapping[Dimension, Mapping[str, Nano]]
    """What its evidence says of the parts within it."""
    excess: Nano
    """What was seen over what was expected, or sustained."""
    since: datetime | None
    """When it began, if its evidence keeps the hours from which its excess since a later moment follows."""
    organization: str


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
    place = known_of(scope, names, tags, beside_of(alert))
    parts = scope.parts()
    return _Excess(
        alert,
        evidence,
        place,
        tuple(parts.items()),
        frozenset(parts),
        _parts(evidence, names),
        _excess_of(evidence),
        None if isinstance(evidence, TriggerEvidence | SilenceEvidence) else evidence.since,
        scope.organization,
    )


def _each_too_much(alerts: Iterable[Alert], names: Names, tags: Collection[Dimension]) -> Iterator[_Excess]:
    return (found for found in (_too_much(alert, names, tags) for alert in alerts) if found is not None)


def _parts(evidence: _TooMuch, names: Names) -> dict[Dimension, dict[str, Nano]]:
    """The excess of every part that the evidence names, and of the users, tags and families that those belong to.

    Evidence names the largest parts only, so these sums are at most what is really there.
    """
    parts: dict[Dimension, dict[str, Nano]] = {}

    def add(dimension: Dimension, ident: str, cost: Nano) -> None:
        some = parts.setdefault(dimension, {})
        some[ident] = some.get(ident, 0) + cost

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
    """The firing anomalies by kind of scope, found by what may make them a part of another, so that few are looked at
    for each parent."""

    __slots__ = ("_children", "_left_out", "_names", "_ranks", "_tags")

    def __init__(self, firing: Collection[Alert], names: Names) -> None:
        self._names = names
        self._tags = {TAG + key for alert in firing for key, _ in alert.subject.scope.tags}
        by_rank: dict[_Rank, list[Alert]] = {}
        for alert in firing:
            if isinstance(alert.evidence, _TooMuch):
                by_rank.setdefault(_rank(alert.subject.scope), []).append(alert)
        self._ranks = sorted(by_rank.items())
        self._children: dict[_Rank, _Children] = {}
        self._left_out: set[str] = set()

    def leave_out(self, alert: Alert) -> None:
        """An alert that nobody hears of cannot tell the story of another."""
        self._left_out.add(alert.id)

    def of(self, alert: Alert, least: Fraction) -> Alert | None:
        """The alert that tells the story of this one if at least `least` of its excess is explained, else None."""
        own = _rank(alert.subject.scope)
        narrower = [(rank, alerts) for rank, alerts in self._ranks if rank < own]
        parent = _too_much(alert, self._names, self._tags) if narrower else None
        if parent is None or parent.excess <= 0:
            return None
        for rank, alerts in narrower:
            if rank not in self._children:
                self._children[rank] = _Children(_each_too_much(alerts, self._names, self._tags))
            largest: dict[tuple[tuple[Dimension, str], ...], tuple[Nano, str, Alert]] = {}
            for child in self._near(self._children[rank], parent):
                part = _explained(child, parent)
                if part > 0 and part > largest.get(child.asked, (0,))[0]:
                    largest[child.asked] = (part, child.alert.id, child.alert)
            if largest and sum(part for part, _, _ in largest.values()) >= least * parent.excess:
                return max(largest.values(), key=lambda found: found[:2])[2]
        return None

    def _near(self, children: _Children, parent: _Excess) -> Iterator[_Excess]:
        """The anomalies of this kind that do not lie elsewhere: where both are certain of a dimension, they agree."""
        for child in children.of(parent):
            elsewhere = child.organization != parent.organization or child.alert.id in self._left_out
            if not (elsewhere or _apart(child, parent)):
                yield child


class _Children:
    """The anomalies of one kind of scope, by where they lie, what their evidence names, and what they are about."""

    __slots__ = ("_about", "_every", "_inside")

    def __init__(self, every: Iterable[_Excess]) -> None:
        self._every = tuple(every)
        self._inside: dict[Dimension, dict[str, list[int]]] = {}
        self._about: dict[Dimension, dict[str, list[int]]] = {}

    def of(self, parent: _Excess) -> Iterable[_Excess]:
        """Those of which anything can be a part of the parent's excess, in their order.

        Each lies for certain in what the parent is about, or names a part there; or else the parent names it.
        """
        if not parent.asked:
            return self._every
        inside = sorted((self._in(dimension).get(ident, _NONE) for dimension, ident in parent.asked), key=len)
        found = set(inside[0])
        for dimension, idents in parent.parts.items():
            about = self._of(dimension)
            found.update(number for ident in idents for number in about.get(ident, _NONE))
        return (self._every[number] for number in sorted(found))

    def _in(self, dimension: Dimension) -> Mapping[str, Sequence[int]]:
        """Those that lie in each place of a dimension, or name it."""
        if dimension not in self._inside:
            placed = self._inside[dimension] = {}
            for number, child in enumerate(self._every):
                certain = child.place.get(dimension)
                for ident in child.parts.get(dimension, ()) if certain is None else (certain,):
                    placed.setdefault(ident, []).append(number)
        return self._inside[dimension]

    def _of(self, dimension: Dimension) -> Mapping[str, Sequence[int]]:
        """Those that are about each part of a dimension."""
        if dimension not in self._about:
            about = self._about[dimension] = {}
            for number, child in enumerate(self._every):
                for asked, ident in child.asked:
                    if asked == dimension:
                        about.setdefault(ident, []).append(number)
        return self._about[dimension]


def _apart(child: _Excess, parent: _Excess) -> bool:
    """Whether there is a dimension in which they lie in different places for certain."""
    place = parent.place
    for dimension, ident in child.place.items():  # noqa: SIM110, asked very often
        if place.get(dimension, ident) != ident:
            return True
    return False


def _explained(child: _Excess, parent: _Excess) -> Nano:
    """How much of the parent's excess is the child's.

    A child that lies wholly inside counts with its excess, one that lies partly inside with no more than is known to
    have been too much there, by the parts that the evidence of either names.
    """
    if child.place.keys() >= parent.dimensions:
        return max(_excess_since(child, parent.since), 0)
    if not child.parts and not parent.parts:
        return 0
    inside_child = _least(child.parts, parent.asked, child.place)
    inside_parent = _least(parent.parts, child.asked, parent.place)
    inside = max(inside_child, inside_parent)
    return min(_excess_since(child, parent.since), inside) if inside > 0 else 0


def _least(
    parts: Mapping[Dimension, Mapping[str, Nano]],
    asked: Iterable[tuple[Dimension, str]],
    certain: Collection[Dimension],
) -> Nano:
    """The smallest of the parts that are asked for, leaving out the dimensions that are certain."""
    of = (parts.get(dimension, _NO_PARTS).get(ident, 0) for dimension, ident in asked if dimension not in certain)
    return min(of, default=0)


def _excess_since(child: _Excess, since: datetime | None) -> Nano:
    """An anomaly's excess since the other began, by the hours that the evidence keeps, if it did not begin later."""
    if since is None or child.since is None or child.since >= since:
        return child.excess
    points = child.evidence.points if isinstance(child.evidence, AnomalyEvidence | UnitPriceEvidence) else ()
    if not points or points[0].hour > since:
        return child.excess
    return sum(point.observed - point.expected for point in points if point.hour >= since)
