"""The registry that a scrape reads: what is counted as it happens, and what the newest boards say.

What the judgement found (spend, budgets, alerts, watermarks) is read from each organization's newest `Board` as it is
scraped, so a scrape sees one cycle's figures and never half of two. What happens (requests, cycles, deliveries) is
counted as it happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Info, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from rules.model import Reason
from watcher import __version__
from watcher.clock import wall_now
from watcher.metrics import declared
from watcher.metrics.board import Board
from watcher.metrics.collecting import families, gauge
from watcher.metrics.tally import Counted, Tally, counter
from watcher.settings import MetricsSettings

REASONS = tuple(reason for reason in Reason if reason is not Reason.TEST)
OUTCOMES = ("retried", "refused")
"""What comes after a failed try: another one soon, or, where the receiver refused the message, an hourly one."""


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
        self.shown = MetricsSettings()
        """Which series there are."""
        self.now: Callable[[], datetime] = wall_now
        """The clock that the program runs on."""
        self.sources = tuple(sources)
        self._tallies: dict[str, Tally] = {}
        registry = self.registry
        build = declared.BUILD
        Info(build.name.removesuffix("_info"), build.help, registry=registry).info({"version": __version__})
        self._deliveries = counter(declared.NOTIFICATIONS, registry)
        self._delivery_failures = counter(declared.NOTIFICATION_FAILURES, registry)
        self.clock_jumps = counter(declared.CLOCK_JUMPS, registry)
        self.reload_failures = counter(declared.RELOAD_FAILURES, registry)
        self.expect_receivers(receivers)
        self.counted = Counted(registry)
        registry.register(_BoardCollector(self))
        ProcessCollector(registry=registry)

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
                self._deliveries.labels(receiver, reason.value)
            for outcome in OUTCOMES:
                self._delivery_failures.labels(receiver, outcome)

    def delivered(self, receiver: str, reasons: Iterable[Reason], retried: int, refused: int) -> None:
        """Count what came of one round of deliveries to a receiver."""
        for reason in reasons:
            self._deliveries.labels(receiver, reason.value).inc()
        for outcome, failed in zip(OUTCOMES, (retried, refused), strict=True):
            self._delivery_failures.labels(receiver, outcome).inc(failed)

    def render(self, accept: str) -> tuple[bytes, str]:
        """The exposition in the format that the scraper's Accept header asks for, and its content type.

        A header that asks for no version there is gets the plain text format.
        """
        try:
            encoder, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # the library compares the parts of a version, whatever they are
            encoder, content_type = choose_encoder("")
        return encoder(self.registry), content_type


class _BoardCollector(Collector):
    """Turns the newest boards into gauges at the moment of a scrape."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[GaugeMetricFamily]:
        merged: dict[str, GaugeMetricFamily] = {}
        for board in self._metrics.boards.values() or (None,):
            for family in families(board, self._metrics.shown):
                if family.name in merged:
                    merged[family.name].samples += family.samples
                else:
                    merged[family.name] = family
        yield from merged.values()
        waiting = [((receiver,), float(count)) for receiver, count in self._metrics.waiting]
        yield gauge(declared.OUTBOX, waiting)
        yield gauge(declared.TIME, [((), self._metrics.now().timestamp())])
