"""The simulator's page names everything that can be asked of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from watcher.simulator import faults, incidents, scenarios

PAGE = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*scenarios.SCENARIOS, *incidents.KINDS, *faults.PRESETS])
def test_every_scenario_and_preset_is_in_the_docs(name):
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("kind", faults.KINDS)
def test_every_kind_of_fault_is_in_the_docs(kind):
    listed = PAGE[PAGE.index("[[fault]]") :]
    assert f" {kind} " in listed.replace("\n", " ").replace('"', " ")
