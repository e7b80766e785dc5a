"""Why, as a person reads it, of incidents that a living organization has: from the API to the line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from rules.attribution import by_habit
from rules.cause_words import why
from rules.driven import driven
from rules.model import Scope
from tests.acceptance.conftest import Start
from tests.acceptance.running import Asked, at, incident_file
from watcher.simulator import World

TUESDAY = at("2026-11-17 15:00")


def test_each_kind_of_incident_says_why_it_costs_more(start: Start, tmp_path: Path) -> None:
    scenario = incident_file(
        tmp_path,
        "runaway after=-6h",
        "cache-regression after=-6h",
        "model-switch after=-6h model=claude-opus-5-5",
    )
    world = World(started_at=TUESDAY, seed=7, keys=12, workspaces=3, days=21, scenario=scenario)
    watcher = start(world, Asked())
    watcher.cycle()
    view = watcher.last.decision.view
    names = watcher.store.directory.names(view.organization)
    told = {}
    for incident in world.incidents:
        members = np.flatnonzero([leaf.api_key == incident.api_key_id for leaf in view.leaves])
        cut = by_habit(view, members, slice(view.index(incident.starts_at), view.hours))
        found = driven(view, names, Scope(view.organization, api_key=incident.api_key_id), cut)
        assert found.cause.effects is not None
        assert found.cause.effects.excess == found.cause.excess == found.observed - cut.likely > 0
        told[incident.kind] = why(found.cause)
    assert re.fullmatch(r"more volume \(\d\d times the tokens\)", told["runaway"])
    assert re.search(r"\d\d % by fewer cache hits \(cache reads fell from 7\d % to \d % of", told["cache-regression"])
    assert re.search(r"\d\d % by dearer models \(claude-opus-5-5 took over from", told["model-switch"])
