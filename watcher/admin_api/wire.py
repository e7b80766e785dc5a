"""The Admin API's JSON, as pydantic reads it: lenient in everything but money, time and counts.

Unknown fields are passed over, unknown values of enumerations are strings like the known ones, and what is
optional may be null or missing. Amounts are strings of cents (numbers are taken by their own text, never
through a float) in USD; moments carry a zone; counts are not negative. Rows are TypedDicts rather than
models because a page holds tens of thousands of them.
"""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Generic, NoReturn, NotRequired, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from rules.money import parse_cents

T = TypeVar("T")

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class WireError(ValueError):
    """A body that cannot be read; `cut` when it is not even whole JSON, so that asking again may help."""

    def __init__(self, message: str, *, cut: bool = False) -> None:
        super().__init__(message)
        self.cut = cut


def parse_moment(value: object) -> datetime:
    """An ISO 8601 moment with its zone, as UTC. ValueError otherwise."""
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError("not a moment in time")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a moment outside the calendar") from None


def _parse_amount(value: object) -> int:
    """Nano-dollars of an amount of cents, given as a string or as a number with its own text kept."""
    if isinstance(value, str):
        return parse_cents(value)
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return parse_cents(str(value))
    raise ValueError("not an amount of cents")


def _require_usd(value: object) -> str:
    if isinstance(value, str) and value.upper() == "USD":
        return "USD"
    raise ValueError(f"a currency other than USD: {str(value)[:12]!a}")


def _zero_for_null(value: object) -> object:
    return 0 if value is None else value


Moment = Annotated[datetime, PlainValidator(parse_moment)]
Nano = Annotated[int, PlainValidator(_parse_amount)]
Usd = Annotated[str, PlainValidator(_require_usd)]
# No row of any organization's hour comes near 10**12 tokens, and at the dearest price they still fit in nano-dollars.
Count = Annotated[int, Field(ge=0, le=10**12)]
# A search costs as much as thousands of tokens.
Searches = Annotated[int, Field(ge=0, le=10**9)]
CountOrNone = Annotated[Count, BeforeValidator(_zero_for_null)]
Text = str | None
# Read up to the first bad entry: to complain of each of a long list would take hundreds of times its size.
Listed = Annotated[list[T], Field(fail_fast=True)]


class CacheCreation(TypedDict, total=False):
    """Tokens written to the cache, by how long they live."""

    ephemeral_1h_input_tokens: Count | None
    ephemeral_5m_input_tokens: Count | None


class ServerToolUse(TypedDict, total=False):
    """Calls of tools that the API runs itself."""

    web_search_requests: Searches | None


class UsageResult(TypedDict, total=False):
    """One row of usage_report/messages."""

    api_key_id: Text
    workspace_id: Text
    model: Text
    service_tier: Text
    context_window: Text
    inference_geo: Text
    speed: Text
    uncached_input_tokens: Count | None
    cache_read_input_tokens: Count | None
    cache_creation: CacheCreation | None
    output_tokens: Count | None
    server_tool_use: ServerToolUse | None


class UsageSlice(TypedDict):
    """One time bucket of usage."""

    starting_at: Moment
    ending_at: Moment
    results: Listed[UsageResult]


class CostMoney(TypedDict):
    """What every row of cost_report must have."""

    amount: Nano
    currency: Usd


class CostResult(CostMoney, total=False):
    """One row of cost_report."""

    workspace_id: Text
    description: Text
    cost_type: Text
    model: Text
    service_tier: Text
    token_type: Text
    context_window: Text
    inference_geo: Text
    speed: Text


class CostSlice(TypedDict):
    """One UTC day of cost."""

    starting_at: Moment
    ending_at: Moment
    results: Listed[CostResult]


class ReportPage(TypedDict, Generic[T]):
    """A page of a report. `has_more` alone says whether there is another."""

    data: Listed[T]
    has_more: bool
    next_page: NotRequired[str | None]


class ListPage(TypedDict, Generic[T]):
    """A page of a directory, continued after its `last_id`."""

    data: Listed[T]
    has_more: bool
    last_id: NotRequired[str | None]


class Wire(BaseModel):
    """Entries that come by the hundred, not by the ten thousand."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Reference(Wire):
    """A user, service account or workspace that something points to, in any of the shapes in use."""

    type: Text = None
    id: Text = None
    user_id: Text = None
    service_account_id: Text = None
    workspace_id: Text = None

    @property
    def named(self) -> str | None:
        """The id of the person or account, whichever field it came in."""
        return self.id or self.user_id or self.service_account_id


class WireOrganization(Wire):
    """organizations/me."""

    id: str
    name: Text = None


class WireWorkspace(Wire):
    """An entry of workspaces."""

    id: str
    name: Text = None
    created_at: Moment
    archived_at: Moment | None = None
    tags: dict[str, Text] | None = None


class WireApiKey(Wire):
    """An entry of api_keys, in both shapes: with `workspace_id`, with `scope`, or with both."""

    id: str
    name: Text = None
    status: str
    created_at: Moment
    expires_at: Moment | None = None
    created_by: Reference | None = None
    principal: Reference | None = None
    partial_key_hint: Text = None
    workspace_id: Text = None
    scope: Reference | None = None


class WireUser(Wire):
    """An entry of users."""

    id: str
    name: Text = None
    email: Text = None
    role: Text = None
    added_at: Moment


class WireInvite(Wire):
    """An entry of invites."""

    id: str
    email: Text = None
    role: Text = None
    status: str
    invited_at: Moment
    expires_at: Moment


class ClaudeCodeActor(Wire):
    """A person by e-mail address, or a key by name."""

    type: Text = None
    email_address: Text = None
    api_key_name: Text = None


class LinesOfCode(Wire):
    """Lines that Claude Code added and removed."""

    added: CountOrNone = 0
    removed: CountOrNone = 0


class CoreMetrics(Wire):
    """What came out of the sessions."""

    num_sessions: CountOrNone = 0
    lines_of_code: LinesOfCode | None = None
    commits_by_claude_code: CountOrNone = 0
    pull_requests_by_claude_code: CountOrNone = 0


class ClaudeCodeTokens(Wire):
    """Tokens of one model."""

    input: CountOrNone = 0
    output: CountOrNone = 0
    cache_read: CountOrNone = 0
    cache_creation: CountOrNone = 0


class EstimatedCost(Wire):
    """The API's own estimate."""

    amount: Nano
    currency: Usd


class ClaudeCodeModelUse(Wire):
    """One entry of model_breakdown."""

    model: Text = None
    tokens: ClaudeCodeTokens | None = None
    estimated_cost: EstimatedCost


class WireClaudeCode(Wire):
    """One row of usage_report/claude_code."""

    date: Moment
    actor: ClaudeCodeActor
    customer_type: Text = None
    subscription_type: Text = None
    terminal_type: Text = None
    is_remote: bool | None = None
    core_metrics: CoreMetrics
    model_breakdown: Listed[ClaudeCodeModelUse] | None = None


def read_fast(adapter: TypeAdapter[T], body: bytes) -> T:
    """`body` as pydantic's own JSON parser reads it: for what carries no money as a JSON number. Raises WireError."""
    try:
        return adapter.validate_json(_without_nul(body))
    except ValidationError as error:
        raise _wire_error(error) from None


def read_exactly(adapter: TypeAdapter[T], body: bytes) -> T:
    """`body` with every number kept as it was written, so that an amount never passes a float. Raises WireError."""
    try:
        answer = json.loads(_without_nul(body), parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise WireError("the answer is not whole JSON", cut=True) from None
    if _SURROGATE.search(body) and _half_a_character(answer):
        raise WireError("the answer has half a character (a lone surrogate) in a text")
    try:
        return adapter.validate_python(answer)
    except ValidationError as error:
        raise _wire_error(error) from None


def _without_nul(body: bytes) -> bytes:
    """The body with U+FFFD for every NUL in its texts, which PostgreSQL cannot hold: a name may say anything."""
    return _NUL.sub(rb"\1\\ufffd", body) if b"\\u0000" in body else body


def _half_a_character(answer: object) -> bool:
    """Whether a text in the answer is none that UTF-8 can write: Python's own parser lets it pass, no database does."""
    try:
        json.dumps(answer, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return True
    return False


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _wire_error(error: ValidationError) -> WireError:
    """The first complaint with its place; what came is quoted only where the message itself bounds it."""
    first, count = error.errors(include_url=False, include_input=False)[0], error.error_count()
    if first["type"] == "json_invalid":
        return WireError("the answer is not whole JSON", cut=True)
    place = ""
    for step in first["loc"]:
        place += f"[{step}]" if isinstance(step, int) else f".{step}"
    more = f" (and {count - 1} more)" if count > 1 else ""
    said = _COMPLAINTS.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    return WireError(f"{place.lstrip('.') or 'the answer'}: {said}{more}")


_COMPLAINTS = {
    "dict_type": "not an object",
    "model_type": "not an object",
    "dataclass_type": "not an object",
    "list_type": "not a list",
    "string_type": "not a text",
}
"""In the words of JSON what pydantic says in those of Python, its own names of our types among them."""
