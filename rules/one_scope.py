"""One scope, one story: that it spends too much, and that its tokens have become dearer, is told once.

The alert about spend tells of the price, which its evidence holds. A price that was told before tells of the spend that
comes of it, as long as it explains enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from rules.model import Alert, AnomalyEvidence, UnitPriceEvidence


class Beside:
    """Alerts about spend and prices by rule and scope."""

    __slots__ = ("_by_scope",)

    def __init__(self, alerts: Iterable[Alert]) -> None:
        known = [alert for alert in alerts if isinstance(alert.evidence, AnomalyEvidence | UnitPriceEvidence)]
        prices = (alert for alert in known if isinstance(alert.evidence, UnitPriceEvidence))
        self._by_scope: dict[tuple[object, ...], list[Alert]] = {_place(alert): [] for alert in prices}
        for alert in known if self._by_scope else ():
            if (beside := self._by_scope.get(_place(alert))) is not None:
                beside.append(alert)

    def of(self, alert: Alert) -> Sequence[Alert]:
        """The others of the same rule and scope, where one of them is about a price."""
        if not self._by_scope:
            return ()
        return [other for other in self._by_scope.get(_place(alert), ()) if other.id != alert.id]


def teller(alert: Alert, heard: Iterable[Alert], least: Fraction) -> Alert | None:
    """The alert that tells the story of this one, among those of the same scope that people were told of."""
    return next((other for other in heard if _tells(other, alert, least)), None)


def _place(alert: Alert) -> tuple[object, ...]:
    return alert.subject.kind, alert.subject.rule, alert.subject.scope


def _tells(other: Alert, alert: Alert, least: Fraction) -> bool:
    if isinstance(alert.evidence, UnitPriceEvidence):
        return isinstance(other.evidence, AnomalyEvidence)
    if not isinstance(alert.evidence, AnomalyEvidence) or not isinstance(other.evidence, UnitPriceEvidence):
        return False
    return other.evidence.excess >= least * (alert.evidence.observed - alert.evidence.expected)
