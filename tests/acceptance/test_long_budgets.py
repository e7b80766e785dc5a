"""A quarter and a fiscal year from the API to the command line, over a restart."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from tests.stage import CLOCK, NOW, here, write_config
from watcher.simulator import Simulator, World

BUDGETS = """
[[budget]]
name = "quarter"
period = "quarter"
year_start = "september"
per = ["api_key"]
limit_usd = 1000000
[[budget]]
name = "year"
period = "year"
year_start = "july"
timezone = "Asia/Kolkata"
limit_usd = 1
"""
LATER = CLOCK.replace("T12:20", "T12:40")


def lines(config: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """What is spent and settled of each budget and key."""
    _, out, _ = here("budgets", "--json", "--all", "-c", config)
    (organization,) = json.loads(out)["organizations"]
    return {
        (line["budget"], line["scope"].get("api_key", "")): (line["spent_usd"], line["settled_usd"])
        for line in organization["budgets"]
    }


def report(config: Path, start: str, *by: str) -> list[dict[str, str]]:
    """What `watcher spend` says of the hours from `start` on."""
    _, out, _ = here("spend", "--json", "--from", start, *by, "-c", config)
    rows: list[dict[str, str]] = json.loads(out)["rows"]
    return rows


def test_long_budgets_say_what_a_report_says_and_tell_once(tmp_path: Path) -> None:
    with Simulator(World(started_at=NOW - timedelta(hours=5), keys=6, days=150), lambda: NOW) as served:
        config = write_config(tmp_path, served.url, BUDGETS, backfill="145d")
        assert here("poll", "-c", config)[0] == 0
        first = lines(config)
        told = json.loads(here("status", "--json", "-c", config)[1])["alerts"]
        assert here("poll", "-c", config, clock=LATER)[0] == 0
    with closing(sqlite3.connect(tmp_path / "watcher.db")) as connection:
        assert connection.execute("SELECT count(*) FROM day_sums").fetchone()[0] >= 140
    spent = [(row["cost_usd"], row["settled_usd"]) for row in report(config, "2026-09-01", "--by", "api_key")]
    assert sorted(figures for (name, _), figures in first.items() if name == "quarter") == sorted(spent)
    # In Kolkata the first of July begins at half past six the evening before, so its first hour is that from seven on.
    (year,) = report(config, "2026-06-30T19:00Z", "--by", "organization")
    assert first["year", ""] == (year["cost_usd"], year["settled_usd"])
    assert {alert["rule"] for alert in told} == {"year"}
    assert lines(config).keys() == first.keys()
    again = json.loads(here("status", "--json", "-c", config)[1])["alerts"]
    assert [alert["id"] for alert in again] == [alert["id"] for alert in told]


def test_check_says_what_a_long_budget_needs(tmp_path: Path) -> None:
    code, _, told = here("check", "-c", write_config(tmp_path, "http://127.0.0.1:9", BUDGETS, backfill="60d"))
    assert code == 0
    assert 'poll.backfill = "95d"' in told
    assert 'poll.backfill = "365d"' in told
