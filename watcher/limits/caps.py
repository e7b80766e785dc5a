"""The spend limits that the provider enforces, as budgets are held against them."""

from __future__ import annotations

from collections.abc import Iterator

from rules.caps import Cap, CapKind, Caps
from rules.model import DEFAULT_WORKSPACE, Names, SourceState
from watcher.admin_api.answers_limits import EffectiveSpendLimit, SpendLimit
from watcher.ingest import default_workspace
from watcher.store import Store

PERIODS = {"daily": "day", "weekly": "week", "monthly": "month"}
"""What the API's periods are called here."""
SOURCE: dict[CapKind, str] = {
    "organization": "spend_limits",
    "workspace": "spend_limits",
    "user": "effective_spend_limits",
}
"""Where the limits of each kind are read from."""


def read_caps(store: Store, organization: str, names: Names) -> Caps:
    """The limits of the last listings that apply: enabled, of a known period, with an amount.

    A source that fails leaves its last listing standing; one that is not offered, or was not read yet, tells nothing.
    """
    whys = {kind: _missing(store.sources.get(organization, source)) for kind, source in SOURCE.items()}
    missing = {kind: why for kind, why in whys.items() if why}
    home = default_workspace.remembered(store, organization)
    caps = [cap for limit in store.limits.spend_limits(organization) for cap in _spend(limit, home)]
    idents = {address.casefold(): ident for ident, address in names.emails.items()}
    for entry in store.limits.member_limits(organization):
        caps.extend(_member(entry.item, idents))
    return Caps(tuple(cap for cap in caps if cap.kind not in missing), missing)


def _missing(state: SourceState) -> str:
    if state.offered is False:
        return f"{state.source} is not offered to this key"
    return "" if state.last_success_at is not None else f"{state.source} has not been read yet"


def _spend(limit: SpendLimit, home: str | None) -> Iterator[Cap]:
    period = PERIODS.get(limit.period)
    if period is None or limit.amount is None or not limit.is_enabled:
        return
    kind, ident = limit.scope
    if kind == "organization":
        yield Cap("organization", "", period, limit.amount)
    elif kind == "workspace":
        yield Cap("workspace", DEFAULT_WORKSPACE if ident is None or ident == home else ident, period, limit.amount)


def _member(limit: EffectiveSpendLimit, idents: dict[str, str]) -> Iterator[Cap]:
    period = PERIODS.get(limit.period)
    ident = limit.member_id or idents.get((limit.email or "").casefold())
    if period is not None and limit.amount is not None and ident is not None and not limit.deleted:
        yield Cap("user", ident, period, limit.amount)
