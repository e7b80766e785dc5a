"""From the file's tables to the settings of each section; what is wrong is collected, not raised.

A section with something wrong in it comes back as None (or, of several, is left out): the settings are then not made at
all, but every other section is still looked at.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

from rules.digest import DigestRule, Every
from rules.drift import DriftRule
from rules.intervals import TimeInterval
from rules.model import DIMENSIONS, TAG, AnomalyRule, Budget, Dimension, Route, Selector
from rules.owned import Owner
from rules.policy import KeyAction
from rules.prices import PriceRule
from rules.thresholds import mark_amount, percent_of
from watcher.config import addresses, models
from watcher.config.anomaly_tables import anomaly_problems, direction, sensitivity, tuning
from watcher.config.budget_tables import timing, timing_problems
from watcher.config.contradictions import contradictions
from watcher.config.http_tables import HttpReading
from watcher.config.limit_tables import limit_problems, limits
from watcher.config.owner_tables import OwnerTable, owner, owner_problems
from watcher.config.problems import Problem, Wrong
from watcher.config.reading import called, place_of
from watcher.config.receivers import Receivers
from watcher.config.route_models import TimeIntervalTable
from watcher.config.route_tables import RouteReader, time_interval
from watcher.config.trigger_tables import burn_pairs, trigger_problems
from watcher.config.values import WEEKDAYS
from watcher.pricing import OwnPrice
from watcher.secret import Secret
from watcher.settings import (
    EventSettings,
    HeartbeatSettings,
    OrganizationSettings,
    PollSettings,
    ShutoffSettings,
    StoreSettings,
)

_MONTHS_AND_DAYS = timedelta(days=35)
_DEFAULT_STORE = "sqlite:///watcher.db"

_NO_TIME = "says no time, so every moment lies within it: write times, weekdays, days_of_month or months"
_NO_DAY = "names no day that the months have, so no moment ever lies within it"
_NO_ADMIN_KEY = (
    "does not begin with sk-ant-admin, as Admin keys do. A key that may read analytics alone sees spend 4 to 24 hours "
    "late, and by ids; `watcher check --online` says what this one may read"
)


class Sections(HttpReading, Receivers):
    """Reads the sections of one configuration. `problems` and `warnings` fill as it goes."""

    def anthropic(self, raw: dict[str, Any]) -> OrganizationSettings | None:
        """`[anthropic]`, the only organization."""
        return self._organization(raw, "anthropic", self._table(models.AnthropicTable, raw, "anthropic"))

    def organization(self, raw: dict[str, Any], place: str) -> OrganizationSettings | None:
        """One `[[organization]]`."""
        name = called("organization", raw)
        raw = {key: value for key, value in raw.items() if (key, value) != ("action_key", "")}
        table = self._table(models.OrganizationTable, raw, place, name)
        found = self._organization(raw, place, table, name)
        action_key = self._action_key(raw, place, name)
        return None if found is None or table is None else replace(found, label=table.name, action_key=action_key)

    def _organization(
        self, raw: dict[str, Any], place: str, table: models.AnthropicTable | None, name: str = ""
    ) -> OrganizationSettings | None:
        key = self._secret(raw, "admin_key", place, _admin_key, name, example='"${ANTHROPIC_ADMIN_KEY}"')
        proxy = self._secret(raw, "proxy", place, addresses.proxy_url, name, needed=False)
        ca_file = self._attempt(f"{place}.ca_file", self._ca_file, raw.get("ca_file"), name)
        if key is not None and not key.startswith("sk-ant-admin"):
            self.warnings.append(f"{place_of(raw, 'admin_key', place)}: {_NO_ADMIN_KEY}")
        if table is None or key is None:
            return None
        return OrganizationSettings(table.base_url, Secret(key), None if proxy is None else Secret(proxy), ca_file)

    def _action_key(self, raw: dict[str, Any], place: str, name: str = "") -> Secret | None:
        """The key that keys are changed with; None where none is given, or an empty one."""
        key = self._secret(raw, "action_key", place, _action_key, name, needed=False)
        return None if key is None else Secret(key)

    def shutoff(
        self, raw: dict[str, Any], intervals: dict[str, TimeInterval], store: StoreSettings | None
    ) -> tuple[ShutoffSettings, Secret | None] | None:
        """`[shutoff]`, which is in the file, and its action key."""
        from watcher.config.shutoff_tables import ShutoffTable, policy  # noqa: PLC0415 (few configurations need it)

        table = self._table(ShutoffTable, raw, "shutoff")
        key = self._action_key(raw, "shutoff")
        if table is None:
            return None
        allowed, wrong = policy(table, intervals, "shutoff")
        self.problems.extend(wrong)
        beside = None if store is None or store.path is None else store.path.with_name(f"{store.path.name}.brake")
        named = self._attempt("shutoff.brake_file", self.twins.resolve, table.brake_file) if table.brake_file else None
        return ShutoffSettings(allowed, named or beside), key

    def store(self, raw: dict[str, Any]) -> StoreSettings | None:
        """`[store]`. A relative file lies in the folder of the config file."""
        table = self._table(models.StoreTable, raw, "store")
        given = bool({"url", "url_file"} & raw.keys())
        folder = self.twins.config.parent
        url = self.twins.read(raw, "url", "store", example=f'"{_DEFAULT_STORE}"') if given else _DEFAULT_STORE
        found = None
        if url is not None:
            found = self._attempt(place_of(raw, "url", "store"), lambda text: addresses.store_url(text, folder), url)
        if found is not None and (found[1] is not None or not any(sign in found[0] for sign in ("@", "password="))):
            # A file, or a server that is given no user and no password: not a secret, wherever it stands.
            self.twins.written_out[:] = [place for place in self.twins.written_out if place != "store.url"]
        if table is not None and table.keep < _MONTHS_AND_DAYS:
            self.warnings.append("store.keep: monthly budgets and what is normal need at least 35d of history")
        return None if table is None or found is None else StoreSettings(found[0], table.keep, found[1])

    def poll(self, raw: dict[str, Any]) -> PollSettings | None:
        """`[poll]`."""
        table = self._table(models.PollTable, raw, "poll")
        return None if table is None else PollSettings(table.usage_every, table.cost_every, table.backfill)

    def heartbeat(self, raw: dict[str, Any]) -> HeartbeatSettings | None:
        """`[heartbeat]`, which is in the file."""
        table = self._table(models.HeartbeatTable, raw, "heartbeat")
        url = self._url(raw, "heartbeat", '"${HEARTBEAT_URL}"')
        way = self._way(table, raw, "heartbeat")
        return None if table is None or url is None else HeartbeatSettings(Secret(url), way)

    def reconciliation(self, raw: dict[str, Any]) -> DriftRule | None:
        """`[reconciliation]`."""
        table = self._table(models.ReconciliationTable, raw, "reconciliation")
        if table is None:
            return None
        return DriftRule(table.enabled, table.percent, table.usd, table.days, table.severity)

    def price_changes(self, raw: dict[str, Any]) -> PriceRule | None:
        """`[price_changes]`."""
        table = self._table(models.PriceChangesTable, raw, "price_changes")
        if table is None:
            return None
        return PriceRule(table.enabled, table.new_models, table.discounts, table.percent)

    def budget(self, raw: dict[str, Any], place: str) -> Budget | None:
        """One `[[budget]]`."""
        table = self._table(models.BudgetTable, raw, place, called("budget", raw))
        if table is None:
            return None
        percents = [percent_of(0, mark) for mark in table.thresholds if mark_amount(mark) is None]
        if max(percents, default=100) <= 1:
            shown = ", ".join(f"{percent:.10g} %" for percent in percents)
            self.warnings.append(f"{place}.thresholds: these are percent, so {shown} of the limit; is that meant?")
        wrong = [
            *timing_problems(table, place),
            *limit_problems(table, place),
            *contradictions(table.select, f"{place}.select"),
            *trigger_problems(table, place),
        ]
        self.problems.extend(Problem(each.place, each.message + called("budget", raw)) for each in wrong)
        if wrong:
            return None
        when, asked = timing(table), limits(table)
        return Budget(
            name=table.name,
            period=when.period,
            timezone=table.timezone,
            limit=asked.limit,
            thresholds=tuple(table.thresholds),
            per=_in_order(table.per),
            select=_selector(table.select),
            starts=when.starts,
            dates=when.dates,
            window=when.window,
            paused=table.paused,
            plan=asked.plan,
            console=asked.console,
            measure=asked.measure,
            forecast=tuple(table.forecast),
            burn=burn_pairs(table),
            pace=tuple(table.pace),
        )

    def anomaly(self, raw: dict[str, Any], place: str) -> AnomalyRule | None:
        """One `[[anomaly]]`."""
        table = self._table(models.AnomalyTable, raw, place, called("anomaly", raw))
        if table is None:
            return None
        wrong = list(anomaly_problems(table, place))
        self.problems.extend(Problem(each.place, each.message + called("anomaly", raw)) for each in wrong)
        if wrong:
            return None
        return AnomalyRule(
            name=table.name,
            per=_in_order(table.per),
            select=_selector(table.select),
            min_excess=table.min_excess_usd,
            hold_for=table.hold_for,
            keep_firing_for=table.keep_firing_for,
            severity=table.severity,
            unit_price=table.unit_price,
            direction=direction(table),
            sensitivity=sensitivity(table),
            false_alarms=table.max_false_alarms,
            tuning=tuning(table),
            action=None if table.action is None else KeyAction(table.mode),
        )

    def owner(self, raw: dict[str, Any], place: str) -> Owner | None:
        """One `[[owner]]`."""
        self.problems += owner_problems(raw, place)
        table = self._table(OwnerTable, raw, place, called("owner", raw))
        return None if table is None else owner(table, place)

    def event(self, raw: dict[str, Any], place: str) -> EventSettings | None:
        """One `[[event]]`."""
        from watcher.config.event_tables import (  # noqa: PLC0415 (only a few configurations need it)
            dates,
            event_problems,
            event_warnings,
            expected,
        )

        table = self._table(models.EventTable, raw, place, called("event", raw))
        if table is None:
            return None
        wrong = [*event_problems(table, place), *contradictions(table.select, f"{place}.select")]
        self.problems.extend(Problem(each.place, each.message + called("event", raw)) for each in wrong)
        if wrong:
            return None
        self.warnings += event_warnings(table, place)
        if table.holidays is not None and "timezone" not in table.model_fields_set:
            days = f"the days of {table.holidays.shown} begin at midnight UTC here; write its own zone"
            self.warnings.append(f'{place}.timezone: {days}, as in timezone = "Europe/Berlin"')
        return EventSettings(
            name=table.name,
            select=_selector(table.select),
            expect=expected(table),
            timezone=table.timezone,
            dates=dates(table),
            repeat=table.repeat or "",
            holidays=table.holidays,
        )

    def digest(self, raw: dict[str, Any], place: str, receivers: list[dict[str, Any]]) -> DigestRule | None:
        """One `[[digest]]`; `receivers` are the tables of those that there are."""
        from watcher.config.digest_tables import digest_problems  # noqa: PLC0415 (few configurations need it)

        table = self._table(models.DigestTable, raw, place, called("digest", raw))
        if table is None:
            return None
        wrong = [*digest_problems(table, receivers, place), *contradictions(table.select, f"{place}.select")]
        self.problems.extend(Problem(each.place, each.message + called("digest", raw)) for each in wrong)
        every: Every = "weekly" if table.every == "weekly" else "daily"
        weekday = WEEKDAYS.index(table.weekday)
        whom = tuple(table.receiver)
        at = time.fromisoformat(table.at)
        return DigestRule(table.name, whom, every, at, weekday, table.timezone, _selector(table.select))

    def price(self, raw: dict[str, Any], place: str) -> OwnPrice | None:
        """One `[[price]]`."""
        table = self._table(models.PriceTable, raw, place)
        if table is None:
            return None
        tokens = (table.uncached_input, table.cache_read, table.cache_write_5m, table.cache_write_1h, table.output)
        # Nano-dollars for a million tokens are a thousand times pico-dollars a token; for a thousand searches, as many.
        pico = (*(None if nano is None else (nano + 500) // 1000 for nano in tokens), table.web_search_per_1000)
        if all(price is None for price in pico):
            self.problems.append(Problem(place, "names no price: write one, as in output = 18"))
        if table.since is not None and table.until is not None and table.until <= table.since:
            self.problems.append(Problem(f"{place}.to", f"must be after `from`, which is {table.since}"))
        return OwnPrice(table.model, pico, table.since, table.until)

    def intervals(self, several: list[dict[str, Any]]) -> dict[str, TimeInterval]:
        """Every `[[time_interval]]`, by name."""
        found: dict[str, TimeInterval] = {}
        for index, raw in enumerate(several):
            place, name = f"time_interval[{index}]", called("time interval", raw)
            table = self._table(TimeIntervalTable, raw, place, name)
            if table is not None:
                found[table.name] = time_interval(table)
                if not table.says_something:
                    self.problems.append(Problem(place, f"{_NO_TIME}{name}"))
                elif not found[table.name].has_days:
                    self.problems.append(Problem(f"{place}.days_of_month", f"{_NO_DAY}{name}"))
            elif name:  # what is wrong with it is said there, and not where it is named
                found[raw["name"]] = TimeInterval(raw["name"])
        return found

    def routes(self, several: list[dict[str, Any]], intervals: dict[str, TimeInterval]) -> tuple[Route, ...]:
        """Every `[[route]]`, with the routes inside it."""
        reader = RouteReader(self._table, self.problems, intervals)
        found = (reader.read(raw, f"route[{index}]") for index, raw in enumerate(several))
        return tuple(route for route in found if route is not None)


def _admin_key(text: str) -> str:
    if text.startswith("sk-ant-api"):
        raise Wrong(
            "is an ordinary API key (sk-ant-api…), which cannot read usage and cost; "
            "an organization's admin makes an Admin key (sk-ant-admin…) in the Console, under Admin keys, or one that "
            "may read analytics alone"
        )
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Wrong("must be one line of plain ASCII characters without blanks, as it is sent in a header")
    return text


def _action_key(text: str) -> str:
    found = _admin_key(text)
    if not found.startswith("sk-ant-admin"):
        raise Wrong("must be an Admin key (sk-ant-admin…): no other key may change API keys")
    return found


def _in_order(per: list[Dimension]) -> tuple[Dimension, ...]:
    """Dimensions in their one order, so that the file's order means nothing."""
    tags = sorted(dimension for dimension in per if dimension.startswith(TAG))
    return (*(dimension for dimension in DIMENSIONS if dimension in per), *tags)


def _selector(table: models.SelectTable) -> Selector:
    return Selector(**{word: getattr(table, word) for word in models.SelectTable.model_fields})
