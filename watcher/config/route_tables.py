"""`[[route]]` and `[[time_interval]]`: from the file's tables to the tree of routes, with what they inherit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from rules.intervals import TimeInterval
from rules.routes import Route, Timing, place_of
from watcher.config.problems import Problem, nearest, shown
from watcher.config.route_models import InnerRouteTable, RouteTable, TimeIntervalTable
from watcher.config.table import Table

MOST_DEPTH = 5
_INHERITED = ("group_by", "group_wait", "group_interval", "repeat_interval", "escalate_after", "escalate_to")
_T = TypeVar("_T", bound=Table)


class RouteReader:
    """Reads routes. `table` reads one table of the file, or says what is wrong with it; `problems` are added to."""

    def __init__(
        self,
        table: Callable[[type[_T], dict[str, Any], str], _T | None],
        problems: list[Problem],
        intervals: Mapping[str, TimeInterval],
    ) -> None:
        self._table, self._problems, self._intervals = table, problems, intervals

    def read(self, raw: dict[str, Any], place: str, outer: Route | None = None, depth: int = 1) -> Route | None:
        """The route at this place, with those inside it; inside another one it takes from it what it does not say."""
        table = self._table(RouteTable if outer is None else InnerRouteTable, raw, place)  # type: ignore[arg-type]
        if not isinstance(table, RouteTable):
            return None
        timing = self._timing(table, outer.timing if outer is not None else Timing(), place)
        receiver = table.receiver or (outer.receiver if outer is not None else "")
        route = Route(receiver, tuple(table.match), table.goes_on, timing, (), place_of(outer, table.match), place)
        if table.routes and depth == MOST_DEPTH:
            self._problems.append(Problem(f"{place}.routes", f"is nested too deeply: at most {MOST_DEPTH} routes deep"))
            return route
        inside = (
            self.read(each, f"{place}.routes[{index}]", route, depth + 1) for index, each in enumerate(table.routes)
        )
        return replace(route, routes=tuple(each for each in inside if each is not None))

    def _timing(self, table: RouteTable, outer: Timing, place: str) -> Timing:
        given = {key: getattr(table, key) for key in _INHERITED if key in table.model_fields_set}
        if "group_by" in given:
            given["group_by"] = tuple(given["group_by"])
        timing = replace(
            outer,
            **given,
            active=self._named(table.active, f"{place}.active"),
            mute=self._named(table.mute, f"{place}.mute"),
        )
        for index, name in enumerate(table.mute):
            if name in table.active:
                told = f"names {shown(name)}, which `active` names too: then no message would ever go out"
                self._problems.append(Problem(f"{place}.mute[{index}]", told))
        if table.escalate_to and table.escalate_to == table.receiver:
            told = f"names {shown(table.escalate_to)}, the route's own receiver, who was told: name another one"
            self._problems.append(Problem(f"{place}.escalate_to", told))
        if timing.escalate_after is not None and not timing.escalate_to:
            self._problems.append(
                Problem(f"{place}.escalate_to", 'is missing: with `escalate_after`, write it too, as in "pager"')
            )
        if timing.escalate_to and timing.escalate_after is None:
            self._problems.append(
                Problem(f"{place}.escalate_after", 'is missing: with `escalate_to`, write it too, as in "30m"')
            )
        return timing

    def _named(self, names: list[str], place: str) -> tuple[TimeInterval, ...]:
        for index, name in enumerate(names):
            if name not in self._intervals:
                known = list(self._intervals)
                guess = nearest(name, known)
                remedy = (
                    f"did you mean {shown(known[known.index(guess)])}?"
                    if guess is not None
                    else (f"there is {', '.join(map(shown, known))}" if known else "there is none: write one")
                )
                told = f"names {shown(name)}, and no [[time_interval]] has that name; {remedy}"
                self._problems.append(Problem(f"{place}[{index}]", told))
        return tuple(self._intervals[name] for name in names if name in self._intervals)


def time_interval(table: TimeIntervalTable) -> TimeInterval:
    """The interval that a table describes."""
    return TimeInterval(
        name=table.name,
        timezone=table.timezone,
        times=tuple(table.times),
        weekdays=tuple(sorted({day for days in table.weekdays for day in days})),
        days_of_month=tuple(table.days_of_month),
        months=tuple(sorted({month for months in table.months for month in months})),
    )
