"""Every metric, in one place, on a registry of its own.

What the judgement found (spend, budgets, alerts, watermarks) is read from each organization's newest `Board` as it is
scraped, so a scrape sees one cycle's figures and never half of two. What happens (requests, cycles, deliveries) is
counted as it happens. Money is a gauge, since it is restated and starts again each month. Ids are labels; names are
not.
"""

from __future__ import annotations

import heapq
from collections import Counter as Counts
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from prometheus_client import CollectorRegistry, Counter, Info, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from notifiers.text import clean
from rules.budgets import Line
from rules.model import Alert, AnomalyEvidence, Reason, Scope, SourceState, State
from rules.money import NANO_PER_USD
from watcher import __version__
from watcher.actions.standing import ShutoffStanding, shutoff_gauges
from watcher.overview import KEPT, Overview, with_silence
from watcher.status import Standing
from watcher.tally import Counted, Tally

LONGEST_NAME = 80
MORE = ("model_family", "service_tier", "user", "tag")
"""Labels that a series has only where they are set: so those that were there before them stay the same series."""
PLACES = ("workspace", "api_key", "model", *MORE)
"""The labels that say what a budget or an anomaly is about."""
KINDS = ("budget", "forecast", "burn", "pace", "anomaly", "source", "drift", "price")


@dataclass(frozen=True, slots=True)
class Board:
    """What the newest cycle of one organization left to be shown."""

    organization: str = ""
    """Its id; what the configuration calls it as long as that is not known."""
    label: str = ""
    overview: Overview | None = None
    alerts: tuple[Alert, ...] = ()
    sources: tuple[SourceState, ...] = ()
    last_success: datetime | None = None
    """When the last cycle ended in which no source was failing."""
    shutoff: ShutoffStanding | None = None
    """None where the configuration has no [shutoff]."""


REASONS = tuple(reason for reason in Reason if reason is not Reason.TEST)


class Metrics:
    """The program's figures for Prometheus."""

    def __init__(self, receivers: Sequence[str] = (), sources: Sequence[str] = ()) -> None:
        """Make every labelled child now, so that a rate over its first event is not lost."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's own function is not annotated
        self.registry = CollectorRegistry()
        self.boards: Mapping[str, Board] = {}
        """One for each organization, by what the configuration calls it; replaced whole, never changed."""
        self.waiting: tuple[tuple[str, int], ...] = ()
        """How many messages wait, by receiver; it falls between cycles too."""
        self.sources = tuple(sources)
        self._tallies: dict[str, Tally] = {}
        registry = self.registry
        Info("watcher_build", "The version that runs.", registry=registry).info({"version": __version__})
        self.deliveries = Counter(
            "watcher_notifications_total",
            "Messages that a receiver accepted, by why they were sent.",
            ["receiver", "reason"],
            registry=registry,
        )
        self.delivery_failures = Counter(
            "watcher_notification_failures_total", "Tries of a message that failed.", ["receiver"], registry=registry
        )
        self.clock_jumps = Counter(
            "watcher_clock_jumps_total", "Times that the machine's clock was set.", registry=registry
        )
        self.reload_failures = Counter(
            "watcher_config_reload_failures_total", "Reloads of the configuration that were refused.", registry=registry
        )
        self.expect_receivers(receivers)
        self.counted = Counted(registry)
        registry.register(_BoardCollector(self))

    def tally(self, label: str, organization: str | None = None) -> Tally:
        """Where the events of one organization are counted; `organization` is its id, if that is known."""
        tally = self._tallies.get(label)
        if tally is None:
            tally = self._tallies[label] = Tally(self.counted, self.sources, label)
        if organization is not None:
            tally.belongs_to(organization)
        return tally

    def expect_receivers(self, receivers: Iterable[str]) -> None:
        """Make the children of these receivers, at nothing."""
        for receiver in receivers:
            for reason in REASONS:
                self.deliveries.labels(receiver, reason.value)
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


def left_over(standing: Standing) -> Board:
    """What an earlier run, or an earlier configuration, left to be shown of an organization."""
    return Board(
        standing.organization or standing.label,
        standing.label,
        standing.overview,
        standing.alerts,
        standing.sources,
        standing.last_success_at,
        standing.shutoff,
    )


class _BoardCollector(Collector):
    """Turns the newest boards into gauges at the moment of a scrape."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[GaugeMetricFamily]:
        merged: dict[str, GaugeMetricFamily] = {}
        for board in self._metrics.boards.values() or (None,):
            for family in _families(board):
                if family.name in merged:
                    merged[family.name].samples += family.samples
                else:
                    merged[family.name] = family
        yield from merged.values()
        waiting = [((receiver,), float(count)) for receiver, count in self._metrics.waiting]
        yield _gauge("watcher_outbox_messages", "Messages that wait for delivery.", ("receiver",), waiting)


def _families(board: Board | None) -> Iterator[GaugeMetricFamily]:
    """The gauges of one organization; without one, the same families with nothing in them."""
    overview = board.overview if board else None
    called = [((board.organization, board.label, clean(_name(board), LONGEST_NAME)), 1.0)] if board else []
    yield _gauge(
        "watcher_organization_info", "What an organization is called.", ("organization", "label", "name"), called
    )
    yield from _spend(overview)
    yield from _budgets(overview)
    yield from _drift(overview)
    yield from _alerts(board)
    yield from _sources(board)
    yield from (_gauge(*each) for each in shutoff_gauges(*_shutoff_of(board), known=board is not None))


def _shutoff_of(board: Board | None) -> tuple[str, ShutoffStanding | None]:
    return (board.organization, board.shutoff) if board else ("", None)


def _name(board: Board) -> str:
    return board.overview.organization_name if board.overview else board.label or board.organization


def _gauge(
    name: str, text: str, labels: Sequence[str], rows: Iterable[tuple[Sequence[str], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, figure in rows:
        told = {label: _writable(value) for label, value in zip(labels, values, strict=True)}
        family.add_sample(name, {label: value for label, value in told.items() if value or label not in MORE}, figure)
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
    labels = ("organization", "budget", *PLACES)
    keys = [(line.scope.organization, line.budget, *_places(line.scope)) for line in lines]
    pairs = list(zip(keys, lines, strict=True))
    for unit, per_one in (("usd", NANO_PER_USD), ("tokens", 1), ("requests", 1)):
        counted = [(key, line) for key, line in pairs if line.measure.unit == unit]
        limits = [(key, line.limit / per_one) for key, line in counted if line.limit is not None]
        yield _gauge(f"watcher_budget_limit_{unit}", "A budget's limit.", labels, limits)
        yield _gauge(
            f"watcher_budget_spent_{unit}",
            "What counts against a budget in its present period.",
            labels,
            [(key, line.spent / per_one) for key, line in counted],
        )
    yield _gauge(
        "watcher_budget_ratio",
        "Spend over limit in the present period; 1 is the limit.",
        labels,
        [(key, line.used) for key, line in pairs if line.used is not None],
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
    for line in sorted(lines, key=lambda line: -1.0 if line.used is None else line.used, reverse=True):
        if counts[line.budget] < KEPT:
            counts[line.budget] += 1
            found.append(line)
    return found


def _alerts(board: Board | None) -> Iterator[GaugeMetricFamily]:
    alerts = board.alerts if board else ()
    organization = board.organization if board else ""
    counts = {(organization, kind, state.value): 0 for kind in KINDS for state in (State.PENDING, State.FIRING)}
    for alert in alerts:
        place = (organization, alert.subject.kind, alert.state.value)
        counts[place] = counts.get(place, 0) + 1
    counted = counts.items() if board else ()
    yield _gauge("watcher_alerts", "Open alerts by kind and state.", ("organization", "kind", "state"), counted)
    held = sum(alert.silenced is not None and alert.state is State.FIRING for alert in alerts)
    silences = board.overview.silences if board and board.overview else 0
    for name, text, figure in (
        ("watcher_silences", "Silences in force.", silences),
        ("watcher_alerts_silenced", "Firing alerts that a silence holds back.", held),
    ):
        yield _gauge(name, text, ("organization",), [((organization,), float(figure))] if board else [])
    labels = ("organization", "rule", *PLACES)
    firing = [
        (
            (alert.subject.scope.organization, alert.subject.rule, *_places(alert.subject.scope)),
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


def _places(scope: Scope) -> tuple[str, ...]:
    """The parts of a scope by the labels of `PLACES`."""
    tags = ",".join(f"{key}={value}" for key, value in scope.tags)
    parts = scope.parts()
    return (*(parts.get(label, "") for label in PLACES[:-1]), tags)


def _sources(board: Board | None) -> Iterator[GaugeMetricFamily]:
    overview = board.overview if board else None
    organization = board.organization if board else ""
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
    sources = with_silence(board.sources, overview) if board else ()
    for name, text, attribute in figures:
        moments = [(source.source, getattr(source, attribute)) for source in sources]
        rows = [((organization, source), moment.timestamp()) for source, moment in moments if moment]
        yield _gauge(name, text, ("organization", "source"), rows)
    label = ("organization",)
    observed = [((organization,), overview.data_as_of.timestamp())] if overview else []
    yield _gauge("watcher_data_as_of_timestamp_seconds", "When the newest usage was read.", label, observed)
    success = [((organization,), board.last_success.timestamp())] if board and board.last_success else []
    yield _gauge(
        "watcher_last_cycle_success_timestamp_seconds",
        "When the last cycle ended in which no source was failing.",
        label,
        success,
    )
