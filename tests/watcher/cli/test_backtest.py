"""`watcher backtest`: from the database beside a running daemon, or from the API; nothing is written or sent."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.stage import NOW, Listener, environment, every_byte, here, receiver, write_config
from watcher.instance import single_instance
from watcher.simulator import Simulator, World

BUDGETS = """\
[[budget]]
name = "month"
limit_usd = 200
thresholds = [20, 50, 100]
[[budget]]
name = "any day"
period = "day"
per = ["workspace"]
limit_usd = 4
thresholds = [100]
"""
OTHER = BUDGETS.replace("limit_usd = 200", "limit_usd = 400").replace('per = ["workspace"]\nlimit_usd', "limit_usd")


@dataclass(frozen=True)
class Place:
    """A configuration with a history of twenty days, another one beside it, and a receiver that listens."""

    config: Path
    other: Path
    heard: Listener


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Hostile names; the API is gone afterwards, and what the receiver heard of the poll is forgotten."""
    world = World(started_at=NOW - timedelta(hours=5), seed=7, keys=4, days=22, hostile_names=True)
    folder = tmp_path_factory.mktemp("backtest")
    with Listener() as heard:
        with Simulator(world, lambda: NOW) as served:
            more = BUDGETS + receiver("hook", heard.url)
            config = write_config(folder, served.url, more, backfill="20d")
            assert here("poll", "-c", config)[0] == 0
        other = folder / "other.toml"
        other.write_text(config.read_text().replace(BUDGETS, OTHER))
        heard.seen.clear()
        yield Place(config, other, heard)


def backtest(config: Path, *words: str | Path) -> Any:
    code, out, err = here("backtest", "-c", config, *words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_it_says_what_would_have_been_told_when_and_what_came_after(place: Place) -> None:
    found = backtest(place.config, "--days", "12")
    (replay,) = found["configurations"]
    assert replay["judgements"] == 12 * 24
    assert (found["from"], found["until"]) == ("2026-11-08T12:00:00Z", "2026-11-20T12:00:00Z")
    alerts = {alert["id"]: alert for alert in replay["alerts"]}
    for alert in alerts.values():
        assert alert["fired_at"] == alert["told_at"]
        assert alert["fired_at"].endswith(":20:00Z")
        assert alert["receivers"] == ["hook"]
        assert Decimal(alert["excess_after_usd"]) >= 0
    counted = [alert for alert in alerts.values() if not alert["at_start"]]
    assert counted
    assert replay["total"]["alerts"] == len(counted)
    weekly = [ident for week in replay["by_week"] for ident in week["alert_ids"]]
    assert sorted(weekly) == sorted(alert["id"] for alert in counted)
    (hook,) = replay["receivers"]
    assert hook["pages"] == len(counted)
    assert hook["pages_per_week"] == round(hook["pages"] / (12 / 7), 2)


def test_its_json_has_the_fields_that_are_documented_and_no_other(place: Place, acting: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/backtest.md").read_text()
    documented = set(re.findall(r"`([a-z_]+)`", page))
    found = backtest(acting, "--days", "4", "--compare", place.other, "--actions")

    def keys(value: Any) -> set[str]:
        if isinstance(value, list):
            return set().union(*map(keys, value))
        if not isinstance(value, dict):
            return set()
        inner = (keys(each) for name, each in value.items() if name != "scope" or not isinstance(each, dict))
        return set(value).union(*inner)

    assert keys(found) <= documented
    assert {"first", "second", "second_later_seconds", "only_first", "only_second"} <= documented


@pytest.fixture(scope="module")
def acting(place: Place) -> Path:
    """A configuration that stops any key which spends more than a dollar on a day."""
    config = place.config.parent / "acting.toml"
    own = """\
[[budget]]
name = "any key's day"
period = "day"
per = ["api_key"]
limit_usd = 1
thresholds = [{ at = 100, action = "deactivate_key" }]
[shutoff]
mode = "approve"
min_usd = 1
grace = "0s"
"""
    config.write_text(place.config.read_text().replace(BUDGETS, BUDGETS + own))
    return config


def test_it_says_which_keys_would_have_been_deactivated_and_what_not_and_why(place: Place, acting: Path) -> None:
    found = backtest(acting, "--days", "6", "--actions", "--compare", place.other)
    first, second = (each["actions"] for each in found["configurations"])
    assert first["stops"]
    for stop in first["stops"]:
        assert stop["proposed_at"] <= stop["stopped_at"] < stop["off_until"]
        assert Decimal(stop["saved_usd"]) >= 0
        assert stop["rule"] == "any key's day"
    right = [Decimal(stop["saved_usd"]) for stop in first["stops"] if stop["innocent"] is None]
    assert Decimal(first["saved_usd"]) == sum(right)
    assert first["innocent"] == len(first["stops"]) - len(right)
    assert first["policy"]["min_usd"] == "1"
    assert any('"approve"' in note for note in found["notes"])
    assert any("no [shutoff]" in note for note in found["notes"])
    assert second["policy"]["min_usd"] == "50"
    assert {stop["id"] for stop in first["stops"]} >= set(found["compared"]["actions"]["only_first"])
    assert "actions" not in backtest(acting, "--days", "2")["configurations"][0], "only where it is asked for"


def test_two_configurations_are_held_against_each_other(place: Place) -> None:
    found = backtest(place.config, "--days", "12", "--compare", place.other)
    first, second = found["configurations"]
    one, other = ({alert["id"]: alert for alert in each["alerts"]} for each in (first, second))
    both = found["compared"]["both"]
    assert {pair["first"] for pair in both} | set(found["compared"]["only_first"]) == one.keys()
    assert {pair["second"] for pair in both} | set(found["compared"]["only_second"]) == other.keys()
    months = [pair for pair in both if one[pair["first"]]["rule"] == "month"]
    assert months
    assert all(pair["second_later_seconds"] >= 0 for pair in months), "its limit is higher"
    assert any(pair["second_later_seconds"] > 0 for pair in months)
    assert all(one[ident]["rule"] == "any day" for ident in found["compared"]["only_first"])


def test_every_line_fits_a_terminal_and_no_name_rearranges_it(place: Place, acting: Path) -> None:
    with_actions = ("--days", "3", "--actions")
    for config, *words in (
        (place.config, "--days", "4"),
        (place.config, "--days", "3", "--compare", place.other),
        (acting, *with_actions),
        (acting, *with_actions, "--compare", place.other),
    ):
        code, out, err = here("backtest", "-c", config, *words)
        assert (code, err) == (0, "")
        assert all(len(line) <= 80 for line in out.splitlines()), out
        assert "pages" in out
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", out)


def test_nothing_is_written_and_nothing_is_sent_also_while_a_daemon_holds_the_database(place: Place) -> None:
    folder = place.config.parent

    def kept() -> list[tuple[Path, bytes]]:
        return [(path, data) for path, data in every_byte(folder) if not path.name.endswith(("-shm", "-wal"))]

    with single_instance(f"sqlite:///{folder}/watcher.db"):
        before = kept()
        backtest(place.config, "--days", "3", "--compare", place.other)
        assert kept() == before
    assert place.heard.seen == []


class Page(HTMLParser):
    """What a browser would take from a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def every(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_report_needs_nothing_from_elsewhere_and_tells_every_picture_in_words(
    place: Place, acting: Path, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    words = ("--days", "2", "--compare", place.other, "--actions", "--html", file)
    code, out, err = here("backtest", "-c", acting, *words)
    assert (code, err) == (0, f"Wrote {file}.\n")
    assert out
    text = file.read_text()
    page = Page(text)
    pictures = page.every("img")
    assert pictures
    for picture in pictures:
        assert str(picture["src"]).startswith("data:image/svg+xml;base64,")
        assert "Spend in all" in str(picture["alt"])
    ids = {attributes["id"] for _, attributes in page.tags if attributes.get("id")}
    assert all(str(link["href"]).removeprefix("#") in ids for link in page.every("a"))
    assert not page.every("script")
    assert not page.every("link")
    assert not re.search(r"(src|href|url)[=(][\"']?http", re.sub(r"data:[^\"]*", "", text))
    assert "prefers-color-scheme: dark" in text
    assert page.every("html")[0]["lang"] == "en"
    assert "default-src 'none'" in str(page.every("meta"))
    world_names = ("<script>", "<!channel>", "</script>")
    assert not any(name in text for name in world_names)


def test_with_less_history_than_asked_for_it_says_how_much_there_is(place: Place) -> None:
    found = backtest(place.config, "--days", "60")
    assert found["history_from"] == "2026-10-31T00:00:00Z"
    assert found["notes"][0].startswith("History begins 2026-10-31 00:00 UTC: 20 days were replayed, of 60 asked for.")
    assert "less than 28 days of history" in found["notes"][1]


def test_a_route_is_needed_for_anybody_to_hear(place: Place, tmp_path: Path) -> None:
    text = place.config.read_text()
    bare = tmp_path / "config.toml"
    bare.write_text(text[: text.index("[[receiver]]")].replace("sqlite:///", f"sqlite:///{place.config.parent}/"))
    found = backtest(bare, "--days", "3")
    (replay,) = found["configurations"]
    assert any("has no route" in note for note in found["notes"])
    assert replay["receivers"] == []
    assert replay["alerts"]
    assert all(alert["told_at"] is None for alert in replay["alerts"])


def test_receivers_of_long_names_are_told_apart(place: Place, tmp_path: Path) -> None:
    names = [f"slack of the platform team, {which}, on call" for which in ("production", "staging")]
    config = tmp_path / "config.toml"
    text = place.config.read_text().replace("sqlite:///", f"sqlite:///{place.config.parent}/")
    text = text.replace('"hook"', f'"{names[0]}"') + receiver(names[1], place.heard.url)
    config.write_text(text)
    out = " ".join(here("backtest", "-c", config, "--days", "3")[1].split())
    for name in names:
        assert f"{name}: " in out


def _failing(*words: str | Path, code: int, says: str) -> None:
    found, out, err = here("backtest", *words)
    assert (found, out) == (code, "")
    assert says in err
    assert "Traceback" not in err


def test_what_cannot_be_asked_is_one_sentence(place: Place, tmp_path: Path) -> None:
    nothing = tmp_path / "empty.toml"
    text = place.config.read_text()
    nothing.write_text(text.replace(BUDGETS, ""))
    _failing("-c", nothing, code=1, says="has no [[budget]] and no [[anomaly]]")
    _failing("-c", place.config, "--compare", nothing, code=1, says="empty.toml has no [[budget]]")
    _failing("-c", place.config, "--compare", tmp_path / "none.toml", code=3, says="none.toml")
    _failing("-c", place.config, "--organization", "nobody", code=2, says="No organization is called 'nobody'.")
    _failing("-c", place.config, "--html", tmp_path / "no" / "r.html", code=2, says="does not exist")
    with Listener(answer=401) as refusing:
        config = write_config(tmp_path / "refused", refusing.url, BUDGETS)
        _failing("-c", config, code=1, says="401")


def test_without_a_database_history_is_fetched_and_thrown_away(tmp_path: Path) -> None:
    world = World(started_at=NOW - timedelta(hours=5), seed=7, keys=3, days=4)
    with Simulator(world, lambda: NOW) as served:
        config = write_config(tmp_path, served.url, BUDGETS)
        code, out, err = here("backtest", "-c", config, "--days", "2", "--json")
    assert code == 0
    assert err == f"Reading the last 30 days from {served.url} …\n"
    assert json.loads(out)["configurations"][0]["judgements"] == 48
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


def test_a_few_hours_are_too_little_to_replay(tmp_path: Path) -> None:
    early = "2026-11-20T00:40:00Z@1"
    begun = NOW.replace(hour=0, minute=40)
    with Simulator(World(started_at=begun, seed=7, keys=3, days=3), lambda: begun) as served:
        config = write_config(tmp_path, served.url, BUDGETS, backfill="1d")
        assert here("poll", "-c", config, clock=early)[0] == 0
    code, _, err = here("backtest", "-c", config, clock=early)
    assert code == 1
    assert "Only 24 hours of history are stored, and a replay takes at least 25" in err


def test_of_several_organizations_it_asks_which(place: Place, tmp_path: Path) -> None:
    text = place.config.read_text()
    url = re.search(r'base_url = "(.*)"', text)
    assert url is not None
    blocks = "".join(
        f'[[organization]]\nname = "{name}"\nbase_url = "{url[1]}"\nadmin_key = "sk-ant-admin01-{name}"\n'
        for name in ("one", "two")
    )
    config = tmp_path / "config.toml"
    config.write_text(f'{blocks}[store]\nurl = "sqlite:///none.db"\n{BUDGETS}')
    _failing("-c", config, code=2, says="say which with --organization. There are: one, two.")
    _failing("-c", config, "--organization", "three", code=2, says="There are: one, two.")


def test_ctrl_c_ends_it_with_a_sentence(place: Place) -> None:
    # Long enough not to be over before the signal comes, however busy the machine is.
    more = ["--compare", str(place.other), "--html", str(place.config.with_name("never.html"))]
    command = [sys.executable, "-m", "watcher", "backtest", "-c", str(place.config), "--days", "20", *more]
    screen, theirs = pty.openpty()
    # Whoever runs the tests may have it that interrupts are ignored, and programs that it starts would inherit that.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        signal.signal(signal.SIGINT, before)
        os.close(theirs)
        shown = b""
        deadline = time.monotonic() + 60
        while b"replaying" not in shown and time.monotonic() < deadline:
            shown += os.read(screen, 4096)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    with suppress(OSError):  # the end of what a terminal shows, once nobody writes to it
        while data := os.read(screen, 4096):
            shown += data
    os.close(screen)
    assert process.returncode == 130
    assert out == ""
    assert b"Interrupted" in shown
    assert b"Traceback" not in shown
