"""Who drives an anomaly, from the figures to the message: runaways alone, together, and what is spread over many."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from notifiers.render import story
from notifiers.story import plain
from rules import anomaly, lifecycle, routing
from rules.attribution import Cut
from rules.cause_words import why
from rules.causes import Cause
from rules.driven import driven
from rules.effects import Amount, Basket, Item
from rules.hearing import Audience
from rules.model import (
    HOUR,
    Alert,
    AnomalyEvidence,
    AnomalyRule,
    Breach,
    Leaf,
    Names,
    Notification,
    Route,
    Scope,
    SpendView,
    Verdict,
)
from tests.rules.traffic import DOLLAR, MONDAY, Cost, view_of

HOURS = 35 * 24 + 12
"""A Monday noon, after five weeks."""
RULES = (
    AnomalyRule("keys", per=("api_key",)),
    AnomalyRule("workspaces", per=("workspace",)),
    AnomalyRule("all", per=()),
)


def calm(keys: int, workspaces: int, dollars: float = 1.0, seed: int = 3) -> tuple[tuple[Leaf, ...], Cost]:
    """Keys on one model each that spend about as much in every hour."""
    random = np.random.default_rng(seed)
    leaves = tuple(Leaf(f"w{key % workspaces}", f"key-{key}", "claude-opus-5", "standard") for key in range(keys))
    cost = dollars * random.gamma(40, 1 / 40, (keys, HOURS + 1)) * DOLLAR
    return leaves, cost.astype(np.int64)


def told(view: SpendView) -> list[Notification]:
    """The messages of a first judgement by all three rules, known to a database that is not new."""
    now = view.observed_until + timedelta(minutes=1)
    names = Names(workspace_of_key={leaf.api_key: leaf.workspace for leaf in view.leaves})
    verdicts: list[Verdict] = []
    for rule in RULES:
        verdicts += anomaly.judge(rule, view, names, frozenset(), now)
    advance = lifecycle.advance((), verdicts, {("anomaly", rule.name) for rule in RULES}, names, now)
    routed = routing.notifications(
        advance,
        (),
        Audience([Route("ops")]),
        organization_name="Acme",
        first_judgement=False,
        now=now,
        names=names,
    )
    return list(routed.notifications)


def shown(messages: list[Notification]) -> dict[str, list[str]]:
    """Each told scope with the scopes that its message carries inside."""
    return {name(alert): sorted(map(name, message.inhibited)) for message in messages for alert in message.alerts}


def name(alert: Alert) -> str:
    return "/".join(alert.subject.scope.parts().values()) or "organization"


def test_a_runaway_key_in_a_quiet_workspace_carries_its_parents_inside() -> None:
    leaves, cost = calm(keys=40, workspaces=4, dollars=0.5)
    cost[7, -4:] += 60 * DOLLAR
    assert shown(told(view_of(leaves, cost, HOURS + 1))) == {"key-7": ["organization", "w3"]}


def test_a_calm_big_spender_beside_the_runaway_tells_nothing() -> None:
    leaves, cost = calm(keys=12, workspaces=3, dollars=0.5)
    cost[0] *= 400
    cost[4, -4:] += 150 * DOLLAR
    messages = told(view_of(leaves, cost, HOURS + 1))
    assert "key-0" not in shown(messages)
    assert shown(messages)["key-4"]


def test_two_keys_at_once_are_both_told_and_their_parent_is_named_once() -> None:
    leaves, cost = calm(keys=12, workspaces=3, dollars=0.5)
    cost[[0, 3], -4:] += 60 * DOLLAR
    found = shown(told(view_of(leaves, cost, HOURS + 1)))
    assert set(found) == {"key-0", "key-3"}
    assert sorted(inside for parents in found.values() for inside in parents) == ["organization", "w0"]


def test_a_parent_whose_excess_is_spread_over_many_keys_tells_so_itself() -> None:
    leaves, cost = calm(keys=80, workspaces=2, dollars=2.0)
    cost[::2, -4:] += 4 * DOLLAR
    messages = told(view_of(leaves, cost, HOURS + 1))
    assert shown(messages) == {"w0": ["organization"]}
    (message,) = messages
    assert "Why: spread over 40 keys, none above 3 %." in [plain(line) for line in story(message).lead]


def test_a_child_that_explains_six_tenths_tells_the_story_and_shutoff_may_still_refuse_it() -> None:
    leaves, cost = calm(keys=41, workspaces=1, dollars=2.0)
    cost[0, -4:] += 90 * DOLLAR
    cost[1:, -4:] += round(1.5 * DOLLAR)
    messages = told(view_of(leaves, cost, HOURS + 1))
    assert shown(messages) == {"key-0": ["organization", "w0"]}
    (workspace,) = (alert for alert in messages[0].inhibited if alert.subject.scope.workspace)
    assert isinstance(workspace.evidence, AnomalyEvidence)
    evidence = workspace.evidence
    keys = [share for share in evidence.top if share.dimension == "api_key"]
    assert keys[0].id == "key-0"
    assert keys[0].cost / (evidence.observed - evidence.expected) == pytest.approx(0.6, abs=0.03)
    assert evidence.cause is not None
    assert evidence.cause.carriers is not None
    assert evidence.cause.carriers.key == ""
    assert evidence.cause.carriers.confidence > 0.95


@dataclass
class Reports:
    """A `Used` that answers from figures by leaf and hour, and remembers what it was asked for."""

    tokens: Mapping[Leaf, Mapping[str, Cost]]
    prices: Mapping[tuple[str, str], int]
    asked: list[int] = field(default_factory=list)

    def __call__(self, leaves: Collection[Leaf], hours: Collection[datetime]) -> Basket:
        self.asked.append(len(hours))
        columns = [(hour - MONDAY) // HOUR for hour in hours]
        found: dict[Item, Amount] = {}
        for leaf in leaves:
            for kind, counts in self.tokens.get(leaf, {}).items():
                item, count = Item(leaf.model, leaf.service_tier, kind), int(counts[columns].sum())
                known = found.get(item, Amount(0, 0))
                price = self.prices[leaf.model, kind]
                found[item] = Amount(known.quantity + count, known.cost + count * price)
        return found


OPUS, HAIKU = "claude-opus-5", "claude-haiku-5"
PRICES = {
    (model, kind): price * times
    for model, price in ((OPUS, 5000), (HAIKU, 1000))
    for kind, times in (("uncached_input", 1), ("output", 5))
} | {(OPUS, "cache_read"): 500}


def used(tokens: Mapping[Leaf, Mapping[str, Cost]]) -> SpendView:
    leaves = tuple(tokens)
    cost = np.stack(
        [
            np.sum([counts * PRICES[leaf.model, kind] for kind, counts in kinds.items()], axis=0)
            for leaf, kinds in tokens.items()
        ]
    )
    return replace(view_of(leaves, cost.astype(np.int64), HOURS), used=Reports(tokens, PRICES))


def constant(count: int, last: int | None = None) -> Cost:
    """So many tokens an hour, and another number in the last four."""
    counts = np.full(HOURS, count, dtype=np.int64)
    counts[-4:] = count if last is None else last
    return counts


def cause_of(view: SpendView, scope: Scope = Scope("org")) -> Cause:  # noqa: B008 - frozen
    hourly = view.cost[:, -5 - 24].sum()
    expected = np.full(4, float(hourly))
    return driven(
        view, Names(), scope, Cut(np.arange(len(view.leaves)), slice(HOURS - 4, HOURS), expected, 4 * int(hourly))
    ).cause


def test_more_of_the_same_is_told_as_volume() -> None:
    view = used({Leaf("w", "k", OPUS, "standard"): {"uncached_input": constant(10**6, 12 * 10**6)}})
    assert why(cause_of(view, Scope("org", api_key="k"))) == "more volume (12 times the tokens)"


def test_a_cache_that_no_longer_hits_is_told_as_such() -> None:
    leaf = Leaf("w", "k", OPUS, "standard")
    view = used({leaf: {"uncached_input": constant(80_000, 970_000), "cache_read": constant(920_000, 30_000)}})
    assert why(cause_of(view, Scope("org", api_key="k"))) == (
        "the prompt cache no longer hits (cache reads fell from 92 % to 3 % of the input)"
    )


def test_a_dearer_model_that_took_over_is_told_beside_the_volume() -> None:
    haiku, opus = Leaf("w", "k", HAIKU, "standard"), Leaf("w", "k", OPUS, "standard")
    view = used({haiku: {"output": constant(10**6, 2 * 10**6)}, opus: {"output": constant(0, 500_000)}})
    assert why(cause_of(view, Scope("org", api_key="k"))) == (
        f"57 % by dearer models ({OPUS} took over from {HAIKU}), 43 % by more volume (2.5 times the tokens)"
    )


def test_one_key_on_one_model_is_named_as_a_pair() -> None:
    tokens = {
        Leaf("w", key, model, "standard"): {"output": constant(10**6)} for key in "abc" for model in (OPUS, HAIKU)
    }
    tokens[Leaf("w", "b", HAIKU, "standard")] = {"output": constant(10**6, 90 * 10**6)}
    assert why(cause_of(used(tokens), Scope("org", workspace="w"))).startswith(f"key “b” on {HAIKU} (100 % of it); ")


def test_what_was_used_is_asked_for_only_when_there_is_a_story() -> None:
    view = used({Leaf("w", "k", OPUS, "standard"): {"uncached_input": constant(10**6, 10**6)}})
    reports = view.used
    assert isinstance(reports, Reports)
    verdicts = anomaly.judge(RULES[0], view, Names(), frozenset(), view.observed_until)
    assert not any(isinstance(verdict, Breach) for verdict in verdicts)
    assert reports.asked == []
    dear = used({Leaf("w", "k", OPUS, "standard"): {"uncached_input": constant(10**6, 90 * 10**6)}})
    (verdict,) = anomaly.judge(RULES[0], dear, Names(), frozenset(), dear.observed_until)
    assert isinstance(verdict, Breach)
    assert isinstance(dear.used, Reports)
    assert dear.used.asked == [4, 14 * 4]


def test_figures_that_cannot_be_asked_what_they_were_for_still_name_who_drives_it() -> None:
    view = replace(used({Leaf("w", "k", OPUS, "standard"): {"output": constant(10**6, 90 * 10**6)}}), used=None)
    cause = cause_of(view)
    assert cause.effects is None
    assert why(cause) == f"key “k” on {OPUS} (100 % of it)"
