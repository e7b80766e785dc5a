"""Verdicts about the data themselves: a watcher that cannot see says so, and says what that means.

These rules need no configuration; their names are in `RULES`.

- **source failing**: an endpoint has failed for `PATIENCE`; at once if the key was refused (401).
- **source gone**: an endpoint that answered before says that it is not offered, and still said so when it was asked
  again `PATIENCE` later. One that was never offered is absent, and nothing is said.
- **source stalled**: a source is read and its answers are not believed: usage that is empty against overwhelming
  expectation (`rules.stall`), or hours or days that come back empty after having held something.
- **data stale**: usage is read without error and is not stalled, yet nothing of the last `STALE` is complete; where
  it comes from analytics, which are hours behind, of the last `STALE` and `ANALYTICS_BEHIND`.
- **model unpriced**: tokens of a model are counted at a stand-in price.

Where one of them explains another (a failing source is stale too) the other one is `NoData`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from rules.model import (
    HOUR,
    Alert,
    Breach,
    Clear,
    NoData,
    Scope,
    Severity,
    Snapshot,
    SourceEvidence,
    SourceState,
    SpendView,
    Subject,
    Verdict,
)
from rules.money import display_usd
from rules.wording import clean

if TYPE_CHECKING:
    from rules.stall import Stall

FAILING = "source failing"
GONE = "source gone"
STALLED = "source stalled"
STALE_DATA = "data stale"
UNPRICED = "model unpriced"
RULES = frozenset({FAILING, GONE, STALLED, STALE_DATA, UNPRICED})

USAGE = "usage"
"""The source that spend is estimated from; without it the watcher is blind."""
ANALYTICS_USAGE = "analytics_usage"
"""What stands in its place for a key that may read analytics alone."""
ANALYTICS_COST = "analytics_cost"
PATIENCE = timedelta(minutes=15)
"""How long a source may fail before anybody is told, and how long it must answer before it counts as recovered."""
STALE = timedelta(hours=3)
FRESH_AGAIN = timedelta(hours=2)
"""Hysteresis: complete data younger than this end the staleness; between the two nothing changes."""
ANALYTICS_BEHIND = timedelta(hours=48)
"""How much later than the usage report analytics may be: up to a day, and a day more for an hour without use."""

_BLIND_WITHOUT = frozenset({USAGE, ANALYTICS_USAGE})
_REFUSED = re.compile(r"\b401\b")
_BESIDE_THE_POINT = re.compile(r"^/\S+ | \(request-id [^)]*\)")
"""The endpoint, which the source's name says already, and the id of one request of many; `status` shows both."""
_LONGEST_FAILURE = 120
_WORDS = {
    USAGE: "the usage report",
    ANALYTICS_USAGE: "the usage of analytics",
    ANALYTICS_COST: "the hourly cost of analytics",
    "cost": "the cost report",
    "claude_code": "the Claude Code report",
    "organization": "the organization",
    "workspaces": "the list of workspaces",
    "api_keys": "the list of API keys",
    "users": "the list of users",
    "invites": "the list of invites",
    "spend_limits": "the list of spend limits",
    "effective_spend_limits": "what members have spent against their limits",
    "rate_limits": "the list of rate limits",
    "workspace_rate_limits": "the rate limits of workspaces",
    "workspace_members": "the members of workspaces",
}
_CONSEQUENCES = {
    USAGE: "spend after that is unknown, and no budget or anomaly that depends on it is judged",
    ANALYTICS_USAGE: "spend after that is unknown, and no budget or anomaly that depends on it is judged",
    ANALYTICS_COST: "spend is settled by the day instead of by the hour, where there is a cost report",
    "cost": "spend stays an estimate from tokens and list prices until the report is back",
    "claude_code": "figures of Claude Code are not updated",
}
_LIMITS_AGE = "limits are shown as they were read last; spend is not affected"
_CONSEQUENCES |= dict.fromkeys(
    ("spend_limits", "effective_spend_limits", "rate_limits", "workspace_rate_limits"), _LIMITS_AGE
)
_NAMES_AGE = "names and keys may be out of date; spend is not affected"


def judge(snapshot: Snapshot, stall: Stall | None, now: datetime, open_alerts: Iterable[Alert] = ()) -> list[Verdict]:
    """A verdict for every source and rule that something can be said of.

    `stall` is the silence found by `rules.stall`, None if there is none. `open_alerts` lets an alert about a source or
    model that is no longer there end; without it such an alert stays as it is.
    """
    organization = snapshot.organization
    verdicts = [verdict for state in snapshot.sources for verdict in _one_source(organization, state, now)]
    usage = usage_source(snapshot.sources)
    if usage is not None and usage.source == USAGE and usage.offered:
        verdicts = list(map(_of_requests, verdicts))
    verdicts += [_stalled(organization, state, stall if state is usage else None, now) for state in snapshot.sources]
    if usage is not None:
        verdicts.append(_stale(organization, usage, stall, now))
    verdicts.extend(_unpriced(snapshot.view))
    verdicts.extend(_vanished(snapshot, verdicts, open_alerts))
    return verdicts


def _one_source(organization: str, state: SourceState, now: datetime) -> Iterator[Verdict]:
    """Failing and gone, of one source."""
    gone = _subject(organization, GONE, state.source)
    failing = _subject(organization, FAILING, state.source)
    if state.offered is False:
        since = state.failing_since or state.last_success_at
        asked = state.last_attempt_at or now
        if state.last_success_at is not None and since is not None and asked - since >= PATIENCE:
            yield _gone(gone, state, since)
        yield NoData(failing, "not offered")
        return
    if state.offered:
        yield Clear(gone)
    if state.failing_since is not None:
        refused = _REFUSED.search(state.failure or "") is not None
        if refused or now - state.failing_since >= PATIENCE:
            yield _failing(failing, state, state.failing_since, refused=refused)
        else:
            yield NoData(failing, "failing, not for long yet")
    elif state.last_success_at is not None:
        yield Clear(failing)
    else:
        yield NoData(failing, "not asked yet")


def _of_requests(verdict: Verdict) -> Verdict:
    """The verdict, where analytics/usage is read beside the usage report and for its requests alone."""
    if not isinstance(verdict, Breach) or not isinstance(verdict.evidence, SourceEvidence):
        return verdict
    if verdict.evidence.source != ANALYTICS_USAGE:
        return verdict
    evidence = replace(verdict.evidence, consequence="budgets in requests are not judged; spend is not affected")
    return replace(verdict, severity=Severity.WARNING, evidence=evidence)


def _failing(subject: Subject, state: SourceState, since: datetime, *, refused: bool) -> Breach:
    reason = clean(_BESIDE_THE_POINT.sub("", state.failure or "") or "no reason given", _LONGEST_FAILURE)
    remedy = (
        "Put a valid Admin key in place and reload: the API refuses this one."
        if refused
        else "Every poll tries again. If it lasts, look at the API's status page and at the network from here."
    )
    return Breach(
        subject=subject,
        severity=Severity.CRITICAL if refused or state.source in _BLIND_WITHOUT else Severity.WARNING,
        starts_at=since,
        value=None,
        expected=None,
        limit=None,
        evidence=SourceEvidence(
            source=state.source,
            problem=f"{_capital(source_name(state.source))} cannot be read ({reason})",
            since=since,
            consequence=_CONSEQUENCES.get(state.source, _NAMES_AGE),
            remedy=remedy,
            data_as_of=state.watermark,
        ),
        keep_firing_for=PATIENCE,
    )


def _gone(subject: Subject, state: SourceState, since: datetime) -> Breach:
    evidence = SourceEvidence(
        source=state.source,
        problem=f"{_capital(source_name(state.source))} is no longer offered to this key",
        since=since,
        consequence=_CONSEQUENCES.get(state.source, _NAMES_AGE),
        remedy="See whether the key's permissions or the organization's plan were changed.",
        data_as_of=state.watermark,
    )
    severity = Severity.CRITICAL if state.source in _BLIND_WITHOUT else Severity.WARNING
    return Breach(subject, severity, since, None, None, None, evidence)


def _stalled(organization: str, state: SourceState, stall: Stall | None, now: datetime) -> Verdict:
    subject = _subject(organization, STALLED, state.source)
    since = stall.since if stall is not None else state.stalled_since
    why = _unreadable(state, now)
    if since is None:
        return Clear(subject) if why is None else NoData(subject, why)
    if stall is not None:
        problem = "No usage data"
        consequence = (
            f"the whole organization reads as silent for {stall.hours} h where about {display_usd(stall.expected)} "
            "was to be expected; nothing from then on is judged, and no alert resolves because of it"
        )
    else:
        problem = f"{_capital(source_name(state.source))} comes back empty where it held figures before"
        consequence = "the emptiness is not believed: what was read before stands, and no alert resolves because of it"
    evidence = SourceEvidence(
        source=state.source,
        problem=problem,
        since=since,
        consequence=consequence,
        remedy="If the organization did stop working, nothing. Else compare with the Console's own pages.",
        data_as_of=since,
    )
    severity = Severity.CRITICAL if state.source in _BLIND_WITHOUT else Severity.WARNING
    return Breach(subject, severity, since, None, stall.expected if stall else None, None, evidence)


def _stale(organization: str, usage: SourceState, stall: Stall | None, now: datetime) -> Verdict:
    subject = _subject(organization, STALE_DATA, usage.source)
    late = ANALYTICS_BEHIND if usage.source == ANALYTICS_USAGE else timedelta(0)
    why = "stalled" if stall is not None or usage.stalled_since is not None else _unreadable(usage, now)
    if why is not None or usage.watermark is None:
        return NoData(subject, why or "nothing complete yet")
    if now - usage.watermark <= FRESH_AGAIN + late:
        return Clear(subject)
    if now - usage.watermark <= STALE + late:
        return NoData(subject, "neither stale nor fresh")
    evidence = SourceEvidence(
        source=usage.source,
        problem="Usage is read, but nothing of it is complete",
        since=usage.watermark,
        consequence="anomalies are not judged past that hour, and budgets see only what has come in",
        remedy="Reports that come late mend themselves. If it lasts, look at the API's status page and at the log.",
        data_as_of=usage.watermark,
    )
    return Breach(subject, Severity.WARNING, usage.watermark, None, None, None, evidence)


def _unreadable(state: SourceState, now: datetime) -> str | None:
    """Why a source says nothing about itself at present; None if it was read."""
    if state.offered is False:
        return "not offered"
    if state.failing_since is not None:
        return "failing"
    if state.last_success_at is None or now - state.last_success_at > STALE:
        return "not read lately"
    return None


def _unpriced(view: SpendView) -> Iterator[Verdict]:
    """Every model of the view: with a stand-in price, or with one of its own."""
    for model in sorted({leaf.model for leaf in view.leaves} | view.unpriced):
        subject = Subject(UNPRICED, "source", Scope(view.organization, model=model))
        if model not in view.unpriced:
            yield Clear(subject)
            continue
        since = _first_spend(view, model)
        evidence = SourceEvidence(
            source="prices",
            problem=f"No price is known for {clean(model) if model else 'usage that names no model'}",
            since=since,
            consequence="it is counted at the dearest price of its family, which is likely too much",
            remedy="Give its price in the configuration, or update the program for newer list prices.",
            data_as_of=view.observed_until,
        )
        yield Breach(subject, Severity.INFO, since, None, None, None, evidence)


def _first_spend(view: SpendView, model: str) -> datetime:
    """The first hour of the view in which the model cost anything; the view's start if it never did."""
    rows = [index for index, leaf in enumerate(view.leaves) if leaf.model == model]
    spent = np.flatnonzero(view.cost[rows].any(axis=0)) if rows else np.empty(0, dtype=np.intp)
    return view.start + (int(spent[0]) if len(spent) else 0) * HOUR


def _vanished(snapshot: Snapshot, verdicts: Iterable[Verdict], open_alerts: Iterable[Alert]) -> Iterator[Clear]:
    """`Clear` for alerts of these rules about a source or a model that is no longer known at all."""
    spoken_of = {verdict.subject.fingerprint for verdict in verdicts}
    sources = {state.source for state in snapshot.sources}
    for alert in open_alerts:
        subject = alert.subject
        if subject.kind != "source" or subject.fingerprint in spoken_of:
            continue
        if subject.rule == UNPRICED or subject.instance not in sources:
            yield Clear(subject)


def _subject(organization: str, rule: str, source: str) -> Subject:
    return Subject(rule, "source", Scope(organization), source)


def usage_source(sources: Iterable[SourceState]) -> SourceState | None:
    """The source that usage comes from: the usage report, or, where that is not offered, analytics if they are read."""
    by_name = {state.source: state for state in sources}
    usage, analytics = by_name.get(USAGE), by_name.get(ANALYTICS_USAGE)
    instead = analytics is not None and (usage is None or usage.offered is False)
    return analytics if instead and analytics is not None and analytics.last_success_at is not None else usage


def source_name(source: str) -> str:
    """A source in words: "the cost report"."""
    return _WORDS.get(source, f"the source {clean(source)}")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
