"""The analytics endpoints: cost and usage by the hour, with their beta header and their own rate limit."""

from __future__ import annotations

from watcher.simulator.analytics_report import BETA, PARAMETERS
from watcher.simulator.answering import Asked, Json
from watcher.simulator.errors import invalid


async def analytics_cost(asked: Asked) -> Json:
    """GET analytics/cost."""
    _admit(asked)
    return asked.analytics.cost_page(asked.parameters(PARAMETERS), asked.now, asked.strike.data)


async def analytics_usage(asked: Asked) -> Json:
    """GET analytics/usage."""
    _admit(asked)
    return asked.analytics.usage_page(asked.parameters(PARAMETERS), asked.now, asked.strike.data)


def _admit(asked: Asked) -> None:
    asked.analytics.quota.take(asked.now)
    if BETA not in asked.caller.betas:
        raise invalid(f"this endpoint requires the anthropic-beta header {BETA}")
