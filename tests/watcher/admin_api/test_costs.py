"""The cost report is read whole, in exact nano-dollars, and never in another currency."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from watcher.admin_api import AdminReader, BadRequest, Malformed

DAY = timedelta(days=1)
START = datetime(2026, 11, 1, tzinfo=UTC)


def cost(amount: object, currency: object = "USD", **dimensions: object) -> dict[str, object]:
    return {"amount": amount, "currency": currency, **dimensions}


def days(*results: list[dict[str, object]], first: datetime = START, more: str | None = None) -> httpx.Response:
    data = [
        {
            "starting_at": (first + index * DAY).isoformat(),
            "ending_at": (first + (index + 1) * DAY).isoformat(),
            "results": rows,
        }
        for index, rows in enumerate(results)
    ]
    return httpx.Response(200, json={"data": data, "has_more": more is not None, "next_page": more})


def test_a_row_is_read_with_all_its_dimensions_and_cents_become_nano_dollars(wire_up) -> None:
    dimensions = {
        "workspace_id": "ws_1",
        "description": "Claude Opus 5 Usage - Input Tokens",
        "cost_type": "tokens",
        "model": "claude-opus-5",
        "service_tier": "standard",
        "token_type": "uncached_input_tokens",
        "context_window": "0-200k",
        "inference_geo": "us",
        "speed": "fast",
    }
    wired = wire_up(lambda _: days([cost("123.45", "usd", **dimensions, unheard_of={"a": 1})]))
    (bucket,) = AdminReader(wired.connection).costs(START, START + DAY)
    (row,) = bucket.rows
    assert {name: getattr(row, name) for name in dimensions} == dimensions
    assert row.amount == 1_234_500_000
    assert (bucket.starting_at, bucket.ending_at) == (START, START + DAY)


def test_costs_are_asked_for_by_day_workspace_and_description(wire_up) -> None:
    wired = wire_up(lambda _: days([], []))
    AdminReader(wired.connection).costs(START, START + DAY + timedelta(hours=3))
    assert wired.parameters() == [
        ("starting_at", "2026-11-01T00:00:00Z"),
        ("bucket_width", "1d"),
        ("limit", "31"),
        ("group_by[]", "workspace_id"),
        ("group_by[]", "description"),
        ("ending_at", "2026-11-03T00:00:00Z"),
    ]


def test_when_today_is_asked_for_no_end_is_sent(wire_up) -> None:
    wired = wire_up(lambda _: days([], []))
    assert len(AdminReader(wired.connection).costs(START, None)) == 2
    assert "ending_at" not in dict(wired.parameters())


def test_rows_that_share_all_dimensions_are_added_and_credits_taken_off(wire_up) -> None:
    rows = [
        cost("10", model="a"),
        cost("0.5", model="a"),
        cost("-2.25", model="a"),
        cost("7", model="b"),
        cost("7"),
    ]
    wired = wire_up(lambda _: days(rows))
    (bucket,) = AdminReader(wired.connection).costs(START, START + DAY)
    assert [(row.model, row.amount) for row in bucket.rows] == [
        ("a", 82_500_000),
        ("b", 70_000_000),
        (None, 70_000_000),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (cost("amount"), r"data\[0\].results\[1\].amount: not a decimal number of cents: 'amount'"),
        (cost("NaN"), r"data\[0\].results\[1\].amount"),
        (cost("Infinity"), r"data\[0\].results\[1\].amount"),
        (cost(""), r"data\[0\].results\[1\].amount"),
        (cost(None), r"data\[0\].results\[1\].amount: .*not an amount of cents"),
        (cost(True), r"data\[0\].results\[1\].amount: .*not an amount of cents"),
        (cost(["1"]), r"data\[0\].results\[1\].amount"),
        ({"currency": "USD"}, r"data\[0\].results\[1\].amount: Field required"),
        (cost("1", "EUR"), r"data\[0\].results\[1\].currency: .*a currency other than USD: 'EUR'"),
        (cost("1", None), r"data\[0\].results\[1\].currency"),
        ({"amount": "1"}, r"data\[0\].results\[1\].currency: Field required"),
        (cost("1", "currency"), r"data\[0\].results\[1\].currency"),
    ],
)
def test_money_that_is_none_is_refused_by_its_place(wire_up, row: dict[str, object], reason: str) -> None:
    wired = wire_up(lambda _: days([cost("1"), row]))
    with pytest.raises(Malformed, match=reason):
        AdminReader(wired.connection).costs(START, START + DAY)


@pytest.mark.parametrize("cents", ["5000000001", "-5000000001"])
def test_a_day_that_costs_more_than_any_could_is_refused_before_its_sum_leaves_64_bits(wire_up, cents: str) -> None:
    most = wire_up(lambda _: days([cost("5000000000"), cost("5000000000")]))
    (bucket,) = AdminReader(most.connection).costs(START, START + DAY)
    assert sum(row.amount for row in bucket.rows) == 10**17
    wired = wire_up(lambda _: days([cost("5000000000"), cost(cents)]))
    with pytest.raises(Malformed, match=r"data\[0\].results: the amounts of one day come to more than"):
        AdminReader(wired.connection).costs(START, START + DAY)


def test_an_amount_that_came_as_a_number_is_read_by_its_own_text(wire_up) -> None:
    body = days([cost("@")]).text.replace('"@"', "0.1000000000000000055511151231257827")
    wired = wire_up(lambda _: httpx.Response(200, text=body))
    (bucket,) = AdminReader(wired.connection).costs(START, START + DAY)
    assert bucket.rows[0].amount == 1_000_000


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_does_not_have_is_refused(wire_up, token: str) -> None:
    body = days([cost("@")]).text.replace('"@"', token)
    wired = wire_up(lambda _: httpx.Response(200, text=body), attempts=1)
    with pytest.raises(Malformed):
        AdminReader(wired.connection).costs(START, START + DAY)


def test_a_number_of_absurd_length_is_refused(wire_up) -> None:
    body = days([cost("@")]).text.replace('"@"', "9" * 10_000)
    wired = wire_up(lambda _: httpx.Response(200, text=body), attempts=1)
    with pytest.raises(Malformed) as failed:
        AdminReader(wired.connection).costs(START, START + DAY)
    assert len(str(failed.value)) < 300


@pytest.mark.parametrize(
    "moment",
    [
        "2026-11-01T00:00:00",
        "2026-11-01",
        1793491200,
        None,
        "soon",
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_a_moment_without_a_zone_or_sense_is_refused(wire_up, moment: object) -> None:
    data = [{"starting_at": moment, "ending_at": "2026-11-02T00:00:00Z", "results": []}]
    wired = wire_up(lambda _: httpx.Response(200, json={"data": data, "has_more": False}))
    with pytest.raises(Malformed, match=r"data\[0\].starting_at"):
        AdminReader(wired.connection).costs(START, START + DAY)


def test_a_missing_day_is_an_error(wire_up) -> None:
    answer = days([], []).json()
    del answer["data"][0]
    wired = wire_up(lambda _: httpx.Response(200, json=answer))
    with pytest.raises(Malformed, match=r"the bucket of 2026-11-01 00:00:00.* is missing"):
        AdminReader(wired.connection).costs(START, START + 2 * DAY)


def test_a_refusal_is_answered_with_fewer_days_and_the_same_grouping(wire_up, refuse) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        if int(asked["limit"]) > 7:
            return refuse(400, "too much")
        first = datetime.fromisoformat(asked.get("page", asked["starting_at"]))
        left = (datetime.fromisoformat(asked["ending_at"]) - first) // DAY
        following = (first + 7 * DAY).isoformat() if left > 7 else None
        return days(*([[cost("1")]] * min(left, 7)), first=first, more=following)

    wired = wire_up(handler)
    buckets = AdminReader(wired.connection).costs(START, START + 20 * DAY)
    assert len(buckets) == 20
    assert all(
        request.url.params.get_list("group_by[]") == ["workspace_id", "description"] for request in wired.requests
    )


def test_a_refusal_that_stays_is_told(wire_up, refuse) -> None:
    wired = wire_up(lambda _: refuse(400, "ending_at must be in the past"))
    with pytest.raises(BadRequest, match="ending_at must be in the past"):
        AdminReader(wired.connection).costs(START, START + DAY)
    assert len(wired.requests) == 3


def test_a_stale_cursor_does_not_lose_the_days_before_it(wire_up, refuse) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if "page" in request.url.params:
            return refuse(400, "page token has expired")
        first = datetime.fromisoformat(request.url.params["starting_at"])
        return days([cost("1")], first=first, more="x" if first < START + 2 * DAY else None)

    buckets = AdminReader(wire_up(handler).connection).costs(START, START + 3 * DAY)
    assert [bucket.starting_at for bucket in buckets] == [START, START + DAY, START + 2 * DAY]
