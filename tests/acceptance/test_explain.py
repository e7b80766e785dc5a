"""A daemon's alerts are explained out of its own database, and judged again they are what they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.model import Budget
from tests.acceptance.conftest import Start
from tests.acceptance.running import HOUR, KEY_SPEND, Asked, Watcher, at, dollars, incident_file
from watcher.cli.organizations import Chosen
from watcher.explain.explanation import Explanation, explain
from watcher.explain.record import read_record
from watcher.simulator import World
from watcher.store import Store

BEGIN = at("2026-11-17 06:20")
DAILY = Budget("daily", "day", "Europe/Berlin", dollars(40), (50.0, 100.0))


def explained(live: Watcher) -> dict[str, Explanation]:
    """Every alert of the daemon's database, by kind the one that was told last, read beside the daemon."""
    found = {}
    with Store.open(f"sqlite:///{live.database}", read_only=True) as store:
        organization = store.organizations.id_of("") or ""
        which = Chosen(organization, "", store.directory.organization_name(organization))
        for alert in reversed(store.alerts.list()):
            record = read_record(store, live._settings(), which, alert, live.now)
            if record.messages:
                found[alert.subject.kind] = explain(store, live._settings(), record, live.now)
    return found


def running(start: Start, tmp_path: Path) -> Watcher:
    """A daemon that was told to look for what then happens: a key runs away for three hours."""
    scenario = incident_file(tmp_path, "runaway after=2h for=3h")
    world = World(started_at=BEGIN, seed=7, keys=5, workspaces=2, days=10, scenario=scenario)
    live = start(world, Asked(budgets=(DAILY,), anomalies=(KEY_SPEND,)))
    live.cycle()
    return live


def test_what_a_daemon_told_is_decided_so_again(start: Start, tmp_path: Path) -> None:
    live = running(start, tmp_path)
    live.run(BEGIN + 4 * HOUR)
    now = explained(live)
    assert {kind: each.again.outcome for kind, each in now.items()} == {"anomaly": "same", "budget": "same"}
    assert all(sent.tries[-1].error is None for each in now.values() for sent in each.record.messages)


@pytest.mark.slow
def test_a_day_later_it_still_is_though_it_has_ended(start: Start, tmp_path: Path) -> None:
    live = running(start, tmp_path)
    live.run(BEGIN + 30 * HOUR)
    later = explained(live)["anomaly"]
    assert later.again.outcome == "same"
    assert later.record.alert.ends_at is not None
    assert later.record.decided.ends_at is None, "what is explained is the decision that it fires"
