from __future__ import annotations

import pytest

from benchmarks.gallery_samples import burning_key, fast_month, foreseen_month
from rules.model import Alert, State
from watcher.store import Judgement, Store


@pytest.mark.parametrize("alert", [burning_key(), burning_key(state=State.RESOLVED), foreseen_month(), fast_month()])
def test_the_alert_of_a_trigger_comes_back_as_it_was_written(store: Store, alert: Alert) -> None:
    store.remember(Judgement(alerts=(alert,)))
    assert store.alerts.get(alert.id) == alert
