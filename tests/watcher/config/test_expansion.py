"""Variables inside strings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.config.expansion import expand

ENV = {"A": "one", "B_2": "two", "EMPTY": "", "TRICKY": "${A} $$ [x]\n\"'"}


@pytest.mark.parametrize(
    ("written", "expanded"),
    [
        ("plain", "plain"),
        ("${A}", "one"),
        ("<${A}-${B_2}>", "<one-two>"),
        ("${NONE:-other}", "other"),
        ("${NONE:-}", ""),
        ("${EMPTY}", ""),
        ("${EMPTY:-other}", "other"),
        ("${A:-other}", "one"),
        ("${NONE:-a:-b}", "a:-b"),
        ("${NONE:-$$5}", "$5"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$$${A}", "$one"),
        ("$$$$", "$$"),
        ("costs $5", "costs $5"),
        ("a$A", "a$A"),
        ("end$", "end$"),
        ("${TRICKY}", "${A} $$ [x]\n\"'"),
    ],
)
def test_strings_expand_once_and_by_the_rules(written: str, expanded: str) -> None:
    assert expand({"key": written}, ENV) == ({"key": expanded}, [])


def test_strings_expand_at_any_depth_and_nothing_else_does() -> None:
    document = {"t": {"${A}": ["${A}", {"x": "${B_2}"}], "n": 5, "b": True}}
    assert expand(document, ENV) == ({"t": {"${A}": ["one", {"x": "two"}], "n": 5, "b": True}}, [])


def test_what_is_missing_is_named_with_its_place_each_time() -> None:
    document = {"a": {"b": ["${X}${Y}"]}, "odd key": "${X}"}
    expanded, problems = expand(document, {})
    assert expanded == {"a": {"b": [""]}, "odd key": ""}
    assert [(problem.place, problem.message.split(" is ")[0]) for problem in problems] == [
        ("a.b[0]", "the environment variable X"),
        ("a.b[0]", "the environment variable Y"),
        ('"odd key"', "the environment variable X"),
    ]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_doubling_every_dollar_sign_keeps_any_text_as_it_is(text: str) -> None:
    assert expand({"key": text.replace("$", "$$")}, {}) == ({"key": text}, [])


@given(st.text(alphabet="${}A:-_x ", max_size=30))
def test_a_text_either_expands_or_is_a_problem_with_an_empty_text(text: str) -> None:
    expanded, problems = expand({"key": text}, {"A": "one"})
    assert bool(problems) <= (expanded == {"key": ""})
    assert all(problem.place == "key" for problem in problems)
