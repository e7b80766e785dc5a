"""What became known of prices since the last judgement: a model in use for the first time, a discount that moved. Pure.

Everything new in one judgement is one event, told once. What was told is remembered as text beside the judgement's
alerts, so that neither a restart nor a crash tells it again, and the first judgement that sees any model tells nothing.

- **A model first seen** is told unless it has no price, which is an alert of its own (`rules.sources`), or its first
  use lies long before the last judgement, so that it is history that was only now read.
- **A discount that moved** is the ratio of bills to list prices that was learned from settled days. It is held against
  the ratio that was last told, so that many small steps are told too, and must have moved by more than `percent` and by
  more than `SPREADS` times its spread before or now. While days of the old price and of the new one balance, the spread
  is as wide as the step: the move is told once, when the new price has won. What follows by the same factor within
  `ONE_STORY`, of other kinds and models, is the same change. A drift alert tells of its own models (`rules.drift`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from rules.evidence import DriftEvidence, NewModel, PriceEvidence, PriceMove
from rules.learned import LearnedRatio
from rules.model import HOUR, Alert, Breach, Names, Scope, Severity, SpendView, State, Subject
from rules.reconciled import WEB_SEARCHES
from rules.scope import UNATTRIBUTED

RULE = "price changes"
LISTED_FOR = timedelta(hours=24)
"""How long the event stays listed."""
LATE = timedelta(hours=72)
"""A model whose first use lies further before the last judgement is history."""
ONE_STORY = timedelta(days=30)
SPREADS = 3

_MILLION = 1_000_000
_PRICES = "prices"

Place = tuple[str, str]
"""A model ("" for web searches) and a kind of token."""


@dataclass(frozen=True, slots=True)
class PriceRule:
    """What of prices is told: models in use for the first time, discounts that moved by more than `percent`."""

    enabled: bool = True
    new_models: bool = True
    discounts: bool = True
    percent: float = 2.0


@dataclass(frozen=True, slots=True)
class Memory:
    """What earlier judgements told, or found true when they first looked."""

    at: datetime
    models: frozenset[str] = frozenset()
    ratios: Mapping[Place, LearnedRatio] = field(default_factory=dict)
    moves: tuple[tuple[float, datetime], ...] = ()
    """The factors by which prices moved, and when that was told."""


@dataclass(frozen=True, slots=True)
class Told:
    """What to tell, if anything, and what to remember."""

    breaches: tuple[Breach, ...]
    memory: Memory


def judge(  # noqa: PLR0917 - everything that it is judged by
    rule: PriceRule,
    ratios: Mapping[Place, LearnedRatio],
    memory: Memory | None,
    view: SpendView,
    names: Names,
    alerts: Iterable[Alert],
    now: datetime,
) -> Told:
    """Hold what is known now against what was told; `alerts` are the open ones."""
    models = {leaf.model for leaf in view.leaves if leaf.api_key != UNATTRIBUTED and leaf.model} - {UNATTRIBUTED}
    if memory is None or not memory.models:
        return Told((), Memory(now, frozenset(models), dict(ratios)))
    new = tuple(
        found
        for model in sorted(models - memory.models - view.unpriced)
        if (found := _new_model(model, view, names)).since > memory.at - LATE
    )
    moved = _moved(rule, ratios, memory)
    told, moves = _told(rule, moved, memory, alerts, now)
    kept = dict(memory.ratios) | {place: ratio for place, ratio in ratios.items() if place not in memory.ratios}
    kept |= {place: ratios[place] for place in moved}
    kept |= {place: ratio for place, ratio in ratios.items() if ratio.listed != kept[place].listed}
    after = Memory(now, memory.models | models, kept, moves)
    evidence = PriceEvidence(
        new_models=new if rule.new_models else (),
        moves=_grouped(told, memory.ratios, ratios) if rule.discounts else (),
        data_as_of=view.observed_until,
    )
    if not rule.enabled or not (evidence.new_models or evidence.moves):
        return Told((), after)
    return Told((_breach(evidence, view.organization, now),), after)


def recall(remembered: str | None) -> Memory | None:
    """The memory in the text that the last judgement left; None where it holds none that can be read."""
    try:
        account = json.loads(remembered or "null")
        kept: dict[str, Any] = account[_PRICES]
        return Memory(
            datetime.fromisoformat(account["at"]),
            frozenset(map(str, kept["models"])),
            {(str(m), str(k)): LearnedRatio(int(r), int(s), bool(listed)) for m, k, r, s, listed in kept["ratios"]},
            tuple((float(factor), datetime.fromisoformat(at)) for factor, at in kept["moves"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(account: str, memory: Memory | None) -> str:
    """The text of a judgement's account with this memory in it; `account` is a JSON object."""
    if memory is None:
        return account
    ratios = [[*place, each.ratio, each.spread, each.listed] for place, each in sorted(memory.ratios.items())]
    moves = [[factor, at.isoformat()] for factor, at in memory.moves]
    kept = {"models": sorted(memory.models), "ratios": ratios, "moves": moves}
    return json.dumps(json.loads(account) | {_PRICES: kept}, sort_keys=True)


def _moved(rule: PriceRule, ratios: Mapping[Place, LearnedRatio], memory: Memory) -> dict[Place, float]:
    """The places whose ratio is plainly another one than was told, with the factor between the two."""
    moved = {}
    for place in sorted(ratios.keys() & memory.ratios.keys()):
        before, after = memory.ratios[place], ratios[place]
        least = max(round(rule.percent * 10_000), SPREADS * max(before.spread, after.spread))
        if before.listed == after.listed and abs(after.ratio - before.ratio) * _MILLION > before.ratio * least:
            moved[place] = after.ratio / before.ratio
    return moved


def _told(
    rule: PriceRule, moved: Mapping[Place, float], memory: Memory, alerts: Iterable[Alert], now: datetime
) -> tuple[list[Place], tuple[tuple[float, datetime], ...]]:
    """Of the places that moved those to tell, and the factors that count as told from now on."""
    known = tuple((factor, at) for factor, at in memory.moves if now - at < ONE_STORY)
    drifts = [
        alert.evidence
        for alert in alerts
        if alert.state is not State.RESOLVED and isinstance(alert.evidence, DriftEvidence)
    ]
    told, fresh = [], []
    for place, factor in moved.items():
        if any(abs(factor / other - 1) <= rule.percent / 100 for other, _ in known):
            continue
        if not any(_tells(drift, place[0], factor) for drift in drifts):
            told.append(place)
        fresh.append((factor, now))
    return told, (*known, *dict.fromkeys(fresh))


def _tells(drift: DriftEvidence, model: str, factor: float) -> bool:
    """Whether an open alert about drift tells of this model's price, which moved in the direction that it saw."""
    parts = [part.drift for part in drift.models if part.model == (model or WEB_SEARCHES)]
    if drift.organization_off:
        parts.append(drift.billed - drift.estimated)
    return any((part > 0) == (factor > 1) for part in parts)


def _grouped(
    places: Sequence[Place], before: Mapping[Place, LearnedRatio], after: Mapping[Place, LearnedRatio]
) -> tuple[PriceMove, ...]:
    """One move for all kinds of a model that moved alike, the largest first."""
    kinds: dict[tuple[str, int, int], list[str]] = {}
    for model, kind in places:
        old, new = before[model, kind], after[model, kind]
        alike = next(
            (key for key in kinds if key[0] == model and _near(key[1], old.ratio) and _near(key[2], new.ratio)), None
        )
        kinds.setdefault(alike or (model, old.ratio, new.ratio), []).append(kind)
    moves = [
        PriceMove(model, tuple(each), old, new, after[model, each[0]].listed)
        for (model, old, new), each in kinds.items()
    ]
    return tuple(sorted(moves, key=lambda move: (-abs(move.after / move.before - 1), move.model, move.kinds)))


def _near(one: int, other: int) -> bool:
    return abs(one - other) * 200 <= other


def _new_model(model: str, view: SpendView, names: Names) -> NewModel:
    """Since when it is in use, what it has cost, and which key has spent most of that."""
    rows = [row for row, leaf in enumerate(view.leaves) if leaf.model == model]
    cost = view.cost[rows]
    spent = cost.sum(axis=1)
    main = view.leaves[rows[int(spent.argmax())]]
    first = int(np.flatnonzero(cost.any(axis=0))[0])
    return NewModel(
        model=model,
        since=view.start + first * HOUR,
        spent=int(spent.sum()),
        api_key=main.api_key,
        api_key_name=names.of(main.api_key),
        workspace=main.workspace,
        workspace_name=names.of(main.workspace),
        keys=len({view.leaves[row].api_key for row in rows}),
    )


def _breach(evidence: PriceEvidence, organization: str, now: datetime) -> Breach:
    dearer = any(move.after > move.before for move in evidence.moves)
    return Breach(
        subject=Subject(RULE, "price", Scope(organization), now.isoformat()),
        severity=Severity.WARNING if dearer else Severity.INFO,
        starts_at=min((model.since for model in evidence.new_models), default=now),
        value=None,
        expected=None,
        limit=None,
        evidence=evidence,
        closes_at=now + LISTED_FOR,
    )
