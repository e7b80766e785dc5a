"""A replay of what a daemon stored tells what the daemon told, at the hours at which it told it."""

from __future__ import annotations

from pathlib import Path

from rules.model import Budget, Reason, State, Subject
from tests.acceptance.conftest import Start
from tests.acceptance.running import (
    HOUR,
    KEY_SPEND,
    MINUTE,
    WORKSPACE_SPEND,
    Asked,
    Watcher,
    at,
    dollars,
    incident_file,
)
from watcher.asked_rules import rules_asked
from watcher.backtest import Place, Replay, hourly, replay
from watcher.backtest.history import stored_history
from watcher.pricing import PriceBook
from watcher.simulator import World
from watcher.store import Store

BEGIN = at("2026-11-17 06:20")
DAILY = Budget("daily", "day", "Europe/Berlin", dollars(40), (50.0, 80.0, 100.0))
ASKED = Asked(budgets=(DAILY,), anomalies=(KEY_SPEND, WORKSPACE_SPEND))


def replayed(live: Watcher) -> Replay:
    """The history that the daemon stored, from its first cycle to the present."""
    organization = live.store.organizations.id_of("") or ""
    with Store.open(f"sqlite:///{live.database}", read_only=True) as store:
        rules = rules_asked(live._settings())
        history = stored_history(store, PriceBook(), organization, [rules], (BEGIN - 20 * MINUTE, live.now))
        names = store.directory.names(organization)
    frames = hourly(history.view, BEGIN - HOUR, live.now, counted=history.counted, settling=history.settling)
    return replay(frames, rules, Place(names))


def test_a_replay_tells_what_the_daemon_told(start: Start, tmp_path: Path) -> None:
    """The daemon looks when the replay does, once an hour; what the filling hour showed it, it may have told sooner."""
    scenario = incident_file(tmp_path, "runaway after=2h for=3h")
    world = World(started_at=BEGIN, seed=7, keys=8, workspaces=3, days=15, scenario=scenario)
    live = start(world, ASKED)
    live.cycle()
    live.run(BEGIN + 12 * HOUR)
    found = replayed(live)
    assert (found.start, found.until) == (BEGIN, live.now)
    fired: dict[Subject, object] = {}
    for row in live.transitions:
        alert = live.store.alerts.get(row.alert_id)
        if row.after is State.FIRING and not row.silent and alert is not None:
            fired[alert.subject] = row.at
    assert {subject.kind for subject in fired} == {"budget", "anomaly"}
    again = {each.alert.subject: each.alert.fired_at for each in found.alerts}
    assert again.keys() == fired.keys()
    later = [again[subject] - moment for subject, moment in fired.items()]
    assert set(later) <= {0 * HOUR, HOUR}, later
    assert 0 * HOUR in later
    sent = live.recorders["ops"].messages
    assert [each.reason for each in found.messages] == [each.reason for each in sent]
    assert Reason.RESOLVED in {each.reason for each in sent}
