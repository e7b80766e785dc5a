from __future__ import annotations

from dataclasses import replace

from benchmarks.gallery_samples import organization_budget, runaway_key
from rules.merging import merged
from rules.model import Alert, Notification, Reason, State
from rules.quieted import Acknowledgement
from tests.stage import NOW

ALERT = replace(runaway_key(), acknowledged=Acknowledgement("ana", NOW))


def message(alert: Alert, reason: Reason) -> Notification:
    return Notification(f"{reason} {alert.id}", "pager", reason, (alert,), NOW, "Tidewater")


def test_what_was_told_and_then_taken_stays_both() -> None:
    first, taken = message(ALERT, Reason.FIRST), message(ALERT, Reason.ACKNOWLEDGED)
    assert [each.reason for each in merged([first, taken])] == [Reason.FIRST, Reason.ACKNOWLEDGED]


def test_of_what_was_taken_and_ended_the_end_alone_is_told() -> None:
    over = replace(ALERT, state=State.RESOLVED, ends_at=NOW)
    taken, end = message(ALERT, Reason.ACKNOWLEDGED), message(over, Reason.RESOLVED)
    assert [each.reason for each in merged([taken, end])] == [Reason.RESOLVED]
    assert merged([message(ALERT, Reason.FIRST), taken, end]) == ()


def test_a_crossing_keeps_all_that_was_said_of_it() -> None:
    crossing = organization_budget()
    said = [message(crossing, reason) for reason in (Reason.FIRST, Reason.ACKNOWLEDGED, Reason.RESOLVED)]
    assert [each.reason for each in merged(said)] == [each.reason for each in said]
