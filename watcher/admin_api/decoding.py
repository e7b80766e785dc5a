"""From the bytes of an answer to the typed answers; raises WireError, naming the place, and nothing else."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Generic, Literal, TypeVar

from pydantic import TypeAdapter

from watcher.admin_api import wire
from watcher.admin_api.answers import (
    ApiKey,
    ClaudeCodeModel,
    ClaudeCodeRow,
    CostBucket,
    CostRow,
    Invite,
    Organization,
    UsageBucket,
    UsageRow,
    User,
    Workspace,
)

T = TypeVar("T")
W = TypeVar("W")

_usage_page = TypeAdapter(wire.ReportPage[wire.UsageSlice])
_cost_page = TypeAdapter(wire.ReportPage[wire.CostSlice])
_claude_code_page = TypeAdapter(wire.ReportPage[wire.WireClaudeCode])
_organization = TypeAdapter(wire.WireOrganization)
_api_key = TypeAdapter(wire.WireApiKey)
_workspaces = TypeAdapter(wire.ListPage[wire.WireWorkspace])
_api_keys = TypeAdapter(wire.ListPage[wire.WireApiKey])
_users = TypeAdapter(wire.ListPage[wire.WireUser])
_invites = TypeAdapter(wire.ListPage[wire.WireInvite])

_LARGEST_DAY = 10**17
"""Nano-dollars (a hundred million dollars) that a day of cost stays below, so that years of them add up in 64 bits."""

_MOST_TOKENS, _MOST_SEARCHES = 10**12, 10**9
"""Of an hour, all rows and kinds of tokens together."""

_NO_CACHE: wire.CacheCreation = {}
_NO_TOOLS: wire.ServerToolUse = {}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page: what it holds, whether the API says that there is more, and the cursor it gave."""

    items: tuple[T, ...]
    has_more: bool
    cursor: str | None


def usage_page(grouped_by: tuple[str, ...]) -> Callable[[bytes], Page[UsageBucket]]:
    """A reader of usage pages that notes in each bucket how it was asked for."""

    def decode(body: bytes) -> Page[UsageBucket]:
        page = wire.read_fast(_usage_page, body)
        buckets = tuple(
            UsageBucket(slice_["starting_at"], slice_["ending_at"], grouped_by, _usage_rows(slice_["results"]))
            for slice_ in page["data"]
        )
        for index, bucket in enumerate(buckets):
            tokens = sum(sum(row[7:12]) for row in bucket.rows)
            require_possible(f"data[{index}].results", tokens, sum(row.web_searches for row in bucket.rows))
        return Page(buckets, page["has_more"], page.get("next_page"))

    return decode


def _usage_rows(results: list[wire.UsageResult]) -> tuple[UsageRow, ...]:
    """The rows of one bucket; those that share all dimensions are added."""
    rows: dict[tuple[str | None, ...], UsageRow] = {}
    for result in results:
        cache = result.get("cache_creation") or _NO_CACHE
        tools = result.get("server_tool_use") or _NO_TOOLS
        row = UsageRow(
            result.get("api_key_id"),
            result.get("workspace_id"),
            result.get("model"),
            result.get("service_tier"),
            result.get("context_window"),
            result.get("inference_geo"),
            result.get("speed"),
            result.get("uncached_input_tokens") or 0,
            result.get("cache_read_input_tokens") or 0,
            cache.get("ephemeral_5m_input_tokens") or 0,
            cache.get("ephemeral_1h_input_tokens") or 0,
            result.get("output_tokens") or 0,
            tools.get("web_search_requests") or 0,
        )
        dimensions = row[:7]
        known = rows.get(dimensions)
        rows[dimensions] = row if known is None else add_usage(known, row)
    return tuple(rows.values())


def require_possible(place: str, tokens: int, searches: int) -> None:
    """WireError for more than any organization uses in an hour: priced and added up it would leave 64 bits."""
    if tokens > _MOST_TOKENS:
        raise wire.WireError(f"{place}: more than 10**12 tokens in one hour")
    if searches > _MOST_SEARCHES:
        raise wire.WireError(f"{place}: more than 10**9 web searches in one hour")


def add_usage(one: UsageRow, other: UsageRow) -> UsageRow:
    """The sum of two rows of the same dimensions."""
    return UsageRow(*one[:7], *(mine + theirs for mine, theirs in zip(one[7:], other[7:], strict=True)))


def cost_page(body: bytes) -> Page[CostBucket]:
    """A page of the cost report."""
    page = wire.read_exactly(_cost_page, body)
    for index, slice_ in enumerate(page["data"]):
        if sum(abs(result["amount"]) for result in slice_["results"]) > _LARGEST_DAY:
            raise wire.WireError(f"data[{index}].results: the amounts of one day come to more than $100,000,000")
    buckets = tuple(
        CostBucket(slice_["starting_at"], slice_["ending_at"], _cost_rows(slice_["results"])) for slice_ in page["data"]
    )
    return Page(buckets, page["has_more"], page.get("next_page"))


def _cost_rows(results: list[wire.CostResult]) -> tuple[CostRow, ...]:
    """The rows of one day; those that share all dimensions are added."""
    amounts: defaultdict[CostRow, int] = defaultdict(int)
    for result in results:
        dimensions = CostRow(
            workspace_id=result.get("workspace_id"),
            description=result.get("description"),
            cost_type=result.get("cost_type"),
            model=result.get("model"),
            service_tier=result.get("service_tier"),
            token_type=result.get("token_type"),
            context_window=result.get("context_window"),
            inference_geo=result.get("inference_geo"),
            speed=result.get("speed"),
            amount=0,
        )
        amounts[dimensions] += result["amount"]
    return tuple(replace(dimensions, amount=amount) for dimensions, amount in amounts.items())


def claude_code_page(day: date) -> Callable[[bytes], Page[ClaudeCodeRow]]:
    """A reader of Claude Code pages that refuses rows of another day than the one asked for."""

    def decode(body: bytes) -> Page[ClaudeCodeRow]:
        page, total = wire.read_exactly(_claude_code_page, body), 0
        for index, row in enumerate(page["data"]):
            if row.date.date() != day:
                raise wire.WireError(f"data[{index}].date: {row.date.date()} came where {day} was asked for")
            total += sum(abs(use.estimated_cost.amount) for use in row.model_breakdown or ())
            if total > _LARGEST_DAY:
                raise wire.WireError(
                    f"data[{index}].model_breakdown: the estimates of one page come to more than $100,000,000"
                )
        rows = tuple(_claude_code_row(day, row) for row in page["data"])
        return Page(rows, page["has_more"], page.get("next_page"))

    return decode


def _claude_code_row(day: date, row: wire.WireClaudeCode) -> ClaudeCodeRow:
    metrics = row.core_metrics
    lines = metrics.lines_of_code or wire.LinesOfCode()
    actor, kind = _actor(row.actor)
    return ClaudeCodeRow(
        day=day,
        actor=actor,
        actor_kind=kind,
        customer_type=row.customer_type,
        subscription_type=row.subscription_type,
        terminal_type=row.terminal_type,
        is_remote=bool(row.is_remote),
        sessions=metrics.num_sessions,
        lines_added=lines.added,
        lines_removed=lines.removed,
        commits=metrics.commits_by_claude_code,
        pull_requests=metrics.pull_requests_by_claude_code,
        model_breakdown=tuple(map(_claude_code_model, row.model_breakdown or ())),
    )


def _claude_code_model(use: wire.ClaudeCodeModelUse) -> ClaudeCodeModel:
    tokens = use.tokens or wire.ClaudeCodeTokens()
    return ClaudeCodeModel(
        use.model or "",
        tokens.input,
        tokens.output,
        tokens.cache_read,
        tokens.cache_creation,
        use.estimated_cost.amount,
    )


def _actor(actor: wire.ClaudeCodeActor) -> tuple[str, Literal["user", "api_key"]]:
    """Who it was; an actor of a kind not known yet goes by the name of its kind, as a machine."""
    if actor.email_address is not None:
        return actor.email_address, "user"
    return actor.api_key_name or actor.type or "", "api_key"


def organization(body: bytes) -> Organization:
    """The answer of organizations/me."""
    entry = wire.read_fast(_organization, body)
    return Organization(entry.id, entry.name or entry.id)


def workspaces_page(body: bytes) -> Page[Workspace]:
    """A page of workspaces."""
    return _list_page(_workspaces, body, _to_workspace)


def api_keys_page(body: bytes) -> Page[ApiKey]:
    """A page of API keys."""
    return _list_page(_api_keys, body, _to_api_key)


def api_key(body: bytes) -> ApiKey:
    """One API key."""
    return _to_api_key(wire.read_fast(_api_key, body))


def users_page(body: bytes) -> Page[User]:
    """A page of users."""
    return _list_page(
        _users,
        body,
        lambda entry: User(
            entry.id, entry.name or entry.email or entry.id, entry.email or "", entry.role or "", entry.added_at
        ),
    )


def invites_page(body: bytes) -> Page[Invite]:
    """A page of invites."""
    return _list_page(
        _invites,
        body,
        lambda entry: Invite(
            entry.id, entry.email or "", entry.role or "", entry.status, entry.invited_at, entry.expires_at
        ),
    )


def _list_page(adapter: TypeAdapter[wire.ListPage[W]], body: bytes, convert: Callable[[W], T]) -> Page[T]:
    page = wire.read_fast(adapter, body)
    return Page(tuple(map(convert, page["data"])), page["has_more"], page.get("last_id"))


def _to_workspace(entry: wire.WireWorkspace) -> Workspace:
    tags = {name: value or "" for name, value in (entry.tags or {}).items()}
    return Workspace(entry.id, entry.name or entry.id, entry.created_at, entry.archived_at, tags)


def _to_api_key(entry: wire.WireApiKey) -> ApiKey:
    """Where both shapes are given, `workspace_id` counts: its null is the usage report's default workspace."""
    scope = entry.scope
    organization_scoped = scope is not None and scope.type == "organization"
    workspace_id = entry.workspace_id
    if "workspace_id" not in entry.model_fields_set and scope is not None and not organization_scoped:
        workspace_id = scope.workspace_id
    return ApiKey(
        id=entry.id,
        name=entry.name or entry.id,
        status=entry.status,
        workspace_id=workspace_id,
        organization_scoped=organization_scoped,
        created_at=entry.created_at,
        created_by=entry.created_by.named if entry.created_by else None,
        expires_at=entry.expires_at,
        partial_key_hint=entry.partial_key_hint,
        principal=entry.principal.named if entry.principal else None,
    )
