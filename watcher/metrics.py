"""Every metric, in one place, on a registry of its own.

What the judgement found (spend, budgets, alerts, watermarks) is read from the newest `Board` as it is scraped, so a
scrape sees one cycle's figures and never half of two. What happens (requests, cycles, deliveries) is counted as it
happens. Money is a gauge, since it is restated and starts again each month. Ids are labels; names are not.
"""

from __future__ import annotations

import heapq
from collections import Counter as Counts
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from notifiers.text import clean
from rules.budgets import Line
from rules.model import Alert, AnomalyEvidence, SourceState, State
from rules.money import NANO_PER_USD
from watcher import __version__
from watcher.overview import KEPT, Overview, with_silence

LONGEST_NAME = 80
KINDS = ("budget", "anomaly", "source", "drift")
FAILURES = ("rate_limited", "server_error", "timeout", "connection", "malformed", "refused")


@dataclass(frozen=True, slots=True)
class Board:
    """What the newest cycle left to be shown."""

    overview: Overview | None = None
    alerts: tuple[Alert, ...] = ()
    sources: tuple[SourceState, ...] = ()
    last_success: datetime | None = None
    """When the last cycle ended in which no source was failing."""


class Metrics:
    """The program's figures for Prometheus."""

    def __init__(self, receivers: Sequence[str] = (), sources: Sequence[str] = ()) -> None:
        """Make every labelled child now, so that a rate over its first event is not lost."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's own function is not annotated
        self.registry = CollectorRegistry()
        self.board = Board()
        self.waiting: tuple[tuple[str, int], ...] = ()
        """How many messages wait, by receiver; it falls between cycles too."""
        registry = self.registry
        Info("watcher_build", "The version that runs.", registry=registry).info({"version": __version__})
        self.cycles = Counter("watcher_cycles_total", "Cycles begun.", registry=registry)
        self.cycle_failures = Counter(
            "watcher_cycle_failures_total", "Cycles that ended early, or with a source failing.", registry=registry
        )
        self.cycle_seconds = Histogram(
            "watcher_cycle_duration_seconds",
            "How long a cycle took.",
            buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300),
            registry=registry,
        )
        self.polls = Counter("watcher_polls_total", "Readings of a source begun.", ["source"], registry=registry)
        self.poll_failures = Counter(
            "watcher_poll_failures_total", "Readings of a source that failed.", ["source"], registry=registry
        )
        self.requests = Counter("watcher_api_requests_total", "Requests sent to the Admin API.", registry=registry)
        self.request_failures = Counter(
            "watcher_api_request_failures_total",
            "Requests to the Admin API that failed, by reason.",
            ["reason"],
            registry=registry,
        )
        self.request_seconds = Histogram(
            "watcher_api_request_duration_seconds",
            "How long the Admin API took to answer.",
            buckets=(0.1, 0.3, 1, 3, 10, 30),
            registry=registry,
        )
        self.deliveries = Counter(
            "watcher_notifications_total", "Messages that a receiver accepted.", ["receiver"], registry=registry
        )
        self.delivery_failures = Counter(
            "watcher_notification_failures_total", "Tries of a message that failed.", ["receiver"], registry=registry
        )
        self.clock_jumps = Counter(
            "watcher_clock_jumps_total", "Times that the machine's clock was set.", registry=registry
        )
        self.shrinkings = Counter(
            "watcher_usage_shrinkings_total", "Times that an hour's usage was re-read smaller.", registry=registry
        )
        self.reload_failures = Counter(
            "watcher_config_reload_failures_total", "Reloads of the configuration that were refused.", registry=registry
        )
        self.in_cycle = Gauge("watcher_cycle_running", "1 while a cycle runs.", registry=registry)
        self.expect_receivers(receivers)
        for source in sources:
            self.polls.labels(source)
            self.poll_failures.labels(source)
        for reason in FAILURES:
            self.request_failures.labels(reason)
        registry.register(_BoardCollector(self))

    def expect_receivers(self, receivers: Iterable[str]) -> None:
        """Make the children of these receivers, at nothing."""
        for receiver in receivers:
            self.deliveries.labels(receiver)
            self.delivery_failures.labels(receiver)

    def render(self, accept: str) -> tuple[bytes, str]:
        """The exposition in the format that the scraper's Accept header asks for, and its content type.

        A header that asks for no version there is gets the plain text format.
        """
        try:
            encoder, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # the library compares the parts of a version, whatever they are
            encoder, content_type = choose_encoder("")
        return encoder(self.registry), content_type

    def request(self, outcome: str, seconds: float) -> None:
        """Count one request to the Admin API; any outcome but "ok" is a failure."""
        self.requests.inc()
        self.request_seconds.observe(seconds)
        if outcome != "ok":
            self.request_failures.labels(outcome).inc()


class _BoardCollector(Collector):
    """Turns the newest board into gauges at the moment of a scrape."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[GaugeMetricFamily]:
        metrics = self._metrics
        board = metrics.board
        yield from _spend(board.overview)
        yield from _budgets(board.overview)
        yield from _drift(board.overview)
        yield from _alerts(board.alerts)
        yield from _sources(board)
        waiting = [((receiver,), float(count)) for receiver, count in metrics.waiting]
        yield _gauge("watcher_outbox_messages", "Messages that wait for delivery.", ("receiver",), waiting)


def _gauge(
    name: str, text: str, labels: Sequence[str], rows: Iterable[tuple[Sequence[str], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, figure in rows:
        family.add_metric([_writable(value) for value in values], figure)
    return family


def _writable(label: str) -> str:
    """A label as UTF-8 can write it: one lone surrogate would cost the whole scrape."""
    return label.encode("utf-8", "replace").decode()


def _spend(overview: Overview | None) -> Iterator[GaugeMetricFamily]:
    spent = overview.spent if overview else ()
    organization = overview.organization if overview else ""
    labels = ("organization", "scope", "id", "window")
    rows = [
        ((organization, row.level, row.id, window), figure / NANO_PER_USD)
        for row in spent
        for window, figure in (("today", row.today), ("month", row.month))
    ]
    yield _gauge("watcher_spend_usd", "Spend of a scope today and this month (UTC), open hour included.", labels, rows)
    settled = [((organization, row.level, row.id), row.month_settled / NANO_PER_USD) for row in spent]
    yield _gauge("watcher_settled_usd", "The part of this month's spend that is settled.", labels[:3], settled)
    named = [((organization, row.level, row.id, clean(row.name, LONGEST_NAME)), 1.0) for row in spent]
    yield _gauge("watcher_name_info", "The name of a scope's id.", (*labels[:3], "name"), named)


def _budgets(overview: Overview | None) -> Iterator[GaugeMetricFamily]:
    lines = _nearest(overview.budgets) if overview else []
    labels = ("organization", "budget", "workspace", "api_key", "model")
    keys = [
        (
            line.scope.organization,
            line.budget,
            line.scope.workspace or "",
            line.scope.api_key or "",
            line.scope.model or "",
        )
        for line in lines
    ]
    pairs = list(zip(keys, lines, strict=True))
    yield _gauge(
        "watcher_budget_limit_usd",
        "A budget's limit.",
        labels,
        [(key, line.limit / NANO_PER_USD) for key, line in pairs],
    )
    yield _gauge(
        "watcher_budget_spent_usd",
        "Spend against a budget in its present period.",
        labels,
        [(key, line.spent / NANO_PER_USD) for key, line in pairs],
    )
    yield _gauge(
        "watcher_budget_ratio",
        "Spend over limit in the present period; 1 is the limit.",
        labels,
        [(key, line.spent / line.limit) for key, line in pairs],
    )


def _drift(overview: Overview | None) -> Iterator[GaugeMetricFamily]:
    figures = overview.drift if overview else None
    organization = overview.organization if overview else ""
    rows = figures.rows if figures else ()
    labels = ("organization", "scope", "id")
    pairs = [
        ((organization, *(("organization", organization) if row.model is None else ("model", row.model))), row)
        for row in rows
    ]
    yield _gauge(
        "watcher_drift_usd",
        "Bill minus estimate of the newest settled day.",
        labels,
        [(key, row.drift / NANO_PER_USD) for key, row in pairs],
    )
    yield _gauge(
        "watcher_drift_ratio",
        "Bill minus estimate over the estimate, of the newest settled day.",
        labels,
        [(key, row.ratio) for key, row in pairs],
    )
    days = [((organization,), datetime.combine(figures.day, time(), UTC).timestamp())] if figures else []
    yield _gauge("watcher_drift_day_timestamp_seconds", "When that day began.", labels[:1], days)


def _nearest(lines: Iterable[Line]) -> list[Line]:
    """Of each budget the `KEPT` lines nearest to their limit, so that a budget for each key stays bounded."""
    found: list[Line] = []
    counts: Counts[str] = Counts()
    for line in sorted(lines, key=lambda line: line.spent / line.limit, reverse=True):
        if counts[line.budget] < KEPT:
            counts[line.budget] += 1
            found.append(line)
    return found


def _alerts(alerts: Sequence[Alert]) -> Iterator[GaugeMetricFamily]:
    counts = {(kind, state.value): 0 for kind in KINDS for state in (State.PENDING, State.FIRING)}
    for alert in alerts:
        counts[alert.subject.kind, alert.state.value] = counts.get((alert.subject.kind, alert.state.value), 0) + 1
    yield _gauge("watcher_alerts", "Alerts that are open, by kind and state.", ("kind", "state"), counts.items())
    labels = ("organization", "rule", "workspace", "api_key", "model")
    firing = [
        (
            (alert.subject.scope.organization, alert.subject.rule, *_places(alert)),
            alert.evidence,
        )
        for alert in alerts
        if alert.state is State.FIRING and isinstance(alert.evidence, AnomalyEvidence)
    ]
    firing = heapq.nlargest(KEPT, firing, key=lambda pair: pair[1].per_hour)
    for name, text, attribute in (
        ("watcher_anomaly_observed_usd", "Spend per hour at present of a firing anomaly.", "per_hour"),
        ("watcher_anomaly_expected_usd", "What the baseline expects per hour of a firing anomaly.", "normal_per_hour"),
    ):
        yield _gauge(
            name, text, labels, [(key, getattr(evidence, attribute) / NANO_PER_USD) for key, evidence in firing]
        )


def _places(alert: Alert) -> tuple[str, str, str]:
    scope = alert.subject.scope
    return (scope.workspace or "", scope.api_key or "", scope.model or "")


def _sources(board: Board) -> Iterator[GaugeMetricFamily]:
    figures = (
        ("watcher_data_watermark_timestamp_seconds", "Everything of a source before this is complete.", "watermark"),
        ("watcher_source_last_success_timestamp_seconds", "When a source was last read whole.", "last_success_at"),
        (
            "watcher_source_failing_since_timestamp_seconds",
            "Since when a source fails; absent if not.",
            "failing_since",
        ),
        ("watcher_source_stalled_since_timestamp_seconds", "Since when a source is suspect.", "stalled_since"),
    )
    sources = with_silence(board.sources, board.overview)
    for name, text, attribute in figures:
        moments = [(source.source, getattr(source, attribute)) for source in sources]
        yield _gauge(name, text, ("source",), [((source,), moment.timestamp()) for source, moment in moments if moment])
    overview = board.overview
    observed = [((), overview.data_as_of.timestamp())] if overview else []
    yield _gauge("watcher_data_as_of_timestamp_seconds", "When the newest usage was read.", (), observed)
    success = [((), board.last_success.timestamp())] if board.last_success else []
    yield _gauge(
        "watcher_last_cycle_success_timestamp_seconds",
        "When the last cycle ended in which no source was failing.",
        (),
        success,
    )
