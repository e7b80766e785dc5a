"""Which organizations a command is about: `--organization` with a name or an id, or all that are configured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.context import fail

if TYPE_CHECKING:
    from watcher.settings import Settings
    from watcher.store import Store

WRONG_USAGE = 2

OnlyOrganization = Annotated[
    str | None,
    typer.Option("--organization", help="Only this one, by its name or id. \\[default: all that are configured]"),
]


@dataclass(frozen=True, slots=True)
class Chosen:
    """One organization: its id, what the configuration calls it ("" where it stands alone), and its own name."""

    id: str
    label: str
    name: str

    @property
    def shown(self) -> str:
        """What people call it."""
        return self.label or self.name

    def as_json(self) -> dict[str, str | None]:
        """The form in which the JSON of every command says which organizations it is about."""
        return {"id": self.id, "label": self.label or None, "name": self.name}


def chosen(settings: Settings, store: Store, wanted: str | None) -> tuple[Chosen, ...]:
    """The organizations asked for, in the order of the configuration; one that it names no more may be asked for too.

    Exits where there is none: with 1 where nothing was read yet, with 2 for a name that nobody has.
    """
    known = {bound.label: bound.id for bound in store.organizations.all()}
    order = [*settings.labels, *(label for label in known if label not in settings.labels)]
    every = [
        Chosen(known[label], label, store.directory.organization_name(known[label]))
        for label in order
        if label in known
    ]
    if wanted is None:
        found = tuple(each for each in every if each.label in settings.labels)
        return found or fail("Nothing has been read yet: run `watcher poll` or `watcher run` first.")
    exact = [each for each in every if wanted in {each.id, each.label}]
    folded = [each for each in every if wanted.casefold() in {each.label.casefold(), each.name.casefold()}]
    if len(exact or folded) == 1:
        return tuple(exact or folded)
    if wanted in settings.labels:
        fail(f'Nothing has been read of the organization "{wanted}" yet.')
    which = ", ".join(each.label or each.id for each in every) or "none yet"
    problem = "Several organizations are" if folded else "No organization is"
    return fail(f"{problem} called {wanted!a}. There are: {which}.", WRONG_USAGE)


def the_one(settings: Settings, store: Store, wanted: str | None) -> Chosen:
    """The organization of a command that is about one; exits with 2 where there are several to choose from."""
    return alone(chosen(settings, store, wanted))


def alone(found: Sequence[Chosen]) -> Chosen:
    """The only one of those that were chosen; exits with 2 where there are several."""
    if len(found) > 1:
        names = ", ".join(each.shown for each in found)
        fail(f"This is told of one organization: say which with --organization. There are: {names}.", WRONG_USAGE)
    return found[0]
