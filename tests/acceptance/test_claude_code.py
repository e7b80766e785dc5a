"""Claude Code's report as the daemon reads it: back to the beginning, again while days come late, apart from spend."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

import pytest

from tests.acceptance.conftest import Start
from tests.acceptance.running import DAY, HOUR, MINUTE, Asked, Watcher, at
from watcher.claude_code import Section, claude_code_report
from watcher.simulator import World

NOON = at("2026-11-17 12:00")
BACK = 10
ASKED = Asked(anomalies=(), backfill=BACK * DAY)
PATH = "/v1/organizations/usage_report/claude_code"


@pytest.fixture
def watcher(start: Start) -> Watcher:
    return start(World(started_at=NOON, keys=16, workspaces=3, days=BACK + 3), ASKED)


def fault(watcher: Watcher, kind: str, more: str = "") -> None:
    file = watcher.database.with_name("faults.toml")
    file.write_text(f'[[fault]]\nkind = "{kind}"\npath = "{PATH}"\n{more}\n', encoding="utf-8")
    watcher.world.set_faults(file)


def days_asked(watcher: Watcher, before: int = 0) -> Counter[str]:
    """How often each day was asked for after the first `before` requests."""
    requests = watcher.simulator.requests[before:]
    return Counter(request.query.partition("starting_at=")[2][:10] for request in requests if request.path == PATH)


def sections(watcher: Watcher, start: date, end: date) -> dict[str, Section]:
    organization = watcher.world.organization.id
    report = claude_code_report(watcher.store, organization, ("user",), start, end, watcher.now)
    return {section.customer_type: section for section in report.sections}


def state(watcher: Watcher) -> tuple[datetime | None, datetime | None]:
    """The watermark, and since when it fails."""
    found = watcher.store.sources.get(watcher.world.organization.id, "claude_code")
    return found.watermark, found.failing_since


def test_the_history_comes_in_a_few_polls_and_a_day_costs_few_requests(watcher: Watcher) -> None:
    watcher.cycle()
    watcher.run(NOON + 5 * MINUTE, 5 * MINUTE)
    first = (NOON - BACK * DAY).date()
    assert set(days_asked(watcher)) == {(first + n * DAY).isoformat() for n in range(BACK + 1)}
    assert set(days_asked(watcher).values()) == {1}
    begun = len(watcher.simulator.requests)
    watcher.run(NOON + DAY + 5 * MINUTE, 3 * HOUR)
    assert days_asked(watcher, begun).total() == 8 * 2 + 5
    assert state(watcher) == (at("2026-11-18 00:00"), None)


def test_subscriptions_are_told_apart_and_are_in_no_figure_of_the_spend(watcher: Watcher) -> None:
    watcher.cycle()
    week = (NOON - 7 * DAY).date(), NOON.date()
    found = sections(watcher, *week)
    assert set(found) == {"api", "subscription"}
    members = {user.email: ident for ident, user in watcher.world.organization.users.items()}
    for section in found.values():
        assert {row.ident for row in section.rows} <= set(members.values())
        assert all(members[row.key.actor] == row.ident for row in section.rows)
    spend = watcher.spend(at("2026-11-10 00:00"), at("2026-11-17 00:00"), by=("workspace",))
    code = next(each.id for each in watcher.world.organization.workspaces.values() if each.name == "Claude Code")
    billed = sum(row.cost for row in spend.rows if row.of("workspace") == code)
    assert found["api"].total.estimated == pytest.approx(billed, rel=0.2), "the same use, as the provider estimates it"
    assert found["subscription"].total.estimated > 0
    truth = watcher.world.true_cost_nano(at("2026-11-10 00:00"), at("2026-11-17 00:00"), workspace_id=code)
    assert billed == pytest.approx(truth, rel=0.05), "and without what subscriptions hold"


def test_a_report_that_fails_for_a_while_goes_on_where_it_was_and_is_told_once(watcher: Watcher) -> None:
    fault(watcher, "500", 'for = "40m"')
    watcher.cycle()
    assert state(watcher) == (None, NOON)
    (message,) = watcher.run(NOON + 30 * MINUTE, 10 * MINUTE)
    assert [alert.subject.instance for alert in message.alerts] == ["claude_code"]
    assert not sections(watcher, (NOON - BACK * DAY).date(), NOON.date())
    (resolved,) = watcher.run(NOON + 2 * HOUR, 10 * MINUTE)
    assert resolved.reason == "resolved"
    assert len(watcher.store.claude_code.observed(watcher.world.organization.id)) == BACK + 1
    assert state(watcher) == (at("2026-11-17 00:00"), None)


def test_half_an_answer_changes_nothing(watcher: Watcher) -> None:
    watcher.cycle()
    organization = watcher.world.organization.id
    before = watcher.store.claude_code.read(organization, date(2026, 11, 1), date(2026, 12, 1))
    fault(watcher, "half-body")
    watcher.run(NOON + 2 * HOUR, 30 * MINUTE)
    assert watcher.store.claude_code.read(organization, date(2026, 11, 1), date(2026, 12, 1)) == before
    assert state(watcher)[1] is not None
