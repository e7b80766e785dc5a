"""The shape of the configuration file: every table, every key, its type and its default.

One class a table. A key's `examples` hold what would be right, as TOML, and go into the sentence that says it is
missing or has another shape. Keys that hold a secret are only typed here; `watcher.config.twins` reads them, with their
files.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator

from rules.configured import AnomalyTuning
from rules.drift import DriftRule
from rules.model import AnomalyRule, Dimension, Severity
from rules.policy import Mode
from rules.prices import PriceRule
from rules.thresholds import Mark
from rules.triggers import BurnPair, ForecastMark, PaceMark
from watcher.config import (
    addresses,
    anomaly_values,
    digest_values,
    event_values,
    threshold_values,
    trigger_values,
    values,
)
from watcher.config.http_models import HttpTable, MetricsTable
from watcher.config.owner_tables import OwnerTable
from watcher.config.receiver_models import RECEIVERS
from watcher.config.route_models import RouteTable, TimeIntervalTable
from watcher.config.shutoff_tables import ShutoffTable
from watcher.config.table import Flag, Name, SecretText, Table, Text, Zone
from watcher.public_holidays import Region
from watcher.settings import PollSettings, StoreSettings

_NONE = timedelta(0)
_DAY = timedelta(days=1)

BaseUrl = Annotated[str, PlainValidator(lambda value: addresses.base_url(values.text(value)))]
Usd = Annotated[int, PlainValidator(values.positive_usd)]
Price = Annotated[int, PlainValidator(values.price)]
Day = Annotated[date, PlainValidator(values.day)]
Moment = Annotated[datetime, PlainValidator(event_values.moment)]
Glob = Annotated[str, PlainValidator(values.glob)]
TagGlob = Annotated[str, PlainValidator(values.tag)]
Percent = Annotated[float, PlainValidator(values.percent)]
MarkValue = Annotated[Mark, PlainValidator(threshold_values.threshold)]
Per = Annotated[
    list[Annotated[Dimension, PlainValidator(values.dimension)]],
    AfterValidator(values.distinct),
]
Plan = Annotated[dict[str, Any], PlainValidator(values.plan)]
TokenLimit = Annotated[tuple[str, int], PlainValidator(values.token_limit)]
Misplaced = Annotated[None, PlainValidator(threshold_values.misplaced_action)]
Action = Annotated[str, PlainValidator(threshold_values.action)]
ActionMode = Annotated[Mode, PlainValidator(threshold_values.mode)]

Keep = Annotated[timedelta, PlainValidator(values.duration(_DAY, 3650 * _DAY))]
UsageEvery = Annotated[
    timedelta,
    PlainValidator(
        values.duration(timedelta(minutes=1), timedelta(hours=6), "the API supports being asked once a minute")
    ),
]
CostEvery = Annotated[
    timedelta, PlainValidator(values.duration(timedelta(minutes=5), _DAY, "costs come by the day, and change seldom"))
]
Backfill = Annotated[timedelta, PlainValidator(values.duration(_DAY, 365 * _DAY))]
Hold = Annotated[timedelta, PlainValidator(values.duration(_NONE, 7 * _DAY))]
KeepFiring = Annotated[timedelta, PlainValidator(values.duration(_NONE, 30 * _DAY))]
NoHold = Annotated[
    timedelta, PlainValidator(values.must_be_zero("a budget's crossing is told in the cycle that sees it"))
]

SettledDays = Annotated[int, PlainValidator(values.whole(1, 7))]


class AnthropicTable(Table):
    """`[anthropic]`: how to reach the Admin API."""

    base_url: BaseUrl = Field("https://api.anthropic.com", examples=['"https://api.anthropic.com"'])
    admin_key: SecretText | None = Field(None, examples=['"${ANTHROPIC_ADMIN_KEY}"'])
    admin_key_file: Text | None = Field(None, examples=['"/run/secrets/admin-key"'])
    proxy: SecretText | None = Field(None, examples=['"http://proxy.example:3128"'])
    proxy_file: Text | None = Field(None, examples=['"/run/secrets/proxy"'])
    ca_file: Text | None = Field(None, examples=['"/etc/ssl/company-ca.pem"'])


class OrganizationTable(AnthropicTable):
    """`[[organization]]`: one of several organizations, and how to reach its Admin API."""

    name: Name = Field(examples=['"production"'])
    action_key: SecretText | None = Field(None, examples=['"${PRODUCTION_ACTION_KEY}"'])
    action_key_file: Text | None = Field(None, examples=['"/run/secrets/action-key"'])


class StoreTable(Table):
    """`[store]`: where the database is."""

    url: SecretText | None = Field(None, examples=['"sqlite:///watcher.db"'])
    url_file: Text | None = Field(None, examples=['"/run/secrets/database-url"'])
    keep: Keep = Field(StoreSettings("").keep, examples=['"400d"'])


class PollTable(Table):
    """`[poll]`: how often each source is asked."""

    usage_every: UsageEvery = Field(PollSettings().usage_every, examples=['"5m"'])
    cost_every: CostEvery = Field(PollSettings().cost_every, examples=['"1h"'])
    backfill: Backfill = Field(PollSettings().backfill, examples=['"60d"'])


class HeartbeatTable(Table):
    """`[heartbeat]`: an address to ping after every whole cycle."""

    url: SecretText | None = Field(None, examples=['"${HEARTBEAT_URL}"'])
    url_file: Text | None = Field(None, examples=['"/run/secrets/heartbeat-url"'])
    allow_private: Flag = Field(default=False, examples=["false"])
    proxy: SecretText | None = Field(None, examples=['"http://proxy.example:3128"'])
    proxy_file: Text | None = Field(None, examples=['"/run/secrets/proxy"'])
    ca_file: Text | None = Field(None, examples=['"/etc/ssl/company-ca.pem"'])


class ReconciliationTable(Table):
    """`[reconciliation]`: how far bill and estimate of settled days may lie apart before somebody is told."""

    enabled: Flag = Field(default=DriftRule().enabled, examples=["true"])
    percent: Percent = Field(DriftRule().percent, examples=["5"])
    usd: Usd = Field(DriftRule().amount, examples=["20"])
    days: SettledDays = Field(DriftRule().days, examples=["2"])
    severity: Annotated[Severity, PlainValidator(values.member_of(Severity))] = Field(
        DriftRule().severity, examples=['"warning"']
    )


class PriceChangesTable(Table):
    """`[price_changes]`: what people hear of prices that changed and models that are new."""

    enabled: Flag = Field(default=PriceRule().enabled, examples=["true"])
    new_models: Flag = Field(default=PriceRule().new_models, examples=["true"])
    discounts: Flag = Field(default=PriceRule().discounts, examples=["true"])
    percent: Percent = Field(PriceRule().percent, examples=["2"])


class SelectTable(Table):
    """`select = {…}`: which part of the organization a rule is about."""

    organization: Glob | None = Field(None, examples=['"production"'])
    workspace: Glob | None = Field(None, examples=['"prod-*"'])
    api_key: Glob | None = Field(None, examples=['"batch-*"'])
    model: Glob | None = Field(None, examples=['"claude-opus-*"'])
    model_family: Glob | None = Field(None, examples=['"opus"'])
    service_tier: Glob | None = Field(None, examples=['"batch"'])
    user: Glob | None = Field(None, examples=['"*@team.example"'])
    tag: TagGlob | None = Field(None, examples=['"team=platform"'])


class BudgetTable(Table):
    """`[[budget]]`: spend against a limit."""

    name: Name = Field(examples=['"organization"'])
    period: Annotated[str, PlainValidator(values.period)] = Field("month", examples=['"month"'])
    billing_day: Annotated[int, PlainValidator(values.whole(1, 31))] = Field(1, examples=["15"])
    week_start: Annotated[str, PlainValidator(values.one_of(*values.WEEKDAYS))] = Field("monday", examples=['"sunday"'])
    year_start: Annotated[str, PlainValidator(values.one_of(*values.MONTH_WORDS))] = Field(
        "january", examples=['"april"']
    )
    since: Day | None = Field(None, alias="from", examples=['"2026-11-01"'])
    until: Day | None = Field(None, examples=['"2027-01-01"'])
    timezone: Zone = Field("UTC", examples=['"UTC"'])
    limit_usd: Usd | None = Field(None, examples=["10000"])
    limit: Annotated[str, PlainValidator(values.one_of("console"))] | None = Field(None, examples=['"console"'])
    source: Annotated[str, PlainValidator(values.one_of("spend", "claude_code"))] = Field(
        "spend", examples=['"claude_code"']
    )
    customer_type: Annotated[str, PlainValidator(values.one_of("api", "subscription"))] = Field(
        "api", examples=['"subscription"']
    )
    limit_requests: Annotated[int, PlainValidator(values.counted)] | None = Field(None, examples=["100_000"])
    limit_tokens: TokenLimit | None = Field(None, examples=["{ total = 50_000_000 }"])
    plan: Plan | None = Field(None, examples=['{ "2026-12" = 15000 }'])
    thresholds: Annotated[list[MarkValue], AfterValidator(threshold_values.ascending)] = Field(
        [50.0, 80.0, 100.0], examples=["[50, 80, 100]"]
    )
    forecast: Annotated[list[ForecastMark], PlainValidator(trigger_values.forecast)] = Field(
        [], examples=['[100, { at = 120, severity = "critical" }]']
    )
    burn_rate: Annotated[list[BurnPair] | bool, PlainValidator(trigger_values.burn_rate)] = Field(
        default=False, examples=["true"]
    )
    pace: Annotated[list[PaceMark], PlainValidator(trigger_values.pace)] = Field([], examples=["[120]"])
    per: Per = Field([], examples=['["workspace"]'])
    select: SelectTable = Field(SelectTable(), examples=['{ workspace = "prod-*" }'])
    hold_for: NoHold = Field(_NONE, alias="for", examples=['"0s"'])
    paused: Flag = Field(default=False, examples=["true"])
    action: Misplaced = Field(None)


class TuningTable(Table):
    """`tuning = {…}`: the numbers behind an anomaly rule."""

    threshold: Annotated[float, PlainValidator(anomaly_values.number(0.8, 3))] | None = Field(None, examples=["1.2"])
    of_usual: Annotated[float, PlainValidator(anomaly_values.number(0, 100))] = Field(
        AnomalyTuning().of_usual, examples=["4"]
    )
    one_hour: Annotated[float, PlainValidator(anomaly_values.number(1, 100))] = Field(
        AnomalyTuning().one_hour, examples=["5"]
    )
    price_ratio: Annotated[float, PlainValidator(anomaly_values.number(1.1, 100))] = Field(
        AnomalyTuning().price_ratio, examples=["1.3"]
    )
    hot: Annotated[float, PlainValidator(anomaly_values.number(1, 10))] = Field(AnomalyTuning().hot, examples=["2.5"])


class AnomalyTable(Table):
    """`[[anomaly]]`: spend that is not normal."""

    name: Name = Field(examples=['"key spend"'])
    per: Annotated[Per, AfterValidator(values.some)] = Field(list(AnomalyRule("").per), examples=['["api_key"]'])
    select: SelectTable = Field(SelectTable(), examples=['{ workspace = "prod-*" }'])
    min_excess_usd: Usd = Field(AnomalyRule("").min_excess, examples=["5"])
    hold_for: Hold = Field(AnomalyRule("").hold_for, alias="for", examples=['"0s"'])
    keep_firing_for: KeepFiring = Field(AnomalyRule("").keep_firing_for, examples=['"2h"'])
    severity: Annotated[Severity, PlainValidator(values.member_of(Severity))] = Field(
        AnomalyRule("").severity, examples=['"warning"']
    )
    unit_price: Flag = Field(default=AnomalyRule("").unit_price, examples=["true"])
    direction: Annotated[str, PlainValidator(values.one_of("up", "down", "both"))] = Field(
        AnomalyRule("").direction, examples=['"both"']
    )
    sensitivity: Annotated[str, PlainValidator(values.one_of("low", "medium", "high"))] = Field(
        AnomalyRule("").sensitivity, examples=['"medium"']
    )
    max_false_alarms: Annotated[float, PlainValidator(anomaly_values.a_year)] | None = Field(
        None, examples=['"1 per week"']
    )
    tuning: TuningTable = Field(TuningTable(), examples=["{ of_usual = 4 }"])
    action: Action | None = Field(None, examples=['"deactivate_key"'])
    mode: ActionMode | None = Field(None, examples=['"approve"'])


class EventTable(Table):
    """`[[event]]`: something planned, while which more than the usual may come."""

    name: Name = Field(examples=['"launch"'])
    since: Moment | None = Field(None, alias="from", examples=['"2026-12-01"'])
    until: Moment | None = Field(None, alias="to", examples=['"2026-12-03"'])
    timezone: Zone = Field("UTC", examples=['"Europe/Berlin"'])
    repeat: Annotated[str, PlainValidator(values.one_of("yearly", "weekly"))] | None = Field(
        None, examples=['"yearly"']
    )
    holidays: Annotated[Region, PlainValidator(event_values.region)] | None = Field(None, examples=['"DE"'])
    expect: Annotated[float, PlainValidator(event_values.times_the_usual)] | None = Field(None, examples=["5"])
    select: SelectTable = Field(SelectTable(), examples=['{ workspace = "prod-*" }'])


class DigestTable(Table):
    """`[[digest]]`: a summary of the day or the week, by the clock."""

    name: Name = Field(examples=['"weekly"'])
    every: Annotated[str, PlainValidator(values.one_of("daily", "weekly"))] = Field("daily", examples=['"weekly"'])
    at: Annotated[str, PlainValidator(digest_values.clock)] = Field("09:00", examples=['"09:00"'])
    weekday: Annotated[str, PlainValidator(values.one_of(*values.WEEKDAYS))] = Field("monday", examples=['"monday"'])
    timezone: Zone = Field("UTC", examples=['"Europe/Berlin"'])
    receiver: Annotated[list[str], PlainValidator(digest_values.receivers)] = Field(examples=['"ops"'])
    select: SelectTable = Field(SelectTable(), examples=['{ workspace = "prod-*" }'])


class PriceTable(Table):
    """`[[price]]`: what some models cost this organization, where the published price or what is learned is wrong."""

    model: Glob = Field(examples=['"claude-opus-*"'])
    since: Day | None = Field(None, alias="from", examples=['"2026-11-01"'])
    until: Day | None = Field(None, alias="to", examples=['"2027-11-01"'])
    uncached_input: Price | None = Field(None, examples=["3.60"])
    cache_read: Price | None = Field(None, examples=["0.18"])
    cache_write_5m: Price | None = Field(None, examples=["4.50"])
    cache_write_1h: Price | None = Field(None, examples=["7.20"])
    output: Price | None = Field(None, examples=["18"])
    web_search_per_1000: Price | None = Field(None, examples=["9"])


SINGLE: dict[str, type[Table]] = {
    "anthropic": AnthropicTable,
    "store": StoreTable,
    "http": HttpTable,
    "metrics": MetricsTable,
    "poll": PollTable,
    "heartbeat": HeartbeatTable,
    "reconciliation": ReconciliationTable,
    "price_changes": PriceChangesTable,
    "shutoff": ShutoffTable,
}
SEVERAL: dict[str, tuple[type[Table], ...]] = {
    "organization": (OrganizationTable,),
    "budget": (BudgetTable,),
    "anomaly": (AnomalyTable,),
    "event": (EventTable,),
    "digest": (DigestTable,),
    "owner": (OwnerTable,),
    "price": (PriceTable,),
    "receiver": tuple(RECEIVERS.values()),
    "route": (RouteTable,),
    "time_interval": (TimeIntervalTable,),
}


def keys_of(tables: tuple[type[Table], ...]) -> dict[str, Any]:
    """The keys that a table (in any of its kinds) may have, as the file writes them, with their pydantic fields."""
    return {
        field.alias or name: field
        for table in tables
        for name, field in table.model_fields.items()
        if field.annotation is not type(None)  # named only to be refused with a better sentence than "unknown"
    }
