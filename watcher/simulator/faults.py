"""Faults: what the simulated API does wrong, to which requests, and when. All of it deterministic."""

from __future__ import annotations

import fnmatch
import tomllib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any

from watcher.simulator.moments import parse_span, seconds

USAGE_REPORT = "/v1/organizations/usage_report/messages"
COST_REPORT = "/v1/organizations/cost_report"
ANALYTICS = "/v1/organizations/analytics/*"

ANSWER_KINDS = {"429": "*", "500": "*", "504": "*", "529": "*", "403": COST_REPORT, "html": "*", "half-body": "*",
                "timeout": "*", "reset": "*", "lost-cursor": "*"}  # fmt: skip
"""Faults that take the place of the answer, with the paths they concern unless told."""

DATA_KINDS = {"stall": USAGE_REPORT, "late-rows": USAGE_REPORT, "shrinking-hour": USAGE_REPORT,
              "half-cost-day": COST_REPORT, "empty-cost-bucket": COST_REPORT, "stale-cursor": "*",
              "stray-cursor": "*", "late-analytics": ANALYTICS}  # fmt: skip
"""Faults that leave a well-formed answer which says something wrong."""

KINDS = ANSWER_KINDS | DATA_KINDS


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    It concerns requests whose path matches the glob `path` (and whose method is `method`, if given), from `after`
    until `after + lasting` past the start of the simulation. Of these it strikes each `every`-th, at most `times`
    times. `retry_after` is the header of a 429 in seconds, missing when None; `hang` is for how many real seconds a
    timeout keeps the connection open.
    """

    kind: str
    path: str
    method: str | None = None
    after: timedelta = timedelta()
    lasting: timedelta | None = None
    every: int = 1
    times: int | None = None
    retry_after: int | None = None
    hang: float = 30.0


@dataclass(frozen=True, slots=True)
class Strike:
    """What befalls one request: the fault that replaces its answer, if any, and the kinds that falsify its data.
    `stalled_from` is since when (seconds) the usage report has stood still."""

    answer: Fault | None = None
    data: frozenset[str] = frozenset()
    stalled_from: float = inf


NO_STRIKE = Strike()


@dataclass(slots=True)
class FaultSchedule:
    """Decides for each request in turn which faults strike it; the same requests at the same times, the same faults."""

    faults: tuple[Fault, ...]
    started: float
    _seen: list[int] = field(init=False)
    _struck: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._seen = [0] * len(self.faults)
        self._struck = [0] * len(self.faults)

    def strike(self, method: str, path: str, now: datetime) -> Strike:
        """Count the request and say what befalls it. The first fault that replaces the answer wins."""
        if not self.faults:
            return NO_STRIKE
        answer: Fault | None = None
        data: set[str] = set()
        stalled_from = inf
        for index, fault in enumerate(self.faults):
            if not self._strikes(index, fault, method, path, seconds(now)):
                continue
            if fault.kind in ANSWER_KINDS:
                answer = answer or fault
                continue
            data.add(fault.kind)
            if fault.kind == "stall":
                stalled_from = min(stalled_from, self.started + fault.after.total_seconds())
        return Strike(answer, frozenset(data), stalled_from)

    def _strikes(self, index: int, fault: Fault, method: str, path: str, now: float) -> bool:
        begins = self.started + fault.after.total_seconds()
        ends = inf if fault.lasting is None else begins + fault.lasting.total_seconds()
        if not begins <= now < ends or not fnmatch.fnmatchcase(path, fault.path):
            return False
        if fault.method is not None and fault.method != method:
            return False
        self._seen[index] += 1
        if self._seen[index] % fault.every or (fault.times is not None and self._struck[index] >= fault.times):
            return False
        self._struck[index] += 1
        return True


def _preset(kind: str, **settings: Any) -> Fault:
    return Fault(**{"kind": kind, "path": KINDS[kind], **settings})


PRESETS: dict[str, tuple[Fault, ...]] = {
    "none": (),
    "rate-limit": (_preset("429", every=4, retry_after=1),),
    "rate-limit-silent": (_preset("429", every=4),),
    "server-errors": (_preset("500", every=5),),
    "gateway-timeouts": (_preset("504", every=5),),
    "overloaded": (_preset("529", every=5),),
    "timeouts": (_preset("timeout", every=12),),
    "resets": (_preset("reset", every=5),),
    "half-bodies": (_preset("half-body", every=5),),
    "html": (_preset("html", every=5),),
    "stale-cursors": (_preset("stale-cursor", every=6, times=6),),
    "stray-cursors": (_preset("stray-cursor"),),
    "lost-cursors": (_preset("lost-cursor", path="*", every=6),),
    "forbidden-cost": (_preset("403"),),
    "forbidden-analytics": (_preset("403", path=ANALYTICS),),
    "outage": (_preset("529", after=timedelta(hours=1), lasting=timedelta(hours=2)),),
    "stall": (_preset("stall", after=timedelta(minutes=30), lasting=timedelta(hours=6)),),
    "half-cost-day": (_preset("half-cost-day"),),
    "late-rows": (_preset("late-rows"),),
    "late-analytics": (_preset("late-analytics"),),
    "shrinking-hour": (_preset("shrinking-hour", every=2),),
    "empty-cost-bucket": (_preset("empty-cost-bucket"),),
    "flaky": (
        _preset("429", every=7, retry_after=1),
        _preset("500", every=11),
        _preset("reset", every=13),
        _preset("half-body", every=17),
        _preset("html", every=19),
    ),
}

_SETTINGS = {"kind", "path", "method", "after", "for", "every", "times", "retry_after", "hang"}


def load_faults(name_or_file: str | Path | None, started_at: datetime) -> FaultSchedule:
    """The schedule of a preset, or of a TOML file of `[[fault]]` tables; None is no fault at all.

    Raises:
        ValueError: an unknown name (the names are listed), or a file that does not say what it should.
    """
    started = seconds(started_at)
    if name_or_file is None:
        return FaultSchedule((), started)
    if isinstance(name_or_file, str) and name_or_file in PRESETS:
        return FaultSchedule(PRESETS[name_or_file], started)
    path = Path(name_or_file)
    if not path.is_file():
        names = ", ".join(sorted(PRESETS))
        raise ValueError(f"no preset of faults and no file is called {str(name_or_file)!r}; the presets are: {names}")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not TOML: {error}") from error
    tables = document.pop("fault", None)
    if document or not isinstance(tables, list):
        raise ValueError(f"{path}: a fault file holds [[fault]] tables and nothing else")
    faults = tuple(_fault(f"{path}: fault {index}", table) for index, table in enumerate(tables, start=1))
    return FaultSchedule(faults, started)


def _fault(place: str, table: dict[str, Any]) -> Fault:
    if unknown := sorted(set(table) - _SETTINGS):
        raise ValueError(f"{place}: unknown setting {unknown[0]!r}; there are: {', '.join(sorted(_SETTINGS))}")
    kind = table.get("kind")
    if kind not in KINDS:
        raise ValueError(f"{place}: kind must be one of {', '.join(KINDS)}, not {kind!r}")
    for name, lowest in (("every", 1), ("times", 1), ("retry_after", 0), ("hang", 0)):
        value = table.get(name, lowest)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < lowest:
            raise ValueError(f"{place}: {name} must be a number of at least {lowest}, not {value!r}")
    try:
        after = parse_span(str(table.get("after", "0s")))
        lasting = parse_span(str(table["for"])) if "for" in table else None
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
    method = table.get("method")
    retry_after = table.get("retry_after")
    times = table.get("times")
    return Fault(
        kind=kind,
        path=str(table.get("path", KINDS[kind])),
        method=None if method is None else str(method).upper(),
        after=after,
        lasting=lasting,
        every=int(table.get("every", 1)),
        times=None if times is None else int(times),
        retry_after=None if retry_after is None else int(retry_after),
        hang=float(table.get("hang", 30.0)),
    )
