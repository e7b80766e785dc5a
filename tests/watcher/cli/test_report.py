"""`watcher report`, digests of two organizations, and `watcher notify test --as`, through the real command."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.stage import Listener, here, receiver, write_config
from watcher.simulator import Simulator, World

EVENING = datetime(2026, 11, 20, 20, 20, tzinfo=UTC)
MORNING = datetime(2026, 11, 21, 9, 20, tzinfo=UTC)
DIGESTS = '[[digest]]\nname = "morning"\nreceiver = "ops"\n[[digest]]\nname = "east"\nat = "09:10"\nreceiver = "ops"\n'
DIGESTS += 'select = { organization = "east" }\n'


def founded(name: str, seed: int) -> World:
    return World(started_at=EVENING, keys=2, days=1, seed=seed, organization_name=name)


def run(*arguments: str | Path, now: datetime = MORNING) -> str:
    code, out, err = here(*arguments, clock=f"{now:%Y-%m-%dT%H:%M:%SZ}@1")
    assert code == 0, err
    return out


def test_two_organizations_have_a_digest_each_and_the_report_says_what_spend_says(tmp_path: Path) -> None:
    clock = [EVENING]
    with (
        Simulator(founded("Eastern Robotics", 1), lambda: clock[0]) as east,
        Simulator(founded("Western Looms", 2), lambda: clock[0]) as west,
        Listener() as ops,
    ):
        config = write_config(tmp_path, "http://127.0.0.1:1", receiver("ops", ops.url) + DIGESTS, backfill="1d")
        blocks = [
            f'[[organization]]\nname = "{name}"\nbase_url = "{served.url}"\nadmin_key = "sk-ant-admin01-{name}"\n'
            for name, served in (("east", east), ("west", west))
        ]
        text = config.read_text()
        config.write_text("".join(blocks) + text[text.index("[store]") :])
        run("poll", "-c", config, now=EVENING)
        assert [each for each in ops.messages if each["reason"] == "digest"] == []
        clock[0] = MORNING
        run("poll", "-c", config)
        told = [each for each in ops.messages if each["reason"] == "digest"]
    told.sort(key=lambda each: each["organization_label"])
    assert [(each["organization_label"], each["digest"]["name"]) for each in told] == [
        ("east", "morning"),
        ("east", "east"),
        ("west", "morning"),
    ]
    assert len({each["id"] for each in told}) == 3
    found: dict[str, Any] = json.loads(run("report", "-c", config, "--json"))
    assert [each["organization_label"] for each in found["reports"]] == ["east", "west"]
    for report, sent in zip(found["reports"], (told[0], told[2]), strict=True):
        window = ("--from", report["starts_at"], "--to", report["ends_at"], "--organization")
        spent = json.loads(run("spend", "-c", config, *window, report["organization_label"], "--json"))
        assert report["period"] == "20 Nov 2026"
        assert float(report["spent_usd"]) > 0
        assert report["spent_usd"] == sent["digest"]["spent_usd"] == spent["total"]["cost_usd"]
    shown = run("report", "-c", config, "--digest", "east")
    assert "east: Daily digest, Fri 20 Nov 2026: $" in " ".join(shown.split())
    assert "west" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    with Listener() as late:
        config.write_text(config.read_text().replace(ops.url, late.url))
        run("report", "-c", config, "--weekly", "--organization", "west", "--send", "ops")
        (sent,) = late.messages
    assert (sent["reason"], sent["digest"]["every"], sent["receiver"]) == ("digest", "weekly", "ops")


def test_what_cannot_be_meant_is_refused_in_a_sentence(tmp_path: Path) -> None:
    more = receiver("ops", "http://127.0.0.1:1/") + DIGESTS
    more += f'[[receiver]]\nname = "pager"\ntype = "pagerduty"\nrouting_key = "{"R" * 32}"\n'
    config = write_config(tmp_path, "http://127.0.0.1:1", more)
    for arguments, sentence in (
        (("report", "--daily", "--weekly"), "--daily and --weekly exclude each other."),
        (("report", "--digest", "mornin"), "No digest is called 'mornin': did you mean \"morning\"?"),
        (("report", "--digest", "zzz"), "No digest is called 'zzz': there are: morning, east."),
        (("report", "--send", "pager"), 'Receiver "pager" takes no digests: it is of type pagerduty'),
        (("report", "--send", "op"), 'No receiver is called "op". Did you mean "ops"?'),
        (("notify", "test", "pager", "--as", "digest"), 'Receiver "pager" takes no digests: it is of type pagerduty'),
        (("notify", "test", "ops", "--as", "summary"), "summary"),
    ):
        code, _, err = here(*arguments, "-c", config)
        assert (code, sentence in " ".join(err.split())) == (2, True), err


@pytest.mark.parametrize("kind", ["anomaly", "budget", "resolved", "digest"])
def test_a_test_message_takes_the_form_that_is_asked_for(tmp_path: Path, kind: str) -> None:
    with Listener() as ops:
        config = write_config(tmp_path, "http://127.0.0.1:1", receiver("ops", ops.url))
        run("notify", "test", "ops", "--as", kind, "-c", config)
        (sent,) = ops.messages
    assert sent["reason"] == "test"
    assert [each["kind"] for each in sent["alerts"]] == {"digest": [], "budget": ["budget"]}.get(kind, ["anomaly"])
    assert [each["state"] for each in sent["alerts"]] == {"digest": [], "resolved": ["resolved"]}.get(kind, ["firing"])
    assert ("digest" in sent) is (kind == "digest")
