"""The error envelope of the API, and the errors a request can earn."""

from __future__ import annotations

from http import HTTPStatus

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""Error type by HTTP status."""


class ApiError(Exception):
    """A refusal with its HTTP status; the error's type follows from it."""

    def __init__(self, status: int, message: str, error_code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error_code = error_code

    def body(self, request_id: str) -> dict[str, object]:
        """The documented envelope."""
        error: dict[str, object] = {"type": TYPES[self.status], "message": self.message}
        if self.error_code is not None:
            error["details"] = {"error_code": self.error_code}
        return {"type": "error", "error": error, "request_id": request_id}


def invalid(message: str) -> ApiError:
    """400: the request is not what the endpoint takes."""
    return ApiError(HTTPStatus.BAD_REQUEST, message)


def not_found(what: str = "The requested resource could not be found.") -> ApiError:
    """404."""
    return ApiError(HTTPStatus.NOT_FOUND, what)
