"""Scenarios do to the traffic what they say, when they say, and to nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from watcher.simulator import World
from watcher.simulator.scenarios import SCENARIOS, load_scenario
from watcher.simulator.series import UNKNOWN_MODEL
from watcher.simulator.tariff import TOKEN_KINDS

START = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def world(scenario=None, **settings) -> World:
    return World(**{"started_at": START, "keys": 20, "workspaces": 4, "days": 30, "scenario": scenario, **settings})


@pytest.fixture(scope="module")
def calm() -> World:
    return world()


def spend(of: World, start: datetime, length: timedelta, **scope) -> float:
    return of.true_cost_nano(start, start + length, **scope) / 1e9


def test_a_runaway_key_spends_about_twenty_times_its_normal_from_90_minutes_on(calm):
    loud = world("runaway")
    (incident,) = loud.incidents
    key = incident.api_key_id
    assert incident.harmful
    assert incident.starts_at == START + timedelta(minutes=90)
    normal = spend(calm, START - 28 * DAY, 28 * DAY, api_key_id=key) / (28 * 24)
    begin = incident.starts_at
    assert spend(loud, START, 1.5 * HOUR) == spend(calm, START, 1.5 * HOUR)
    assert spend(loud, begin, 12 * HOUR, api_key_id=key) / 12 == pytest.approx(20 * normal, rel=0.2)
    for other in calm.organization.keys:
        if other != key:
            assert spend(loud, begin, DAY, api_key_id=other) == spend(calm, begin, DAY, api_key_id=other)


def test_no_scenario_changes_what_was_before_the_start(calm):
    everything = world("everything")
    assert len(everything.incidents) == 9
    assert spend(everything, START - 20 * DAY, 20 * DAY) == spend(calm, START - 20 * DAY, 20 * DAY)
    hit = [each.api_key_id for each in everything.incidents if each.api_key_id is not None]
    assert len(set(hit)) == len(hit)


def test_a_leaked_key_is_used_at_night_on_a_model_of_the_thief(calm):
    (incident,) = world("leaked-key").incidents
    leaked = world("leaked-key")
    assert (incident.starts_at.hour, incident.starts_at.minute) == (1, 30)
    excess = spend(leaked, incident.starts_at, 6 * HOUR) - spend(calm, incident.starts_at, 6 * HOUR)
    assert excess == pytest.approx(6 * 30, rel=0.35)
    assert spend(leaked, incident.ends_at, DAY) == spend(calm, incident.ends_at, DAY)
    assert spend(leaked, START - 20 * DAY, 20 * DAY, model="claude-opus-5-5") == spend(
        calm, START - 20 * DAY, 20 * DAY, model="claude-opus-5-5"
    )


def test_setting_a_leaked_key_inactive_stops_the_thief_too():
    leaked = world("leaked-key")
    incident = leaked.incidents[0]
    caught = incident.starts_at + 1.25 * HOUR
    leaked.set_key_status(incident.api_key_id, "inactive", caught)
    assert spend(leaked, incident.starts_at, 1.25 * HOUR, api_key_id=incident.api_key_id) > 10
    assert spend(leaked, caught, 5 * HOUR, api_key_id=incident.api_key_id) == 0


def test_a_slow_leak_grows_day_by_day(calm):
    leaking = world("slow-leak")
    key = leaking.incidents[0].api_key_id
    ratios = [
        spend(leaking, START + n * DAY, DAY, api_key_id=key) / spend(calm, START + n * DAY, DAY, api_key_id=key)
        for n in (0, 7, 14)
    ]
    assert ratios[0] == pytest.approx(1.07, abs=0.06)
    assert ratios[1] == pytest.approx(2.1, abs=0.15)
    assert ratios[2] == pytest.approx(3.2, abs=0.2)


def test_a_cache_regression_turns_reads_into_uncached_input(calm):
    broken = world("cache-regression")
    incident = broken.incidents[0]
    rows = broken.rows(api_key_id=incident.api_key_id)
    window = (incident.starts_at.timestamp(), (incident.starts_at + DAY).timestamp())
    before, after = calm.used(*window)[rows].sum(axis=0), broken.used(*window)[rows].sum(axis=0)
    read, uncached = TOKEN_KINDS.index("cache_read_input_tokens"), TOKEN_KINDS.index("uncached_input_tokens")
    assert after[read] == pytest.approx(before[read] * 0.1, rel=0.01)
    assert after[uncached] + after[read] == pytest.approx(before[uncached] + before[read], rel=0.01)
    assert spend(broken, incident.starts_at, DAY, api_key_id=incident.api_key_id) > 1.3 * spend(
        calm, incident.starts_at, DAY, api_key_id=incident.api_key_id
    )


def test_a_model_switch_moves_the_key_to_the_dearer_model(calm):
    switched = world("model-switch")
    incident = switched.incidents[0]
    key, start = incident.api_key_id, incident.starts_at
    old = max(
        (each for each in calm.catalogue.series if each.api_key_id == key), key=lambda each: each.usd_per_month
    ).model
    assert incident.model != old
    assert spend(switched, start, DAY, api_key_id=key, model=old) == 0
    assert spend(switched, start - DAY, DAY, api_key_id=key, model=incident.model) == spend(
        calm, start - DAY, DAY, api_key_id=key, model=incident.model
    )
    assert spend(switched, start, DAY, api_key_id=key, model=incident.model) > 0


def test_a_model_switch_can_be_told_where_to(tmp_path):
    file = tmp_path / "scenario.toml"
    file.write_text('[[incident]]\nkind = "model-switch"\nmodel = "claude-opus-9"\n')
    (incident,) = world(file).incidents
    assert incident.model == "claude-opus-9"


def test_a_silent_key_uses_nothing_until_it_comes_back(calm):
    silent = world("silence")
    incident = silent.incidents[0]
    key = incident.api_key_id
    assert spend(calm, incident.starts_at, 24 * HOUR, api_key_id=key) > 0
    assert spend(silent, incident.starts_at, 24 * HOUR, api_key_id=key) == 0
    assert spend(silent, incident.ends_at, DAY, api_key_id=key) == spend(calm, incident.ends_at, DAY, api_key_id=key)


@pytest.mark.parametrize(("name", "low", "high"), [("launch", 1.1, 2.2), ("holiday", 0.3, 0.75), ("spike", 1.0, 5.0)])
def test_harmless_events_pass(calm, name, low, high):
    event = world(name)
    incident = event.incidents[0]
    length = incident.ends_at - incident.starts_at
    assert not incident.harmful
    ratio = spend(event, incident.starts_at, length) / spend(calm, incident.starts_at, length)
    assert low < ratio < high
    assert spend(event, incident.ends_at, DAY) == spend(calm, incident.ends_at, DAY)


def test_an_unknown_scenario_is_an_error_that_lists_the_names():
    with pytest.raises(ValueError, match="cache-regression, calm, demo, everything"):
        world("earthquake")
    assert {"calm", "demo", "runaway", "leaked-key", "slow-leak", "cache-regression", "model-switch", "silence",
            "launch", "holiday", "spike", "everything"} == set(SCENARIOS)  # fmt: skip


def test_a_scenario_file_names_kind_time_key_and_strength(tmp_path):
    file = tmp_path / "scenario.toml"
    file.write_text(
        '[[incident]]\nkind = "runaway"\nafter = "-10d"\nfor = "1h30m"\nkey = "*-prod-*"\nfactor = 8\n'
        '[[incident]]\nkind = "holiday"\n'
    )
    staged = world(file)
    first, second = staged.incidents
    assert first.starts_at == START - 10 * DAY
    assert first.ends_at == first.starts_at + 1.5 * HOUR
    assert first.factor == 8
    assert "-prod-" in staged.organization.keys[first.api_key_id].name
    assert second.starts_at == datetime(2026, 11, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[incident]]\nkind = "flood"', "kind must be one of"),
        ('[[incident]]\nkind = "spike"\ncolour = "red"', "unknown setting 'colour'"),
        ('[[incident]]\nkind = "spike"\nafter = "soon"', "not a length of time"),
        ('[[incident]]\nkind = "spike"\nfactor = "high"', "factor must be a number"),
        ('[[incident]]\nkind = "model-switch"\nmodel = "gpt"', "model says what a model-switch moves to"),
        ('[[incident]]\nkind = "spike"\nmodel = "claude-opus-9"', "model says what a model-switch moves to"),
        ('[[incident]]\nkind = "model-switch"\nmodel = ["claude-opus-9"]', "model says what a model-switch moves to"),
        ('[[fault]]\nkind = "500"', "incident"),
        ("incident = [", "not TOML"),
    ],
)
def test_a_wrong_scenario_file_is_refused_with_its_place(tmp_path, text, says):
    file = tmp_path / "scenario.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=says) as caught:
        load_scenario(file)
    assert "scenario.toml" in str(caught.value)


def test_a_scenario_that_names_no_key_is_refused(tmp_path):
    file = tmp_path / "scenario.toml"
    file.write_text('[[incident]]\nkind = "spike"\nkey = "nobody-*"')
    with pytest.raises(ValueError, match="no active key matches 'nobody-\\*'"):
        world(file)


def test_forty_keys_spend_eight_to_fifteen_thousand_a_month_with_a_clear_week():
    for seed in (1, 7, 42):
        large = World(started_at=START, seed=seed)
        month = spend(large, START - 30 * DAY, 30 * DAY)
        assert 8_000 < month < 15_000
        days = [spend(large, START.replace(hour=0) - n * DAY, DAY) for n in range(1, 29)]
        weekend = [cost for n, cost in enumerate(days) if (START - (n + 1) * DAY).weekday() >= 5]
        weekdays = [cost for n, cost in enumerate(days) if (START - (n + 1) * DAY).weekday() < 5]
        assert np.mean(weekend) < 0.7 * np.mean(weekdays)


def test_the_organization_has_every_kind_of_use():
    terms = [each.terms for each in World(started_at=START).catalogue.series]
    assert {each.service_tier for each in terms} == {"standard", "batch", "priority"}
    assert {each.context_window for each in terms} == {"0-200k", "200k-1M"}
    assert {each.inference_geo for each in terms} == {"global", "us", "not_available"}
    assert {each.speed for each in terms} == {"standard", "fast"}


def test_counts_are_over_dispersed(calm):
    """The same hour of weekdays varies far more than a Poisson count would."""
    row = next(n for n, each in enumerate(calm.catalogue.series) if each.archetype == "production")
    hours = [START - n * DAY for n in range(1, 29) if (START - n * DAY).weekday() < 5]
    outputs = [calm.used(hour.timestamp(), hour.timestamp() + 3600)[row, 4] for hour in hours]
    requests = np.array(outputs) / calm.catalogue.sizes[row, 1]
    assert requests.var() > 2 * requests.mean()


def test_a_model_that_no_price_list_knows_can_be_switched_on(calm):
    assert UNKNOWN_MODEL not in {each.model for each in calm.catalogue.series}
    modern = world(unknown_model=True)
    assert spend(modern, START - 7 * DAY, 7 * DAY, model=UNKNOWN_MODEL) > 1
