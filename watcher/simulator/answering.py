"""What an endpoint is given to answer a request, and what it gives back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from starlette.requests import Request

from watcher.simulator.analytics_report import AnalyticsReports
from watcher.simulator.billing import Billing
from watcher.simulator.faults import Strike
from watcher.simulator.parameters import Parameters
from watcher.simulator.requests import Caller
from watcher.simulator.world import World

Json: TypeAlias = dict[str, Any] | bytes
"""An answer: an object to be written as JSON, or JSON text already written."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One authenticated request, at one moment, with the faults that falsify its data."""

    request: Request
    caller: Caller
    world: World
    billing: Billing
    analytics: AnalyticsReports
    now: datetime
    strike: Strike

    @property
    def path(self) -> dict[str, str]:
        """Parts of the path by name."""
        return {name: str(value) for name, value in self.request.path_params.items()}

    def parameters(self, names: Collection[str]) -> Parameters:
        """The query, which may hold only these names. Raises ApiError (400) for another."""
        return Parameters(self.request.query_params.multi_items(), names)
