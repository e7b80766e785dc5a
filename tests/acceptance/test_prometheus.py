"""Debian's Prometheus scrapes the running daemon with our rules, on a clock that runs fast, and has its history.

One organization, one daemon and one Prometheus for all of it: their start is most of what it takes.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from rules.model import CONSOLE, DEFAULT_WORKSPACE
from tests.stage import ANYBODY, Listener, Running, environment, here, ready, receiver, until, write_config
from watcher.clock import DrillClock
from watcher.simulator import Simulator, World

ROOT = Path(__file__).parents[2]
RULES, DASHBOARDS = ROOT / "deploy/prometheus/rules.yml", ROOT / "deploy/grafana"
BINARIES = {name: shutil.which(name) for name in ("prometheus", "promtool")}
BEGINS = datetime(2026, 11, 18, 12, 40, tzinfo=UTC)
"""Before any day on which this runs, so that the history lies before what is scraped."""
SPEED = 480
TOKEN = "t0ken-of-the-scraper"
CONFIG = """\
[[budget]]
name = "organization"
period = "month"
limit_usd = 100
thresholds = [50]
[[budget]]
name = "keys"
period = "day"
limit_usd = 50
thresholds = [100]
per = ["api_key"]
[[anomaly]]
name = "key spend"
per = ["api_key"]
min_excess_usd = 5
action = "deactivate_key"
[shutoff]
mode = "approve"
approvers = ["ann"]
protect = { api_key = ["nothing-*"] }
"""
"""Nobody approves of anything, so that what is done by hand is all that is done."""

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(None in BINARIES.values(), reason="Prometheus is not installed (apt-get install prometheus)"),
]


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One that runs, by its HTTP API."""

    url: str

    def get(self, what: str, **asked: object) -> Any:
        answer = httpx.get(f"{self.url}/api/v1/{what}", params=asked, trust_env=False, timeout=30, verify=ANYBODY)  # type: ignore[arg-type]
        body = answer.json()
        assert body["status"] == "success", body
        return body["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant query at this moment."""
        found: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return found

    def range(self, expression: str, start: int, end: int, step: int = 3600) -> dict[tuple[str, ...], dict[int, float]]:
        """Of a range query: value by time, by the values of the labels in the order of their names."""
        data = self.get("query_range", query=expression, start=start, end=end, step=step)["result"]
        return {
            tuple(value for label, value in sorted(series["metric"].items()) if label != "__name__"): {
                int(at): float(value) for at, value in series["values"]
            }
            for series in data
        }

    def alerts(self) -> dict[str, str]:
        """State by name of the alert."""
        return {each["labels"]["alertname"]: each["state"] for each in self.get("alerts")["alerts"]}


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    """Scrapes the target every second, with our rules and our token, on top of the blocks in `folder/data`."""
    (folder / "token").write_text(TOKEN)
    (folder / "prometheus.yml").write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(RULES)],
                "scrape_configs": [
                    {
                        "job_name": "claude-watcher",
                        "authorization": {"credentials_file": str(folder / "token")},
                        "static_configs": [{"targets": [target.removeprefix("http://")]}],
                    }
                ],
            }
        )
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(BINARIES["prometheus"]), f"--config.file={folder / 'prometheus.yml'}"]
    command += [f"--storage.tsdb.path={folder / 'data'}", "--storage.tsdb.retention.time=10y"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            found = Prometheus(f"http://127.0.0.1:{port}")
            assert until(lambda: ready(found.url)), (folder / "log").read_text()
            yield found
        finally:
            process.terminate()


def promtool(*arguments: str | Path, stdin: bytes = b"") -> str:
    command = [str(BINARIES["promtool"]), *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b""), done.stdout + done.stderr
    return done.stdout.decode()


def test_promtool_is_content_with_the_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", RULES)
    assert "SUCCESS" in promtool("test", "rules", RULES.with_name("rules_test.yml"))


def test_every_alert_has_a_case_of_its_firing_and_a_place_in_the_documentation() -> None:
    rules, cases = RULES.read_text(), RULES.with_name("rules_test.yml").read_text()
    page = (ROOT / "docs/prometheus.md").read_text()
    names = re.findall(r"- alert: (\w+)", rules)
    assert names
    assert set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n", cases)) == set(names), "each is seen to fire"
    assert set(re.findall(r"alertname: (\w+)\n +exp_alerts: \[\]", cases)) == set(names), "and not to"
    assert re.findall(r"^### (\w+)$", page, flags=re.MULTILINE) == names
    links = re.findall(r"runbook_url: \S+/docs/prometheus\.md#(\w+)", rules)
    assert links == [name.lower() for name in names]
    assert rules.count("summary: ") == rules.count("description: ") == len(names)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("seconds", "since"),
    [
        pytest.param(2, "2026-11-14", id="briefly"),
        pytest.param(120, "2026-11-01", id="for minutes", marks=pytest.mark.slow),
    ],
)
def test_it_scrapes_the_daemon_judges_it_by_our_rules_and_has_its_history(
    tmp_path: Path, seconds: float, since: str
) -> None:
    if datetime.now(UTC) < BEGINS + timedelta(days=2):
        pytest.skip("the machine's clock is before what is simulated")
    world = World(started_at=BEGINS, seed=7, keys=8, days=10, scenario="runaway")
    clock = DrillClock(BEGINS, SPEED)
    with Simulator(world, clock.now) as simulator, Listener() as hook, Listener(answer=500) as broken:
        more = CONFIG + receiver("hook", hook.url) + receiver("broken", broken.url)
        config = write_config(tmp_path, simulator.url, more, backfill="9d")
        text = config.read_text().replace("[poll]", f'token = "{TOKEN}"\n[poll]\nusage_every = "20m"')
        config.write_text(text)
        with Running(config, env=environment(f"{BEGINS:%Y-%m-%dT%H:%M:%SZ}@{SPEED}")) as daemon:
            assert until(lambda: daemon.get("/-/ready").status_code == 200)
            assert daemon.get("/metrics").status_code == 401
            backfill(config, tmp_path, since)
            with prometheus(tmp_path, daemon.url) as itself:
                it_is_scraped(itself, daemon)
                it_has_the_history(itself, world)
                time.sleep(seconds)
                assert until(lambda: "DataStale" not in itself.alerts())
                what_is_done_to_keys_is_marked(itself, config, world, clock)
                every_panel_has_data(itself)
                simulator.stop()
                assert until(lambda: itself.alerts().get("DataStale") == "firing"), itself.alerts()
                daemon.process.kill()
                assert until(lambda: itself.alerts().get("WatcherAbsent") == "pending"), itself.alerts()


def backfill(config: Path, folder: Path, since: str) -> None:
    """The daemon's history, beside it, as blocks of a new Prometheus."""
    code, _, err = here("export", "openmetrics", "-c", config, "--from", since, "-o", folder / "history.om")
    assert code == 0, err
    promtool("tsdb", "create-blocks-from", "openmetrics", folder / "history.om", folder / "data")


def it_is_scraped(itself: Prometheus, daemon: Running) -> None:
    assert until(lambda: [each["value"][1] for each in itself.query("up")] == ["1"]), itself.get("targets")
    assert until(lambda: bool(itself.query("watcher:budget_forecast_ratio")))
    (samples,) = itself.query("scrape_samples_scraped")
    assert 100 < int(samples["value"][1]) <= 500
    rules = [rule for group in itself.get("rules")["groups"] for rule in group["rules"]]
    assert len(rules) == RULES.read_text().count("expr:")
    assert {(rule["health"], rule.get("lastError")) for rule in rules} == {("ok", None)}
    exposed = daemon.get("/metrics", Authorization=f"Bearer {TOKEN}")
    promtool("check", "metrics", stdin=exposed.content)


def it_has_the_history(itself: Prometheus, world: World) -> None:
    """Every hour of every settled day, as the simulated organization used it; and a day is the sum of its hours."""
    start, end = (int((BEGINS + days).replace(hour=0, minute=0).timestamp()) for days in (timedelta(-9), timedelta(0)))
    found = itself.range("watcher_hourly_tokens", start, end)
    truth = truly_used(world, start, end)
    days = sorted({(hour - 1) // 86400 for series in found.values() for hour in series})
    assert len(days) >= 2
    expected = {
        key: kept
        for key, hours in truth.items()
        if (kept := {hour: count for hour, count in hours.items() if (hour - 1) // 86400 in days})
    }
    assert {key[:2] + key[3:]: hours for key, hours in found.items()} == expected
    midnight = (days[1] + 1) * 86400
    daily = itself.range("sum(sum_over_time(watcher_hourly_tokens[86399s]))", midnight, midnight)[()]
    of_day = sum(
        count for hours in expected.values() for hour, count in hours.items() if (hour - 1) // 86400 == days[1]
    )
    assert daily == {midnight: of_day}
    assert itself.range("sum(watcher_hourly_spend_usd)", start, end)


def truly_used(world: World, start: int, end: int) -> Mapping[tuple[str, ...], dict[int, int]]:
    """Tokens by key, model and workspace (the order of the labels' names), and by the end of the hour."""
    found: dict[tuple[str, ...], dict[int, int]] = {}
    for day, amounts in world.amounts(start, end):
        for hour in range(24):
            for row, each in enumerate(world.catalogue.series):
                if tokens := int(amounts[hour, row, :5].sum()):
                    key = (each.api_key_id or CONSOLE, each.model, each.workspace_id or DEFAULT_WORKSPACE)
                    hours = found.setdefault(key, {})
                    at = day * 86400 + (hour + 1) * 3600
                    hours[at] = hours.get(at, 0) + tokens
    return found


def what_is_done_to_keys_is_marked(itself: Prometheus, config: Path, world: World, clock: DrillClock) -> None:
    """A key is turned off by hand, and then everything is held. It is asked for at the daemon's time or after it: two
    hours later, which are seconds here, it would be done no more."""
    off = next(key for key in world.organization.keys.values() if key.name == "translation-monitor-6")
    now = f"{clock.now() + timedelta(hours=4):%Y-%m-%dT%H:%M:%SZ}@{SPEED}"
    for words in (
        ("keys", "deactivate", off.id, "--reason", "leaked", "--yes"),
        ("actions", "pause", "--reason", "a drill"),
    ):
        code, _, err = here(*words, "-c", config, clock=now)
        assert code == 0, err
        assert until(lambda: world.organization.keys[off.id].set_status == "inactive")
    (query,) = (query for where, query in panels() if where == "overview.json: Keys turned off and on")
    assert until(lambda: bool(itself.query(query)))
    (mark,) = itself.query(query)
    assert (mark["metric"]["name"], mark["metric"]["action"]) == (off.name, "deactivate")
    journal = json.loads(here("actions", "--json", "-c", config, clock=now)[1])
    (done,) = (row for row in journal if row["state"] == "confirmed")
    confirmed = datetime.fromisoformat(done["evidence"]["confirmed_at"])
    assert float(mark["value"][1]) == pytest.approx(1000 * confirmed.timestamp(), abs=1), "in milliseconds"


def panels() -> Iterator[tuple[str, str]]:
    """Where each query of each panel stands, and the query with every variable at all there is."""
    for path in sorted(DASHBOARDS.glob("*.json")):
        board = json.loads(path.read_text())
        variables = [each["name"] for each in board["templating"]["list"]]
        queries = [(panel["title"], target) for panel in board["panels"] for target in panel.get("targets", ())]
        queries += [(each["name"], each) for each in board["annotations"]["list"]]
        for title, target in queries:
            query = target["expr"].replace("$__rate_interval", "10s")
            for name in variables:
                query = query.replace(f"${name}", ".*")
            assert "$" not in query.replace('"$1"', ""), query
            yield f"{path.name}: {title}", query


def every_panel_has_data(itself: Prometheus) -> None:
    start, end = int((BEGINS - timedelta(days=9)).timestamp()) // 3600 * 3600, int(BEGINS.timestamp())
    for where, query in panels():
        if "hourly" in query:
            assert itself.range(query, start, end), (where, query)
        else:
            assert until(lambda asked=query: bool(itself.query(asked)), 20), (where, query)  # type: ignore[misc]


def test_the_dashboards_are_whole_and_their_variables_ask_for_what_there_is() -> None:
    names = set()
    for path in sorted(DASHBOARDS.glob("*.json")):
        board = json.loads(path.read_text())
        names.add(board["uid"])
        ids = [panel["id"] for panel in board["panels"]]
        assert len(ids) == len(set(ids))
        for one in board["panels"]:
            assert one["gridPos"]["x"] + one["gridPos"]["w"] <= 24
        asked = {each["name"] for each in board["templating"]["list"]}
        assert asked >= {"datasource", "organization"}
    assert len(names) == 3
    assert len(list(panels())) > 50
