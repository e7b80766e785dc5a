"""A small world served over HTTP, and a client that speaks to it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import httpx
import pytest

from watcher.simulator import Simulator, World

START = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
HEADERS = {"x-api-key": "sk-ant-admin01-test", "anthropic-version": "2023-06-01"}


@dataclass
class Api:
    """A served world, its clock (set `now` to move it), and a client."""

    world: World
    simulator: Simulator
    client: httpx.Client
    now: datetime = START

    def get(self, path: str, expect: int = 200, headers: dict[str, str] | None = None, **query: Any) -> Any:
        """The JSON answer to a GET below `/v1/organizations/`; a double underscore at a name's end means `[]`."""
        params = {name.replace("__", "[]"): value for name, value in query.items()}
        response = self.client.get(f"/v1/organizations/{path}", params=params, headers=headers)
        assert response.status_code == expect, response.text
        return response.json()

    def post(self, path: str, body: dict[str, Any], status: int = 200) -> Any:
        response = self.client.post(f"/v1/organizations/{path}", json=body)
        assert response.status_code == status, response.text
        return response.json()


Serve = Callable[..., Api]


def _start(stack: ExitStack, settings: dict[str, Any]) -> Api:
    world = World(**{"started_at": START, "keys": 14, "workspaces": 3, "days": 20, **settings})
    simulator = stack.enter_context(Simulator(world, lambda: api.now))
    client = stack.enter_context(
        httpx.Client(base_url=simulator.url, headers=HEADERS, timeout=60, trust_env=False, verify=False)
    )
    api = Api(world, simulator, client)
    return api


@pytest.fixture(scope="session")
def anthropic() -> ModuleType:
    """The official SDK, imported by those who use it: it takes a second."""
    return importlib.import_module("anthropic")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves a world of the given settings for the length of a test."""
    with ExitStack() as stack:
        yield lambda **settings: _start(stack, settings)


@pytest.fixture
def api(serve: Serve) -> Api:
    """A calm world of the test's own."""
    return serve()


@pytest.fixture(scope="package")
def shared_analytics() -> Iterator[Api]:
    """A calm world with analytics, shared by tests that change nothing in it but the clock, by minutes."""
    with ExitStack() as stack:
        yield _start(stack, {"analytics": True})


@pytest.fixture(scope="package")
def shared_limits() -> Iterator[Api]:
    """A calm world with limits, shared by tests that change nothing in it, the clock neither."""
    with ExitStack() as stack:
        yield _start(stack, {"limits": True})


@pytest.fixture(scope="package")
def shared() -> Iterator[Api]:
    """A calm world shared by tests that change nothing in it, the clock neither."""
    with ExitStack() as stack:
        yield _start(stack, {})
