"""Whose an alert is: the first owner that takes it, and what becomes of that when the configuration is edited."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rules.labels import labels_of, read
from rules.matchers import split
from rules.model import Alert, AnomalyEvidence, Names, Owned, Scope, Severity, State, Subject
from rules.owned import Owner, is_slack_id
from rules.owners import owned_anew, owner_of
from tests.rules.timing import MANY, SIZES, within

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAMES = Names(
    by_id={"apikey_1": "pay-batch", "wrkspc_1": "prod", "user_1": "Ada"},
    workspace_of_key={"apikey_1": "wrkspc_1"},
    user_of_key={"apikey_1": "user_1"},
    emails={"user_1": "ada@team.example"},
    tags_of_workspace={"wrkspc_1": {"team": "platform"}},
)
EVIDENCE = AnomalyEvidence(NOW, 1, 0, 1, 0, 0, 1.0, 100, (), NOW)
KEY, WHOLE = Scope("org_1", api_key="apikey_1"), Scope("org_1")


def alert_on(scope: Scope, **more: object) -> Alert:
    subject = Subject("spend", "anomaly", scope)
    return replace(Alert("id", subject, Severity.WARNING, State.FIRING, NOW, NOW, EVIDENCE, ""), **more)


def owners_of(script: str) -> tuple[Owner, ...]:
    """One owner a line: "name: matcher, matcher"."""
    lines = (line.partition(":") for line in script.splitlines())
    return tuple(Owner(Owned(name.strip()), tuple(map(read, split(rest)))) for name, _, rest in lines)


@pytest.mark.parametrize(
    ("script", "scope", "owner"),
    [
        ("a: tag_team=platform\nb:", KEY, "a"),
        ("a: tag_team=search\nb:", KEY, "b"),
        ('a: api_key=~"pay-.*"\nb:', KEY, "a"),
        ("a: workspace=prod\nb: api_key=apikey_1", KEY, "a"),
        ("a: workspace=prod, kind=budget\nb: user=Ada", KEY, "b"),
        ("a: workspace=prod", WHOLE, None),
        ("a: workspace=prod\nb:", WHOLE, "b"),
        ("a: tag_team=search", KEY, None),
    ],
)
def test_the_first_owner_that_takes_an_alert_owns_it(script: str, scope: Scope, owner: str | None) -> None:
    found = owner_of(owners_of(script), labels_of(alert_on(scope), NAMES))
    assert (None if found is None else found.name) == owner


def test_open_alerts_change_hands_when_the_configuration_does_and_ended_ones_do_not() -> None:
    alert = alert_on(KEY, owner="Ada (ada@team.example)")
    (given,) = owned_anew(owners_of("a: tag_team=platform"), [alert], NAMES)
    assert (given.whose, alert.whose) == ("a", "Ada (ada@team.example)")
    assert list(owned_anew(owners_of("a: tag_team=platform"), [given], NAMES)) == []
    assert [each.whose for each in owned_anew(owners_of("b:"), [given], NAMES)] == ["b"]
    assert [each.whose for each in owned_anew((), [given], NAMES)] == ["Ada (ada@team.example)"]
    ended = replace(given, state=State.RESOLVED, ends_at=NOW)
    assert list(owned_anew(owners_of("b:"), [ended], NAMES)) == []


def test_the_user_of_a_key_owns_it_where_the_configuration_says_so_and_somebody_is_known() -> None:
    owners = (Owner(None), *owners_of("rest:"))
    (ada,) = owned_anew(owners, [alert_on(KEY)], NAMES)
    assert ada.owned == Owned("Ada", "ada@team.example")
    assert labels_of(ada, NAMES)["owner"] == ("Ada", "ada@team.example")
    assert [each.whose for each in owned_anew(owners, [alert_on(WHOLE)], NAMES)] == ["rest"]
    unknown = replace(NAMES, by_id={})
    assert [each.whose for each in owned_anew(owners, [alert_on(KEY)], unknown)] == ["rest"]
    nameless = replace(NAMES, by_id={"user_1": "ada@team.example"})
    assert [each.whose for each in owned_anew(owners, [alert_on(KEY)], nameless)] == ["ada@team.example"]


def test_routes_can_ask_for_the_owner_and_else_for_the_user() -> None:
    assert labels_of(alert_on(KEY, owned=Owned("payments", "p@team.example")), NAMES)["owner"] == (
        "payments",
        "p@team.example",
    )
    assert labels_of(alert_on(KEY), NAMES)["owner"] == ("user_1", "Ada", "ada@team.example")
    assert "owner" not in labels_of(alert_on(WHOLE), NAMES)


@pytest.mark.parametrize("text", ["U012AB3CD", "W012AB3CD", "S012AB3CD"])
def test_ids_of_users_and_user_groups_are_such(text: str) -> None:
    assert is_slack_id(text)


@pytest.mark.parametrize(
    "text", ["", "here", "!channel", "U1", "C012AB3CD", "u012ab3cd", "U012AB3CD\n", "U012>", "Ü012AB3CD"]
)
def test_nothing_else_is_one(text: str) -> None:
    assert not is_slack_id(text)


@pytest.mark.parametrize("count", SIZES)
def test_thousands_of_alerts_get_the_owners_that_each_gets_by_itself_and_soon(count: int) -> None:
    workspaces = {f"apikey_{number:05d}": f"wrkspc_{number % 60}" for number in range(count)}
    names = Names({f"wrkspc_{number}": f"prod-{number}" for number in range(60)}, workspace_of_key=workspaces)
    alerts = [alert_on(Scope("org_1", api_key=key)) for key in workspaces]
    owners = owners_of("\n".join(f'{n}: workspace=~"prod-{n}|prod-{n + 20}", api_key!~".*9{n}"' for n in range(20)))
    given = within(0.8 * count / MANY, lambda: list(owned_anew(owners, alerts, names)))  # a fourth on a quiet machine
    some = alerts[:: count // 100]
    by_themselves = [owner_of(owners, labels_of(alert, names)) for alert in some]
    owned = {alert.subject: alert.owned for alert in given}
    assert [owned.get(alert.subject) for alert in some] == by_themselves
    assert 0 < len(given) < count
