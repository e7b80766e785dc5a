"""How long it takes to say who hears of ten thousand alerts, by twenty routes.

    python -m benchmarks.routing [--alerts 10000] [--routes 20] [--runs 3]

CPU seconds of one judgement's routing (silences, inhibition, routes, groups, messages), the best of the runs, in mixes
that are hard for one part of it or another: when all alerts begin in one judgement, and in the next one, in which
nothing is new. Where Debian's Alertmanager is installed, what it takes of the processor to read, route and group as
many alerts by as many routes, which is more than routing, stands beside it.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from benchmarks.routing_peer import alertmanager
from rules import lifecycle, routing
from rules.hearing import Audience
from rules.intervals import TimeInterval
from rules.labels import read
from rules.lifecycle import Advance
from rules.model import Alert, AnomalyEvidence, Breach, Names, Route, Scope, Severity, Share, Subject
from rules.owned import Owned, Owner
from rules.owners import owned_anew
from rules.quieted import Silence
from rules.routes import EACH_ALERT, Timing
from rules.routing import Routed
from watcher.collecting import collect_rarely

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
USD = 10**9
WORKSPACES, USERS, MODELS = 60, 300, 12
NIGHT = TimeInterval("night", "Europe/Berlin", ((22 * 60, 24 * 60), (0, 7 * 60)))
BY_WORKSPACE = Timing(("workspace",), MINUTE, 5 * MINUTE, 240 * MINUTE, mute=(NIGHT,))
BY_ALERT = replace(BY_WORKSPACE, group_by=EACH_ALERT)


@dataclass(frozen=True, slots=True)
class Mix:
    """What is routed, by what."""

    words: str
    routes: tuple[Route, ...]
    wide: bool = True
    """Whether workspaces, users, models and the organization have too much beside the keys."""
    silences: tuple[Silence, ...] = ()
    first: bool = False
    owners: tuple[Owner, ...] = field(default=())


def names_of(count: int) -> Names:
    """A directory of so many keys."""
    keys = [f"apikey_{number:05d}" for number in range(count)]
    return Names(
        by_id={key: f"key {key}" for key in keys} | {f"wrkspc_{n}": f"prod-{n}" for n in range(WORKSPACES)},
        workspace_of_key={key: f"wrkspc_{number % WORKSPACES}" for number, key in enumerate(keys)},
        user_of_key={key: f"user_{number % USERS}" for number, key in enumerate(keys)},
        tags_of_workspace={f"wrkspc_{n}": {"team": f"team {n % 7}"} for n in range(WORKSPACES)},
    )


def begun(names: Names, *, wide: bool) -> Advance:
    """An anomaly of every key, and of what they add up to."""
    scopes = {Scope("org", api_key=key): 10 for key in names.workspace_of_key}
    if wide:
        scopes |= {Scope("org", workspace=f"wrkspc_{n}"): 2000 for n in range(WORKSPACES)}
        scopes |= {Scope("org", model=f"model-{n}"): 2000 for n in range(MODELS)}
        scopes |= {Scope("org", user=f"user_{n}"): 300 for n in range(USERS)}
        scopes |= {Scope("org"): 100_000}
    breaches = [_breach(scope, dollars) for scope, dollars in scopes.items()]
    return lifecycle.advance((), breaches, {("anomaly", "spend")}, names, NOW)


def _breach(scope: Scope, dollars: int) -> Breach:
    evidence = AnomalyEvidence(
        since=NOW - timedelta(hours=2),
        observed=(dollars + 1) * USD,
        expected=USD,
        per_hour=USD,
        normal_per_hour=USD,
        upper_per_hour=USD,
        score=9.0,
        odds=None,
        history_hours=1000,
        points=(),
        data_as_of=NOW,
        settled=0,
        top=() if scope.api_key is None else (Share("model", "model-1", "model-1", dollars * USD),),
    )
    subject = Subject("spend", "anomaly", scope)
    return Breach(subject, Severity.WARNING, NOW, dollars * USD, USD, USD, evidence)


def routes(count: int, timing: Timing, *, all_take: bool = False) -> tuple[Route, ...]:
    """So many routes, the last of which takes everything; each of the others a few, unless all take all."""
    texts = [
        (f'workspace=~"prod-{n}"', 'severity!="info"', f'api_key=~".*[{n % 10}5]"', f'tag_team="team {n % 7}"')
        for n in range(count - 1)
    ]
    some = [
        Route(f"r{n}", () if all_take else tuple(map(read, text)), goes_on=True, timing=timing, place=f"/{n}")
        for n, text in enumerate(texts)
    ]
    return (*some, Route("ops", timing=timing, place="/"))


def mixes(count: int) -> Iterator[Mix]:
    """Each of them hard for another part."""
    yield Mix("untimed, keys alone", routes(count, Timing()), wide=False)
    yield Mix("untimed, with what keys add up to", routes(count, Timing()))
    yield Mix("untimed, a new database", routes(count, Timing()), first=True)
    yield Mix("grouped by workspace", routes(count, BY_WORKSPACE))
    yield Mix("each alert a group", routes(count, BY_ALERT))
    hours = NOW - MINUTE, NOW + 60 * MINUTE
    asked = [(read(f'api_key=~".*9{n}"'), read("kind=anomaly")) for n in range(20)]
    silences = tuple(Silence(str(n), matchers, *hours, "a", "b") for n, matchers in enumerate(asked))
    yield Mix("grouped by workspace, with 20 silences", routes(count, BY_WORKSPACE), silences=silences)
    yield Mix("every route takes all, untimed", routes(count, Timing(), all_take=True))
    yield Mix("every route takes all, by workspace", routes(count, BY_WORKSPACE, all_take=True))
    yield Mix("every route takes all, each alert a group", routes(count, BY_ALERT, all_take=True))


def routed(mix: Mix, advance: Advance, before: Sequence[Alert], names: Names, last: Routed | None) -> Routed:
    """One judgement's routing."""
    now = NOW if last is None else NOW + 6 * MINUTE
    groups = () if last is None else last.groups
    audience = Audience(mix.routes, silences=mix.silences, groups=groups)
    return routing.notifications(
        advance,
        before,
        audience,
        organization_name="A",
        first_judgement=mix.first and last is None,
        now=now,
        names=names,
    )


def best(work: Callable[[], object], runs: int) -> float:
    """CPU seconds, the least of the runs."""
    taken = []
    for _ in range(runs):
        gc.collect()
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def owners(count: int) -> tuple[Owner, ...]:
    """So many teams, each with matchers of every kind."""
    return tuple(
        Owner(Owned(f"team {n}"), (read(f'workspace=~"prod-{n}|prod-{n + 20}"'), read(f'api_key!~".*99{n}"')))
        for n in range(count)
    )


def main(arguments: list[str] | None = None) -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--routes", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args(arguments)
    collect_rarely()
    names = names_of(asked.alerts)
    print(f"{asked.alerts:,} keys, {asked.routes} routes: CPU seconds\n")
    print("| mix | all begin | send | nothing new |\n| --- | --- | --- | --- |")
    for mix in mixes(asked.routes):
        advance = begun(names, wide=mix.wide)
        first = routed(mix, advance, (), names, None)
        every = lifecycle.applied(advance.alerts, first.alerts)
        sent = routed(mix, Advance(), every, names, first)
        later = replace(sent, groups=tuple({group.id: group for group in (*first.groups, *sent.groups)}.values()))
        figures = [
            best(lambda: routed(mix, advance, (), names, None), asked.runs),  # noqa: B023
            best(lambda: routed(mix, Advance(), every, names, first), asked.runs),  # noqa: B023
            best(lambda: routed(mix, Advance(), every, names, later), asked.runs),  # noqa: B023
        ]
        print(f"| {mix.words} | {' | '.join(f'{figure:.2f}' for figure in figures)} |", flush=True)
    alerts = begun(names, wide=False).alerts
    teams = owners(20)
    given = lifecycle.applied(alerts, owned_anew(teams, alerts, names, ("A",)))
    begin = best(lambda: list(owned_anew(teams, alerts, names, ("A",))), asked.runs)
    again = best(lambda: list(owned_anew(teams, given, names, ("A",))), asked.runs)
    print(f"\n20 owners: {begin:.2f} s for all that begin, {again:.2f} s where nothing is new")
    peer = alertmanager([{"labels": alert} for alert in _labels(names)], asked.routes)
    if peer is not None:
        print(f"Alertmanager reads, routes and groups as many by workspace in {peer:.2f} s")


def _labels(names: Names) -> Iterator[dict[str, str]]:
    for key, workspace in names.workspace_of_key.items():
        called = names.of(workspace)
        team = names.tags_of_workspace[workspace]["team"]
        yield {"alertname": "spend", "severity": "warning", "api_key": key, "workspace": called, "tag_team": team}


if __name__ == "__main__":
    main()
