"""An API that cannot be read is one story: the most important source tells it, the others travel inside."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from rules import lifecycle, routing, sources
from rules.hearing import Audience
from rules.model import Alert, Kind, Names, Notification, Route, Snapshot, SourceState, State
from tests.rules.test_sources import snapshot_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ALL = ("usage", "cost", "claude_code", "organization", "workspaces", "api_keys", "users", "invites")
CONFIGURED: frozenset[tuple[Kind, str]] = frozenset(("source", rule) for rule in sources.RULES)
WHY = "/v1/organizations/x answered 529 (request-id req_7): Overloaded"


def good(source: str, now: datetime) -> SourceState:
    return SourceState(source, offered=True, watermark=now, last_attempt_at=now, last_success_at=now)


def failing(source: str, since: datetime) -> SourceState:
    return replace(good(source, since), failing_since=since, failure=WHY)


@dataclass
class Days:
    """Judges one moment after the other, as the daemon does."""

    alerts: tuple[Alert, ...] = ()
    sent: list[Notification] = field(default_factory=list)

    def judge(self, now: datetime, *states: SourceState) -> list[Notification]:
        snapshot: Snapshot = snapshot_of(*states)
        open_alerts = [alert for alert in self.alerts if alert.state is not State.RESOLVED]
        advance = lifecycle.advance(
            open_alerts, sources.judge(snapshot, None, now, open_alerts), CONFIGURED, Names(), now
        )
        routed = routing.notifications(
            advance, open_alerts, Audience([Route("ops")]), organization_name="Acme", first_judgement=False, now=now
        )
        self.alerts = lifecycle.applied(open_alerts, routed.alerts)
        return list(routed.notifications)


def about(message: Notification) -> tuple[str, list[str], list[str]]:
    return (
        message.reason.value,
        [alert.subject.instance for alert in message.alerts],
        sorted(alert.subject.instance for alert in message.inhibited),
    )


def test_an_outage_of_everything_is_told_once_and_ends_once() -> None:
    days = Days()
    down = [failing(source, NOON) for source in ALL]
    assert not days.judge(NOON + 10 * MINUTE, *down)
    (told,) = days.judge(NOON + 15 * MINUTE, *down)
    assert about(told) == ("first", ["usage"], sorted(ALL[1:]))
    assert not days.judge(NOON + 60 * MINUTE, *down)
    up = [good(source, NOON + 65 * MINUTE) for source in ALL]
    assert not days.judge(NOON + 65 * MINUTE, *up)
    (over,) = days.judge(NOON + 80 * MINUTE, *up)
    assert about(over) == ("resolved", ["usage"], [])
    assert all(alert.state is State.RESOLVED for alert in days.alerts)


def test_a_source_that_begins_to_fail_later_joins_the_story_in_silence() -> None:
    days = Days()
    rest = [good(source, NOON) for source in ALL[2:]]
    (told,) = days.judge(NOON + 15 * MINUTE, failing("usage", NOON), good("cost", NOON), *rest)
    assert about(told) == ("first", ["usage"], [])
    late = failing("cost", NOON + 30 * MINUTE)
    assert not days.judge(NOON + 50 * MINUTE, failing("usage", NOON), late, *rest)


def test_a_source_that_still_fails_when_the_teller_has_recovered_is_told_then() -> None:
    days = Days()
    days.judge(NOON + 15 * MINUTE, failing("usage", NOON), failing("cost", NOON))
    days.judge(NOON + 20 * MINUTE, good("usage", NOON + 20 * MINUTE), failing("cost", NOON))
    told = days.judge(NOON + 40 * MINUTE, good("usage", NOON + 40 * MINUTE), failing("cost", NOON))
    assert [about(message) for message in told] == [("first", ["cost"], []), ("resolved", ["usage"], [])]


def test_a_more_important_source_is_told_although_a_lesser_one_was() -> None:
    days = Days()
    days.judge(NOON + 15 * MINUTE, good("usage", NOON), failing("users", NOON))
    (told,) = days.judge(NOON + 60 * MINUTE, failing("usage", NOON + 30 * MINUTE), failing("users", NOON))
    assert about(told) == ("first", ["usage"], [])


@pytest.mark.parametrize("lesser", ALL[1:])
def test_gone_and_failing_are_two_stories(lesser: str) -> None:
    days = Days()
    gone = replace(failing(lesser, NOON), offered=False, last_attempt_at=NOON + 15 * MINUTE)
    told = days.judge(NOON + 15 * MINUTE, failing("usage", NOON), gone)
    assert [about(message) for message in told] == [("first", ["usage"], []), ("first", [lesser], [])]


def test_the_sentence_leaves_out_what_the_source_says_already_and_the_request() -> None:
    days = Days()
    (told,) = days.judge(NOON + 15 * MINUTE, failing("usage", NOON))
    assert told.alerts[0].summary.startswith(
        "The usage report cannot be read (answered 529: Overloaded) since 12:00 UTC"
    )
