"""From a path to settings: read, expand, check everything, and only then say what is wrong with all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rules.drift import DriftRule
from rules.model import Route
from rules.prices import PriceRule
from watcher.config.document import read_document
from watcher.config.durations import write_duration
from watcher.config.expansion import expand
from watcher.config.history import warn_of_short_history
from watcher.config.naming import check_names, warn_of_gaps
from watcher.config.organizations import read_organizations, warn_of_confusion
from watcher.config.owner_tables import warn_of_owners
from watcher.config.problems import InvalidConfig, Problem
from watcher.config.sections import Sections
from watcher.config.shape import Tables, tables_of
from watcher.config.shutoff import read_shutoff, with_action_key
from watcher.settings import MetricsSettings, Settings


def load(path: Path, env: Mapping[str, str]) -> Settings:
    """The settings that the TOML file at `path` gives, with variables from `env`.

    Reads the file, and the files that it names for secrets and certificates; asks nobody else. Raises InvalidConfig
    with all problems at once, and nothing else, whatever the file holds.
    """
    path = _absolute(path)
    document, unexpanded = expand(read_document(path), env)
    tables, misshapen = tables_of(document)
    sections = Sections(path)
    settings = _build(path, tables, sections)
    # A text that could not be expanded is empty by now, and what is wrong with an empty text is not what to mend;
    # nor is what a table lacks that is no table.
    told = {problem.place for problem in unexpanded}
    found = [*sections.problems, *check_names(tables)]
    news = [one for one in found if one.place not in told and one.place.split(".")[0] not in tables.unreadable]
    problems = unexpanded + misshapen + news
    if problems or settings is None:
        raise InvalidConfig(path, problems)
    return settings


def _absolute(path: Path) -> Path:
    try:
        return path.absolute()
    except OSError as error:
        problem = Problem("the current folder", f"cannot be read: {error.strerror}")
        raise InvalidConfig(path, [problem]) from None


def _build(path: Path, tables: Tables, sections: Sections) -> Settings | None:
    """The settings, or None if something is wrong; every section is read either way."""
    single, several = tables.single, tables.several
    organizations = read_organizations(tables, sections)
    store = sections.store(single.get("store", {}))
    http = sections.http(single.get("http", {}))
    metrics = sections.metrics(single.get("metrics", {}))
    poll = sections.poll(single.get("poll", {}))
    drift = sections.reconciliation(single.get("reconciliation", {}))
    price_rule = sections.price_changes(single.get("price_changes", {}))
    heartbeat = sections.heartbeat(single["heartbeat"]) if "heartbeat" in single else None
    budgets = [sections.budget(raw, f"budget[{index}]") for index, raw in enumerate(several["budget"])]
    anomalies = [sections.anomaly(raw, f"anomaly[{index}]") for index, raw in enumerate(several["anomaly"])]
    events = [sections.event(raw, f"event[{index}]") for index, raw in enumerate(several["event"])]
    told = [sections.digest(raw, f"digest[{n}]", several["receiver"]) for n, raw in enumerate(several["digest"])]
    prices = [sections.price(raw, f"price[{index}]") for index, raw in enumerate(several["price"])]
    owners = [sections.owner(raw, f"owner[{index}]") for index, raw in enumerate(several["owner"])]
    receivers = [sections.receiver(raw, f"receiver[{index}]") for index, raw in enumerate(several["receiver"])]
    intervals = sections.intervals(several["time_interval"])
    ways = sections.routes(several["route"], intervals)
    shutoff = read_shutoff(tables, sections, intervals, store, (budgets, anomalies))
    if store is not None and poll is not None and poll.backfill > store.keep:
        kept = write_duration(store.keep)
        sections.problems.append(
            Problem("poll.backfill", f"must not reach back further than is kept (store.keep is {kept})")
        )
    if sections.problems or organizations is None or store is None or http is None or poll is None:
        return None
    sections.twins.warn_if_readable()
    rules = [budget for budget in budgets if budget is not None], [rule for rule in anomalies if rule is not None]
    return Settings(
        path=path,
        organizations=with_action_key(organizations, shutoff),
        store=store,
        http=http,
        metrics=metrics or MetricsSettings(),
        poll=poll,
        budgets=tuple(rules[0]),
        anomalies=tuple(rules[1]),
        drift=drift or DriftRule(),
        price_changes=price_rule or PriceRule(),
        prices=tuple(price for price in prices if price is not None),
        events=tuple(event for event in events if event is not None),
        digests=tuple(digest for digest in told if digest is not None),
        receivers=tuple(receiver for receiver in receivers if receiver is not None),
        routes=ways,
        owners=tuple(owner for owner in owners if owner is not None),
        heartbeat=heartbeat,
        shutoff=None if shutoff is None else shutoff[0],
        warnings=(
            *sections.warnings,
            *warn_of_gaps(tables),
            *_about_routes(ways),
            *warn_of_owners([owner for owner in owners if owner is not None]),
            *warn_of_short_history(rules[0], poll, store),
            *warn_of_confusion(organizations, *rules),
        ),
    )


def _about_routes(routes: Sequence[Route]) -> list[str]:
    if not any(route.match or route.goes_on is not None or route.routes for route in routes):
        return []
    from watcher.config.route_words import warn_of_routes  # noqa: PLC0415 (only a few configurations need it)

    return warn_of_routes(routes)
