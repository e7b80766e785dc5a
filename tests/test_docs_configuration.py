"""The models, docs/configuration.md and config.example.toml name the same settings, with the same defaults."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from rules.money import NANO_PER_USD, usd_string
from watcher.config import load
from watcher.config.durations import write_duration
from watcher.config.models import SEVERAL, SINGLE, SelectTable, TuningTable, keys_of
from watcher.config.shutoff_tables import ProtectTable

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / "config.example.toml").read_text(encoding="utf-8")
ENV = {"ANTHROPIC_ADMIN_KEY": "sk-ant-admin01-x", "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/x"}

SECTIONS = (
    {f"[{name}]": keys_of((table,)) for name, table in SINGLE.items()}
    | {f"[[{name}]]": keys_of(tables) for name, tables in SEVERAL.items()}
    | {"select": keys_of((SelectTable,)), "tuning": keys_of((TuningTable,))}
)


def documented() -> dict[str, dict[str, list[str]]]:
    """Section → key → the other cells of its row."""
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    sections: dict[str, dict[str, list[str]]] = {}
    for title, body in re.findall(r"^## `([^`]+)`\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL):
        rows = [
            [cell.strip() for cell in re.split(r"\s\|(?=\s)", line.strip("|"))]
            for line in body.splitlines()
            if "| `" in line
        ]
        sections[title] = {row[0].strip("|` "): row[1:] for row in rows}
    return sections


def as_toml(value: Any) -> str:
    match value:
        case timedelta():
            return f'"{write_duration(value)}"'
        case Enum() | str():
            return f'"{value}"'
        case bool():
            return str(value).lower()
        case tuple():
            return f'"{value[0]}:{value[1]}"'
        case list():
            return f"[{', '.join(as_toml(item) for item in value)}]"
        case float() | Fraction():
            return f"{float(value):g}"
        case int() if value < NANO_PER_USD:
            return str(value)  # a count
        case int():
            assert value % NANO_PER_USD == 0
            return usd_string(value)
        case SelectTable() | TuningTable() | ProtectTable():
            return "{}"
        case _:
            raise AssertionError(value)


def uncommented() -> str:
    """The example with every setting that it shows commented out switched on."""
    return re.sub(r"^#(?=[a-z0-9_]+ = |\[)", "", EXAMPLE, flags=re.MULTILINE)


def keys_shown(document: dict[str, Any]) -> dict[str, set[str]]:
    shown: dict[str, set[str]] = {"select": set(), "tuning": set()}
    for name, value in document.items():
        title = f"[[{name}]]" if isinstance(value, list) else f"[{name}]"
        shown[title] = {key for table in (value if isinstance(value, list) else [value]) for key in table}
        for table in value if isinstance(value, list) else []:
            shown["select"] |= table.get("select", {}).keys()
            shown["tuning"] |= table.get("tuning", {}).keys()
    return shown


def test_the_page_and_the_models_name_the_same_settings() -> None:
    assert {title: set(rows) for title, rows in documented().items()} == {
        title: set(keys) for title, keys in SECTIONS.items()
    }


@pytest.mark.parametrize(("title", "key"), [(title, key) for title, keys in SECTIONS.items() for key in keys], ids=str)
def test_the_page_gives_the_default_of_the_model_and_a_meaning(title: str, key: str) -> None:
    field = SECTIONS[title][key]
    kind, default, meaning = documented()[title][key]
    if (title, key) == ("[store]", "url"):
        assert default == '`"sqlite:///watcher.db"`'  # given by the code that resolves it beside the file
    elif field.is_required():
        assert default == "required"
    elif field.default is None:
        assert default == ""
    else:
        assert default == f"`{as_toml(field.default)}`"
    assert kind
    assert meaning.rstrip("|").strip().endswith(".")


def test_the_example_shows_every_setting_and_no_other() -> None:
    shown = keys_shown(tomllib.loads(uncommented()))
    assert shown.pop("select") <= set(SECTIONS["select"])
    assert shown.pop("tuning") <= set(SECTIONS["tuning"])
    assert shown == {title: set(keys) for title, keys in SECTIONS.items() if title not in {"select", "tuning"}}
    assert all(f'{key} = "…"' in EXAMPLE for key in SECTIONS["select"])


def test_the_example_is_valid_with_two_variables_and_nothing_to_warn_of(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(EXAMPLE, encoding="utf-8")
    settings = load(tmp_path / "config.toml", ENV)
    assert settings.warnings == ()
    assert settings.organizations[0].admin_key.reveal() == ENV["ANTHROPIC_ADMIN_KEY"]


def test_what_the_example_shows_commented_out_is_valid_too(tmp_path: Path) -> None:
    env = ENV | {"HEARTBEAT_URL": "https://beat.example/x", "WEBHOOK_URL": "https://hook.example/x"}
    env["WEBHOOK_SECRET"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    env["PRODUCTION_ADMIN_KEY"] = "sk-ant-admin01-y"
    env |= {
        "WATCHER_TOKEN": "t" * 32,
        "WATCHER_PASSWORD": "p" * 12,
        "ALERTMANAGER_PASSWORD": "p",
        "ALERTMANAGER_TOKEN": "t",
        "PAGERDUTY_ROUTING_KEY": "R" * 32,
        "SMTP_PASSWORD": "p",
        "APPRISE_URL": "tgram://x/y",
        "SLACK_BOT_TOKEN": "xoxb-1234567890",
        "SLACK_APP_TOKEN": "xapp-1234567890",
    }
    text = "\n".join(line for line in uncommented().splitlines() if not re.match(r"[a-z_]+_file = ", line))
    short = re.search(r"^\[anthropic\]$.*?(?=^\[\[organization)", text, flags=re.MULTILINE | re.DOTALL)
    assert short is not None
    text = re.sub(r"(ca_file|sensitivity) = .*", "", text.replace(short.group(), ""))
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    settings = load(tmp_path / "config.toml", env)
    assert settings.labels == ("production",)
    assert [receiver.type for receiver in settings.receivers] == [
        "slack",
        "slack",
        "webhook",
        "alertmanager",
        "alertmanager",
        "pagerduty",
        "email",
        "apprise",
        "console",
    ]
    assert settings.heartbeat is not None


def test_the_example_shows_the_defaults() -> None:
    document = tomllib.loads(EXAMPLE)
    names = {title.strip("[]"): keys for title, keys in SECTIONS.items() if title not in {"select", "tuning"}}
    for name, keys in names.items():
        value = document.get(name, {})
        table = value[0] if isinstance(value, list) else value
        for key, field in keys.items():
            if key in table and not field.is_required() and field.default is not None:
                assert tomllib.loads(f"x = {as_toml(field.default)}")["x"] == table[key], (name, key)


def test_the_commented_settings_follow_one_form_so_that_they_can_be_uncommented() -> None:
    for line in EXAMPLE.splitlines():
        assert re.match(r"#(?: |$|\[\[?[a-z_]+\]\]?$|[a-z0-9_]+ = )|[^#]|$", line), line
