"""Feedback on anomalies, through whole judgements: what it ends, widens and keeps out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from rules.asked import Request
from rules.drift import DriftRule
from rules.feedback import FEEDBACK, problem
from rules.judgement import Decision, Past, Rules, decide
from rules.model import HOUR, Alert, AnomalyRule, Budget, Names, Notification, Route, Snapshot, State
from rules.prices import PriceRule
from rules.quieted import EXPECTED, LASTS, REAL, Feedback
from tests.rules.traffic import DOLLAR, MONDAY, Cost, organization, view_of

LEAVES, CALM = organization(keys=4, days=36, seed=1)
KEY, WORKSPACE = AnomalyRule("keys", keep_firing_for=2 * HOUR), AnomalyRule("workspaces", per=("workspace",))
OFFICE = 0
BEGIN = 22 * 24 + 2
MINUTE = timedelta(minutes=1)


def nightly(nights: int, dollars: float = 60.0) -> Cost:
    cost = CALM.copy()
    for night in range(nights):
        at = BEGIN + 24 * night
        cost[OFFICE, at : at + 3] += round(dollars * DOLLAR)
    return cost


@dataclass
class Story:
    """Judgements one after another, each of which remembers what the one before decided."""

    cost: Cost
    rules: tuple[AnomalyRule, ...] = (KEY, WORKSPACE)
    budgets: tuple[Budget, ...] = ()
    alerts: dict[str, Alert] = field(default_factory=dict)
    feedback: dict[str, Feedback] = field(default_factory=dict)
    remembered: str | None = "{}"
    waiting: list[Request] = field(default_factory=list)
    numbers: int = 0
    last: Decision | None = None

    def ask(self, alert: str, verdict: str | None, actor: str = "ana", comment: str = "") -> None:
        self.numbers += 1
        details = {"alert": alert, "verdict": verdict, "comment": comment}
        self.waiting.append(Request(self.numbers, MONDAY, actor, FEEDBACK, details))

    def judge(self, complete: int) -> tuple[Notification, ...]:
        view = view_of(LEAVES, self.cost, complete)
        now = view.observed_until + MINUTE
        rules = Rules(
            self.budgets,
            self.rules,
            (Route("ops"),),
            DriftRule(enabled=False),
            PriceRule(enabled=False),
        )
        wanted = {request.details["alert"] for request in self.waiting}
        opened = [alert for alert in self.alerts.values() if alert.ends_at is None]
        over = [alert for alert in self.alerts.values() if alert.ends_at is not None and alert.id in wanted]
        held = [each for each in self.feedback.values() if each.holds(now)]
        past = Past(opened, self.remembered, tuple(self.waiting), (), (), held, over)
        self.last = decide(Snapshot("org", "Acme", view, Names()), rules, past, now)
        if self.waiting:
            again = decide(Snapshot("org", "Acme", view, Names()), rules, replace(past, alerts=opened[::-1]), now)
            assert again.feedback == self.last.feedback
            assert again.notifications == self.last.notifications
        self.alerts.update((alert.id, alert) for alert in self.last.alerts)
        self.feedback.update((each.alert, each) for each in self.last.feedback)
        self.remembered = self.last.remember
        self.waiting = []
        return self.last.notifications

    def outcome(self) -> str:
        assert self.last is not None
        (answer,) = self.last.answers
        (act,) = self.last.acts
        assert act.details["outcome"] == answer.outcome
        return answer.outcome

    def of(self, rule: AnomalyRule) -> Alert:
        (found,) = [alert for alert in self.alerts.values() if alert.subject.rule == rule.name]
        return found


def moment(hour: int) -> datetime:
    return MONDAY + hour * HOUR + MINUTE


def test_an_expected_anomaly_ends_with_the_reason_and_the_wider_one_ends_without_a_word() -> None:
    story = Story(nightly(3))
    (first,) = story.judge(BEGIN + 2)
    assert [alert.subject.rule for alert in first.alerts] == ["keys"]
    story.ask(story.of(KEY).id, EXPECTED, comment="new job")
    (over,) = story.judge(BEGIN + 3)
    (ended,) = over.alerts
    assert ended.state is State.RESOLVED
    assert "was expected, says ana" in ended.summary
    assert ended.judged is not None
    assert (ended.judged.verdict, ended.judged.by, ended.judged.comment) == ("expected", "ana", "new job")
    assert story.last is not None
    assert {row.why for row in story.last.transitions} == {"expected, says ana"}
    assert story.of(WORKSPACE).state is State.RESOLVED
    for hour in (4, 8, 27, 52):
        assert story.judge(BEGIN + hour) == ()


def test_what_was_expected_is_told_again_at_three_times_the_height() -> None:
    cost = nightly(9)
    cost[OFFICE, BEGIN + 8 * 24 : BEGIN + 8 * 24 + 3] += 120 * DOLLAR
    story = Story(cost, rules=(KEY,))
    story.judge(BEGIN + 2)
    story.ask(story.of(KEY).id, EXPECTED)
    story.judge(BEGIN + 3)
    for night in (1, 3, 5, 7):
        assert story.judge(BEGIN + 24 * night + 3) == ()
    (message,) = story.judge(BEGIN + 8 * 24 + 3)
    assert message.alerts[0].subject.scope.api_key == "key-0"


def test_taken_back_it_is_as_if_nothing_had_been_said() -> None:
    story = Story(nightly(3), rules=(KEY,))
    story.judge(BEGIN + 2)
    first = story.of(KEY).id
    story.ask(first, EXPECTED)
    story.judge(BEGIN + 3)
    story.ask(first, None)
    assert story.judge(BEGIN + 4) == ()
    assert story.outcome() == "taken back: expected"
    assert story.alerts[first].judged is None
    (message,) = story.judge(BEGIN + 24 + 2)
    assert message.alerts[0].id != first
    story.ask(first, None)
    story.judge(BEGIN + 24 + 3)
    assert story.outcome() == "nothing to take back: nothing is noted of this alert"


def test_said_twice_it_is_noted_once_and_the_last_word_counts() -> None:
    story = Story(nightly(1), rules=(KEY,))
    story.judge(BEGIN + 2)
    alert = story.of(KEY).id
    story.ask(alert, REAL)
    story.judge(BEGIN + 3)
    noted = dict(story.feedback)
    assert noted[alert].until is None
    story.ask(alert, REAL)
    story.judge(BEGIN + 3)
    assert story.outcome() == "already noted: real"
    assert story.feedback == noted
    story.ask(alert, EXPECTED, actor="bob")
    (over,) = story.judge(BEGIN + 3)
    assert "says bob" in over.alerts[0].summary
    assert story.feedback[alert].verdict == "expected"


def test_a_real_one_says_nothing_and_goes_on_until_its_end_which_is_noted() -> None:
    story = Story(nightly(1), rules=(KEY,))
    story.judge(BEGIN + 2)
    alert = story.of(KEY).id
    story.ask(alert, REAL)
    assert story.judge(BEGIN + 3) == ()
    assert story.of(KEY).state is State.FIRING
    ended = ()
    for hour in (6, 8, 10, 12):
        ended += story.judge(BEGIN + hour)
    assert [message.reason for message in ended] == ["resolved"]
    assert story.feedback[alert].until == story.of(KEY).ends_at
    assert story.feedback[alert].since == MONDAY + BEGIN * HOUR


def test_an_alert_that_has_ended_can_be_spoken_of_too() -> None:
    story = Story(nightly(4), rules=(KEY,))
    for hour in (2, 3, 6, 9, 12):
        story.judge(BEGIN + hour)
    alert = story.of(KEY)
    assert alert.state is State.RESOLVED
    story.ask(alert.id, EXPECTED)
    assert story.judge(BEGIN + 13) == ()
    assert story.alerts[alert.id].ends_at == alert.ends_at, "its end stays"
    assert story.judge(BEGIN + 24 + 2) == ()


@pytest.mark.parametrize(
    ("alert", "verdict", "outcome"),
    [
        ("gone", EXPECTED, "refused: there is no alert of this id any more"),
        ("the anomaly", "maybe", "refused: it cannot be read"),
        ("the budget", REAL, "refused: feedback is for anomalies of spend, and this alert is of the kind budget"),
        ("the anomaly", REAL, "noted as real: "),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(alert: str, verdict: str, outcome: str) -> None:
    story = Story(nightly(1), (KEY,), (Budget("day", "day", "UTC", DOLLAR, (100.0,)),))
    story.judge(BEGIN + 2)
    kinds = {f"the {each.subject.kind}": each for each in story.alerts.values()}
    assert (problem(kinds["the anomaly"]), problem(kinds["the budget"])) == (
        None,
        "feedback is for anomalies of spend, and this alert is of the kind budget",
    )
    story.ask(kinds[alert].id if alert in kinds else alert, verdict)
    story.judge(BEGIN + 2)
    assert story.outcome().startswith(outcome)


def test_what_began_more_than_eight_weeks_ago_can_no_longer_be_expected() -> None:
    story = Story(nightly(1), rules=(KEY,))
    for hour in (2, 3, 6, 9, 12):
        story.judge(BEGIN + hour)
    alert = story.of(KEY)
    story.alerts[alert.id] = replace(
        alert, starts_at=alert.starts_at - LASTS, evidence=replace(alert.evidence, since=alert.starts_at - LASTS)
    )  # type: ignore[call-arg]
    story.ask(alert.id, EXPECTED)
    story.judge(BEGIN + 13)
    assert story.outcome() == ("refused: it began more than 8 weeks ago, and nothing is widened for so long")
    assert not story.feedback


def test_the_most_that_may_come_again_is_taken_from_the_hours_of_the_story() -> None:
    story = Story(nightly(1), rules=(KEY,))
    story.judge(BEGIN + 2)
    alert = story.of(KEY).id
    story.ask(alert, EXPECTED)
    story.judge(BEGIN + 3)
    assert np.isclose(story.feedback[alert].excess / DOLLAR, 60.0, atol=1.0)
    assert story.feedback[alert].ends_at == MONDAY + BEGIN * HOUR + LASTS
