"""A kill at every commit and send of all turns that delivery takes: waits, groups, escalations, Slack, merging."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crash.driver import encode
from tests.crash.evidence import contradicted, damage, told
from tests.crash.receiver import Receiver, Request
from tests.crash.stage import KILLED, Stable
from tests.crash.test_many import alerts_of, states_told
from tests.crash.turns import WEBHOOKS, Turns
from tests.slack_workspace import Workspace, slack_workspace


@dataclass
class Story:
    """One database, its receivers' addresses and a Slack workspace of its own, through any number of lives."""

    folder: Path
    receiver: Receiver
    stable: Stable
    slack: Workspace

    @property
    def database(self) -> Path:
        return self.folder / "watcher.db"

    def live(
        self, *, trace: Path | None = None, deaths: Path | None = None, spare: str | None = None, one_in: int = 1
    ) -> int:
        errand = Turns(
            config=str(self.folder),
            moments=(),
            clock=str(self.folder / "clock"),
            trace=None if trace is None else str(trace),
            deaths=None if deaths is None else str(deaths),
            spare=spare,
            one_in=one_in,
            receivers=f"{self.receiver.url}/{self.folder.name}",
            slack=self.slack.url,
        )
        return self.stable.lead_by(encode(errand))

    def arrived(self, receiver: str) -> tuple[Request, ...]:
        return self.receiver.requests(f"/{self.folder.name}/{receiver}")

    def posted(self) -> list[tuple[str, str, bool]]:
        """Of every message in Slack the id, the text as it was edited last, and whether it stands in a thread."""
        return [
            (each["metadata"]["event_payload"]["id"], each["text"], bool(each.get("thread_ts")))
            for each in self.slack.messages.values()
        ]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return sorted(connection.execute(query).fetchall(), key=repr)


@dataclass
class Theatre:
    folder: Path
    receiver: Receiver
    stable: Stable
    stack: ExitStack

    def story(self, name: str) -> Story:
        folder = self.folder / name
        folder.mkdir()
        return Story(folder, self.receiver, self.stable, self.stack.enter_context(slack_workspace()))


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    folder = tmp_path_factory.mktemp("turns")
    with ExitStack() as stack:
        stable = Stable(folder / "log", "tests.crash.turns")
        stack.callback(stable.close)
        yield Theatre(folder, stack.enter_context(Receiver().serving()), stable, stack)


@pytest.fixture(scope="module")
def calm(theatre: Theatre) -> Story:
    """One undisturbed life."""
    story = theatre.story("calm")
    assert story.live(trace=story.folder / "trace") == 0, theatre.stable.said()
    return story


def test_the_story_has_every_turn_that_could_be_lost(calm: Story) -> None:
    reasons = {each: [request.body["reason"] for request in calm.arrived(each)] for each in WEBHOOKS}
    assert set(reasons["ops"]) == {"initial", "first", "new in group", "repeated", "resolved"}
    assert "escalated" in reasons["pager"]
    passed = (calm.folder / "trace").read_text()
    assert "after refusal" in passed
    assert "before commit outbox deliveries" in passed or "before commit deliveries outbox" in passed
    assert "slack_messages" in passed
    assert "groups" in passed
    merged = [name for name in passed.splitlines() if "commit outbox #" in name]
    assert merged, "a commit that puts messages together"
    assert any(in_thread for _, _, in_thread in calm.posted())


def check(calm: Story, story: Story) -> None:
    assert damage(story.database) == []
    for query in (
        "SELECT * FROM alerts",
        "SELECT alert_id, at, before, after, why, silent FROM transitions",
        "SELECT * FROM groups",
        "SELECT receiver, notification, alert, reason, thread != '' FROM slack_messages",
        "SELECT id, reason, alert_ids, delivered_at IS NOT NULL FROM outbox WHERE receiver IN ('ops', 'chat')",
    ):
        assert story.rows(query) == calm.rows(query), query
    assert story.posted() == calm.posted(), "each once, healed after a crash between posting and noting"
    assert told(story.arrived("ops")) == told(calm.arrived("ops"))
    alerts = alerts_of(story.database)
    for receiver in WEBHOOKS:
        requests = story.arrived(receiver)
        assert contradicted(requests) == []
        known = states_told(requests)
        heard = {ident for ident, (_, who) in alerts.items() if receiver in who}
        passed_by = {ident for ident in heard - set(known) if alerts[ident][0] == "resolved"}
        assert set(known) == heard - (passed_by if receiver != "ops" else set())
        for ident, states in known.items():
            assert states[0] == "firing"
            assert "resolved" not in states[:-1]
            assert states[-1] == alerts[ident][0], "lost"


def die_everywhere(theatre: Theatre, calm: Story, name: str, spare: str | None = None, one_in: int = 1) -> None:
    story = theatre.story(name)
    deaths = story.folder / "deaths"
    deaths.touch()
    lives = 0
    while (ended := story.live(deaths=deaths, spare=spare, one_in=one_in)) == KILLED:
        lives += 1
        assert damage(story.database) == [], deaths.read_text().splitlines()[-1]
    assert ended == 0, theatre.stable.said()
    died_at = deaths.read_text().splitlines()
    assert len(died_at) == len(set(died_at)) == lives
    check(calm, story)
    passed = (calm.folder / "trace").read_text().splitlines()
    assert lives > len([name for name in passed if spare is None or spare not in name]) / one_in / 2
    if one_in == 1:
        assert kinds(passed) - kinds(died_at) <= ({"after commit"} if spare else set())


def kinds(boundaries: list[str]) -> set[str]:
    """What boundaries there are, at whatever moment: which tables are committed together, messages sent and refused."""
    return {re.sub(r"(send|refusal) .*|(#| cursor| leaves).*", r"\1", name.partition(" ")[2]) for name in boundaries}


@pytest.mark.timeout(300)
def test_killed_at_some_commits_and_sends_of_timed_routes(theatre: Theatre, calm: Story) -> None:
    die_everywhere(theatre, calm, "commits", spare="after commit", one_in=24)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_once_on_either_side_of_every_commit_and_send_of_timed_routes(theatre: Theatre, calm: Story) -> None:
    die_everywhere(theatre, calm, "both-sides")
