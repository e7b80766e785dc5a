"""The band of one scope is the baseline that an anomaly rule judges it by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rules.band import band_of, hourly, members_of
from rules.carried import Carried
from rules.model import UNATTRIBUTED, AnomalyRule, Leaf, Names, Scope, SpendView

START = datetime(2026, 9, 1, tzinfo=UTC)
HOURS = 40 * 24 + 11
USD = 1_000_000_000
NAMES = Names(workspace_of_key={"k0": "w0", "k1": "w0", "k2": "w1"}, user_of_key={"k0": "u", "k2": "u"})


def view() -> SpendView:
    leaves = (
        Leaf("w0", "k0", "m0"),
        Leaf("w0", "k0", "m1"),
        Leaf("w0", "k1", "m0"),
        Leaf("w1", "k2", "m1"),
        Leaf("w1", UNATTRIBUTED, "m1"),
    )
    shape = 2 + np.sin(np.arange(HOURS) * np.pi / 12)
    cost = np.random.default_rng(5).uniform(0.5, 1.5, (len(leaves), HOURS)) * shape * USD
    cost[3, : 30 * 24] = 0
    whole = cost.astype(np.int64)
    ends = START + (HOURS - 1) * timedelta(hours=1)
    return SpendView(
        "org", START, leaves, whole, whole, np.ones(HOURS, dtype=np.bool_), ends, ends + timedelta(minutes=20)
    )


@pytest.mark.parametrize(
    ("per", "scope"),
    [
        ((), Scope("org")),
        (("workspace",), Scope("org", workspace="w1")),
        (("api_key",), Scope("org", api_key="k0")),
        (("api_key",), Scope("org", api_key="k2")),
        (("model",), Scope("org", model="m1")),
        (("user",), Scope("org", user="u")),
    ],
)
def test_it_is_what_the_rule_expects_of_the_scope_among_all_others(per: tuple[str, ...], scope: Scope) -> None:
    rule, seen = AnomalyRule("x", per=per), view()
    carried = Carried()
    told = carried.read(rule, seen, carried.cut(rule, seen, NAMES))
    row = told.subjects.first + told.subjects.scopes.index(scope)
    band = band_of(seen, NAMES, scope, rule, 8 * 24)
    assert band is not None
    assert band.begin == told.begin
    young = scope.api_key == "k2" or scope.workspace == "w1"
    np.testing.assert_allclose(band.expected, told.reading.expected[:, row], rtol=0.1 if young else 0.02)
    if not young:  # a young one's bound also goes by its fellows, which are not looked at here
        np.testing.assert_allclose(band.upper, told.reading.upper[:, row], rtol=0.15)


def test_a_scope_that_no_usage_explains_has_no_band() -> None:
    assert band_of(view(), NAMES, Scope("org", api_key=UNATTRIBUTED), AnomalyRule("x"), 48) is None
    assert band_of(view(), NAMES, Scope("org", api_key="nobody"), AnomalyRule("x"), 48) is None


def test_the_hours_of_most_leaves_are_summed_as_exactly_as_those_of_few() -> None:
    seen = view()
    for parts in ({}, {"workspace": "w0"}, {"api_key": "k2"}, {"user": "u"}, {"model": "m1", "workspace": "w1"}):
        members = members_of(seen, NAMES, parts)
        assert hourly(seen, members).tolist() == seen.cost[members].sum(axis=0).tolist()
