"""What is going on, as read from a store: the sentences about what is not as it should be, and the JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from notifiers.alert_json import alert_json
from rules.model import HOUR, Alert, BudgetEvidence, Scope, Severity, SourceEvidence, SourceState, State, Subject
from watcher import overview as overviews
from watcher.cli.status import show
from watcher.overview import Overview, Spent
from watcher.status import FRESH, read_status, to_json
from watcher.store import Bound, Refusal

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
USD = 1_000_000_000
OVERVIEW = Overview(
    "org", "Org", NOW, NOW, NOW - timedelta(hours=1), (Spent("organization", "org", "Org", 1, 123_450_000, 0),), ()
)


def alert(name: str, severity: Severity = Severity.WARNING, **changes: Any) -> Alert:
    evidence = SourceEvidence("usage", "silent", NOW, "nothing is judged", "wait")
    made = Alert(name, Subject(name, "source", Scope("org")), severity, State.FIRING, NOW, NOW, evidence, name)
    return replace(made, **changes)


@dataclass
class Held:
    """The part of a store that a status reads, with answers set by a test."""

    cursor_texts: dict[str, str] = field(default_factory=dict)
    open_alerts: list[Alert] = field(default_factory=list)
    states: list[SourceState] = field(default_factory=list)
    waiting: Mapping[str, int] = field(default_factory=dict)
    bound: tuple[Bound, ...] = (Bound("org", ""),)
    refusals: Mapping[str, Refusal] = field(default_factory=dict)

    @property
    def alerts(self) -> Any:
        return self

    @property
    def sources(self) -> Any:
        return self

    @property
    def outbox(self) -> Any:
        return self

    @property
    def cursor(self) -> Any:
        return self

    def open(self, organization: str) -> list[Alert]:
        return [each for each in self.open_alerts if each.subject.scope.organization == organization]

    def all(self, organization: str = "") -> list[Any]:
        """The states of the sources of an organization, or all organizations."""
        return list(self.states) if organization else list(self.bound)

    def depth(self) -> Mapping[str, int]:
        return self.waiting

    @property
    def organizations(self) -> Any:
        return self

    def id_of(self, label: str) -> str | None:
        return next((each.id for each in self.bound if each.label == label), None)

    def refusal(self, label: str) -> Refusal | None:
        return self.refusals.get(label)

    def get(self, name: str, organization: str = "") -> str | None:
        assert organization == "org"
        return self.cursor_texts.get(name)


def held(overview: Overview = OVERVIEW, last: datetime = NOW, **more: Any) -> Held:
    texts = {"overview": overviews.to_json(overview), "last_cycle_at": last.isoformat()}
    return Held(texts, **more)


def test_all_is_well_without_a_sentence() -> None:
    status = read_status(held(states=[SourceState("usage", True, NOW, NOW, NOW)], waiting={"ops": 0}), NOW)
    assert status.problems == ()
    assert status.firing == ()


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (Held(), "No cycle has ended yet: the first one fills the history, which can take a few minutes."),
        (
            held(last=NOW - FRESH - timedelta(minutes=1)),
            "No cycle has ended since 2026-11-20 08:59 UTC: is `watcher run` running?",
        ),
        (
            held(states=[SourceState("cost", True, failing_since=NOW, failure="it answered 500.")]),
            "Source cost fails since 2026-11-20 12:00 UTC: it answered 500.",
        ),
        (
            held(states=[SourceState("usage", offered=False), SourceState("analytics_usage", offered=False)]),
            "Source usage is not offered to this key: nothing can be estimated from tokens and no anomaly is seen.",
        ),
        (
            held(replace(OVERVIEW, silent_since=NOW - timedelta(hours=2)), states=[SourceState("usage", True)]),
            "Source usage is suspect since 2026-11-20 10:00 UTC.",
        ),
        (
            held(replace(OVERVIEW, unpriced=("claude-\u202ex",))),
            "No list price is known for claude-\ufffdx: over-estimated at the dearest price of the family.",
        ),
        (held(waiting={"ops": 1}), "1 message waits for receiver ops."),
        (held(waiting={"ops": 2}), "2 messages wait for receiver ops."),
    ],
)
def test_what_is_not_as_it_should_be_is_one_sentence(found: Held, sentence: str) -> None:
    assert read_status(found, NOW).problems == (sentence,)


def test_messages_for_a_receiver_that_was_taken_out_are_told_as_that() -> None:
    found = held(waiting={"old": 2})
    (sentence,) = read_status(found, NOW, ["ops"]).problems
    assert sentence.startswith("2 messages wait for receiver old, which the configuration no longer names")
    assert read_status(found, NOW, ["old"]).problems == ("2 messages wait for receiver old.",)


def test_what_is_not_offered_is_noted_and_no_problem() -> None:
    status = read_status(held(states=[SourceState("analytics_cost", offered=False), SourceState("usage", True)]), NOW)
    assert status.problems == ()
    (note,) = status.notes
    assert note.startswith("Source analytics_cost is not offered to this key: spend is settled by the day")
    assert to_json(status, None)["notes"] == [note]


def test_a_source_that_went_away_is_told_as_failing_once() -> None:
    gone = SourceState("cost", offered=False, last_success_at=NOW, failing_since=NOW, failure="it answered 403")
    (sentence,) = read_status(held(states=[gone]), NOW).problems
    assert sentence.startswith("Source cost fails since")


def test_sources_that_fail_for_one_reason_are_one_sentence() -> None:
    why = "invalid x-api-key; check the key"
    states = [
        SourceState(
            source,
            True,
            failing_since=NOW + n * HOUR,
            failure=f"/v1/organizations/{source} answered 401 (request-id req_{n}): {why}",
        )
        for n, source in enumerate(("users", "invites", "api_keys"))
    ]
    states.append(SourceState("cost", True, failing_since=NOW, failure="/v1/organizations/cost answered 500"))
    assert read_status(held(states=states), NOW).problems == (
        f"3 sources fail (users, invites, api_keys), the first since 2026-11-20 12:00 UTC: each answered 401: {why}",
        "Source cost fails since 2026-11-20 12:00 UTC: /v1/organizations/cost answered 500",
    )


def test_what_fires_is_the_gravest_and_newest_first_without_what_another_tells() -> None:
    alerts = [
        alert("info", Severity.INFO),
        alert("old", starts_at=NOW - timedelta(hours=1)),
        alert("new"),
        alert("grave", Severity.CRITICAL, starts_at=NOW - timedelta(days=9)),
        alert("pending", Severity.CRITICAL, state=State.PENDING),
        alert("told", Severity.CRITICAL, inhibited_by="grave"),
    ]
    status = read_status(held(open_alerts=alerts), NOW)
    assert [each.id for each in status.firing] == ["grave", "new", "old", "info"]
    assert len(status.standings[0].alerts) == 6


def test_json_of_a_new_database_has_every_field_and_nothing_in_them() -> None:
    document = to_json(read_status(Held(), NOW), alert_json)
    assert document["now"] == "2026-11-20T12:00:00Z"
    assert (document["organization"], document["spend_usd"], document["last_cycle_at"]) == (None, None, None)
    assert (document["alerts"], document["budgets"], document["sources"], document["waiting"]) == ([], [], [], {})


def test_json_has_money_as_exact_strings_and_times_in_utc() -> None:
    document = to_json(read_status(held(waiting={"ops": 2}, open_alerts=[alert("a")]), NOW), alert_json)
    assert document["spend_usd"] == {"today": "0.000000001", "month": "0.12345", "month_settled": "0"}
    assert document["complete_until"] == "2026-11-20T11:00:00Z"
    assert document["alerts"][0]["id"] == "a"
    assert document["waiting"] == {"ops": 2}


def test_of_several_organizations_every_sentence_names_its_own() -> None:
    found = held(states=[SourceState("cost", True, failing_since=NOW, failure="it answered 500.")])
    found.bound = (Bound("org", "east"),)
    status = read_status(found, NOW, labels=["east", "we\u202est"])
    assert status.several
    assert status.overview is None
    assert status.problems == (
        "east: Source cost fails since 2026-11-20 12:00 UTC: it answered 500.",
        "we\ufffdst: No cycle has ended yet: the first one fills the history, which can take a few minutes.",
    )


def test_figures_without_any_usage_have_no_age() -> None:
    """Hours that analytics told are figures, too; how old usage is, nothing tells before some was read."""
    unread = SourceState("usage", last_attempt_at=NOW, failing_since=NOW, failure="it answered 500")
    status = read_status(replace(held(), states=[unread]), NOW)
    assert (status.standings[0].data_as_of, status.standings[0].complete_until) == (None, None)
    document = to_json(status, alert_json)
    assert (document["data_as_of"], document["organizations"][0]["complete_until"]) == (None, None)
    said = StringIO()
    show(status, Console(file=said, width=80))
    assert "($0.00 settled)\n  no usage has been read yet\n" in said.getvalue()


@pytest.mark.parametrize(
    ("today", "hours_old", "said"), [(0, 13, "not known yet"), (0, 1, "$0.00"), (2 * USD, 13, "$2.00")]
)
def test_nothing_is_said_of_today_where_no_usage_of_today_was_read(today: int, hours_old: int, said: str) -> None:
    total = Spent("organization", "org", "Org", today, 5 * USD, 0)
    read = NOW - timedelta(hours=hours_old)
    figures = replace(OVERVIEW, data_as_of=read, complete_until=read, spent=(total,))
    usage = SourceState("usage", True, NOW, read, read)
    shown = StringIO()
    show(read_status(held(figures, states=[usage]), NOW), Console(file=shown, width=80))
    assert f"  today {said}, this month $5.00" in shown.getvalue()


def test_json_of_several_adds_amounts_and_is_as_old_as_the_oldest() -> None:
    one = read_status(held(), NOW).standings[0]
    later = replace(OVERVIEW, organization="two", data_as_of=NOW + timedelta(hours=1))
    two = replace(one, label="two", organization="two", overview=later, last_cycle_at=None)
    document = to_json(replace(read_status(held(), NOW), standings=(replace(one, label="one"), two)), alert_json)
    assert document["organization"] is None
    assert document["spend_usd"] == {"today": "0.000000002", "month": "0.2469", "month_settled": "0"}
    assert document["data_as_of"] == "2026-11-20T12:00:00Z"
    assert document["last_cycle_at"] is None, "one of them has had none"
    assert [(each["label"], each["id"]) for each in document["organizations"]] == [("one", "org"), ("two", "two")]
    assert [each["spend_usd"]["month"] for each in document["organizations"]] == ["0.12345", "0.12345"]


def test_an_organization_whose_key_is_refused_says_so_and_not_that_its_history_is_being_read() -> None:
    why = "/v1/organizations/me answered 401: invalid x-api-key"
    (sentence,) = read_status(Held(bound=(), refusals={"": Refusal(NOW, why)}), NOW).problems
    assert sentence == f"Not read since 2026-11-20 12:00 UTC: {why}"
    other = "watcher.db holds the data of organization org, and the Admin key belongs to another"
    found = held(refusals={"": Refusal(NOW, other)})
    assert other in read_status(found, NOW).problems[0]


def crossing(percent: float, budget: str = "platform", **scope: str) -> Alert:
    begins, ends = NOW - timedelta(days=19), NOW + timedelta(days=11)
    evidence = BudgetEvidence("November 2026", begins, ends, "UTC", percent, (), 120, 100, 0, NOW)
    subject = Subject(budget, "budget", Scope("org", **scope), f"{begins}/{percent}")
    return alert(f"{budget}{percent:.0f}{scope.get('workspace', '')}", subject=subject, evidence=evidence)


def test_of_a_budgets_thresholds_the_highest_tells_the_others() -> None:
    told = [crossing(50), crossing(100), crossing(80), crossing(50, workspace="w"), crossing(80, "other")]
    firing = {each.id for each in read_status(held(open_alerts=told), NOW).firing}
    assert firing == {"platform100", "platform50w", "other80"}


def test_what_is_open_of_an_organization_that_is_not_configured_is_told_until_it_is_closed() -> None:
    found = held(open_alerts=[alert("a"), alert("b", subject=Subject("b", "source", Scope("gone")))])
    found.bound = (Bound("org", ""), Bound("gone", "old"), Bound("quiet", "other"))
    (sentence,) = read_status(found, NOW).problems
    assert sentence.startswith("The configuration does not name the organization old any more: 1 open alert of it")
    assert [each.id for each in read_status(found, NOW).firing] == ["a"]
