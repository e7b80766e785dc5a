"""Which messages say how the journal stands, and what becomes of news that could not be delivered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.gallery_actions import action, asking, done, told
from benchmarks.gallery_samples import NOW, many, notification, runaway_key, workspace_parent
from notifiers.render import story
from notifiers.story import plain_text
from rules.action_news import Listeners, folded, messages, standing
from rules.actions import Action, ActionNews, ActionState
from rules.merging import merged
from rules.model import Alert, Notification, Reason, State
from rules.policy import Brake


def news_of(letter: Notification) -> tuple[str, ...]:
    return () if letter.news is None else tuple(row.state.value for row in letter.news.actions)


def test_a_message_about_an_alert_says_how_its_plan_stands_also_where_that_is_no_news() -> None:
    repeated = notification(runaway_key(), reason=Reason.REPEATED)
    other = notification(*many(2))
    first, second = standing([repeated, other], [asking()])
    assert news_of(first) == ("proposed",)
    assert second == other


def test_news_that_a_message_has_already_stay() -> None:
    letter = told(action(), reason=Reason.FIRST)
    assert list(standing([letter], [done()])) == [letter]


def test_an_end_says_what_was_done_and_not_what_was_refused() -> None:
    over = notification(runaway_key(state=State.RESOLVED), reason=Reason.RESOLVED)
    assert [news_of(each) for each in standing([over], [done()])] == [("confirmed",)]
    refused = action(state=ActionState.REFUSED, reason="x")
    assert list(standing([over], [refused])) == [over]


def test_news_about_an_alert_inside_anothers_story_goes_where_that_story_is_told() -> None:
    teller = replace(runaway_key(), heard=("ops",))
    inside = replace(workspace_parent(), inhibited_by=teller.id)
    listeners = Listeners(("ops", "other"), {teller.id: teller, inside.id: inside}, "Tidewater")
    plan = ActionNews("planned", (action(inside),))
    (sent,) = messages([plan], listeners, NOW)
    assert (sent.receiver, sent.alerts, sent.inhibited) == ("ops", (teller,), (inside,))
    first = replace(notification(teller, inhibited=(inside,)), receiver="ops")
    (both,) = folded([first], [sent])
    assert both.news == plan
    (again,) = standing([first], [action(inside)])
    assert news_of(again) == ("proposed",)


def storm(count: int) -> tuple[tuple[Alert, ...], tuple[ActionNews, ...]]:
    alerts = tuple(replace(alert, heard=("ops",)) for alert in many(count))
    return alerts, tuple(ActionNews("planned", (action(alert),)) for alert in alerts)


@pytest.mark.parametrize(("count", "told"), [(1, 1), (5, 5), (6, 1), (500, 1)])
def test_a_storm_of_plans_is_one_message_that_has_all_of_them(count: int, told: int) -> None:
    alerts, news = storm(count)
    listeners = Listeners(("ops",), {alert.id: alert for alert in alerts}, "Tidewater")
    sent = folded((), messages(news, listeners, NOW))
    assert len(sent) == told
    assert len({letter.id for letter in sent}) == told
    assert sum(len(news_of(letter)) for letter in sent) == count
    assert {alert.id for letter in sent for alert in letter.alerts} == {alert.id for alert in alerts}


def test_a_message_about_many_alerts_has_the_plans_of_all_of_them() -> None:
    alerts, news = storm(9)
    listeners = Listeners(("ops",), {alert.id: alert for alert in alerts}, "Tidewater")
    (sent,) = folded([replace(notification(*alerts), receiver="ops")], messages(news, listeners, NOW))
    assert len(news_of(sent)) == 9
    text = plain_text(story(sent), 10_000)
    assert "9 keys will be deactivated at 14:23 UTC unless someone says no." in text
    assert "And 4 more." in text
    assert "of the excess" not in text


def test_that_actions_are_paused_is_told_whatever_the_storm() -> None:
    alerts, news = storm(9)
    paused = ActionNews("paused", brake=Brake(None, "ann", NOW))
    listeners = Listeners(("ops",), {alert.id: alert for alert in alerts}, "Tidewater")
    first, second = folded((), messages([paused, *news], listeners, NOW))
    assert first.news == paused
    assert len(news_of(second)) == 9


def letter(row: Action, ident: str) -> Notification:
    return replace(told(row), id=ident)


def test_a_receiver_that_is_back_hears_of_each_plan_once_as_it_is() -> None:
    first = notification(runaway_key())
    waiting = [first, letter(asking(), "n1"), letter(done(), "n2")]
    assert [each.id for each in merged(waiting)[1:]] == ["n2"]
    assert merged(waiting)[0].alerts == first.alerts


def test_news_of_other_keys_are_not_lost_to_later_ones() -> None:
    other = asking(key="apikey_other")
    assert [each.id for each in merged([letter(asking(), "n1"), letter(other, "n2")])] == ["n1", "n2"]


def test_news_inside_messages_that_become_one_are_inside_that_one() -> None:
    one = told(asking(), reason=Reason.FIRST)
    both = merged([one, replace(notification(*many(2)), id="n2")])
    assert len(both) == 1
    assert news_of(both[0]) == ("proposed",)


def test_of_the_brake_only_the_last_word_is_told() -> None:
    paused = replace(told(event="paused", alerts=(), brake=Brake(None, "ann", NOW)), id="n1")
    resumed = replace(told(event="resumed", alerts=(), brake=Brake(None, "ann", NOW)), id="n2")
    assert [each.id for each in merged([paused, resumed])] == ["n2"]
