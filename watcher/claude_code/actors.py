"""Who an actor of the Claude Code report is: it names people by e-mail address, and keys by their name only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from watcher.store import Store

ActorKind = Literal["user", "api_key"]


@dataclass(frozen=True, slots=True)
class Actors:
    """The ids that addresses and key names stand for, where that is one id and no other."""

    users: Mapping[str, str] = field(default_factory=dict)
    """User ids by e-mail address, in lower case."""
    api_keys: Mapping[str, str] = field(default_factory=dict)
    """Key ids by name."""
    called: Mapping[str, str] = field(default_factory=dict)
    """What people call users and keys, by id."""

    @classmethod
    def of(cls, store: Store, organization: str) -> Actors:
        """Everybody and every key ever seen; what two share stands for neither."""
        names = store.directory.names(organization)
        users = [(address.casefold(), ident) for ident, address in names.emails.items() if address]
        keys = [(seen.item.name, seen.item.id) for seen in store.directory.seen_api_keys(organization)]
        return cls(_unique(users), _unique(keys), names.by_id)

    def ident(self, kind: ActorKind, actor: str) -> str | None:
        """The id of a user or key, or None where nobody, or more than one, goes by that."""
        return self.users.get(actor.casefold()) if kind == "user" else self.api_keys.get(actor)

    def name(self, kind: ActorKind, actor: str) -> str:
        """What to call an actor: a user's name where it is known, else what the report says."""
        ident = self.ident(kind, actor)
        return (self.called.get(ident) if ident else None) or actor


def _unique(pairs: list[tuple[str, str]]) -> dict[str, str]:
    uses = Counter(label for label, _ in pairs)
    return {label: ident for label, ident in pairs if uses[label] == 1}
