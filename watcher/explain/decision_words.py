"""What a decision rested on, in plain sentences by the kind of alert, and its figures as a picture of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

from notifiers.text import clean, duration, number, percent, plural, when
from rules.cause_words import why
from rules.measures import amount_words
from rules.model import (
    HOUR,
    Alert,
    AnomalyEvidence,
    BudgetEvidence,
    BurnEvidence,
    DriftEvidence,
    Evidence,
    ForecastEvidence,
    HourPoint,
    Nano,
    Odds,
    PaceEvidence,
    PriceEvidence,
    Share,
    SilenceEvidence,
    SourceEvidence,
    TriggerEvidence,
    UnitPriceEvidence,
)
from rules.money import display_usd
from rules.thresholds import also_words, mark_words
from rules.trigger_words import mark_of
from watcher.config.durations import spell_duration

_HOURS = 12
_DAYS = 14
_BAR = 24
_NO_TIME = 0
_CALLED = {"api_key": "key", "model_family": "family", "service_tier": "tier"}


def basis(alert: Alert, now: datetime) -> Iterator[str]:
    """What the decision rested on: the figures that were held against the rule, and what they were held against."""
    evidence = alert.evidence
    if isinstance(evidence, AnomalyEvidence):
        yield from _anomaly(evidence, now)
    elif isinstance(evidence, UnitPriceEvidence):
        yield from _unit_price(evidence, now)
    elif isinstance(evidence, SilenceEvidence):
        yield from _silence(evidence, now)
    elif isinstance(evidence, BudgetEvidence):
        yield from _budget(evidence, now)
    elif isinstance(evidence, TriggerEvidence):
        yield from _trigger(evidence, now)
    elif isinstance(evidence, SourceEvidence):
        yield f"{clean(evidence.problem, 300)}"
        yield f"{clean(evidence.consequence, 300)}"
    elif isinstance(evidence, DriftEvidence):
        yield (
            f"{evidence.days} settled days from {evidence.first_day} to {evidence.last_day} were estimated at "
            f"{display_usd(evidence.estimated)} and billed at {display_usd(evidence.billed)}; what counts is more than "
            f"{number(evidence.percent)} % and {display_usd(evidence.amount)} on each of {evidence.least_days} days."
        )
    elif isinstance(evidence, PriceEvidence):
        yield f"{plural(len(evidence.new_models), 'new model')}, {plural(len(evidence.moves), 'price')} that moved."
    yield from _certainty(evidence, now)


def drivers(evidence: Evidence) -> Iterator[str]:
    """What drives it: the cause, and the parts."""
    if isinstance(evidence, AnomalyEvidence) and (words := why(evidence.cause)):
        yield f"{words[:1].upper()}{words[1:]}."
    top: Sequence[Share] = getattr(evidence, "top", ())
    measure = evidence.measure if isinstance(evidence, BudgetEvidence) else None
    for share in top[:8]:
        amount = display_usd(share.cost) if measure is None else amount_words(measure, share.cost)
        name = clean(share.name)
        named = name if name == clean(share.id) or share.id.startswith("(") else f"{name} ({clean(share.id)})"
        yield f"{_CALLED.get(share.dimension, clean(share.dimension))} {named}: {amount}"


def hours_picture(points: Sequence[HourPoint], since: datetime) -> Iterator[str]:
    """The newest hours as rows: observed, expected, upper bound, and a bar in which `|` is the bound.

    Hours from `since` on bear a mark. Eighty columns wide or less.
    """
    shown = points[-_HOURS:]
    top = max((max(point.observed, point.upper) for point in shown), default=0)
    if not shown:
        return
    yield f"{'hour (UTC)':<15}{'observed':>11}{'expected':>11}{'upper':>11}"
    for point in shown:
        mark = ">" if point.hour >= since else " "
        hour = f"{point.hour:%m-%d %H:%M}{'' if point.complete else '*'}"
        figures = "".join(f"{display_usd(each):>11}" for each in (point.observed, point.expected, point.upper))
        yield f"{mark} {hour:<13}{figures}  {bar(point.observed, point.upper, top)}".rstrip()
    if not all(point.complete for point in shown):
        yield "* was still filling"


def days_picture(days: Mapping[date, Nano]) -> Iterator[str]:
    """The newest days with a bar each, and what came before them as one row."""
    shown = list(days.items())[-_DAYS:]
    rest = sum(list(days.values())[:-_DAYS])
    top = max((cost for _, cost in shown), default=0)
    if len(days) > _DAYS:
        yield f"{'before':<12}{display_usd(rest):>12}"
    for day, cost in shown:
        yield f"{day!s:<12}{display_usd(cost):>12}  {bar(cost, 0, top)}".rstrip()


def bar(value: Nano, bound: Nano, top: Nano) -> str:
    """A bar of at most `_BAR` characters, in which `|` is the bound, if there is one."""
    if top <= 0:
        return ""
    filled = max(min(round(_BAR * value / top), _BAR), 1 if value > 0 else 0)
    text = list("█" * filled + " " * (_BAR + 1 - filled))
    if bound > 0:
        text[min(round(_BAR * bound / top), _BAR)] = "|"
    return "".join(text).rstrip()


def _anomaly(evidence: AnomalyEvidence, now: datetime) -> Iterator[str]:
    yield (
        f"Since {when(evidence.since, now)} {display_usd(evidence.observed)} were spent where "
        f"{display_usd(evidence.expected)} were likely: {display_usd(evidence.observed - evidence.expected)} more."
    )
    yield (
        f"{display_usd(evidence.per_hour)} an hour, where {display_usd(evidence.normal_per_hour)} is normal at that "
        f"hour of the week and a single hour of up to {display_usd(evidence.upper_per_hour)} would be no news."
    )
    yield f"The baseline knew {plural(evidence.history_hours, 'hour')} of it."
    yield f"Score {evidence.score:g}: so many robust standard deviations above the expected.{_odds(evidence.odds)}"
    terms = evidence.terms
    if terms is None:
        return
    yield f"It reached {terms.reached:.2f} of the usual threshold; the rule tells from {terms.threshold:.2f} on."
    yield (
        f"Floors in money: {display_usd(terms.min_excess)} an hour over several hours, {display_usd(terms.one_hour)} "
        f"in a single one; below that an excess must also be {number(terms.of_usual)} usual hours."
    )
    if terms.hold_for.total_seconds() > _NO_TIME:
        yield f"It had to last {spell_duration(terms.hold_for)} (`for`)."


def _odds(odds: Odds | None) -> str:
    if odds is None:
        return ""
    less = "less than " if odds.floored else "at most "
    return (
        f" Clean data of {plural(odds.series, 'series', 'series')} bring the like {less}{odds.a_year:.3g} times a year."
    )


def _unit_price(evidence: UnitPriceEvidence, now: datetime) -> Iterator[str]:
    shift = evidence.shift
    yield (
        f"A million output tokens cost {display_usd(shift.now)} since {when(shift.since, now)}, and "
        f"{display_usd(shift.before)} before."
    )
    yield (
        f"{evidence.tokens:,} of them came since then: {display_usd(evidence.observed)}, where "
        f"{display_usd(evidence.expected)} was the price of before."
    )
    yield f"Score {evidence.score:g}; {plural(evidence.history_hours, 'hour')} of history.{_odds(evidence.odds)}"


def _silence(evidence: SilenceEvidence, now: datetime) -> Iterator[str]:
    yield (
        f"{plural(evidence.hours, 'complete hour')} without anything since {when(evidence.since, now)}, each held to "
        f"bring {display_usd(evidence.normal_per_hour)}: {display_usd(evidence.missing)} missing."
    )
    yield f"Its longest silence in the four weeks before was {plural(evidence.longest, 'hour')}."
    yield f"Score {evidence.score:g}; {plural(evidence.history_hours, 'hour')} of history."


def _budget(evidence: BudgetEvidence, now: datetime) -> Iterator[str]:
    measure = evidence.measure
    spent, limit = amount_words(measure, evidence.spent), amount_words(measure, evidence.limit)
    yield (
        f"{spent} of the limit of {limit} in {evidence.period} ({percent(evidence.spent, evidence.limit)}): the "
        f"threshold of {mark_words(evidence)} is passed."
    )
    if lower := also_words(evidence):
        yield f"Passed in the same judgement, and told with it: {', '.join(lower)}."
    yield (
        f"The period runs from {when(evidence.period_start, now)} to {when(evidence.period_end, now)} "
        f"({evidence.timezone})."
    )


def _trigger(evidence: TriggerEvidence, now: datetime) -> Iterator[str]:
    yield (
        f"{display_usd(evidence.spent)} of {display_usd(evidence.limit)} were spent in {evidence.period}, at "
        f"{display_usd(evidence.per_hour)} an hour."
    )
    if isinstance(evidence, ForecastEvidence):
        yield (
            f"Expected by the end: {display_usd(evidence.total)}, with 80 % certainty {display_usd(evidence.low)} to "
            f"{display_usd(evidence.high)}; the mark is {mark_of(evidence)} ({display_usd(evidence.amount)})."
        )
        yield f"So as not to reach it, an hour may cost {display_usd(evidence.sustainable)}."
        if evidence.crosses is not None:
            ends = [when(each, now) for each in (evidence.early, evidence.late) if each is not None]
            between = f" ({' to '.join(ends)})" if ends else ""
            yield f"Reached {when(evidence.crosses, now)}{between}."
        if evidence.little:
            yield "It rests on less than two weeks of history."
    elif isinstance(evidence, BurnEvidence):
        yield (
            f"The last {plural(evidence.short_hours, 'hour')} cost {display_usd(evidence.per_hour)} each, the last "
            f"{plural(evidence.long_hours, 'hour')} {display_usd(evidence.long_per_hour)}; sustainable are "
            f"{display_usd(evidence.sustainable)} and {display_usd(evidence.long_sustainable)}, and both are held "
            f"against {number(evidence.factor)} times that."
        )
        if evidence.exhausted_at is not None:
            yield f"At that pace the limit is used up {when(evidence.exhausted_at, now)}."
    elif isinstance(evidence, PaceEvidence):
        yield (
            f"By its own week {display_usd(evidence.expected)} should have been spent by then; the mark is "
            f"{number(evidence.percent)} % of that. As far ahead, the period comes to {display_usd(evidence.ends_at)}."
        )
    if evidence.also:
        yield f"Lesser marks told with it: {', '.join(evidence.also)}."
    if evidence.told_with is not None:
        yield f"It was told with a higher mark: {evidence.told_with}."
    yield f"The period ends {when(evidence.period_end, now)} ({evidence.timezone})."


def _certainty(evidence: Evidence, now: datetime) -> Iterator[str]:
    settled = getattr(evidence, "settled", None)
    total = getattr(evidence, "observed", getattr(evidence, "spent", None))
    if evidence.data_as_of is not None:
        told = ""
        if isinstance(settled, int) and isinstance(total, int) and total > 0 and _in_money(evidence):
            told = f"; {percent(min(settled, total), total)} of it had settled, the rest was estimated"
            told = told if settled > 0 else "; nothing of it had settled, all of it was estimated"
        yield f"Data as of {when(evidence.data_as_of, now)}{told}."
    unpriced: Sequence[str] = getattr(evidence, "unpriced", ())
    if unpriced:
        names = ", ".join(clean(model) for model in unpriced[:3])
        yield f"No price was known of {names}: the dearest of the family stood in."


def _in_money(evidence: Evidence) -> bool:
    return not isinstance(evidence, BudgetEvidence) or evidence.measure.is_money


def held_for(alert: Alert) -> str:
    """How long it has to be clear before it ends, as a sentence; empty for one that ends by the calendar."""
    if alert.is_event:
        return ""
    hours = alert.keep_firing_for
    lasts = duration(hours) if hours >= HOUR else spell_duration(hours)
    return f"It ends once complete data have been clear for {lasts} (`keep_firing_for`)."
