"""Founds an organization from a seed: who works there, in which workspaces, with which keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np

from watcher.simulator.organization import ApiKey, Invite, Member, Organization, User, Workspace

MAX_WORKSPACES = 100

HOSTILE_NAMES = (
    "<!channel>",
    "[bold]",
    '=HYPERLINK("http://x")',
    "</script><script>alert(1)</script>",
    "\u202egnp.yek\u200f\u202c",
    "a very long name " + "x" * 283,
    "*_`~ @here & <@U0000001> | {{7*7}} %s",
)
"""Key names that break careless renderers: mentions, markup, formulas, scripts, right-to-left marks, 300 characters."""

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_COLORS = ("#6C5BB9", "#2E7D6B", "#B4552D", "#3666A8", "#8A8F2A", "#A23B72")
_FIRST = (
    "Amara",
    "Bruno",
    "Chloe",
    "Dmitri",
    "Elena",
    "Farid",
    "Grace",
    "Hiro",
    "Ines",
    "Jonas",
    "Kavya",
    "Liam",
    "Mei",
    "Noah",
    "Olga",
    "Priya",
)
_LAST = (
    "Adler",
    "Bianchi",
    "Castro",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Ghosh",
    "Horvat",
    "Ivanov",
    "Jensen",
    "Kim",
    "Larsen",
    "Meyer",
)
_WORKSPACES = (
    ("Production", "prod", "platform"),
    ("Claude Code", "dev", "engineering"),
    ("Support Automation", "prod", "support"),
    ("Data Platform", "prod", "data"),
    ("Research", "dev", "research"),
    ("Staging", "staging", "platform"),
    ("Search", "prod", "search"),
    ("Marketing", "prod", "growth"),
)
_SERVICES = (
    "checkout-assistant",
    "answer-bot",
    "ticket-triage",
    "catalog-writer",
    "fraud-review",
    "search-rerank",
    "voice-agent",
    "onboarding-guide",
    "contract-reader",
    "mail-drafts",
    "moderation",
    "summaries",
    "translation",
    "price-watch",
    "recruiter",
)
_JOBS = ("nightly-embeddings", "report-writer", "invoice-extract", "log-digest", "eval-suite", "backfill", "dedupe")

ARCHETYPES = ("production", "developer", "business", "production", "batch", "developer", "steady", "developer",
              "production", "business")  # fmt: skip
"""What active keys are for, dealt out in this order."""


@dataclass(frozen=True, slots=True)
class Founded:
    """The directory, and what each key is for (key id → archetype), which no API tells."""

    organization: Organization
    archetypes: dict[str, str]
    history_from: datetime


class _Founder:
    """Draws ids, names and people from one generator."""

    def __init__(self, seed: int, started_at: datetime, days: int) -> None:
        self.rng = np.random.Generator(np.random.Philox(key=[seed, 0xF0]))
        self.started_at = started_at
        self.history_from = started_at - timedelta(days=days)

    def identity(self, prefix: str) -> str:
        letters = self.rng.integers(0, len(_ALPHABET), size=22)
        return f"{prefix}_01" + "".join(_ALPHABET[i] for i in letters)

    def before_history(self) -> datetime:
        seconds = int(self.rng.integers(86_400, 400 * 86_400))
        micro = int(self.rng.integers(1, 1_000_000))
        return self.history_from - timedelta(seconds=seconds, microseconds=micro)

    def uuid(self) -> str:
        return str(UUID(bytes=self.rng.bytes(16), version=4))

    def workspace(self, index: int, *, archived_at: datetime | None = None) -> Workspace:
        name, environment, team = _WORKSPACES[index % len(_WORKSPACES)]
        turn = index // len(_WORKSPACES)
        return Workspace(
            id=self.identity("wrkspc"),
            name=name if turn == 0 else f"{name} {turn + 1}",
            created_at=self.before_history(),
            display_color=_COLORS[index % len(_COLORS)],
            compartment_id=self.uuid(),
            tags={"env": environment, "team": team},
            default_geo="us" if name == "Data Platform" else "global",
            archived_at=archived_at,
        )

    def user(self, index: int) -> User:
        first, last = _FIRST[index % len(_FIRST)], _LAST[(index * 5 + 3) % len(_LAST)]
        turn = index // (len(_FIRST) * len(_LAST))
        roles = ("admin", "developer", "developer", "billing", "developer", "user", "claude_code_user")
        return User(
            id=self.identity("user"),
            name=f"{first} {last}",
            email=f"{first}.{last}{turn or ''}@example.com".lower(),
            role=roles[index % len(roles)],
            added_at=self.before_history(),
        )

    def key(self, name: str, workspace_id: str | None, created_by: str | None) -> ApiKey:
        identity = self.identity("apikey")
        return ApiKey(
            id=identity,
            name=name,
            workspace_id=workspace_id,
            created_at=self.before_history(),
            created_by=created_by,
            hint=f"sk-ant-api03-{identity[-11:-8]}...{identity[-4:]}",
        )


def found(
    seed: int, *, name: str, workspaces: int, keys: int, days: int, started_at: datetime, hostile: bool = False
) -> Founded:
    """Found an organization of `workspaces` listed workspaces and `keys` active keys, the same for the same arguments.

    Beside those there are always the unlisted default workspace, one archived workspace, and four retired keys: one
    inactive, one archived, one expired whose creator is not recorded, and one left in the archived workspace.

    Raises:
        ValueError: fewer than 1 or more than 100 workspaces, fewer than 1 key, or fewer than 1 day.
    """
    if not 1 <= workspaces <= MAX_WORKSPACES:
        raise ValueError(f"workspaces must be between 1 and {MAX_WORKSPACES}, not {workspaces}")
    if keys < 1 or days < 1:
        raise ValueError(f"at least one key and one day are needed, not {keys} and {days}")
    founder = _Founder(seed, started_at, days)
    default = replace(founder.workspace(0), name="Default", tags={}, default_geo="global")
    organization = Organization(founder.uuid(), name, default)
    listed = [founder.workspace(index) for index in range(workspaces)]
    gone = replace(
        founder.workspace(7, archived_at=started_at - timedelta(days=min(days, 25) * 0.8)), name="Old Experiments"
    )
    organization.workspaces = {each.id: each for each in [*listed, gone]}
    users = [founder.user(index) for index in range(max(5, min(200, keys // 2 + 3)))]
    organization.users = {each.id: each for each in users}
    _join(founder, organization, listed, users)
    _invite(founder, organization)
    archetypes = _issue_keys(founder, organization, listed, users, keys)
    archetypes |= _retire_keys(founder, organization, gone, users, listed)
    if hostile:
        for key_id, name_ in zip(archetypes, HOSTILE_NAMES, strict=False):
            organization.rename_key(key_id, name_)
    return Founded(organization, archetypes, founder.history_from)


def _join(founder: _Founder, organization: Organization, listed: list[Workspace], users: list[User]) -> None:
    roles = ("workspace_developer", "workspace_user", "workspace_admin")
    for place, workspace in enumerate(listed):
        for index, user in enumerate(users):
            if index == place % len(users) or founder.rng.random() < 0.3:
                role = "workspace_admin" if user.role == "admin" else roles[index % len(roles)]
                organization.members.append(Member(workspace.id, user.id, role))


def _invite(founder: _Founder, organization: Organization) -> None:
    for who, age, accepted, deleted in (
        ("new.hire", 3, None, False),
        ("contractor", 40, None, False),
        ("analyst", 60, 58, False),
        ("mistake", 10, None, True),
    ):
        invited = founder.started_at - timedelta(days=age, hours=5)
        invite = Invite(
            id=founder.identity("invite"),
            email=f"{who}@example.com",
            role="developer",
            invited_at=invited,
            expires_at=invited + timedelta(days=21),
            accepted_at=None if accepted is None else founder.started_at - timedelta(days=accepted),
            deleted=deleted,
        )
        organization.invites[invite.id] = invite


def _issue_keys(
    founder: _Founder, organization: Organization, listed: list[Workspace], users: list[User], keys: int
) -> dict[str, str]:
    code = next((each for each in listed if each.name == "Claude Code"), None)
    live = [each for each in listed if each is not code] or listed
    production = [each for each in live if each.tags.get("env") == "prod"] or live
    archetypes: dict[str, str] = {}
    for index in range(keys):
        archetype = ARCHETYPES[index % len(ARCHETYPES)]
        turn = index // len(ARCHETYPES)
        owner = users[int(founder.rng.integers(0, len(users)))]
        homes = production if archetype in {"production", "batch"} else live
        workspace_id: str | None = homes[(index + turn) % len(homes)].id
        if archetype == "developer":
            short = owner.email.split("@", maxsplit=1)[0]
            name = f"{short}-dev-{index}"
            if code is not None and index % 10 != 7:
                workspace_id, name = code.id, f"claude_code_key_{short}_{index:04d}"
        elif archetype == "batch":
            name = f"{_JOBS[turn % len(_JOBS)]}-{index}"
        else:
            suffix = {"production": "prod", "business": "desk", "steady": "monitor"}[archetype]
            name = f"{_SERVICES[(index * 7 + turn) % len(_SERVICES)]}-{suffix}-{index}"
        if index % 13 == 9:
            workspace_id = organization.default_workspace.id
        key = founder.key(name, workspace_id, owner.id)
        key = _vary(founder, key, index)
        organization.keys[key.id] = key
        archetypes[key.id] = archetype
    return archetypes


def _vary(founder: _Founder, key: ApiKey, index: int) -> ApiKey:
    """A few keys are unlike the rest: young, soon to expire, without a hint, or bound to a service account."""
    if index % 20 == 14:
        age = founder.started_at - founder.history_from
        return replace(key, created_at=founder.started_at - min(timedelta(days=18, hours=7), age / 2))
    if index % 40 == 25:
        return replace(key, expires_at=founder.started_at + timedelta(days=90))
    if index % 40 == 17:
        return replace(key, hint=None)
    if index % 40 == 12:
        return replace(key, workspace_id=None, service_account_id=founder.identity("svac"))
    return key


def _retire_keys(
    founder: _Founder, organization: Organization, gone: Workspace, users: list[User], listed: list[Workspace]
) -> dict[str, str]:
    owner = users[0].id
    home = listed[0].id
    archetypes: dict[str, str] = {}
    ended = founder.started_at - (founder.started_at - founder.history_from) / 4
    for name, status, workspace_id in (
        ("retired-importer", "archived", home),
        ("paused-crawler", "inactive", home),
        ("summer-intern", "active", home),
        ("old-experiment", "archived", gone.id),
    ):
        key = founder.key(name, workspace_id, owner)
        if name == "summer-intern":
            key = replace(key, created_by=None, expires_at=ended)
        organization.keys[key.id] = replace(key, set_status=status)
        archetypes[key.id] = "developer"
    return archetypes
