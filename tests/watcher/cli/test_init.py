"""`watcher init`: a configuration from the organization's own history, against simulated organizations."""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from notifiers.text import clean
from rules.model import Scope
from rules.money import NANO_PER_USD
from tests.stage import NOW, detour, here
from watcher.config import load
from watcher.proposal import Proposal, written
from watcher.proposal.history import History, Months
from watcher.proposal.proposing import Proposed
from watcher.proposal.text import Access
from watcher.simulator import Simulator, World

ADMIN_KEY = "sk-ant-admin01-never-shown-anywhere"
ANALYTICS_KEY = "sk-ant-analytics01-never-shown-anywhere"
BEGAN = NOW - timedelta(hours=5)
USAGE = "/v1/organizations/usage_report/messages"
FORBIDDEN = (403, b'{"type": "error", "error": {"type": "permission_error", "message": "not for you"}}')
HOSTILE = (
    'quote" and \\ backslash',
    "line\nlimit_usd = 1\n[[receiver]]",
    "${HOME} $$ $",
    "\x1b[31mred\x07",
    "\"\"\"'''",
    "\u202edrow",
    "]\r\n#",
    "  ",
    "Δ 配置 🙂",
)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that the program and the written file read the key from."""
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", ADMIN_KEY)


@dataclass(frozen=True)
class Made:
    """A configuration that was made for a world, and what was said."""

    world: World
    path: Path
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def budgets(self) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in tomllib.loads(self.text).get("budget", [])}


Make = Callable[..., Made]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(world: World, *words: str) -> Made:
        path = tmp_path / "config.toml"
        with Simulator(world, lambda: NOW) as served:
            code, out, err = here("init", "-o", path, "--base-url", served.url, *words)
        assert code == 0, err
        return Made(world, path, out, err)

    return made


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Ten weeks of history, with whole months in it; and then polled once under what was written."""
    world = World(started_at=BEGAN, seed=7, keys=10, days=70)
    path = tmp_path_factory.mktemp("init") / "config.toml"
    os.environ["ANTHROPIC_ADMIN_KEY"] = ADMIN_KEY
    with Simulator(world, lambda: NOW) as served:
        code, out, err = here("init", "-o", path, "--base-url", served.url)
        assert code == 0, err
        assert list(path.parent.iterdir()) == [path]
        assert here("poll", "-c", path)[0] == 0
    return Made(world, path, out, err)


def test_a_month_of_which_a_part_is_known_counts_with_that_part() -> None:
    months = Months(Scope("org"), "", (("October 2026", 220),), ("September 2026", 277), "November 2026", 1, 229)
    assert months.highest == 277


# ------------------------------------------------------------------------------------------- what is written


def test_what_is_written_is_valid_and_for_its_owner_alone(town: Made) -> None:
    code, out, _ = here("check", "-c", town.path)
    assert code == 0
    assert 'Budget "organization": $' in out
    assert stat.S_IMODE(town.path.stat().st_mode) == 0o600


def test_the_key_is_in_neither_the_file_nor_what_was_said(town: Made) -> None:
    assert ADMIN_KEY not in town.text + town.out + town.err
    assert 'admin_key = "${ANTHROPIC_ADMIN_KEY}"' in town.text


def test_the_months_in_the_comments_are_those_of_the_spend_report(town: Made) -> None:
    comment = town.text.partition('name = "organization"')[0]
    (told,) = re.findall(r"October 2026 \$([\d,]*\d)", comment)
    report = here("spend", "-c", town.path, "--from", "2026-10-01", "--to", "2026-11-01", "--json")[1]
    assert float(told.replace(",", "")) == int(float(json.loads(report)["total"]["cost_usd"]))


def test_a_limit_is_a_fifth_above_the_highest_month_and_rounded_to_two_digits(town: Made) -> None:
    for name, budget in town.budgets.items():
        if budget["period"] == "month":
            before = town.text.partition(f'name = "{name}"')[0].rpartition("\n\n")[2]
            highest = max(float(usd.replace(",", "")) for usd in re.findall(r"\$([\d,]+(?:\.\d+)?)", before))
            assert highest * 1.2 <= budget["limit_usd"] + 1 <= highest * 1.33 + 2
            assert len(f"{budget['limit_usd']:g}".replace(".", "").strip("0")) <= 2


def test_every_workspace_that_matters_has_a_month_of_its_own_and_every_key_a_day(town: Made) -> None:
    workspaces = town.world.organization.workspaces
    selected = {each["select"]["workspace"] for each in town.budgets.values() if "workspace" in each.get("select", {})}
    assert len(selected) > 3
    assert selected <= {*workspaces, "default"}
    for ident in selected - {"default"}:
        assert f"workspace {workspaces[ident].name}" in town.budgets
    assert town.budgets["any key a day"]["per"] == ["api_key"]
    assert town.budgets["any key a day"]["thresholds"] == [100]


def test_the_organization_hears_when_its_month_is_likely_to_end_beyond_the_limit(town: Made) -> None:
    assert [name for name, each in town.budgets.items() if "forecast" in each] == ["organization"]
    assert town.budgets["organization"]["forecast"] == [100]


def test_the_first_cycle_under_it_finds_no_limit_crossed(town: Made) -> None:
    alerts = json.loads(here("alerts", "-c", town.path, "--json")[1])
    budgets = [alert for alert in alerts if alert["kind"] == "budget"]
    assert all(float(alert["value_usd"]) < float(alert["limit_usd"]) for alert in budgets)
    assert {alert["kind"] for alert in alerts} <= {"budget"}


def test_a_terminal_of_eighty_columns_holds_what_is_said_and_the_file_a_hundred(town: Made) -> None:
    assert all(len(line) <= 80 for line in town.out.splitlines()[1:])
    assert all(len(line) <= 105 for line in town.text.splitlines())
    assert town.out.splitlines()[0].startswith(f"Wrote {town.path} from 60 days of Northwind Robotics:")
    assert re.search(r"^  organization +\$[\d,]+ a month$", town.out, re.MULTILINE)
    assert "watcher check --online -c" in town.err
    assert "watcher run -c" in town.err


def test_the_receiver_only_waits_for_its_signs_to_be_taken_away(town: Made) -> None:
    text = re.sub(r"^#(?=[a-z]+ = |\[)", "", town.text, flags=re.MULTILINE)
    path = town.path.with_name("uncommented.toml")
    path.write_text(text)
    settings = load(path, {"ANTHROPIC_ADMIN_KEY": ADMIN_KEY, "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/x"})
    path.unlink()
    assert [(each.name, each.type) for each in settings.receivers] == [("ops", "slack")]
    assert [route.receiver for route in settings.routes] == ["ops"]


def test_budgets_begin_at_the_midnight_that_was_asked_for(make: Make) -> None:
    made = make(World(started_at=BEGAN, keys=3, days=20), "--timezone", "Europe/Berlin", "--days", "18")
    assert {each["timezone"] for each in made.budgets.values()} == {"Europe/Berlin"}
    assert 'backfill = "18d"' in made.text


def test_hostile_names_of_workspaces_and_keys_are_only_names(make: Make) -> None:
    world = World(started_at=BEGAN, keys=8, days=20, workspaces=8)
    for (ident, workspace), name in zip(world.organization.workspaces.items(), HOSTILE, strict=False):
        world.organization.workspaces[ident] = replace(workspace, name=name)
    for ident, name in zip(world.organization.keys, HOSTILE, strict=False):
        world.organization.rename_key(ident, name)
    made = make(world, "--days", "18")
    document = tomllib.loads(made.text)
    assert set(document) == {"anthropic", "store", "poll", "budget", "anomaly"}
    settings = load(made.path, {"ANTHROPIC_ADMIN_KEY": ADMIN_KEY, "HOME": "/expanded"})
    names = [budget.name for budget in settings.budgets]
    assert len(names) == len(set(names)) > 4
    assert "/expanded" not in "".join(names)
    assert all(char.isprintable() for char in (made.text + made.out).replace("\n", ""))


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_whatever_a_name_holds_the_file_says_it_on_one_line_and_nothing_else(name: str, tmp_path: Path) -> None:
    proposed = Proposed(f"workspace {name}", NANO_PER_USD, (f'For "{name}".',), workspace=name[:4] + "*", called=name)
    history = History(name, "UTC", NOW, 30.0, None, (), (), None)
    proposal = Proposal(history, (proposed, proposed), NANO_PER_USD, (), (name,))
    path = tmp_path / "config.toml"
    path.write_text(written(proposal, Access("https://api.anthropic.com", '/a $5 "key"'), 60), encoding="utf-8")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert all(line.isprintable() for line in lines)
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    assert document["anthropic"] == {"admin_key_file": '/a $$5 "key"'}
    first, second = document["budget"]
    assert set(first) == set(second) == {"name", "period", "limit_usd", "thresholds", "select"}
    assert first["name"] == clean(f"workspace {name}").replace("$", "$$")
    assert second["name"] == f"{first['name']} (2)"
    assert not fnmatchcase(name[:4] + "x", first["select"]["workspace"].replace("$$", "$"))
    assert set(document) == {"anthropic", "store", "poll", "budget", "anomaly"}


# ------------------------------------------------------------------------------------------- little history


def test_with_little_history_less_is_proposed_and_that_is_said(make: Make) -> None:
    made = make(World(started_at=BEGAN, keys=4, days=5))
    assert list(made.budgets) == ["organization"]
    assert "it rests on 5." in made.text
    assert "days of history: the limit below is a guess" in made.text
    assert "again after two weeks" in made.err
    assert "note: There are only 5." in made.err


def test_where_little_was_asked_for_that_is_what_is_said_and_no_month_passes_for_whole(make: Make) -> None:
    made = make(World(started_at=BEGAN, keys=4, days=40), "--days", "3")
    assert "No more was asked for: run `watcher init` again with more than --days 3." in made.err
    assert "again after two weeks" not in made.err
    comment = " ".join(made.text.partition('name = "organization"')[0].replace("#", "").split())
    assert re.search(r"November 2026 so far \$[\d,.]+, as far as it is known, expected", comment)


def test_without_any_spend_no_limit_is_proposed(make: Make) -> None:
    made = make(World(started_at=NOW - timedelta(minutes=30), keys=1, days=1), "--days", "2")
    assert made.budgets == {}
    assert "There is too little spend yet to propose a limit from." in " ".join(made.text.replace("#", "").split())
    assert here("check", "-c", made.path)[0] == 0


# ------------------------------------------------------------------------------------------- keys


def test_a_key_that_reads_analytics_alone_is_enough(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", ANALYTICS_KEY)
    made = make(World(started_at=BEGAN, keys=4, days=24, analytics=True), "--days", "20")
    assert "days of history of this organization." in made.text
    assert "This key may not list workspaces and keys: ids stand where names would." in made.text
    assert {"organization", "any key a day"} <= set(made.budgets)
    assert here("check", "-c", made.path)[0] == 0


def test_a_key_in_a_file_is_named_by_its_whole_path(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_ADMIN_KEY")
    folder = tmp_path / 'a "folder" for $5'
    folder.mkdir()
    (folder / "key").write_text(f"{ADMIN_KEY}\n")
    (folder / "key").chmod(0o600)
    made = make(World(started_at=BEGAN, keys=2, days=4), "--admin-key-file", str(folder / "key"), "--days", "3")
    settings = load(made.path, {})
    assert settings.organizations[0].admin_key.reveal() == ADMIN_KEY
    assert ADMIN_KEY not in made.text


# ------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("", "There is no key: set ANTHROPIC_ADMIN_KEY"),
        ("sk-ant-api03-x", "ANTHROPIC_ADMIN_KEY is an ordinary API key"),
        ("sk-ant-admin01-two\nlines", "ANTHROPIC_ADMIN_KEY must be one line of plain ASCII"),
    ],
)
def test_a_key_that_cannot_be_one_is_refused_before_anything_is_asked(
    setting: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", setting)
    code, out, err = here("init", "-o", tmp_path / "config.toml", "--base-url", "http://127.0.0.1:1")
    assert (code, out) == (2, "")
    assert err.startswith(sentence)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_the_api_refuses_is_told_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", "sk-ant-revoked-x")
    with Simulator(World(started_at=BEGAN, keys=1, days=2), lambda: NOW) as served:
        code, out, err = here("init", "-o", tmp_path / "config.toml", "--base-url", served.url)
    assert (code, out) == (1, "")
    assert "answered 401" in err
    assert err.endswith("Nothing was written.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_may_read_no_usage_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    with (
        Simulator(World(started_at=BEGAN, keys=1, days=2), lambda: NOW) as served,
        detour(served.url, {USAGE: FORBIDDEN}) as url,
    ):
        code, out, err = here("init", "-o", tmp_path / "config.toml", "--base-url", url, "--days", "2")
    assert (code, out) == (1, "")
    assert "This key may read neither the usage report nor analytics" in err
    assert list(tmp_path.iterdir()) == []


def test_without_the_cost_report_it_goes_by_estimates(tmp_path: Path) -> None:
    with (
        Simulator(World(started_at=BEGAN, keys=2, days=5), lambda: NOW) as served,
        detour(served.url, {"/v1/organizations/cost_report": FORBIDDEN}) as url,
    ):
        code, out, _ = here("init", "-o", tmp_path / "config.toml", "--base-url", url, "--days", "4")
    assert code == 0
    assert "organization" in out


def test_a_file_that_is_there_is_left_as_it_is_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("mine")
    path.chmod(0o644)
    with Simulator(World(started_at=BEGAN, keys=1, days=4), lambda: NOW) as served:
        words = ("init", "-o", path, "--base-url", served.url, "--days", "3")
        asked = len(served.requests)
        code, out, err = here(*words)
        assert (code, out) == (1, "")
        assert "is there already, and is left as it is" in err
        assert len(served.requests) == asked
        assert path.read_text() == "mine"
        assert here(*words, "--force")[0] == 0
    assert "[anthropic]" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--base-url", "http://api.example.com"), 2, "--base-url must be https"),
        (("--timezone", "Mars/Olympus"), 2, "--timezone must be"),
        (("--days", "100"), 2, "--days"),
        (("-o", "/nowhere/at/all/config.toml"), 1, "The folder /nowhere/at/all does not exist"),
        (("--admin-key-file", "/nowhere/key"), 2, "--admin-key-file names /nowhere/key, and there is no such file."),
        (("--base-url", "https://api.anthropic.com"), 2, "WATCHER_CLOCK is for drills"),
        (("--base-url", "http://127.0.0.1/\udcff"), 2, "--base-url must be UTF-8 text"),
        (("--admin-key-file", "/nowhere/\udcff"), 2, "--admin-key-file must be UTF-8 text"),
    ],
)
def test_what_cannot_be_meant_is_told(words: tuple[str, ...], code: int, sentence: str, tmp_path: Path) -> None:
    found, out, err = here("init", "-o", tmp_path / "config.toml", *words)
    assert (found, out) == (code, "")
    assert sentence in err
    assert list(tmp_path.iterdir()) == []
