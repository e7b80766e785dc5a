"""The command as a process of its own: streams, exit codes, ports and signals."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Town
from tests.stage import BUDGET, NOW, Listener, detour, environment, here, receiver, watcher, write_config
from watcher.simulator import Simulator, World

COST = "/v1/organizations/cost_report"
PEOPLE = "/v1/organizations/users"


def world(**more: object) -> World:
    return World(started_at=NOW - timedelta(hours=5), keys=6, days=4, **more)  # type: ignore[arg-type]


def faults(folder: Path, *tables: str) -> Path:
    path = folder / "faults.toml"
    path.write_text("".join(f"[[fault]]\n{table}\n" for table in tables))
    return path


# ------------------------------------------------------------------------------------------- streams


def test_data_go_to_stdout_and_talk_to_stderr(town: Town, tmp_path: Path) -> None:
    done = watcher("--log-level", "debug", "spend", "-c", town.config, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["currency"] == "USD"
    assert done.stderr == ""
    console = '[[receiver]]\nname = "terminal"\ntype = "console"\n[[route]]\nreceiver = "terminal"\n'
    config = write_config(tmp_path, town.simulator.url, BUDGET + console)
    polled = watcher("--log-format", "json", "poll", "-c", config)
    assert polled.returncode == 0
    assert "began watching Northwind Robotics" in polled.stdout
    assert all(isinstance(json.loads(line)["event"], str) for line in polled.stderr.splitlines())
    again = watcher("--log-level", "warning", "poll", "-c", config)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_the_config_may_come_from_the_environment_or_lie_here(town: Town) -> None:
    named = watcher("alerts", "--json", env=environment(WATCHER_CONFIG=str(town.config)))
    assert json.loads(named.stdout)
    assert "config.toml" in here("alerts")[2]


def test_a_reader_that_goes_away_is_no_traceback(town: Town) -> None:
    command = [sys.executable, "-m", "watcher", "spend", "-c", str(town.config), "--json", "--bucket", "hour"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_a_terminal_that_knows_no_unicode_gets_question_marks_and_no_traceback(town: Town) -> None:
    env = environment(PYTHONIOENCODING="ascii", LC_ALL="C")
    for command in ("status", "alerts"):
        done = watcher(command, "-c", town.config, env=env)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False)
        assert done.stderr.isascii()
        assert "normally" in done.stdout


# ------------------------------------------------------------------------------------------- poll


def test_a_source_that_is_not_offered_is_absent_and_not_failed(tmp_path: Path) -> None:
    absent = faults(tmp_path, f'kind = "403"\npath = "{COST}"', f'kind = "403"\npath = "{PEOPLE}"')
    with Simulator(world(faults=absent), lambda: NOW) as served:
        config = write_config(tmp_path, served.url, BUDGET)
        assert here("poll", "-c", config)[0] == 0
        status = json.loads(here("status", "-c", config, "--json")[1])
        offered = {source["source"]: source["offered"] for source in status["sources"]}
        assert offered["cost"] is False
        assert offered["users"] is False
        assert offered["usage"] is True
        assert status["last_success_at"] is not None
        _, out, _ = here("status", "-c", config)
        assert "Source cost is not offered to this key" in out


def test_a_source_that_fails_is_1_with_its_sentence_while_the_others_are_read(tmp_path: Path) -> None:
    nonsense = {COST: (200, b'{"data": [{"starting_at": "never"}], "has_more": false}')}
    with Simulator(world(), lambda: NOW) as served, detour(served.url, nonsense) as url, Listener() as listener:
        config = write_config(tmp_path, url, BUDGET + receiver("hook", listener.url))
        code, out, err = here("poll", "-c", config)
        assert (code, out) == (1, "")
        assert re.search(rf"^cost: {COST} .*starting_at", err, flags=re.MULTILINE)
        assert json.loads(here("spend", "-c", config, "--json")[1])["rows"]
        assert listener.messages
        status = json.loads(here("status", "-c", config, "--json")[1])
        states = {source["source"]: source["failing_since"] for source in status["sources"]}
        assert states["cost"] is not None
        assert states["usage"] is None
        assert status["last_success_at"] is None


def test_a_failed_delivery_leaves_the_exit_code_alone_and_goes_out_with_a_later_poll(tmp_path: Path) -> None:
    with Simulator(world(), lambda: NOW) as served, Listener(answer=503) as listener:
        config = write_config(tmp_path, served.url, BUDGET + receiver("hook", listener.url))
        assert here("poll", "-c", config)[0] == 0
        first = listener.messages[0]["id"]
        assert json.loads(here("status", "-c", config, "--json")[1])["waiting"] == {"hook": 1}
        assert "1 message waits for receiver hook" in here("status", "-c", config)[1]
        listener.answer = 200
        assert here("poll", "-c", config, clock="2026-11-20T12:20:30Z")[0] == 0
        assert [message["id"] for message in listener.messages] == [first, first]
        assert json.loads(here("status", "-c", config, "--json")[1])["waiting"] == {}
        assert here("poll", "-c", config)[0] == 0
        assert len(listener.messages) == 2


# ------------------------------------------------------------------------------------------- check


def test_check_says_what_it_would_watch_and_asks_nobody(tmp_path: Path) -> None:
    config = write_config(tmp_path, "http://127.0.0.1:9", BUDGET)
    code, out, err = here("check", "-c", config)
    assert code == 0
    assert "is valid" in out
    assert 'Budget "organization": $100 a month' in out
    assert "warning: " in err
    assert list(tmp_path.iterdir()) == [config]


def test_check_online_says_what_the_key_may_read(tmp_path: Path) -> None:
    absent = faults(tmp_path, f'kind = "403"\npath = "{COST}"')
    with Simulator(world(faults=absent), lambda: NOW) as served:
        code, out, _ = here("check", "--online", "-c", write_config(tmp_path, served.url))
    assert code == 0
    assert 'organization: "Northwind Robotics"' in out
    assert "– cost: not offered to this key: no figure is ever settled" in out
    assert out.count("✓") == 8


def test_check_online_warns_of_budgets_and_events_that_reach_nothing(tmp_path: Path) -> None:
    rules = "".join(
        f'[[budget]]\nname = "{name}"\n{lines}\n'
        for name, lines in (
            ("console", 'limit = "console"'),
            ("nobody", 'limit_usd = 1\nselect = { user = "*@elsewhere.example" }'),
            ("nowhere", 'limit_usd = 1\nselect = { workspace = "prod*", tag = "team=nobody" }'),
            ("default", 'limit_usd = 1\nselect = { workspace = "default" }'),
            ("people", 'limit_usd = 1\nselect = { user = "*@*" }'),
            ("unseen model", 'limit_usd = 1\nselect = { model = "claude-x" }'),
        )
    )
    when = 'from = "2026-12-01"\nto = "2026-12-03"'
    rules += f'[[event]]\nname = "launch"\n{when}\nselect = {{ workspace = "prod*", api_key = "nobody" }}\n'
    rules += f'[[event]]\nname = "all"\n{when}\n'
    with Simulator(world(), lambda: NOW) as served:
        code, _, err = here("check", "--online", "-c", write_config(tmp_path, served.url, rules))
    told = [line for line in err.splitlines() if line.startswith(('warning: budget "', 'warning: event "'))]
    assert (code, told) == (
        0,
        [
            'warning: budget "console" judges nothing: its limits come from spend_limits, which is not offered',
            (
                'warning: budget "nobody" matches nothing now: no key, user or workspace is like '
                'user = "*@elsewhere.example"'
            ),
            (
                'warning: budget "nowhere" matches nothing now: no key, user or workspace is like '
                'workspace = "prod*" and tag = "team=nobody"'
            ),
            (
                'warning: event "launch" selects nothing now: no key, user or workspace is like '
                'workspace = "prod*" and api_key = "nobody"'
            ),
        ],
    )


def test_check_online_says_once_that_the_key_is_refused(tmp_path: Path) -> None:
    with Simulator(world(), lambda: NOW) as served:
        config = write_config(tmp_path, served.url, key='admin_key = "sk-ant-admin99-revoked"')
        code, out, err = here("check", "--online", "-c", config)
        assert len(served.requests) == 1
    assert code == 1
    assert "✗ organization" in out
    assert "401" in out
    assert "check that the Admin key" in out
    assert "The other sources were not asked." in err
    assert "revoked" not in out + err


def test_check_online_does_not_wait_long_for_an_api_that_is_not_there(tmp_path: Path) -> None:
    begun = time.monotonic()
    code, out, _ = here("check", "--online", "-c", write_config(tmp_path, "http://127.0.0.1:9"))
    assert time.monotonic() - begun < 60
    assert code == 1
    assert out.count("✗") == 1


# ------------------------------------------------------------------------------------------- run, simulate, demo


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        plug.listen()
        yield plug.getsockname()[1]


def test_a_daemon_whose_port_is_taken_says_so_in_a_sentence(town: Town, tmp_path: Path) -> None:
    with taken_port() as port:
        config = write_config(tmp_path, town.simulator.url)
        config.write_text(config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        done = watcher("run", "-c", config)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"127.0.0.1:{port} cannot be served" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_simulator_says_in_one_line_where_it_serves_and_ends_on_sigterm(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "watcher", "simulate", "--port", "0", "--keys", "6", "--days", "4"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        url = re.fullmatch(r"simulator serving (http://127\.0\.0\.1:\d+)\n", line)
        assert url
        assert here("poll", "-c", write_config(tmp_path, url[1]))[0] == 0
        process.send_signal(signal.SIGTERM)
        rest, talk = process.communicate(timeout=60)
        assert (process.returncode, rest, talk) == (0, b"", b"")


@pytest.mark.parametrize("arguments", [["--scenario", "nonsense"], ["--faults", "nonsense"], ["--port", "99999"]])
def test_a_simulator_that_cannot_be_is_wrong_usage(arguments: list[str]) -> None:
    code, out, err = here("simulate", *arguments)
    assert (code, out) == (2, "")
    assert "nonsense" in err or "65535" in err


def test_the_demo_ends_by_itself_with_a_summary_and_takes_another_port() -> None:
    with taken_port() as port:
        done = watcher("demo", "--exit-after", "1", "--port", str(port), env=environment(clock=None))
    assert (done.returncode, done.stderr) == (0, "")
    text = " ".join(done.stdout.split())
    assert f"127.0.0.1:{port}/" not in text
    assert re.search(r"status page +http://127\.0\.0\.1:\d+/", text)
    assert re.search(r"Summary after \d+ simulated hours: this month \$[\d,.]+, \d+ alerts? firing", text)


def test_the_demo_tells_of_a_budget_that_is_crossed_and_ends_when_it_is_told_to() -> None:
    command = [sys.executable, "-m", "watcher", "demo", "--speed", "3600", "--port", "0"]
    with subprocess.Popen(
        command, env=environment(clock=None), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        shown = ""
        for line in process.stdout:
            shown += line
            if "passed 80 %" in " ".join(shown.split()):
                break
        process.send_signal(signal.SIGINT)
        rest, talk = process.communicate(timeout=60)
    shown += rest
    assert (process.returncode, talk) == (0, "")
    text = " ".join(shown.split())
    assert "Found Northwind Robotics" in text
    assert "This month so far" in text
    assert re.search(r"Summary after \d+ simulated hours: this month \$[\d,.]+, \d+ alerts? firing", text)
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has it")
def test_an_output_that_takes_no_more_is_told_in_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "watcher", "--help"],
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"The output cannot be written: no space left on device.\n")
