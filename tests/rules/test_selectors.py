from __future__ import annotations

import pytest

from rules.model import CONSOLE, DEFAULT_WORKSPACE, UNATTRIBUTED, Leaf, Names, Selector
from rules.selectors import matches, select

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


def test_no_leaves_are_no_matches() -> None:
    assert select(Selector(model="x"), (), NAMES).shape == (0,)
