"""Presses in Slack that decide about keys: who may, what they ask of the next cycle, and what is answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gallery_actions import action, asking, done, told
from benchmarks.gallery_samples import NOW, runaway_key
from notifiers.slack_action_blocks import APPROVE, DEACTIVATE, DENY
from notifiers.slack_buttons import Press, read_press
from notifiers.slack_keys import Words
from notifiers.slack_memory import Sent
from rules import action_requests
from rules.actions import Action, ActionState
from rules.asked import Request
from rules.keys import Key, Keys
from rules.model import Alert, State
from rules.policy import Policy, Protect
from rules.situation import Situation
from tests.slack_workspace import CHANNEL
from watcher.admin_api.answers import ApiKey
from watcher.clock import DrillClock
from watcher.settings import ShutoffSettings
from watcher.slack_actions import Reply, SlackActions
from watcher.slack_offers import SlackOffers
from watcher.slack_shutoff import SlackShutoff
from watcher.store import Store
from watcher.store.actions import write_actions
from watcher.store.alerts import write_alerts

ADA, EVE = "U0123456789", "U0999999999"
POLICY = Policy(mode="approve", approvers=(ADA, "ops@example.com"))
ORGANIZATION = runaway_key().subject.scope.organization
KEY = str(runaway_key().subject.scope.api_key)
TS = "1700000000.000001"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as opened:
        yield opened


def kept(store: Store, *rows: Action) -> Action:
    with store.database.writing() as connection:
        write_actions(connection, rows)
        write_alerts(connection, [runaway_key()])
    letter = replace(told(*rows), id="n1", receiver="ops")
    store.slack_messages.begin(letter)
    store.slack_messages.posted(letter, Sent(CHANNEL, TS))
    return rows[0]


def listed(store: Store, status: str = "active", name: str = "batch-summariser") -> None:
    created = datetime(2026, 1, 1, tzinfo=UTC)
    workspace = "wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ"
    key = ApiKey(KEY, name, status, workspace, False, created, None, None, None, None)
    store.directory.record_api_key(ORGANIZATION, key, NOW)


def press(what: str, row: Action | None = None, user: str = ADA, **more: Any) -> Press:
    about, digest = ("", "") if row is None else (row.id, row.digest)
    given = {"alert": about, "digest": digest, "channel": CHANNEL, "ts": TS, "thread": TS, **more}
    return Press(action=what, user=user, **given)


def taking(
    store: Store, policy: Policy | None = POLICY, now: datetime = NOW, *actors: str, brake_file: Path | None = None
) -> SlackActions:
    clock = DrillClock(now, 0.0)
    shutoff = None if policy is None else ShutoffSettings(policy, brake_file)
    keys = SlackShutoff(store, clock, shutoff, lambda: [ORGANIZATION])
    return SlackActions(store, clock, "ops", actors, lambda: [ORGANIZATION], lambda _user: "Ada", keys=keys)


def refused(reply: Reply | None) -> str:
    assert reply is not None
    assert not reply.aloud
    return reply.text


@pytest.mark.parametrize(
    ("what", "asked", "says"),
    [
        (APPROVE, action_requests.APPROVE, "approves it: key “batch-summariser” is deactivated in the next cycle"),
        (DENY, action_requests.DENY, "says no: key “batch-summariser” stays on"),
    ],
)
def test_a_press_asks_the_next_cycle_with_who_pressed_and_what_was_shown(
    store: Store, what: str, asked: str, says: str
) -> None:
    row = kept(store, asking())
    reply = taking(store).take(press(what, row))
    assert reply is not None
    assert reply.aloud
    assert says in reply.text
    (command,) = store.commands.pending(ORGANIZATION)
    assert (command.what, command.actor) == (asked, f"Ada (Slack {ADA})")
    assert command.details["action"] == row.id
    assert command.details["approver"] == ADA
    assert command.details["digest"] == row.digest


def test_a_press_twice_asks_once(store: Store) -> None:
    row = kept(store, asking())
    assert taking(store).take(press(APPROVE, row)) is not None
    assert "has asked for that already" in refused(taking(store).take(press(APPROVE, row)))
    assert len(store.commands.pending(ORGANIZATION)) == 1


def test_a_press_after_its_time_is_answered_so(store: Store) -> None:
    row = kept(store, asking())
    late = taking(store, POLICY, NOW + timedelta(minutes=30))
    assert "time for approving it is over" in refused(late.take(press(APPROVE, row)))


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (done(), "decided already. Key “batch-summariser” is off since"),
        (asking(state=ActionState.EXPIRED, reason="Nobody approved it within 30 minutes."), "nobody approved it"),
        (asking(state=ActionState.REFUSED, by="<!channel>", reason="<!channel> said no."), "&lt;!channel&gt; said no"),
        (asking(state=ActionState.APPROVED, by="<ann>"), "&lt;ann&gt; has approved it already"),
    ],
)
def test_a_press_on_what_is_decided_says_what_came_of_it(store: Store, row: Action, says: str) -> None:
    kept(store, row)
    assert says in refused(taking(store).take(press(APPROVE, row)))
    assert store.commands.pending(ORGANIZATION) == ()


def test_what_has_changed_since_it_was_shown_is_not_approved(store: Store) -> None:
    row = kept(store, asking())
    shown = replace(row, amount=row.amount + 1)
    assert "changed since this message" in refused(taking(store).take(press(APPROVE, shown)))


@pytest.mark.parametrize("what", [APPROVE, DENY, DEACTIVATE])
def test_a_stranger_decides_nothing(store: Store, what: str) -> None:
    row = kept(store, asking())
    assert "not among those who decide about keys" in refused(taking(store).take(press(what, row, EVE)))
    assert store.commands.pending(ORGANIZATION) == ()


@pytest.mark.parametrize("approvers", [(), ("ops@example.com",)])
def test_where_no_slack_user_is_named_nobody_in_slack_approves_or_deactivates(
    store: Store, approvers: tuple[str, ...]
) -> None:
    row = kept(store, asking())
    policy = replace(POLICY, approvers=approvers)
    for what in (APPROVE, DEACTIVATE):
        assert "Nobody decides about keys in Slack" in refused(taking(store, policy).take(press(what, row)))


def test_where_nobody_is_named_whoever_may_press_says_no(store: Store) -> None:
    row = kept(store, action())
    policy = replace(POLICY, mode="auto", approvers=())
    assert "not among those" in refused(taking(store, policy, NOW, EVE).take(press(DENY, row)))
    reply = taking(store, policy, NOW, ADA).take(press(DENY, row))
    assert reply is not None
    assert reply.aloud


def test_an_approver_decides_though_others_alone_may_press_the_rest(store: Store) -> None:
    row = kept(store, asking())
    reply = taking(store, POLICY, NOW, EVE).take(press(DENY, row))
    assert reply is not None
    assert reply.aloud


@pytest.mark.parametrize(("policy", "says"), [(None, "no [shutoff]"), (replace(POLICY, mode="off"), 'mode = "off"')])
def test_without_shutoff_nothing_is_asked_for(store: Store, policy: Policy | None, says: str) -> None:
    row = kept(store, asking())
    assert says in refused(taking(store, policy).take(press(APPROVE, row)))


def test_a_plan_of_another_organization_is_not_known(store: Store) -> None:
    row = kept(store, asking())
    clock = DrillClock(NOW, 0.0)
    keys = SlackShutoff(store, clock, ShutoffSettings(POLICY), lambda: ["another"])
    other = SlackActions(store, clock, "ops", (), lambda: ["another"], str, keys=keys)
    assert "not known any more" in refused(other.take(press(APPROVE, row)))


def test_a_press_belongs_to_the_receiver_that_told_of_the_plan(store: Store) -> None:
    row = kept(store, asking())
    assert taking(store).knows(press(APPROVE, row))
    assert not taking(store).knows(press(APPROVE, replace(row, id="ffffffff")))


@pytest.mark.parametrize(
    ("policy", "yes", "no"),
    [
        (POLICY, True, True),
        (replace(POLICY, approvers=()), False, True),
        (replace(POLICY, approvers=("ops@example.com",)), False, False),
        (replace(POLICY, mode="off"), False, False),
        (replace(POLICY, mode="off", approvers=()), False, False),
    ],
)
def test_buttons_are_for_those_who_may_press_them(store: Store, policy: Policy, *, yes: bool, no: bool) -> None:
    assert SlackOffers(store, policy).words() == Words(yes, no)


# ------------------------------------------------------------------------------------------- keys of alerts


def test_the_key_of_an_alert_is_offered_and_deactivated_as_it_was_shown(store: Store) -> None:
    alert = kept_alert(store)
    listed(store)
    offer = SlackOffers(store, POLICY).offer(alert, NOW)
    assert offer is not None
    assert SlackOffers(store, replace(POLICY, mode="dry_run")).offer(alert, NOW) == replace(offer, dry_run=True)
    assert (offer.alert, offer.key, offer.name, offer.workspace) == (alert.id, KEY, "batch-summariser", "Production")
    pressed = press(DEACTIVATE, None, alert=alert.id, digest=offer.digest)
    reply = taking(store).take(pressed)
    assert reply is not None
    assert "has key “batch-summariser” deactivated" in reply.text
    (command,) = store.commands.pending(ORGANIZATION)
    assert command.what == action_requests.DEACTIVATE
    assert {name: command.details[name] for name in ("key", "alert", "approver")} == {
        "key": KEY,
        "alert": alert.id,
        "approver": ADA,
    }
    assert command.details["reason"] == f"pressed in Slack, for alert {alert.id}"
    assert "has asked for that already" in refused(taking(store).take(pressed))


def test_while_actions_are_paused_no_key_is_asked_to_be_deactivated(store: Store, tmp_path: Path) -> None:
    alert = kept_alert(store)
    listed(store)
    offer = SlackOffers(store, POLICY).offer(alert, NOW)
    assert offer is not None
    brake = tmp_path / "STOP"
    brake.touch()
    pressed = press(DEACTIVATE, None, alert=alert.id, digest=offer.digest)
    assert "Actions are paused (there is a file STOP)" in refused(taking(store, brake_file=brake).take(pressed))
    assert store.commands.pending(ORGANIZATION) == ()


def kept_alert(store: Store) -> Alert:
    with store.database.writing() as connection:
        write_alerts(connection, [runaway_key()])
    return runaway_key()


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        (replace(POLICY, mode="off"), "active"),
        (replace(POLICY, approvers=()), "active"),
        (replace(POLICY, approvers=("ops@example.com", "S012345")), "active"),
        (replace(POLICY, protect=Protect(api_key=(KEY,))), "active"),
        (POLICY, "inactive"),
    ],
)
def test_a_key_that_nobody_may_deactivate_is_not_offered(store: Store, policy: Policy, status: str) -> None:
    alert = kept_alert(store)
    listed(store, status)
    assert SlackOffers(store, policy).offer(alert, NOW) is None


def test_a_key_with_a_plan_or_an_alert_that_is_over_is_not_offered(store: Store) -> None:
    listed(store)
    alert = kept_alert(store)
    offers = SlackOffers(store, POLICY)
    assert offers.offer(replace(alert, state=State.RESOLVED), NOW) is None
    kept(store, asking())
    assert offers.offer(alert, NOW) is None
    assert [row.id for row in offers.rows([alert])] == [asking().id]


def test_a_key_that_was_renamed_since_is_looked_at_first(store: Store) -> None:
    alert = kept_alert(store)
    listed(store)
    offer = SlackOffers(store, POLICY).offer(alert, NOW)
    assert offer is not None
    listed(store, name="prod-gateway")
    pressed = press(DEACTIVATE, None, alert=alert.id, digest=offer.digest)
    assert "called “prod-gateway” by now" in refused(taking(store).take(pressed))


# ------------------------------------------------------------------------------------------- judged once more


def heard(details: dict[str, Any], policy: Policy, what: str) -> str:
    key = Key(KEY, "batch-summariser", "w", "active", NOW)
    situation = Situation(ORGANIZATION, policy, journal=[asking()], keys=Keys({KEY: key}))
    request = Request(1, NOW, f"Ada (Slack {ADA})", what, details)
    (answer,) = action_requests.hear([request], situation, NOW).answers
    return answer.outcome


def test_the_rules_let_nobody_in_slack_approve_or_deactivate_whom_the_configuration_does_not_name() -> None:
    row = asking()
    approval = {"action": row.id, "digest": row.digest, "approver": ADA}
    by_hand = {"key": KEY, "reason": "x", "approver": ADA}
    nobody = replace(POLICY, approvers=())
    assert "not among the approvers" in heard(approval, nobody, action_requests.APPROVE)
    assert "not among the approvers" in heard(by_hand, nobody, action_requests.DEACTIVATE)
    assert heard(approval, POLICY, action_requests.APPROVE) == "approved: batch-summariser"
    assert "not among the approvers" in heard(by_hand, replace(POLICY, approvers=(EVE,)), action_requests.DEACTIVATE)


def test_the_rules_deactivate_no_key_that_is_called_otherwise_than_it_was_shown() -> None:
    row = {"key": KEY, "reason": "x", "approver": ADA, "digest": "000000000000"}
    nothing = replace(POLICY, approvers=(ADA,))
    assert "another name" in heard(row, nothing, action_requests.DEACTIVATE)


# ------------------------------------------------------------------------------------------- what is pressed


@pytest.mark.parametrize(
    ("action_id", "value", "ours"),
    [
        (APPROVE, "8f3a11c0:0123456789ab", True),
        (APPROVE, "8f3a11c0", False),
        (APPROVE, "8f3a11c0:0123", False),
        (APPROVE, "8f3a11c0:0123456789ab:x", False),
        ("watcher_acknowledge", "a1", True),
        ("watcher_acknowledge", "a1:0123456789ab", False),
    ],
)
def test_a_press_about_a_key_says_what_was_shown(action_id: str, value: str, *, ours: bool) -> None:
    payload = {
        "type": "block_actions",
        "user": {"id": ADA},
        "channel": {"id": CHANNEL},
        "message": {"ts": TS},
        "actions": [{"action_id": action_id, "value": value}],
    }
    found = read_press(payload)
    assert (found is not None) is ours
    if found is not None and ":" in value:
        assert (found.alert, found.digest) == ("8f3a11c0", "0123456789ab")
