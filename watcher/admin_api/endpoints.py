"""The paths of the Admin API that this program uses, and how ids and moments are written into them."""

import re
from datetime import UTC, datetime

ORGANIZATION = "/v1/organizations/me"
WORKSPACES = "/v1/organizations/workspaces"
API_KEYS = "/v1/organizations/api_keys"
API_KEY = "/v1/organizations/api_keys/{api_key_id}"
USERS = "/v1/organizations/users"
INVITES = "/v1/organizations/invites"
USAGE = "/v1/organizations/usage_report/messages"
COST = "/v1/organizations/cost_report"
CLAUDE_CODE = "/v1/organizations/usage_report/claude_code"
ANALYTICS_COST = "/v1/organizations/analytics/cost"
ANALYTICS_USAGE = "/v1/organizations/analytics/usage"
SPEND_LIMITS = "/v1/organizations/spend_limits"
EFFECTIVE_SPEND_LIMITS = "/v1/organizations/spend_limits/effective"
RATE_LIMITS = "/v1/organizations/rate_limits"
WORKSPACE_RATE_LIMITS = "/v1/organizations/workspaces/{workspace_id}/rate_limits"
WORKSPACE_MEMBERS = "/v1/organizations/workspaces/{workspace_id}/members"

FAST_MODE_BETA = "fast-mode-2026-02-01"
ANALYTICS_BETA = "analytics-usage-cost-2026-08-24"
SPEND_LIMITS_BETA = "spend-limit-reads-2026-09-26"

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def is_id(text: str) -> bool:
    """Whether `text` can be an id, and so a part of a path."""
    return _ID.fullmatch(text) is not None


def check_id(text: str) -> str:
    """`text`, if it can be an id. ValueError for what would change the path it is put into."""
    if not is_id(text):
        raise ValueError(f"not an id of the Admin API: {text[:40]!a}")
    return text


def moment(when: datetime) -> str:
    """RFC 3339 in UTC, as the API writes it: `2026-11-30T22:00:00Z`."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
