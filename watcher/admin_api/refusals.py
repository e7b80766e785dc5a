"""From an unsuccessful response to the error that names it."""

import json
import re
from email.utils import parsedate_to_datetime

import httpx

from watcher.admin_api.errors import (
    AdminApiError,
    BadRequest,
    NotAuthenticated,
    NotOffered,
    RateLimited,
    Refused,
    Unavailable,
)
from watcher.secret import Secret

_LONGEST_EXCERPT = 200
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


def error_of(response: httpx.Response, body: bytes, endpoint: str, key: Secret) -> AdminApiError:
    """The error for a response that is not a success; bodies of any kind (JSON, HTML, nothing) are borne."""
    status = response.status_code
    told, body_request_id = _told(body)
    message = excerpt(key.hide_in(told)) or _unexplained(response)
    request_id = request_id_of(response) or body_request_id
    retry_after = seconds_to_wait(response.headers)
    if status == 429:
        return RateLimited(endpoint, status, request_id, message, retry_after=retry_after)
    if status == 400 and _error_code(body) == "organization_type_not_supported":
        return NotOffered(endpoint, status, request_id, message)
    if status == 408 or status >= 500:
        return Unavailable(endpoint, status, request_id, message, retry_after=retry_after)
    kinds: dict[int, type[AdminApiError]] = {400: BadRequest, 401: NotAuthenticated, 403: NotOffered, 404: NotOffered}
    return kinds.get(status, Refused)(endpoint, status, request_id, message)


def request_id_of(response: httpx.Response) -> str | None:
    """The `request-id` header, if it looks like one."""
    return _plausible_request_id(response.headers.get("request-id"))


def seconds_to_wait(headers: httpx.Headers) -> float | None:
    """What `retry-after` asks for: seconds, or an HTTP date measured from the response's own `date`.

    None when it is absent, unreadable, or a date without another to measure it from.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return float(text)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):  # TypeError: one of the two names no zone
        return None
    return max(0.0, wait.total_seconds())


def excerpt(text: str) -> str:
    """One short line of `text`, without control, format or other unprintable characters."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= _LONGEST_EXCERPT else line[: _LONGEST_EXCERPT - 1] + "…"


def _told(body: bytes) -> tuple[str, str | None]:
    """The API's own message and request id from an error body, where there are such."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "", None
    if not isinstance(answer, dict):
        return "", None
    error = answer.get("error")
    message = error.get("message") if isinstance(error, dict) else error or answer.get("message")
    return message if isinstance(message, str) else "", _plausible_request_id(answer.get("request_id"))


def _error_code(body: bytes) -> str | None:
    """The finer code that some errors carry in their details."""
    try:
        code = json.loads(body)["error"]["details"]["error_code"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return code if isinstance(code, str) else None


def _plausible_request_id(text: object) -> str | None:
    return text if isinstance(text, str) and _REQUEST_ID.fullmatch(text) else None


def _unexplained(response: httpx.Response) -> str:
    if response.is_redirect:
        return "it points elsewhere, which is not followed; check base_url"
    return "no reason was given"
