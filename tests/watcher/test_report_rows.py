from hypothesis import given
from hypothesis import strategies as st

from rules.model import DEFAULT_WORKSPACE
from watcher.admin_api.answers import CostRow
from watcher.ledger.report_lines import amounts_by_model, kind_of, tiers_of, workspace_totals
from watcher.report_rows import CostLines, CostRows, texts_of

WORDS = st.sampled_from([None, "", "tokens", "web_search", "session_usage", "output_tokens", "ws_1", "priority"])
ROWS = st.lists(st.builds(CostRow, *([WORDS] * 9), st.integers(-(10**15), 10**15)), max_size=12)


def as_columns(rows: list[CostRow]) -> CostRows:
    """The rows with every line once, and one that none of them is of."""
    known = dict.fromkeys(texts_of(row) for row in rows)
    lines = [("spare",) * 9, *known]
    which = [lines.index(texts_of(row)) for row in rows]
    found = CostRows.of([CostRow(*line, 0) for line in lines])
    return CostRows(found.lines, found.which[which], CostRows.of(rows).amounts)


@given(ROWS)
def test_rows_as_lines_and_amounts_are_the_same_rows(rows: list[CostRow]) -> None:
    columns = as_columns(rows)
    assert columns == tuple(rows)
    assert tuple(columns) == tuple(rows)
    assert [columns[number] for number in range(len(columns))] == rows
    assert columns[1:3] == rows[1:3]
    assert (columns == (*rows, CostRow(*[None] * 9, 1))) is False


@given(ROWS)
def test_what_is_summed_over_lines_is_what_is_summed_over_rows(rows: list[CostRow]) -> None:
    totals: dict[str, int] = {}
    by_model: dict[tuple[str | None, int], int] = {}
    for row in rows:
        workspace = DEFAULT_WORKSPACE if row.workspace_id is None else row.workspace_id
        totals[workspace] = totals.get(workspace, 0) + row.amount
        by_model[row.model, kind_of(row)] = by_model.get((row.model, kind_of(row)), 0) + row.amount
    for report in (rows, as_columns(rows)):
        assert workspace_totals(report) == totals
        assert amounts_by_model(report) == by_model
        assert tiers_of(report) == {row.service_tier for row in rows}


def test_lines_are_equal_only_to_themselves() -> None:
    assert CostLines(()) != CostLines(())
