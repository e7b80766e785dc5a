"""Which keys a replay would have stopped: when, for how long, what that saved, and who was innocent in hindsight."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rules.judgement import Rules
from rules.keys import Key, Keys
from rules.model import HOUR, AnomalyRule, Budget, Leaf, Names, Route, Scope, SpendView, Subject
from rules.policy import KeyAction, Policy, Protect
from rules.quieted import EXPECTED, Feedback
from rules.thresholds import Threshold
from tests.rules.traffic import DOLLAR
from watcher.backtest import Place, Settling, hourly, replay
from watcher.backtest.comparing import compare_stops
from watcher.backtest.guarding import Allowed, SimulatedGuard
from watcher.backtest.permitting import permitted
from watcher.backtest.stops import Acts, Hindsight
from watcher.watermark import SETTLING

START = datetime(2026, 11, 2, tzinfo=UTC)
"""A Monday."""
DAYS = 32
BEGIN = 29 * 24 + 12
"""Tuesday 1 December, noon."""
LEAVES = tuple(Leaf("workspace", f"key-{place}", "claude") for place in range(4))
NAMES = Names(workspace_of_key={leaf.api_key: leaf.workspace for leaf in LEAVES})
ASKING = Rules(anomalies=(AnomalyRule("keys", action=KeyAction()),), routes=(Route("ops"),))
AUTO = Policy(mode="auto")


def history(extra: float = 40.0, hours: int = 10) -> SpendView:
    """Four keys at about two dollars an hour; from `BEGIN` on the second spends so much more for so many hours."""
    count = DAYS * 24
    cost = np.random.default_rng(3).gamma(60, 2 / 60, (4, count)) * DOLLAR
    cost[1, BEGIN : BEGIN + hours] += extra * DOLLAR
    whole = cost.astype(np.int64)
    until, known = START + count * HOUR, np.ones(count, dtype=np.bool_)
    return SpendView("org", START, LEAVES, whole, np.zeros_like(whole), known, until, until)


def listed(_now: datetime) -> Keys:
    return Keys({leaf.api_key: Key(leaf.api_key, leaf.api_key, leaf.workspace, "active", START) for leaf in LEAVES})


def acts(
    view: SpendView,
    rules: Rules = ASKING,
    policy: Policy = AUTO,
    settling: Settling | None = None,
    said: tuple[Feedback, ...] = (),
) -> Acts:
    guard = SimulatedGuard(Allowed(policy, listed), NAMES)
    frames = hourly(view, START + 28 * 24 * HOUR, view.complete_until + HOUR, settling=settling)
    replay(frames, rules, Place(NAMES), guard=guard)
    return Hindsight(view, NAMES, rules, said).acts(guard, policy)


def test_a_runaway_key_is_off_after_the_grace_and_what_it_spent_from_then_on_is_saved() -> None:
    view = history()
    found = acts(view)
    (stop,) = found.stops
    assert stop.row.key == "key-1"
    assert stop.at == START + (BEGIN + 3) * HOUR + SETTLING, "the second hour passes $50; the third is a second version"
    assert stop.at - stop.row.created_at >= AUTO.grace
    assert stop.until == datetime(2026, 12, 2, 9, tzinfo=UTC), "somebody begins to work"
    assert stop.ended == START + (BEGIN + 10) * HOUR
    spent = view.cost[1, BEGIN + 3 : BEGIN + 10].sum() - view.cost[1, BEGIN + 3] / 3
    assert stop.saved == pytest.approx(spent, abs=2)
    assert 20 * DOLLAR < stop.usual < 30 * DOLLAR, "eleven ordinary hours after it"
    assert not stop.innocent
    assert found.saved == stop.saved


def test_an_excess_that_was_gone_within_an_hour_of_the_grace_was_innocent() -> None:
    (stop,) = acts(history(hours=3, extra=60.0)).stops
    assert stop.innocent == "its excess was gone by itself an hour after the grace"
    assert stop.ended is not None


def test_what_somebody_said_was_expected_was_innocent() -> None:
    subject = Subject("keys", "anomaly", Scope("org", api_key="key-1"))
    since = START + BEGIN * HOUR
    said = Feedback("a1", subject, EXPECTED, since, None, 0, 0, "ana", since + 20 * HOUR)
    (stop,) = acts(history(), said=(said,)).stops
    assert stop.innocent == "ana said that it was expected"
    (stop,) = acts(history(), said=(replace(said, taken_back=True),)).stops
    assert not stop.innocent


def daily(limit: int) -> Rules:
    marks = (Threshold(percent=100.0, action=KeyAction()),)
    return Rules((Budget("day", "day", "UTC", limit * DOLLAR, marks, per=("api_key",)),), routes=(Route("ops"),))


def test_a_limit_that_settled_figures_do_not_reach_makes_its_stop_innocent() -> None:
    view, day = history(), 29 * 24
    dear = view.cost[:, day : day + 24] * 2
    found = acts(view, daily(480), settling=Settling({START + day * HOUR: dear}))
    (stop,) = found.stops
    assert stop.innocent == "by what is known now the limit was not reached"
    assert found.saved == 0


def test_of_a_budget_of_its_own_all_that_a_key_spends_until_the_period_ends_is_saved() -> None:
    view = history()
    (stop,) = acts(view, daily(200)).stops
    midnight = START + 30 * 24 * HOUR
    assert (stop.until, stop.innocent) == (midnight, "")
    last = (midnight - stop.at) / HOUR
    assert stop.saved == pytest.approx(
        view.cost[1, 30 * 24 - int(last) : 30 * 24].sum() + (last % 1) * 42 * DOLLAR, rel=0.02
    )
    assert stop.usual == 0


def test_the_grace_ends_between_two_looks() -> None:
    (stop,) = acts(history(), daily(200)).stops
    assert stop.at - stop.row.created_at == AUTO.grace


def test_what_the_guard_refuses_is_listed_with_why() -> None:
    found = acts(history(), policy=replace(AUTO, protect=Protect(api_key=("key-1",))))
    assert not found.stops
    assert [row.reason for row in found.refused] == ['The key is protected: protect.api_key names it ("key-1").']


def test_a_key_that_is_off_already_is_no_refusal_of_its_own() -> None:
    rules = replace(ASKING, budgets=daily(450).budgets)
    found = acts(history(), rules)
    assert len(found.stops) == 1
    assert not found.refused


def test_a_configuration_without_shutoff_is_replayed_with_an_example_that_is_stated() -> None:
    rules = Rules((Budget("day", "day", "UTC", DOLLAR, (80.0, 100.0)),), (AnomalyRule("keys"),))
    found = permitted("config.toml", rules, None)
    assert found.policy == AUTO
    assert found.rules.anomalies[0].action == KeyAction()
    assert found.rules.budgets[0].thresholds == (80.0, Threshold(percent=100.0, action=KeyAction()))
    assert [note.partition(":")[0] for note in found.notes] == [
        "config.toml has no [shutoff]",
        "No rule of config.toml asks for a key to be deactivated",
    ]


def test_what_the_mode_leaves_to_people_is_replayed_as_if_they_had_agreed() -> None:
    rules = Rules(
        anomalies=(AnomalyRule("keys", action=KeyAction("approve")), AnomalyRule("off", action=KeyAction("off")))
    )
    found = permitted("config.toml", rules, Policy(mode="dry_run"))
    assert found.policy.mode == "auto"
    assert [rule.action for rule in found.rules.anomalies] == [KeyAction(), KeyAction("off")]
    (note,) = found.notes
    assert '"dry_run"' in note


def test_two_replays_are_held_against_each_other_key_by_key() -> None:
    one, other = acts(history()), acts(history(), daily(200))
    found = compare_stops(one.stops, other.stops)
    ((first, second),) = found.both
    assert (first.row.key, second.row.key) == ("key-1", "key-1")
    none = compare_stops(one.stops, ())
    assert (none.only_first, none.both) == (one.stops, ())
    far = replace(one.stops[0], at=one.stops[0].at + timedelta(days=9), until=one.stops[0].until + timedelta(days=9))
    assert compare_stops(one.stops, (far,)).only_second == (far,)
