"""Limits beside what is spent: whose figure each is, what is not known, and what changed."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from rules.model import SourceState
from tests.stage import here, write_config
from tests.watcher.store.samples import DAY, HOUR, ORG, T0, api_key, bucket, row
from watcher.admin_api.answers import Workspace
from watcher.admin_api.answers_limits import (
    EffectiveSpendLimit,
    LimitScope,
    RateLimit,
    RateLimitValue,
    SpendLimit,
)
from watcher.cli.limits_table import show
from watcher.limits import LimitsReport, limits_report
from watcher.limits.forms import to_json
from watcher.limits.report import period_start
from watcher.pricing import PriceBook
from watcher.store import Store

DOLLAR = 10**9
NOW = T0 + DAY + 12 * HOUR
"""A Tuesday at noon: a day, a week and a month that began at different times."""
MODEL = "claude-opus-5-5"
EACH = 4 * DOLLAR * 100
"""What a hundred million uncached input tokens of the model cost."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as opened:
        yield opened


def use(store: Store) -> None:
    """$400 in each of ws_1 and the default workspace on Sunday the first, and in ws_1 on Monday and today."""
    dear = replace_tokens(row("key_a", 0, model=MODEL))
    home = replace_tokens(row("key_b", 0, model=MODEL, workspace=None))
    hours = {-24: (dear, home), 1: (dear,), 26: (dear,)}
    filled = [bucket(hour, *hours.get(hour, ())) for hour in range(-24, 36)]
    store.usage.replace(ORG, filled, NOW)


def replace_tokens(used):  # type: ignore[no-untyped-def]
    return used._replace(uncached_input=10**8, cache_read=0, cache_write_5m=0, cache_write_1h=0, web_searches=0)


def cap(kind: str, ident: str | None, period: str = "monthly", amount: int | None = 1000 * DOLLAR) -> SpendLimit:
    return SpendLimit(f"{kind}{ident}{period}", LimitScope(kind, ident), amount, period, True, T0, T0)


def member(ident: str, spent: int, period: str = "monthly", amount: int | None = 50 * DOLLAR) -> EffectiveSpendLimit:
    source = LimitScope("seat_tier", "standard")
    return EffectiveSpendLimit(ident, "user_actor", f"name of {ident}", None, False, source, "l", amount, period, spent)


def report(store: Store, now: datetime = NOW) -> LimitsReport:
    return limits_report(store, PriceBook(), ORG, now)


def shown(found: LimitsReport) -> str:
    out = io.StringIO()
    show(found, Console(file=out, width=80, color_system=None), NOW)
    return out.getvalue()


def spent(found: LimitsReport) -> dict[str, int | None]:
    return {each.limit.id: each.spent for each in found.scopes}


def test_a_limit_stands_beside_what_the_ledger_has_in_its_own_period(store: Store) -> None:
    use(store)
    periods = ("daily", "weekly", "monthly", "yearly")
    store.limits.record_spend_limits(
        ORG,
        [
            cap(kind, ident, period)
            for period in periods
            for kind, ident in (("organization", None), ("workspace", "ws_1"))
        ],
        NOW,
    )
    assert spent(report(store)) == {
        "organizationNonedaily": EACH,
        "organizationNoneweekly": 2 * EACH,
        "organizationNonemonthly": 4 * EACH,
        "workspacews_1daily": EACH,
        "workspacews_1weekly": 2 * EACH,
        "workspacews_1monthly": 3 * EACH,
        "organizationNoneyearly": None,
        "workspacews_1yearly": None,
    }


def test_what_the_ledger_cannot_tell_is_not_shown_as_zero(store: Store) -> None:
    store.limits.record_spend_limits(
        ORG, [cap("organization", None), cap("seat_tier", "premium"), cap("user", "u1")], NOW
    )
    assert set(spent(report(store)).values()) == {None}, "nothing is stored at all"
    use(store)
    told = spent(report(store))
    assert told["organizationNonemonthly"] == 4 * EACH
    assert told["seat_tierpremiummonthly"] is None
    late = report(store, NOW + 40 * DAY)
    assert late.scopes[0].spent == 0, "a month that usage reaches into, in which nothing was spent"


def test_a_month_that_the_history_does_not_reach_back_to_has_no_figure(store: Store) -> None:
    store.usage.replace(ORG, [bucket(hour, row()) for hour in range(10, 30)], NOW)
    store.limits.record_spend_limits(ORG, [cap("organization", None), cap("organization", None, "daily")], NOW)
    told = spent(report(store))
    assert told["organizationNonemonthly"] is None
    assert told["organizationNonedaily"] is not None


def test_zero_of_a_member_is_nothing_or_not_known_and_never_an_amount(store: Store) -> None:
    store.limits.record_member_limits(ORG, [member("u1", 0), member("u2", 5 * DOLLAR)], NOW)
    text = shown(report(store))
    assert "$0.00" not in text
    assert '"-" is nothing, or not known' in text
    nothing, five = (next(each for each in to_json(report(store))["members"] if each["id"] == i) for i in ("u1", "u2"))
    assert (nothing["spent_usd"], nothing["spent_may_be_unknown"]) == ("0", True)
    assert (five["spent_usd"], five["spent_may_be_unknown"], five["limit_usd"]) == ("5", False, "50")


def test_what_a_member_had_spent_in_a_period_that_is_over_is_not_of_this_one(store: Store) -> None:
    store.limits.record_member_limits(ORG, [member("u1", 5 * DOLLAR, "daily"), member("u1", 6 * DOLLAR)], NOW - DAY)
    assert {each.limit.period: each.spent for each in report(store).members} == {"daily": None, "monthly": 6 * DOLLAR}


def test_those_nearest_to_their_limit_come_first_and_those_without_either_are_left_out(store: Store) -> None:
    rows = [
        member("far", DOLLAR),
        member("none", 90 * DOLLAR, amount=None),
        member("idle", 0, amount=None),
        member("near", 49 * DOLLAR),
    ]
    store.limits.record_member_limits(ORG, rows, NOW)
    assert [each.limit.member_id for each in report(store).members] == ["near", "far", "none"]


def test_a_limit_is_called_by_its_workspace_and_one_that_is_off_says_so(store: Store) -> None:
    store.directory.record_workspaces(ORG, [Workspace("ws_1", "Search", T0, None, {})], T0)
    store.limits.record_spend_limits(ORG, [replace(cap("workspace", "ws_1"), is_enabled=False)], NOW)
    assert "workspace Search (off)" in shown(report(store))
    (told,) = to_json(report(store))["spend_limits"]
    assert (told["scope"]["name"], told["enabled"], told["limit_usd"]) == ("workspace Search", False, "1000")


def test_a_workspace_s_own_rate_limit_stands_below_the_organization_s(store: Store) -> None:
    store.directory.record_workspaces(ORG, [Workspace("ws_1", "Search", T0, None, {})], T0)
    opus = RateLimit(
        "rl_1",
        None,
        "model_group",
        "Claude Opus",
        (MODEL,),
        (RateLimitValue("requests_per_minute", 4000, None, False),),
    )
    own = (RateLimitValue("requests_per_minute", 10, 4000, False), RateLimitValue("tokens", 7, 7, True))
    store.limits.record_rate_limits(
        ORG, None, [opus, replace(opus, id="rl_2", group_name=None, group_kind="batch", models=())], NOW
    )
    store.limits.record_rate_limits(ORG, "ws_1", [replace(opus, workspace_id="ws_1", limits=own)], NOW)
    lines = [line.split() for line in shown(report(store)).splitlines()]
    assert lines[lines.index(["Claude", "Opus", "requests", "per", "minute", "4,000"]) + 1] == ["in", "Search", "10"]
    assert ["batch", "requests", "per", "minute", "4,000"] in lines


def test_changes_are_told_with_both_sides_and_when(store: Store) -> None:
    store.limits.record_spend_limits(ORG, [cap("organization", None)], NOW - HOUR)
    store.limits.record_spend_limits(ORG, [cap("organization", None, amount=2000 * DOLLAR)], NOW)
    text = " ".join(shown(report(store)).split())
    assert "spend limit organization: amount $1,000.00 → $2,000.00, between 11:00 UTC and 12:00 UTC" in text
    (change,) = to_json(report(store))["changes"]
    assert (change["field"], change["before"], change["after"]) == ("amount_usd", "1000", "2000")
    assert report(store, NOW + 31 * DAY).changes == ()


@pytest.mark.parametrize("name", ["[bold]x[/]", "a\x1b[31mb", "x" * 300, "漢" * 90, "a\u202eb\nc", ""])
def test_hostile_names_stay_within_their_cell_at_80_columns(store: Store, name: str) -> None:
    store.directory.record_workspaces(ORG, [Workspace("ws_1", name, T0, None, {})], T0)
    store.directory.record_api_keys(ORG, [api_key()], T0)
    store.limits.record_spend_limits(ORG, [cap("workspace", "ws_1", amount=12_345_678 * DOLLAR), cap(name, name)], T0)
    store.limits.record_spend_limits(ORG, [cap("workspace", "ws_1"), cap(name, name, name)], T0 + HOUR)
    hostile = replace(
        member("u1", 12_345_678 * DOLLAR, amount=12_345_678 * DOLLAR), name=name, source=LimitScope(name, name)
    )
    store.limits.record_member_limits(ORG, [hostile, replace(hostile, deleted=True, period=name)], NOW)
    rate = RateLimit("r", None, name, name, (name,), (RateLimitValue(name, 10**9, None, False),))
    store.limits.record_rate_limits(ORG, None, [rate], NOW)
    store.limits.record_rate_limits(ORG, "ws_1", [replace(rate, workspace_id="ws_1")], NOW)
    text = shown(report(store))
    assert not any(char in text for char in "\x1b\u202e")
    assert max(map(cell_len, text.splitlines())) <= 80
    assert text.count("$12,345,678.00") >= 4, "no amount is cut"
    json.dumps(to_json(report(store)))


def test_what_is_not_offered_is_said_and_so_is_how_old_the_rest_is(store: Store) -> None:
    store.sources.save(ORG, SourceState("spend_limits", offered=False, last_attempt_at=NOW))
    store.sources.save(ORG, SourceState("rate_limits", offered=True, last_success_at=NOW - 3 * HOUR))
    text = shown(report(store))
    assert "Not offered to this key: spend limits." in text
    assert "Read 3 h ago." in text


def test_periods_begin_at_midnight_on_monday_and_on_the_first() -> None:
    at = datetime.fromisoformat("2026-11-01T23:30:00-05:00")
    assert [period_start(period, at) for period in ("daily", "weekly", "monthly", "galactic")] == [
        datetime.fromisoformat("2026-11-02T00:00:00Z"),
        datetime.fromisoformat("2026-11-02T00:00:00Z"),
        datetime.fromisoformat("2026-11-01T00:00:00Z"),
        None,
    ]


def test_the_command_prints_what_is_stored(tmp_path: Path) -> None:
    config = write_config(tmp_path, "http://127.0.0.1:9")
    with Store.open(f"sqlite:///{tmp_path}/watcher.db") as store:
        store.organizations.bind("", ORG)
        store.limits.record_spend_limits(ORG, [cap("organization", None)], NOW)
    code, out, _ = here("limits", "-c", config)
    assert code == 0
    assert "$1,000.00" in out
    assert json.loads(here("limits", "-c", config, "--json")[1])["spend_limits"][0]["limit_usd"] == "1000"
