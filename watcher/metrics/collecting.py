"""From the newest figures of an organization to samples, at the moment of a scrape.

Series are bounded: of each dimension the dearest have rows of their own and the rest is one, and of budgets and firing
anomalies those that matter most are shown.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime, time

from prometheus_client.core import GaugeMetricFamily

from notifiers.text import clean
from rules.actions import Action, ActionState
from rules.budgets import Line
from rules.model import Alert, AnomalyEvidence, Scope, State
from rules.money import NANO_PER_USD
from rules.policy import MODES
from watcher.metrics import declared
from watcher.metrics.board import Board
from watcher.metrics.declared import MORE, Metric
from watcher.overview import OTHER, Overview, Spent, with_silence
from watcher.settings import MetricsSettings

LONGEST_NAME = 80
PLACES = (*declared.PLACES, *MORE)
KINDS = ("budget", "forecast", "burn", "pace", "anomaly", "source", "drift", "price")

_ADDED = tuple(field.name for field in fields(Spent) if field.name not in {"level", "id", "name"})


def families(board: Board | None, shown: MetricsSettings) -> Iterator[GaugeMetricFamily]:
    """The gauges of one organization; without one, the same families with nothing in them."""
    overview = board.overview if board else None
    called = [((board.organization, board.label, clean(_name(board), LONGEST_NAME)), 1.0)] if board else []
    yield gauge(declared.ORGANIZATION, called)
    rows = _rows(overview, shown)
    lines = _nearest(overview.budgets, shown.top) if overview else []
    anomalies = _anomalies(board, shown.top)
    decisions = board.shutoff.newest[: shown.top] if board and board.shutoff else ()
    yield from _spend(overview, rows)
    yield gauge(declared.NAME, _names(overview, rows, lines, anomalies, decisions))
    yield from _budgets(lines)
    yield from _prices(overview, shown.top)
    yield from _alerts(board, anomalies)
    yield from _shutoff(board)
    yield gauge(declared.ACTION_TIME, _decided(decisions))
    yield from _sources(board)


def gauge(metric: Metric, rows: Iterable[tuple[Sequence[str], float]]) -> GaugeMetricFamily:
    """A family with its samples: the labels' values and the figure of each."""
    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels, unit=metric.unit)
    labels = (*metric.labels, *metric.optional)
    for values, figure in rows:
        told = {label: _writable(value) for label, value in zip(labels, values, strict=True)}
        family.add_sample(
            metric.name, {label: value for label, value in told.items() if value or label not in MORE}, figure
        )
    return family


def _name(board: Board) -> str:
    return board.overview.organization_name if board.overview else board.label or board.organization


def _writable(label: str) -> str:
    """A label as UTF-8 can write it: one lone surrogate would cost the whole scrape."""
    return label.encode("utf-8", "replace").decode()


# ------------------------------------------------------------------------------------------ spend and tokens


def _rows(overview: Overview | None, shown: MetricsSettings) -> list[Spent]:
    """The organization's row, and of each dimension shown the dearest ones and the rest."""
    spent = overview.spent if overview else ()
    rows = [row for row in spent if row.level == "organization"]
    for level in shown.per:
        of_level = [row for row in spent if row.level == level]
        most = len(of_level) if level == "api_key" and shown.every_key else shown.top
        own = [row for row in of_level if row.id != OTHER]
        rows += own[:most]
        if rest := own[most:] + [row for row in of_level if row.id == OTHER]:
            sums = {name: sum(getattr(row, name) for row in rest) for name in _ADDED}
            rows.append(Spent(level, OTHER, "other", **sums))
    return rows


def _spend(overview: Overview | None, rows: Sequence[Spent]) -> Iterator[GaugeMetricFamily]:
    organization = overview.organization if overview else ""
    keys = [(organization, row.level, row.id) for row in rows]
    both = list(zip(keys, rows, strict=True))
    spent = [
        ((*key, window), nano / NANO_PER_USD)
        for key, row in both
        for window, nano in (("today", row.today), ("month", row.month))
    ]
    yield gauge(declared.SPEND, spent)
    yield gauge(declared.SETTLED, [(key, row.month_settled / NANO_PER_USD) for key, row in both])
    tokens = [
        ((*key, window), float(count))
        for key, row in both
        for window, count in (("today", row.tokens_today), ("month", row.tokens_month))
    ]
    yield gauge(declared.TOKENS, tokens)
    kinds = [
        ((organization, used.kind, window), float(count))
        for used in (overview.tokens if overview else ())
        for window, count in (("today", used.today), ("month", used.month))
    ]
    yield gauge(declared.KIND_TOKENS, kinds)


def _names(
    overview: Overview | None,
    rows: Sequence[Spent],
    lines: Sequence[Line],
    anomalies: Sequence[Alert],
    decisions: Sequence[Action],
) -> list[tuple[Sequence[str], float]]:
    """The name of each id that a series of this scrape has as a label."""
    organization = overview.organization if overview else ""
    names = {(row.level, row.id): row.name for row in rows}
    for line in lines:
        if len(parts := line.scope.parts()) == 1:
            names.setdefault(next(iter(parts.items())), line.label)
    for alert in anomalies:
        for level, ident in alert.subject.scope.parts().items():
            if ident in alert.names:
                names.setdefault((level, ident), alert.names[ident])
    for row in decisions:
        names.setdefault(("api_key", row.key), row.key_name)
    return [((organization, level, ident, clean(name, LONGEST_NAME)), 1.0) for (level, ident), name in names.items()]


# ------------------------------------------------------------------------------------------ budgets


def _nearest(lines: Sequence[Line], most: int) -> list[Line]:
    """Of each budget the line nearest to its limit, and of all others the `most` nearest."""
    first: list[Line] = []
    rest: list[Line] = []
    seen: set[str] = set()
    for line in sorted(lines, key=lambda line: -1.0 if line.used is None else line.used, reverse=True):
        (rest if line.budget in seen else first).append(line)
        seen.add(line.budget)
    return first + rest[:most]


def _budgets(lines: Sequence[Line]) -> Iterator[GaugeMetricFamily]:
    keys = [(line.scope.organization, line.budget, *_places(line.scope)) for line in lines]
    pairs = list(zip(keys, lines, strict=True))
    for unit, limit in declared.BUDGET_LIMIT.items():
        per_one = NANO_PER_USD if unit == "usd" else 1
        counted = [(key, line) for key, line in pairs if line.measure.unit == unit]
        yield gauge(limit, [(key, line.limit / per_one) for key, line in counted if line.limit is not None])
        yield gauge(declared.BUDGET_SPENT[unit], [(key, line.spent / per_one) for key, line in counted])
        expected = [(key, line.forecast.total / per_one) for key, line in counted if line.forecast is not None]
        yield gauge(declared.BUDGET_FORECAST[unit], expected)
    yield gauge(declared.BUDGET_RATIO, [(key, line.used) for key, line in pairs if line.used is not None])
    yield gauge(declared.BUDGET_BURN, [(key, line.burn) for key, line in pairs if line.burn is not None])


def _places(scope: Scope) -> tuple[str, ...]:
    """The parts of a scope by the labels of `PLACES`."""
    tags = ",".join(f"{key}={value}" for key, value in scope.tags)
    parts = scope.parts()
    return (*(parts.get(label, "") for label in PLACES[:-1]), tags)


# ------------------------------------------------------------------------------------------ prices


def _prices(overview: Overview | None, most: int) -> Iterator[GaugeMetricFamily]:
    figures = overview.drift if overview else None
    organization = overview.organization if overview else ""
    whole = [row for row in figures.rows if row.model is None] if figures else []
    models = [row for row in figures.rows if row.model is not None][:most] if figures else []
    pairs = [
        ((organization, *(("organization", organization) if row.model is None else ("model", row.model))), row)
        for row in (*whole, *models)
    ]
    yield gauge(declared.DRIFT, [(key, row.drift / NANO_PER_USD) for key, row in pairs])
    yield gauge(declared.DRIFT_RATIO, [(key, row.ratio) for key, row in pairs])
    days = [((organization,), datetime.combine(figures.day, time(), UTC).timestamp())] if figures else []
    yield gauge(declared.DRIFT_DAY, days)
    yield gauge(declared.UNPRICED, [((organization,), float(len(overview.unpriced)))] if overview else [])


# ------------------------------------------------------------------------------------------ alerts


def _anomalies(board: Board | None, most: int) -> list[Alert]:
    """The dearest anomalies that fire."""
    firing = [
        (alert.evidence.per_hour, number, alert)
        for number, alert in enumerate(board.alerts if board else ())
        if alert.state is State.FIRING and isinstance(alert.evidence, AnomalyEvidence)
    ]
    return [alert for _, _, alert in heapq.nlargest(most, firing)]


def _alerts(board: Board | None, anomalies: Sequence[Alert]) -> Iterator[GaugeMetricFamily]:
    alerts = board.alerts if board else ()
    organization = board.organization if board else ""
    counts = {(organization, kind, state.value): 0.0 for kind in KINDS for state in (State.PENDING, State.FIRING)}
    for alert in alerts:
        place = (organization, alert.subject.kind, alert.state.value)
        counts[place] = counts.get(place, 0.0) + 1
    yield gauge(declared.ALERTS, counts.items() if board else ())
    held = sum(alert.silenced is not None and alert.state is State.FIRING for alert in alerts)
    silences = board.overview.silences if board and board.overview else 0
    for metric, figure in ((declared.SILENCES, silences), (declared.ALERTS_SILENCED, held)):
        yield gauge(metric, [((organization,), float(figure))] if board else [])
    firing = [
        ((alert.subject.scope.organization, alert.subject.rule, *_places(alert.subject.scope)), alert.evidence)
        for alert in anomalies
        if isinstance(alert.evidence, AnomalyEvidence)
    ]
    for metric, attribute in (
        (declared.ANOMALY_OBSERVED, "per_hour"),
        (declared.ANOMALY_EXPECTED, "normal_per_hour"),
        (declared.ANOMALY_UPPER, "upper_per_hour"),
    ):
        yield gauge(metric, [(key, getattr(evidence, attribute) / NANO_PER_USD) for key, evidence in firing])


# ------------------------------------------------------------------------------------------ actions


def _shutoff(board: Board | None) -> Iterator[GaugeMetricFamily]:
    found = board.shutoff if board else None
    mode, held, counts = (found.mode, bool(found.held), found.counts) if found else ("off", False, {})
    own = (board.organization,) if board else ()
    yield gauge(declared.SHUTOFF_MODE, [((*own, each), float(each == mode)) for each in MODES] if own else [])
    yield gauge(declared.SHUTOFF_PAUSED, [(own, float(held))] if own else [])
    states = [((*own, state.value), float(counts.get(state, 0))) for state in ActionState] if own else []
    yield gauge(declared.ACTIONS, states)


def _decided(decisions: Sequence[Action]) -> list[tuple[Sequence[str], float]]:
    """When each came into its state; of two of one key and state the newer."""
    moments: dict[tuple[str, ...], float] = {}
    for row in decisions:
        place = (row.organization, row.key, row.what, row.mode, row.state.value)
        moments.setdefault(place, row.reached_at.timestamp())
    return list(moments.items())


# ------------------------------------------------------------------------------------------ data


def _sources(board: Board | None) -> Iterator[GaugeMetricFamily]:
    overview = board.overview if board else None
    organization = board.organization if board else ""
    sources = with_silence(board.sources, overview) if board else ()
    for metric, attribute in (
        (declared.WATERMARK, "watermark"),
        (declared.SOURCE_SUCCESS, "last_success_at"),
        (declared.SOURCE_FAILING, "failing_since"),
        (declared.SOURCE_STALLED, "stalled_since"),
    ):
        moments = [(source.source, getattr(source, attribute)) for source in sources]
        yield gauge(metric, [((organization, source), moment.timestamp()) for source, moment in moments if moment])
    yield gauge(declared.DATA_AS_OF, [((organization,), overview.data_as_of.timestamp())] if overview else [])
    success = [((organization,), board.last_success.timestamp())] if board and board.last_success else []
    yield gauge(declared.LAST_SUCCESS, success)
