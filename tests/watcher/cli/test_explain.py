"""`watcher explain`: what was decided, who heard, and whether it would be decided so again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rules.groups import Group, Member
from tests.stage import ADMIN_KEY, NOW, Listener, here, receiver, write_config
from watcher.simulator import Simulator, World
from watcher.store import Judgement, Store

RULES = """\
[[anomaly]]
name = "key spend"
[[budget]]
name = "organization"
limit_usd = 100
thresholds = [50, 100]
[[budget]]
name = "early"
limit_usd = 450
thresholds = [99]
forecast = [100]
burn_rate = true
pace = [110]
"""
LATER, AFTER = "2026-11-20T12:25:00Z@1", "2026-11-20T12:45:00Z@1"


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a configuration and its database after one poll; one receiver hears, the other refuses."""
    world = World(started_at=NOW - timedelta(hours=5), seed=7, keys=3, days=10, scenario="runaway")
    folder = tmp_path_factory.mktemp("polled")
    with Simulator(world, lambda: NOW) as served, Listener() as hears, Listener(answer=503) as refuses:
        told = receiver("hook", f"{hears.url}/hook") + receiver("broken", f"{refuses.url}/s3cret-path")
        config = write_config(folder, served.url, RULES + told, backfill="9d")
        assert here("poll", "-c", config)[0] == 0
        yield folder


@pytest.fixture
def config(polled: Path, tmp_path: Path) -> Path:
    shutil.copytree(polled, tmp_path / "copy")
    return tmp_path / "copy" / "config.toml"


def ids(config: Path) -> dict[str, str]:
    return {one["kind"]: one["id"] for one in json.loads(here("alerts", "--json", "-c", config)[1])}


def explained(config: Path, ident: str, clock: str = LATER) -> dict[str, Any]:
    code, out, err = here("explain", ident, "--json", "-c", config, clock=clock)
    assert (code, err) == (0, "")
    document: dict[str, Any] = json.loads(out)
    return document


def edit(config: Path, before: str, after: str) -> None:
    text = config.read_text()
    assert before in text
    config.write_text(text.replace(before, after, 1))


def test_an_anomaly_is_explained_at_eighty_columns_and_would_be_decided_so_again(config: Path) -> None:
    code, out, err = here("explain", ids(config)["anomaly"][:6], "-c", config, clock=LATER)
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    headings = [line for line in out.splitlines() if line and not line.startswith(" ")]
    assert [each for each in headings if each in PARTS] == list(PARTS)
    text = " ".join(out.split())
    for words in (
        "The baseline knew 228 hours of it.",
        "the rule tells from 1.00 on",
        "Floors in money: $5.00 an hour over several hours, $25.00 in a single one",
        "list price times 0.8, learned from 7 settled days since",
        "12:20 UTC: new → firing (in breach)",
        "It ends once complete data have been clear for 2 h (`keep_firing_for`).",
        'route[0] to "hook" takes it: it takes every alert.',
        'To "hook" (initial), decided 12:20 UTC: delivered 12:20 UTC.',
        'To "broken" (initial), decided 12:20 UTC: not delivered yet; the next try is due',
        "try 1, 12:20 UTC: failed: ",
        "The decision would be the same now.",
    ):
        assert words in text, words
    assert "s3cret" not in out
    assert ADMIN_KEY not in out


PARTS = (
    "What was decided",
    "What drives it",
    "What priced it (on 2026-11-20, as known now)",
    "How it went",
    "Who hears of it, by the routes as they are now",
    "Messages",
    "Judged again",
)


def test_a_budget_shows_its_days_and_what_was_told_with_it(config: Path) -> None:
    out = here("explain", ids(config)["budget"], "-c", config, clock=LATER)[1]
    assert "spent by day, as known now\n  2026-11-11" in out
    assert "$100.00 in November 2026" in " ".join(out.split())
    found = explained(config, ids(config)["budget"])
    days = sum(float(each["usd"]) for each in found["decision"]["days"])
    assert days == pytest.approx(float(found["decision"]["alert"]["value_usd"]), abs=0.01)
    assert found["replay"]["outcome"] == "same"
    assert found["replay"]["changes"] == []


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("forecast", "with 80 % certainty $"),
        ("burn", "times that."),
        ("pace", "should have been spent by then; the mark is 110 % of that."),
    ],
)
def test_what_is_told_before_a_threshold_shows_its_figures(config: Path, kind: str, says: str) -> None:
    ident = ids(config)[kind]
    text = " ".join(here("explain", ident, "-c", config, clock=LATER)[1].split())
    assert f'Rule "early" ({kind}), decided 12:20 UTC.' in text
    assert says in text
    assert "spent by day, as known now 2026-11-11" in text
    assert "The decision would be the same now." in text


def test_as_json_it_has_the_documented_keys(config: Path) -> None:
    found = explained(config, ids(config)["anomaly"])
    documented = (Path(__file__).parents[3] / "docs/explain.md").read_text()
    assert all(f"`{key}`" in documented for key in found)
    assert all(f"`{key}`" in documented for part in ("decision", "replay") for key in found[part])
    assert found["replay"]["outcome"] == "same"
    assert found["decision"]["terms"]["threshold"] == 1.0
    assert found["decision"]["hours"][-1]["complete"] is False
    hook = next(each for each in found["messages"] if each["receiver"] == "hook")
    assert [each["error"] for each in hook["tries"]] == [None]
    broken = next(each for each in found["messages"] if each["receiver"] == "broken")
    assert broken["delivered_at"] is None
    assert broken["next_try_at"] is not None
    assert broken["tries"][0]["error"]


@pytest.mark.parametrize(
    ("before", "after", "says", "outcome"),
    [
        ('name = "key spend"', 'name = "other"', None, "no_alert"),
        ('name = "key spend"', 'name = "key spend"\nmin_excess_usd = 400', "min_excess_usd was $5.00 and is $400.00",
         "no_alert"),
        ('name = "key spend"', 'name = "key spend"\nkeep_firing_for = "4h"',
         "keep_firing_for was 2 hours and is 4 hours", "same"),
        ('name = "key spend"', 'name = "key spend"\nseverity = "critical"', None, "other_severity"),
    ],
)  # fmt: skip
def test_an_edited_rule_is_what_is_otherwise(
    config: Path, before: str, after: str, says: str | None, outcome: str
) -> None:
    ident = ids(config)["anomaly"]
    edit(config, before, after)
    replay = explained(config, ident)["replay"]
    assert replay["outcome"] == outcome
    assert [each["words"] for each in replay["changes"]] == ([] if says is None else [says])
    assert (replay["why"] is not None) is ("other" in after and outcome == "no_alert")


def test_a_raised_limit_is_what_is_otherwise(config: Path) -> None:
    ident = ids(config)["budget"]
    edit(config, "limit_usd = 100", "limit_usd = 10000")
    replay = explained(config, ident)["replay"]
    assert replay["outcome"] == "no_alert"
    assert [each["words"] for each in replay["changes"]] == ["the limit was $100.00 and is $10,000.00"]


def test_usage_that_was_restated_changes_the_answer_and_is_named(config: Path) -> None:
    ident = ids(config)["anomaly"]
    database = config.parent / "watcher.db"
    with Store.open(f"sqlite:///{database}") as store:
        organization = store.organizations.id_of("") or ""
        hour = NOW.replace(minute=0)
        buckets = store.usage.buckets(organization, hour - timedelta(hours=4), hour + timedelta(hours=1))
        key = explained(config, ident)["alert"]["scope"]["api_key"]
        less = [replace(each, rows=tuple(row for row in each.rows if key not in row[:7])) for each in buckets]
        store.usage.replace(organization, less, NOW + timedelta(minutes=20))
    replay = explained(config, ident, AFTER)["replay"]
    assert replay["outcome"] == "no_alert"
    (change,) = replay["changes"]
    assert change["what"] == "usage"
    assert change["words"] == "$41.15 is $0.00 now: the usage report was restated (3 hours)"
    text = " ".join(here("explain", ident, "-c", config, clock=AFTER)[1].split())
    assert "there would be no alert. What differs now: $41.15 is $0.00 now" in text


def test_feedback_and_what_was_planned_are_named_as_what_makes_the_difference(config: Path) -> None:
    ident = ids(config)["anomaly"]
    edit(
        config,
        "[[budget]]",
        '[[event]]\nname = "load test"\nfrom = "2026-11-20"\nto = "2026-11-21"\nexpect = 60\n[[budget]]',
    )
    found = explained(config, ident)
    replay = found["replay"]
    assert (replay["outcome"], [each["what"] for each in replay["changes"]]) == ("no_alert", ["events"])
    assert found["people"]["planned"] == ["load test (up to 60 times the usual)"]
    edit(config, "expect = 60", "expect = 1")
    assert here("feedback", ident, "expected", "--by", "ana", "-c", config, clock=LATER)[0] == 0
    assert here("poll", "-c", config, clock=LATER)[0] in {0, 1}
    found = explained(config, ident, AFTER)
    assert found["replay"]["outcome"] == "no_alert"
    assert [each["words"] for each in found["replay"]["changes"]] == ["ana said 12:25 UTC that it was expected"]
    assert [(each["what"], each["by"]) for each in found["people"]["acts"]] == [("feedback", "ana")]
    assert found["transitions"][-1]["after"] == "resolved"


def test_routes_say_which_matcher_took_it_and_silences_which_held_it_back(config: Path) -> None:
    ident = ids(config)["anomaly"]
    edit(config, '[[route]]\nreceiver = "broken"', '[[route]]\nreceiver = "broken"\nmatch = [\'kind="budget"\']')
    routes = explained(config, ident)["routes"]
    assert [(each["receiver"], each["takes"], each["why"]) for each in routes] == [
        ("hook", True, "it takes every alert"),
        ("broken", False, 'it asks that kind is "budget"; it is anomaly'),
    ]
    words = ("silence", "add", "--match", 'kind="anomaly"', "--for", "2h", "--comment", "known", "--by", "bob")
    assert here(*words, "-c", config, clock=LATER)[0] == 0
    here("poll", "-c", config, clock=LATER)
    text = " ".join(here("explain", ident, "-c", config, clock=AFTER)[1].split())
    assert "Silenced until 14:25 UTC by bob: known." in text


def test_receivers_of_long_names_are_told_apart(config: Path) -> None:
    ident = ids(config)["anomaly"]
    named = [f"{'o' * 60} {which} {'n' * 20}" for which in ("production", "staging")]
    for before, after in zip(("hook", "broken"), named, strict=True):
        config.write_text(config.read_text().replace(f'"{before}"', f'"{after}"'))
    out = "".join(here("explain", ident, "-c", config, clock=LATER)[1].split())
    for name in named:
        assert f'to"{name}"takes'.replace(" ", "") in out


def test_an_owner_of_the_configuration_is_named_and_routes_can_ask_for_it(config: Path) -> None:
    ident = ids(config)["anomaly"]
    owner = '[[owner]]\nname = "checkout"\nmatch = [\'api_key=~"checkout-.*"\']\nemail = "c@team.example"\n'
    edit(config, "[[budget]]", f"{owner}[[budget]]")
    edit(config, '[[route]]\nreceiver = "broken"', '[[route]]\nreceiver = "broken"\nmatch = [\'owner="checkout"\']')
    assert explained(config, ident)["alert"]["owner"].startswith("Chloe Adler"), "until the next cycle"
    assert here("poll", "-c", config, clock=LATER)[0] == 0
    found = explained(config, ident, AFTER)
    assert found["alert"]["owner"] == "checkout (c@team.example)"
    assert [each["takes"] for each in found["routes"]] == [True, True]
    text = " ".join(here("explain", ident, "-c", config, clock=AFTER)[1].split())
    assert "Owner: checkout (c@team.example)." in text


def test_an_id_that_is_not_there_or_too_short_is_refused_with_what_it_might_have_been(config: Path) -> None:
    known = ids(config)
    for wanted in ("nobody", known["anomaly"][:2], ""):
        code, out, err = here("explain", wanted, "-c", config)
        assert (code, out) == (2, "")
        why = f"No alert has an id that begins with {wanted!a}"
        if wanted != "nobody":
            why = f"{wanted!a} is too short for an id: write at least its first 4 characters"
        assert f"{why}. The newest alerts are " in err
        assert any(ident in err for ident in known.values())


def test_a_group_is_named_by_the_matchers_of_its_route(config: Path) -> None:
    ident = ids(config)["anomaly"]
    with Store.open(f"sqlite:///{config.with_name('watcher.db')}") as store:
        organization = store.alerts.get(ident).subject.scope.organization  # type: ignore[union-attr]
        told = Member(ident, NOW)
        groups = (
            Group("g1", "/", "hook", (), (told,)),
            Group("g2", '/severity="critical"', "hook", (), (told,)),
        )
        store.remember(Judgement(organization=organization, groups=groups))
    text = " ".join(here("explain", ident, "-c", config, clock=LATER)[1].split())
    assert 'In a group of 1 to "hook" (every alert): told' in text
    assert 'In a group of 1 to "hook" (/severity="critical"): told' in text
