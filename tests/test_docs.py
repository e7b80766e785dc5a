"""The documentation names what exists, and all of it."""

import re
from pathlib import Path

import pytest

from watcher.cli import app
from watcher.cli.context import ALERTS_FIRING, ALREADY_RUNNING, FAILED, INTERRUPTED, INVALID_CONFIG
from watcher.metrics import Metrics

ROOT = Path(__file__).parent.parent
OPERATIONS = (ROOT / "docs/operations.md").read_text()
METRICS = (ROOT / "docs/metrics.md").read_text()


def commands() -> set[str]:
    names = {str(command.name) for command in app.registered_commands}
    for group in app.registered_groups:
        assert group.typer_instance is not None
        callback = group.typer_instance.registered_callback
        names |= {str(group.name)} if callback is not None and callback.invoke_without_command is True else set()
        names |= {f"{group.name} {command.name}" for command in group.typer_instance.registered_commands}
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


@pytest.mark.parametrize("page", [*sorted(path.name for path in (ROOT / "docs").glob("*.md")), "../README.md"])
def test_every_link_to_a_file_leads_somewhere(page: str) -> None:
    here = ROOT / "docs" / page
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", here.read_text()):
        assert (here.parent / target).exists(), target
