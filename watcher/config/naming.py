"""What the sections say of each other by name: names are unique, routes lead to receivers, and nobody is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watcher.config.problems import Problem, nearest, shown
from watcher.config.shape import Tables

_MOST_LISTED = 10
_NAMED = ("organization", "budget", "anomaly", "event", "digest", "owner", "receiver", "time_interval")


def check_names(tables: Tables) -> list[Problem]:
    """Names given twice, routes to nobody, and routes that say the same twice. Looks at raw names: rules that are
    wrong otherwise count too."""
    problems = []
    for kind in _NAMED:
        problems += _repeated(kind, "name", tables.several[kind], "is already the name of")
    routes = tables.several["route"]
    problems += _said_twice(routes)
    receivers = [raw.get("name") for raw in tables.several["receiver"]]
    if "receiver" in tables.unreadable or any(not _is_name(name) for name in receivers):
        return problems  # which receivers there are is not known yet: a route may well lead to one of them
    for place, raw in _every(routes, "route"):
        for key in ("receiver", "escalate_to"):
            name = raw.get(key)
            if isinstance(name, str) and name.strip() and name not in receivers:
                problems.append(Problem(f"{place}.{key}", _nobody(name, receivers)))
    for index, raw in enumerate(tables.several["digest"]):
        for name in _receivers_of(raw):
            if name not in receivers:
                problems.append(Problem(f"digest[{index}].receiver", _nobody(name, receivers)))
    return problems


def warn_of_gaps(tables: Tables) -> list[str]:
    """Sentences about a configuration that is valid and yet tells somebody nothing."""
    receivers = [raw.get("name") for raw in tables.several["receiver"]]
    routed = {
        raw.get(key) for _, raw in _every(tables.several["route"], "route") for key in ("receiver", "escalate_to")
    }
    routed |= {name for raw in tables.several["digest"] for name in _receivers_of(raw)}
    warnings = []
    if not tables.several["budget"] and not tables.several["anomaly"]:
        warnings.append("there is no [[budget]] and no [[anomaly]]: spend is recorded, and nothing is judged")
    if tables.several["event"] and not tables.several["anomaly"]:
        warnings.append("there is no [[anomaly]]: an [[event]] widens what these expect, and changes nothing else")
    if not receivers:
        warnings.append("there is no [[receiver]]: alerts show on the status page, and nobody is told")
    warnings += [
        f"receiver[{index}]: no [[route]] names {shown(name)}, so it hears of nothing"
        for index, name in enumerate(receivers)
        if name not in routed
    ]
    return warnings


def _receivers_of(digest: dict[str, Any]) -> list[str]:
    """The receivers that a digest names; what is no name is left out."""
    told = digest.get("receiver")
    return [str(name) for name in (told if isinstance(told, list) else [told]) if _is_name(name)]


def _every(routes: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every route with its place, those inside others too; what is no table is left out."""
    for index, raw in enumerate(routes if isinstance(routes, list) else ()):
        if isinstance(raw, dict):
            yield f"{place}[{index}]", raw
            yield from _every(raw.get("routes"), f"{place}[{index}].routes")


def _nobody(name: str, known: list[Any]) -> str:
    if not known:
        return f"names {shown(name)}, and there is no [[receiver]]: add one of that name"
    guess = nearest(name, known)
    if guess is not None:
        remedy = f"did you mean {shown(known[known.index(guess)])}?"
    else:
        remedy = f"there is {', '.join(shown(one) for one in known[:_MOST_LISTED])}"
    return f"names {shown(name)}, and no receiver has that name; {remedy}"


def _repeated(kind: str, key: str, tables: list[dict[str, Any]], what: str) -> list[Problem]:
    first: dict[str, int] = {}
    problems = []
    for index, raw in enumerate(tables):
        name = raw.get(key)
        if not _is_name(name):
            continue
        earlier = first.setdefault(str(name), index)
        if earlier != index:
            problems.append(
                Problem(f"{kind}[{index}].{key}", f"{shown(name)} {what} {kind}[{earlier}]: each may stand once")
            )
    return problems


def _said_twice(routes: list[dict[str, Any]]) -> list[Problem]:
    """Routes to a receiver with the matchers of an earlier one; several with other matchers are alternatives."""
    first: dict[str, int] = {}
    problems = []
    for index, raw in enumerate(routes):
        receiver, match = raw.get("receiver"), raw.get("match", [])
        if not _is_name(receiver) or not isinstance(match, list):
            continue
        earlier = first.setdefault(repr((str(receiver), sorted(map(str, match)))), index)
        if earlier != index:
            same = "with the same `match`: each" if match else "without `match` too: each receiver"
            told = f"{shown(receiver)} is already the receiver of route[{earlier}], {same} may stand once"
            problems.append(Problem(f"route[{index}].receiver", told))
    return problems


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(name.strip())
