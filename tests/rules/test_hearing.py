"""Who hears of an alert: each row is a sentence, the routes, and who hears of which alert.

Routes are `receiver: matchers` or `receiver+: matchers` (it continues) and `receiver-:` (it does not), one a line.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import lifecycle, routing
from rules.hearing import Audience, Hearing
from rules.labels import labels_of, read
from rules.matchers import Matcher, NoMatcher, parse, split
from rules.model import Alert, Breach, Clear, Names, Notification, Reason, Route, Scope, Severity, Subject
from rules.routes import taken
from tests.rules.test_routing import CONFIGURED, NOW, anomaly
from tests.rules.timing import MANY, SIZES, within

NAMES = Names(
    by_id={"wrkspc_1": "prod-api", "wrkspc_2": "dev", "apikey_1": "batch", "user_1": "Ada"},
    workspace_of_key={"apikey_1": "wrkspc_1"},
    user_of_key={"apikey_1": "user_1"},
    emails={"user_1": "ada@team.example"},
    tags_of_workspace={"wrkspc_1": {"team": "platform", "cost-center": "42"}},
)
KEY = Scope("org_1", api_key="apikey_1")
DEV = Scope("org_1", workspace="wrkspc_2")
WHOLE = Scope("org_1")
MODEL = Scope("org_1", model="claude-opus-4-5-20251101")
ODD = Scope("org_1", workspace="(default)", api_key="(console)")
TAGGED = Scope("org_1", tags=(("team", "(none)"),))


def alert_on(scope: Scope, severity: Severity = Severity.WARNING) -> Alert:
    breach = replace(anomaly(scope, 60), severity=severity)
    (alert,) = lifecycle.advance((), [breach], CONFIGURED, NAMES, NOW).alerts
    return alert


def routes_of(script: str) -> list[Route]:
    routes = []
    for line in filter(None, map(str.strip, script.splitlines())):
        name, _, matchers = line.partition(":")
        goes_on = {"+": True, "-": False}.get(name[-1])
        routes.append(Route(name.rstrip("+-"), tuple(map(read, split(matchers))), goes_on))
    return routes


ROWS: list[tuple[str, str, Alert, str]] = [
    ("without matchers everybody hears", "a:\nb:\nc:", alert_on(KEY), "a b c"),
    ("without routes nobody hears", "", alert_on(KEY), ""),
    ("the first route that matches ends its way", "a: severity=warning\nb:", alert_on(KEY), "a"),
    ("what does not match goes on to the next", "a: severity=critical\nb:", alert_on(KEY), "b"),
    ("a route that continues lets others hear too", "a+: severity=warning\nb: rule=spend\nc:", alert_on(KEY), "a b"),
    ("a route without matchers goes on", "a:\nb: severity=warning\nc:", alert_on(KEY), "a b"),
    ("a route without matchers that does not continue ends", "a-:\nb:", alert_on(KEY), "a"),
    ("order counts", "c:\nb: severity=warning\na:", alert_on(KEY), "c b"),
    ("a receiver of two routes hears once", "a+: severity=warning\nb:\na:", alert_on(KEY), "a b"),
    ("all matchers must hold", "a: severity=warning, kind=budget\nb:", alert_on(KEY), "b"),
    ("what no route takes nobody hears", "a: severity=critical\nb: kind=budget", alert_on(KEY), ""),
    ("severity", "a: severity=critical", alert_on(WHOLE, Severity.CRITICAL), "a"),
    ("`!=` takes the others", 'a: kind!="source"', alert_on(KEY), "a"),
    ("`!=` leaves its own out", 'a: kind!="anomaly"', alert_on(KEY), ""),
    ("a regular expression", 'a: rule=~"sp.*"', alert_on(KEY), "a"),
    ("it fits the whole text or not at all", 'a: rule=~"pen"\nb: rule=~"spen"', alert_on(KEY), ""),
    ("alternatives are within the anchors", 'a: rule=~"spen|x"\nb: rule=~"spend|x"', alert_on(KEY), "b"),
    ("`!~` takes what does not fit", 'a: rule!~"pen"\nb:', alert_on(KEY), "a"),
    ("case counts", "a: rule=SPEND", alert_on(KEY), ""),
    ("unless it is told not to", 'a: rule=~"(?i)SPEND"', alert_on(KEY), "a"),
    # ids, names and what follows
    ("a key by its id", "a: api_key=apikey_1", alert_on(KEY), "a"),
    ("a key by its name", "a: api_key=batch", alert_on(KEY), "a"),
    ("neither id nor name may be what `!=` names", "a: api_key!=batch\nb: api_key!=apikey_1", alert_on(KEY), ""),
    ("neither id nor name may fit what `!~` names", 'a: api_key!~"apikey_.*"\nb: api_key!~"bat.*"', alert_on(KEY), ""),
    ("a key is in its workspace", 'a: workspace=~"prod-.*"', alert_on(KEY), "a"),
    ("a key is its user's, by name", "a: user=Ada", alert_on(KEY), "a"),
    ("or by address", 'a: user=~".*@team\\\\.example"', alert_on(KEY), "a"),
    ("a key has the tags of its workspace", "a: tag_team=platform", alert_on(KEY), "a"),
    ("what a label cannot hold is an underscore", "a: tag_cost_center=42", alert_on(KEY), "a"),
    ("a model is in its family", "a: model_family=opus", alert_on(MODEL), "a"),
    ("another workspace does not match", 'a: workspace=~"prod-.*"', alert_on(DEV), ""),
    ("the default workspace has a name", "a: workspace=default", alert_on(ODD), "a"),
    ("the Console has a name", "a: api_key=console", alert_on(ODD), "a"),
    ("no tag is a value where it is asked for by tag", 'a: tag_team="(none)"', alert_on(TAGGED), "a"),
    ("the organization by its id", "a: organization=org_1", alert_on(KEY), "a"),
    ("by its name", "a: organization=Acme", alert_on(KEY), "a"),
    ("by what the configuration calls it", "a: organization=production", alert_on(KEY), "a"),
    # what is not there
    ("what is not there is empty", 'a: api_key=""', alert_on(DEV), "a"),
    ("what is there is not", 'a: api_key=""\nb: api_key!=""', alert_on(KEY), "b"),
    ("what is not there is another", "a: workspace!=dev", alert_on(WHOLE), "a"),
    ("what is not there fits an expression that fits nothing", 'a: workspace=~".*"', alert_on(WHOLE), "a"),
    ("and does not fit one that asks for something", 'a: workspace=~".+"', alert_on(WHOLE), ""),
    ("a workspace without the tag", 'a: tag_team=""', alert_on(DEV), "a"),
]


@pytest.mark.parametrize(("script", "alert", "heard"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_who_hears(script: str, alert: Alert, heard: str) -> None:
    assert " ".join(Hearing(routes_of(script), NAMES, ("Acme", "production")).of(alert)) == heard


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ("a=b", Matcher("a", "=", "b")),
        (' a != "b c" ', Matcher("a", "!=", "b c")),
        ('a=~"b|c"', Matcher("a", "=~", "b|c")),
        ("a!~b.*", Matcher("a", "!~", "b.*")),
        ("a=", Matcher("a", "=", "")),
        ('a=""', Matcher("a", "=", "")),
        (r'a="b\"\\\n\x"', Matcher("a", "=", 'b"\\\n\\x')),
        ("a=b\\", Matcher("a", "=", "b\\")),
        ('a="=b"', Matcher("a", "=", "=b")),
        ("a=b,c", Matcher("a", "=", "b,c")),
    ],
)
def test_a_matcher_is_read_as_alertmanager_reads_it_and_written_back(text: str, matcher: Matcher) -> None:
    assert parse(text) == matcher
    assert parse(str(matcher)) == matcher


@pytest.mark.parametrize(
    "text", ["", "a", "=b", "a==b", "1a=b", "a b=c", 'a="b', 'a="b\\"', 'a=b"', 'a="b"c"', 'a="', "a=~("]
)
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(NoMatcher):
        parse(text)


def test_commas_within_quotation_marks_part_nothing() -> None:
    assert split(r'a=b, c="d,\"e,",f=g,') == ["a=b", r'c="d,\"e,"', "f=g"]


def send(
    advance: lifecycle.Advance, script: str, known: tuple[Alert, ...] = (), receivers: tuple[str, ...] | None = None
) -> routing.Routed:
    audience = Audience(routes_of(script), receivers)
    return routing.notifications(
        advance, known, audience, organization_name="Acme", first_judgement=False, now=NOW, names=NAMES
    )


def judge(
    script: str, *verdicts: Breach | Clear, known: tuple[Alert, ...] = (), receivers: tuple[str, ...] | None = None
) -> tuple[list[str], tuple[Alert, ...]]:
    """Messages as "receiver: scopes", "*" where they tell of an end; and the alerts afterwards."""
    advance = lifecycle.advance(known, verdicts, CONFIGURED, NAMES, NOW)
    routed = send(advance, script, known, receivers)
    return list(map(shown, routed.notifications)), lifecycle.applied(known, routed.alerts)


def shown(message: Notification) -> str:
    text = f"{message.receiver}: {' '.join(alert.subject.scope.kind for alert in message.alerts)}"
    text += f" [{' '.join(alert.subject.scope.kind for alert in message.inhibited)}]" if message.inhibited else ""
    return text + ("*" if message.reason is Reason.RESOLVED else "")


def clear(scope: Scope) -> Clear:
    return Clear(Subject("spend", "anomaly", scope))


def critical(scope: Scope, excess: int) -> Breach:
    return replace(anomaly(scope, excess), severity=Severity.CRITICAL)


PAGER = "pager: severity=critical\nops:"


def test_each_receiver_gets_what_it_hears_of_and_few_messages_of_that() -> None:
    keys = [anomaly(Scope("org_1", api_key=f"k{i}"), 60) for i in range(6)]
    messages, _ = judge(PAGER, *keys, critical(DEV, 10))
    assert messages == ["pager: workspace", "ops: " + " ".join(["api_key"] * 6)]


def test_an_end_is_told_to_whoever_heard_of_it_even_if_the_routes_have_changed() -> None:
    messages, known = judge(PAGER, anomaly(DEV, 60))
    assert messages == ["ops: workspace"]
    messages, _ = judge("pager:", clear(DEV), known=known)
    assert messages == ["ops: workspace*"]


def test_an_end_is_told_to_nobody_who_has_not_heard_of_it() -> None:
    _, known = judge("pager: severity=critical", anomaly(DEV, 60))
    assert judge("pager:\nops:", clear(DEV), known=known)[0] == []


def test_a_receiver_that_is_no_more_is_not_told_of_an_end() -> None:
    _, known = judge("gone:\nops:", anomaly(DEV, 60))
    messages, _ = judge("new:", clear(DEV), known=known, receivers=("new", "ops"))
    assert messages == ["ops: workspace*"]


def test_a_severity_that_rises_later_is_sent_to_nobody_else() -> None:
    _, known = judge(PAGER, anomaly(DEV, 60))
    messages, known = judge(PAGER, critical(DEV, 600), known=known)
    assert messages == []
    assert judge(PAGER, clear(DEV), known=known)[0] == ["ops: workspace*"]


def test_a_story_goes_to_whoever_hears_of_any_alert_in_it() -> None:
    messages, known = judge(PAGER, anomaly(KEY, 60), critical(WHOLE, 70))
    assert messages == ["pager: api_key [organization]", "ops: api_key [organization]"]
    assert judge(PAGER, clear(KEY), clear(WHOLE), known=known)[0] == ["pager: api_key*", "ops: api_key*"]


def test_who_hears_only_of_a_wider_alert_that_joins_later_gets_the_story_then() -> None:
    messages, known = judge(PAGER, anomaly(KEY, 60))
    assert messages == ["ops: api_key"]
    messages, known = judge(PAGER, anomaly(KEY, 60), critical(WHOLE, 70), known=known)
    assert messages == ["pager: api_key [organization]"]
    messages, known = judge(PAGER, anomaly(KEY, 60), critical(WHOLE, 80), known=known)
    assert messages == []
    assert judge(PAGER, clear(KEY), clear(WHOLE), known=known)[0] == ["pager: api_key*", "ops: api_key*"]


def test_what_an_earlier_version_told_ends_for_everybody() -> None:
    _, known = judge("ops:", anomaly(DEV, 60))
    older = tuple(replace(alert, heard=None) for alert in known)
    assert judge("ops:\npager: severity=critical", clear(DEV), known=older)[0] == [
        "ops: workspace*",
        "pager: workspace*",
    ]


@pytest.mark.parametrize("count", SIZES)
def test_thousands_of_alerts_by_twenty_routes_in_under_a_second(count: int) -> None:
    workspaces = {f"apikey_{i:05d}": f"wrkspc_{i % 60}" for i in range(count)}
    names = Names(
        by_id={ident: f"key {ident}" for ident in workspaces} | {f"wrkspc_{i}": f"prod-{i}" for i in range(60)},
        workspace_of_key=workspaces,
        user_of_key={f"apikey_{i:05d}": f"user_{i % 300}" for i in range(count)},
        tags_of_workspace={f"wrkspc_{i}": {"team": f"team {i % 7}"} for i in range(60)},
    )
    breaches = [anomaly(Scope("org_1", api_key=key), 10) for key in workspaces]
    alerts = lifecycle.advance((), breaches, CONFIGURED, names, NOW).alerts
    texts = [
        (f'workspace=~"prod-{i}"', 'severity!="info"', 'api_key=~".*9{i}"', f'tag_team="team {i}"') for i in range(19)
    ]
    routes = [Route(f"r{i}", tuple(map(read, text)), goes_on=True) for i, text in enumerate(texts)] + [Route("ops")]
    assert len(routes) == 20

    def hear() -> list[tuple[str, ...]]:
        hearing = Hearing(routes, names)
        return [tuple(hearing.of(alert)) for alert in alerts]

    heard = within(count / MANY, hear)  # a fifth of it on a quiet machine
    assert all(receivers[-1] == "ops" for receivers in heard)


MATCHERS = [
    'workspace=~"prod-.*"',
    "workspace=wrkspc_2",
    "workspace!=dev",
    'api_key=""',
    "api_key=batch",
    "severity!=info",
]
CONTINUE = st.sampled_from([None, True, False])


def row(name: str, match: set[str], goes_on: bool | None, inside: list[Route] | None = None) -> Route:
    return Route(name, tuple(map(read, sorted(match))), goes_on, routes=tuple(inside or ()))


ROUTES = st.recursive(
    st.lists(st.builds(row, st.sampled_from("abc"), st.sets(st.sampled_from(MATCHERS)), CONTINUE), max_size=4),
    lambda inside: st.lists(
        st.builds(row, st.sampled_from("abc"), st.sets(st.sampled_from(MATCHERS)), CONTINUE, inside), max_size=4
    ),
    max_leaves=10,
)


@given(ROUTES)
def test_for_many_alerts_the_routes_take_what_each_takes_by_itself(routes: list[Route]) -> None:
    hearing = Hearing(routes, NAMES)
    for alert in [alert_on(scope) for scope in (KEY, DEV, WHOLE, MODEL, KEY)]:
        by_itself = taken(routes, labels_of(alert, NAMES))
        assert hearing.of(alert) == tuple(dict.fromkeys(route.receiver for route in by_itself))


def test_the_labels_of_an_alert_are_those_that_its_scope_settles() -> None:
    assert labels_of(alert_on(KEY), NAMES, ("Acme", "")) == {
        "kind": ("anomaly",),
        "severity": ("warning",),
        "rule": ("spend",),
        "organization": (
            "org_1",
            "Acme",
        ),
        "workspace": (
            "wrkspc_1",
            "prod-api",
        ),
        "api_key": (
            "apikey_1",
            "batch",
        ),
        "user": (
            "user_1",
            "Ada",
            "ada@team.example",
        ),
        "owner": (
            "user_1",
            "Ada",
            "ada@team.example",
        ),
        "tag_team": ("platform",),
        "tag_cost_center": ("42",),
    }
    assert set(labels_of(alert_on(WHOLE), NAMES)) == {"kind", "severity", "rule", "organization"}
