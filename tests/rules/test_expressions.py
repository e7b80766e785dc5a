"""The regular expressions of matchers: what they mean, and that none of them takes long."""

from __future__ import annotations

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.expressions import NoExpression, fits
from rules.matchers import Matcher, NoMatcher, parse


@pytest.mark.parametrize(
    "expression",
    ["(a+)+$", "(a|a)*", "(a|aa)+", "a*" * 40 + "b", "(.*){9}x", "(a|a)" * 40 + "b", "(?:.?){200}x", "([a-z]*)*!"],
)
def test_no_expression_takes_long_on_any_text(expression: str) -> None:
    matcher = parse(f'rule=~"{expression}"')
    began = process_time()
    for length in (30, 3000):
        matcher.holds({"rule": ["a" * length + "!"]})
    assert process_time() - began < 0.5


@pytest.mark.parametrize(
    ("expression", "text", "whether"),
    [
        ("prod-.*", "prod-api", True),
        ("prod-.*", "a prod-api", False),
        ("a|b", "b", True),
        ("a|b", "ab", False),
        ("(?i)PROD-(eu|us)", "prod-eu", True),
        (r"\d{2}", "42", True),
        ("[[:alpha:]]+", "Ab", True),
        (".", "ü", True),
        ("(?i)É.", "éa", True),
        (".*", "two\nlines", False),
        ("(?s).*", "two\nlines", True),
        ("a.$", "ab\n", False),
        ("", "", True),
        ("", "a", False),
        ("a|", "", True),
        ("[^x]", "\ud800", True),
    ],
)
def test_an_expression_fits_the_whole_text_or_not_at_all(expression: str, text: str, whether: bool) -> None:
    assert bool(fits(expression)(text)) is whether


@given(st.text(alphabet="ab.*+|-", max_size=8), st.text(alphabet="ab-\n", max_size=6))
def test_what_is_simple_means_the_same_to_both_engines(expression: str, text: str) -> None:
    try:
        simple = bool(fits(expression)(text))
    except NoExpression:
        return
    assert simple is bool(fits(f"(?:{expression})")(text))


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("(a", "missing )"),
        ("*", "no argument for repetition operator"),
        ("(?!prod).*", "invalid perl operator: (?!"),
        (r"(a)\\1", "invalid escape sequence"),
        ("a{2000}", "invalid repetition size"),
        ("((a{100}){100}){100}", "invalid repetition size"),
        (r"(?:\\pL{1,50}){20}", "pattern too large"),
        ("a\ud800", "a character that is none"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_reason(expression: str, why: str) -> None:
    with pytest.raises(NoMatcher, match=rf"no regular expression after =~: .*{re.escape(why)}"):
        parse(f'rule=~"{expression}"')


@pytest.mark.parametrize("operator", ["=~", "!~"])
def test_a_matcher_of_an_earlier_version_that_is_no_expression_any_more_takes_nothing(operator: str) -> None:
    assert not Matcher("rule", operator, "(?!prod).*").holds({"rule": ["spend"]})
