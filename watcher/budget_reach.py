"""Which budgets and events reach nothing, as far as one organization's answers tell: for `watcher check --online`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rules.events import Event
from rules.limits import cap_kind
from rules.model import CONSOLE, DEFAULT_WORKSPACE, UNKNOWN, Budget, Leaf, Names, Selector
from rules.selectors import select
from watcher.limits.caps import SOURCE
from watcher.online import Answer
from watcher.store.directory import names_of

_LISTS = ("workspaces", "api_keys", "users")
_OF_THE_DIRECTORY = ("workspace", "api_key", "user", "tag")
"""The words of a selector that the directory can tell of. Which models and tiers are used only the ledger knows."""


def warnings(budgets: Sequence[Budget], answers: Sequence[Answer]) -> Iterator[str]:
    """A sentence for each of the organization's budgets that judges nothing, and for each that matches nothing now."""
    by_source = {answer.source: answer for answer in answers}
    names, leaves = _directory(by_source)
    for budget in budgets:
        for source, what in _sources(budget).items():
            if source in by_source and by_source[source].state == "not offered":
                yield f'budget "{budget.name}" judges nothing: {what} come from {source}, which is not offered'
        if told := _like_nobody(budget.select, names, leaves):
            yield f'budget "{budget.name}" matches nothing now: no key, user or workspace is like {told}'


def event_warnings(events: Sequence[Event], answers: Sequence[Answer]) -> Iterator[str]:
    """A sentence for each of the organization's events that selects nothing now."""
    names, leaves = _directory({answer.source: answer for answer in answers})
    for event in events:
        if told := _like_nobody(event.select, names, leaves):
            yield f'event "{event.name}" selects nothing now: no key, user or workspace is like {told}'


def _like_nobody(asked: Selector, names: Names, leaves: Sequence[Leaf] | None) -> str:
    """What the selector asks for and the directory has nothing of; "" where it has, or it is not known."""
    words = {word: getattr(asked, word) for word in _OF_THE_DIRECTORY}
    if leaves is None or not any(words.values()) or select(Selector(**words), leaves, names).any():
        return ""
    return " and ".join(f'{word} = "{pattern}"' for word, pattern in words.items() if pattern is not None)


def _sources(budget: Budget) -> Mapping[str, str]:
    """The sources without which nothing is judged of a budget, and what comes from each."""
    found = {SOURCE[cap_kind(budget)]: "its limits"} if budget.console else {}
    if budget.measure.unit == "requests":
        found["analytics_usage"] = "requests"
    return found | ({"claude_code": "its amounts"} if budget.measure.claude_code else {})


def _directory(answers: Mapping[str, Answer]) -> tuple[Names, list[Leaf] | None]:
    """The names, and what could spend: each key, and the Console in each workspace; None where a list is missing."""
    if any(source not in answers or answers[source].state != "answers" for source in _LISTS):
        return Names(), None
    found: list[Sequence[Any]] = [answers[source].items for source in _LISTS]
    workspaces, keys, users = found
    names = names_of(workspaces, users, keys)
    homes = [DEFAULT_WORKSPACE, *(workspace.id for workspace in workspaces)]
    leaves = [Leaf(home, CONSOLE, "") for home in homes]
    leaves += [Leaf(names.workspace_of_key.get(key.id, home), key.id, "") for key in keys for home in _home(key, homes)]
    # Somebody without a key spends nothing yet, and may tomorrow.
    people = {user.id: f"(a key of {user.id})" for user in users}
    leaves += [Leaf(home, key, UNKNOWN) for key in people.values() for home in homes]
    return replace(names, user_of_key={**names.user_of_key, **{key: user for user, key in people.items()}}), leaves


def _home(key: Any, homes: Sequence[str]) -> Sequence[str]:
    """The workspaces that a key may spend in: its own, or every one."""
    return homes if key.organization_scoped else homes[:1]
