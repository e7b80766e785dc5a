from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.gallery_samples import drifted_model
from rules.learned import LearnedRatio
from rules.model import UNATTRIBUTED, Breach, Leaf, Names, PriceEvidence, Severity, SpendView, State
from rules.prices import LATE, ONE_STORY, RULE, Memory, PriceRule, Told, judge, recall, remember

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
START = datetime(2026, 11, 1, tzinfo=UTC)
BEFORE = NOW - timedelta(minutes=5)
HOUR = timedelta(hours=1)
OPUS, HAIKU, NEW = "claude-opus-5", "claude-haiku-4-5", "claude-zenith-1"
OUTPUT = (OPUS, "output")


def view_of(since: Mapping[Leaf | str, datetime], unpriced: frozenset[str] = frozenset()) -> SpendView:
    """A dollar an hour from then on; a model alone is one key's."""
    leaves = [leaf if isinstance(leaf, Leaf) else Leaf("w1", "key_a", leaf) for leaf in since]
    cost = np.zeros((len(leaves), 24 * 20), dtype=np.int64)
    for row, moment in enumerate(since.values()):
        cost[row, (moment - START) // HOUR : (NOW - START) // HOUR + 1] = 10**9
    return SpendView("org", START, tuple(leaves), cost, cost, np.ones(480, dtype=np.bool_), NOW, NOW, unpriced)


OLD = view_of({OPUS: START})


def ratio(parts: int, spread: int = 0, *, listed: bool = True) -> dict[tuple[str, str], LearnedRatio]:
    return {OUTPUT: LearnedRatio(parts, spread, listed)}


def told(
    memory: Memory | None,
    ratios: Mapping[tuple[str, str], LearnedRatio] | None = None,
    view: SpendView = OLD,
    rule: PriceRule | None = None,
    now: datetime = NOW,
    alerts: tuple[object, ...] = (),
) -> Told:
    names = Names({"key_a": "ci", "w1": "Production"})
    return judge(rule or PriceRule(), ratios or {}, memory, view, names, alerts, now)  # type: ignore[arg-type]


def evidence(found: Told) -> PriceEvidence:
    (breach,) = found.breaches
    assert isinstance(breach.evidence, PriceEvidence)
    return breach.evidence


KNOWN = Memory(BEFORE, frozenset({OPUS}), ratio(800_000))


def test_the_first_look_takes_everything_for_given() -> None:
    found = told(None, ratio(800_000), view_of({OPUS: START, NEW: NOW - HOUR}))
    assert found.breaches == ()
    assert found.memory == Memory(NOW, frozenset({OPUS, NEW}), ratio(800_000))


def test_a_look_that_saw_no_model_is_no_first_look() -> None:
    nothing = told(None, {}, view_of({})).memory
    assert told(nothing, ratio(800_000), view_of({OPUS: NOW - HOUR, NEW: NOW - HOUR})).breaches == ()


def test_nothing_new_is_nothing_to_tell() -> None:
    found = told(KNOWN, ratio(800_000))
    assert found.breaches == ()
    assert found.memory == replace(KNOWN, at=NOW)


def test_a_model_in_use_for_the_first_time_is_told_with_who_uses_it_and_only_once() -> None:
    since = NOW.replace(minute=0) - 2 * HOUR
    view = view_of(
        {OPUS: START, Leaf("w1", "key_b", NEW): since + HOUR, Leaf("w1", "key_a", NEW): since},
    )
    found = told(KNOWN, ratio(800_000), view)
    (breach,) = found.breaches
    assert (breach.subject.rule, breach.subject.kind, breach.severity) == (RULE, "price", Severity.INFO)
    assert (breach.starts_at, breach.closes_at) == (since, NOW + timedelta(hours=24))
    (model,) = evidence(found).new_models
    assert (model.model, model.since, model.spent, model.keys) == (NEW, since, 5 * 10**9, 2)
    assert (model.api_key, model.api_key_name, model.workspace_name) == ("key_a", "ci", "Production")
    assert told(found.memory, ratio(800_000), view).breaches == ()


def test_a_model_without_a_price_has_an_alert_of_its_own_and_is_not_told_when_it_has_one() -> None:
    view = view_of({OPUS: START, NEW: NOW - HOUR}, unpriced=frozenset({NEW}))
    found = told(KNOWN, {}, view)
    assert found.breaches == ()
    assert told(found.memory, {}, replace(view, unpriced=frozenset())).breaches == ()


@pytest.mark.parametrize(
    "leaf", [Leaf("w1", UNATTRIBUTED, NEW), Leaf("w1", UNATTRIBUTED, UNATTRIBUTED), Leaf("w1", "key_a", "")]
)
def test_cost_without_usage_and_usage_without_a_model_are_no_new_model(leaf: Leaf) -> None:
    assert told(KNOWN, {}, view_of({OPUS: START, leaf: NOW - HOUR})).breaches == ()


def test_a_model_whose_use_lies_long_back_is_history_that_was_read_late() -> None:
    early = BEFORE - LATE - HOUR
    assert told(KNOWN, {}, view_of({OPUS: START, NEW: early})).breaches == ()
    away = replace(KNOWN, at=early - HOUR)
    assert told(away, {}, view_of({OPUS: START, NEW: early})).breaches


def test_a_discount_that_moved_is_told_once_and_a_warning_when_it_got_dearer() -> None:
    found = told(KNOWN, ratio(900_000))
    (move,) = evidence(found).moves
    assert (move.model, move.kinds, move.before, move.after, move.listed) == (OPUS, ("output",), 800_000, 900_000, True)
    assert found.breaches[0].severity is Severity.WARNING
    assert told(found.memory, ratio(900_000)).breaches == ()
    assert told(KNOWN, ratio(700_000)).breaches[0].severity is Severity.INFO


@pytest.mark.parametrize(
    ("after", "spread_before", "spread_after", "said"),
    [
        (816_000, 0, 0, False),
        (816_001, 0, 0, True),
        (784_000, 0, 0, False),
        (900_000, 50_000, 0, False),
        (900_000, 0, 50_000, False),
        (1_000_000, 50_000, 50_000, True),
    ],
)
def test_it_must_move_by_more_than_the_percent_and_than_its_days_lie_apart(
    after: int, spread_before: int, spread_after: int, said: bool
) -> None:
    memory = replace(KNOWN, ratios=ratio(800_000, spread_before))
    assert bool(told(memory, ratio(after, spread_after)).breaches) == said


def test_many_small_steps_are_told_when_they_add_up() -> None:
    memory = KNOWN
    said = []
    for step in range(1, 7):
        found = told(memory, ratio(800_000 + 4_000 * step))
        memory = found.memory
        said.append(bool(found.breaches))
    assert said == [False, False, False, False, True, False]


def test_what_follows_by_the_same_factor_is_the_same_change() -> None:
    both = ratio(800_000) | {(HAIKU, "output"): LearnedRatio(600_000, 0)}
    memory = replace(KNOWN, models=frozenset({OPUS, HAIKU}), ratios=both)
    view = view_of({OPUS: START, HAIKU: START})
    first = told(memory, both | ratio(880_000), view)
    assert first.breaches
    follows = ratio(880_000) | {(HAIKU, "output"): LearnedRatio(660_000, 0)}
    second = told(first.memory, follows, view, now=NOW + timedelta(days=2))
    assert second.breaches == ()
    back = told(second.memory, ratio(880_000) | both, view, now=NOW + timedelta(days=3))
    assert back.breaches, "another direction is another change"
    later = told(first.memory, follows, view, now=NOW + ONE_STORY)
    assert later.breaches, "a month later it is another change"


def test_kinds_that_moved_alike_are_one_line_and_others_their_own() -> None:
    kinds = ("uncached_input", "cache_read", "output")
    memory = replace(KNOWN, ratios={(OPUS, kind): LearnedRatio(800_000, 0) for kind in kinds})
    after = {(OPUS, kind): LearnedRatio(900_000 if kind != "output" else 1_200_000, 0) for kind in kinds}
    moves = evidence(told(memory, after)).moves
    assert [(move.kinds, move.after) for move in moves] == [
        (("output",), 1_200_000),
        (("cache_read", "uncached_input"), 900_000),
    ]


def test_a_stand_in_that_a_list_price_replaces_has_not_moved() -> None:
    memory = replace(KNOWN, ratios=ratio(400_000, listed=False))
    found = told(memory, ratio(800_000))
    assert found.breaches == ()
    assert found.memory.ratios == ratio(800_000)


def test_an_open_alert_about_drift_tells_of_its_own_models() -> None:
    drift = drifted_model()
    assert told(KNOWN, ratio(880_000), alerts=(drift,)).breaches == ()
    assert told(KNOWN, ratio(700_000), alerts=(drift,)).breaches, "the bill was higher, not lower"
    assert told(KNOWN, ratio(880_000), alerts=(replace(drift, state=State.RESOLVED),)).breaches
    quiet = told(KNOWN, ratio(880_000), alerts=(drift,)).memory
    assert told(quiet, ratio(880_000)).breaches == (), "nor is it told when the drift has ended"


@pytest.mark.parametrize(
    ("rule", "models", "moves"),
    [
        (PriceRule(), 1, 1),
        (PriceRule(new_models=False), 0, 1),
        (PriceRule(discounts=False), 1, 0),
        (PriceRule(percent=15.0), 1, 0),
    ],
)
def test_each_part_can_be_switched_off(rule: PriceRule, models: int, moves: int) -> None:
    found = evidence(told(KNOWN, ratio(900_000), view_of({OPUS: START, NEW: NOW - HOUR}), rule))
    assert (len(found.new_models), len(found.moves)) == (models, moves)


def test_what_happened_while_it_was_switched_off_is_not_told_later() -> None:
    view = view_of({OPUS: START, NEW: NOW - HOUR})
    found = told(KNOWN, ratio(900_000), view, PriceRule(enabled=False))
    assert found.breaches == ()
    assert told(found.memory, ratio(900_000), view).breaches == ()


def test_everything_of_one_judgement_is_one_event() -> None:
    view = view_of({OPUS: START, **{f"claude-new-{number}": NOW - HOUR for number in range(30)}})
    (breach,) = told(KNOWN, ratio(900_000), view).breaches
    assert isinstance(breach, Breach)


PARTS = st.integers(1, 10**7)
RATIOS = st.dictionaries(
    st.tuples(st.sampled_from([OPUS, HAIKU, ""]), st.sampled_from(["output", "cache_read"])),
    st.builds(LearnedRatio, PARTS, st.integers(0, 10**6), st.booleans()),
    max_size=6,
)
MOMENTS = st.integers(0, 10**9).map(lambda seconds: START + timedelta(seconds=seconds))


@given(MOMENTS, st.frozensets(st.text()), RATIOS, st.lists(st.tuples(st.floats(0.01, 100), MOMENTS)))
def test_a_memory_is_read_back_as_it_was_written_beside_the_account(
    at: datetime,
    models: frozenset[str],
    ratios: dict[tuple[str, str], LearnedRatio],
    moves: list[tuple[float, datetime]],
) -> None:
    memory = Memory(at, models, ratios, tuple(moves))
    text = remember(json.dumps({"at": at.isoformat(), "first": {"a": 1}}), memory)
    assert recall(text) == memory
    assert json.loads(text)["first"] == {"a": 1}


@pytest.mark.parametrize("text", [None, "", "null", "[]", "{}", '{"at": "x", "prices": {}}', '{"prices": 3}', "{"])
def test_what_cannot_be_read_is_no_memory(text: str | None) -> None:
    assert recall(text) is None


def test_an_account_without_a_memory_stays_as_it_is() -> None:
    assert remember('{"at": "x"}', None) == '{"at": "x"}'


@given(st.lists(RATIOS, min_size=1, max_size=4))
def test_what_was_told_is_never_told_again_while_it_stands(history: list[dict[tuple[str, str], LearnedRatio]]) -> None:
    memory: Memory | None = KNOWN
    for ratios in history:
        memory = told(memory, ratios).memory
        assert told(memory, ratios).breaches == ()
