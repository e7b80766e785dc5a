"""Small values to put into a store."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from rules.model import (
    Alert,
    AnomalyEvidence,
    BudgetEvidence,
    HourPoint,
    Notification,
    Reason,
    Scope,
    Severity,
    Share,
    State,
    Subject,
)
from watcher.admin_api.answers import (
    ApiKey,
    ClaudeCodeModel,
    ClaudeCodeRow,
    CostBucket,
    CostRow,
    UsageBucket,
    UsageRow,
)

ORG = "org_1"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
T0 = datetime(2026, 11, 2, tzinfo=UTC)
GROUPED = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo")


def row(
    key: str | None = "key_a", output: int = 10, *, model: str = "claude-m", workspace: str | None = "ws_1"
) -> UsageRow:
    return UsageRow(key, workspace, model, "standard", "0-200k", None, None, 100, 20, 3, 4, output, 1)


def bucket(hour: int, *rows: UsageRow, grouped_by: tuple[str, ...] = GROUPED) -> UsageBucket:
    start = T0 + hour * HOUR
    return UsageBucket(start, start + HOUR, grouped_by, rows)


def cost_row(amount: int, workspace: str | None = "ws_1", **other: str | None) -> CostRow:
    blank = CostRow(workspace, "Claude M usage", "tokens", "claude-m", None, "output_tokens", None, None, None, amount)
    return replace(blank, **other)  # type: ignore[arg-type]


def cost_day(day: int, *rows: CostRow) -> CostBucket:
    start = T0 + day * DAY
    return CostBucket(start, start + DAY, rows)


def api_key(
    ident: str = "key_a", name: str = "batch", status: str = "active", workspace: str | None = "ws_1"
) -> ApiKey:
    return ApiKey(ident, name, status, workspace, False, T0, "user_1", None, "sk-…abc", None)


def anomaly(
    ident: str = "a1", state: State = State.FIRING, ends_at: datetime | None = None, key: str = "key_a"
) -> Alert:
    evidence = AnomalyEvidence(
        since=T0,
        observed=9_000_000_000,
        expected=1_000_000_000,
        per_hour=5_000_000_000,
        normal_per_hour=100_000_000,
        upper_per_hour=400_000_000,
        score=float("inf"),
        history_hours=900,
        points=(HourPoint(T0, 9_000_000_000, 1_000_000_000, 2_000_000_000),),
        data_as_of=T0 + HOUR,
        top=(Share("model", "claude-m", "claude-m", 9_000_000_000),),
    )
    return Alert(
        id=ident,
        subject=Subject("key spend", "anomaly", Scope(ORG, api_key=key)),
        severity=Severity.WARNING,
        state=state,
        starts_at=T0,
        pending_since=T0,
        evidence=evidence,
        summary=f"{key} spends too much",
        value=9_000_000_000,
        ends_at=ends_at,
        keep_firing_for=timedelta(hours=2),
        names={key: "<!channel>"},
    )


def crossing(ident: str = "b1", state: State = State.FIRING, ends_at: datetime | None = None) -> Alert:
    evidence = BudgetEvidence(
        period="month",
        period_start=T0,
        period_end=T0 + 28 * DAY,
        timezone="Europe/Vienna",
        threshold_percent=80.0,
        also_crossed=(50.0,),
        spent=81,
        limit=100,
        settled=7,
        data_as_of=T0,
    )
    return replace(
        anomaly(ident, state, ends_at),
        subject=Subject("organization", "budget", Scope(ORG), "2026-11-01T00:00:00Z/80"),
        evidence=evidence,
        closes_at=T0 + 28 * DAY,
    )


def message(ident: str, *alerts: Alert, receiver: str = "ops", at: datetime = T0) -> Notification:
    return Notification(ident, receiver, Reason.FIRST, alerts, at, "Acme")


def claude_code_row(day: date, actor: str = "ann@example.com", **other: object) -> ClaudeCodeRow:
    """A day of one person's, billed by the API: $2 of one model."""
    model = ClaudeCodeModel("claude-m", 100, 20, 3000, 400, 2_000_000_000)
    row = ClaudeCodeRow(day, actor, "user", "api", None, "vscode", False, 1, 10, 2, 1, 0, (model,))
    return replace(row, **other)  # type: ignore[arg-type]
