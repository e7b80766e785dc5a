"""Keys named to break whatever shows them: read from the API, judged, and shown by every face of the program."""

from __future__ import annotations

import html.parser
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from rich.cells import cell_len

from tests.stage import NOW, Listener, Running, here, receiver, until, write_config
from watcher.simulator import Simulator, World

RULES = """\
[[budget]]
name = "<b>each</b> [red]key[/]"
period = "month"
limit_usd = 1
thresholds = [100]
per = ["api_key"]
[[receiver]]
name = "terminal"
type = "console"
[[route]]
receiver = "terminal"
"""


@dataclass(frozen=True)
class Shown:
    """What every face of the program showed."""

    names: frozenset[str]
    page: str
    metrics: str
    console: str
    slack: list[Any]
    webhook: list[Any]
    config: Path


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    world = World(started_at=NOW - timedelta(hours=5), keys=10, days=20, hostile_names=True)
    with Simulator(world, lambda: NOW) as served, Listener() as slack, Listener() as hook:
        more = RULES + receiver("slack", f"{slack.url}/services/x", "slack") + receiver("hook", hook.url)
        config = write_config(tmp_path_factory.mktemp("hostile"), served.url, more)
        code, out, _ = here("poll", "-c", config)
        assert code == 0
        with Running(config) as daemon:
            assert until(lambda: daemon.get("/-/ready").status_code == 200)
            page, metrics = daemon.get("/").text, daemon.get("/metrics").text
        names = frozenset(key.name for key in world.organization.keys.values())
        yield Shown(names, page, metrics, out, slack.messages, hook.messages, config)


def harmful(text: str) -> set[str]:
    """Characters that command a terminal, turn the writing round or hide."""
    kinds = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return {char for char in text if char != "\n" and unicodedata.category(char) in kinds}


class Elements(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.leads: list[str] = []
        """What scripts, links and pictures name; "data" for a script that is none."""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in {"script", "a"}:
            given = dict(attrs)
            data = tag == "script" and given.get("type") == "application/json"
            self.leads.append("data" if data else given.get("src" if tag == "script" else "href") or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_organization_has_names_to_fear(shown: Shown) -> None:
    for name in ("<!channel>", "[bold]", "</script><script>alert(1)</script>", '=HYPERLINK("http://x")'):
        assert name in shown.names
    assert any("\u202e" in name for name in shown.names)
    assert any(len(name) >= 300 for name in shown.names)


def test_the_page_shows_them_as_text(shown: Shown) -> None:
    page = Elements(shown.page)
    assert not page.tags & {"img", "iframe", "bold", "b onload", "!channel", "svg"}
    assert all(lead.startswith(("/", "#content")) or lead == "data" for lead in page.leads), page.leads
    assert not {name for name in page.attributes if name.startswith("on")}
    text = "".join(page.words)
    for name in ("<!channel>", "[bold]", "</script><script>alert(1)</script>", "<b>each</b> [red]key[/]"):
        assert name in text
    assert not harmful(shown.page)
    assert "x" * 90 not in shown.page


def test_the_metrics_parse_and_hold_one_series_a_name(shown: Shown) -> None:
    families = {family.name: family for family in text_string_to_metric_families(shown.metrics)}
    named = [sample.labels["name"] for sample in families["watcher_name_info"].samples]
    assert {"<!channel>", "[bold]", '=HYPERLINK("http://x")', "</script><script>alert(1)</script>"} <= set(named)
    assert not harmful(shown.metrics)
    assert max(map(len, named)) <= 80
    budgets = {sample.labels["budget"] for sample in families["watcher_budget_ratio"].samples}
    assert budgets == {"<b>each</b> [red]key[/]"}


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "alerts",
        "spend",
        "spend --by api_key --by model",
        "spend --by api_key --by workspace --by model --bucket day",
        "check",
    ],
)
def test_the_command_line_prints_them_as_they_are_written_at_80_columns(shown: Shown, command: str) -> None:
    code, out, _ = here(*command.split(), "-c", shown.config)
    assert code == 0
    assert not harmful(out)
    if command != "check":  # which says a budget in one sentence, for a log as much as for a terminal
        assert max(map(cell_len, out.splitlines())) <= 80
        # A line may end within a name.
        unbroken = re.sub(r"\s+", "", out)
        shortened = command.count("--by") > 1
        for name in ["[bold]"] if shortened else ["<!channel>", "[bold]", "</script><script>alert(1)</script>"]:
            assert name in unbroken


@pytest.mark.parametrize("command", ["status --json", "alerts --json", "spend --json"])
def test_json_holds_them_exactly_and_is_harmless_on_a_terminal(shown: Shown, command: str) -> None:
    code, out, _ = here(*command.split(), "-c", shown.config)
    assert code == 0
    assert out.isascii()
    assert not harmful(out)
    document = json.loads(out)
    if command.startswith("spend"):
        names = {row.get("api_key_name") for row in document["rows"]}
        assert {name for name in shown.names if "\u202e" in name or len(name) > 250} <= names


def test_the_console_message_prints_them_as_they_are_written(shown: Shown) -> None:
    assert not harmful(shown.console)
    assert max(map(cell_len, shown.console.splitlines())) <= 80
    for name in ("<!channel>", "[bold]", "[red]key[/]"):
        assert name in shown.console


def test_slack_is_told_no_name_that_calls_or_links_anyone(shown: Shown) -> None:
    assert shown.slack
    for message in shown.slack:
        texts = list(strings(message))
        assert not any(re.search(r"<(!|@|#|http|mailto)", text) for text in texts)
        assert any("&lt;!channel&gt;" in text for text in texts)
        assert not harmful("".join(texts).replace("\t", ""))


def strings(value: Any) -> Iterator[str]:
    """Every text of a message, but for those of Block Kit's own fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            if name not in {"type", "block_id", "action_id", "style"}:
                yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def test_a_webhooks_names_are_exact_and_its_summary_is_one_harmless_line(shown: Shown) -> None:
    (message,) = shown.webhook
    assert {name for alert in message["alerts"] for name in alert["names"].values()} >= {"<!channel>", "[bold]"}
    for alert in message["alerts"]:
        assert not harmful(alert["summary"])
        assert "\n" not in alert["summary"]
        assert len(alert["summary"]) < 500
