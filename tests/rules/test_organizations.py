"""How often a whole organization is paged for nothing, and what is gone before it hears: what must not get worse.

The short form of `python -m benchmarks.organizations`: one organization of 150 keys over 60 days.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.organization_harmless import Ordinary
from benchmarks.organization_incidents import Incident, with_incidents
from benchmarks.organization_replay import SETTLED, listen, view_of
from benchmarks.organization_scores import DEAR, Fate, Week, fates, quiet_weeks
from benchmarks.organizations import RULE, calm, plain
from rules.carried import Carried
from rules.judgement import Past, Rules, decide
from rules.model import HOUR, Alert, Reason, Route, Snapshot, State

KEYS, DAYS, SINCE = 150, 60, 32 * 24


@pytest.fixture(scope="module")
def stormy() -> tuple[Ordinary, tuple[Incident, ...]]:
    return with_incidents(calm(3, KEYS, DAYS), 3, SINCE // 24 + 1)


@pytest.fixture(scope="module")
def told(stormy: tuple[Ordinary, tuple[Incident, ...]]) -> tuple[list[Fate], Week]:
    return fates(*stormy, RULE, SINCE)


def test_an_organization_without_incidents_is_hardly_ever_paged() -> None:
    week = quiet_weeks(plain(3, KEYS, DAYS), RULE, SINCE)
    assert week.pages <= 1


def test_most_of_what_incidents_cost_is_told_and_most_of_that_before_it_is_spent(told: tuple[list[Fate], Week]) -> None:
    dollars = sum(fate.dollars for fate in told[0])
    assert sum(fate.dollars for fate in told[0] if fate.told_at is not None) >= 0.8 * dollars
    assert sum(fate.spent for fate in told[0]) <= 0.35 * dollars


def test_false_pages_among_incidents_are_no_more_than_two_a_week(told: tuple[list[Fate], Week]) -> None:
    assert told[1].pages <= 2.0 * told[1].weeks


def test_a_dear_runaway_is_told_within_two_polls_of_passing_bound_and_floor(told: tuple[list[Fate], Week]) -> None:
    dear = [fate for fate in told[0] if fate.incident.kind == "runaway" and fate.incident.by_hour().max() >= DEAR]
    polls = [fate.polls for fate in dear if fate.polls is not None and "again" not in fate.incident.variety]
    assert polls
    assert max(polls) <= 2.0


def test_incidents_are_the_same_for_the_same_seed(stormy: tuple[Ordinary, tuple[Incident, ...]]) -> None:
    _, again = with_incidents(calm(3, KEYS, DAYS), 3, SINCE // 24 + 1)
    assert [(each.kind, each.begin, each.keys) for each in again] == [
        (each.kind, each.begin, each.keys) for each in stormy[1]
    ]


@pytest.mark.slow  # some 400 whole judgements
def test_pages_are_those_that_whole_judgements_send_hour_by_hour(
    stormy: tuple[Ordinary, tuple[Incident, ...]],
) -> None:
    since, view = 44 * 24, view_of(stormy[0])
    rules, carried = Rules(anomalies=(RULE,), routes=(Route("ops"),)), Carried()
    alerts: dict[str, Alert] = {}
    remembered: str | None = None
    sent: list[tuple[int, tuple[str | None, ...]]] = []
    for hour in range(since, view.hours):
        end, until = view.start + (hour + 1) * HOUR, slice(hour + 1)
        cost, known = view.cost[:, until], view.known[until]
        seen = replace(
            view, cost=cost, settled=np.zeros_like(cost), known=known, complete_until=end, observed_until=end
        )
        snapshot = Snapshot("org", "Northwind", seen, stormy[0].traffic.names)
        decision = decide(snapshot, rules, Past(tuple(alerts.values()), remembered), end + SETTLED, carried)
        remembered = decision.remember
        alerts |= {alert.id: alert for alert in decision.alerts}
        alerts = {ident: alert for ident, alert in alerts.items() if alert.state is not State.RESOLVED}
        sent += [
            (hour, tuple(alert.subject.scope.api_key for alert in message.alerts))
            for message in decision.notifications
            if message.reason is not Reason.RESOLVED
        ]
    assert sent
    assert sent == [(page.hour, page.keys) for page in listen(stormy[0], [RULE], since).pages]
