"""Whose an alert is: the first of the configured owners whose matchers hold for its labels. Pure.

Where none is configured, or none takes it, it is for whoever the key belongs to (`Names.whom_to_ask`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rules.holding import Holding
from rules.labels import Labelling
from rules.matchers import Labels, all_hold
from rules.model import Alert, Names, Scope, State
from rules.owned import Owned, Owner


def owner_of(owners: Iterable[Owner], labels: Labels, user: Owned | None = None) -> Owned | None:
    """The first owner that takes an alert with these labels, whose scope or key is that user's."""
    return next((found for owner in owners if (found := owner.owned or user) and all_hold(owner.match, labels)), None)


def user_of(scope: Scope, names: Names) -> Owned | None:
    """The user of a scope, or of its key: the key's principal, or else who created it; None where nobody is known."""
    user = scope.user or names.user_of_key.get(scope.api_key or "")
    return None if user is None or user not in names.by_id else Owned(names.by_id[user], names.emails.get(user, ""))


def owned_anew(
    owners: Sequence[Owner], alerts: Iterable[Alert], names: Names, called: Sequence[str] = ()
) -> Iterator[Alert]:
    """Those of the open alerts whose owner is another one by now, with that owner."""
    labelling = Labelling(names, called)
    holding = Holding([owner.match for owner in owners])
    for alert in alerts:
        if alert.state is State.RESOLVED and not alert.is_event:
            continue
        found = _first(owners, holding.of(labelling.of(alert)), alert.subject.scope, names) if owners else None
        if found != alert.owned:
            yield replace(alert, owned=found)


def _first(owners: Sequence[Owner], held: int, scope: Scope, names: Names) -> Owned | None:
    """The first of the owners whose bits are set and who is known."""
    while held:
        owner = owners[(held & -held).bit_length() - 1]  # of the bits the lowest
        if (found := owner.owned or user_of(scope, names)) is not None:
            return found
        held &= held - 1
    return None
