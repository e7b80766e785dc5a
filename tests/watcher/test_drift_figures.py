from __future__ import annotations

from datetime import date, timedelta

from rules.reconciled import Cell, DayStanding, ReconciledDay
from watcher.drift_figures import MOST_MODELS, Drifted, drift_figures

FIRST = date(2026, 11, 10)


def cell(model: str, estimated: int, billed: int, workspace: str = "w1") -> Cell:
    return Cell(workspace, model, "compared", estimated, None, billed)


def day(number: int, *cells: Cell, standing: DayStanding = "settled") -> ReconciledDay:
    return ReconciledDay(FIRST + timedelta(days=number), standing, cells)


def test_the_newest_settled_day_that_has_something_to_compare_is_shown() -> None:
    unmetered = Cell("w1", "(unattributed)", "not_metered", reported=9)
    days = [
        day(0, cell("a", 1, 1)),
        day(1, cell("a", 5, 7)),
        day(2, unmetered),
        day(3, cell("a", 5, 9), standing="open"),
    ]
    found = drift_figures(days)
    assert found is not None
    assert (found.day, found.rows) == (FIRST + timedelta(days=1), (Drifted(None, 5, 7), Drifted("a", 5, 7)))
    assert drift_figures([day(2, unmetered)]) is None
    assert drift_figures([]) is None


def test_models_are_added_over_workspaces_and_what_cannot_drift_is_left_out() -> None:
    other = Cell("w1", "b", "stand_in", 50, None, 10)
    found = drift_figures([day(0, cell("a", 10, 12), cell("a", 20, 21, "w2"), other)])
    assert found is not None
    assert found.rows == (Drifted(None, 30, 33), Drifted("a", 30, 33))
    assert found.rows[0].ratio == 0.1


def test_the_models_are_bounded_to_those_that_drift_most() -> None:
    found = drift_figures([day(0, *(cell(f"m{number}", 1000, 1000 + number) for number in range(300)))])
    assert found is not None
    assert len(found.rows) == MOST_MODELS + 1
    assert found.rows[1].model == "m299"
