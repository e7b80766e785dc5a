"""What the sections say of each other by name: names are unique, routes lead to receivers, and nobody is forgotten."""

from __future__ import annotations

from typing import Any

from watcher.config.problems import Problem, did_you_mean, enumerated, shown
from watcher.config.shape import Tables

_NAMED = ("budget", "anomaly", "receiver")


def check_names(tables: Tables) -> list[Problem]:
    """Names given twice, routes to nobody, and routes that say the same twice. Looks at raw names: rules that are
    wrong otherwise count too."""
    problems = []
    for kind in _NAMED:
        problems += _repeated(kind, "name", tables.several[kind], "is already the name of")
    routes = tables.several["route"]
    problems += _repeated("route", "receiver", routes, "is already the receiver of")
    receivers = [raw.get("name") for raw in tables.several["receiver"]]
    if "receiver" in tables.unreadable or any(not _is_name(name) for name in receivers):
        return problems  # which receivers there are is not known yet: a route may well lead to one of them
    known = [str(name) for name in receivers]
    for index, raw in enumerate(routes):
        name = raw.get("receiver")
        if _is_name(name) and name not in known:
            problems.append(Problem(f"route[{index}].receiver", _nobody(str(name), name, known)))
    return problems


def warn_of_gaps(tables: Tables) -> list[str]:
    """Sentences about a configuration that is valid and yet tells somebody nothing."""
    receivers = [str(raw.get("name")) for raw in tables.several["receiver"]]
    routed = {raw.get("receiver") for raw in tables.several["route"]}
    warnings = []
    if not tables.several["budget"] and not tables.several["anomaly"]:
        warnings.append("there is no [[budget]] and no [[anomaly]]: spend is recorded, and nothing is judged")
    if not receivers:
        warnings.append("there is no [[receiver]]: alerts show on the status page, and nobody is told")
    warnings += [
        f"receiver[{index}]: no [[route]] names {shown(name)}, so it hears of nothing"
        for index, name in enumerate(receivers)
        if name not in routed
    ]
    return warnings


def _nobody(name: str, written: Any, known: list[str]) -> str:
    if not known:
        return f"names {shown(written)}, and there is no [[receiver]]: add one of that name"
    guess = did_you_mean(name, known) or f"; there is {enumerated(known, 'and')}"
    return f"names {shown(written)}, and no receiver has that name{guess}"


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


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(name.strip())
