"""What is counted for each organization as it happens: cycles, readings and requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from rules.actions import Action, ActionState
from watcher.metrics import declared
from watcher.metrics.declared import Metric

FAILURES = ("rate_limited", "server_error", "timeout", "connection", "malformed", "refused")
EARLY = 1000
"""Durations kept of an organization whose id is not known yet."""


def counter(metric: Metric, registry: CollectorRegistry) -> Counter:
    """A counter as it is declared."""
    return Counter(metric.name, metric.help, metric.labels, registry=registry)


def _histogram(metric: Metric, registry: CollectorRegistry) -> Histogram:
    return Histogram(
        metric.name, metric.help, metric.labels, unit=metric.unit, buckets=metric.buckets, registry=registry
    )


class Counted:
    """What is counted for each organization as it happens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.cycles = counter(declared.CYCLES, registry)
        self.cycle_failures = counter(declared.CYCLE_FAILURES, registry)
        self.polls = counter(declared.POLLS, registry)
        self.poll_failures = counter(declared.POLL_FAILURES, registry)
        self.requests = counter(declared.API_REQUESTS, registry)
        self.request_failures = counter(declared.API_FAILURES, registry)
        self.shrinkings = counter(declared.SHRINKINGS, registry)
        self.deactivations = counter(declared.DEACTIVATIONS, registry)
        self.reactivations = counter(declared.REACTIVATIONS, registry)
        self.action_failures = counter(declared.ACTION_FAILURES, registry)
        self.cycle_seconds = _histogram(declared.CYCLE_SECONDS, registry)
        self.request_seconds = _histogram(declared.API_SECONDS, registry)
        running = declared.CYCLE_RUNNING
        self.running = Gauge(running.name, running.help, running.labels, registry=registry)

    @property
    def counters(self) -> tuple[Counter, ...]:
        """The counters, each with the organization as its first label."""
        return (
            *(self.cycles, self.cycle_failures, self.polls, self.poll_failures),
            *(self.requests, self.request_failures, self.shrinkings),
            *self.actions,
        )

    @property
    def actions(self) -> tuple[Counter, ...]:
        """The counters of what was done to keys."""
        return self.deactivations, self.reactivations, self.action_failures


class Tally:
    """Counts what happens to one organization, under its id; under its name as long as its key was never asked.

    Once the id is known the counts go over to it, and the durations measured until then are shown.
    """

    def __init__(self, counted: Counted, sources: Sequence[str], name: str) -> None:
        self._counted = counted
        self._sources = sources
        self._name = name
        self._known = False
        self._early: list[tuple[Histogram, float]] = []
        self._begin()

    def belongs_to(self, organization: str) -> None:
        """Take the id for a name from now on."""
        if self._known and self._name == organization:
            return
        before, self._name, self._known = self._name, organization, True
        self._begin()
        if before != organization:
            for counter in self._counted.counters:
                _carry_over(counter, before, organization)
            self._counted.running.remove(before)
        for histogram, seconds in self._early:
            histogram.labels(organization).observe(seconds)
        self._early.clear()

    @contextmanager
    def in_cycle(self) -> Iterator[None]:
        """Count a cycle, which runs as long as the block."""
        self._counted.cycles.labels(self._name).inc()
        with self._counted.running.labels(self._name).track_inprogress():
            yield

    def cycle_ended(self, seconds: float, *, whole: bool) -> None:
        """Note how long the cycle took, and whether no source was failing."""
        self._observe(self._counted.cycle_seconds, seconds)
        if not whole:
            self._counted.cycle_failures.labels(self._name).inc()

    def polled(self, attempted: Iterable[str], failed: Iterable[str], shrunk_hours: int) -> None:
        """Count what a cycle read."""
        for source in attempted:
            self._counted.polls.labels(self._name, source).inc()
        for source in failed:
            self._counted.poll_failures.labels(self._name, source).inc()
        self._counted.shrinkings.labels(self._name).inc(shrunk_hours)

    def acted(self, rows: Iterable[Action]) -> None:
        """Count what ended of the actions on keys that were under way."""
        counted = self._counted
        for row in rows:
            if row.state is ActionState.CONFIRMED:
                done = counted.deactivations if row.what == "deactivate" else counted.reactivations
                done.labels(self._name).inc()
            elif row.state is ActionState.ABANDONED or (row.state is ActionState.REFUSED and row.sent_at is not None):
                counted.action_failures.labels(self._name).inc()

    def request(self, outcome: str, seconds: float) -> None:
        """Count one request to the Admin API; any outcome but "ok" is a failure."""
        self._counted.requests.labels(self._name).inc()
        self._observe(self._counted.request_seconds, seconds)
        if outcome != "ok":
            self._counted.request_failures.labels(self._name, outcome).inc()

    def _observe(self, histogram: Histogram, seconds: float) -> None:
        if self._known:
            histogram.labels(self._name).observe(seconds)
        elif len(self._early) < EARLY:
            self._early.append((histogram, seconds))

    def _begin(self) -> None:
        counted, name = self._counted, self._name
        for counter in (counted.cycles, counted.cycle_failures, counted.requests, counted.shrinkings, *counted.actions):
            counter.labels(name)
        for source in self._sources:
            counted.polls.labels(name, source)
            counted.poll_failures.labels(name, source)
        for reason in FAILURES:
            counted.request_failures.labels(name, reason)
        counted.running.labels(name)
        if self._known:
            counted.cycle_seconds.labels(name)
            counted.request_seconds.labels(name)


def _carry_over(counter: Counter, before: str, organization: str) -> None:
    """Add what was counted under one name to what is counted under another."""
    for family in counter.collect():
        for sample in family.samples:
            name, *others = sample.labels.values()
            if name == before:
                counter.labels(organization, *others).inc(sample.value)
                counter.remove(before, *others)
