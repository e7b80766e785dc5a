import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stage import NOW, here, write_config
from watcher.simulator import Simulator, World


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An organization that uses Claude Code, polled once."""
    world = World(started_at=NOW - timedelta(hours=5), keys=14, days=12)
    with Simulator(world, lambda: NOW) as served:
        path = write_config(tmp_path_factory.mktemp("code"), served.url, backfill="9d")
        assert here("poll", "-c", path)[0] == 0
    return path


def asked(config: Path, *more: str) -> tuple[int, str, str]:
    return here("claude-code", "-c", config, *more)


def test_the_table_has_a_part_for_each_kind_of_customer_and_no_sum_of_both(config: Path) -> None:
    code, out, err = asked(config, "--from", "2026-11-12")
    assert (code, err) == (0, "")
    assert out.startswith("Claude Code from 2026-11-12 to 2026-11-20, by UTC day\n")
    assert out.count("\ntotal ") == 2
    assert "\nAPI: " in out
    assert "\nSubscription: " in out
    assert "Whole days are read until 2026-11-20 00:00 UTC" in out
    assert "Not read yet" not in out


def test_json_and_csv_say_the_same(config: Path) -> None:
    window = ("--by", "user", "--by", "day", "--from", "2026-11-12")
    document = json.loads(asked(config, *window, "--json")[1])
    assert (document["from"], document["to"], document["by"]) == ("2026-11-12", "2026-11-21", ["user", "day"])
    assert document["complete_until"] == "2026-11-20T00:00:00Z"
    assert document["missing_days"] == []
    rows = [(part["customer_type"], row) for part in document["customer_types"] for row in part["rows"]]
    lines = list(csv.DictReader(io.StringIO(asked(config, *window, "--csv")[1])))
    assert [(line["customer_type"], line["day"], line["actor"], line["estimated_usd"]) for line in lines] == [
        (kind, row["day"], row["actor"], row["estimated_usd"]) for kind, row in rows
    ]
    assert {kind for kind, _ in rows} == {"api", "subscription"}


def test_the_default_is_this_month_with_what_is_not_read_of_it(config: Path) -> None:
    document = json.loads(asked(config, "--json")[1])
    assert (document["from"], document["to"], document["by"]) == ("2026-11-01", "2026-11-21", ["user"])
    assert document["missing_days"][0] == "2026-11-01"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--json", "--csv"), "--json and --csv exclude each other."),
        (("--from", "2026-11-20T09:00Z"), '--from must be a date such as "2026-11-01", not'),
        (("--from", "2026-11-20", "--to", "2026-11-20"), "--from must be before --to"),
    ],
)
def test_what_cannot_be_asked_is_told_and_exits_with_2(config: Path, options: tuple[str, ...], sentence: str) -> None:
    code, out, err = asked(config, *options)
    assert (code, out) == (2, "")
    assert sentence in err


def test_before_the_first_poll_the_command_says_what_to_do(tmp_path: Path) -> None:
    code, _, err = asked(write_config(tmp_path, "http://127.0.0.1:9"))
    assert code == 1
    assert err
