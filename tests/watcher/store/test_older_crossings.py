"""A budget's crossing as an older version kept it: known again, told no second time, and armed anew like any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from rules.judgement import Decision, Past, Rules, decide
from rules.model import HOUR, Alert, Budget, Leaf, Names, Route, Snapshot, SpendView
from watcher.store.payload import Payload

OLDER = (
    '{"id":"4345056a6b665c30eae8","subject":{"rule":"all","kind":"budget","scope":{"organization":"org_1","workspace":'
    'null,"api_key":null,"model":null,"model_family":null,"service_tier":null,"user":null,"tags":[]},"instance":'
    '"2026-11-01T00:00:00Z/50"},"severity":"info","state":"firing","starts_at":"2026-11-09T08:00:00Z","pending_since":'
    '"2026-11-10T05:00:00Z","evidence":{"period":"November 2026","period_start":"2026-11-01T00:00:00Z","period_end":'
    '"2026-12-01T00:00:00Z","timezone":"UTC","threshold_percent":50.0,"also_crossed":[],"spent":55000000000,"limit":'
    '100000000000,"settled":0,"data_as_of":"2026-11-10T05:00:00Z","top":[{"dimension":"api_key","id":"apikey_a","name":'
    '"apikey_a","cost":55000000000}],"unpriced":[],"type":"budget"},"summary":"","value":55000000000,"expected":null,'
    '"limit":100000000000,"fired_at":"2026-11-10T05:00:00Z","ends_at":null,"closes_at":"2026-12-01T00:00:00Z",'
    '"clear_since":null,"keep_firing_for":"PT0S","names":{},"owner":"","inhibited_by":null}'
)
REMEMBERED = '{"at": "2026-11-10T05:00:00+00:00", "first": {"0504f4b327c71483": "2026-11-10T05:00:00+00:00"}}'
START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 10, 6, tzinfo=UTC)
USD = 1_000_000_000
BUDGET = Budget("all", "month", "UTC", 100 * USD, (50.0, 80.0, 100.0))


def judged(budget: Budget, spent: int, past: Past, now: datetime) -> Decision:
    hours = (now - START) // HOUR + 1
    cost = np.zeros((1, hours), dtype=np.int64)
    cost[0, 200] = spent * USD
    leaves = (Leaf("wrkspc_1", "apikey_a", "claude-opus-5"),)
    known = np.ones(hours, dtype=np.bool_)
    view = SpendView("org_1", START, leaves, cost, np.zeros_like(cost), known, now, now)
    rules = Rules(budgets=(budget,), routes=(Route("ops"),))
    return decide(Snapshot("org_1", "Acme", view, Names()), rules, past, now)


def told(decision: Decision) -> list[str]:
    return [
        alert.summary
        for message in decision.notifications
        for alert in message.alerts
        if alert.subject.kind == "budget"
    ]


def test_what_an_older_version_told_of_a_budget_is_not_told_again() -> None:
    kept = Payload[Alert](Alert).read(OLDER)
    same = judged(BUDGET, 60, Past([kept], REMEMBERED), NOW)
    assert told(same) == []
    assert [alert.id for alert in same.alerts if alert.subject.kind == "budget"] == [kept.id]
    (line,) = told(judged(BUDGET, 85, Past([kept], REMEMBERED), NOW))
    assert line.startswith('Budget "all" passed 80 % of $100.00')


def test_a_raised_limit_ends_what_an_older_version_told_and_it_is_told_at_the_new_one_once() -> None:
    payload = Payload[Alert](Alert)
    raised = replace(BUDGET, limit=200 * USD)
    first = judged(raised, 60, Past([payload.read(OLDER)], REMEMBERED), NOW)
    (ended,) = (alert for alert in first.alerts if alert.subject.kind == "budget")
    assert (told(first), ended.state) == ([], "resolved")
    kept = payload.read(payload.write(ended))
    later = judged(raised, 110, Past([kept], first.remember), NOW + timedelta(hours=1))
    (line,) = told(later)
    assert line.startswith('Budget "all" passed 50 % of $200.00')
    alerts = [kept, *(payload.read(payload.write(alert)) for alert in later.alerts)]
    assert told(judged(raised, 110, Past(alerts, later.remember), NOW + timedelta(hours=2))) == []
