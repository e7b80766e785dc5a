"""What a request carries beside its query: credentials, version, betas, body; and the record of requests seen."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.requests import Request

from watcher.simulator.errors import ApiError, invalid

OLD_VERSION = "2023-06-01"
NEW_VERSION = "2026-10-21"

ANALYTICS_PATHS = "/v1/organizations/analytics/"

_ADMIN_KEY = re.compile(r"sk-ant-admin01-\S+")
_ANALYTICS_KEY = re.compile(r"sk-ant-analytics01-\S+")


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request as it came, without its credentials."""

    method: str
    path: str
    query: str


@dataclass(frozen=True, slots=True)
class Caller:
    """How the caller presents itself: the API version it speaks and the betas it asks for."""

    version: str
    betas: frozenset[str]


def authenticate(request: Request) -> Caller:
    """Check credentials and version.

    Any key of the form `sk-ant-admin01-…` is accepted, as `x-api-key` or as a bearer token; one of the form
    `sk-ant-analytics01-…` has the scope `read:analytics` alone.

    Raises:
        ApiError: 401 for a missing or other key, 403 for one whose scope does not reach so far, 400 for a missing or
            unknown `anthropic-version`.
    """
    key = request.headers.get("x-api-key")
    if key is None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise ApiError(HTTPStatus.UNAUTHORIZED, "x-api-key header is required")
        key = token.strip()
    scoped = _ANALYTICS_KEY.fullmatch(key) is not None
    if not scoped and _ADMIN_KEY.fullmatch(key) is None:
        raise ApiError(HTTPStatus.UNAUTHORIZED, "invalid x-api-key")
    if scoped and not request.url.path.startswith(ANALYTICS_PATHS):
        raise ApiError(HTTPStatus.FORBIDDEN, "The API key lacks the scope that this endpoint requires.")
    version = request.headers.get("anthropic-version")
    if version is None:
        raise invalid("anthropic-version: header is required")
    if version not in (OLD_VERSION, NEW_VERSION):
        raise invalid(f"anthropic-version: {version!r} is not a valid version")
    betas = request.headers.getlist("anthropic-beta")
    return Caller(version, frozenset(beta.strip() for line in betas for beta in line.split(",")))


async def read_body(request: Request, fields: frozenset[str]) -> dict[str, Any]:
    """The JSON object in the body. Raises ApiError (400) for anything else, or a field not in `fields`."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise invalid("The request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise invalid("Input should be a valid dictionary")
    for name in body:
        if name not in fields:
            raise invalid(f"{name}: Extra inputs are not permitted")
    return body
