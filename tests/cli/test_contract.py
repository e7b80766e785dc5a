"""What others build on: the commands, their JSON, and their exit codes."""

from __future__ import annotations

import itertools
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Town
from tests.stage import ADMIN_KEY, BUDGET, Listener, here, receiver, write_config
from watcher.simulator import Simulator
from watcher.store import Store

DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]{1,9})?")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
MONEY = ("cost_usd", "settled_usd", "provisional_usd", "estimated_usd")
TOKENS = ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
DIMENSIONS = ("workspace", "api_key", "model")
COMBINATIONS = [by for size in (1, 2, 3) for by in itertools.combinations(DIMENSIONS, size)]
ALERT = {
    *("id", "fingerprint", "rule", "kind", "severity", "state", "scope", "starts_at", "ends_at"),
    *("value_usd", "expected_usd", "limit_usd", "summary"),
}


def spend(town: Town, by: tuple[str, ...] = (), *more: str) -> Any:
    arguments = [word for dimension in by for word in ("--by", dimension)]
    code, out, err = here("spend", "-c", town.config, *arguments, *more, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


# ------------------------------------------------------------------------------------------- poll


def test_a_poll_completes_the_history_and_delivers_what_it_found(town: Town) -> None:
    code, out, _ = town.poll
    assert (code, out) == (0, "")
    (message,) = town.messages
    assert message["reason"] == "initial"
    assert {alert["kind"] for alert in message["alerts"]} >= {"budget", "anomaly"}


def test_a_webhooks_body_is_id_reason_receiver_and_the_alerts_as_the_command_lists_them(town: Town) -> None:
    (message,) = town.messages
    assert isinstance(message["id"], str)
    assert message["receiver"] == "hook"
    listed = {alert["id"]: alert for alert in json.loads(here("alerts", "-c", town.config, "--json")[1])}
    for alert in message["alerts"]:
        assert alert == listed[alert["id"]]


# ------------------------------------------------------------------------------------------- spend


@pytest.mark.parametrize("bucket", ["total", "day", "hour"])
@pytest.mark.parametrize("by", COMBINATIONS, ids="+".join)
def test_spend_adds_up_exactly_for_every_breakdown(town: Town, by: tuple[str, ...], bucket: str) -> None:
    window = ("--from", "2026-11-17", "--to", "2026-11-19T10:00Z")
    report = spend(town, by, *window, "--bucket", bucket)
    assert (report["from"], report["to"]) == ("2026-11-17T00:00:00Z", "2026-11-19T10:00:00Z")
    assert (report["by"], report["currency"]) == (list(by), "USD")
    named = {f"{dimension}_name" for dimension in by if dimension != "model"}
    expected = {*by, *named, *MONEY, "tokens", "web_searches", *(["start"] if bucket != "total" else [])}
    assert report["rows"]
    for row in report["rows"]:
        assert set(row) - {"kind"} == expected
        assert all(DECIMAL.fullmatch(row[field]) for field in MONEY)
        assert set(row["tokens"]) == set(TOKENS)
        parts = sum(Decimal(row[field]) for field in MONEY[1:])
        assert Decimal(row["cost_usd"]) == parts
    total = report["total"]
    for field in MONEY:
        assert sum(Decimal(row[field]) for row in report["rows"]) == Decimal(total[field])
    for kind in TOKENS:
        assert sum(row["tokens"][kind] for row in report["rows"]) == total["tokens"][kind]
    assert sum(row["web_searches"] for row in report["rows"]) == total["web_searches"]
    assert set(total) == {*MONEY, "tokens", "web_searches"}


def test_every_breakdown_comes_to_the_same_total(town: Town) -> None:
    totals = [spend(town, by, "--bucket", bucket)["total"] for by in COMBINATIONS for bucket in ("total", "day")]
    assert all(total == totals[0] for total in totals)
    assert Decimal(totals[0]["cost_usd"]) > 100


def test_no_two_rows_are_of_one_scope_and_slice(town: Town) -> None:
    for bucket in ("total", "day"):
        rows = spend(town, DIMENSIONS, "--bucket", bucket)["rows"]
        keys = [(row.get("start"), row["workspace"], row["api_key"], row["model"], row.get("kind")) for row in rows]
        assert len(keys) == len(set(keys))


def test_what_has_no_id_is_null_and_says_what_it_is(town: Town) -> None:
    by_key = {row["kind"]: row for row in spend(town, ("api_key",))["rows"] if row["api_key"] is None}
    assert set(by_key) == {"console", "unattributed"}
    by_workspace = [row for row in spend(town, ("workspace",))["rows"] if row["workspace"] is None]
    assert [row["kind"] for row in by_workspace] == ["default_workspace"]
    for row in spend(town, DIMENSIONS)["rows"]:
        assert ("kind" in row) == (None in (row["workspace"], row["api_key"], row["model"]))
        assert row.get("kind") in {None, "console", "default_workspace", "unattributed"}


def test_names_are_those_of_the_directory(town: Town) -> None:
    keys = town.simulator.world.organization.keys
    for row in spend(town, ("api_key",))["rows"]:
        if row["api_key"] is not None:
            assert row["api_key_name"] == keys[row["api_key"]].name


def test_the_default_window_is_this_month_until_now_open_hour_included(town: Town) -> None:
    report = spend(town)
    assert report["from"] == "2026-11-01T00:00:00Z"
    assert report["to"].startswith("2026-11-20T12:2")
    assert TIME.fullmatch(report["data_as_of"])
    open_hour = spend(town, (), "--from", "2026-11-20T12:00Z")
    assert Decimal(open_hour["total"]["cost_usd"]) > 0


def test_a_window_is_the_sum_of_its_parts(town: Town) -> None:
    whole = spend(town, ("model",), "--from", "2026-11-18", "--to", "2026-11-20")["total"]
    halves = [
        spend(town, ("model",), "--from", start, "--to", end)["total"]
        for start, end in (("2026-11-18", "2026-11-18T17:00Z"), ("2026-11-18T17:00Z", "2026-11-20"))
    ]
    for field in MONEY:
        assert Decimal(whole[field]) == sum(Decimal(half[field]) for half in halves)


def test_hours_by_key_and_model_are_never_cut_short(town: Town) -> None:
    report = spend(town, DIMENSIONS, "--bucket", "hour")
    assert len(report["rows"]) > 2000
    starts = [row["start"] for row in report["rows"]]
    assert starts == sorted(starts)
    assert all(TIME.fullmatch(start) for start in starts)


# ------------------------------------------------------------------------------------------- alerts and status


def test_alerts_have_every_field_and_money_as_exact_strings(town: Town) -> None:
    code, out, err = here("alerts", "-c", town.config, "--json")
    alerts = json.loads(out)
    assert (code, err) == (0, "")
    assert {alert["kind"] for alert in alerts} >= {"budget", "anomaly"}
    for alert in alerts:
        assert set(alert) >= ALERT
        assert re.fullmatch("[0-9a-f]{16}", alert["fingerprint"])
        assert alert["severity"] in {"info", "warning", "critical"}
        assert alert["state"] in {"pending", "firing"}
        assert set(alert["scope"]) <= set(DIMENSIONS)
        assert TIME.fullmatch(alert["starts_at"])
        assert alert["ends_at"] is None
        for field in ("value_usd", "expected_usd", "limit_usd"):
            assert alert[field] is None or DECIMAL.fullmatch(alert[field])
        assert alert["summary"]
        if alert["kind"] == "budget":
            assert alert["limit_usd"] is not None
            assert alert["expected_usd"] is None
    assert len({alert["id"] for alert in alerts}) == len(alerts)


def test_the_runaway_key_is_caught_by_its_id(town: Town) -> None:
    (incident,) = town.simulator.world.incidents
    alerts = json.loads(here("alerts", "-c", town.config, "--json")[1])
    anomalies = [alert for alert in alerts if alert["kind"] == "anomaly"]
    assert [alert["scope"] for alert in anomalies] == [{"api_key": incident.api_key_id}]
    assert Decimal(anomalies[0]["value_usd"]) > Decimal(anomalies[0]["expected_usd"])


def test_what_fires_says_why_on_the_terminal_and_in_json(town: Town) -> None:
    (why,) = (alert["why"] for alert in json.loads(here("alerts", "-c", town.config, "--json")[1]) if "why" in alert)
    assert why["text"].startswith("more volume (")
    assert sum(Decimal(value) for name, value in why["effects"].items() if name.endswith("_usd")) == Decimal(
        why["excess_usd"]
    )
    for command in ("alerts", "status"):
        assert "Why: more volume (" in " ".join(here(command, "-c", town.config)[1].split())


def test_status_as_json_agrees_with_spend_and_alerts(town: Town) -> None:
    code, out, err = here("status", "-c", town.config, "--json")
    status = json.loads(out)
    assert (code, err) == (0, "")
    assert status["organization"]["name"] == "Northwind Robotics"
    total = spend(town)["total"]
    assert status["spend_usd"]["month"] == total["cost_usd"]
    assert status["spend_usd"]["month_settled"] == total["settled_usd"]
    firing = {alert["id"] for alert in json.loads(here("alerts", "-c", town.config, "--json")[1])}
    assert {alert["id"] for alert in status["alerts"]} <= firing
    for field in ("now", "data_as_of", "complete_until", "last_cycle_at", "last_success_at"):
        assert TIME.fullmatch(status[field]), field
    assert status["waiting"] == {}
    assert {source["source"] for source in status["sources"]} >= {"usage", "cost", "api_keys"}


def test_status_exits_with_4_while_alerts_fire_and_only_if_asked(town: Town) -> None:
    assert here("status", "-c", town.config)[0] == 0
    assert here("status", "-c", town.config, "--exit-code")[0] == 4
    code, out, _ = here("status", "-c", town.config, "--exit-code", "--json")
    assert code == 4
    assert json.loads(out)["alerts"]


def test_status_exits_with_0_while_nothing_fires(simulator: Simulator, tmp_path: Path) -> None:
    config = write_config(tmp_path, simulator.url)
    assert here("poll", "-c", config)[0] == 0
    code, out, _ = here("status", "-c", config, "--exit-code")
    assert code == 0
    assert "Nothing fires." in out
    assert here("alerts", "-c", config) == (0, "Nothing is open.\n", "")
    assert here("alerts", "-c", config, "--json") == (0, "[]\n", "")


def test_status_exits_with_1_unless_a_cycle_ended_within_the_age_that_is_asked_for(town: Town) -> None:
    assert here("status", "-c", town.config, "--max-age", "30m")[0] == 0
    late = "2026-11-20T13:20:00Z@1"
    code, out, err = here("status", "-c", town.config, "--max-age", "30m", clock=late)
    assert (code, err) == (1, "The last cycle ended 59 min ago, and not within 30m.\n")
    assert "month" in out
    assert here("status", "-c", town.config, "--max-age", "2h", clock=late)[0] == 0
    assert here("status", "-c", town.config, "--max-age", "2h", "--exit-code", clock=late)[0] == 4
    code, out, err = here("status", "-c", town.config, "--max-age", "soon")
    assert (code, out) == (2, "")
    assert err.startswith("--max-age must be a duration")


# ------------------------------------------------------------------------------------------- notify


def test_a_test_message_reaches_the_receiver_and_says_that_it_is_one(simulator: Simulator, tmp_path: Path) -> None:
    with Listener() as listener:
        config = write_config(tmp_path, simulator.url, receiver("hook", listener.url))
        code, out, err = here("notify", "test", "hook", "-c", config)
        assert (code, out) == (0, "")
        assert 'Receiver "hook" took the message.' in err
        (message,) = listener.messages
        assert message["reason"] == "test"
        assert "test" in message["alerts"][0]["summary"]
        listener.answer = 500
        code, out, err = here("notify", "test", "hook", "-c", config)
        assert (code, out) == (1, "")
        assert err == 'Receiver "hook" did not take the message: the receiver answered with status 500\n'
    assert not config.with_name("watcher.db").exists()


def test_a_receiver_that_is_not_there_is_wrong_usage_with_a_hint(simulator: Simulator, tmp_path: Path) -> None:
    config = write_config(tmp_path, simulator.url, receiver("hook", "http://127.0.0.1:9"))
    code, out, err = here("notify", "test", "hok", "-c", config)
    assert (code, out) == (2, "")
    assert 'Did you mean "hook"?' in err


# ------------------------------------------------------------------------------------------- exit codes


@pytest.mark.parametrize("command", ["poll", "run", "spend", "status", "alerts", "check", "backup x", "notify test x"])
def test_a_broken_configuration_is_3_with_every_problem(command: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[anthropic]\nadmin_key = "x"\n[poll]\nusage_evry = "5m"\n[[budget]]\nname = "a"\n')
    code, out, err = here(*command.split(), "-c", config)
    assert (code, out) == (3, "")
    assert "usage_evry" in err
    assert "limit_usd" in err
    assert list(tmp_path.iterdir()) == [config]


@pytest.mark.parametrize("command", ["poll", "run", "spend", "status", "alerts", "check", "backup x", "notify test x"])
def test_a_configuration_that_is_not_there_is_3(command: str, tmp_path: Path) -> None:
    code, out, err = here(*command.split(), "-c", tmp_path / "none.toml")
    assert (code, out) == (3, "")
    assert "none.toml" in err


@pytest.mark.parametrize("command", ["poll", "run", "spend", "status", "alerts", "check", "backup x", "notify test x"])
def test_a_drill_against_the_real_api_is_refused_with_2(command: str, tmp_path: Path) -> None:
    config = write_config(tmp_path, "https://api.anthropic.com")
    code, out, err = here(*command.split(), "-c", config)
    assert (code, out) == (2, "")
    assert "WATCHER_CLOCK" in err
    assert "loopback" in err
    assert list(tmp_path.iterdir()) == [config]


def test_a_drill_that_cannot_be_read_is_refused_with_2(simulator: Simulator, tmp_path: Path) -> None:
    config = write_config(tmp_path, simulator.url)
    code, _, err = here("status", "-c", config, clock="yesterday")
    assert code == 2
    assert "2026-11-30T22:00:00Z@600" in err


@pytest.mark.parametrize("arguments", [["spend", "--top", "0"], ["spend", "--bucket", "week"], ["nonsense"]])
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    code, out, err = here(*arguments)
    assert (code, out) == (2, "")
    assert "Usage" in err


READING = (
    "spend",
    "spend --json",
    "budgets",
    "budgets --json",
    "alerts",
    "alerts --json",
    "status",
    "status --json",
    "backup copy.db",
)


@pytest.mark.parametrize("command", READING)
def test_a_database_that_is_not_there_is_a_sentence_and_is_not_made(
    command: str, simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path, simulator.url)
    code, out, err = here(*command.split(), "-c", config)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "watcher.db" in err
    assert list(tmp_path.iterdir()) == [config]


@pytest.mark.parametrize("command", READING)
@pytest.mark.parametrize("content", [b"", b"not a database" * 99], ids=["empty", "something else"])
def test_a_file_that_is_no_database_is_a_sentence_and_stays_as_it_is(
    command: str, content: bytes, simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path, simulator.url)
    (tmp_path / "watcher.db").write_bytes(content)
    code, out, err = here(*command.split(), "-c", config)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err
    assert (tmp_path / "watcher.db").read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml", "watcher.db"]


def test_a_database_that_was_never_polled_is_told_in_sentences(simulator: Simulator, tmp_path: Path) -> None:
    config = write_config(tmp_path, simulator.url)
    Store.open(f"sqlite:///{tmp_path / 'watcher.db'}").close()
    code, out, err = here("spend", "-c", config)
    assert (code, out, err) == (1, "", "Nothing has been read yet: run `watcher poll` or `watcher run` first.\n")
    code, out, _ = here("status", "-c", config)
    assert code == 0
    assert "No cycle has ended yet" in " ".join(out.split())
    assert json.loads(here("status", "-c", config, "--json")[1])["spend_usd"] is None
    assert here("alerts", "-c", config) == (0, "Nothing is open.\n", "")


def test_a_key_in_a_file_and_one_written_out_are_told_apart_by_nobody(simulator: Simulator, tmp_path: Path) -> None:
    (tmp_path / "key").touch(0o600)
    (tmp_path / "key").write_text(ADMIN_KEY + "\n")
    config = write_config(tmp_path, simulator.url, BUDGET, key='admin_key_file = "key"')
    assert here("poll", "-c", config)[0] == 0


def test_a_backup_is_a_whole_database_and_never_overwrites(town: Town, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    code, out, err = here("backup", copy, "-c", town.config)
    assert (code, out) == (0, "")
    assert str(copy) in err
    assert copy.stat().st_mode & 0o777 == 0o600
    elsewhere = write_config(tmp_path / "restored", town.simulator.url)
    copy.rename(elsewhere.with_name("watcher.db"))
    report = here("spend", "-c", elsewhere, "--json", "--to", "2026-11-20T12:00Z")
    assert report == here("spend", "-c", town.config, "--json", "--to", "2026-11-20T12:00Z")
    taken = tmp_path / "taken"
    taken.write_text("mine")
    code, out, err = here("backup", taken, "-c", town.config)
    assert (code, out) == (1, "")
    assert str(taken) in err
    assert taken.read_text() == "mine"
