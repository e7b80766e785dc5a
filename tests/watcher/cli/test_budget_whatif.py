"""`watcher budgets what-if`: the past under another budget, from the database alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.stage import NOW, here, write_config
from watcher.simulator import Simulator, World

BUDGETS = """\
[[budget]]
name = "workspaces"
limit_usd = 40
thresholds = [30, 90]
per = ["workspace"]
[[budget]]
name = "any day"
period = "rolling 24h"
limit_usd = 40
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Hostile names and a history that is longer than what judgements look at; the API is gone afterwards."""
    world = World(started_at=NOW - timedelta(hours=5), seed=7, keys=4, days=90, hostile_names=True)
    with Simulator(world, lambda: NOW) as served:
        path = write_config(tmp_path_factory.mktemp("what-if"), served.url, BUDGETS, backfill="85d")
        assert here("poll", "-c", path)[0] == 0
    return path


def what_if(config: Path, *words: str) -> Any:
    code, out, err = here("budgets", "what-if", "-c", config, *words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def spent(config: Path, by: str, start: str, end: str) -> dict[str, str]:
    """By id; by kind where there is none."""
    report = json.loads(here("spend", "-c", config, "--by", by, "--from", start, "--to", end, "--json")[1])
    return {row[by] or row["kind"]: row["cost_usd"] for row in report["rows"] if row["cost_usd"] != "0"}


@pytest.mark.parametrize("by", ["workspace", "api_key"])
def test_what_each_scope_spent_is_what_spend_says_also_beyond_seventy_days(config: Path, by: str) -> None:
    periods = what_if(config, "--limit", "100", "--per", by, "--months", "2")["periods"]
    assert [each["period"] for each in periods] == ["September 2026", "October 2026", "November 2026"]
    for each in periods[:2]:
        found = {scope["scope"][by]: scope["spent_usd"] for scope in each["scopes"]}
        expected = spent(config, by, each["starts_at"], each["ends_at"])
        named = {ident: usd for ident, usd in expected.items() if "_" in ident and ident != "default_workspace"}
        assert named
        assert named.items() <= found.items()
        assert sorted(found.values()) == sorted(expected.values())


def test_the_running_period_is_crossed_when_the_alerts_say_so(config: Path) -> None:
    report = what_if(config, "--budget", "workspaces")
    alerts = json.loads(here("alerts", "-c", config, "--json")[1])
    listed = {
        alert["scope"]["workspace"]: alert["starts_at"]
        for alert in alerts
        if alert["rule"] == "workspaces" and "90" in alert["summary"]
    }
    running = report["periods"][-1]
    assert running["runs"]
    crossed = {each["scope"]["workspace"]: each["crossed_at"][1] for each in running["scopes"]}
    assert listed
    assert listed == {workspace: at for workspace, at in crossed.items() if at is not None}


def test_options_change_a_configured_budget_and_the_rest_stays(config: Path) -> None:
    report = what_if(config, "--budget", "workspaces", "--limit", "$8,000")
    assert (report["limit_usd"], report["per"], [mark["percent"] for mark in report["thresholds"]]) == (
        "8000",
        ["workspace"],
        [30.0, 90.0],
    )
    daily = what_if(config, "--budget", "any day", "--period", "day", "--thresholds", "50,$30", "--months", "1")
    assert (daily["period"], daily["limit_usd"]) == ("day", "40")
    assert [mark["amount_usd"] for mark in daily["thresholds"]] == ["20", "30"]
    assert len(daily["periods"]) == 51


def test_a_part_of_the_spend_is_replayed_alone(config: Path) -> None:
    one = next(iter(spent(config, "api_key", "2026-10-01", "2026-11-01")))
    report = what_if(config, "--limit", "10", "--select", f"api_key={one}", "--months", "1")
    assert report["periods"][0]["scopes"][0]["spent_usd"] == spent(config, "api_key", "2026-10-01", "2026-11-01")[one]


@pytest.mark.parametrize(
    "words",
    [
        ("--limit", "1500", "--thresholds", "60,90"),
        ("--limit", "40", "--per", "workspace", "--period", "week"),
        ("--limit", "5", "--per", "workspace,model", "--period", "day", "--thresholds", "10,20,30,40,50,60,70,$80"),
        ("--limit", "1", "--period", "hour", "--months", "1"),
        ("--limit", "10", "--months", "14"),
    ],
    ids=" ".join,
)
def test_a_terminal_of_eighty_columns_holds_every_line(config: Path, words: tuple[str, ...]) -> None:
    code, out, err = here("budgets", "what-if", "-c", config, *words)
    assert (code, err) == (0, "")
    assert all(len(line) <= 80 for line in out.splitlines())
    assert all(char.isprintable() for char in out.replace("\n", ""))
    assert "It would have told " in " ".join(out.split())


def test_a_quarter_is_longer_than_what_judgements_look_at_and_is_replayed_whole(config: Path) -> None:
    report = what_if(config, "--limit", "100", "--period", "quarter", "--months", "2")
    assert [each["period"] for each in report["periods"]] == ["Q3 2026", "Q4 2026"]
    months = what_if(config, "--limit", "100", "--months", "2")["periods"]
    spent_in = {each["period"]: Decimal(each["scopes"][0]["spent_usd"]) for each in months}
    running = report["periods"][1]["scopes"][0]
    assert Decimal(running["spent_usd"]) == spent_in["October 2026"] + spent_in["November 2026"]
    assert running["crossed_at"][0].startswith("2026-10")
    assert report["periods"][0]["missing"] is not None


def test_history_that_is_missing_is_said_and_not_taken_for_nothing(config: Path) -> None:
    report = what_if(config, "--limit", "10", "--months", "4")
    assert [each["missing"] is not None for each in report["periods"]] == [True, True, False, False, False]
    assert report["from"] == "2026-07-01T00:00:00Z"
    assert report["stored_from"].startswith("2026-08-27")
    out = here("budgets", "what-if", "-c", config, "--limit", "10", "--months", "4")[1]
    assert "July 2026* " in out
    assert "September 2026 " in out
    assert "* history begins 2026-08-27; asked for was 2026-07-01 on. What lies before is" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "--limit must say the limit of a period in dollars, or --budget begin with a configured one."),
        (("--limit", "x"), "--limit: must be an amount in US dollars"),
        (("--limit", "0"), "--limit: must be"),
        (("--limit", "5", "--thresholds", "90,60"), "--thresholds: must be in ascending order: [60, 90]."),
        (("--limit", "5", "--thresholds", "half"), "--thresholds"),
        (("--limit", "5", "--period", "fortnight"), "--period: must be"),
        (("--limit", "5", "--timezone", "Mars"), "--timezone"),
        (("--limit", "5", "--per", "planet"), "--per must be"),
        (("--limit", "5", "--per", "planet"), 'not "planet".\n'),
        (("--limit", "5", "--timezone", "Europe/Berlim"), 'did you mean "Europe/Berlin"?\n'),
        (("--limit", "5", "--select", "planet=x"), "--select must begin with"),
        (("--limit", "5", "--select", "model=a", "--select", "model=b"), "--select takes one pattern for each word"),
        (("--budget", "any day"), "A rolling budget has no periods to replay"),
        (("--budget", "nothing"), "No budget is called 'nothing'"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(config: Path, words: tuple[str, ...], sentence: str) -> None:
    code, out, err = here("budgets", "what-if", "-c", config, *words)
    assert (code, out) == (2, "")
    assert sentence in err


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("limit_tokens = { total = 9 }", "counts something else"),
        ('limit_usd = 9\nsource = "claude_code"', "counts something else"),
        ('limit = "console"', "takes its limit from the Console: give --limit"),
    ],
)
def test_what_is_no_spend_under_a_limit_in_dollars_is_not_replayed(
    config: Path, tmp_path: Path, lines: str, why: str
) -> None:
    other = tmp_path / "config.toml"
    other.touch(0o600)
    other.write_text(f'{config.read_text()}\n[[budget]]\nname = "other"\n{lines}\n')
    code, out, err = here("budgets", "what-if", "-c", other, "--budget", "other")
    assert (code, out) == (2, "")
    assert err == f"Only spend under a limit in dollars can be replayed, and 'other' {why}.\n"


def test_a_budget_of_the_console_is_replayed_under_a_limit_that_is_given(config: Path) -> None:
    other = config.with_name("console.toml")
    other.touch(0o600)
    other.write_text(f'{config.read_text()}\n[[budget]]\nname = "other"\nlimit = "console"\nper = ["workspace"]\n')
    found = what_if(other, "--budget", "other", "--limit", "40")
    assert (found["budget"], found["limit_usd"], found["per"]) == ("other", "40", ["workspace"])


def test_one_period_is_one_and_not_several(config: Path) -> None:
    other = config.with_name("dates.toml")
    other.touch(0o600)
    dates = "from = 2026-11-10\nuntil = 2026-12-01"
    other.write_text(f'{config.read_text()}\n[[budget]]\nname = "other"\nlimit_usd = 9\n{dates}\n')
    assert "\nOf 1 period: " in here("budgets", "what-if", "-c", other, "--budget", "other")[1]
