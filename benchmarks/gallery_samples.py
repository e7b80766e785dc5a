"""Typical alerts of an invented organization, as the rules would freeze them: what the gallery shows and tests send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

from benchmarks import gallery_causes as causes
from benchmarks import gallery_leaks as leaks
from benchmarks import gallery_shifts as shifts
from benchmarks import gallery_triggers as triggers
from rules.causes import Cause
from rules.evidence import DriftPart, NewModel, PriceMove
from rules.model import (
    DEFAULT_WORKSPACE,
    HOUR,
    Alert,
    AnomalyEvidence,
    BudgetEvidence,
    BurnEvidence,
    DriftEvidence,
    Evidence,
    ForecastEvidence,
    HourPoint,
    Kind,
    Notification,
    PaceEvidence,
    PriceEvidence,
    Reason,
    Scope,
    Severity,
    Share,
    SilenceEvidence,
    SourceEvidence,
    State,
    Subject,
    UnitPriceEvidence,
)
from rules.summary import summarize
from watcher.rehearsal import rehearsal

NOW = datetime(2026, 11, 20, 14, 8, tzinfo=UTC)
ORGANIZATION = "Tidewater Analytics"
_ORG_ID = "3f1c2f0e-7f0b-4a57-9a51-0b8a6f2f9c11"
_KEY, _WORKSPACE = "apikey_01Rj2N8SVvo6BePZj99NhmiT", "wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ"
_NAMES = {_KEY: "batch-summariser", _WORKSPACE: "Production"}

HOSTILE_NAMES: tuple[str, ...] = (
    "<!channel>",
    "<@U0123456789>",
    "<https://evil.example|click>",
    "*bold* _it_ ~s~ `c`",
    "[red]bold[/red] [link=https://evil.example]x[/link]",
    '=HYPERLINK("http://evil.example")',
    "</script><script>alert(1)</script>",
    "pay\u202eroll\u2066 key",
    "zero\u200bwidth\ufeff",
    "two\nlines\rand\ttab",
    "\x1b[31mred\x1b[0m \x1b]8;;http://evil.example\x07link",
    "lone \ud83d surrogate",
    "z" + "\u0301" * 40 + "algo",
    "ключ-ß-鍵-🔑",
    ":fire: @here @channel #general",
    "n" * 300,
)


def usd(dollars: float) -> int:
    """Nano-dollars of a round sum."""
    return round(dollars * 1_000_000) * 1_000


def alert(
    kind: Kind,
    rule: str,
    evidence: Evidence,
    *,
    scope: Mapping[str, str] | None = None,
    severity: Severity = Severity.WARNING,
    names: Mapping[str, str] | None = None,
    state: State = State.FIRING,
    instance: str = "",
) -> Alert:
    """A firing alert (or, by `state`, a resolved one) with the summary that the rules give it."""
    subject = Subject(rule, kind, Scope.of(_ORG_ID, scope or {}), instance)
    value = expected = limit = None
    match evidence:
        case AnomalyEvidence():
            value, expected, starts_at = evidence.observed, evidence.expected, evidence.since
        case BudgetEvidence():
            value, limit, starts_at = evidence.spent, evidence.limit, NOW - timedelta(minutes=70)
        case SourceEvidence() | UnitPriceEvidence() | SilenceEvidence():
            starts_at = evidence.since
        case DriftEvidence():
            value, expected, starts_at = evidence.billed, evidence.estimated, evidence.data_as_of - 48 * HOUR
        case PriceEvidence():
            starts_at = evidence.data_as_of
        case BurnEvidence():
            value, expected, limit, starts_at = evidence.per_hour, evidence.sustainable, evidence.limit, evidence.since
        case ForecastEvidence():
            value, limit, starts_at = evidence.total, evidence.limit, evidence.data_as_of
        case PaceEvidence():
            value, expected, limit, starts_at = evidence.spent, evidence.expected, evidence.limit, evidence.data_as_of
    made = Alert(
        id=f"{subject.fingerprint}-1",
        subject=subject,
        severity=severity,
        state=state,
        starts_at=starts_at,
        pending_since=starts_at,
        evidence=evidence,
        summary="",
        value=value,
        expected=expected,
        limit=limit,
        fired_at=starts_at + HOUR,
        ends_at=NOW - timedelta(minutes=20) if state is State.RESOLVED else None,
        closes_at=evidence.period_end if isinstance(evidence, BudgetEvidence) else None,
        names=names or {},
    )
    return replace(made, summary=summarize(made))


def anomaly_evidence(
    seen: Sequence[float],
    normal: float,
    top: tuple[Share, ...] = (),
    *,
    hours: int = 5,
    cause: Cause | None = None,
) -> AnomalyEvidence:
    """Dollars seen in each hour until now, of which the last `hours` are the anomaly, beside a level baseline."""
    last = NOW.replace(minute=0)
    points = tuple(
        HourPoint(last - (len(seen) - 1 - index) * HOUR, usd(dollars), usd(normal), usd(3 * normal))
        for index, dollars in enumerate(seen)
    )
    return AnomalyEvidence(
        since=last - (hours - 1) * HOUR,
        observed=usd(sum(seen[-hours:])),
        expected=usd(normal * hours),
        per_hour=usd(seen[-1]),
        normal_per_hour=usd(normal),
        upper_per_hour=usd(3 * normal),
        score=41.0,
        history_hours=1344,
        points=points,
        data_as_of=NOW - timedelta(minutes=8),
        top=top,
        cause=cause,
    )


def budget_evidence(
    spent: float, limit: float, threshold: float, top: tuple[Share, ...] = (), also: tuple[float, ...] = ()
) -> BudgetEvidence:
    """A month's budget at the mark, most of it settled."""
    return BudgetEvidence(
        period="November 2026",
        period_start=datetime(2026, 11, 1, tzinfo=UTC),
        period_end=datetime(2026, 12, 1, tzinfo=UTC),
        timezone="UTC",
        threshold_percent=threshold,
        also_crossed=also,
        spent=usd(spent),
        limit=usd(limit),
        settled=usd(spent * 0.88),
        data_as_of=NOW - timedelta(minutes=8),
        top=top,
        course=triggers.course(NOW, str(spent)),
    )


def runaway_key(*, names: Mapping[str, str] = _NAMES, state: State = State.FIRING) -> Alert:
    """One key, forty times as dear as usual since five hours."""
    seen = [2.1, 1.9, 2.2, 2.4, 2.0, 1.8, 1.7, 1.9, 2.0, 2.2, 2.5, 2.1, 2.3, 2.0, 1.9, 2.2, 2.1, 2.0, 1.9]
    top = (
        Share("workspace", _WORKSPACE, "Production", usd(370.0)),
        Share("model", "claude-opus-5-5", "claude-opus-5-5", usd(361.4)),
        Share("model", "claude-haiku-5-5", "claude-haiku-5-5", usd(8.6)),
    )
    evidence = anomaly_evidence([*seen, 34.4, 81.2, 90.7, 89.9, 84.3], 2.1, top, cause=causes.taken_over())
    scope = {"api_key": _KEY}
    return alert("anomaly", "key spend", evidence, scope=scope, severity=Severity.CRITICAL, names=names, state=state)


def leaking_key() -> Alert:
    """A key that spends a little more every day, and none of its hours is much."""
    made = alert("anomaly", "key spend", leaks.leak(NOW), scope={"api_key": _KEY}, names=_NAMES)
    return replace(made, fired_at=NOW - timedelta(minutes=6))


def dearer_key(*, names: Mapping[str, str] = _NAMES, state: State = State.FIRING, after: int | None = None) -> Alert:
    """A key whose tokens cost three times as much since six hours."""
    evidence, scope = shifts.dearer_tokens(after), {"api_key": _KEY}
    return alert("anomaly", "key spend", evidence, scope=scope, names=names, state=state, instance="unit price")


def silent_key(*, names: Mapping[str, str] = _NAMES, state: State = State.FIRING, after: int | None = None) -> Alert:
    """A key that never sleeps, and has sent nothing for five hours."""
    evidence, scope = shifts.silent_scope(after), {"api_key": _KEY}
    return alert("anomaly", "key spend", evidence, scope=scope, names=names, state=state, instance="silence")


def dearer_runaway() -> Alert:
    """The runaway key, whose tokens have become dearer, too."""
    told = runaway_key()
    if not isinstance(told.evidence, AnomalyEvidence):
        raise TypeError
    evidence = replace(told.evidence, price=shifts.price_shift(), odds=shifts.ODDS)
    told = replace(told, evidence=evidence)
    return replace(told, summary=summarize(told))


def workspace_parent() -> Alert:
    """The workspace of the runaway key, told inside its message."""
    top = (
        Share("api_key", _KEY, "batch-summariser", usd(370.0)),
        Share("api_key", "apikey_01UfbGNm8Y6t4RYtQYwGyV1B", "search-rerank", usd(4.0)),
        Share("model", "claude-opus-5-5", "claude-opus-5-5", usd(361.4)),
        Share("model", "claude-sonnet-5-5", "claude-sonnet-5-5", usd(4.0)),
        Share("model", "claude-haiku-5-5", "claude-haiku-5-5", usd(8.6)),
    )
    seen = [30.0] * 19 + [62.0, 110.0, 121.0, 118.0, 113.0]
    cause = causes.of_one_key(_KEY, "batch-summariser")
    evidence = anomaly_evidence(seen, 30.0, top, cause=cause)
    return alert("anomaly", "workspace spend", evidence, scope={"workspace": _WORKSPACE}, names=_NAMES)


def cold_cache() -> Alert:
    """A key whose prompt cache stopped hitting."""
    evidence = anomaly_evidence([4.0] * 19 + [22.0, 24.0, 23.0, 24.0, 23.0], 4.0, cause=causes.without_cache())
    return alert("anomaly", "key spend", evidence, scope={"api_key": _KEY}, names=_NAMES)


def spread_workspace() -> Alert:
    """A workspace in which every key spends a little more."""
    top = tuple(
        Share("api_key", f"apikey_01{index:022d}", f"worker-{index:02d}", usd(dollars))
        for index, dollars in enumerate((8.1, 7.7, 7.2, 6.9, 6.9))
    )
    evidence = anomaly_evidence([22.0] * 19 + [60.0, 64.0, 66.0, 67.0, 67.0], 22.0, top, cause=causes.spread())
    return alert("anomaly", "workspace spend", evidence, scope={"workspace": _WORKSPACE}, names=_NAMES)


def organization_budget() -> Alert:
    """The organization's month at 80 %."""
    keys = ("batch-summariser", "search-rerank", "support-bot", "ci-review", "nightly-eval")
    dollars = (2210.4, 1804.1, 930.0, 611.7, 402.25)
    top = tuple(
        Share("api_key", f"apikey_01{name.replace('-', 'X')}9NhmiT", name, usd(cost))
        for name, cost in zip(keys, dollars, strict=True)
    )
    evidence = budget_evidence(8050.12, 10_000, 80, top, also=(50,))
    return alert("budget", "organization", evidence, instance="2026-11-01T00:00:00Z/80")


def key_budget_exceeded() -> Alert:
    """A key beyond its month's limit."""
    top = (
        Share("model", "claude-sonnet-5-5", "claude-sonnet-5-5", usd(500.2)),
        Share("model", "claude-haiku-5-5", "claude-haiku-5-5", usd(29.11)),
    )
    return alert(
        "budget",
        "per key",
        budget_evidence(529.31, 500, 100, top),
        scope={"api_key": _KEY},
        severity=Severity.CRITICAL,
        names=_NAMES,
        instance="2026-11-01T00:00:00Z/100",
    )


def burning_key(*, state: State = State.FIRING) -> Alert:
    """A key that spends its month's limit in a night."""
    evidence = triggers.burn(NOW, over=state is State.RESOLVED)
    scope, grave = {"api_key": _KEY}, Severity.CRITICAL
    return alert("burn", "per key", evidence, scope=scope, severity=grave, names=_NAMES, state=state, instance="1h/1h")


def foreseen_month() -> Alert:
    """A month that will end beyond its limit."""
    return alert("forecast", "organization", triggers.forecast(NOW), instance="2026-11-01T00:00:00Z/100")


def fast_month() -> Alert:
    """A workspace that is ahead of its pace."""
    scope, instance = {"workspace": _WORKSPACE}, "2026-11-01T00:00:00Z/120"
    return alert("pace", "workspaces", triggers.pace(NOW), scope=scope, names=_NAMES, instance=instance)


def stalled_source() -> Alert:
    """Usage that stopped coming."""
    evidence = SourceEvidence(
        source="usage_report",
        problem="No usage data",
        since=NOW - timedelta(hours=2),
        consequence="the whole organization reads as silent for 2 h where about $62.00 was to be expected; nothing "
        "from then on is judged, and no alert resolves because of it",
        remedy="If the organization did stop working, nothing. Else compare with the Console's usage page.",
        data_as_of=NOW - timedelta(hours=2),
    )
    return alert("source", "usage stalled", evidence, severity=Severity.WARNING)


def drifted_model() -> Alert:
    """A model whose price was raised by a tenth."""
    model = "claude-opus-5"
    parts = (
        DriftPart(_WORKSPACE, "Production", model, usd(1000), usd(1100)),
        DriftPart(DEFAULT_WORKSPACE, "default workspace", model, usd(200), usd(220)),
    )
    evidence = DriftEvidence(
        first_day=date(2026, 11, 16),
        last_day=date(2026, 11, 17),
        days=2,
        estimated=usd(1200),
        billed=usd(1320),
        percent=5.0,
        amount=usd(20),
        least_days=2,
        organization_off=True,
        models=(DriftPart(None, "", model, usd(1200), usd(1320)),),
        parts=parts,
        data_as_of=datetime(2026, 11, 18, tzinfo=UTC),
    )
    return alert("drift", "estimate drift", evidence)


def moved_prices() -> Alert:
    """A model that is new, and a discount that got smaller."""
    since = NOW.replace(hour=11, minute=0)
    new = NewModel("claude-fable-5-2", since, usd(12.4), _KEY, _NAMES[_KEY], _WORKSPACE, _NAMES[_WORKSPACE], 3)
    moves = (
        PriceMove("claude-opus-5", ("output", "uncached_input"), 800_000, 900_000),
        PriceMove("claude-opus-9", ("output",), 400_000, 450_000, listed=False),
    )
    return alert("price", "price changes", PriceEvidence((new,), moves, NOW - timedelta(minutes=8)))


def hostile_key(name: str, *, children: int = 3) -> Alert:
    """An anomaly of a key in a workspace and with children that all bear the name."""
    names = {_KEY: name, _WORKSPACE: name}
    top = tuple(Share("model", f"{name} {index}", name, usd(300 / children)) for index in range(children))
    evidence = anomaly_evidence([1.0] * 9 + [80.0] * 5, 1.0, top, cause=causes.hostile(name))
    return alert("anomaly", "key spend", evidence, scope={"api_key": _KEY}, names=names)


def hostile_scope(name: str) -> Alert:
    """An anomaly of a user of that name in a family, a tier and a tag that all bear it."""
    made = hostile_key(name)
    parts = {"user": _KEY, "model_family": name, "service_tier": name, f"tag:{name}": name}
    made = replace(made, subject=replace(made.subject, scope=Scope.of(_ORG_ID, parts)))
    return replace(made, summary=summarize(made), owner=f"{name} ({name})")


def many(count: int) -> tuple[Alert, ...]:
    """That many different anomalies and, one in five, budget crossings."""
    return tuple(map(_one_of_many, range(count)))


@cache
def _one_of_many(index: int) -> Alert:
    key = f"apikey_01{index:022d}"
    names = {key: f"service-{index:03d}-worker"}
    scope = {"api_key": key}
    if index % 5 == 4:
        evidence = budget_evidence(500 + index, 500, 100)
        return alert("budget", "per key", evidence, scope=scope, names=names, instance=str(index))
    severity = Severity.CRITICAL if index % 17 == 0 else Severity.WARNING
    grown = anomaly_evidence([1.0] * 9 + [20.0 + index] * 5, 1.0)
    return alert("anomaly", "key spend", grown, scope=scope, names=names, severity=severity)


def notification(
    *alerts: Alert, reason: Reason = Reason.FIRST, inhibited: tuple[Alert, ...] = (), organization: str = ORGANIZATION
) -> Notification:
    """One message to the receiver "ops" about these alerts."""
    return Notification("ntf_7d1f6c02a9", "ops", reason, alerts, NOW, organization, inhibited)


@cache
def typical() -> dict[str, Notification]:
    """The messages a reader meets, by what they are about."""
    return {
        "A runaway key, with the parents inside": notification(runaway_key(), inhibited=(workspace_parent(),)),
        "A key that leaks slowly": notification(leaking_key()),
        "A prompt cache that no longer hits": notification(cold_cache()),
        "A workspace whose excess is spread over its keys": notification(spread_workspace()),
        "A key whose tokens have become dearer": notification(dearer_key()),
        "A key whose price is the usual one again": notification(
            dearer_key(state=State.RESOLVED, after=21_600_000_000), reason=Reason.RESOLVED
        ),
        "A runaway key whose tokens have become dearer": notification(dearer_runaway(), inhibited=(dearer_key(),)),
        "A key that has fallen silent": notification(silent_key()),
        "A key that is back": notification(silent_key(state=State.RESOLVED, after=13 * 10**9), reason=Reason.RESOLVED),
        "A budget passes a threshold": notification(organization_budget()),
        "A key beyond its budget": notification(key_budget_exceeded()),
        "A budget that burns": notification(burning_key()),
        "A budget that burns no more": notification(burning_key(state=State.RESOLVED), reason=Reason.RESOLVED),
        "A month that will end beyond its limit": notification(foreseen_month()),
        "A workspace ahead of its pace": notification(fast_month()),
        "A workspace that is not normal": notification(workspace_parent()),
        "A source that cannot be relied on": notification(stalled_source()),
        "A new model, and prices that moved": notification(moved_prices()),
        "Bills that are not what was estimated": notification(drifted_model()),
        "First judgement of a new database": notification(
            runaway_key(), organization_budget(), key_budget_exceeded(), stalled_source(), reason=Reason.INITIAL
        ),
        "Back to normal": notification(runaway_key(state=State.RESOLVED), reason=Reason.RESOLVED),
        "Twelve at once": notification(*many(12)),
        "A hostile name": notification(hostile_key("<!channel> *pay*\u202eroll")),
        "Five hundred at once": notification(*many(500)),
        "A digest": replace(rehearsal("ops", NOW, "digest"), reason=Reason.DIGEST, organization=ORGANIZATION),
        "A test": notification(reason=Reason.TEST),
    }
