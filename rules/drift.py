"""Whether the bill of settled days agrees with what their tokens were estimated at. Pure.

Three kinds of part are looked at: the organization, each model, and each model in each workspace. A part is off on a
day when bill and estimate differ by more than `percent` of the estimate *and* by more than `amount`. The rule is in
breach when some part has been off on each of the last `days` settled days, and clear when none has been off on any of
them. It is one alert for the organization, however many parts are off: a price that changes is one story, and its
evidence names the cells that explain it.

Only prices that somebody has vouched for can be wrong: those learned from settled days, and the owner's. Estimates at
list price, before anything was learned, and stand-ins for unknown prices are no part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from rules.evidence import DriftEvidence, DriftPart
from rules.model import Breach, Clear, Names, NoData, Scope, Severity, Subject, Verdict
from rules.reconciled import Cell, ReconciledDay
from rules.scope import Nano

RULE = "estimate drift"
STALE = timedelta(days=4)
"""A settled day that ended longer ago says nothing of the present: as a rule the newest ended two to three days ago."""
SHOWN = 8
"""The most parts that the evidence names one by one."""

_DAY = timedelta(days=1)
_LEAST_SHARE = 20
"""A cell is named when its drift is at least one part in so many of the largest one's."""

_Part = tuple[str | None, str | None]
"""Workspace and model; both None for the organization."""


@dataclass(frozen=True, slots=True)
class DriftRule:
    """When bill and estimate count as drifted apart: over `percent` and over `amount` nano-dollars a day, for `days`
    settled days in a row."""

    enabled: bool = True
    percent: float = 5.0
    amount: Nano = 20_000_000_000
    days: int = 2
    severity: Severity = Severity.WARNING


@dataclass(slots=True)
class _Figures:
    estimated: Nano = 0
    billed: Nano = 0
    owned: bool = False

    def add(self, cell: Cell) -> None:
        self.estimated += cell.estimated
        self.billed += cell.billed
        self.owned |= cell.source == "override"

    @property
    def drift(self) -> Nano:
        return self.billed - self.estimated


def judge(
    rule: DriftRule, organization: str, days: Sequence[ReconciledDay], names: Names, now: datetime
) -> list[Verdict]:
    """The rule's one verdict on an organization; none where the rule is switched off. `days` are in order."""
    if not rule.enabled:
        return []
    subject = Subject(RULE, "drift", Scope(organization))
    judged = [(day, cells) for day in days if day.standing == "settled" and (cells := _judged(day))]
    if len(judged) < rule.days:
        return [NoData(subject, "too few settled days")]
    if now - (_midnight(judged[-1][0].day) + _DAY) > STALE:
        return [NoData(subject, "no settled day is new")]
    off = [_off(rule, cells) for _, cells in judged]
    steady = set.intersection(*off[-rule.days :])
    if steady:
        first = len(off) - rule.days
        while first and off[first - 1] & steady:
            first -= 1
        return [_breach(rule, subject, judged[first:], steady, names)]
    if any(off[-rule.days :]):
        return [NoData(subject, "off on some of the last settled days only")]
    return [Clear(subject)]


def _judged(day: ReconciledDay) -> list[Cell]:
    return [cell for cell in day.cells if cell.sort == "compared" and cell.source in {"override", "learned"}]


def _parts(cells: Iterable[Cell]) -> dict[_Part, _Figures]:
    parts: dict[_Part, _Figures] = {}
    for cell in cells:
        for part in ((None, None), (None, cell.model), (cell.workspace, cell.model)):
            parts.setdefault(part, _Figures()).add(cell)
    return parts


def _off(rule: DriftRule, cells: Iterable[Cell]) -> set[_Part]:
    return {
        part
        for part, figures in _parts(cells).items()
        if abs(figures.drift) > rule.amount and 100 * abs(figures.drift) > rule.percent * figures.estimated
    }


def _breach(
    rule: DriftRule,
    subject: Subject,
    judged: Sequence[tuple[ReconciledDay, list[Cell]]],
    steady: Iterable[_Part],
    names: Names,
) -> Breach:
    first, last = judged[0][0].day, judged[-1][0].day
    parts = _parts(cell for _, cells in judged for cell in cells)
    whole = parts[None, None]
    models = [(part, figures) for part, figures in parts.items() if part[0] is None and part[1] is not None]
    evidence = DriftEvidence(
        first_day=first,
        last_day=last,
        days=len(judged),
        estimated=whole.estimated,
        billed=whole.billed,
        percent=rule.percent,
        amount=rule.amount,
        least_days=rule.days,
        organization_off=(None, None) in set(steady),
        models=_largest(models, names),
        parts=_largest([(part, figures) for part, figures in parts.items() if part[0] is not None], names),
        data_as_of=_midnight(last) + _DAY,
    )
    return Breach(
        subject=subject,
        severity=rule.severity,
        starts_at=_midnight(first),
        value=whole.billed,
        expected=whole.estimated,
        limit=None,
        evidence=evidence,
    )


def _largest(parts: Sequence[tuple[_Part, _Figures]], names: Names) -> tuple[DriftPart, ...]:
    """The parts that explain the drift: the largest ones, without what is small beside them."""
    ordered = sorted(parts, key=lambda part: (-abs(part[1].drift), part[0][0] or "", part[0][1] or ""))
    least = abs(ordered[0][1].drift) / _LEAST_SHARE
    return tuple(
        DriftPart(workspace, names.of(workspace or ""), model or "", found.estimated, found.billed, found.owned)
        for (workspace, model), found in ordered[:SHOWN]
        if abs(found.drift) >= least
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
