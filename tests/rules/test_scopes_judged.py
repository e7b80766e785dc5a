"""Budgets and anomalies of users, families, tiers and tags: the same rules, by what the leaves belong to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import anomaly, budgets, hindsight
from rules.model import (
    CONSOLE,
    DEFAULT_WORKSPACE,
    DIMENSIONS,
    UNATTRIBUTED,
    AnomalyEvidence,
    AnomalyRule,
    Breach,
    Budget,
    Dimension,
    Leaf,
    Names,
    Scope,
    Selector,
    SpendView,
)
from tests.rules.traffic import DOLLAR, organization
from tests.rules.traffic import view_of as traffic_view

USD = 1_000_000_000
START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = START + timedelta(days=3)
OPUS, HAIKU = "claude-opus-4-5-20251101", "claude-3-5-haiku-latest"
LEAVES = (
    Leaf("w1", "k1", OPUS, "standard"),
    Leaf("w1", "k1", HAIKU, "batch"),
    Leaf("w2", "k2", OPUS, "batch"),
    Leaf("w2", "gone", HAIKU, "standard"),
    Leaf(DEFAULT_WORKSPACE, CONSOLE, OPUS, "standard"),
    Leaf("w1", UNATTRIBUTED, UNATTRIBUTED),
)
NAMES = Names(
    {"k1": "ci", "u1": "Ada", "u2": "Bob"},
    user_of_key={"k1": "u1", "k2": "u2"},
    emails={"u1": "ada@team.example", "u2": "bob@elsewhere.example"},
    tags_of_workspace={"w1": {"team": "platform"}, "w2": {"team": "search", "env": "prod"}},
)


def view_of(*dollars: int) -> SpendView:
    hours = 73
    cost = np.zeros((len(LEAVES), hours), dtype=np.int64)
    cost[:, 5] = np.array(dollars) * USD
    return SpendView("org", START, LEAVES, cost, cost // 2, np.ones(hours, dtype=np.bool_), NOW, NOW)


VIEW = view_of(1, 2, 4, 8, 16, 32)


def spent(per: tuple[Dimension, ...], select: Selector = Selector()) -> dict[str, int]:  # noqa: B008 - frozen
    found = budgets.lines(Budget("spend", "month", "UTC", USD, (1.0,), per, select), VIEW, NAMES, NOW)
    return {line.label: line.spent // USD for line in found}


@pytest.mark.parametrize(
    ("per", "expected"),
    [
        (("user",), {"unattributed": 32, "Console": 16, "unknown owner": 8, "Bob": 4, "Ada": 3}),
        (("model_family",), {"unattributed": 32, "Opus family": 21, "Haiku family": 10}),
        (("service_tier",), {"unattributed": 32, "standard tier": 25, "batch tier": 6}),
        (("tag:team",), {"team=platform": 35, "no tag team": 16, "team=search": 12}),
        (("tag:env",), {"no tag env": 51, "env=prod": 12}),
        (
            ("model_family", "tag:team"),
            {
                "unattributed · team=platform": 32,
                "Opus family · no tag team": 16,
                "Haiku family · team=search": 8,
                "Opus family · team=search": 4,
                "Haiku family · team=platform": 2,
                "Opus family · team=platform": 1,
            },
        ),
    ],
)
def test_a_budget_stands_for_each_value_of_a_dimension(per: tuple[Dimension, ...], expected: dict[str, int]) -> None:
    assert spent(per) == expected


@pytest.mark.parametrize(
    ("select", "dollars"),
    [
        (Selector(user="*@team.example"), 3),
        (Selector(service_tier="batch", model_family="opus"), 4),
        (Selector(tag="team=platform"), 35),
        (Selector(tag="team=(none)"), 16),
    ],
)
def test_a_budget_counts_what_its_selector_takes(select: Selector, dollars: int) -> None:
    assert spent((), select) == {"": dollars}


@given(st.lists(st.sampled_from([*DIMENSIONS, "tag:team", "tag:env"]), unique=True, max_size=4))
def test_the_scopes_of_any_dimensions_add_up_to_the_whole(per: list[Dimension]) -> None:
    found = budgets.lines(Budget("spend", "month", "UTC", USD, (1.0,), tuple(per)), VIEW, NAMES, NOW)
    assert sum(line.spent for line in found) == 63 * USD
    assert len({line.scope for line in found}) == len(found)


def test_a_crossing_names_the_keys_behind_it() -> None:
    budget = Budget("spend", "month", "UTC", 30 * USD, (10.0,), ("user",), Selector(user="ada"))
    (breach,) = budgets.judge(budget, VIEW, NAMES, NOW)
    assert isinstance(breach, Breach)
    assert breach.subject.scope == Scope("org", user="u1")
    assert [(share.dimension, share.name) for share in breach.evidence.top] == [("api_key", "ci")]  # type: ignore[union-attr]


def test_a_key_that_is_renamed_keeps_its_history_and_its_alert() -> None:
    budget = Budget("spend", "month", "UTC", 2 * USD, (100.0,), ("api_key",))
    renamed = Names({"k1": "another name"})
    before, after = (budgets.judge(budget, VIEW, names, NOW) for names in (NAMES, renamed))
    assert [v.subject.fingerprint for v in before] == [v.subject.fingerprint for v in after]
    assert {line.label: line.spent for line in budgets.lines(budget, VIEW, renamed, NOW)}["another name"] == 3 * USD


def test_a_key_never_listed_is_shown_by_its_id() -> None:
    assert spent(("api_key",), Selector(api_key="gone")) == {"gone": 8}


def test_what_a_budget_selects_is_part_of_what_it_is_remembered_by() -> None:
    plain = Budget("keys", "month", "UTC", 10**9, (80.0,), ("api_key",), Selector(workspace="prod*"))
    # As an older version wrote it down.
    remembered = '{"at": "2026-11-02T00:00:00+00:00", "first": {"77ee181e6fec6428": "2026-10-01T00:00:00+00:00"}}'
    edited = Budget("keys", "month", "UTC", 10**9, (80.0,), ("api_key",), Selector(workspace="prod*", user="ada"))
    assert hindsight.watch([plain], remembered, NOW).since["keys"] == datetime(2026, 10, 30, tzinfo=UTC)
    assert hindsight.watch([edited], remembered, NOW).since["keys"] == NOW


def runaway(rule: AnomalyRule) -> dict[str, Breach]:
    """What a rule says when one of forty keys spends 600 dollars an hour too much."""
    plain, calm = organization(keys=40, days=40, seed=1)
    models = (OPUS, HAIKU)
    leaves = tuple(
        Leaf(leaf.workspace, leaf.api_key, models[place % 2], "batch" if place % 4 == 3 else "standard")
        for place, leaf in enumerate(plain)
    )
    names = Names(
        user_of_key={f"key-{place}": f"user-{place % 8}" for place in range(40)},
        tags_of_workspace={f"workspace-{place}": {"team": f"team-{place % 2}"} for place in range(5)},
    )
    at = 36 * 24 + 12
    cost = calm.copy()
    cost[1, at : at + 4] += 600 * DOLLAR
    view = traffic_view(leaves, cost, at + 4)
    verdicts = anomaly.judge(rule, view, names, frozenset(), view.observed_until + timedelta(minutes=1))
    return {"+".join(v.subject.scope.parts().values()): v for v in verdicts if isinstance(v, Breach)}


@pytest.mark.parametrize(
    ("per", "told"),
    [
        (("user",), "user-1"),
        (("model_family",), "haiku"),
        (("service_tier",), "standard"),
        (("tag:team",), "team-1"),
        (("workspace", "user"), "workspace-1+user-1"),
        (("service_tier", "tag:team"), "standard+team-1"),
    ],
)
def test_an_anomaly_is_told_of_the_scope_that_it_lies_in_and_of_no_other(per: tuple[Dimension, ...], told: str) -> None:
    found = runaway(AnomalyRule("spikes", per))
    assert set(found) == {told}
    evidence = found[told].evidence
    assert isinstance(evidence, AnomalyEvidence)
    assert next(share.id for share in evidence.top if share.dimension == "api_key") == "key-1"
    tiers = {share.id for share in evidence.top if share.dimension == "service_tier"}
    assert tiers == (set() if "service_tier" in per else {"standard"})
