"""An organization of any size behind the pages: a store, and what a cycle would have kept of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.gallery_samples import hostile_key
from rules.actions import Action, ActionState, Cause
from rules.judgement import Rules
from rules.model import Alert, AnomalyRule, Budget, Leaf, Scope, Snapshot, SpendView, State, Subject
from rules.policy import Policy, Protect
from watcher import overview as overviews
from watcher.admin_api.answers import ApiKey, Organization, User, Workspace
from watcher.cycle import Looked
from watcher.metrics import Metrics
from watcher.pricing import BookState
from watcher.pricing.learned import NOTHING
from watcher.secret import Secret
from watcher.settings import HttpSettings, OrganizationSettings, Settings, ShutoffSettings, StoreSettings
from watcher.status import read_status
from watcher.store import Judgement, Store
from watcher.web.app import build_app
from watcher.web.facts import Facts
from watcher.web.server import PageServer, bind

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
DAYS = 70
START = datetime(2026, 9, 11, tzinfo=UTC)
HOURS = DAYS * 24 + 13
USD = 1_000_000_000
ORGANIZATION = "org_1"
MODELS = (
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-haiku-5-5",
    *(f"claude-opus-{number}" for number in range(10)),
)


@dataclass(frozen=True)
class Size:
    """How large an organization is."""

    keys: int = 6
    models: int = 2
    workspaces: int = 3


@dataclass(frozen=True)
class Site:
    """Its pages on a socket."""

    url: str
    facts: Facts
    alert: Alert
    client: httpx.Client

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(self.url + path, headers=headers)


def view_of(size: Size) -> SpendView:
    """Spend by day and night, higher for lower numbers; the last nine hours of key 0 are twenty times the usual."""
    leaves = tuple(
        Leaf(f"w{key % size.workspaces}", f"k{key}", MODELS[model], "standard")
        for key in range(size.keys)
        for model in range(size.models)
    )
    hour = np.arange(HOURS) % 24
    shape = (2 + np.sin((hour - 8) * np.pi / 12)) * USD / 10
    level = 1 + np.arange(len(leaves))[::-1] % 7
    noise = np.random.default_rng(3).uniform(0.8, 1.2, (len(leaves), HOURS))
    cost = (level[:, None] * shape * noise).astype(np.int64)
    cost[: size.models, -9:] *= 20
    known = np.ones(HOURS, dtype=np.bool_)
    settled = np.zeros_like(cost)
    settled[:, : -3 * 24] = cost[:, : -3 * 24]
    for array in (cost, settled, known):
        array.flags.writeable = False
    return SpendView(ORGANIZATION, START, leaves, cost, settled, known, NOW.replace(minute=0), NOW)


def fill(store: Store, size: Size, names: Sequence[str]) -> tuple[Looked, Alert]:
    """Write what a cycle would have; workspaces, keys and people are called by `names` in turn."""

    def called(kind: str, number: int) -> str:
        return names[number % len(names)] if names else f"{kind}-{number}"

    store.organizations.bind("", ORGANIZATION)
    directory = store.directory
    directory.record_organization(ORGANIZATION, Organization(ORGANIZATION, called("org", 0)), NOW)
    directory.record_workspaces(
        ORGANIZATION,
        [Workspace(f"w{at}", called("workspace", at), START, None, {"team": "a"}) for at in range(size.workspaces)],
        NOW,
    )
    directory.record_users(ORGANIZATION, [User("u1", called("Ada", 1), "ada@team.example", "user", START)], NOW)
    directory.record_api_keys(
        ORGANIZATION,
        [
            ApiKey(
                f"k{at}", called("key", at), "active", f"w{at % size.workspaces}", False, START, "u1", None, None, None
            )
            for at in range(size.keys)
        ],
        NOW,
    )
    known = directory.names(ORGANIZATION)
    snapshot = Snapshot(ORGANIZATION, called("org", 0), view_of(size), known)
    budgets = (Budget("organization", "month", "UTC", 100_000 * USD, (80.0,)),)
    rules = Rules(budgets=budgets, anomalies=(AnomalyRule("key spend"),))
    figures = overviews.overview(snapshot, budgets, None, NOW)
    alert = _alert(names[0] if names else "key-0")
    store.remember(
        Judgement(
            alerts=(alert,),
            cursor={"overview": overviews.to_json(figures), "last_cycle_at": NOW.isoformat()},
            organization=ORGANIZATION,
            actions=(_action(called("key", 0)),),
            at=NOW,
        )
    )
    return Looked(snapshot, rules, BookState(NOTHING, frozenset(MODELS), frozenset()), NOW), alert


def _alert(name: str) -> Alert:
    sample = hostile_key(name)
    subject = Subject("key spend", "anomaly", Scope(ORGANIZATION, api_key="k0"))
    begun = NOW.replace(minute=0) - timedelta(hours=9)
    changes: dict[str, Any] = {"subject": subject, "starts_at": begun, "state": State.FIRING}
    return replace(sample, **changes)


def _action(name: str) -> Action:
    cause = Cause("anomaly", "key spend", Scope(ORGANIZATION, api_key="k0"), "a1")
    return Action(
        "act1", ORGANIZATION, cause, "deactivate", "k0", name, "w0", name, ActionState.PROPOSED, f"{name} spends",
        "approve", 60 * USD, NOW, NOW, waits=f"somebody allows it: {name}",
    )  # fmt: skip


def settings_of(folder: Path, **changes: Any) -> Settings:
    """A configuration with shutoff by approval."""
    return Settings(
        path=folder / "config.toml",
        organizations=(OrganizationSettings("http://127.0.0.1:1", Secret("sk-ant-admin01-page")),),
        store=StoreSettings(f"sqlite:///{folder}/w.db"),
        shutoff=ShutoffSettings(Policy("approve", Protect(api_key=("k1",)))),
        **changes,
    )


@contextmanager
def site_of(
    folder: Path,
    size: Size = Size(),
    names: Sequence[str] = (),
    http: HttpSettings | None = None,
    *,
    cycled: bool = True,
) -> Iterator[Site]:
    """Its pages, for as long as the block runs; `cycled` says whether a cycle has ended since the start."""
    with Store.open(f"sqlite:///{folder}/w.db") as store:
        looked, alert = fill(store, size, names)
        settings = settings_of(folder)
        known = {"": looked} if cycled else {}
        status = partial(read_status, store, NOW, shutoff=settings.shutoff)
        facts = Facts(store, lambda: NOW, lambda: settings, lambda: known, status)
        served = http or HttpSettings()
        app = build_app(facts.status, Metrics(), lambda: True, lambda: served, facts)
        server = PageServer(app, bind("127.0.0.1", 0))
        server.start()
        try:
            with httpx.Client(trust_env=False, timeout=60, verify=False) as client:
                yield Site(server.url, facts, alert, client)
        finally:
            server.stop()
