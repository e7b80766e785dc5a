from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.dimensions import groups, known_of, values_of
from rules.model import (
    CONSOLE,
    DEFAULT_WORKSPACE,
    DIMENSIONS,
    UNATTRIBUTED,
    UNKNOWN,
    UNTAGGED,
    Leaf,
    Names,
    Scope,
)
from tests.rules.timing import within

NAMES = Names(
    workspace_of_key={"k1": "w1", "k2": "w2"},
    user_of_key={"k1": "u1", "k2": "u1"},
    tags_of_workspace={"w1": {"team": "a"}, "w2": {"env": "prod"}},
)
LEAVES = (
    Leaf("w1", "k1", "claude-opus-4-5-20251101", "batch"),
    Leaf("w2", "k2", "claude-3-5-haiku-latest", "standard"),
    Leaf("w1", "never listed", "", UNKNOWN),
    Leaf(DEFAULT_WORKSPACE, CONSOLE, "claude-2.1", "standard"),
    Leaf("w1", UNATTRIBUTED, UNATTRIBUTED),
)


@pytest.mark.parametrize(
    ("dimension", "values"),
    [
        ("workspace", ["w1", "w2", "w1", DEFAULT_WORKSPACE, "w1"]),
        ("api_key", ["k1", "k2", "never listed", CONSOLE, UNATTRIBUTED]),
        ("model", ["claude-opus-4-5-20251101", "claude-3-5-haiku-latest", "", "claude-2.1", UNATTRIBUTED]),
        ("model_family", ["opus", "haiku", UNKNOWN, "claude-2.1", UNATTRIBUTED]),
        ("service_tier", ["batch", "standard", UNKNOWN, "standard", UNATTRIBUTED]),
        ("user", ["u1", "u1", UNKNOWN, CONSOLE, UNATTRIBUTED]),
        ("tag:team", ["a", UNTAGGED, "a", UNTAGGED, "a"]),
        ("tag:env", [UNTAGGED, "prod", UNTAGGED, UNTAGGED, UNTAGGED]),
    ],
)
def test_every_leaf_has_one_value_in_every_dimension(dimension: str, values: list[str]) -> None:
    assert values_of(dimension, LEAVES, NAMES) == values


dimension_lists = st.lists(st.sampled_from([*DIMENSIONS, "tag:team", "tag:env"]), unique=True, max_size=4)


@given(dimension_lists, st.lists(st.sampled_from(LEAVES)))
def test_groups_part_the_leaves_by_their_values(by: list[str], leaves: list[Leaf]) -> None:
    of, found = groups(by, leaves, NAMES)
    columns = [values_of(dimension, leaves, NAMES) for dimension in by]
    assert [found[group] for group in of.tolist()] == [
        tuple(column[row] for column in columns) for row in range(len(leaves))
    ]
    assert len(set(found)) == len(found)
    assert [group for place, group in enumerate(of.tolist()) if group not in of[:place]] == list(range(len(found)))[
        : len(found) if by or leaves else 0
    ]


@given(dimension_lists, st.sampled_from(LEAVES), st.sampled_from([*DIMENSIONS, "tag:team", "tag:env"]))
def test_what_is_certain_of_a_scope_is_true_of_all_its_leaves(by: list[str], leaf: Leaf, dimension: str) -> None:
    scope = Scope.of("org", {part: values_of(part, [leaf], NAMES)[0] for part in by})
    inside = [
        one for one in LEAVES if all(values_of(part, [one], NAMES) == [value] for part, value in scope.parts().items())
    ]
    certain = known_of(scope, NAMES, ("tag:team", "tag:env")).get(dimension)
    if certain is not None:
        assert set(values_of(dimension, inside, NAMES)) == {certain}


def test_ten_thousand_leaves_are_grouped_in_a_moment() -> None:
    leaves = [Leaf(f"w{i % 50}", f"k{i % 4000}", f"claude-opus-{i % 7}", "standard") for i in range(10_000)]
    names = Names(user_of_key={f"k{i}": f"u{i % 300}" for i in range(4000)})
    _, found = within(0.1, lambda: groups(("user", "model_family", "tag:team"), leaves, names))
    assert len(found) == 300
