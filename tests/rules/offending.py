"""Breaches that ask for action, keys and policies, as tests of the guard write them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rules.actions import Action, Cause
from rules.evidence import BudgetEvidence
from rules.guard import plan
from rules.keys import Flip, Key, Keys
from rules.model import Alert, Scope, Severity, State, Subject
from rules.offences import Offence, Offender
from rules.policy import KeyAction, Policy
from rules.situation import Situation

ORG = "org-1"
NOW = datetime(2026, 11, 20, 12, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
USD = 1_000_000_000
AUTO = Policy(mode="auto", grace=timedelta(0), max_per_cycle=10, max_per_day=10, max_share=1)  # type: ignore[arg-type]


def key(ident: str, workspace: str = "wrk-a", status: str = "active", listed_at: datetime = NOW, name: str = "") -> Key:
    return Key(ident, name or ident, workspace, status, listed_at)


def keys(*every: Key, flips: dict[str, tuple[Flip, ...]] | None = None, **names: str) -> Keys:
    workspaces = {each.workspace: each.workspace for each in every} | names
    return Keys({each.id: each for each in every}, flips or {}, workspaces)


FOUR = keys(*(key(f"key-{number}") for number in range(4)))


def alert(ident: str = "alert-1", **other: Any) -> Alert:
    evidence = BudgetEvidence("November 2026", NOW, NOW, "UTC", 100.0, (), 0, 0, 0, NOW)
    subject = Subject("limit", "budget", Scope(ORG))
    fixed: dict[str, Any] = {"severity": Severity.CRITICAL, "state": State.FIRING, "starts_at": NOW}
    return Alert(ident, subject, **fixed, pending_since=NOW, evidence=evidence, summary="Too much.", **other)


def offence(
    *behind: str, kind: str = "budget", amount: float = 100, scope: Scope | None = None, **other: Any
) -> Offence:
    """A breach of $1,000 by so many dollars, behind which are these keys with $300 each, $100 or $20 of it usual."""
    about = scope or (Scope(ORG, api_key=behind[0]) if len(behind) == 1 else Scope(ORG))
    certain = round((1000 + amount) * USD)
    usual = 20 if kind == "anomaly" else 100
    found = Offence(
        cause=Cause("anomaly" if kind == "anomaly" else "budget", "limit", about, "2026-11/100"),
        alert=alert(),
        action=KeyAction(),
        since=NOW - timedelta(days=5),
        observed=certain,
        certain=certain,
        bound=1000 * USD,
        error=0.2,
        data_as_of=NOW,
        offenders=tuple(Offender(each, "wrk-a", 300 * USD, usual * USD) for each in behind),
        period_end=NOW + timedelta(days=10) if kind == "budget" else None,
    )
    return replace(found, **other)


def situation(*offences: Offence, policy: Policy = AUTO, directory: Keys = FOUR, **other: Any) -> Situation:
    fixed: dict[str, Any] = {"watermark": NOW - 63 * MINUTE, "firing": frozenset({"alert-1"}), **other}
    return Situation(ORG, policy, offences, keys=directory, **fixed)


def planned(at: Situation, now: datetime = NOW) -> tuple[Action, ...]:
    return plan(at, now)


def after(at: Situation, rows: Iterable[Action], **other: Any) -> Situation:
    """The situation once these rows are kept."""
    journal = {row.id: row for row in (*at.journal, *rows)}
    return replace(at, journal=tuple(journal.values()), **other)
