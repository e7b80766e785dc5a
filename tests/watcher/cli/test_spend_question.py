from __future__ import annotations

import pytest

from rules.model import Names
from watcher.cli.spend_question import conditions, dimensions, tag_that_nobody_has


def test_words_stand_once_with_commas_or_repeated() -> None:
    assert dimensions(["model_family,service_tier", "user", "tag:team, user"]) == (
        "model_family",
        "service_tier",
        "user",
        "tag:team",
    )


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("family", 'not "family"; did you mean "model_family"?'),
        ("users", 'did you mean "user"?'),
        (
            "colour",
            "--by must be organization, workspace, api_key, model, model_family, service_tier or user, or a tag such",
        ),
        ("tag", 'must say which tag, as in --by tag:team, not "tag"'),
        ("tag:", 'must say which tag, as in --by tag:team, not "tag:"'),
        ("user,", 'not ""'),
        ("\x1b[31m", "--by must be"),
    ],
)
def test_a_word_that_is_no_dimension_is_told_what_would_be(word: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="--by") as caught:
        dimensions([word])
    assert sentence in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_conditions_are_a_word_and_a_pattern() -> None:
    assert conditions(["workspace=prod*", "tag=team=platform", "tag:team=a=b", "api_key=[red]"]) == (
        ("workspace", "prod*"),
        ("tag", "team=platform"),
        ("tag:team", "a=b"),
        ("api_key", "[red]"),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("workspace", "as in --where workspace=…, not"),
        ("workspace=", "as in --where workspace=…, not"),
        ("prod*", "--where must begin with workspace, api_key, model, model_family, service_tier, user or tag, not"),
        ("workspaces=x", 'did you mean "workspace"?'),
        ("tag=team", 'must be a key and a value, such as "team=*", not "team"'),
        ("tag:=x", "--where must begin with"),
        ("\x1b=x", "--where must begin with"),
    ],
)
def test_what_is_no_condition_is_told_what_would_be(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="--where") as caught:
        conditions([text])
    assert sentence in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_tag_that_nobody_has_is_told_with_those_there_are() -> None:
    names = Names(tags_of_workspace={"w1": {"team": "a"}, "w2": {"env": "x", "\u202e": "y"}})
    assert tag_that_nobody_has(("user", "tag:team"), names) is None
    told = tag_that_nobody_has(("tag:colour",), names)
    assert told is not None
    assert told.startswith('No workspace has a tag "colour"; there are "env", "team", ')
    assert "\u202e" not in told
    assert tag_that_nobody_has(("tag:teams",), names) == 'No workspace has a tag "teams"; did you mean "team"?'
    assert tag_that_nobody_has(("tag:team",), Names()) == 'No workspace has a tag "team", or any other tag.'
