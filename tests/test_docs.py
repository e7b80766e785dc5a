"""The documentation names what exists, and all of it."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from watcher.cli import app
from watcher.cli.context import ALERTS_FIRING, ALREADY_RUNNING, FAILED, INTERRUPTED, INVALID_CONFIG
from watcher.config.models import SEVERAL, SINGLE, keys_of
from watcher.metrics import Metrics

ROOT = Path(__file__).parent.parent
OPERATIONS = (ROOT / "docs/operations.md").read_text()
METRICS = (ROOT / "docs/metrics.md").read_text()
COMMAND = typer.main.get_command(app)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> set[str]:
    names = set()
    for name, command in COMMAND.commands.items():  # type: ignore[attr-defined]
        inside = getattr(command, "commands", {})
        names |= {f"{name} {each}" for each in inside}
        names |= {name} if not inside or command.invoke_without_command else set()
    return {f"watcher {name}" for name in names}


def documented(text: str, pattern: str) -> set[str]:
    return set(re.findall(rf"^\| `?({pattern})`?(?= \|)", text, flags=re.MULTILINE))


def test_every_command_is_documented_and_every_documented_command_exists() -> None:
    assert documented(OPERATIONS, r"watcher [a-z -]+") == commands()


def test_every_exit_code_is_documented_and_no_other() -> None:
    codes = {0, FAILED, 2, INVALID_CONFIG, ALERTS_FIRING, ALREADY_RUNNING, INTERRUPTED}
    assert {int(code) for code in documented(OPERATIONS, r"\d+")} == codes


def test_every_metric_is_documented_with_its_labels_and_no_other() -> None:
    rows = re.findall(r"^\| `(watcher_\w+)` \| ([a-z_, ]*) ?\|", METRICS, flags=re.MULTILINE)
    found = {}
    for family in Metrics().registry.collect():
        suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
        found[family.name + suffix] = family
    assert {name for name, _ in rows} == {name for name in found if not name.startswith("process_")}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target, _, anchor in re.findall(r"\]\(([^)#:]*)(#([^)]*))?\)", prose(page)):
        there = page.parent / target if target else page
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{target}#{anchor}"


def prose(page: Path) -> str:
    return re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Where the headings of a page can be linked to, as GitHub makes it of their words."""
    titles = re.findall(r"^#+ (.*)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def commands_shown(page: Path) -> Iterator[list[str]]:
    """The words of every line of a page that is meant to be typed and runs the program."""
    for line in re.findall(r"^ {4,}(?:sudo -u \S+ )?((?:\S*/)?watcher .*)$", page.read_text(), flags=re.MULTILINE):
        yield shlex.split(line, comments=True)[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_command_that_a_page_shows_is_one_with_the_options_that_it_shows(page: Path) -> None:
    for words in commands_shown(page):
        found: Any = COMMAND
        given = iter(words)
        for word in given:
            if word in getattr(found, "commands", ()):
                found = found.commands[word]
            elif word.startswith("-"):
                options = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
                assert word.partition("=")[0] in options, words
        assert found.name != "watcher", words


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "simulator.md"], ids=lambda path: path.name)
def test_every_setting_that_a_page_shows_is_one(page: Path) -> None:
    tables = {name: set(keys_of((table,))) for name, table in SINGLE.items()}
    tables |= {name: set(keys_of(several)) for name, several in SEVERAL.items()}
    for block in re.findall(r"^ *```toml\n(.*?)^ *```", page.read_text(), flags=re.MULTILINE | re.DOTALL):
        for name, value in tomllib.loads(block).items():
            if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
                for table in value if isinstance(value, list) else [value]:
                    assert set(table) <= tables[name], (name, set(table) - tables[name])
