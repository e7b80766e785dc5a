"""Which receivers hear of an alert: the routes in their order, each with its matchers. Pure.

An alert goes to the first route whose matchers all hold, and on to the next ones as long as the routes that take it
continue. A story goes to everybody who is to hear of any alert in it: whoever asked for the organization's alerts
hears of the key that explains them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rules.groups import Group, waiting
from rules.labels import Labelling
from rules.matchers import Labels
from rules.model import Alert, Names, Route, State
from rules.quieted import Silence
from rules.taking import Taking


@dataclass(frozen=True, slots=True)
class Audience:
    """Who can be told of what."""

    routes: Sequence[Route]
    receivers: Collection[str] | None = None
    """All that there are: one that is no more is not told of an end. None: it is not known, and none is left out."""
    label: str = ""
    """What the configuration calls the organization."""
    silences: Sequence[Silence] = ()
    """Those in force."""
    groups: Sequence[Group] = ()
    """Those that an earlier judgement left."""
    ended: Sequence[Alert] = ()
    """Alerts that are over, whose end one of these groups is still to tell."""
    untold: Collection[str] = frozenset()
    """The ids of alerts that messages tell of which wait for receivers that are no more."""

    def unheard(self, alerts: Iterable[Alert]) -> frozenset[str]:
        """The ids of the alerts that fire, and that nobody has heard of or will, because their receivers are gone."""
        if self.receivers is None:
            return frozenset()
        gone = {ident for receiver, ident in waiting(self.groups) if receiver not in self.receivers}.union(self.untold)
        return frozenset(
            alert.id
            for alert in alerts
            if alert.id in gone
            and alert.state is State.FIRING
            and alert.silenced is None
            and alert.inhibited_by is None
            and not any(each in self.receivers for each in alert.heard or ())
        )


_NOBODY: frozenset[str] = frozenset()


class Hearing:
    """The routes, as the alerts of one organization meet them; `called` is what the organization is called."""

    def __init__(self, routes: Sequence[Route], names: Names, called: Sequence[str] = ()) -> None:
        self._labelling = Labelling(names, called)
        self._labels: dict[str, Labels] = {}
        self._ways: dict[str, Mapping[str, Route]] = {}
        self._receivers: dict[int, frozenset[str]] = {}
        """Whom each of the ways reaches; they live as long as the routes do."""
        self.receivers = tuple(dict.fromkeys(each for route in routes for each in route.receivers))
        """Everybody that some route names, in order."""
        self._taking = Taking(routes)

    def of(self, alert: Alert) -> tuple[str, ...]:
        """Who hears of an alert as it is now, in the order of the routes, each once."""
        return tuple(self.ways(alert))

    def ways(self, alert: Alert) -> Mapping[str, Route]:
        """By receiver the route by which it hears of the alert, in the order of the routes; of several the first."""
        known = self._ways.get(alert.id)
        if known is None:
            known = self._ways[alert.id] = self._taking.ways(self.labels(alert) if self._taking.asks else {})
        return known

    def labels(self, alert: Alert) -> Labels:
        """The labels of an alert as things are called now; of one id those of the first that was asked for."""
        known = self._labels.get(alert.id)
        if known is None:
            known = self._labels[alert.id] = self._labelling.of(alert)
        return known

    def _hear(self, alert: Alert) -> frozenset[str]:
        ways = self.ways(alert)
        return self._receivers.get(id(ways)) or self._receivers.setdefault(id(ways), frozenset(ways))

    def tell(
        self, told: Collection[str], joined: Iterable[str], alerts: Mapping[str, Alert]
    ) -> dict[str, tuple[Alert, tuple[str, ...]]]:
        """By id the alerts to tell of now, as they are once they were told, and the receivers that had not heard.

        `told` are alerts to tell; `joined` those whose story one of these tells, or one whose message went out earlier:
        that is told anew to whoever hears of it only through an alert that joined it now. A silenced one is not, and
        waits.
        """
        wanted: dict[str, frozenset[str]] = {ident: self._hear(alerts[ident]) for ident in told}
        for ident in joined:
            teller = alerts[ident].inhibited_by
            if teller is not None and teller in alerts:
                wanted[teller] = wanted.get(teller, _NOBODY) | self._hear(alerts[ident])
        found: dict[str, tuple[Alert, tuple[str, ...]]] = {}
        new: dict[tuple[frozenset[str], tuple[str, ...]], tuple[str, ...]] = {}
        for ident, receivers in wanted.items():
            alert = alerts[ident]
            if alert.heard is None and ident not in told:
                continue  # held back itself; or told to everybody, by a version that kept no account of it
            heard = alert.heard or ()
            fresh = new.get((receivers, heard))
            if fresh is None:
                some = (receiver for receiver in self.receivers if receiver in receivers and receiver not in heard)
                fresh = new[receivers, heard] = tuple(some)
            if alert.silenced is not None:
                if fresh:
                    found[ident] = (replace(alert, waits=True), ())
            elif fresh or alert.heard is None or alert.waits:
                found[ident] = (replace(alert, heard=(*heard, *fresh), waits=False), fresh)
        return found
