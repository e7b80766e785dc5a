"""From the store to the next cycle: what waits for a receiver that the configuration names no more."""

from __future__ import annotations

import re
from pathlib import Path

from rules.model import Reason
from tests.stage import BUDGET, NOW, Listener, here, receiver, write_config
from tests.watcher.store.samples import T0, anomaly, message
from watcher.simulator import Simulator, World
from watcher.store import Judgement, Store


def test_what_waits_for_others_is_known_by_its_alerts_until_it_is_delivered(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/watcher.db") as store:
        waits, stays = message("n1", anomaly("a1"), receiver="old"), message("n2", anomaly("a2"), receiver="ops")
        store.remember(Judgement(notifications=(waits, stays)))
        assert store.outbox.told_to_others(["ops"]) == {"a1"}
        assert store.outbox.told_to_others(["ops", "old"]) == set()
        store.outbox.delivered("n1", T0)
        assert store.outbox.told_to_others(["ops"]) == set()
        assert waits.reason is Reason.FIRST


def test_a_receiver_that_is_replaced_while_it_is_down_leaves_its_successor_in_the_know(tmp_path: Path) -> None:
    world = World(started_at=NOW.replace(hour=7), keys=6, days=4)
    with Simulator(world, lambda: NOW) as served, Listener(answer=503) as down, Listener() as well:
        config = write_config(tmp_path, served.url, BUDGET + receiver("old", down.url))
        here("poll", "--config", config)
        assert down.seen
        config = write_config(tmp_path, served.url, BUDGET + receiver("new", well.url))
        for _ in range(2):
            here("poll", "--config", config)
        (told,) = well.messages
        assert told["reason"] == "first"
        _, shown, _ = here("status", "--config", config)
        assert "for receiver old, which the configuration no longer names" in re.sub(r"\s+", " ", shown)
