"""The story of what became known of prices: models in use for the first time, discounts that moved."""

from __future__ import annotations

from datetime import UTC, datetime

from notifiers.phrases import lines, title, tone_of
from notifiers.story import Line, Section, Story, Words, code, line, strong
from notifiers.subjects import capital
from notifiers.text import ago, clean, plural, when
from rules.evidence import NewModel, PriceMove
from rules.model import CONSOLE, DEFAULT_WORKSPACE, Alert, PriceEvidence
from rules.money import display_usd
from rules.summary import kind_words, signed_percent

_SHOWN = 10
_MILLION = 1_000_000


def price_story(alert: Alert, evidence: PriceEvidence, now: datetime) -> Story:
    """Each new model with who uses it, each move with what it was and is."""
    sections = []
    if evidence.new_models:
        rows = tuple(_new(model, now) for model in evidence.new_models[:_SHOWN])
        sections.append(Section("In use for the first time", (*rows, *_more(len(evidence.new_models))), listed=True))
    if evidence.moves:
        rows = tuple(_move(move) for move in evidence.moves[:_SHOWN])
        sections.append(
            Section("What settled days cost of the list price", (*rows, *_more(len(evidence.moves))), listed=True)
        )
    return Story(
        tone=tone_of(alert),
        title=title(_title(evidence)),
        lead=lines(_meaning(evidence)),
        sections=(*sections, Section("What you can do", _remedies(evidence), listed=True)),
        footer=(f"data as of {when(evidence.data_as_of, now)}", f"alert {clean(alert.id)}"),
    )


def _title(evidence: PriceEvidence) -> str:
    new, moves = evidence.new_models, evidence.moves
    told = []
    if len(new) == 1:
        told.append(f"model {clean(new[0].model, 40)} is in use for the first time")
    elif new:
        told.append(f"{plural(len(new), 'model')} are in use for the first time")
    models = {move.model for move in moves}
    changes = {signed_percent(move.after - move.before, move.before) for move in moves}
    by = f" by {changes.pop()}" if len(changes) == 1 else ""
    if len(models) == 1:
        model = moves[0].model
        told.append(f"the price of {f'model {clean(model, 40)}' if model else 'web searches'} moved{by}")
    elif models:
        told.append(f"the prices of {plural(len(models), 'model')} moved{by}")
    return capital("; ".join(told))


def _meaning(evidence: PriceEvidence) -> Line:
    if not evidence.moves:
        return ()
    return line(
        "Learned from settled days. From now on days that are not settled yet are estimated with it, so budgets and "
        "anomalies may see a step."
    )


def _new(found: NewModel, now: datetime) -> Line:
    used = line(
        code(clean(found.model)),
        ": ",
        strong(display_usd(found.spent)),
        f" since {when(found.since, now)} ({ago(found.since, now)})",
    )
    return (*used, *_user(found), Words("."))


def _user(found: NewModel) -> Line:
    by = ", most of it by " if found.keys > 1 else ", by "
    if found.api_key == CONSOLE:
        user: list[str | Words] = [by, "Console use"]
    else:
        user = [by, "key ", strong(clean(found.api_key_name))]
        if found.api_key_name != found.api_key:
            user += [" ", code(clean(found.api_key, 80))]
    if found.workspace == DEFAULT_WORKSPACE:
        user.append(" in the default workspace")
    else:
        user += [" in workspace ", strong(clean(found.workspace_name))]
    return line(*user, f" ({plural(found.keys, 'key')} in all)" if found.keys > 1 else "")


def _move(move: PriceMove) -> Line:
    what: list[str | Words] = [code(clean(move.model)), " "] if move.model else []
    change = strong(signed_percent(move.after - move.before, move.before))
    kinds = ", ".join(map(kind_words, move.kinds))
    if not move.listed:
        return line(*what, f"{kinds}: ", change, "; no list price is known for it.")
    return line(*what, f"{kinds}: {_share(move.before)} before, {_share(move.after)} now, ", change, ".")


def _share(ratio: int) -> str:
    return f"{100 * ratio / _MILLION:.3g} %"


def _remedies(evidence: PriceEvidence) -> tuple[Line, ...]:
    prices = line("To see every price and where it comes from: ", code("watcher prices"))
    if evidence.moves or not evidence.new_models:
        return prices, line("To see bill and estimate day by day: ", code("watcher spend --reconcile --bucket day"))
    first = min(model.since for model in evidence.new_models).astimezone(UTC)
    spend = f"watcher spend --by model --by api_key --from {first:%Y-%m-%dT%H:%M:%SZ}"
    return prices, line("To see who uses it: ", code(spend))


def _more(count: int) -> tuple[Line, ...]:
    return (line(f"and {count - _SHOWN:,} more"),) if count > _SHOWN else ()
