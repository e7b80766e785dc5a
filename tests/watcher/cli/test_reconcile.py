from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from rules.model import DEFAULT_WORKSPACE, Names
from tests.stage import here, write_config
from watcher.admin_api.answers import CostBucket, CostRow, UsageBucket, UsageRow
from watcher.cli.reconcile_table import show
from watcher.ledger.reconciliation_forms import reconciliation_json
from watcher.ledger.reconciliation_report import Reconciled, ReconciliationReport, reconciliation_report
from watcher.pricing import PriceBook
from watcher.store import Store

ORG = "org_1"
NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
MONTH = datetime(2026, 11, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
USD = 1_000_000_000
OPUS = "claude-opus-5-5"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Eight days at $40 list each and $32 billed, but $48 on the 16th; then a provisional, a bare and an open day."""
    path = write_config(tmp_path, "http://127.0.0.1:1")
    with Store.open(f"sqlite:///{tmp_path / 'watcher.db'}") as store:
        store.organizations.bind("", ORG)
        for number in range(9, 21):
            day = MONTH + (number - 1) * DAY
            rows = (UsageRow("key_a", "w1", OPUS, "standard", "0-200k", "global", None, 10**7, 0, 0, 0, 0, 0),)
            store.usage.replace(ORG, [UsageBucket(day, day + HOUR, ("api_key_id", "workspace_id", "model"), rows)], NOW)
            if number < 19:
                amount = (48 if number == 16 else 32) * USD
                line = CostRow(
                    "w1", "a", "tokens", OPUS, "standard", "uncached_input_tokens", "0-200k", "global", None, amount
                )
                run = replace(line, cost_type="code_execution", model=None, token_type=None, amount=USD)
                store.costs.replace(ORG, [CostBucket(day, day + DAY, (line, run))], NOW)
    return path


@pytest.fixture
def report(config: Path) -> Iterator[ReconciliationReport]:
    with Store.open(f"sqlite:///{config.parent / 'watcher.db'}") as store:
        yield reconciliation_report(store, PriceBook(), ORG, MONTH, NOW, "total", NOW)


def test_settled_days_are_summed_beside_their_bill_and_the_rest_is_named(config: Path) -> None:
    code, out, _ = here("spend", "--reconcile", "-c", config)
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "Reconciliation of the UTC days 2026-11-01 to 2026-11-20"
    assert lines[2].split() == ["w1", "·", OPUS, "$288.00", "$304.00", "+$16.00", "+5.6", "%"]
    assert lines[3].split() == ["total", "$288.00", "$304.00", "+$16.00", "+5.6", "%"]
    assert "Settled: 2026-11-09 to 11-17." in lines
    assert "2026-11-18 (the bill may still change), 2026-11-19 (no bill yet)," in out
    assert "$9.00 billed for what has no tokens: code execution, session time." in out
    assert max(map(len, lines)) <= 80


def test_by_day_a_day_whose_bill_may_change_is_shown_and_not_summed(config: Path) -> None:
    _, out, _ = here("spend", "--reconcile", "--from", "2026-11-16", "--bucket", "day", "-c", config)
    rows = [line.split() for line in out.splitlines()]
    assert rows[2] == ["11-16", "w1", "·", OPUS, "$32.00", "$48.00", "+$16.00", "+50.0", "%"]
    assert rows[4][:2] == ["11-18", "*"]
    assert rows[5][0] == "total"
    assert rows[5][1:4] == ["$64.00", "$80.00", "+$16.00"]
    assert "* The bill of that day may still change: it is not in the total." in out


def test_nothing_settled_says_so(config: Path) -> None:
    _, out, _ = here("spend", "--reconcile", "--from", "2026-11-19", "-c", config)
    assert "No day of these is settled" in out
    assert "2026-11-19 (no bill yet), 2026-11-20 (not over yet)" in out


def test_json_has_exact_amounts_the_standing_of_each_day_and_what_is_left_out(config: Path) -> None:
    document = json.loads(here("spend", "--reconcile", "--json", "-c", config)[1])
    (row,) = document["rows"]
    assert row == {
        "days": 9,
        "workspace": "w1",
        "workspace_name": None,
        "model": OPUS,
        "estimated_usd": "288",
        "billed_usd": "304",
        "listed_usd": "360",
        "reported_usd": "304",
        "analytics_usd": None,
        "drift_usd": "16",
        "drift_percent": 5.56,
        "price_source": "learned",
    }
    assert [(each["why"], each["reported_usd"]) for each in document["left_out"]] == [("not_metered", "9")]
    assert document["total"]["drift_usd"] == "16"
    assert document["days"][-3:] == [
        {"day": "2026-11-18", "standing": "provisional"},
        {"day": "2026-11-19", "standing": "estimated"},
        {"day": "2026-11-20", "standing": "open"},
    ]


def test_csv_has_a_line_a_row_and_says_why_one_has_no_drift(config: Path) -> None:
    text = here("spend", "--reconcile", "--csv", "--bucket", "day", "--from", "2026-11-16", "-c", config)[1]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["day"], row["why"], row["drift_usd"]) for row in rows] == [
        ("2026-11-16", "compared", "16"),
        ("2026-11-17", "compared", "0"),
        ("2026-11-18", "compared", "0"),
        ("2026-11-16", "not_metered", ""),
        ("2026-11-17", "not_metered", ""),
        ("2026-11-18", "not_metered", ""),
    ]


@pytest.mark.parametrize(
    "more", [["--by", "model"], ["--top", "3"], ["--compare", "--json"], ["--bucket", "hour"], ["--csv", "--json"]]
)
def test_what_does_not_go_with_it_is_refused(config: Path, more: list[str]) -> None:
    code, out, err = here("spend", "--reconcile", *more, "-c", config)
    assert (code, out) == (2, "")
    assert "--" in err


def drawn(report: ReconciliationReport, width: int = 80) -> str:
    out = io.StringIO()
    show(report, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def line_of(report: ReconciliationReport, **changes: object) -> Reconciled:
    return replace(report.rows[0], **changes)


@pytest.mark.parametrize("name", ["[bold red]x[/]", "a\x1b[31mb", "a\nb", "ab\u202ecd", "x" * 300, "漢" * 90])
def test_a_hostile_name_is_one_harmless_line_within_80_columns(report: ReconciliationReport, name: str) -> None:
    rows = (line_of(report), line_of(report, model=name), line_of(report, workspace="w2"))
    text = drawn(replace(report, rows=rows, names=Names({"w2": name})))
    assert len(text.splitlines()) == len(drawn(replace(report, rows=report.rows * 3)).splitlines())
    assert not any(char in text for char in "\x1b\u202e")
    assert max(map(cell_len, text.splitlines())) <= 80


def test_the_analytics_have_a_column_and_differ_from_the_bill_by_name(report: ReconciliationReport) -> None:
    both = replace(report, rows=(line_of(report, analytics=300 * USD),), total=line_of(report, analytics=300 * USD))
    text = drawn(both)
    assert text.splitlines()[1].split() == [
        "workspace",
        "·",
        "model",
        "estimated",
        "reported",
        "analytics",
        "drift",
        "%",
    ]
    assert "the analytics' amounts differ from it by -$4.00." in text
    assert "analytics" not in drawn(both, 60).splitlines()[1]
    same = replace(both, total=line_of(report, analytics=report.rows[0].reported))
    assert "the analytics' amounts agree with it." in drawn(same)


def test_two_workspaces_of_one_name_are_told_apart(report: ReconciliationReport) -> None:
    rows = (line_of(report, workspace="wrkspc_000001"), line_of(report, workspace="wrkspc_000002"))
    text = drawn(replace(report, rows=rows, names=Names({"wrkspc_000001": "prod", "wrkspc_000002": "prod"})), 100)
    assert "prod (…000001)" in text
    assert "prod (…000002)" in text


def test_the_default_workspace_has_no_id_in_json(report: ReconciliationReport) -> None:
    rows = reconciliation_json(replace(report, rows=(line_of(report, workspace=DEFAULT_WORKSPACE),)))["rows"]
    assert (rows[0]["workspace"], rows[0]["workspace_name"]) == (None, None)
