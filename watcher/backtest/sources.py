"""Where the history of a back-test comes from: the database as it is, or the API, into a store that is thrown away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from watcher.backtest.running import GOOD_LEAD, Organization, Step
from watcher.ledger.days import DAY
from watcher.settings import OrganizationSettings, Settings, StoreSettings
from watcher.store import NoDatabase, Store, StoreError


class CannotFetch(Exception):
    """There is no history to be had; the text is a sentence. `usage` says whether the command line asked wrongly."""

    def __init__(self, sentence: str, *, usage: bool = False) -> None:
        super().__init__(sentence)
        self.usage = usage


@contextmanager
def opened(
    settings: Settings,
    wanted: str | None,
    days: int,
    now: datetime,
    step: Step,
    say: Callable[[str], None],
    *,
    fetch: bool,
) -> Iterator[tuple[Store, Organization]]:
    """A store with the history of the organization called `wanted` (None: the only one), for reading.

    It is read from the API with `fetch`, and where there is no database or nothing of that organization in it; `say` is
    told so. Raises CannotFetch and StoreError.
    """
    store = None if fetch else _stored(settings)
    if store is not None:
        try:
            organization = _known(settings, store, wanted)
            if organization is not None:
                yield store, organization
                return
        finally:
            store.close()
    with _fetched(settings, _configured(settings, wanted), days, now, step, say) as found:
        yield found


def _stored(settings: Settings) -> Store | None:
    try:
        return Store.open(settings.store.url, read_only=True)
    except NoDatabase:
        return None


def _known(settings: Settings, store: Store, wanted: str | None) -> Organization | None:
    """The organization in the store; None where nothing of it has been read."""
    every = [
        Organization(bound.id, bound.label, store.directory.organization_name(bound.id) or "", len(settings.labels) > 1)
        for bound in store.organizations.all()
        if wanted is not None or bound.label in settings.labels
    ]
    if wanted is None:
        _only_one([each.label or each.name for each in every] if len(every) > 1 else settings.labels)
    answering = [each for each in every if _answers(wanted, each)]
    exact = [each for each in answering if wanted in {each.id, each.label}]
    found = exact or answering
    if len(found) > 1:
        raise CannotFetch(f"Several organizations are called {wanted!a}: give the id of one.", usage=True)
    if not found and wanted is not None and wanted not in settings.labels:
        raise CannotFetch(_nobody(wanted, [each.label or each.id for each in every]), usage=True)
    return next((each for each in found if store.usage.span(each.id) is not None), None)


def _answers(wanted: str | None, organization: Organization) -> bool:
    if wanted is None or wanted == organization.id:
        return True
    return wanted.casefold() in {organization.label.casefold(), organization.name.casefold()} - {""}


def _configured(settings: Settings, wanted: str | None) -> OrganizationSettings:
    if wanted is None:
        _only_one(settings.labels)
        return settings.organizations[0]
    for each in settings.organizations:
        if wanted.casefold() == each.label.casefold():
            return each
    raise CannotFetch(_nobody(wanted, settings.labels), usage=True)


def _only_one(labels: Sequence[str]) -> None:
    if len(labels) > 1:
        names = ", ".join(labels)
        raise CannotFetch(
            f"A back-test is of one organization: say which with --organization. There are: {names}.", usage=True
        )


def _nobody(wanted: str, labels: Sequence[str]) -> str:
    which = ", ".join(label for label in labels if label) or "one without a name"
    return f"No organization is called {wanted!a}. There are: {which}."


@contextmanager
def _fetched(
    settings: Settings,
    organization: OrganizationSettings,
    days: int,
    now: datetime,
    step: Step,
    say: Callable[[str], None],
) -> Iterator[tuple[Store, Organization]]:
    from watcher.admin_api import AdminApiError  # noqa: PLC0415 - what is stored is replayed without a client
    from watcher.proposal.reading import NothingToRead, read_into, reading_of  # noqa: PLC0415

    reach = days * DAY + GOOD_LEAD
    say(f"Reading the last {reach.days} days from {organization.base_url} …")
    with TemporaryDirectory(prefix="claude-watcher-backtest-") as folder:
        path = Path(folder) / "history.db"
        alone = replace(
            settings,
            organizations=(organization,),
            store=StoreSettings(f"sqlite:///{path}", path=path),
            poll=replace(settings.poll, backfill=reach),
        )
        store = Store.open(alone.store.url)
        try:
            with reading_of(alone, store, time.sleep) as (parts, access):
                ident, _, notes = read_into(parts, access, now, lambda done, of: step("fetching the history", done, of))
        except (AdminApiError, NothingToRead) as error:
            store.close()
            raise CannotFetch(str(error)) from error
        except StoreError:
            store.close()
            raise
        for note in notes:
            say(f"note: {note}")
        name = store.directory.organization_name(ident) or ""
        try:
            yield store, Organization(ident, organization.label, name, len(settings.labels) > 1)
        finally:
            store.close()
