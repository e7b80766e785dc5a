from datetime import UTC, datetime

import pytest

from rules.model import SourceState
from watcher.ingest import SOURCES
from watcher.missing import Missing, lost_without, missing

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def offered(*names: str, absent: tuple[str, ...] = ()) -> list[SourceState]:
    return [SourceState(name, True) for name in names] + [SourceState(name, False) for name in absent]


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_that_is_asked_has_words_for_what_is_lost_without_it(source: str) -> None:
    assert lost_without(source, ())


def test_an_organization_without_analytics_has_a_note_and_no_problem() -> None:
    found = missing(offered("usage", "cost", absent=("analytics_cost",)))
    assert found.problems == ()
    assert [note.split(":")[0] for note in found.notes] == ["Source analytics_cost is not offered to this key"]


def test_what_stands_in_for_a_source_changes_what_is_lost_without_it() -> None:
    found = missing(offered("analytics_usage", "analytics_cost", absent=("usage", "cost")))
    assert found.problems == ()
    usage, cost = found.notes
    assert "usage comes from analytics" in usage
    assert "hours are settled by the hourly cost of analytics" in cost
    alone = missing(offered("usage", absent=("cost",)))
    assert "no figure is ever settled" in alone.notes[0]


def test_a_watcher_that_no_source_tells_of_usage_is_blind_and_that_is_a_problem() -> None:
    found = missing(offered(absent=("usage", "analytics_usage", "users")))
    assert [problem.split(":")[0] for problem in found.problems] == ["Source usage is not offered to this key"]
    assert len(found.notes) == 2


def test_minor_sources_are_one_line_and_what_is_gone_is_told_elsewhere() -> None:
    gone = SourceState("cost", False, last_success_at=NOW, failing_since=NOW, failure="it answered 403")
    assert missing([SourceState("rate_limits", False), SourceState("spend_limits", False)]).notes == (
        "Not offered to this key, and therefore not shown: rate_limits, spend_limits.",
    )
    assert missing([gone]) == Missing((), ())
