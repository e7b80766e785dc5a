"""The cost report: a day late, restated once, in decimal strings of cents that keep every digit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from watcher.simulator.errors import invalid
from watcher.simulator.faults import Strike
from watcher.simulator.moments import DAY, HOUR, seconds, stamp
from watcher.simulator.paging import read_cursor, report_tail
from watcher.simulator.parameters import Parameters
from watcher.simulator.series import WEB_SEARCH
from watcher.simulator.tariff import FEMTO_PER_CENT, PRICES, TOKEN_KINDS, cents
from watcher.simulator.world import World

PARAMETERS = frozenset({"starting_at", "ending_at", "bucket_width", "limit", "page", "group_by"})

_TITLES = {
    "uncached_input_tokens": "Input Tokens",
    "cache_creation.ephemeral_1h_input_tokens": "Input Tokens, Cache Write 1h",
    "cache_creation.ephemeral_5m_input_tokens": "Input Tokens, Cache Write 5m",
    "cache_read_input_tokens": "Input Tokens, Cache Hit",
    "output_tokens": "Output Tokens",
}
_KEPT_DAYS = 200


@dataclass(frozen=True, slots=True)
class Line:
    """What one line of a day's bill is for. Fields that do not apply are None."""

    workspace_id: str | None
    cost_type: str
    description: str
    model: str | None = None
    service_tier: str | None = None
    token_type: str | None = None
    context_window: str | None = None
    inference_geo: str | None = None
    speed: str | None = None


class Billing:
    """Works out the bill of a day and which version of it is out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._finals: OrderedDict[int, dict[Line, int]] = OrderedDict()

    def published_at(self, day: int) -> float:
        """When the first version of the day's bill comes out, in seconds: 20 to 24 hours after the day's end."""
        return (day + 1) * DAY + 20 * HOUR + float(self._rng(day, 0).integers(0, 4 * HOUR))

    def restated_at(self, day: int) -> float:
        """When the final version replaces it: 8 hours later."""
        return self.published_at(day) + 8 * HOUR

    def final(self, day: int) -> dict[Line, int]:
        """The lines of the day's final bill in femto-dollars. Priority tier usage is not on any bill.

        Only for days whose usage can no longer change, so that it may be kept.
        """
        known = self._finals.get(day)
        if known is None:
            known = self._finals[day] = self._work_out(day)
            if len(self._finals) > _KEPT_DAYS:
                self._finals.popitem(last=False)
        return known

    def visible(self, day: int, now: float) -> dict[Line, int]:
        """The lines that the report shows at `now`: none, the first version (some lines too low), or the final one."""
        if (day + 1) * DAY <= seconds(self._world.history_from) or now < self.published_at(day):
            return {}
        lines = self.final(day)
        if now >= self.restated_at(day):
            return lines
        cut = self._rng(day, 1).integers(-180, 120, size=len(lines)).tolist()
        return {
            line: amount * (1000 - max(0, less)) // 1000
            for (line, amount), less in zip(lines.items(), cut, strict=True)
        }

    def filling(self, day: int, now: float) -> dict[Line, int]:
        """What a report that is still being filled shows: about a third of the lines at first, nearly all a day later.

        It never stands still for long, so that two readings some hours apart differ.
        """
        lines = list(self.visible(day, now).items())
        age = min(1.0, (now - self.published_at(day)) / DAY)
        order = self._rng(day, 3).permutation(len(lines)).tolist()
        return dict(lines[place] for place in sorted(order[: int(len(lines) * (0.35 + 0.6 * age))]))

    def newest_published(self, now: float) -> int:
        """The latest day whose bill is out; `now` lies within the simulated time."""
        day = int(now // DAY) - 1
        while now < self.published_at(day):
            day -= 1
        return day

    def _rng(self, day: int, purpose: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=[self._world.seed, (0xB111 + purpose << 32) + day]))

    def _work_out(self, day: int) -> dict[Line, int]:
        world = self._world
        used = world.used(day * DAY, (day + 1) * DAY).tolist()
        lines: dict[Line, int] = {}
        for row, series in enumerate(world.catalogue.series):
            if series.terms.service_tier == "priority" or not any(used[row]):
                continue
            femto = world.tariff.femto(row, day)
            for measure, kind in enumerate(TOKEN_KINDS):
                if used[row][measure]:
                    line = _token_line(series.workspace_id, series.model, kind, series.terms)
                    lines[line] = lines.get(line, 0) + used[row][measure] * femto[measure]
            if used[row][WEB_SEARCH]:
                line = Line(series.workspace_id, "web_search", "Web Search Usage")
                lines[line] = lines.get(line, 0) + used[row][WEB_SEARCH] * femto[WEB_SEARCH]
        lines |= self.unmetered(day)
        return dict(sorted(lines.items(), key=lambda item: repr(item[0])))

    def unmetered(self, day: int) -> dict[Line, int]:
        """What no usage report shows: code execution every day, session time on weekdays."""
        rng = self._rng(day, 2)
        homes = [each.id for each in self._world.organization.workspaces.values() if each.archived_at is None]
        some, more = rng.integers(20 * FEMTO_PER_CENT, 900 * FEMTO_PER_CENT, size=2).tolist()
        lines = {Line(homes[0], "code_execution", "Code Execution Usage"): some}
        if (day + 3) % 7 < 5:
            lines[Line(homes[-1], "session_usage", "Session Usage")] = more
        return lines


def _token_line(workspace_id: str | None, model: str, kind: str, terms: Any) -> Line:
    notes = [
        note
        for note, holds in (
            ("Batch", terms.service_tier == "batch"),
            ("Long Context", terms.context_window == "200k-1M"),
            ("US Inference", terms.inference_geo == "us"),
            ("Fast Mode", terms.speed == "fast"),
        )
        if holds
    ]
    title = f"{PRICES[model].title} Usage - {_TITLES[kind]}" + "".join(f", {note}" for note in notes)
    return Line(
        workspace_id=workspace_id,
        cost_type="tokens",
        description=title,
        model=model,
        service_tier=terms.service_tier,
        token_type=kind,
        context_window=terms.context_window,
        inference_geo=terms.inference_geo,
        speed=terms.speed,
    )


def cost_page(
    billing: Billing, parameters: Parameters, now: datetime, strike: Strike, *, with_speed: bool
) -> dict[str, Any]:
    """One page of the cost report as it stands at `now`.

    Raises:
        ApiError: 400 for anything the report does not take, an `ending_at` inside the present day included.
    """
    starting, ending = parameters.moment("starting_at"), parameters.moment("ending_at")
    if starting is None:
        raise invalid("starting_at: Field required")
    if ending is not None and ending <= starting:
        raise invalid("ending_at: must be after starting_at")
    parameters.choice("bucket_width", ("1d",))
    limit = parameters.integer("limit", 7, 1, 31)
    group_by = parameters.texts("group_by", ("workspace_id", "description"))
    today = int(seconds(now) // DAY)
    if ending is not None and today * DAY < seconds(ending) < (today + 1) * DAY:
        raise invalid("ending_at: must not lie within the current day")
    question = parameters.fingerprint()
    page = parameters.text("page")
    first = int(seconds(starting) // DAY) if page is None else read_cursor(page, question).position
    end = today + 1 if ending is None else min(today + 1, int(seconds(ending) // DAY))
    stop = max(first, min(end, first + limit))
    more, cursor = report_tail(here=first, onward=stop if stop < end else None, question=question, faults=strike.data)
    row = _row_writer(group_by, with_speed=with_speed)
    newest = billing.newest_published(seconds(now))
    data = []
    for day in range(first, stop):
        lines = billing.visible(day, seconds(now))
        if day == newest and "empty-cost-bucket" in strike.data:
            lines = {}
        elif day == newest and "half-cost-day" in strike.data:
            lines = billing.filling(day, seconds(now))
        data.append(
            {
                "starting_at": stamp(day * DAY),
                "ending_at": stamp((day + 1) * DAY),
                "results": [row(line, amount) for line, amount in _grouped(lines, group_by).items()],
            }
        )
    return {"data": data, "has_more": more, "next_page": cursor}


def _grouped(lines: dict[Line, int], group_by: tuple[str, ...]) -> dict[Line, int]:
    grouped: dict[Line, int] = {}
    for line, amount in lines.items():
        workspace_id = line.workspace_id if "workspace_id" in group_by else None
        if "description" in group_by:
            key = Line(workspace_id, line.cost_type, line.description, line.model, line.service_tier, line.token_type,
                       line.context_window, line.inference_geo, line.speed)  # fmt: skip
        else:
            key = Line(workspace_id, "", "")
        grouped[key] = grouped.get(key, 0) + amount
    return grouped


def _row_writer(group_by: tuple[str, ...], *, with_speed: bool) -> Callable[[Line, int], dict[str, Any]]:
    described = "description" in group_by

    def write(line: Line, amount: int) -> dict[str, Any]:
        row = {
            "amount": cents(amount),
            "currency": "USD",
            "workspace_id": line.workspace_id,
            "description": line.description if described else None,
            "cost_type": line.cost_type if described else None,
            "model": line.model,
            "service_tier": line.service_tier,
            "token_type": line.token_type,
            "context_window": line.context_window,
            "inference_geo": line.inference_geo,
        }
        return {**row, "speed": line.speed} if with_speed else row

    return write
