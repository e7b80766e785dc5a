"""The settled history for Prometheus: what the organization used and was billed, and never said otherwise later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from rules.model import CONSOLE, DEFAULT_WORKSPACE
from tests.acceptance.conftest import Start
from tests.acceptance.running import DAY, HOUR, Asked, Watcher, at
from watcher.ledger.history import History, Place, Points, history
from watcher.metrics.openmetrics import openmetrics
from watcher.pricing import PriceBook
from watcher.simulator import World
from watcher.simulator.billing import Billing
from watcher.store.analytics import AnalyticsHour

NOON = at("2026-11-17 12:00")
EPOCH = at("1970-01-01 00:00")
QUIET = Asked(anomalies=(), backfill=9 * DAY)


def town(**more: object) -> World:
    return World(**({"started_at": NOON, "keys": 10, "workspaces": 3, "days": 12, "seed": 5} | more))


def exported(watcher: Watcher, days: int = 30) -> History:
    organization = watcher.store.organizations.id_of("")
    window = watcher.now - timedelta(days=days), watcher.now
    return history(watcher.store, PriceBook(), organization, window, watcher.now, QUIET.backfill)


def points(series: Mapping[Place, Points]) -> dict[tuple[Place, int], int]:
    return {
        (place, end): figure
        for place, each in series.items()
        for end, figure in zip(each.ends, each.figures, strict=True)
    }


def truly_used(world: World, day: int) -> Counter[tuple[Place, int]]:
    """Tokens of the simulated organization by place and end of the hour."""
    found: Counter[tuple[Place, int]] = Counter()
    for number, amounts in world.amounts(day * 86400, (day + 1) * 86400):
        for hour in range(24):
            for row, each in enumerate(world.catalogue.series):
                if tokens := int(amounts[hour, row, :5].sum()):
                    place = Place(each.workspace_id or DEFAULT_WORKSPACE, each.api_key_id or CONSOLE, each.model)
                    found[place, number * 86400 + (hour + 1) * 3600] += tokens
    return found


@pytest.mark.parametrize("analytics", [False, True], ids=["by the bill", "by analytics"])
def test_it_is_what_was_used_and_billed_hour_by_hour(start: Start, analytics: bool) -> None:
    world = town(analytics=analytics)
    watcher = start(world, QUIET)
    watcher.cycle()
    found = exported(watcher)
    tokens, spend = points(found.tokens), points(found.spend)
    days = sorted({(end - 1) // 86400 for _, end in tokens})
    assert found.days == len(days) >= 4
    assert sum((truly_used(world, day) for day in days), Counter()) == tokens
    for day in days:
        billed = sum(Billing(world).final(day).values())
        mine = sum(nano for (_, end), nano in spend.items() if (end - 1) // 86400 == day)
        assert abs(mine - billed / 10**6) < 1000, "to the nano-dollar but for the rounding of each line"
    begin = EPOCH + days[0] * DAY
    report = watcher.spend(begin, begin + len(days) * DAY, ("workspace", "api_key", "model"), "hour")
    settled = {
        (Place(*(value for _, value in row.parts)), int((row.start + HOUR).timestamp())): row.settled
        for row in report.rows
        if row.start is not None and row.settled
    }
    assert settled == spend


@pytest.mark.parametrize("analytics", [False, True], ids=["by the bill", "by analytics"])
def test_a_later_one_adds_and_never_contradicts(start: Start, analytics: bool) -> None:
    watcher = start(town(analytics=analytics), QUIET)
    watcher.cycle()
    earlier = exported(watcher)
    assert earlier.waiting
    for _ in range(2):
        watcher.run(watcher.now + DAY, every=12 * HOUR)
        later = exported(watcher)
        for series in ("spend", "tokens"):
            before, after = points(getattr(earlier, series)), points(getattr(later, series))
            assert before.items() <= after.items()
        assert later.days > earlier.days
        earlier = later
    assert not set(earlier.waiting) & {(EPOCH + timedelta(seconds=end - 1)).date() for _, end in points(earlier.spend)}


def test_a_day_whose_hourly_amounts_may_still_come_is_waited_for(start: Start) -> None:
    """Analytics have just begun to tell, the newest hours first."""
    watcher = start(town(), QUIET)
    watcher.cycle()
    organization = watcher.store.organizations.id_of("")
    before = exported(watcher)
    watcher.store.analytics.replace(organization, [AnalyticsHour(NOON - DAY, ())], watcher.now)
    assert exported(watcher).days == 0
    assert set(exported(watcher).waiting) > {day_of(end) for _, end in points(before.tokens)}
    window = NOON - 30 * DAY, NOON
    short = history(watcher.store, PriceBook(), organization, window, watcher.now, 5 * DAY)
    assert 0 < short.days < before.days, "what lies before all that will be read stands by the bill"
    assert all(day_of(end) < (NOON - 5 * DAY).date() for _, end in points(short.tokens))


def day_of(end: int) -> date:
    """The UTC day of the hour that ends there."""
    return (EPOCH + timedelta(seconds=end - 1)).date()


def test_it_is_openmetrics_in_order_and_the_same_every_time(start: Start) -> None:
    watcher = start(town(), QUIET)
    watcher.cycle()
    text = "".join(openmetrics([("org", exported(watcher))]))
    assert text == "".join(openmetrics([("org", exported(watcher))]))
    spend, tokens = text_string_to_metric_families(text)
    assert (spend.name, spend.unit, tokens.name, tokens.unit) == (
        "watcher_hourly_spend_usd",
        "usd",
        "watcher_hourly_tokens",
        "tokens",
    )
    order = [(tuple(sample.labels.values()), float(sample.timestamp)) for sample in spend.samples]
    assert order == sorted(order)
    assert all(float(sample.timestamp) % 3600 == 0 for sample in spend.samples)
    assert sum(map(len, (spend.samples, tokens.samples))) == len(text.splitlines()) - 7


def test_a_window_takes_whole_hours_inside_it(start: Start) -> None:
    watcher = start(town(), QUIET)
    watcher.cycle()
    organization = watcher.store.organizations.id_of("")
    window = at("2026-11-12 03:30"), at("2026-11-12 09:30")
    found = history(watcher.store, PriceBook(), organization, window, watcher.now)
    ends = {end for _, end in points(found.tokens)}
    assert ends == {int(at(f"2026-11-12 {hour:02}:00").timestamp()) for hour in range(5, 10)}


def test_hostile_labels_stay_inside_their_quotes() -> None:
    place = Place('a"b', "c\\n\nd", "\ud800")
    one = Points()
    one.ends.append(3600)
    one.figures.append(1_500_000_000)
    text = "".join(openmetrics([("org", History({place: one}, {}, 1, ()))]))
    (family, _) = text_string_to_metric_families(text)
    (sample,) = family.samples
    assert sample.labels == {"organization": "org", "workspace": 'a"b', "api_key": "c\\n\nd", "model": "?"}
    assert (sample.value, float(sample.timestamp)) == (1.5, 3600)
