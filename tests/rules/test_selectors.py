from __future__ import annotations

import pytest

from rules.model import CONSOLE, DEFAULT_WORKSPACE, UNATTRIBUTED, Leaf, Names, Selector
from rules.selectors import matches, select, takes

NAMES = Names({"wrkspc_1": "Prod EU", "wrkspc_2": "staging", "apikey_A": "[red]", "apikey_b": "ci-runner"})
RED = Leaf("wrkspc_1", "apikey_A", "claude-opus-5")
RUNNER = Leaf("wrkspc_2", "apikey_b", "claude-haiku-5-5")
CONSOLE_USE = Leaf(DEFAULT_WORKSPACE, CONSOLE, "claude-opus-5")
REST = Leaf("wrkspc_1", UNATTRIBUTED, UNATTRIBUTED)
LONG = Leaf("wrkspc_3", "apikey_long", "model[1m]")
LEAVES = (RED, RUNNER, CONSOLE_USE, REST, LONG)


@pytest.mark.parametrize(
    ("selector", "taken"),
    [
        (Selector(), LEAVES),
        (Selector(workspace="*", api_key="*", model="*"), LEAVES),
        (Selector(workspace="wrkspc_1"), (RED, REST)),
        (Selector(workspace="Prod EU"), (RED, REST)),
        (Selector(workspace="prod-*"), ()),
        (Selector(workspace="prod*"), (RED, REST)),
        (Selector(api_key="apikey_a"), ()),
        (Selector(api_key="apikey_A"), (RED,)),
        (Selector(api_key="APIKEY_*"), ()),
        (Selector(api_key="CI-*"), (RUNNER,)),
        (Selector(api_key="[red]"), (RED,)),
        (Selector(api_key="[RED]"), (RED,)),
        (Selector(api_key="apikey_?"), (RED, RUNNER)),
        (Selector(model="claude-opus-*"), (RED, CONSOLE_USE)),
        (Selector(model="Claude-Opus-5"), ()),
        (Selector(api_key="console"), (CONSOLE_USE,)),
        (Selector(api_key="(console)"), (CONSOLE_USE,)),
        (Selector(workspace="default"), (CONSOLE_USE,)),
        (Selector(workspace="Default Workspace"), (CONSOLE_USE,)),
        (Selector(api_key="unattributed"), (REST,)),
        (Selector(workspace="prod*", model="claude-*"), (RED,)),
        (Selector(workspace="staging", api_key="[red]"), ()),
        (Selector(model="model[1m]"), (LONG,)),
    ],
)
def test_a_selector_takes_what_it_says(selector: Selector, taken: tuple[Leaf, ...]) -> None:
    assert tuple(leaf for leaf in LEAVES if matches(selector, leaf, NAMES)) == taken
    chosen = select(selector, LEAVES, NAMES)
    assert tuple(leaf for leaf, is_taken in zip(LEAVES, chosen, strict=True) if is_taken) == taken


TEAM = Names(
    {"user_1": "Ada Lovelace", "user_2": "<!channel>"},
    user_of_key={"apikey_A": "user_1", "apikey_b": "user_2"},
    emails={"user_1": "ada@team.example"},
    tags_of_workspace={"wrkspc_1": {"team": "Platform", "cost center": "a=b"}, "wrkspc_2": {"team": "[x]"}},
)
BATCH = Leaf("wrkspc_2", "apikey_b", "claude-3-5-haiku-latest", "batch")
MORE = (*LEAVES, BATCH)


@pytest.mark.parametrize(
    ("selector", "taken"),
    [
        (Selector(model_family="opus"), (RED, CONSOLE_USE)),
        (Selector(model_family="HAIKU"), (RUNNER, BATCH)),
        (Selector(model_family="o*"), (RED, CONSOLE_USE)),
        (Selector(model_family="unattributed"), (REST,)),
        (Selector(service_tier="batch"), (BATCH,)),
        (Selector(service_tier="Batch"), (BATCH,)),
        (Selector(service_tier="unattributed"), (REST,)),
        (Selector(service_tier="unknown"), (RED, RUNNER, CONSOLE_USE, LONG)),
        (Selector(user="user_1"), (RED,)),
        (Selector(user="USER_1"), ()),
        (Selector(user="ada*"), (RED,)),
        (Selector(user="*@TEAM.example"), (RED,)),
        (Selector(user="<!channel>"), (RUNNER, BATCH)),
        (Selector(user="console"), (CONSOLE_USE,)),
        (Selector(user="unknown"), (LONG,)),
        (Selector(user="unattributed"), (REST,)),
        (Selector(tag="team=platform"), (RED, REST)),
        (Selector(tag="team=*"), (RED, RUNNER, REST, BATCH)),
        (Selector(tag="TEAM=[x]"), (RUNNER, BATCH)),
        (Selector(tag="team=(none)"), (CONSOLE_USE, LONG)),
        (Selector(tag="cost center=a=b"), (RED, REST)),
        (Selector(tag="cost center=a"), ()),
        (Selector(tag="*"), (RED, RUNNER, REST, BATCH)),
        (Selector(tag="*=platform"), (RED, REST)),
        (Selector(tag="team=*", service_tier="batch"), (BATCH,)),
        (Selector(user="*", model_family="*", service_tier="*"), MORE),
    ],
)
def test_families_tiers_users_and_tags_are_selected_by_what_people_call_them(
    selector: Selector, taken: tuple[Leaf, ...]
) -> None:
    chosen = select(selector, MORE, TEAM)
    assert tuple(leaf for leaf, is_taken in zip(MORE, chosen, strict=True) if is_taken) == taken


def test_a_word_that_is_no_word_of_a_selector_is_refused() -> None:
    with pytest.raises(KeyError, match="owner"):
        takes("owner", "*", LEAVES, NAMES)


def test_no_leaves_are_no_matches() -> None:
    assert select(Selector(model="x"), (), NAMES).shape == (0,)
