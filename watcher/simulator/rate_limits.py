"""The organization's rate limits, and what its first workspace overrides."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from watcher.simulator.tariff import PRICES
from watcher.simulator.world import World

GROUP_TYPES = ("batch", "files", "model_group", "skills", "token_count", "web_search")

_FAMILIES = {"opus": "Claude Opus", "sonnet": "Claude Sonnet", "haiku": "Claude Haiku"}
_OF_MODELS = {
    "requests_per_minute": 4_000,
    "input_tokens_per_minute_cache_aware": 2_000_000,
    "output_tokens_per_minute": 400_000,
}
_OF_THE_REST = {
    "batch": {"requests_per_minute": 4_000, "enqueued_batch_requests": 500_000},
    "token_count": {"requests_per_minute": 8_000},
    "files": {"requests_per_minute": 100},
    "web_search": {"tool_uses_per_second": 30},
}


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One group's limits. `title` is the name of a group of models, None for a part of the API."""

    id: str
    group_type: str
    group_id: str
    title: str | None
    models: tuple[str, ...]
    limits: dict[str, int]


def rate_limits(world: World) -> list[RateLimit]:
    """The organization's limits: a group for each family of models, then the parts of the API."""
    groups = [
        _limit(world, "model_group", title, tuple(model for model in PRICES if family in model), _OF_MODELS)
        for family, title in _FAMILIES.items()
    ]
    return groups + [_limit(world, name, None, (), limits) for name, limits in _OF_THE_REST.items()]


def overrides(world: World, workspace_id: str) -> dict[str, dict[str, int]]:
    """What a workspace has of its own, by the id of the organization's entry: only the first one has, for models."""
    if workspace_id != next(iter(world.organization.workspaces), None):
        return {}
    return {
        entry.id: {kind: value // 4 for kind, value in entry.limits.items() if kind != "output_tokens_per_minute"}
        for entry in rate_limits(world)
        if entry.models
    }


def _limit(
    world: World, group_type: str, title: str | None, models: tuple[str, ...], limits: dict[str, int]
) -> RateLimit:
    group = f"{group_type}/{title}"
    return RateLimit(
        id=f"rl_01{uuid5(NAMESPACE_URL, f'{world.organization.id}/{group}').hex[:22]}",
        group_type=group_type,
        group_id=f"rlg_01{uuid5(NAMESPACE_URL, group).hex[:22]}",
        title=title,
        models=models,
        limits=limits,
    )
