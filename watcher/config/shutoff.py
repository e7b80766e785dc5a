"""`[shutoff]` as a whole: the table, the keys that write, and what rules ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rules.intervals import TimeInterval
from rules.model import AnomalyRule, Budget
from watcher.config.problems import Problem
from watcher.config.sections import Sections
from watcher.config.shape import Tables
from watcher.config.shutoff_tables import action_problems, asked_actions
from watcher.secret import Secret
from watcher.settings import OrganizationSettings, ShutoffSettings, StoreSettings


def read_shutoff(
    tables: Tables,
    sections: Sections,
    intervals: Mapping[str, TimeInterval],
    store: StoreSettings | None,
    rules: tuple[list[Budget | None], list[AnomalyRule | None]],
) -> tuple[ShutoffSettings, Secret | None] | None:
    """The table with its action key, None where there is none; what is wrong goes into `sections`."""
    found = None
    raw = tables.single.get("shutoff")
    if raw is not None:
        given = {key: value for key, value in raw.items() if (key, value) != ("action_key", "")}
        found = sections.shutoff(given, dict(intervals), store)
        if tables.several["organization"] and {"action_key", "action_key_file"} & given.keys():
            told = "is of one organization: with several, write action_key in each [[organization]] that keys may be"
            sections.problems.append(Problem("shutoff.action_key", f"{told} changed in"))
    if raw is None or found is not None:
        sections.problems.extend(action_problems(*rules, None if found is None else found[0].policy))
    if found is not None and found[0].policy.mode != "off" and not any(True for _ in asked_actions(*rules)):
        told = 'no rule asks for an action, so keys are only changed by hand; write action = "deactivate_key" in one'
        sections.warnings.append(f"shutoff: {told}")
    return found


def with_action_key(
    organizations: tuple[OrganizationSettings, ...], shutoff: tuple[ShutoffSettings, Secret | None] | None
) -> tuple[OrganizationSettings, ...]:
    """The organizations, the only one with the action key of `[shutoff]`."""
    if shutoff is None or shutoff[1] is None or len(organizations) != 1:
        return organizations
    return (replace(organizations[0], action_key=shutoff[1]),)
