"""Whose an alert is: the first of the configured owners whose matchers hold for its labels. Pure.

Where none is configured, or none takes it, it is for whoever the key belongs to (`Names.whom_to_ask`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rules.holding import Holding
from rules.labels import Labelling
from rules.matchers import Labels, all_hold
from rules.model import Alert, Names, State
from rules.owned import Owned, Owner


def owner_of(owners: Iterable[Owner], labels: Labels) -> Owned | None:
    """The first owner that takes an alert with these labels."""
    return next((owner.owned for owner in owners if all_hold(owner.match, labels)), None)


def owned_anew(
    owners: Sequence[Owner], alerts: Iterable[Alert], names: Names, called: Sequence[str] = ()
) -> Iterator[Alert]:
    """Those of the open alerts whose owner is another one by now, with that owner."""
    labelling = Labelling(names, called)
    holding = Holding([owner.match for owner in owners])
    for alert in alerts:
        if alert.state is State.RESOLVED and not alert.is_event:
            continue
        held = holding.of(labelling.of(alert)) if owners else 0
        first = (held & -held).bit_length() - 1  # of the bits the lowest; -1 where there is none
        found = owners[first].owned if held else None
        if found != alert.owned:
            yield replace(alert, owned=found)
