"""What the keys of a digest's table mean together, which receivers take it, and what it does in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rules.digest import DigestRule
from watcher.config.models import DigestTable
from watcher.config.problems import Problem, shown
from watcher.config.values import WEEKDAYS

TAKES_NONE = {
    "alertmanager": "is an Alertmanager, which takes alerts only",
    "pagerduty": "is of type pagerduty, which opens an incident for each message",
}
"""The types of receiver that take no digest, and why."""


def digest_problems(table: DigestTable, receivers: Sequence[dict[str, Any]], place: str) -> Iterator[Problem]:
    """What does not go together; `receivers` are their tables as the file has them."""
    if table.every == "daily" and "weekday" in table.model_fields_set:
        yield Problem(f"{place}.weekday", 'goes with every = "weekly" only: a daily one comes every day')
    kinds = {raw.get("name"): raw.get("type") for raw in receivers}
    for name in table.receiver:
        why = TAKES_NONE.get(str(kinds.get(name)))
        if why is not None:
            right = "name one of another type, such as slack or email"
            yield Problem(f"{place}.receiver", f"names {shown(name)}, and that {why}: {right}")


def digest_sentence(rule: DigestRule, where: str) -> str:
    """When it comes, to whom, and what it is of; `where` says of which part of the spend, or is ""."""
    on = f"every {WEEKDAYS[rule.weekday].capitalize()}" if rule.every == "weekly" else "every day"
    of = "the seven days before" if rule.every == "weekly" else "the day before"
    names = [f'"{name}"' for name in rule.receivers]
    whom = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f'Digest "{rule.name}": {on} at {rule.at:%H:%M} ({rule.timezone}) to {whom}, on the spend of {of}{where}.'
