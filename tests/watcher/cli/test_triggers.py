"""What `check`, `budgets`, `status` and `alerts` show of a budget's triggers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stage import NOW, here, write_config
from watcher.simulator import Simulator, World

BUDGETS = """\
[[budget]]
name = "organization"
limit_usd = 2600
thresholds = [1000]
forecast = [100, { at = 120, severity = "critical" }]
[[budget]]
name = "keys"
limit_usd = 600
thresholds = [1000]
per = ["api_key"]
burn_rate = true
pace = 120
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    world = World(started_at=NOW - timedelta(hours=5), seed=7, keys=12, days=35, hostile_names=True, scenario="runaway")
    with Simulator(world, lambda: NOW) as served:
        path = write_config(tmp_path_factory.mktemp("triggers"), served.url, BUDGETS, backfill="35d")
        assert here("poll", "-c", path)[0] == 0
    return path


def test_check_says_what_a_budget_tells_of_before_its_thresholds(config: Path) -> None:
    out = " ".join(here("check", "-c", config)[1].split())
    assert "also when it is forecast to pass 100 % ($2,600) and 120 % ($3,120, critical)." in out
    assert "also when it burns at 4 times over 1 h, 2 times over 6 h and 1.5 times over 72 h what it can sustain" in out
    assert "or is at 120 % of its pace." in out


def test_budgets_says_below_each_what_is_told_of_it(config: Path) -> None:
    code, out, _ = here("budgets", "-c", config)
    assert code == 0
    assert all(len(line) <= 80 for line in out.splitlines())
    told = " ".join(out.split())
    assert "all will end at $" in told
    assert "burns $" in told
    found = json.loads(here("budgets", "-c", config, "--json")[1])["organizations"][0]["budgets"]
    firing = {(each["budget"], fired["kind"], fired["mark"]) for each in found for fired in each["firing"]}
    assert ("organization", "forecast", "120 %") in firing
    assert any(kind == "burn" for _, kind, _ in firing)


def test_status_and_alerts_list_the_highest_mark_and_alerts_says_whose_the_others_are(config: Path) -> None:
    alerts = json.loads(here("alerts", "-c", config, "--json")[1])
    forecasts = [each for each in alerts if each["kind"] == "forecast"]
    marks = {each["forecast"]["mark"]: each["forecast"]["told_with"] for each in forecasts}
    assert marks == {"120 %": None, "100 %": "120 %"}
    assert "told by 120 %" in here("alerts", "-c", config)[1]
    status = here("status", "-c", config)[1]
    assert " ".join(status.split()).count("will end at") == 1
