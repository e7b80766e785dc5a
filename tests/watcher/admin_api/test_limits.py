"""Spend limits, rate limits and members, in the shapes that are in use."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from watcher.admin_api import AdminReader, BrokenPaging, Malformed, NotOffered
from watcher.admin_api.answers_limits import LimitScope, RateLimitValue, WorkspaceMember

MADE = "2026-05-11T10:02:44Z"
MADE_AT = datetime(2026, 5, 11, 10, 2, 44, tzinfo=UTC)


def listing(*entries: dict[str, Any], next_page: str | None = None, **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"data": entries, "next_page": next_page, **more})


def limit(**fields: Any) -> dict[str, Any]:
    return {
        "type": "spend_limit",
        "id": "spl_1",
        "scope": {"type": "workspace", "workspace_id": "ws_1"},
        "amount": "75000",
        "currency": "USD",
        "period": "monthly",
        "is_enabled": True,
        "created_at": MADE,
        "updated_at": MADE,
        **fields,
    }


def effective(**fields: Any) -> dict[str, Any]:
    return {
        "actor": {"type": "user_actor", "user_id": "user_1", "name": "A", "email_address": "a@b.c", "deleted": False},
        "scope": {"type": "user", "user_id": "user_1"},
        "source": {"type": "seat_tier", "seat_tier": "standard"},
        "spend_limit_id": "spl_1",
        "amount": "50000",
        "currency": "USD",
        "period": "monthly",
        "period_to_date_spend": "31402.5",
        **fields,
    }


def test_a_spend_limit_is_cents_and_its_scope_and_period_are_told(wire_up) -> None:
    wired = wire_up(lambda _: listing(limit()))
    (read,) = AdminReader(wired.connection).spend_limits()
    assert (read.id, read.amount, read.period, read.is_enabled) == ("spl_1", 750_000_000_000, "monthly", True)
    assert (read.created_at, read.updated_at) == (MADE_AT, MADE_AT)
    assert read.scope == LimitScope("workspace", "ws_1")
    assert wired.requests[0].url.path == "/v1/organizations/spend_limits"
    assert wired.requests[0].headers["anthropic-beta"] == "spend-limit-reads-2026-09-26"
    assert wired.parameters() == [("limit", "1000")]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"type": "organization"}, ("organization", None)),
        ({"type": "usage_tier"}, ("usage_tier", None)),
        ({"type": "user", "user_id": "user_1"}, ("user", "user_1")),
        ({"type": "rbac_group", "rbac_group_id": "rbac_group_1"}, ("rbac_group", "rbac_group_1")),
        ({"type": "seat_tier", "seat_tier": "premium"}, ("seat_tier", "premium")),
        ({"type": "organization_service", "service": "code"}, ("organization_service", "code")),
        ({"type": "galaxy", "galaxy_id": 7}, ("galaxy", None)),
    ],
)
def test_every_scope_of_a_limit_is_read_and_new_ones_are_accepted(wire_up, scope, expected) -> None:
    (read,) = AdminReader(wire_up(lambda _: listing(limit(scope=scope))).connection).spend_limits()
    assert tuple(read.scope) == expected


def test_no_amount_is_no_cap_and_not_a_cap_of_zero(wire_up) -> None:
    wired = wire_up(lambda _: listing(limit(amount=None), limit(amount="0"), limit(is_enabled=False)))
    limits = AdminReader(wired.connection).spend_limits()
    assert [(each.amount, each.is_enabled) for each in limits] == [
        (None, True),
        (0, True),
        (750_000_000_000, False),
    ]


def test_an_older_limit_that_does_not_say_whether_it_is_enabled_is(wire_up) -> None:
    old = limit()
    del old["is_enabled"]
    (read,) = AdminReader(wire_up(lambda _: listing(old)).connection).spend_limits()
    assert read.is_enabled


@pytest.mark.parametrize("amount", ["-1", "amount", "", "NaN", "1e400"])
def test_a_limit_that_is_no_amount_is_refused_by_its_place(wire_up, amount: str) -> None:
    wired = wire_up(lambda _: listing(limit(), limit(amount=amount)))
    with pytest.raises(Malformed, match=r"data\[1\].amount"):
        AdminReader(wired.connection).spend_limits()


def test_a_limit_in_another_currency_is_refused(wire_up) -> None:
    wired = wire_up(lambda _: listing(limit(currency="EUR")))
    with pytest.raises(Malformed, match=r"data\[0\].currency: .*a currency other than USD"):
        AdminReader(wired.connection).spend_limits()


def test_a_member_s_limit_is_read_with_where_it_comes_from_and_what_was_spent(wire_up) -> None:
    wired = wire_up(lambda _: listing(effective(), effective(amount=None, period="daily", period_to_date_spend="0")))
    month, day = AdminReader(wired.connection).effective_spend_limits()
    assert (month.member_id, month.member_kind, month.name, month.email) == ("user_1", "user_actor", "A", "a@b.c")
    assert (month.amount, month.period_to_date_spend) == (500_000_000_000, 314_025_000_000)
    assert (month.source, month.spend_limit_id, month.deleted) == (LimitScope("seat_tier", "standard"), "spl_1", False)
    assert (day.amount, day.period, day.period_to_date_spend) == (None, "daily", 0)
    assert wired.requests[0].url.path == "/v1/organizations/spend_limits/effective"
    assert wired.requests[0].headers["anthropic-beta"] == "spend-limit-reads-2026-09-26"


def test_a_scoped_key_can_have_a_limit_too(wire_up) -> None:
    actor = {"type": "scoped_api_key_actor", "scoped_api_key_id": "sak_1"}
    (read,) = AdminReader(wire_up(lambda _: listing(effective(actor=actor))).connection).effective_spend_limits()
    assert (read.member_id, read.member_kind, read.name) == ("sak_1", "scoped_api_key_actor", None)


@pytest.mark.parametrize("spend", [None, "spend", "-0.5"])
def test_a_spend_that_is_no_amount_is_refused_by_its_place(wire_up, spend: object) -> None:
    wired = wire_up(lambda _: listing(effective(period_to_date_spend=spend)))
    with pytest.raises(Malformed, match=r"data\[0\].period_to_date_spend"):
        AdminReader(wired.connection).effective_spend_limits()


def test_lists_without_has_more_are_followed_by_their_cursor(wire_up) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        second = request.url.params.get("page") == "x"
        return listing(limit(id="spl_2" if second else "spl_1"), next_page=None if second else "x")

    wired = wire_up(handler)
    assert [each.id for each in AdminReader(wired.connection).spend_limits()] == ["spl_1", "spl_2"]
    assert wired.parameters(1) == [("limit", "1000"), ("page", "x")]


def test_has_more_is_believed_where_it_is_given(wire_up) -> None:
    wired = wire_up(lambda _: listing(limit(), next_page="stray", has_more=False))
    assert len(AdminReader(wired.connection).spend_limits()) == 1
    wired = wire_up(lambda _: listing(limit(), has_more=True))
    with pytest.raises(BrokenPaging):
        AdminReader(wired.connection).spend_limits()


def test_a_rate_limit_is_read_with_its_group_and_models(wire_up) -> None:
    entry = {
        "type": "rate_limit",
        "id": "rl_1",
        "group": {"type": "model_group", "id": "rlg_1", "display_name": "Claude Opus"},
        "models": ["claude-opus-5", "claude-opus-5-5"],
        "limits": [{"type": "requests_per_minute", "value": 4000}, {"type": "new", "value": None}],
    }
    wired = wire_up(lambda _: listing(entry))
    (read,) = AdminReader(wired.connection).rate_limits()
    assert (read.id, read.workspace_id, read.group_kind, read.group_name) == (
        "rl_1",
        None,
        "model_group",
        "Claude Opus",
    )
    assert read.models == ("claude-opus-5", "claude-opus-5-5")
    assert read.limits == (
        RateLimitValue("requests_per_minute", 4000, None, inherited=False),
        RateLimitValue("new", None, None, inherited=False),
    )
    assert wired.requests[0].url.path == "/v1/organizations/rate_limits"


def test_a_rate_limit_of_the_older_shape_is_read_too(wire_up) -> None:
    entry = {"type": "rate_limit", "group_type": "batch", "models": None, "limits": [{"type": "queued", "value": 5}]}
    (read,) = AdminReader(wire_up(lambda _: listing(entry)).connection).rate_limits()
    assert (read.id, read.group_kind, read.group_name, read.models) == (None, "batch", None, ())


def test_a_workspace_s_rate_limits_say_what_the_organization_has(wire_up) -> None:
    entry = {
        "type": "workspace_rate_limit",
        "rate_limit_id": "rl_1",
        "workspace_id": "ws_1",
        "group": {"type": "model_group", "id": "rlg_1", "display_name": "Claude Opus"},
        "limits": [
            {"type": "requests_per_minute", "value": 10, "org_limit": 40, "source": {"type": "workspace"}},
            {"type": "tokens_per_day", "value": 9, "org_limit": 9, "source": {"type": "organization"}},
            {"type": "old", "value": 1, "org_limit": None},
        ],
    }
    wired = wire_up(lambda _: listing(entry))
    (read,) = AdminReader(wired.connection).workspace_rate_limits("ws_1")
    assert (read.id, read.workspace_id) == ("rl_1", "ws_1")
    assert read.limits == (
        RateLimitValue("requests_per_minute", 10, 40, inherited=False),
        RateLimitValue("tokens_per_day", 9, 9, inherited=True),
        RateLimitValue("old", 1, None, inherited=False),
    )
    assert wired.requests[0].url.path == "/v1/organizations/workspaces/ws_1/rate_limits"
    assert wired.observations[0].endpoint == "/v1/organizations/workspaces/{workspace_id}/rate_limits"


def test_members_are_followed_by_their_last_id_and_come_once(wire_up) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        second = request.url.params.get("after_id") == "user_2"
        users = ["user_2", "user_3"] if second else ["user_1", "user_2"]
        data = [{"type": "workspace_member", "user_id": user, "workspace_id": "ws_1", "workspace_role": "user"}
                for user in users]  # fmt: skip
        return httpx.Response(200, json={"data": data, "has_more": not second, "last_id": users[-1]})

    wired = wire_up(handler)
    assert AdminReader(wired.connection).workspace_members("ws_1") == tuple(
        WorkspaceMember("ws_1", user, "user") for user in ("user_1", "user_2", "user_3")
    )
    assert wired.requests[0].url.path == "/v1/organizations/workspaces/ws_1/members"


@pytest.mark.parametrize("method", ["workspace_members", "workspace_rate_limits"])
def test_an_answer_about_another_workspace_is_refused(wire_up, method: str) -> None:
    entry = {"user_id": "user_1", "workspace_id": "ws_2", "limits": []}
    wired = wire_up(lambda _: listing(entry, has_more=False))
    with pytest.raises(Malformed, match=r"data\[0\].workspace_id"):
        getattr(AdminReader(wired.connection), method)("ws_1")


@pytest.mark.parametrize("method", ["workspace_members", "workspace_rate_limits"])
def test_what_is_no_id_never_becomes_part_of_a_path(wire_up, method: str) -> None:
    wired = wire_up(lambda _: listing())
    with pytest.raises(ValueError, match="not an id"):
        getattr(AdminReader(wired.connection), method)("../users")
    assert wired.requests == []


@pytest.mark.parametrize("method", ["spend_limits", "effective_spend_limits", "rate_limits"])
@pytest.mark.parametrize("status", [403, 404])
def test_an_organization_without_limits_is_told_apart_from_a_failure(wire_up, refuse, status: int, method: str) -> None:
    wired = wire_up(lambda _: refuse(status))
    with pytest.raises(NotOffered):
        getattr(AdminReader(wired.connection), method)()


def test_an_endpoint_that_is_not_for_this_type_of_organization_is_not_offered(wire_up) -> None:
    error = {
        "type": "invalid_request_error",
        "message": "Only for Claude Enterprise.",
        "details": {"error_code": "organization_type_not_supported"},
    }
    wired = wire_up(lambda _: httpx.Response(400, json={"type": "error", "error": error}))
    with pytest.raises(NotOffered, match="Only for Claude Enterprise"):
        AdminReader(wired.connection).effective_spend_limits()
