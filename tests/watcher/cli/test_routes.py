"""Routes from the configuration through polls to the receivers, and `watcher check --route`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stage import NOW, Listener, here, write_config
from watcher.simulator import Simulator, World

BUDGETS = """\
[[budget]]
name = "organization"
limit_usd = 100
thresholds = [{ at = 50, severity = "critical" }]
[[budget]]
name = "keys a day"
period = "day"
limit_usd = 0.01
thresholds = [{ at = 100, severity = "warning" }]
per = ["api_key"]
"""
ROUTES = """\
[[route]]
receiver = "pager"
match = ['severity="critical"', 'kind!="source"']
[[route]]
receiver = "ops"
match = ['workspace=~".+"', 'tag_team=""']
continue = true
[[route]]
receiver = "ops"
match = ['rule=~"keys.*"']
[[route]]
receiver = "rest"
"""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(World(started_at=NOW - timedelta(hours=5), seed=7, keys=4, days=8), lambda: NOW) as served:
        yield served


def receivers(**urls: str) -> str:
    return "".join(
        f'[[receiver]]\nname = "{name}"\ntype = "webhook"\nurl = "{url}"\nallow_private = true\n'
        for name, url in urls.items()
    )


def test_each_receiver_hears_what_its_routes_take(simulator: Simulator, tmp_path: Path) -> None:
    with Listener() as pager, Listener() as ops, Listener() as rest:
        whom = receivers(pager=pager.url, ops=ops.url, rest=rest.url)
        config = write_config(tmp_path, simulator.url, f"{BUDGETS}{whom}{ROUTES}", backfill="7d")
        assert here("poll", "-c", config)[0] == 0
        told = [
            {alert["rule"] for message in listener.messages for alert in message["alerts"]}
            for listener in (pager, ops, rest)
        ]
    assert told == [{"organization"}, {"keys a day"}, set()]


def test_check_says_who_would_hear_of_an_alert(tmp_path: Path) -> None:
    whom = receivers(pager="http://127.0.0.1:1/", ops="http://127.0.0.1:1/", rest="http://127.0.0.1:1/")
    config = write_config(tmp_path, "http://127.0.0.1:1", f"{BUDGETS}{whom}{ROUTES}")

    def asked(labels: str) -> tuple[int, list[str], str]:
        code, out, err = here("check", "-c", config, "--route", labels)
        return code, out.splitlines(), err

    assert asked("severity=critical,workspace=prod-x")[1] == [
        '  route[0] to "pager": severity="critical" and kind!="source"',
        'Would hear: "pager".',
    ]
    assert asked('kind=source, rule="data, stale",workspace=prod-x')[1] == [
        '  route[1] to "ops": workspace=~".+" and tag_team=""',
        '  route[3] to "rest": it takes every alert',
        'Would hear: "ops", "rest".',
    ]
    assert asked("severity=info")[1][-1] == 'Would hear: "rest".'
    assert asked("severity=grave")[::2] == (
        2,
        "--route: 'severity=grave' names a severity that there is not; there is info, warning, critical.\n",
    )
    assert asked("severity!=info")[0] == 2
    config.write_text(config.read_text().replace('[[route]]\nreceiver = "rest"\n', ""))
    assert asked("severity=info")[1] == ["Nobody would hear: no route takes it."]
    assert "no [[route]] takes every alert" in here("check", "-c", config)[2]
