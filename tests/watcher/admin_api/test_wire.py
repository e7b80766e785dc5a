"""Every wire model against an API that changes: each answer is read exactly, or refused with its place."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.admin_api import decoding, decoding_analytics, decoding_limits
from watcher.admin_api.wire import WireError

FROM = datetime(2026, 11, 19, tzinfo=UTC)
SPAN = {"starting_at": "2026-11-19T00:00:00Z", "ending_at": "2026-11-19T01:00:00Z"}
DAY_SPAN = {"starting_at": "2026-11-19T00:00:00Z", "ending_at": "2026-11-20T00:00:00Z"}
MADE = "2026-05-11T10:02:44.123456Z"
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Model:
    """One kind of answer: how it is decoded, a full example, and what in it is strict.

    `required` are places without which it is refused; `money` maps the places of amounts to where they are read;
    `moments` are places of time; `credits` says that amounts may be negative.
    """

    decode: Callable[[bytes], Any]
    example: dict[str, Any]
    required: frozenset[str]
    money: dict[str, Callable[[Any], int | None]]
    moments: frozenset[str]
    credits: bool = True


def listing(entry: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"data": [entry], "has_more": False, **more}


USAGE_FIGURES = {
    "uncached_input_tokens": 1, "cache_read_input_tokens": 2, "output_tokens": 3,
    "cache_creation": {"ephemeral_1h_input_tokens": 4, "ephemeral_5m_input_tokens": 5},
    "server_tool_use": {"web_search_requests": 6},
}  # fmt: skip
GROUP = {
    "api_key_id": "k", "workspace_id": "w", "model": "m", "service_tier": "batch", "context_window": "0-200k",
}  # fmt: skip
REPORT = {"data", "has_more", "data[0].starting_at", "data[0].ending_at"}
CURSOR_LIST = {"data"}
LIMIT = {"currency": "USD", "amount": "75000", "period": "monthly"}

MODELS: dict[str, Model] = {
    "usage": Model(
        decoding.usage_page(("model",)),
        listing({**SPAN, "results": [{**GROUP, "inference_geo": "us", **USAGE_FIGURES}]}, next_page=None),
        frozenset(REPORT | {"data[0].results"}),
        {},
        frozenset({"data[0].starting_at", "data[0].ending_at"}),
    ),
    "cost": Model(
        decoding.cost_page,
        listing(
            {
                **DAY_SPAN,
                "results": [
                    {
                        "amount": "123.45", "currency": "USD", "description": "d", "cost_type": "tokens",
                        "speed": "fast", "token_type": "output_tokens", "inference_geo": "us", "workspace_id": "w",
                        "model": "m", "service_tier": "batch", "context_window": "0-200k",
                    }
                ],
            },
            next_page=None,
        ),
        frozenset(REPORT | {"data[0].results", "data[0].results[0].amount", "data[0].results[0].currency"}),
        {"data[0].results[0].amount": lambda page: page.items[0].rows[0].amount},
        frozenset({"data[0].starting_at", "data[0].ending_at"}),
    ),
    "claude code": Model(
        decoding.claude_code_page(date(2026, 11, 19)),
        listing(
            {
                "date": "2026-11-19T00:00:00Z",
                "actor": {"type": "user_actor", "email_address": "a@b.c", "api_key_name": None},
                "customer_type": "api", "subscription_type": None, "terminal_type": "vscode", "is_remote": True,
                "core_metrics": {
                    "num_sessions": 1, "lines_of_code": {"added": 2, "removed": 3},
                    "commits_by_claude_code": 4, "pull_requests_by_claude_code": 5,
                },
                "tool_actions": {"edit_tool": {"accepted": 1, "rejected": 0}},
                "model_breakdown": [
                    {
                        "model": "m",
                        "tokens": {"input": 1, "output": 2, "cache_read": 3, "cache_creation": 4},
                        "estimated_cost": {"currency": "USD", "amount": 1025},
                    }
                ],
            },
            next_page=None,
        ),
        frozenset({
            "data", "has_more", "data[0].date", "data[0].actor", "data[0].core_metrics",
            "data[0].model_breakdown[0].estimated_cost", "data[0].model_breakdown[0].estimated_cost.amount",
            "data[0].model_breakdown[0].estimated_cost.currency",
        }),
        {"data[0].model_breakdown[0].estimated_cost.amount": lambda page: page.items[0].model_breakdown[0].cost_nano},
        frozenset({"data[0].date"}),
    ),
    "organization": Model(
        decoding.organization, {"id": "org", "name": "N", "type": "organization"}, frozenset({"id"}), {}, frozenset()
    ),
    "workspaces": Model(
        decoding.workspaces_page,
        listing({"id": "w", "name": "W", "created_at": MADE, "archived_at": MADE, "tags": {"team": "a"}}, last_id="w"),
        frozenset({"data", "has_more", "data[0].id", "data[0].created_at"}),
        {},
        frozenset({"data[0].created_at", "data[0].archived_at"}),
    ),
    "api keys": Model(
        decoding.api_keys_page,
        listing(
            {
                "id": "k", "name": "K", "status": "active", "created_at": MADE, "expires_at": MADE,
                "created_by": {"id": "u", "type": "user"}, "partial_key_hint": "sk-…", "workspace_id": "w",
                "principal": {"type": "user_actor", "user_id": "u"},
                "scope": {"type": "workspace", "workspace_id": "w"},
            },
            last_id="k",
        ),
        frozenset({"data", "has_more", "data[0].id", "data[0].status", "data[0].created_at"}),
        {},
        frozenset({"data[0].created_at", "data[0].expires_at"}),
    ),
    "users": Model(
        decoding.users_page,
        listing({"id": "u", "name": "U", "email": "u@b.c", "role": "admin", "added_at": MADE}, last_id="u"),
        frozenset({"data", "has_more", "data[0].id", "data[0].added_at"}),
        {},
        frozenset({"data[0].added_at"}),
    ),
    "invites": Model(
        decoding.invites_page,
        listing(
            {"id": "i", "email": "u@b.c", "role": "user", "status": "pending", "invited_at": MADE, "expires_at": MADE},
            last_id="i",
        ),
        frozenset({
            "data", "has_more", "data[0].id", "data[0].status", "data[0].invited_at", "data[0].expires_at",
        }),
        {},
        frozenset({"data[0].invited_at", "data[0].expires_at"}),
    ),
    "analytics cost": Model(
        decoding_analytics.cost_page(FROM, FROM + timedelta(hours=1)),
        listing(
            {
                **SPAN,
                "group": {**GROUP, "cost_type": "tokens", "token_type": "output_tokens"},
                "cost": {"amount": "123.450000", "list_amount": "137.16", "currency": "USD", "requests": 3},
            },
            data_refreshed_at=MADE,
            next_page=None,
        ),
        frozenset({
            "data", "data[0].starting_at", "data[0].ending_at", "data[0].group", "data[0].cost",
            "data[0].cost.amount", "data[0].cost.currency",
        }),
        {
            "data[0].cost.amount": lambda answer: answer.page.items[0].amount,
            "data[0].cost.list_amount": lambda answer: answer.page.items[0].list_amount,
        },
        frozenset({"data[0].starting_at", "data[0].ending_at", "data_refreshed_at"}),
    ),
    "analytics usage": Model(
        decoding_analytics.usage_page(FROM, FROM + timedelta(hours=1)),
        listing(
            {**SPAN, "group": GROUP, "usage": {**USAGE_FIGURES, "total_tokens": 15, "requests": 7}},
            data_refreshed_at=MADE,
            next_page=None,
        ),
        frozenset({"data", "data[0].starting_at", "data[0].ending_at", "data[0].group", "data[0].usage"}),
        {},
        frozenset({"data[0].starting_at", "data[0].ending_at", "data_refreshed_at"}),
    ),
    "spend limits": Model(
        decoding_limits.spend_limits_page,
        {
            "data": [
                {
                    "id": "spl", "scope": {"type": "user", "user_id": "u"}, "is_enabled": True, "created_at": MADE,
                    "updated_at": MADE, **LIMIT,
                }
            ],
            "next_page": None,
        },
        frozenset({
            "data", "data[0].id", "data[0].scope", "data[0].currency", "data[0].period", "data[0].created_at",
            "data[0].updated_at",
        }),
        {"data[0].amount": lambda page: page.items[0].amount},
        frozenset({"data[0].created_at", "data[0].updated_at"}),
        credits=False,
    ),
    "effective spend limits": Model(
        decoding_limits.effective_spend_limits_page,
        {
            "data": [
                {
                    "actor": {
                        "type": "user_actor", "user_id": "u", "name": "U", "email_address": "u@b.c", "deleted": False,
                    },
                    "scope": {"type": "user", "user_id": "u"}, "source": {"type": "organization"},
                    "spend_limit_id": "spl", "period_to_date_spend": "12050.5", **LIMIT,
                }
            ],
            "next_page": None,
        },
        frozenset({
            "data", "data[0].actor", "data[0].currency", "data[0].period", "data[0].period_to_date_spend",
        }),
        {
            "data[0].amount": lambda page: page.items[0].amount,
            "data[0].period_to_date_spend": lambda page: page.items[0].period_to_date_spend,
        },
        frozenset(),
        credits=False,
    ),
    "rate limits": Model(
        decoding_limits.rate_limits_page("w"),
        {
            "data": [
                {
                    "rate_limit_id": "rl", "workspace_id": "w", "models": ["m"],
                    "group": {"type": "model_group", "id": "rlg", "display_name": "M"}, "group_type": "model_group",
                    "limits": [{"type": "rpm", "value": 1, "org_limit": 2, "source": {"type": "workspace"}}],
                }
            ],
            "next_page": None,
        },
        frozenset({"data", "data[0].limits", "data[0].limits[0].type", "data[0].models[0]"}),
        {},
        frozenset(),
    ),
    "workspace members": Model(
        decoding_limits.members_page("w"),
        listing({"user_id": "u", "workspace_id": "w", "workspace_role": "user"}, last_id="u"),
        frozenset({"data", "has_more", "data[0].user_id"}),
        {},
        frozenset(),
    ),
}  # fmt: skip
MONEY = [(name, place) for name, model in MODELS.items() for place in model.money]
MOMENTS = [(name, place) for name, model in MODELS.items() for place in sorted(model.moments)]

models = pytest.mark.parametrize("name", MODELS)


def text_of(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place below the top, deepest last."""
    steps: list[str | int] = []
    if isinstance(value, dict):
        steps = list(value)
    elif isinstance(value, list):
        steps = list(range(len(value)))
    for step in steps:
        yield (*path, step)
        yield from places(value[step], (*path, step))


def at(model: Model, place: str) -> Path:
    return next(path for path in places(model.example) if text_of(path) == place)


def changed(example: dict[str, Any], path: Path, change: Callable[[Any, Any], None]) -> bytes:
    """The example as JSON, with something done to what holds the place."""
    body = copy.deepcopy(example)
    holder: Any = body
    for step in path[:-1]:
        holder = holder[step]
    change(holder, path[-1])
    return json.dumps(body).encode()


def with_value(example: dict[str, Any], path: Path, token: str) -> bytes:
    """The example with this very JSON text at the place."""
    body = changed(example, path, lambda holder, step: holder.__setitem__(step, "@@"))
    return body.replace(b'"@@"', token.encode())


def refusal(model: Model, body: bytes) -> str | None:
    """What is said against the body; None when it is read. Any other exception is a failure."""
    try:
        model.decode(body)
    except WireError as error:
        return str(error)
    return None


def strewn(value: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """The same JSON with its fields in another order and unknown ones among them."""
    if isinstance(value, list):
        return [strewn(each, draw) for each in value]
    if not isinstance(value, dict) or set(value) == {"team"}:  # tags are open: any field of them has a meaning
        return value
    fields = [(name, strewn(each, draw)) for name, each in value.items()]
    news = draw(st.lists(st.sampled_from([("x_new", 1), ("x_more", {"a": [None]}), ("x_none", None)]), max_size=2))
    return dict(draw(st.permutations(fields + news)))


@models
@settings(max_examples=40)
@given(data=st.data())
def test_order_and_unknown_fields_change_nothing(name: str, data: st.DataObject) -> None:
    model = MODELS[name]
    body = json.dumps(strewn(model.example, data.draw)).encode()
    assert model.decode(body) == model.decode(json.dumps(model.example).encode())


@models
@pytest.mark.parametrize("gone", ["missing", "null"])
def test_what_is_missing_or_null_is_borne_unless_it_is_money_time_or_identity(name: str, gone: str) -> None:
    model = MODELS[name]
    refused = set()
    for path in places(model.example):
        if gone == "missing" and isinstance(path[-1], int):
            continue
        if gone == "missing":
            body = changed(model.example, path, lambda holder, step: holder.pop(step))
        else:
            body = changed(model.example, path, lambda holder, step: holder.__setitem__(step, None))
        complaint = refusal(model, body)
        if complaint is not None:
            assert complaint.startswith(f"{text_of(path)}: ")
            refused.add(text_of(path))
    # An entry of a list cannot be missing, and none may be null.
    entries = {text_of(path) for path in places(model.example) if isinstance(path[-1], int)}
    assert refused - entries == model.required - entries
    assert refused & entries == (entries if gone == "null" else set())


@models
@settings(max_examples=40)
@given(data=st.data())
def test_a_value_of_another_type_is_read_or_refused_with_its_place(name: str, data: st.DataObject) -> None:
    model = MODELS[name]
    path = data.draw(st.sampled_from(list(places(model.example))))
    odd = data.draw(st.sampled_from(['""', '"x"', "-1", "1.5", "1e400", "9" * 25, "true", "[]", "{}", '[{"a": 1}]']))
    complaint = refusal(model, with_value(model.example, path, odd))
    assert complaint is None or text_of(path) in complaint


plain = st.from_regex(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,14})?", fullmatch=True)
senseless = st.one_of(
    st.sampled_from([
        "nan", "-inf", "1e-400", " ", "1 ", "+1", "1,5", "1.", ".5", "0x10", "1_000", "１２", "null", "true", "--1",
        "1." + "3" * 80, "1e5000",
    ]),
    st.text(max_size=8).filter(lambda text: re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", text) is None),
)  # fmt: skip


@pytest.mark.parametrize(("name", "place"), MONEY)
@settings(max_examples=40)
@given(amount=plain, as_number=st.booleans())
def test_a_plain_amount_is_read_to_the_nano_dollar_as_a_string_and_as_a_number(
    name: str, place: str, amount: str, as_number: bool
) -> None:
    model = MODELS[name]
    body = with_value(model.example, at(model, place), amount if as_number else json.dumps(amount))
    expected = round(Fraction(Decimal(amount)) * 10**7)
    if expected < 0 and not model.credits:
        assert (refusal(model, body) or "").startswith(f"{place}: ")
    else:
        assert model.money[place](model.decode(body)) == expected


@pytest.mark.parametrize(("name", "place"), MONEY)
@settings(max_examples=40)
@given(amount=senseless)
def test_what_is_no_amount_is_refused_with_its_place(name: str, place: str, amount: str) -> None:
    model = MODELS[name]
    body = with_value(model.example, at(model, place), json.dumps(amount))
    assert (refusal(model, body) or "").startswith(f"{place}: ")


@pytest.mark.parametrize(("name", "place"), MONEY)
@pytest.mark.parametrize("amount", ["NaN", "1e400", "9" * 25, "", "amount", "Infinity"])
def test_hostile_amounts_are_refused_with_their_place(name: str, place: str, amount: str) -> None:
    model = MODELS[name]
    with pytest.raises(WireError) as refused:
        model.decode(with_value(model.example, at(model, place), json.dumps(amount)))
    assert str(refused.value).startswith(f"{place}: ")


@pytest.mark.parametrize(("name", "place"), MONEY)
@pytest.mark.parametrize(("amount", "nano"), [("-0", 0), ("0." + "3" * 24, 3_333_333), ("12", 120_000_000)])
def test_odd_but_plain_amounts_are_read_exactly_as_strings_and_as_numbers(name, place, amount, nano) -> None:
    model = MODELS[name]
    for token in (json.dumps(amount), amount):
        assert model.money[place](model.decode(with_value(model.example, at(model, place), token))) == nano


@pytest.mark.parametrize(("name", "place"), MOMENTS)
@pytest.mark.parametrize(
    "moment", ['"2026-11-19T00:00:00"', '"2026-11-19"', '""', '"soon"', "1793491200", "true", '"2026-13-01T00:00:00Z"']
)
def test_a_moment_without_a_zone_or_sense_is_refused_with_its_place(name: str, place: str, moment: str) -> None:
    model = MODELS[name]
    with pytest.raises(WireError) as refused:
        model.decode(with_value(model.example, at(model, place), moment))
    assert str(refused.value).startswith(f"{place}: ")


@models
@settings(max_examples=20)
@given(cut=st.floats(0, 0.99))
def test_half_an_answer_is_no_answer(name: str, cut: float) -> None:
    model = MODELS[name]
    body = json.dumps(model.example).encode()
    with pytest.raises(WireError) as refused:
        model.decode(body[: int(len(body) * cut)])
    assert refused.value.cut


def test_estimates_of_claude_code_that_no_organization_could_have_are_refused_before_their_sums_leave_64_bits() -> None:
    model = copy.deepcopy(MODELS["claude code"])
    row = model.example["data"][0]
    row["model_breakdown"] = [
        {"model": name, "estimated_cost": {"amount": "6" + "0" * 9, "currency": "USD"}} for name in "ab"
    ]
    with pytest.raises(WireError, match=r"^data\[0\].model_breakdown: the estimates of one page"):
        model.decode(json.dumps(model.example).encode())


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_a_text_that_no_database_could_hold_is_refused_as_it_is_read(model: Model) -> None:
    body = json.dumps(model.example | {"type": "\ud800"}).encode()
    with pytest.raises(WireError):
        model.decode(body)
    assert model.decode(json.dumps(model.example | {"type": "\U0001f600 \\ud800"}).encode()) is not None


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_a_nul_that_postgresql_could_not_hold_is_read_as_no_character(model: Model) -> None:
    changed = (
        json.dumps(model.example).replace('"name": "', '"name": "\\u0000').replace('"model": "', '"model": "\\u0000')
    )
    assert r"\x00" not in repr(model.decode(changed.encode()))


def test_a_backslash_before_what_looks_like_a_nul_stays() -> None:
    body = rb'{"id": "\\u0000 \\\u0000 \u0000\u0000", "name": null}'
    assert decoding.organization(body).id == "\\u0000 \\\ufffd \ufffd\ufffd"
