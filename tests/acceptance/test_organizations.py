"""Several organizations in one daemon: each as if it were alone, whatever becomes of the others."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.samples import Sample

from tests.stage import BUDGET, NOW, PROMPT, Listener, Running, here, receiver, until, write_config
from watcher.clock import DrillClock
from watcher.config import load
from watcher.daemon import Daemon
from watcher.ingest import SOURCES
from watcher.metrics import Metrics
from watcher.simulator import Simulator, World
from watcher.store import Store
from watcher.watched import Round
from watcher.wiring import assemble

REVOKED = "sk-ant-admin99-revoked"
COST = "/v1/organizations/cost_report"
FAILED = "watcher_cycle_failures_total"


def founded(name: str, seed: int, **more: Any) -> World:
    return World(started_at=NOW - timedelta(hours=5), keys=5, days=4, seed=seed, organization_name=name, **more)


@dataclass
class Pair:
    """Two organizations, each with an API of its own, and the folder of the program that watches both."""

    folder: Path
    east: Simulator
    west: Simulator

    def config(self, more: str = BUDGET, *, west_key: str = "sk-ant-admin01-west", only: str = "") -> Path:
        """A configuration of both, or only of one."""
        blocks = {
            "east": organization("east", self.east.url, "sk-ant-admin01-east"),
            "west": organization("west", self.west.url, west_key),
        }
        return several(self.folder, [blocks[only]] if only else [*blocks.values()], more)

    def break_west(self, *faults: str) -> None:
        path = self.folder / "faults.toml"
        path.write_text("".join(f"[[fault]]\n{fault}\n" for fault in faults))
        self.west.world.set_faults(path)


def organization(name: str, url: str, key: str) -> str:
    return f'[[organization]]\nname = "{name}"\nbase_url = "{url}"\nadmin_key = "{key}"\n'


def several(folder: Path, blocks: list[str], more: str = "") -> Path:
    path = write_config(folder, "http://127.0.0.1:1", more)
    text = path.read_text()
    path.write_text("".join(blocks) + text[text.index("[store]") :])
    return path


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with (
        Simulator(founded("Eastern Robotics", 1), lambda: NOW) as east,
        Simulator(founded("Western Looms", 2), lambda: NOW) as west,
    ):
        yield Pair(tmp_path, east, west)


@dataclass(frozen=True)
class Told:
    """Two organizations that were polled once, and what a receiver heard of it: for tests that only read."""

    pair: Pair
    config: Path
    messages: list[Any]


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with (
        Simulator(founded("Eastern Robotics", 1), lambda: NOW) as east,
        Simulator(founded("Western Looms", 2), lambda: NOW) as west,
        Listener() as hook,
    ):
        pair = Pair(tmp_path_factory.mktemp("polled"), east, west)
        config = pair.config(BUDGET + receiver("hook", hook.url))
        code, out, err = here("poll", "-c", config)
        assert (code, out) == (0, ""), err
        yield Told(pair, config, hook.messages)


def alone(folder: Path, served: Simulator, more: str = BUDGET) -> Path:
    """The database of a watcher that watches one organization only."""
    config = write_config(folder, served.url, more)
    assert here("poll", "-c", config)[0] == 0
    return config


def printed(*arguments: str | Path) -> Any:
    code, out, err = here(*arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def figures(config: Path, *more: str) -> Any:
    report = printed("spend", "-c", config, "--by", "api_key", "--by", "model", "--bucket", "day", *more)
    return report["rows"], report["total"]


def ident(served: Simulator) -> str:
    return served.world.organization.id


# ------------------------------------------------------------------------------------------- one fails


def test_a_poll_of_two_gives_each_the_figures_of_a_watcher_of_its_own(polled: Told, tmp_path: Path) -> None:
    config, pair = polled.config, polled.pair
    for name, served in (("east", pair.east), ("west", pair.west)):
        single = alone(tmp_path / name, served)
        assert figures(config, "--organization", name) == figures(single)
        mine = [each for each in printed("alerts", "-c", config) if each["organization"] == ident(served)]
        assert [(each["id"], each["summary"]) for each in mine] == [
            (each["id"], each["summary"]) for each in printed("alerts", "-c", single)
        ]


def test_a_revoked_key_is_told_and_changes_nothing_for_the_other(pair: Pair, tmp_path: Path) -> None:
    config = pair.config(west_key=REVOKED)
    code, _, err = here("poll", "-c", config)
    assert code == 1
    (sentence,) = [line for line in err.splitlines() if line.startswith("west: ")]
    assert "401" in sentence
    assert not any(line.startswith("east: ") for line in err.splitlines())
    assert figures(config, "--organization", "east") == figures(alone(tmp_path / "east", pair.east))
    status = printed("status", "-c", config)
    assert [(each["label"], each["id"]) for each in status["organizations"]] == [
        ("east", ident(pair.east)),
        ("west", None),
    ]
    (problem,) = [problem for problem in status["problems"] if problem.startswith("west: ")]
    assert problem.startswith("west: Not read since ")
    assert "401" in problem
    assert not any(problem.startswith("east: ") for problem in status["problems"])


@contextmanager
def in_process(
    config: Path, now: datetime = NOW, on_round: Callable[[timedelta, datetime], None] = lambda _every, _now: None
) -> Iterator[tuple[Daemon, Metrics]]:
    """A daemon whose cycles a test runs by hand; it does not wait between two tries of a request."""
    settings = load(config, {})
    metrics = Metrics((), SOURCES)
    with Store.open(settings.store.url) as store:
        daemon = Daemon(
            settings,
            store,
            DrillClock(now),
            metrics,
            on_round=on_round,
            wire=lambda settings, store, heard, _pause: assemble(settings, store, heard, lambda _seconds: None),
        )
        yield daemon, metrics
        daemon.stop()


def samples(metrics: Metrics, name: str) -> list[Sample]:
    return [sample for family in metrics.registry.collect() for sample in family.samples if sample.name == name]


@contextmanager
def running(config: Path) -> Iterator[Running]:
    with Running(config) as daemon:
        yield daemon
        assert not any("Traceback" in line for line in daemon.lines)


def sample(daemon: Running, name: str, served: Simulator, **labels: str) -> float | None:
    pairs = ",".join(f'{key}="{value}"' for key, value in sorted({"organization": ident(served), **labels}.items()))
    found = re.search(rf"^{re.escape(f'{name}{{{pairs}}}')} (\S+)$", daemon.get("/metrics").text, flags=re.MULTILINE)
    return float(found[1]) if found else None


def fires(daemon: Running, served: Simulator) -> float | None:
    """How many budgets fire, by the metric; None while nothing is shown of the organization."""
    return sample(daemon, "watcher_alerts", served, kind="budget", state="firing")


@pytest.mark.parametrize(
    "fault",
    ['kind = "timeout"\npath = "*"\nhang = 60', pytest.param('kind = "500"\npath = "*"', marks=pytest.mark.slow)],
    ids=["hanging", "failing"],
)
def test_one_whose_api_hangs_or_fails_delays_no_other(pair: Pair, fault: str) -> None:
    pair.break_west(fault)
    with running(pair.config()) as daemon:
        assert until(lambda: daemon.get("/-/ready").status_code == 200)
        if "timeout" in fault:
            assert not any("west" in line for line in daemon.lines), "a request that hangs is given up, and told, later"
        assert until(lambda: bool(sample(daemon, "watcher_last_cycle_success_timestamp_seconds", pair.east)))
        assert sample(daemon, "watcher_cycle_failures_total", pair.east) == 0
        assert fires(daemon, pair.east) == 1
        assert sample(daemon, "watcher_last_cycle_success_timestamp_seconds", pair.west) is None
        page = daemon.get("/").text
        assert "Eastern Robotics" in page
        assert "west: No cycle has ended yet" in page
        pair.config(BUDGET.replace("limit_usd = 100", "limit_usd = 1000000"))
        daemon.tell(signal.SIGHUP)
        daemon.line("configuration reloaded")
        limit = {"budget": "organization", "workspace": "", "api_key": "", "model": ""}
        assert until(lambda: sample(daemon, "watcher_budget_limit_usd", pair.east, **limit) == 1_000_000)
        code, seconds = daemon.end()
    assert code == 0
    assert seconds < PROMPT


def test_the_heartbeat_waits_for_every_organization(pair: Pair) -> None:
    with Listener() as heart:
        beat = f'[heartbeat]\nurl = "{heart.url}/"\nallow_private = true\n'
        pair.break_west(f'kind = "500"\npath = "{COST}"')
        config = pair.config(BUDGET + beat)
        with in_process(config) as (daemon, metrics):
            daemon.cycle()
            assert not heart.seen, "one of the two has failed"
            values = [(each.labels["organization"], each.value) for each in samples(metrics, FAILED)]
            assert sorted(values) == sorted([(ident(pair.east), 0.0), (ident(pair.west), 1.0)])
        pair.west.world.set_faults(None)
        with in_process(config, NOW + timedelta(minutes=6)) as (daemon, _):
            daemon.cycle()
            assert len(heart.seen) == 1, "once for both"
            daemon.cycle()
            assert len(heart.seen) == 2


@pytest.mark.parametrize(
    ("cycles", "pings"),
    [
        ("aB", ".."),
        ("ab", ".!"),
        ("aab", "..!"),
        ("aAb", "..."),
        ("aAba", "...!"),
        ("abab", ".!.!"),
        ("abb", ".!."),
        ("Aab", "..!"),
    ],
)
def test_a_round_is_whole_when_the_newest_cycle_of_each_was(cycles: str, pings: str) -> None:
    """A letter is the cycle of an organization, a capital one that failed."""
    played = Round(["a", "b"])
    told = [played.ended(each.lower(), counts=each.islower()) for each in cycles]
    assert "".join(".!"[each] for each in told) == pings


@pytest.mark.parametrize("key", ["sk-ant-admin01-west", REVOKED], ids=["a report fails", "the key is refused"])
def test_a_round_has_ended_with_the_cycles_of_all_whatever_the_api_answered(pair: Pair, key: str) -> None:
    """What a service manager is told by: to start the program anew would mend neither."""
    pair.break_west(f'kind = "500"\npath = "{COST}"')
    rounds: list[tuple[timedelta, datetime]] = []
    told = lambda every, now: rounds.append((every, now))  # noqa: E731
    with in_process(pair.config(BUDGET, west_key=key), on_round=told) as (daemon, _):
        daemon._cycle(daemon._force.watched[0])
        assert rounds == [], "the other one has not had its cycle"
        daemon._cycle(daemon._force.watched[1])
        assert [every for every, _ in rounds] == [timedelta(minutes=5)]
        daemon._cycle(daemon._force.watched[0])
        assert len(rounds) == 1


# ------------------------------------------------------------------------------------------- what people read


def test_messages_and_status_name_their_organization(polled: Told) -> None:
    config, pair = polled.config, polled.pair
    assert {message["organization_label"] for message in polled.messages} == {"east", "west"}
    assert {message["organization"] for message in polled.messages} == {"Eastern Robotics", "Western Looms"}
    code, out, _ = here("status", "-c", config, "--exit-code")
    assert code == 4
    assert max(map(len, out.splitlines())) <= 80
    for words in (
        "east (Eastern Robotics), 1 firing",
        "west (Western Looms), 1 firing",
        "east: Budget",
        "west: Budget",
    ):
        assert words in out
    code, out, _ = here("alerts", "-c", config)
    assert re.search(r"[0-9a-f]{20}, east, began", out)
    assert [each["organization"] for each in printed("alerts", "-c", config, "--organization", "west")] == [
        ident(pair.west)
    ]


def test_one_organization_in_the_long_form_reads_like_the_short_one(pair: Pair, tmp_path: Path) -> None:
    with Listener() as hook:
        config = pair.config(BUDGET + receiver("hook", hook.url), only="east")
        assert here("poll", "-c", config)[0] == 0
        assert [message["organization_label"] for message in hook.messages] == [None]
    single = alone(tmp_path / "single", pair.east)
    assert here("status", "-c", config)[1] == here("status", "-c", single)[1]
    assert here("alerts", "-c", config)[1] == here("alerts", "-c", single)[1]


def test_a_rule_that_selects_an_organization_is_for_no_other(pair: Pair) -> None:
    more = BUDGET + 'select = { organization = "Western *" }\n'
    config = pair.config(more)
    assert here("poll", "-c", config)[0] == 0
    assert [each["organization"] for each in printed("alerts", "-c", config)] == [ident(pair.west)]
    lines = {each["label"]: each["budgets"] for each in printed("status", "-c", config)["organizations"]}
    assert (len(lines["east"]), len(lines["west"])) == (0, 1)


def test_spend_and_prices_of_several_say_whose_each_row_is(polled: Told) -> None:
    config, pair = polled.config, polled.pair
    both, one, other = (
        printed("spend", "-c", config, "--by", "model", "--compare", *more)
        for more in ([], ["--organization", "east"], ["--organization", ident(pair.west)])
    )
    assert both["by"] == ["organization", "model"]
    assert [each["label"] for each in both["organizations"]] == ["east", "west"]
    assert both["organizations"][1] == {"id": ident(pair.west), "label": "west", "name": "Western Looms"}
    for served, single in ((pair.east, one), (pair.west, other)):
        mine = [row for row in both["rows"] if row["organization"] == ident(served)]
        named = {"organization": ident(served), "organization_name": "east" if served is pair.east else "west"}
        assert mine == [{**named, **row} for row in single["rows"]]
        assert "organization" not in single["rows"][0]
    for field in ("cost_usd", "settled_usd", "estimated_usd"):
        assert Decimal(both["total"][field]) == Decimal(one["total"][field]) + Decimal(other["total"][field])
    costs = [Decimal(row["cost_usd"]) for row in both["rows"]]
    assert costs == sorted(costs, reverse=True)

    parts = printed("spend", "-c", config, "--by", "organization")
    assert parts["by"] == ["organization"]
    assert {row["organization_name"]: row["cost_usd"] for row in parts["rows"]} == {
        "east": one["total"]["cost_usd"],
        "west": other["total"]["cost_usd"],
    }
    code, out, _ = here("spend", "-c", config, "--top", "3")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "organization · " in out
    assert re.search(r"(east|west) · ", out)
    assert "others (" in out
    code, out, _ = here("spend", "-c", config, "--csv", "--by", "model")
    assert out.startswith("organization,organization_name,model,kind,cost_usd")
    prices = printed("prices", "-c", config)
    assert {line["organization"] for line in prices["prices"]} == {ident(pair.east), ident(pair.west)}
    assert re.search(r"^east$.*^west$", here("prices", "-c", config)[1], flags=re.MULTILINE | re.DOTALL)
    assert here("spend", "-c", config, "--reconcile")[0] == 2
    code, _, err = here("spend", "-c", config, "--organization", "south")
    assert (code, err) == (2, "No organization is called 'south'. There are: east, west.\n")


# ------------------------------------------------------------------------------------------- coming and going


def test_an_organization_keeps_its_history_when_it_gets_a_name(pair: Pair, tmp_path: Path) -> None:
    config = alone(tmp_path, pair.east)
    before, asked = figures(config), len(pair.east.requests)
    opened = [each["id"] for each in printed("alerts", "-c", config)]
    with Listener() as hook:
        assert here("poll", "-c", pair.config(BUDGET + receiver("hook", hook.url)))[0] == 0
        assert {message["organization_label"] for message in hook.messages} == {"west"}, "what was told is not again"
    assert figures(config, "--organization", "east") == before
    assert opened == [each["id"] for each in printed("alerts", "-c", config, "--organization", "east")]
    assert len(pair.east.requests) - asked < asked, "nothing is back-filled again"


def test_two_names_for_one_organization_and_the_key_of_another_are_refused(pair: Pair) -> None:
    east = organization("east", pair.east.url, "sk-ant-admin01-east")
    twin = organization("twin", pair.east.url, "sk-ant-admin01-twin")
    assert here("poll", "-c", several(pair.folder, [east]))[0] == 0
    code, _, err = here("poll", "-c", several(pair.folder, [east, twin]))
    assert code == 1
    assert 'twin: the Admin keys of the organizations "east" and "twin" of the configuration belong to the same' in err
    code, _, err = here("poll", "-c", several(pair.folder, [organization("east", pair.west.url, "sk-ant-admin01-w")]))
    assert code == 1
    assert 'under the name "east", and its Admin key belongs to' in err


def test_a_check_asks_for_each_and_sees_two_keys_of_one_organization(pair: Pair) -> None:
    code, out, _ = here("check", "--online", "-c", pair.config())
    assert code == 0
    east, west = out.index("\neast:\n"), out.index("\nwest:\n")
    assert east < out.index('"Eastern Robotics"') < west < out.index('"Western Looms"')
    code, out, _ = here("check", "--online", "-c", pair.config(west_key=REVOKED))
    assert code == 1
    assert '"Eastern Robotics"' in out
    twins = [organization(name, pair.east.url, f"sk-ant-admin01-{name}") for name in ("one", "two")]
    code, _, err = here("check", "--online", "-c", several(pair.folder, twins))
    assert code == 1
    assert 'this is the organization of "one" too' in err


def test_a_drill_is_refused_unless_every_organization_is_simulated(pair: Pair) -> None:
    blocks = [
        organization("a", pair.east.url, "sk-ant-admin01-a"),
        organization("b", "https://api.example", "sk-ant-admin01-b"),
    ]
    for command in ("poll", "status"):
        code, out, err = here(command, "-c", several(pair.folder, blocks))
        assert (code, out) == (2, "")
        assert "unless every base_url is loopback" in err


def test_a_reload_takes_organizations_in_and_out_and_closes_what_nobody_watches(pair: Pair) -> None:
    config = pair.config()
    with running(config) as daemon:
        for served in (pair.east, pair.west):
            assert until(lambda: fires(daemon, served) == 1)  # noqa: B023 - asked before the loop goes on
        pair.config(only="east")
        daemon.tell(signal.SIGHUP)
        daemon.line("configuration reloaded")
        assert until(lambda: fires(daemon, pair.west) is None)
        assert until(lambda: any("alerts closed" in line for line in daemon.lines))
        assert [each["organization"] for each in printed("alerts", "-c", config)] == [ident(pair.east)]
        pair.config()
        daemon.tell(signal.SIGHUP)
        daemon.line("configuration reloaded")
        assert until(lambda: fires(daemon, pair.west) is not None)
        assert daemon.end()[0] == 0
    with Store.open(f"sqlite:///{pair.folder}/watcher.db", read_only=True) as store:
        (closed,) = [each for each in store.alerts.list() if each.subject.scope.organization == ident(pair.west)]
        assert store.alerts.transitions(closed.id)[-1].why == "organization removed"
        assert store.alerts.transitions(closed.id)[-1].silent
    gone = printed("spend", "-c", pair.config(only="east"), "--organization", ident(pair.west))
    assert float(gone["total"]["cost_usd"]) > 0, "its history can still be asked for"


def test_what_was_cut_off_by_a_kill_is_whole_for_both_after_the_next_start(pair: Pair, tmp_path: Path) -> None:
    config = pair.config()
    database = pair.folder / "watcher.db"
    with Running(config) as daemon:
        assert until(lambda: bool(pair.east.requests) and bool(pair.west.requests))
        daemon.process.kill()
        daemon.process.wait()
    assert database.exists()
    assert here("poll", "-c", config)[0] == 0
    for name, served in (("east", pair.east), ("west", pair.west)):
        assert figures(config, "--organization", name) == figures(alone(tmp_path / name, served))
