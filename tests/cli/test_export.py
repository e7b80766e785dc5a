"""`watcher export focus` as a person calls it."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.conftest import Town
from tests.stage import here, write_config
from watcher.ledger.focus_csv import COLUMNS

WINDOW = ("--from", "2026-11-12", "--to", "2026-11-19T10:00Z")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


@pytest.mark.parametrize("more", [(), ("--hourly",)])
def test_the_file_sums_to_what_spend_says_key_by_key(more: tuple[str, ...], town: Town) -> None:
    code, out, err = here("export", "focus", "-c", town.config, *WINDOW, *more)
    assert (code, err) == (0, "")
    assert tuple(out.splitlines()[0].split(",")) == COLUMNS
    sums: Counter[tuple[str, str]] = Counter()
    for row in rows_of(out):
        key = row["ResourceId"] or row["x_Attribution"]
        sums[row["SubAccountId"].strip("()"), key] += Decimal(row["BilledCost"])  # type: ignore[assignment]
    spent = json.loads(here("spend", "-c", town.config, *WINDOW, "--by", "workspace", "--by", "api_key", "--json")[1])
    wanted: Counter[tuple[str, str]] = Counter()
    for row in spent["rows"]:
        key = row["api_key"] or ("unattributed" if row.get("kind") == "unattributed" else "console")
        wanted[row["workspace"] or "default", key] += Decimal(row["cost_usd"])  # type: ignore[assignment]
    assert {which: amount for which, amount in sums.items() if amount} == wanted


def test_a_file_is_replaced_whole_and_says_the_same_as_standard_output(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "november.csv"
    file.write_text("the old one")
    code, out, err = here("export", "focus", "-c", town.config, *WINDOW, "--output", file)
    assert (code, out, err) == (0, "", f"{file} is written.\n")
    assert file.read_text() == here("export", "focus", "-c", town.config, *WINDOW)[1]
    assert [path.name for path in tmp_path.iterdir()] == ["november.csv"]


def test_a_window_without_spend_is_a_header_alone(town: Town) -> None:
    code, out, _ = here("export", "focus", "-c", town.config, "--from", "2020-01-01", "--to", "2020-02-01")
    assert (code, out) == (0, ",".join(COLUMNS) + "\n")


def test_what_cannot_be_done_is_one_sentence_and_a_code(town: Town, tmp_path: Path) -> None:
    nowhere = tmp_path / "no" / "file.csv"
    code, _, err = here("export", "focus", "-c", town.config, *WINDOW, "-o", nowhere)
    assert (code, err) == (1, f"{nowhere} cannot be written: no such file or directory.\n")
    code, _, err = here("export", "focus", "-c", town.config, "--from", "2026-11-02", "--to", "2026-11-01")
    assert code == 2
    assert err.startswith("--from must be before --to")
    code, _, err = here("export", "focus", "-c", town.config, "--organization", "somebody")
    assert code == 2
    assert "No organization is called 'somebody'" in err
    code, _, err = here("export", "focus", "-c", write_config(tmp_path / "new", "http://127.0.0.1:9"))
    assert code == 1
    assert "there is no database" in err


def test_history_is_written_whole_and_what_is_not_settled_is_said(town: Town, tmp_path: Path) -> None:
    window = ("--from", "2026-11-12", "--to", "2026-11-20")
    code, out, err = here("export", "openmetrics", "-c", town.config, *window)
    assert code == 0
    assert out.startswith("# TYPE watcher_hourly_spend_usd gauge\n")
    assert out.endswith("\n# EOF\n")
    days = {
        datetime.fromtimestamp(int(line.split()[-1]) - 1, UTC).date() for line in out.splitlines() if line[0] != "#"
    }
    assert days == {date(2026, 11, day) for day in range(12, 18)}
    assert err == "Not in it: 2 days not settled yet (2026-11-18 to 2026-11-19).\n"
    file = tmp_path / "history.om"
    assert here("export", "openmetrics", "-c", town.config, *window, "-o", file)[0] == 0
    assert file.read_text() == out
    for empty in (
        ("2020-01-01", "2020-02-01"),
        ("2027-01-01", "2027-02-01"),
        ("2026-11-12T09:30Z", "2026-11-12T10:30Z"),
    ):
        code, out, err = here("export", "openmetrics", "-c", town.config, "--from", empty[0], "--to", empty[1])
        assert (code, len(out.splitlines())) == (0, 7)
        assert err == "There is no hour in it: none of what this window has is settled, or it has nothing.\n"
    assert here("export", "openmetrics", "-c", town.config, "--from", "yesterday")[0] == 2
