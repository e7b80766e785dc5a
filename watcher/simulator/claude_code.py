"""The Claude Code report: one UTC day, a row for each person, terminal and place they worked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np

from watcher.simulator.faults import Strike
from watcher.simulator.moments import DAY, HOUR, seconds, stamp
from watcher.simulator.organization import User
from watcher.simulator.paging import read_cursor, report_tail
from watcher.simulator.parameters import Parameters
from watcher.simulator.tariff import FEMTO_PER_CENT
from watcher.simulator.world import World

PARAMETERS = frozenset({"starting_at", "limit", "page"})

_TERMINALS = ("vscode", "iTerm.app", "tmux", "ghostty", "WarpTerminal")


def claude_code_page(world: World, parameters: Parameters, now: datetime, strike: Strike) -> dict[str, Any]:
    """One page of the report of one day; what was used shows an hour later.

    Raises:
        ApiError: 400 for anything the report does not take.
    """
    day = int(seconds(parameters.day("starting_at")) // DAY)
    limit = parameters.integer("limit", 20, 1, 1000)
    question = parameters.fingerprint()
    page = parameters.text("page")
    first = 0 if page is None else read_cursor(page, question).position
    rows = _rows(world, day, seconds(now))
    stop = min(len(rows), first + limit)
    more, cursor = report_tail(
        here=first, onward=stop if stop < len(rows) else None, question=question, faults=strike.data
    )
    return {"data": rows[first:stop], "has_more": more, "next_page": cursor}


def _rows(world: World, day: int, now: float) -> list[dict[str, Any]]:
    until = min((day + 1) * DAY, now - HOUR)
    if until <= day * DAY or until <= seconds(world.history_from):
        return []
    organization = world.organization
    used = world.used(day * DAY, until)
    rows: list[dict[str, Any]] = []
    for place, key in enumerate(organization.keys.values()):
        workspace = organization.workspace(key.workspace_id or "")
        if workspace is None or workspace.name != "Claude Code":
            continue
        models = [
            (world.catalogue.series[row].model, used[row], world.tariff.femto(row, day))
            for row in world.rows(api_key_id=key.id)
            if used[row].any()
        ]
        if not models:
            continue
        owner = organization.users.get(key.created_by or "")
        rng = np.random.Generator(np.random.Philox(key=[world.seed, (0xCC << 40) + day * 4096 + place]))
        # Some people also work on a remote machine: the same person in two rows.
        parts = ((0.7, False), (0.3, True)) if rng.random() < 0.25 else ((1.0, False),)
        for share, remote in parts:
            breakdown = [_breakdown(model, amounts * share, femto) for model, amounts, femto in models]
            rows.append(_row(world, day, rng, _actor(owner, key.name), breakdown, remote=remote))
    rows += _subscribers(world, day, until)
    return rows


def _subscribers(world: World, day: int, until: float) -> list[dict[str, Any]]:
    """Two people who work on a subscription; nothing of theirs is in the usage report."""
    rows = []
    share = (until - day * DAY) / DAY
    for place, user in enumerate(list(world.organization.users.values())[-2:]):
        rng = np.random.Generator(np.random.Philox(key=[world.seed, (0xCD << 40) + day * 4096 + place]))
        amounts = rng.integers([9000, 500, 8000, 90000, 4000], [90000, 5000, 80000, 900000, 40000]) * share
        if (day + 3) % 7 >= 5:
            continue
        breakdown = [_breakdown("claude-opus-5-5", amounts, (4 * 10**9,) * 5)]
        row = _row(world, day, rng, _actor(user, ""), breakdown, remote=False)
        rows.append({**row, "customer_type": "subscription", "subscription_type": "team"})
    return rows


def _actor(user: User | None, key_name: str) -> dict[str, str]:
    if user is None:
        return {"type": "api_actor", "api_key_name": key_name}
    return {"type": "user_actor", "email_address": user.email}


def _breakdown(model: str, amounts: Any, femto: tuple[int, ...]) -> dict[str, Any]:
    uncached, write_1h, write_5m, read, output = (int(amount) for amount in amounts[:5])
    tokens = (uncached, write_1h, write_5m, read, output)
    cost = sum(count * price for count, price in zip(tokens, femto, strict=False))
    return {
        "model": model,
        "tokens": {
            "input": uncached,
            "output": output,
            "cache_read": read,
            "cache_creation": write_1h + write_5m,
        },
        "estimated_cost": {"currency": "USD", "amount": cost // FEMTO_PER_CENT},
    }


def _row(
    world: World,
    day: int,
    rng: np.random.Generator,
    actor: dict[str, str],
    breakdown: list[dict[str, Any]],
    *,
    remote: bool,
) -> dict[str, Any]:
    sessions, added, removed, commits, edits, writes = rng.integers(1, [9, 900, 400, 12, 60, 15]).tolist()
    tools = {
        "edit_tool": {"accepted": edits, "rejected": edits // 9},
        "write_tool": {"accepted": writes, "rejected": writes // 7},
    }
    return {
        "date": stamp(day * DAY),
        "actor": actor,
        "organization_id": world.organization.id,
        "customer_type": "api",
        "subscription_type": None,
        "terminal_type": _TERMINALS[int(rng.integers(0, len(_TERMINALS)))],
        "is_remote": remote,
        "core_metrics": {
            "num_sessions": sessions,
            "lines_of_code": {"added": added, "removed": removed},
            "commits_by_claude_code": commits,
            "pull_requests_by_claude_code": commits // 4,
        },
        "tool_actions": tools if sessions > 1 else {},
        "model_breakdown": breakdown,
    }
