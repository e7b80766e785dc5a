"""The daemon as a process: its signals, its health checks, and what it does beside a receiver or an API that hangs."""

from __future__ import annotations

import json
import logging
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.stage import BUDGET, NOW, PROMPT, Listener, Running, here, receiver, until, write_config
from watcher.clock import DrillClock
from watcher.config import load
from watcher.daemon import Daemon
from watcher.ingest import SOURCES
from watcher.metrics import Metrics
from watcher.secret import Secret
from watcher.settings import MetricsSettings, TlsSettings
from watcher.simulator import Simulator, World
from watcher.store import Store
from watcher.watched import InForce, Turns
from watcher.wiring import assemble

COST = "/v1/organizations/cost_report"


def world(**more: object) -> World:
    return World(started_at=NOW - timedelta(hours=5), keys=6, days=4, **more)  # type: ignore[arg-type]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(world(), lambda: NOW) as served:
        yield served


def faults(folder: Path, *tables: str) -> Path:
    path = folder / "faults.toml"
    path.write_text("".join(f"[[fault]]\n{table}\n" for table in tables))
    return path


def metric(daemon: Running, name: str) -> float | None:
    """The value of a metric, with its labels as the exposition writes them."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", daemon.get("/metrics").text, flags=re.MULTILINE)
    return float(found[1]) if found else None


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    """The value of the one sample of that name that has these labels among others."""
    samples = [sample for family in metrics.registry.collect() for sample in family.samples if sample.name == name]
    found = [sample.value for sample in samples if labels.items() <= sample.labels.items()]
    assert len(found) <= 1, found
    return found[0] if found else None


# ------------------------------------------------------------------------------------------- signals


def test_sighup_takes_over_a_configuration_whole_or_not_at_all(simulator: Simulator, tmp_path: Path) -> None:
    config = write_config(tmp_path, simulator.url, BUDGET)
    limit = 'watcher_budget_limit_usd{{api_key="",budget="{}",model="",organization="{}",workspace=""}}'
    organization = simulator.world.organization.id
    with Running(config) as daemon:
        assert until(lambda: daemon.get("/-/ready").status_code == 200)
        assert metric(daemon, limit.format("organization", organization)) == 100

        config.write_text(config.read_text().replace("limit_usd = 100", "limit_usd = 200\nperiode = 3"))
        daemon.tell(signal.SIGHUP)
        assert "periode" in daemon.line("not reloaded")
        assert metric(daemon, "watcher_config_reload_failures_total") == 1

        config.write_text(config.read_text().replace("\nperiode = 3", "").replace("watcher.db", "other.db"))
        daemon.tell(signal.SIGHUP)
        assert "store.url cannot change" in daemon.line("not reloaded")
        assert metric(daemon, "watcher_config_reload_failures_total") == 2
        assert metric(daemon, limit.format("organization", organization)) == 100

        renamed = config.read_text().replace("other.db", "watcher.db").replace('name = "organization"', 'name = "all"')
        config.write_text(renamed + receiver("late", "http://127.0.0.1:9/"))
        daemon.tell(signal.SIGHUP)
        daemon.line("configuration reloaded")
        assert until(lambda: metric(daemon, limit.format("all", organization)) == 200)
        assert metric(daemon, limit.format("organization", organization)) is None
        assert metric(daemon, "watcher_config_reload_failures_total") == 2
        assert metric(daemon, 'watcher_notifications_total{reason="first",receiver="late"}') == 0
        code, seconds = daemon.end()
    assert code == 0
    assert seconds < PROMPT
    assert not (tmp_path / "other.db").exists()


def test_sigterm_ends_it_in_time_while_the_api_hangs_a_reload_waits_and_a_browser_stays(tmp_path: Path) -> None:
    hanging = faults(tmp_path, 'kind = "timeout"\npath = "*"\nhang = 60')
    with Simulator(world(faults=hanging), lambda: NOW) as served:
        with Running(write_config(tmp_path, served.url, BUDGET)) as daemon:
            assert until(lambda: bool(served.requests))
            assert daemon.get("/-/healthy").status_code == 200
            ready = daemon.get("/-/ready")
            assert (ready.status_code, ready.text) == (503, "The first cycle has not ended yet.\n")
            host, port = daemon.url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port))) as browser:
                browser.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n")
                assert b"200 OK" in browser.recv(1000)
                daemon.tell(signal.SIGHUP)
                time.sleep(0.3)
                code, seconds = daemon.end()
        assert code == 0
        assert seconds < PROMPT
        assert not any("Traceback" in line for line in daemon.lines)


def test_a_second_one_is_refused_in_a_sentence_and_with_75(simulator: Simulator, tmp_path: Path) -> None:
    config = write_config(tmp_path, simulator.url)
    with Running(config) as daemon:
        for command in ("run", "poll"):
            code, out, err = here(command, "-c", config)
            assert (code, out) == (75, "")
            assert len(err.splitlines()) == 1
            assert str(daemon.process.pid) in err
        assert until(lambda: daemon.get("/-/ready").status_code == 200)
        assert here("status", "-c", config)[0] == 0
        assert here("spend", "-c", config, "--json")[0] == 0
        assert daemon.end()[0] == 0
    assert here("poll", "-c", config)[0] == 0


# ------------------------------------------------------------------------------------------- beside what hangs


def test_receivers_that_hang_delay_no_other(simulator: Simulator, tmp_path: Path) -> None:
    with ExitStack() as opened:
        hanging = [opened.enter_context(Listener(delay=60)) for _ in range(12)]
        quick = opened.enter_context(Listener())
        rows = [receiver(f"hanging-{place}", each.url) for place, each in enumerate(hanging)]
        config = write_config(tmp_path, simulator.url, BUDGET + "".join(rows) + receiver("quick", quick.url))
        daemon = opened.enter_context(Running(config))
        assert until(lambda: bool(quick.seen) and all(each.seen for each in hanging))
        first = json.loads(daemon.line("delivered"))
        assert (first["event"], first["receiver"]) == ("message delivered", "quick"), "nobody else was given up before"
        told = 'watcher_notifications_total{reason="initial",receiver="quick"}'
        assert until(lambda: metric(daemon, told) == 1)
        assert metric(daemon, 'watcher_outbox_messages{receiver="quick"}') == 0
        assert metric(daemon, 'watcher_outbox_messages{receiver="hanging-0"}') == 1
        code, seconds = daemon.end()
        assert code == 0
        assert seconds < PROMPT
        assert len(quick.seen) == 1
        for each in hanging:
            each.delay = 0
        assert here("poll", "-c", config)[0] == 0
        for each in hanging:
            assert len({message["id"] for message in each.messages}) == 1
        assert len(quick.seen) == 1


def test_what_is_being_sent_when_it_ends_is_marked_as_sent(simulator: Simulator, tmp_path: Path) -> None:
    with Listener(delay=0.5) as hook:
        config = write_config(tmp_path, simulator.url, BUDGET + receiver("hook", hook.url))
        with in_process(config) as (daemon, _):
            daemon.start()
            assert until(lambda: bool(hook.seen))
        assert len(hook.seen) == 1
        assert json.loads(here("status", "-c", config, "--json")[1])["waiting"] == {}


def test_a_cycle_that_outlasts_the_program_is_no_error(
    simulator: Simulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load(write_config(tmp_path, simulator.url), {})

    def end(_label: str, _request: object) -> None:
        """As the demonstration does: its database goes with it."""
        force.ended.set()
        (tmp_path / "watcher.db").unlink(missing_ok=True)

    with Store.open(settings.store.url) as store, caplog.at_level(logging.INFO):
        force = InForce.of(settings, store, assemble, end, Turns())
        assert force.watched[0].cycle(DrillClock(NOW), Metrics((), SOURCES).tally("")) is None
        force.parts.close()
    assert [record.levelname for record in caplog.records if "cut off" in record.getMessage()] == ["INFO"]
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


# ------------------------------------------------------------------------------------------- the heartbeat


@contextmanager
def in_process(config: Path, now: datetime = NOW) -> Iterator[tuple[Daemon, Metrics]]:
    """A daemon whose cycles a test runs by hand; it does not wait between two tries of a request."""
    settings = load(config, {})
    metrics = Metrics((), SOURCES)
    with Store.open(settings.store.url) as store:
        daemon = Daemon(
            settings,
            store,
            DrillClock(now),
            metrics,
            wire=lambda settings, store, heard, _pause: assemble(settings, store, heard, lambda _seconds: None),
        )
        yield daemon, metrics
        daemon.stop()


def test_the_heartbeat_is_pinged_after_whole_cycles_and_only_then(tmp_path: Path) -> None:
    failing = faults(tmp_path, f'kind = "500"\npath = "{COST}"', 'kind = "403"\npath = "*/invites"')
    town = world(faults=failing)
    with Simulator(town, lambda: NOW) as served, Listener() as heart:
        more = (
            f'[heartbeat]\nurl = "{heart.url}/beat"\nallow_private = true\n[[receiver]]\nname = "x"\ntype = "console"'
        )
        with in_process(write_config(tmp_path, served.url, BUDGET + more)) as (daemon, metrics):
            daemon.cycle()
            assert daemon.ready
            assert not heart.seen
            assert sample(metrics, "watcher_cycle_failures_total") == 1
            assert sample(metrics, "watcher_poll_failures_total", source="cost") == 1
            assert sample(metrics, "watcher_last_cycle_success_timestamp_seconds") is None
            daemon.cycle()  # cost is not due yet, and still it has failed
            assert not heart.seen
            assert sample(metrics, "watcher_cycle_failures_total") == 2
        town.set_faults(faults(tmp_path, 'kind = "403"\npath = "*/invites"'))
        with in_process(tmp_path / "config.toml", NOW + timedelta(minutes=6)) as (daemon, metrics):
            daemon.cycle()
            assert [path for _, path, _ in heart.seen] == ["/beat"]
            assert sample(metrics, "watcher_cycle_failures_total") == 0
            heart.answer = 500
            daemon.cycle()
            assert len(heart.seen) == 2
            assert sample(metrics, "watcher_cycle_failures_total") == 0


def test_a_key_that_is_refused_fails_the_cycle_and_not_the_daemon(simulator: Simulator, tmp_path: Path) -> None:
    config = write_config(tmp_path, simulator.url, key='admin_key = "sk-ant-admin99-revoked"')
    with in_process(config) as (daemon, metrics):
        daemon.cycle()
        daemon.cycle()
        assert not daemon.ready
        assert sample(metrics, "watcher_cycles_total") == 2
        assert sample(metrics, "watcher_cycle_failures_total") == 2
        assert sample(metrics, "watcher_api_request_failures_total", reason="refused") == 2


def test_a_database_that_is_gone_fails_the_cycle_and_is_counted(simulator: Simulator, tmp_path: Path) -> None:
    with in_process(write_config(tmp_path, simulator.url)) as (daemon, metrics):
        (tmp_path / "watcher.db").unlink()
        daemon.cycle()
        assert not daemon.ready
        assert sample(metrics, "watcher_cycle_failures_total") == 1


def test_a_new_start_shows_at_once_what_the_last_run_found(tmp_path: Path) -> None:
    town = world()
    with Simulator(town, lambda: NOW) as served:
        config = write_config(tmp_path, served.url, BUDGET)
        assert here("poll", "-c", config)[0] == 0
        town.set_faults(faults(tmp_path, 'kind = "timeout"\npath = "*"\nhang = 60'))
        organization = f'organization="{town.organization.id}"'
        alerts = f'watcher_alerts{{kind="budget",{organization},state="firing"}}'
        with Running(config) as daemon:
            assert until(lambda: bool(metric(daemon, alerts)))
            success = metric(daemon, f"watcher_last_cycle_success_timestamp_seconds{{{organization}}}")
            assert success == pytest.approx(NOW.timestamp(), abs=600)
            page = daemon.get("/").text
            assert "Northwind Robotics" in page
            assert daemon.get("/-/ready").status_code == 503


def test_a_new_token_is_taken_over_and_another_certificate_is_not(simulator: Simulator, tmp_path: Path) -> None:
    config = write_config(tmp_path, simulator.url)
    with in_process(config) as (daemon, _):
        settings = load(config, {})
        assert daemon.http.token is None
        token = Secret("t" * 16)
        assert daemon.reload(replace(settings, http=replace(settings.http, token=token))) is None
        assert daemon.http.token == token
        tls = TlsSettings(tmp_path / "a.pem", tmp_path / "a.key")
        refusal = daemon.reload(replace(settings, http=replace(settings.http, tls=tls)))
        assert refusal == "http.tls_certificate_file cannot change while the daemon runs: restart it"
        assert daemon.http.token == token


def test_what_metrics_has_is_what_the_configuration_in_force_asks_for(simulator: Simulator, tmp_path: Path) -> None:
    config = write_config(tmp_path, simulator.url)
    with in_process(config) as (daemon, metrics):
        daemon.cycle()
        settings = load(config, {})
        before = metrics.render("")[0].decode()
        assert sample(metrics, "watcher_tokens", scope="organization", window="today")
        assert daemon.reload(replace(settings, metrics=MetricsSettings(("service_tier",)))) is None
        after = metrics.render("")[0].decode()
        assert ['scope="workspace"' in text for text in (before, after)] == [True, False]
        assert ['scope="service_tier"' in text for text in (before, after)] == [False, True]
