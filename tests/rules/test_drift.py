from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.drift import RULE, SHOWN, STALE, DriftRule, judge
from rules.model import Breach, Clear, DriftEvidence, Names, NoData, Scope, Verdict
from rules.reconciled import Cell, DayStanding, PriceSource, ReconciledDay, Sort

USD = 1_000_000_000
FIRST = date(2026, 11, 10)
OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-4-5"
NAMES = Names({"w1": "Production"})


def cell(
    drift: float,
    model: str = OPUS,
    workspace: str = "w1",
    estimated: int = 400,
    source: PriceSource = "learned",
    sort: Sort = "compared",
) -> Cell:
    """Estimated at so many dollars, and billed this many dollars more."""
    bill = estimated * USD + round(drift * USD)
    return Cell(workspace, model, sort, estimated * USD, None, bill, None, source)


def days_of(*days: list[Cell], standing: DayStanding = "settled") -> list[ReconciledDay]:
    return [ReconciledDay(FIRST + timedelta(days=number), standing, tuple(cells)) for number, cells in enumerate(days)]


def said(days: list[ReconciledDay], rule: DriftRule | None = None, late: timedelta = timedelta(days=2)) -> Verdict:
    after = datetime(2026, 11, 10, tzinfo=UTC) + len(days) * timedelta(days=1) + late
    (verdict,) = judge(rule or DriftRule(), "org", days, NAMES, after)
    return verdict


def evidence_of(verdict: Verdict) -> DriftEvidence:
    assert isinstance(verdict, Breach)
    assert isinstance(verdict.evidence, DriftEvidence)
    return verdict.evidence


CALM, OFF = [cell(1)], [cell(30)]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([CALM, CALM], Clear),
        ([CALM, OFF], NoData),
        ([OFF, OFF], Breach),
        ([OFF, CALM], NoData),
        ([OFF, OFF, CALM], NoData),
        ([OFF, OFF, CALM, CALM], Clear),
        ([OFF], NoData),
        ([], NoData),
        ([[cell(-30)], [cell(30)]], Breach),
        ([OFF, [], OFF], Breach),
        ([[cell(30)], [cell(30, HAIKU)]], Breach),
    ],
)
def test_a_part_that_is_off_on_each_of_the_last_days_is_a_breach(days: list[list[Cell]], expected: type) -> None:
    assert isinstance(said(days_of(*days)), expected)


@pytest.mark.parametrize(
    ("drift", "estimated", "expected"),
    [(20, 100, Clear), (20.01, 100, Breach), (20, 400, Clear), (20.01, 401, Clear), (-20.01, 100, Breach)],
)
def test_both_the_percent_and_the_dollars_must_be_passed(drift: float, estimated: int, expected: type) -> None:
    day = [cell(drift, estimated=estimated)]
    assert isinstance(said(days_of(day, day)), expected)


def test_a_model_that_is_off_a_little_in_each_of_many_workspaces_is_found() -> None:
    day = [cell(3, OPUS, f"w{number}", 30) for number in range(10)] + [cell(0, HAIKU, estimated=9000)]
    found = evidence_of(said(days_of(day, day)))
    assert [part.model for part in found.models] == [OPUS]
    assert found.main is not None
    assert not found.organization_off
    assert len(found.parts) == SHOWN


def test_errors_that_cancel_out_over_the_organization_are_found() -> None:
    day = [cell(40, OPUS), cell(-40, HAIKU)]
    found = evidence_of(said(days_of(day, day)))
    assert {part.model for part in found.models} == {OPUS, HAIKU}
    assert found.main is None


@pytest.mark.parametrize(
    "other",
    [
        cell(300, source="list"),
        cell(300, source="unpriced", sort="stand_in"),
        cell(300, sort="not_metered"),
        cell(300, sort="no_usage"),
        cell(-400, sort="not_billed"),
        cell(300, sort="outside"),
    ],
)
def test_what_cannot_drift_and_what_nobody_vouched_for_does_not_count(other: Cell) -> None:
    assert isinstance(said(days_of([*CALM, other], [*CALM, other])), Clear)
    assert isinstance(said(days_of([other], [other])), NoData)


@pytest.mark.parametrize("standing", ["open", "provisional", "estimated"])
def test_a_day_that_is_not_settled_does_not_count(standing: DayStanding) -> None:
    assert isinstance(said(days_of(OFF, OFF, standing=standing)), NoData)


def test_days_that_are_long_past_say_nothing_of_the_present() -> None:
    assert isinstance(said(days_of(OFF, OFF), late=STALE), Breach)
    assert isinstance(said(days_of(OFF, OFF), late=STALE + timedelta(hours=1)), NoData)
    assert isinstance(said(days_of(CALM, CALM), late=STALE + timedelta(hours=1)), NoData)


def test_a_rule_that_is_off_says_nothing() -> None:
    assert judge(DriftRule(enabled=False), "org", days_of(OFF, OFF), NAMES, datetime(2026, 11, 14, tzinfo=UTC)) == []


def test_the_story_begins_with_the_first_day_that_was_off_and_sums_all_since() -> None:
    verdict = said(days_of(CALM, [cell(25)], [cell(35)], [cell(45), cell(1, HAIKU, "w2")]))
    assert isinstance(verdict, Breach)
    found = evidence_of(verdict)
    assert verdict.subject.scope == Scope("org")
    assert verdict.subject.rule == RULE
    assert verdict.starts_at == datetime(2026, 11, 11, tzinfo=UTC)
    assert (found.first_day, found.last_day, found.days) == (date(2026, 11, 11), date(2026, 11, 13), 3)
    assert (found.estimated, found.billed) == (1600 * USD, 1706 * USD)
    (part,) = found.parts
    assert (part.workspace, part.workspace_name, part.model, part.drift) == ("w1", "Production", OPUS, 105 * USD)
    assert (verdict.value, verdict.expected, verdict.limit) == (found.billed, found.estimated, None)


def test_the_owners_own_price_is_named_as_such() -> None:
    day = [cell(30, source="override")]
    assert evidence_of(said(days_of(day, day))).parts[0].owned


def test_one_day_can_be_enough_and_more_can_be_asked_for() -> None:
    assert isinstance(said(days_of(CALM, OFF), DriftRule(days=1)), Breach)
    assert isinstance(said(days_of(CALM, OFF, OFF), DriftRule(days=3)), NoData)


CELLS = st.lists(
    st.builds(cell, st.integers(-90, 90), st.sampled_from([OPUS, HAIKU]), st.sampled_from(["w1", "w2"])),
    min_size=1,
    max_size=4,
)


@given(st.lists(CELLS, max_size=6))
def test_a_breach_is_off_on_its_last_days_and_a_clear_on_none(days: list[list[Cell]]) -> None:
    verdict = said(days_of(*days))
    judged = days[-2:]
    drifts = [(abs(sum(each.drift for each in cells)), sum(each.estimated for each in cells)) for cells in judged]
    small = [drift <= 20 * USD or 20 * drift <= estimated for drift, estimated in drifts]
    if isinstance(verdict, Clear):
        assert all(small)
    if len(small) == 2 and not any(small):
        assert isinstance(verdict, Breach)
        assert evidence_of(verdict).organization_off
