"""One line for a person at 3 a.m.: what is wrong, where, since when and for how much.

Names come from outside and may hold anything: `rules.wording` makes them harmless. Escaping for a medium is the
renderer's part.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from rules.evidence import NewModel, PriceMove
from rules.measures import amount_words, bare
from rules.model import (
    CONSOLE,
    DEFAULT_WORKSPACE,
    UNATTRIBUTED,
    UNKNOWN,
    Alert,
    AnomalyEvidence,
    BudgetEvidence,
    Dimension,
    DriftEvidence,
    PriceEvidence,
    PriceShift,
    Scope,
    SilenceEvidence,
    SourceEvidence,
    State,
    TriggerEvidence,
    UnitPriceEvidence,
)
from rules.money import display_usd
from rules.periods import MONTHS, clock_label
from rules.thresholds import also_words, mark_words
from rules.trigger_words import over, said
from rules.wording import clean, in_order, phrase

LONGEST_REASON = 200
_WHOLE_DOLLARS_FROM = 100_000_000_000
_NANO_PER_USD = 1_000_000_000
_MOST_PRICES = 3
_KINDS = {
    "uncached_input": "input",
    "cache_read": "cache reads",
    "cache_write_5m": "5-minute cache writes",
    "cache_write_1h": "1-hour cache writes",
    "output": "output",
    "web_searches": "web searches",
}
_WORDS = {CONSOLE: "Console use", DEFAULT_WORKSPACE: "the default workspace", UNATTRIBUTED: "unattributed cost"}


def summarize(alert: Alert) -> str:
    """The alert in one line of plain text, in the form its state asks for; never a line break in it."""
    evidence = alert.evidence
    if isinstance(evidence, BudgetEvidence):
        return _budget(alert, evidence)
    if isinstance(evidence, AnomalyEvidence):
        return _anomaly(alert, evidence)
    if isinstance(evidence, UnitPriceEvidence):
        return _unit_price(alert, evidence)
    if isinstance(evidence, SilenceEvidence):
        return _silence(alert, evidence)
    if isinstance(evidence, DriftEvidence):
        return _drift(alert, evidence)
    if isinstance(evidence, PriceEvidence):
        return _price(alert, evidence)
    if isinstance(evidence, TriggerEvidence):
        return _trigger(alert, evidence)
    return _source(alert, evidence)


def subject_phrase(scope: Scope, names: dict[str, str]) -> str:
    """The scope in words: `key "ci-runner" (apikey_01…) in workspace "prod" on claude-opus-5`, or `the organization`.

    The workspace of a key is named if `names` holds one id more than the scope does.
    """
    parts = scope.parts()
    if scope.api_key is not None and scope.workspace is None:
        beside = next((ident for ident in names if ident not in parts.values()), None)
        scope = scope if beside is None else replace(scope, workspace=beside)
    words: list[str] = []
    for dimension, value in in_order(scope):
        words.append(_part(dimension, value, names, first=not words))
    return " ".join(filter(None, words)) or "the organization"


def _part(dimension: Dimension, value: str, names: dict[str, str], *, first: bool) -> str:
    if dimension in {"api_key", "workspace"}:
        named = _named("key" if dimension == "api_key" else dimension, value, names, with_id=first)
        return named if first else f"in {named}"
    if dimension == "model":
        return ("model " if first else "on ") + clean(value)
    if dimension == "user" and value in _WORDS:
        return _WORDS[value] if first else ""
    if dimension == "user" and value != UNKNOWN:
        return ("" if first else "of ") + _named("user", value, names, with_id=first)
    return phrase(dimension, value, first=first)


def _budget(alert: Alert, evidence: BudgetEvidence) -> str:
    words = [f'Budget "{clean(alert.subject.rule)}"']
    if alert.subject.scope.parts():
        words.append(f"of {subject_phrase(alert.subject.scope, dict(alert.names))}")
    measure = evidence.measure
    words.append(f"passed {mark_words(evidence)} of {amount_words(measure, evidence.limit)} for {evidence.period}:")
    words.append(f"{bare(measure, evidence.spent)} {'spent' if measure.is_money else 'used'}")
    if measure.claude_code:
        words.append("by Claude Code's own estimate")
    if lower := also_words(evidence):
        words.append(f"({', '.join(lower)} passed with it)")
    if alert.state is State.RESOLVED:
        words.append("(closed)")
    return " ".join(words)


def _trigger(alert: Alert, evidence: TriggerEvidence) -> str:
    words = [f'Budget "{clean(alert.subject.rule)}"']
    if alert.subject.scope.parts():
        words.append(f"of {subject_phrase(alert.subject.scope, dict(alert.names))}")
    words.append(over(evidence) if alert.state is State.RESOLVED else said(evidence))
    if evidence.also and alert.state is not State.RESOLVED:
        words.append(f"({', '.join(evidence.also)} with it)")
    return " ".join(words)


def _anomaly(alert: Alert, evidence: AnomalyEvidence) -> str:
    scope = alert.subject.scope
    subject = subject_phrase(scope, dict(alert.names))
    on = _main_model(evidence) if scope.model is None else ""
    since = clock_label(evidence.since, evidence.data_as_of)
    spent = f"{_about(evidence.observed)} since {since} (expected {_about(evidence.expected)})"
    if alert.state is State.RESOLVED and alert.judged is not None and alert.judged.verdict == "expected":
        return _capital(f"{subject} was expected, says {clean(alert.judged.by)}: it had spent {spent}{on}")
    if alert.state is State.RESOLVED and evidence.stays:
        rate = _about(evidence.after_per_hour or 0)
        so = "counts as its normal now" if evidence.learnt else "is allowed now"
        return _capital(f"{subject} still spends {rate}/h, which {so}: it had spent {spent}{on}")
    if alert.state is State.RESOLVED:
        return _capital(f"{subject} is back to normal: it had spent {spent}{on}")
    rate = f"{_about(evidence.per_hour)}/h{on}, normally {_about(evidence.normal_per_hour)}/h"
    dearer = "" if evidence.price is None else f"; each output token costs {times(evidence.price)} as much as usual"
    return _capital(f"{subject} is spending {rate} — {spent}{dearer}")


def _unit_price(alert: Alert, evidence: UnitPriceEvidence) -> str:
    subject, shift = subject_phrase(alert.subject.scope, dict(alert.names)), evidence.shift
    more = f"{_about(evidence.excess)} more since {clock_label(shift.since, evidence.data_as_of)}"
    before, now = f"{display_usd(shift.before)} a million", f"{display_usd(shift.now)} a million"
    if alert.state is State.RESOLVED and evidence.stays:
        still = f"{display_usd(evidence.after or 0)} a million"
        return _capital(f"{subject} still pays {still} output tokens, which counts as its normal now: it cost {more}")
    if alert.state is State.RESOLVED:
        after = "has used no output tokens for a day" if evidence.after is None else "pays its usual price again"
        return _capital(f"{subject} {after}: output tokens at {now} had cost it {more}")
    return _capital(
        f"{subject}: each output token costs {times(shift)} as much as usual, {now} where {before} is normal — {more}"
    )


def times(shift: PriceShift) -> str:
    """How many times as much a token costs: "3.1 times", "12 times"."""
    return f"{shift.times:,.0f} times" if shift.times >= 9.95 else f"{shift.times:.1f} times"


def _silence(alert: Alert, evidence: SilenceEvidence) -> str:
    subject = subject_phrase(alert.subject.scope, dict(alert.names))
    since = clock_label(evidence.since, evidence.data_as_of)
    if alert.state is State.RESOLVED and evidence.after_per_hour:
        return _capital(f"{subject} spends again: it had sent nothing since {since}")
    if alert.state is State.RESOLVED:
        return _capital(f"{subject} has sent nothing since {since}, which counts as its normal now")
    usual = f"it usually spends {_about(evidence.normal_per_hour)}/h"
    return _capital(
        f"{subject} has sent nothing for {evidence.hours} h, since {since}; {usual}, and its longest earlier "
        f"silence was {evidence.longest} h"
    )


def _main_model(evidence: AnomalyEvidence) -> str:
    """ " on MODEL" where one model carries most of the spend, " mostly on MODEL" where others have a part in it."""
    models = [share for share in evidence.top if share.dimension == "model"]
    total = sum(share.cost for share in models)
    if not models or total <= 0:
        return ""
    largest = max(models, key=lambda share: share.cost)
    if largest.cost * 20 >= total * 19:
        return f" on {clean(largest.id)}"
    return f" mostly on {clean(largest.id)}" if largest.cost * 2 > total else ""


def _drift(alert: Alert, evidence: DriftEvidence) -> str:
    told = evidence.main or evidence
    subject = "the organization" if evidence.main is None else f"model {clean(evidence.main.model)}"
    figures = f"{display_usd(told.billed)} billed where tokens times price says {display_usd(told.estimated)}"
    days = day_span(evidence.first_day, evidence.last_day)
    if alert.state is State.RESOLVED:
        return _capital(f"Bill and estimate agree again: {subject} had {figures}, {days}")
    share = signed_percent(told.billed - told.estimated, told.estimated)
    mostly = f", most of it {clean(evidence.models[0].model)}" if evidence.main is None and evidence.models else ""
    return _capital(f"{subject}: {figures} ({share}), {days}{mostly}")


def _price(alert: Alert, evidence: PriceEvidence) -> str:
    found = [_new_model(model, evidence.data_as_of) for model in evidence.new_models]
    found += [_move(move) for move in evidence.moves]
    told, more = found[:_MOST_PRICES], len(found) - _MOST_PRICES
    words = "; ".join(told) + (f"; and {more} more" if more > 0 else "")
    return _capital(words) + (" (closed)" if alert.state is State.RESOLVED else "")


def _new_model(found: NewModel, beside: datetime) -> str:
    since = clock_label(found.since, beside)
    return f"model {clean(found.model)} is in use for the first time: {display_usd(found.spent)} since {since}"


def _move(move: PriceMove) -> str:
    what = f"model {clean(move.model)}" if move.model else "web searches"
    kinds = f" ({', '.join(map(kind_words, move.kinds))})" if move.model else ""
    change = signed_percent(move.after - move.before, move.before)
    of_list = (
        "" if not move.listed else f", {_of_list(move.before)} of the list price before, {_of_list(move.after)} now"
    )
    return f"the price learned of {what}{kinds} moved by {change}{of_list}"


def _of_list(ratio: int) -> str:
    return f"{ratio / 10_000:.3g} %"


def kind_words(kind: str) -> str:
    """A kind of the price book in words: "output", "cache reads"."""
    return _KINDS.get(kind, clean(kind))


def day_span(first: date, last: date) -> str:
    """Days for people: "17 Nov", "17 to 18 Nov", "30 Nov to 2 Dec"."""
    end = f"{last.day} {MONTHS[last.month - 1][:3]}"
    if first == last:
        return end
    same = (first.year, first.month) == (last.year, last.month)
    return f"{first.day} to {end}" if same else f"{first.day} {MONTHS[first.month - 1][:3]} to {end}"


def signed_percent(part: int, whole: int) -> str:
    """A change in percent with its sign: "+10 %", "-4.2 %"; a tenth is shown below ten."""
    if not whole:
        return "-"
    share = 100 * part / whole
    return f"{share:+,.0f} %" if abs(share) >= 9.95 else f"{share:+.1f} %"


def _source(alert: Alert, evidence: SourceEvidence) -> str:
    problem = clean(evidence.problem, LONGEST_REASON)
    beside = alert.ends_at if alert.state is State.RESOLVED else evidence.data_as_of or alert.fired_at
    since = clock_label(evidence.since, beside)
    if alert.state is State.RESOLVED:
        until = "" if alert.ends_at is None else f" until {clock_label(alert.ends_at, alert.ends_at)}"
        return f"Over: {problem} (from {since}{until})"
    return f"{problem} since {since}: {clean(evidence.consequence, LONGEST_REASON)}"


def _named(noun: str, ident: str, names: dict[str, str], *, with_id: bool = True) -> str:
    if ident in _WORDS:
        return _WORDS[ident]
    name = names.get(ident, ident)
    if name == ident:
        return f"{noun} {clean(ident)}"
    return f'{noun} "{clean(name)}"' + (f" ({clean(ident)})" if with_id else "")


def _about(nano: int) -> str:
    """Dollars at a glance: cents below $100, whole dollars from there on."""
    if abs(nano) < _WHOLE_DOLLARS_FROM:
        return display_usd(nano)
    return display_usd(round(nano / _NANO_PER_USD) * _NANO_PER_USD).removesuffix(".00")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
