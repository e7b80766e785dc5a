"""A connection over a function, and a usage report that can be too fine: what the tests of this package share."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from watcher.admin_api import Connection, ConnectionSettings, RequestObservation, RetryPolicy, connect
from watcher.secret import Secret

CANARY = "sk-ant-admin01-CANARY-0123456789"
HOUR = timedelta(hours=1)
Handler = Callable[[httpx.Request], httpx.Response]


@dataclass
class Wired:
    """A connection over a function, with all that went over it."""

    connection: Connection = field(init=False)
    requests: list[httpx.Request] = field(default_factory=list)
    observations: list[RequestObservation] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def parameters(self, index: int = -1) -> list[tuple[str, str]]:
        return self.requests[index].url.params.multi_items()


@pytest.fixture
def wire_up() -> Iterator[Callable[..., Wired]]:
    """Builds a connection whose other end is the given function; time passes only while it pauses."""
    opened: list[Connection] = []

    def build(handler: Handler, *, budget_seconds: float = 300.0, attempts: int = 6) -> Wired:
        settings = ConnectionSettings(
            "https://api.example.test",
            Secret(CANARY),
            budget_seconds=budget_seconds,
            retries=RetryPolicy(attempts=attempts),
        )

        def record(request: httpx.Request) -> httpx.Response:
            wired.requests.append(request)
            return handler(request)

        wired = Wired()
        wired.connection = connect(
            settings,
            transport=httpx.MockTransport(record),
            observer=wired.observations.append,
            pause=wired.pauses.append,
            monotonic=lambda: sum(wired.pauses),
        )
        opened.append(wired.connection)
        return wired

    yield build
    for connection in opened:
        connection.close()


@pytest.fixture
def answer_in_turn() -> Callable[..., Handler]:
    """A function that gives these responses one after the other (an exception is raised), the last one for ever."""

    def build(*responses: httpx.Response | Exception) -> Handler:
        left = list(responses)

        def handler(_: httpx.Request) -> httpx.Response:
            response = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(response, Exception):
                raise response
            return response

        return handler

    return build


@pytest.fixture
def refuse() -> Callable[..., httpx.Response]:
    """An error as the API words it: `refuse(403, "not for you")`."""
    return refusal


@pytest.fixture
def canary() -> str:
    """The Admin key of every connection here, which nothing may show."""
    return CANARY


@pytest.fixture
def usage_of() -> Callable[..., "FakeUsage"]:
    """Builds the usage report below."""
    return FakeUsage


def refusal(status: int, message: str = "no", **headers: str) -> httpx.Response:
    """An error as the API words it."""
    body = {"type": "error", "error": {"type": "some_error", "message": message}}
    return httpx.Response(status, json=body, headers={"request-id": "req_7", **headers})


@dataclass
class FakeUsage:
    """A usage report over rows that were put in, which can refuse what is too fine.

    `rows` maps an hour to its rows: dicts of dimensions and of "uncached_input_tokens". `too_fine` decides on a 400
    from (dimensions grouped by, hours a page, number of keys filtered by).
    """

    rows: dict[datetime, list[dict[str, Any]]]
    first: datetime
    now: datetime
    too_fine: Callable[[tuple[str, ...], int, int], bool] = lambda *_: False
    refusals: int = 0
    accepted: list[tuple[tuple[str, ...], int, int]] = field(default_factory=list)
    message: str = "The query is too large."

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        dimensions = tuple(asked.get_list("group_by[]"))
        keys = asked.get_list("api_key_ids[]")
        limit = int(asked["limit"])
        if self.too_fine(dimensions, limit, len(keys)):
            self.refusals += 1
            return refusal(400, self.message)
        self.accepted.append((dimensions, limit, len(keys)))
        identity = [item for item in asked.multi_items() if item[0] != "page"]
        cursor = json.loads(asked["page"]) if "page" in asked else None
        if cursor and cursor["of"] != [list(item) for item in identity]:
            return refusal(400, "the page token belongs to other parameters")
        start = datetime.fromisoformat(cursor["at"] if cursor else asked["starting_at"])
        end = min(datetime.fromisoformat(asked["ending_at"]), self.now)
        hours = [start + index * HOUR for index in range(limit) if start + index * HOUR < end]
        following = start + len(hours) * HOUR
        more = bool(hours) and following < end
        return httpx.Response(
            200,
            json={
                "data": [self._bucket(hour, dimensions, keys) for hour in hours],
                "has_more": more,
                "next_page": json.dumps({"of": identity, "at": following.isoformat()}),
            },
        )

    def _bucket(self, hour: datetime, dimensions: tuple[str, ...], keys: list[str]) -> dict[str, Any]:
        sums: defaultdict[tuple[Any, ...], int] = defaultdict(int)
        for row in self.rows.get(hour, []):
            if not keys or row.get("api_key_id") in keys:
                sums[tuple(row.get(dimension) for dimension in dimensions)] += row["uncached_input_tokens"]
        results = [
            {**dict(zip(dimensions, values, strict=True)), "uncached_input_tokens": tokens}
            for values, tokens in sums.items()
        ]
        return {
            "starting_at": hour.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "ending_at": (hour + HOUR).astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "results": results,
        }
