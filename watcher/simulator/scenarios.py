"""Scenarios: which events happen, by name or from a TOML file, and to whom in a given organization."""

from __future__ import annotations

import fnmatch
import tomllib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from watcher.simulator.incidents import KINDS, Effect, EventSpec, Incident, Twin, scaling, uncaching
from watcher.simulator.moments import from_seconds, parse_span, seconds
from watcher.simulator.organization import Organization
from watcher.simulator.series import HOURS_A_MONTH, Series
from watcher.simulator.tariff import PRICES, Terms

SCENARIOS: dict[str, tuple[EventSpec, ...]] = {
    "calm": (),
    "demo": (EventSpec("runaway"), EventSpec("spike")),
    **{kind: (EventSpec(kind),) for kind in KINDS},
    "everything": tuple(EventSpec(kind) for kind in KINDS),
}

_EVENT_KEYS = {"kind", "after", "for", "factor", "key", "model"}


def load_scenario(name_or_file: str | Path | None) -> tuple[EventSpec, ...]:
    """The events of a built-in scenario, or of a TOML file of `[[incident]]` tables; None is `calm`.

    Raises:
        ValueError: an unknown name (the names are listed), or a file that does not say what it should.
    """
    if name_or_file is None:
        return SCENARIOS["calm"]
    if isinstance(name_or_file, str) and name_or_file in SCENARIOS:
        return SCENARIOS[name_or_file]
    path = Path(name_or_file)
    if not path.is_file():
        names = ", ".join(sorted(SCENARIOS))
        raise ValueError(f"no scenario and no file is called {str(name_or_file)!r}; the scenarios are: {names}")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not TOML: {error}") from error
    tables = document.pop("incident", None)
    if document or not isinstance(tables, list):
        raise ValueError(f"{path}: a scenario holds [[incident]] tables and nothing else")
    return tuple(_event(f"{path}: incident {index}", table) for index, table in enumerate(tables, start=1))


def _event(place: str, table: dict[str, Any]) -> EventSpec:
    if unknown := sorted(set(table) - _EVENT_KEYS):
        raise ValueError(f"{place}: unknown setting {unknown[0]!r}; there are: {', '.join(sorted(_EVENT_KEYS))}")
    kind = table.get("kind")
    if kind not in KINDS:
        raise ValueError(f"{place}: kind must be one of {', '.join(KINDS)}, not {kind!r}")
    factor = table.get("factor")
    if factor is not None and (isinstance(factor, bool) or not isinstance(factor, int | float) or factor < 0):
        raise ValueError(f"{place}: factor must be a number of at least 0, not {factor!r}")
    spans: dict[str, timedelta | None] = {}
    for name in ("after", "for"):
        text = table.get(name)
        try:
            spans[name] = None if text is None else _signed_span(str(text))
        except ValueError as error:
            raise ValueError(f"{place}: {name}: {error}") from error
    key = table.get("key")
    model = table.get("model")
    if model is not None and (kind != "model-switch" or str(model) not in PRICES):
        known = ", ".join(PRICES)
        raise ValueError(f"{place}: model says what a model-switch moves to, one of {known}; not {model!r}")
    return EventSpec(kind, spans["after"], spans["for"], factor, None if key is None else str(key), model)


def _signed_span(text: str) -> timedelta:
    return -parse_span(text[1:]) if text.startswith("-") else parse_span(text)


@dataclass(slots=True)
class Script:
    """What a scenario comes to in one organization. Effects name rows of the series it was written for."""

    incidents: list[Incident] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    twins: list[Twin] = field(default_factory=list)


class _Cast:
    """Picks the keys that events happen to, each event its own key."""

    def __init__(self, organization: Organization, series: list[Series], started_at: datetime) -> None:
        self.organization = organization
        self.series = series
        self._taken: set[str] = set()
        self._alive = {key.id for key in organization.keys.values() if key.status(started_at) == "active"}

    def pick(self, spec: EventSpec, archetype: str, rank: float) -> str:
        """The key asked for, or else the one at that rank by spend (0 the least, 1 the most) among free keys of the
        archetype. Raises ValueError when the glob matches no active key."""
        spend: dict[str, float] = {}
        kinds: dict[str, set[str]] = {}
        for each in self.series:
            if each.api_key_id in self._alive:
                spend[each.api_key_id] = spend.get(each.api_key_id, 0.0) + each.usd_per_month
                kinds.setdefault(each.api_key_id, set()).add(each.archetype)
        if spec.key is not None:
            keys = self.organization.keys
            named = [
                key
                for key in spend
                if fnmatch.fnmatchcase(key, spec.key) or fnmatch.fnmatchcase(keys[key].name, spec.key)
            ]
            if not named:
                raise ValueError(f"{spec.kind}: no active key matches {spec.key!r}")
            pool = named
        else:
            pool = [key for key in spend if archetype in kinds[key]] or list(spend)
        pool = [key for key in pool if key not in self._taken] or pool
        ordered = sorted(pool, key=lambda key: (spend[key], key))
        chosen = ordered[round(rank * (len(ordered) - 1))]
        self._taken.add(chosen)
        return chosen

    def rows(self, key_id: str) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        return np.array([row for row, each in enumerate(self.series) if each.api_key_id == key_id], dtype=np.intp)

    def main(self, key_id: str) -> Series:
        return max((each for each in self.series if each.api_key_id == key_id), key=lambda each: each.usd_per_month)


def write_script(
    events: tuple[EventSpec, ...], organization: Organization, series: list[Series], started_at: datetime
) -> Script:
    """Lay the events onto the organization, timed from `started_at`. Raises ValueError when a key cannot be found."""
    script = Script()
    cast = _Cast(organization, series, started_at)
    for event in events:
        _add(script, cast, event, started_at)
    return script


def _add(script: Script, cast: _Cast, event: EventSpec, started_at: datetime) -> None:
    kind = KINDS[event.kind]
    starts_at = started_at + (kind.after if event.after is None else event.after)
    if event.after is None and event.kind == "leaked-key":
        starts_at = _next_time(starts_at, hour=1, minute=30)
    if event.after is None and event.kind == "holiday":
        starts_at = _next_time(starts_at, hour=0, minute=0)
    lasting = kind.lasting if event.lasting is None else event.lasting
    ends_at = None if lasting is None else starts_at + lasting
    factor = kind.factor if event.factor is None else event.factor
    span = (seconds(starts_at), inf if ends_at is None else seconds(ends_at))
    key_id, workspace_id, model = None, None, None
    if event.kind == "holiday":
        script.effects.append(_holiday(cast, span, factor))
    else:
        archetype, rank = _ROLES[event.kind]
        key_id = cast.pick(event, archetype, rank)
        main = cast.main(key_id)
        workspace_id, model = main.workspace_id, main.model
        if event.kind == "launch" and event.key is None:
            key_id, model = None, None
        effect, twin = _effect(cast, event, main, span, factor)
        script.effects += [] if effect is None else [effect]
        if twin is not None:
            script.twins.append(twin)
            model = twin.series.model
    script.incidents.append(
        Incident(event.kind, kind.harmful, key_id, workspace_id, model, starts_at, ends_at, factor, kind.says)
    )


_ROLES = {
    "runaway": ("production", 0.8),
    "leaked-key": ("developer", 0.5),
    "slow-leak": ("production", 0.9),
    "cache-regression": ("production", 1.0),
    "model-switch": ("production", 0.7),
    "silence": ("production", 0.6),
    "launch": ("production", 0.5),
    "spike": ("business", 0.3),
}


def _next_time(moment: datetime, *, hour: int, minute: int) -> datetime:
    candidate = from_seconds(seconds(moment)).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return candidate if candidate >= moment else candidate + timedelta(days=1)


def _holiday(cast: _Cast, span: tuple[float, float], factor: float) -> Effect:
    human = {"production", "business", "developer", "console"}
    rows = np.array([row for row, each in enumerate(cast.series) if each.archetype in human], dtype=np.intp)
    return Effect(rows, *span, change=scaling(factor))


def _effect(
    cast: _Cast, event: EventSpec, main: Series, span: tuple[float, float], factor: float
) -> tuple[Effect | None, Twin | None]:
    kind = event.kind
    key_id = main.api_key_id or ""
    rows = cast.rows(key_id)
    if kind == "runaway":
        return Effect(rows, *span, extra=factor - 1), None
    if kind == "slow-leak":
        return Effect(rows, *span, change=scaling(1 + factor), ramp=True), None
    if kind == "cache-regression":
        return Effect(rows, *span, change=uncaching()), None
    if kind == "leaked-key":
        return None, Twin(_thief(main, factor), *span)
    if kind == "model-switch":
        dearer = event.model or ("claude-opus-4-8" if main.model == "claude-opus-5" else "claude-opus-5")
        moved = np.array([row for row in rows if cast.series[row].model == main.model], dtype=np.intp)
        geo = "us" if main.terms.inference_geo == "us" else "global"
        terms = replace(main.terms, inference_geo=geo, long_share=Terms().long_share, speed="standard")
        twin = replace(main, model=dearer, terms=terms)
        return Effect(moved, *span, change=scaling(0.0)), Twin(twin, *span)
    if kind == "launch":
        rows = np.array(
            [
                row
                for row, each in enumerate(cast.series)
                if each.workspace_id == main.workspace_id and each.archetype == "production"
            ],
            dtype=np.intp,
        )
    return Effect(rows if len(rows) else cast.rows(key_id), *span, change=scaling(factor)), None


def _thief(main: Series, usd_per_hour: float) -> Series:
    """Someone else's use of the key: Opus, day and night alike, without a cache."""
    return replace(
        main,
        model="claude-opus-5-5",
        terms=Terms(inference_geo="global"),
        archetype="steady",
        usd_per_month=usd_per_hour * HOURS_A_MONTH,
        growth=1.0,
        offset=0,
        web_rate=0.0,
        prompt=1800.0,
        output=1500.0,
        read=0.0,
        shape=8.0,
    )
