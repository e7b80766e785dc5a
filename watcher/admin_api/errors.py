"""What can go wrong between this program and the Admin API.

    AdminApiError
    ├── NotAuthenticated   401: the key is wrong, revoked or of another kind
    ├── NotOffered         403, 404, and a 400 that names the type of organization: this organization, or
    │                      this key, does not have that endpoint
    ├── BadRequest         400: refused as asked; a grouped report that was too fine is refused this way
    ├── RateLimited        429, with or without a time to wait
    ├── Unavailable        5xx, 529, a broken connection, an HTML page: nothing was learned
    │   └── TimedOut       no whole answer in time, or the time budget of the call is spent
    ├── Refused            any other status: redirects, 409, 413 …
    └── Malformed          an answer that cannot be read: cut in half, without a time or an amount, or not whole
        ├── TooLarge       an answer beyond what is taken; of a report, fewer hours are then asked for
        └── BrokenPaging   a cursor seen before, no cursor where more is promised, or too many pages

Catch `AdminApiError` to treat a source as failed, and `NotOffered` before it to treat the source as absent.
Every message is one sentence with endpoint, status and request-id; what it quotes of the API's own words is
short and free of control characters, and the Admin key is cut out of it.
"""

from typing import ClassVar


class AdminApiError(Exception):
    """A call failed.

    `endpoint` is the path template (ids left out), `status` the HTTP status or None when no answer came,
    `request_id` what to give to Anthropic's support, or None, `retry_after` the seconds that the API asked
    to wait, or None when it did not say. `worth_retrying` tells whether the same request may succeed a
    little later.
    """

    worth_retrying: bool = False
    advice: ClassVar[str] = ""

    def __init__(
        self,
        endpoint: str,
        status: int | None,
        request_id: str | None,
        message: str,
        *,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(endpoint, status, request_id, message)
        self.endpoint = endpoint
        self.status = status
        self.request_id = request_id
        self.message = message
        self.retry_after = retry_after

    def __str__(self) -> str:
        told = "gave no answer" if self.status is None else f"answered {self.status}"
        traced = f" (request-id {self.request_id})" if self.request_id else ""
        advice = f"; {self.advice}" if self.advice else ""
        return f"{self.endpoint} {told}{traced}: {self.message.rstrip('.')}{advice}"


class NotAuthenticated(AdminApiError):
    """401: the key was not accepted. Asking again with the same key cannot help."""

    advice = "check that the Admin key (sk-ant-admin01-…) or analytics key is complete, current, of this organization"


class NotOffered(AdminApiError):
    """403 or 404: the endpoint is not there for this organization or key; the rest may be."""

    advice = "it does not exist for this organization, or this key may not see it"


class BadRequest(AdminApiError):
    """400: refused as asked. On a grouped report this is also how too fine a grouping is refused."""


class RateLimited(AdminApiError):
    """429: the organization's shared limit is used up, with or without a word on how long to wait."""

    worth_retrying = True
    advice = "poll less often, or look for another program that uses the same organization's limit"


class Unavailable(AdminApiError):
    """The API, or the way to it, is out of order. Nothing was learned, and of a write not even whether it happened."""

    worth_retrying = True


class TimedOut(Unavailable):
    """No whole answer came in time."""


class Refused(AdminApiError):
    """A status that this program has no better name for."""


class Malformed(AdminApiError):
    """An answer that cannot be trusted. The message names the place, such as `data[3].results[17].amount`."""

    advice = "if it lasts, the API may have changed: look for a newer version of this program"


class TooLarge(Malformed):
    """An answer that is too large to be taken."""


class BrokenPaging(Malformed):
    """A page sequence that cannot be followed to its end."""
