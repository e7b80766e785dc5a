"""What a budget's limit is for a scope in a period. Everything that holds spend against a limit asks here.

A limit is one amount for every scope and period, or what the plan says of a period, or what the provider caps a scope
at (`rules.caps`). Where there is none, nothing is judged: no limit is neither zero nor endless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from rules.caps import CapKind, Caps
from rules.model import Budget, Leaf, Names, Nano, Scope, Selector
from rules.periods import PeriodKind
from rules.selectors import select

_NOT_READ = "the limits of the Console have not been read"


def limits_of(budget: Budget, scopes: Sequence[Scope], begins: datetime) -> list[Nano | None]:
    """The limit of each scope in the period that begins at `begins` (UTC); None where it has none, or none is known.

    It is in the budget's own unit.
    """
    if budget.console:
        caps = budget.caps or {}
        kind = cap_kind(budget)
        return [caps.get(_whose(scope, kind)) for scope in scopes]
    limit = planned(budget, begins) if budget.plan else None
    return [budget.limit if limit is None else limit] * len(scopes)


def limit_of(budget: Budget, scope: Scope, begins: datetime) -> Nano | None:
    """The same for one scope."""
    return limits_of(budget, (scope,), begins)[0]


def planned(budget: Budget, begins: datetime) -> Nano | None:
    """What the plan says of the period that begins then; None where it does not name it."""
    return budget.plan.get(plan_key(budget.period, begins.astimezone(ZoneInfo(budget.timezone)).date()))


def plan_key(kind: PeriodKind, first: date) -> str:
    """How a plan names the period that begins on the local day `first`: "2026-12", "2026-Q4", "2026-W49", "2026"."""
    if kind == "year":
        return f"{first.year:04d}"
    if kind == "quarter":
        return f"{first.year:04d}-Q{(first.month + 2) // 3}"
    if kind == "month":
        return f"{first.year:04d}-{first.month:02d}"
    if kind == "week":
        year, week, _ = first.isocalendar()
        return f"{year:04d}-W{week:02d}"
    return first.isoformat()


def cap_kind(budget: Budget) -> CapKind:
    """Whose limits a budget takes from the provider."""
    if budget.per:
        return "user" if budget.per == ("user",) else "workspace"
    return "organization" if budget.select.workspace is None else "workspace"


def capped(budget: Budget, caps: Caps | None, names: Names) -> Budget:
    """The budget with what the provider caps its scopes at now, if that is where its limit comes from."""
    if not budget.console:
        return budget
    kind = cap_kind(budget)
    why = _NOT_READ if caps is None else caps.missing.get(kind, "")
    if caps is None or why:
        return replace(budget, caps=None, caps_missing=why)
    known = caps.of(kind, budget.period)
    if kind == "workspace" and not budget.per:
        known = _only(known, budget.select.workspace, names)
    return replace(budget, caps=known, caps_missing="")


def is_known(budget: Budget) -> bool:
    """Whether it can be told which limits the budget has, if any."""
    return not budget.console or budget.caps is not None


def why_none(budget: Budget) -> str:
    """Why a scope of the budget has no limit, as a clause: "the plan does not name this period"."""
    if not budget.console:
        return "the plan does not name this period"
    if not is_known(budget):
        return budget.caps_missing or _NOT_READ
    return f"the Console sets no limit a {budget.period}"


def _whose(scope: Scope, kind: CapKind) -> str:
    return {"workspace": scope.workspace, "user": scope.user}.get(kind) or ""


def _only(caps: Mapping[str, Nano], workspace: str | None, names: Names) -> Mapping[str, Nano]:
    """The cap of the one workspace that the selector takes, as that of all together; none where it takes several."""
    idents = list(caps)
    taken = select(Selector(workspace=workspace), [Leaf(ident, "", "") for ident in idents], names).tolist()
    found = [caps[ident] for ident, takes in zip(idents, taken, strict=True) if takes]
    return {"": found[0]} if len(found) == 1 else {}
