"""What a scope is called and told apart by, and that what an older version wrote down still means the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import DIMENSIONS, Kind, Scope, Subject

WHOLE = Scope("org")


@pytest.mark.parametrize(
    ("kind", "rule", "scope", "instance", "fingerprint"),
    [
        ("budget", "b", WHOLE, "2026-11-01T00:00:00Z/80", "9bde2744c051bd5a"),
        ("anomaly", "key spend", Scope("org", api_key="apikey_1"), "", "e6b163fec93080a6"),
        ("anomaly", "x", Scope("org", "wrkspc_1", "apikey_1", "claude-opus-5"), "", "c5aaa04a1c2b57b0"),
        ("source", "model unpriced", Scope("org", model="m"), "", "68b2d68e1b1a9f33"),
        ("budget", "b", Scope("org", workspace="(default)", model="m"), "i", "db2ec06bcf9639c0"),
    ],
)
def test_fingerprints_stay_what_they_were_in_every_version(
    kind: Kind, rule: str, scope: Scope, instance: str, fingerprint: str
) -> None:
    assert Subject(rule, kind, scope, instance).fingerprint == fingerprint


parts = st.dictionaries(
    st.sampled_from([*DIMENSIONS, "tag:team", "tag:env", "tag:"]), st.text("ab=(\u00e9", max_size=3), max_size=4
)


@given(parts, parts)
def test_scopes_of_different_parts_have_different_fingerprints(one: dict[str, str], other: dict[str, str]) -> None:
    first, second = (Subject("r", "anomaly", Scope.of("org", some)) for some in (one, other))
    # An id is never empty; the first three dimensions have always been written without a sign that they are set.
    told = [
        {part: value for part, value in some.items() if value or part not in DIMENSIONS[:3]} for some in (one, other)
    ]
    assert (first.fingerprint == second.fingerprint) == (told[0] == told[1])


@given(parts)
def test_a_scope_gives_back_the_parts_it_was_made_of_in_one_order(given_parts: dict[str, str]) -> None:
    scope = Scope.of("org", given_parts)
    assert scope.parts() == given_parts
    assert scope == Scope.of("org", dict(reversed(given_parts.items())))
    order = [*DIMENSIONS, "tag:", "tag:env", "tag:team"]
    assert list(scope.parts()) == sorted(given_parts, key=order.index)
    assert scope.kind == ("+".join(scope.parts()) or "organization")


def test_a_word_that_is_no_dimension_makes_no_scope() -> None:
    with pytest.raises(KeyError, match="owner"):
        Scope.of("org", {"owner": "x"})
