"""One decision about a key in words: what it is, what it rests on, every step with its time, and how to undo it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from notifiers.text import clean, percent, when
from rules.action_words import percent_of
from rules.actions import NO_KEY, POLICY, WAITING, Action, ActionEvidence, ActionState
from rules.money import display_usd

LONGEST_REASON = 500
DONE = {"deactivate": "deactivated", "reactivate": "turned on again"}
_ASKED_FOR = {
    "hand": "It was asked for by hand.",
    "drill": "It is a drill: the key is turned on again once it was found to be off.",
    "reset": "It undoes an earlier action of this program.",
}


def who(row: Action) -> str:
    """Who asked for it, approved or denied it."""
    return "the policy" if row.by == POLICY else clean(row.by)


def key_of(row: Action) -> str:
    """What the key is called; hostile marks made harmless."""
    return "no key" if row.key == NO_KEY else clean(row.key_name)


def about(row: Action) -> str:
    """ "deactivate checkout-prod in payments"."""
    if row.key == NO_KEY:
        return "no key is touched"
    where = f" in {clean(row.workspace_name)}" if row.workspace_name else ""
    return f"{row.what} {key_of(row)}{where}"


def cause(row: Action) -> str:
    """What asked for it: 'budget "organization"', "by hand"."""
    named = f' "{clean(row.cause.rule)}"' if row.cause.rule else ""
    return {"hand": "by hand", "drill": "drill", "reset": "end of the period"}.get(
        row.cause.kind, f"{row.cause.kind}{named}"
    )


def evidence_words(row: Action, now: datetime) -> Iterator[str]:
    """What the decision rests on, a sentence each."""
    if row.evidence is None:
        yield _ASKED_FOR.get(row.cause.kind, "No figures were kept with it.")
        return
    yield from _figures(row, row.evidence, now)


def _figures(row: Action, found: ActionEvidence, now: datetime) -> Iterator[str]:
    bound = "the threshold of" if row.cause.kind == "budget" else "the expected"
    yield (
        f"Since {when(found.since, now)} the scope has spent {display_usd(found.observed)}, of which "
        f"{display_usd(found.certain)} is certain ({_trusted(found.error)}): "
        f"{display_usd(found.certain - found.bound)} over {bound} {display_usd(found.bound)}."
    )
    if row.key != NO_KEY:
        yield (
            f"The key spent {display_usd(found.key_observed)} of it, where {display_usd(found.key_expected)} was to be "
            f"expected: {display_usd(found.key_excess)} more."
        )
        yield (
            f"It and the keys decided with it explain {percent(round(1000 * found.share), 1000)} of the excess, with a "
            f"confidence of {percent(round(1000 * found.confidence), 1000)}."
        )
    yield f"Data as of {when(found.data_as_of, now)}."
    if found.unpriced:
        models = ", ".join(map(clean, found.unpriced))
        yield f"No price is known for {models}: the figures rest on a stand-in, so a person decides."


def _trusted(error: float) -> str:
    """How far estimates can be trusted, by their error in the weeks before."""
    return (
        f"estimates were up to {percent_of(error)} too high"
        if error >= 0.001
        else "estimates were not too high of late"
    )


def waits_words(row: Action, now: datetime) -> str:
    """What it waits for, in a sentence; "" where it does not."""
    if row.state not in WAITING:
        return ""
    until = ""
    if row.state is ActionState.PROPOSED and row.mode == "approve" and row.expires_at is not None:
        until = f" It expires at {when(row.expires_at, now)}."
    elif row.state is ActionState.PROPOSED and row.due_at is not None and row.due_at > now:
        until = f" It is done at {when(row.due_at, now)} unless somebody says no."
    return f"It waits: {clean(row.waits or 'for the next cycle', LONGEST_REASON)}.{until}"


def steps(row: Action) -> Iterator[tuple[datetime, str]]:
    """Every step that it has taken, the first first."""
    begun = f"asked for by {who(row)}" if not row.cause.by_policy else "proposed"
    yield row.created_at, begun
    if row.approved_at is not None:
        yield row.approved_at, f"approved by {who(row)}"
    if row.intent_at is not None:
        yield row.intent_at, "to be carried out"
    if row.before is not None:
        yield row.before.at, f"looked at: {clean(row.before.status)}, called {clean(row.before.name)}"
    if row.sent_at is not None:
        yield row.sent_at, "the API was asked, once"
    if row.after is not None:
        yield row.after.at, f"read back: {clean(row.after.status)}"
    if row.confirmed_at is not None:
        yield row.confirmed_at, f"confirmed: {DONE[row.what]}"
    elif not row.open:
        yield row.updated_at, row.state.value


def hints(row: Action, config: str) -> Iterator[str]:
    """The commands that approve, deny or undo it."""
    if row.state in WAITING:
        if row.mode != "dry_run" and row.state is ActionState.PROPOSED:
            yield f"Approve it: watcher actions approve {row.id}{config}"
        yield f"Say no: watcher actions deny {row.id}{config}"
    if row.stopped:
        yield f'Turn the key on again: watcher keys reactivate {row.key}{config} --reason "…"'
    elif row.what == "reactivate" and row.state is ActionState.CONFIRMED:
        yield f'Turn the key off again: watcher keys deactivate {row.key}{config} --reason "…"'
