"""The endpoints of spend limits and rate limits, to be read only."""

from __future__ import annotations

from typing import Any

from watcher.simulator.answering import Asked, Json
from watcher.simulator.errors import invalid, not_found
from watcher.simulator.moments import fine_stamp
from watcher.simulator.paging import cursor_page
from watcher.simulator.rate_limits import GROUP_TYPES, RateLimit, overrides, rate_limits
from watcher.simulator.spend_limits import PERIODS, SCOPE_TYPES, SpendLimit, Standing, spend_limits, standings
from watcher.simulator.tariff import FEMTO_PER_CENT, cents

BETA = "spend-limit-reads-2026-09-26"

_PAGED = frozenset({"limit", "page"})
# Spend is told to the thousandth of a cent.
_FINEST = FEMTO_PER_CENT // 1000


async def list_spend_limits(asked: Asked) -> Json:
    """GET spend_limits, by scope type or workspace."""
    if BETA not in asked.caller.betas:
        raise invalid(f"this endpoint requires the anthropic-beta header {BETA}")
    parameters = asked.parameters(_PAGED | {"scope_type", "workspace_id"})
    types, workspace_id = parameters.texts("scope_type", SCOPE_TYPES), parameters.text("workspace_id")
    found = [
        limit
        for limit in spend_limits(asked.world)
        if (not types or limit.scope["type"] in types)
        and (workspace_id is None or limit.scope.get("workspace_id") == workspace_id)
    ]
    page, cursor = cursor_page(found, parameters, default=20, faults=asked.strike.data)
    return {"data": [_spend_limit(limit) for limit in page], "next_page": cursor}


async def list_effective_spend_limits(asked: Asked) -> Json:
    """GET spend_limits/effective, by period or members; pages are of members, whose rows stay together."""
    parameters = asked.parameters(_PAGED | {"period", "user_ids"})
    periods, users = parameters.texts("period", PERIODS), parameters.texts("user_ids")
    members = [
        [standing for standing in member if not periods or standing.limit.period in periods]
        for member in standings(asked.world, asked.now)
        if not users or member[0].user.id in users
    ]
    page, cursor = cursor_page([each for each in members if each], parameters, default=20, faults=asked.strike.data)
    return {"data": [_standing(standing) for member in page for standing in member], "next_page": cursor}


async def list_rate_limits(asked: Asked) -> Json:
    """GET rate_limits, by group type or model."""
    parameters = asked.parameters(_PAGED | {"group_type", "model"})
    group_type, model = parameters.choice("group_type", GROUP_TYPES), parameters.text("model")
    found = [
        entry
        for entry in rate_limits(asked.world)
        if group_type in {None, entry.group_type} and (model is None or model in entry.models)
    ]
    if model is not None and not found:
        raise not_found("Model not found")
    page, cursor = cursor_page(found, parameters, default=None, faults=asked.strike.data)
    data = [
        {
            "id": entry.id,
            "type": "rate_limit",
            **_group(entry),
            "limits": [{"type": kind, "value": value} for kind, value in entry.limits.items()],
        }
        for entry in page
    ]
    return {"data": data, "next_page": cursor}


async def list_workspace_rate_limits(asked: Asked) -> Json:
    """GET workspaces/{id}/rate_limits: what the workspace overrides, and on request what it inherits."""
    parameters = asked.parameters(_PAGED | {"group_type", "include_inherited"})
    group_type, inherited = parameters.choice("group_type", GROUP_TYPES), parameters.flag("include_inherited")
    workspace_id = asked.path["workspace_id"]
    if asked.world.organization.workspace(workspace_id) is None:
        raise not_found("Workspace not found")
    own = overrides(asked.world, workspace_id)
    found = [
        entry
        for entry in rate_limits(asked.world)
        if group_type in {None, entry.group_type} and (inherited or entry.id in own)
    ]
    page, cursor = cursor_page(found, parameters, default=None, faults=asked.strike.data)
    data = [
        {
            "rate_limit_id": entry.id,
            "type": "workspace_rate_limit",
            "workspace_id": workspace_id,
            **_group(entry),
            "limits": _workspace_values(entry, own.get(entry.id, {}), inherited=inherited),
        }
        for entry in page
    ]
    return {"data": data, "next_page": cursor}


def _spend_limit(limit: SpendLimit) -> dict[str, Any]:
    return {
        "id": limit.id,
        "type": "spend_limit",
        "scope": limit.scope,
        "amount": None if limit.cents is None else str(limit.cents),
        "currency": "USD",
        "period": limit.period,
        "is_enabled": True,
        "created_at": fine_stamp(limit.made_at),
        "updated_at": fine_stamp(limit.made_at),
    }


def _standing(standing: Standing) -> dict[str, Any]:
    user, limit = standing.user, standing.limit
    return {
        "actor": {
            "type": "user_actor",
            "user_id": user.id,
            "name": user.name,
            "email_address": user.email,
            "deleted": False,
        },
        "scope": {"type": "user", "user_id": user.id},
        "source": limit.scope,
        "spend_limit_id": limit.id,
        "amount": None if limit.cents is None else str(limit.cents),
        "currency": "USD",
        "period": limit.period,
        "period_to_date_spend": cents(standing.femto // _FINEST * _FINEST),
    }


def _group(entry: RateLimit) -> dict[str, Any]:
    group = {"type": entry.group_type, "id": entry.group_id}
    if entry.title is None:
        return {"group": group, "models": None}
    return {"group": {**group, "display_name": entry.title}, "models": list(entry.models)}


def _workspace_values(entry: RateLimit, own: dict[str, int], *, inherited: bool) -> list[dict[str, Any]]:
    return [
        {
            "type": kind,
            "value": own.get(kind, value),
            "org_limit": value,
            "source": {"type": "workspace" if kind in own else "organization"},
        }
        for kind, value in entry.limits.items()
        if inherited or kind in own
    ]
