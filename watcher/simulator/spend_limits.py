"""The organization's spend limits, and what each member has spent against theirs.

The same endpoints serve Console and Enterprise organizations in different ways; this organization has both: the
tier's cap and limits of workspaces, and limits of members.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from watcher.simulator.moments import seconds
from watcher.simulator.organization import User
from watcher.simulator.series import USD_PER_KEY_AND_MONTH
from watcher.simulator.world import World

PERIODS = ("daily", "weekly", "monthly")
SCOPE_TYPES = ("organization", "organization_service", "rbac_group", "seat_tier", "usage_tier", "user", "workspace")


@dataclass(frozen=True, slots=True)
class SpendLimit:
    """A limit of so many whole cents a period, None for no cap. `scope` is as the API spells it."""

    id: str
    scope: dict[str, str]
    cents: int | None
    period: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """One member's limit for one period and the femto-dollars that their keys have spent in it so far."""

    user: User
    limit: SpendLimit
    femto: int


def spend_limits(world: World) -> list[SpendLimit]:
    """The limits, newest first: the tier's, the organization's, one of every other workspace, and two of members."""
    monthly = round(world.keys * USD_PER_KEY_AND_MONTH * 100)
    organization = world.organization
    made = world.history_from
    limits = [
        _limit(world, {"type": "usage_tier"}, monthly * 5, "monthly", made),
        _limit(world, {"type": "organization"}, monthly * 2, "monthly", made + timedelta(hours=1)),
    ]
    homes = [each for each in organization.workspaces.values() if each.archived_at is None]
    for index, workspace in enumerate(homes[::2]):
        scope = {"type": "workspace", "workspace_id": workspace.id}
        cents = None if index == 1 else monthly * 2 // len(homes)
        limits.append(_limit(world, scope, cents, "monthly", made + timedelta(hours=2 + index)))
    members = list(organization.users.values())[1:3]
    for index, (user, period, cents) in enumerate(zip(members, ("daily", "weekly"), (20_000, None), strict=False)):
        scope = {"type": "user", "user_id": user.id}
        limits.append(_limit(world, scope, cents, period, made + timedelta(hours=200 + index)))
    limits = [_as_set(limit, world.caps) for limit in limits]
    return sorted(limits, key=lambda limit: limit.made_at, reverse=True)


def _as_set(limit: SpendLimit, caps: dict[str, int | None]) -> SpendLimit:
    """The limit as it was last set, if it is of the organization or of a workspace."""
    kind = limit.scope["type"]
    place = "" if kind == "organization" else limit.scope.get("workspace_id") if kind == "workspace" else None
    return replace(limit, cents=caps[place]) if place in caps else limit


def standings(world: World, now: datetime) -> list[list[Standing]]:
    """For each member the limits that apply to them, by period: their own, and the organization's for a month."""
    limits = spend_limits(world)
    shared = next(limit for limit in limits if limit.scope["type"] == "organization")
    spent = {period: _spent(world, period, now) for period in PERIODS}
    return [
        [
            Standing(user, limit, spent[limit.period].get(user.id, 0))
            for limit in (*(each for each in limits if each.scope.get("user_id") == user.id), shared)
        ]
        for user in world.organization.users.values()
    ]


def period_start(period: str, now: datetime) -> datetime:
    """The UTC midnight at which the period of `now` began: today's, Monday's or the first of the month's."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "weekly":
        return midnight - timedelta(days=midnight.weekday())
    return midnight.replace(day=1) if period == "monthly" else midnight


def _spent(world: World, period: str, now: datetime) -> dict[str, int]:
    """Femto-dollars by the creator of the keys, without the priority tier."""
    keys = world.organization.keys
    spent: dict[str, int] = {}
    for day, hours in world.amounts(seconds(period_start(period, now)), seconds(now)):
        for row, (series, amounts) in enumerate(zip(world.catalogue.series, hours.sum(axis=0).tolist(), strict=True)):
            creator = keys[series.api_key_id].created_by if series.api_key_id else None
            if creator is not None and series.terms.service_tier != "priority":
                cost = sum(amount * price for amount, price in zip(amounts, world.tariff.femto(row, day), strict=True))
                spent[creator] = spent.get(creator, 0) + cost
    return spent


def _limit(world: World, scope: dict[str, str], cents: int | None, period: str, made_at: datetime) -> SpendLimit:
    name = "/".join((world.organization.id, *scope.values(), period))
    return SpendLimit(f"spl_01{uuid5(NAMESPACE_URL, name).hex[:22]}", scope, cents, period, made_at)
