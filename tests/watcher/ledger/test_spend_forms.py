"""The report cut to its dearest rows, and as CSV."""

import csv
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import CONSOLE, Names
from rules.money import parse_usd
from watcher.ledger import Previous, SpendReport, SpendRow
from watcher.ledger.spend_csv import defused, spend_csv
from watcher.ledger.spend_json import spend_json
from watcher.ledger.top import top_rows

NOW = datetime(2026, 11, 20, 10, 37, tzinfo=UTC)
MONTH = datetime(2026, 11, 1, tzinfo=UTC)
COSTS = st.lists(st.integers(1, 10**15), max_size=30)


def row(ident: str, cost: int, start: datetime | None = None) -> SpendRow:
    return SpendRow(
        start,
        (("api_key", ident),),
        cost // 3,
        1,
        cost - cost // 3 - 1,
        (cost % 97, 0, 5, 0, 1),
        2,
        cost // 2,
        (cost, 0),
    )


def bare(rows: tuple[SpendRow, ...]) -> SpendReport:
    zero = SpendRow(None, (), 0, 0, 0, (0,) * 5, 0)
    return SpendReport(MONTH, NOW, ("api_key",), "total", NOW, rows, zero, Names(), frozenset())


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


@given(COSTS, st.integers(1, 40))
def test_the_top_rows_and_the_others_sum_to_what_all_rows_sum_to(costs: list[int], most: int) -> None:
    whole = bare(tuple(row(f"key_{number}", cost) for number, cost in enumerate(sorted(costs, reverse=True))))
    top = top_rows(whole, most)
    assert top.rows[:most] == whole.rows[:most]
    assert len(top.rows) == min(len(costs), most + 1)
    for figure in ("cost", "settled", "provisional", "estimated", "web_searches", "previous"):
        assert sum(getattr(one, figure) for one in top.rows) == sum(getattr(one, figure) for one in whole.rows)
    for several in ("tokens", "trend"):
        sums = [
            [sum(kind) for kind in zip(*(getattr(one, several) for one in some.rows), strict=True)]
            for some in (top, whole)
        ]
        assert sums[0] == sums[1]
    assert sum(one.merged or 1 for one in top.rows) == len(costs)


def test_every_slice_keeps_its_own_top_rows() -> None:
    days = [MONTH, MONTH.replace(day=2)]
    rows = tuple(row(f"key_{number}", 9 - number, day) for day in days for number in range(3))
    top = top_rows(replace(bare(rows), bucket="day"), 1)
    assert [(one.start, one.of("api_key"), one.merged) for one in top.rows] == [
        (days[0], "key_0", 0),
        (days[0], None, 2),
        (days[1], "key_0", 0),
        (days[1], None, 2),
    ]


def test_others_know_what_they_cost_before_only_if_each_of_them_does() -> None:
    rows = (row("a", 3), row("b", 2), replace(row("c", 1), previous=None))
    assert top_rows(bare(rows), 1).rows[-1].previous is None


def test_fewer_than_one_row_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        top_rows(bare(()), 0)


def test_others_are_a_kind_of_row_in_json_and_say_how_many_they_are() -> None:
    document = spend_json(top_rows(bare((row("a", 3), row("b", 2), row("c", 1))), 1))
    others = document["rows"][-1]
    assert (others["api_key"], others["kind"], others["merged"]) == (None, "others", 2)
    assert "merged" not in document["rows"][0]


def test_csv_has_a_line_a_row_with_exact_money_and_no_total() -> None:
    rows = (row("key_a", parse_usd("1.000000003")), row(CONSOLE, 9))
    text = spend_csv(replace(bare(rows), names=Names({"key_a": 'a "b", c'})))
    first, second = table(text)
    assert text.splitlines()[0] == (
        "api_key,api_key_name,kind,cost_usd,settled_usd,provisional_usd,estimated_usd,"
        "uncached_input,cache_read,cache_write_5m,cache_write_1h,output,web_searches"
    )
    assert (first["api_key"], first["api_key_name"], first["kind"]) == ("key_a", 'a "b", c', "")
    assert first["cost_usd"] == "1.000000003"
    assert (second["api_key"], second["kind"], second["cost_usd"]) == ("", "console", "0.000000009")
    assert (second["cache_write_5m"], second["web_searches"]) == ("5", "2")


def test_csv_says_when_a_slice_begins_and_what_was_spent_before() -> None:
    day = spend_csv(replace(bare((row("a", 4, MONTH),)), bucket="day"))
    assert table(day)[0]["start"] == "2026-11-01T00:00:00Z"
    rows = (row("a", 300), replace(row("b", 3), previous=0), replace(row("c", 3), previous=None))
    compared = table(spend_csv(replace(bare(rows), previous=Previous(MONTH, NOW, 7))))
    assert [(one["previous_usd"], one["change_percent"]) for one in compared] == [
        ("0.00000015", "100.0"),
        ("0", ""),
        ("", ""),
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "\v@x"])
def test_a_name_that_a_spreadsheet_would_run_gets_an_apostrophe(name: str) -> None:
    (line,) = table(spend_csv(replace(bare((row("key_a", 1),)), names=Names({"key_a": name}))))
    assert line["api_key_name"].startswith("'")
    assert line["api_key_name"].endswith(name.strip())


@given(st.text())
def test_no_text_is_a_formula_or_breaks_its_line(text: str) -> None:
    cell = defused(text)
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    assert len(cell.splitlines()) <= 1
    assert not any(char in cell for char in "\x1b\t\r\n\u202e")


def test_an_ordinary_name_and_a_negative_amount_stay_as_they_are() -> None:
    credit = replace(row("key_a", 1), settled=-5 * 10**9, provisional=0, estimated=0)
    (line,) = table(spend_csv(replace(bare((credit,)), names=Names({"key_a": "ci-runner"}))))
    assert (line["api_key_name"], line["cost_usd"]) == ("ci-runner", "-5")
