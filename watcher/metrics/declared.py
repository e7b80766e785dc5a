"""Every metric that the program has: what it is called, what it means, its labels, and its unit.

Names follow Prometheus: the prefix `watcher_`, base units at the end of a name, `_total` on counters, `_info` on what
only gives names. Money is a gauge, since it is restated and starts again each month. Times are Unix timestamps on the
program's own clock (`watcher_time_seconds`), so that an age is the difference of two of them. Labels are ids; names are
in `watcher_name_info` and `watcher_organization_info` alone. What belongs to an organization has its id as first label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["gauge", "counter", "histogram", "info"]

UNITS = ("usd", "tokens", "requests", "ratio", "seconds")
PLACES = ("workspace", "api_key", "model")
"""The labels that say what a budget or an anomaly is about."""
MORE = ("model_family", "service_tier", "user", "tag")
"""Further ones of a series, where they are set: so those that were there before them stay the same series."""
SCOPE = ("scope", "id")
"""The labels of a part of the spend: "organization" or a dimension, and the id of it."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One family as a scrape shows it. `name` ends as its samples do, in `_total` or `_info` where it is such a one."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Of a histogram: the upper bounds, without the infinite one."""

    @property
    def unit(self) -> str:
        """The unit that the name ends in; "" where it counts things."""
        last = self.name.removesuffix("_total").rpartition("_")[2]
        return last if last in UNITS and self.kind != "counter" else ""

    @property
    def optional(self) -> tuple[str, ...]:
        """Labels that a series has only where they are set."""
        return MORE if self.labels[-len(PLACES) :] == PLACES else ()


METRICS: list[Metric] = []
"""All of them, in the order of this page."""


def _declare(kind: Kind, name: str, text: str, *labels: str, buckets: tuple[float, ...] = ()) -> Metric:
    metric = Metric(f"watcher_{name}", kind, text, labels, buckets)
    METRICS.append(metric)
    return metric


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return _declare("gauge", name, text, *labels)


def _of(name: str, text: str, *labels: str) -> Metric:
    """A gauge of one organization."""
    return _gauge(name, text, "organization", *labels)


def _counter(name: str, text: str, *labels: str) -> Metric:
    return _declare("counter", f"{name}_total", text, *labels)


# ------------------------------------------------------------------------------------------ spend and tokens

SPEND = _of("spend_usd", "Spend of a scope today and this month (UTC), open hour included.", *SCOPE, "window")
SETTLED = _of("settled_usd", "The part of this month's spend that is settled.", *SCOPE)
TOKENS = _of("tokens", "Tokens of every kind of a scope today and this month (UTC).", *SCOPE, "window")
KIND_TOKENS = _of("kind_tokens", "The organization's tokens by kind today and this month (UTC).", "kind", "window")
NAME = _of("name_info", "The name of a scope's id.", *SCOPE, "name")
ORGANIZATION = _of("organization_info", "What an organization is called.", "label", "name")

# ------------------------------------------------------------------------------------------ budgets

BUDGET_LIMIT = {
    unit: _of(f"budget_limit_{unit}", "A budget's limit in its present period.", "budget", *PLACES)
    for unit in ("usd", "tokens", "requests")
}
BUDGET_SPENT = {
    unit: _of(f"budget_spent_{unit}", "What counts against a budget in its present period.", "budget", *PLACES)
    for unit in ("usd", "tokens", "requests")
}
BUDGET_FORECAST = {
    unit: _of(f"budget_forecast_{unit}", "What a budget's present period is expected to end with.", "budget", *PLACES)
    for unit in ("usd", "tokens", "requests")
}
BUDGET_RATIO = _of("budget_ratio", "Spent over limit in the present period; 1 is the limit.", "budget", *PLACES)
BUDGET_BURN = _of(
    "budget_burn_ratio",
    "Rate of the last six complete hours over the even share of the limit; 1 lasts exactly the period.",
    *("budget", *PLACES),
)

# ------------------------------------------------------------------------------------------ anomalies and alerts

ANOMALY_OBSERVED = _of("anomaly_observed_usd", "Spend per hour at present of a firing anomaly.", "rule", *PLACES)
ANOMALY_EXPECTED = _of(
    "anomaly_expected_usd", "What the baseline expects per hour of a firing anomaly.", "rule", *PLACES
)
ANOMALY_UPPER = _of(
    "anomaly_upper_usd", "The most per hour that would still be normal of a firing anomaly.", "rule", *PLACES
)
ALERTS = _of("alerts", "Open alerts by kind and state.", "kind", "state")
ALERTS_SILENCED = _of("alerts_silenced", "Firing alerts that a silence holds back.")
SILENCES = _of("silences", "Silences in force.")

# ------------------------------------------------------------------------------------------ actions

SHUTOFF_MODE = _of("shutoff_mode", "1 for the mode of the shutoff policy.", "mode")
SHUTOFF_PAUSED = _of("shutoff_paused", "1 while every action on keys is held.")
ACTIONS = _of("actions", "Decisions about keys by state.", "state")
ACTION_TIME = _of(
    "action_timestamp_seconds",
    "When a decision about a key came into its state; of the newest ones.",
    *("api_key", "action", "mode", "state"),
)
DEACTIVATIONS = _counter("key_deactivations", "Keys that were turned off, and read back as off.", "organization")
REACTIVATIONS = _counter("key_reactivations", "Keys that were turned on again, and read back as on.", "organization")
ACTION_FAILURES = _counter(
    "key_action_failures",
    "Changes of keys that the API refused, or of which it is not known whether they came.",
    "organization",
)

# ------------------------------------------------------------------------------------------ prices

DRIFT = _of("drift_usd", "Bill minus estimate of the newest settled day.", *SCOPE)
DRIFT_RATIO = _of("drift_ratio", "Bill minus estimate over the estimate, of the newest settled day.", *SCOPE)
DRIFT_DAY = _of("drift_day_timestamp_seconds", "When that day began.")
UNPRICED = _of("unpriced_models", "Models in use whose price is not known, estimated at the dearest of their family.")

# ------------------------------------------------------------------------------------------ data

WATERMARK = _of("data_watermark_timestamp_seconds", "Everything of a source before this is complete.", "source")
DATA_AS_OF = _of("data_as_of_timestamp_seconds", "When the newest usage was read.")
SOURCE_SUCCESS = _of("source_last_success_timestamp_seconds", "When a source was last read whole.", "source")
SOURCE_FAILING = _of(
    "source_failing_since_timestamp_seconds", "Since when a source fails; absent if it does not.", "source"
)
SOURCE_STALLED = _of(
    "source_stalled_since_timestamp_seconds", "Since when a source is suspect; absent if it is not.", "source"
)
POLLS = _counter("polls", "Readings of a source begun.", "organization", "source")
POLL_FAILURES = _counter("poll_failures", "Readings of a source that failed.", "organization", "source")
SHRINKINGS = _counter("usage_shrinkings", "Times that an hour's usage was re-read smaller.", "organization")

# ------------------------------------------------------------------------------------------ cycles and requests

LAST_SUCCESS = _of("last_cycle_success_timestamp_seconds", "When the last cycle ended in which no source was failing.")
CYCLES = _counter("cycles", "Cycles begun.", "organization")
CYCLE_FAILURES = _counter("cycle_failures", "Cycles that ended early, or with a source failing.", "organization")
CYCLE_RUNNING = _of("cycle_running", "1 while a cycle runs.")
CYCLE_SECONDS = _declare(
    "histogram",
    "cycle_duration_seconds",
    "How long a cycle took.",
    "organization",
    buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300),
)
API_REQUESTS = _counter("api_requests", "Requests sent to the Admin API.", "organization")
API_FAILURES = _counter(
    "api_request_failures", "Requests to the Admin API that failed, by reason.", "organization", "reason"
)
API_SECONDS = _declare(
    "histogram",
    "api_request_duration_seconds",
    "How long the Admin API took to answer.",
    "organization",
    buckets=(0.1, 0.3, 1, 3, 10, 30),
)

# ------------------------------------------------------------------------------------------ deliveries

NOTIFICATIONS = _counter(
    "notifications", "Messages that a receiver accepted, by why they were sent.", "receiver", "reason"
)
NOTIFICATION_FAILURES = _counter(
    "notification_failures", "Tries of a message that failed, by what comes next.", "receiver", "outcome"
)
OUTBOX = _gauge("outbox_messages", "Messages that wait for delivery.", "receiver")

# ------------------------------------------------------------------------------------------ the program itself

TIME = _gauge("time_seconds", "The program's own clock.")
CLOCK_JUMPS = _counter("clock_jumps", "Times that the machine's clock was set.")
RELOAD_FAILURES = _counter("config_reload_failures", "Reloads of the configuration that were refused.")
BUILD = _declare("info", "build_info", "The version that runs.", "version")

# ------------------------------------------------------------------------------------------ history, not scraped
# What `watcher export openmetrics` writes: what an hour had, at the time of its end.

HISTORY = (
    HOURLY_SPEND := Metric(
        "watcher_hourly_spend_usd", "gauge", "Settled spend of the hour that ends here.", ("organization", *PLACES)
    ),
    HOURLY_TOKENS := Metric(
        "watcher_hourly_tokens", "gauge", "Tokens of the hour that ends here.", ("organization", *PLACES)
    ),
)
