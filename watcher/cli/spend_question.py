"""What `watcher spend` is asked: the words of --by and --where, read and, where they cannot be meant, explained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rules.model import DIMENSIONS, TAG, Dimension, Names
from rules.selectors import TAG_WORD, WORDS, Condition, tag_problem
from watcher.config.problems import did_you_mean, enumerated, shown

_MOST_LISTED = 8


def dimensions(words: Iterable[str]) -> tuple[Dimension, ...]:
    """The dimensions of --by, given once or more, several with commas between; each once, in that order.

    ValueError, a sentence for the person who asked, for a word that is none.
    """
    found = dict.fromkeys(word.strip() for some in words for word in some.split(","))
    for word in found:
        if word in DIMENSIONS or (word.startswith(TAG) and word != TAG):
            continue
        if word.strip(":") in {"tag", "tags"}:
            raise ValueError(f"--by must say which tag, as in --by tag:team, not {shown(word)}.")
        guess = did_you_mean(word, DIMENSIONS)
        raise ValueError(
            f"--by must be organization, {_words(DIMENSIONS)}, or a tag such as tag:team, not {shown(word)}{guess}"
        )
    return tuple(found)


def conditions(texts: Iterable[str]) -> tuple[Condition, ...]:
    """The conditions of --where: "workspace=prod*", "tag=team=platform", and "tag:team=platform" for the same.

    ValueError, a sentence for the person who asked, for what is none and for what could never match.
    """
    return tuple(_condition(text) for text in texts)


def _condition(text: str) -> Condition:
    word, equals, pattern = text.partition("=")
    word = word.strip()
    tagged = word.startswith(TAG) and word != TAG
    if word not in WORDS and not tagged:
        guess = did_you_mean(word, WORDS)
        raise ValueError(f"--where must begin with {_words(WORDS)}, not {shown(word)}{guess}")
    if not equals or not pattern:
        raise ValueError(f"--where must be a word and a pattern, as in --where {word}=…, not {shown(text)}.")
    problem = tag_problem(pattern) if word == TAG_WORD else None
    if problem is not None:
        raise ValueError(f"--where {word} {problem}, not {shown(pattern)}.")
    return word, pattern


def tag_that_nobody_has(by: Sequence[Dimension], names: Names) -> str | None:
    """A sentence about the first tag of --by that no workspace has; None if all are in use."""
    used = sorted({key for tags in names.tags_of_workspace.values() for key in tags})
    strange = next((tag for tag in by if tag.startswith(TAG) and tag.removeprefix(TAG) not in used), None)
    if strange is None:
        return None
    key = strange.removeprefix(TAG)
    if not used:
        return f"No workspace has a tag {shown(key)}, or any other tag."
    guess = did_you_mean(key, used)
    listed = ", ".join(shown(one) for one in used[:_MOST_LISTED])
    more = f" and {len(used) - _MOST_LISTED} more" if len(used) > _MOST_LISTED else ""
    return f"No workspace has a tag {shown(key)}{guess or f'; there are {listed}{more}.'}"


def _words(words: Sequence[str]) -> str:
    return enumerated(words).replace('"', "")
