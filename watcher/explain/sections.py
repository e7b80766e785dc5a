"""An explanation as people read it: headings with sentences, and pictures of text, in the order of the questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from notifiers.text import ago, clean, given, when
from rules.action_words import standing
from rules.actions import POLICY, Action
from rules.model import Alert, AnomalyEvidence, HourPoint, SilenceEvidence, State
from rules.money import display_usd
from rules.savings import saved
from watcher.config.route_words import timing_words
from watcher.explain.decision_words import basis, days_picture, drivers, held_for, hours_picture
from watcher.explain.delivery_words import deliveries
from watcher.explain.explanation import Explanation
from watcher.explain.priced import usd_a_million
from watcher.explain.record import Record
from watcher.quiet_words import LONGEST_COMMENT, quiet_words

_MOST_WAYS = 12
_MOST_INSIDE = 6
_KINDS = {"uncached_input": "input", "output": "output"}


@dataclass(frozen=True, slots=True)
class Section:
    """Sentences under a heading, each of which may wrap, and rows that may not."""

    heading: str
    sentences: tuple[str, ...] = ()
    picture: tuple[str, ...] = ()


def sections(found: Explanation) -> Iterator[Section]:
    """Those that have something to say."""
    every = (
        _decision(found),
        Section("What drives it", tuple(drivers(found.record.decided.evidence))),
        _prices(found),
        _life(found),
        keys_section(found.record.actions, found.record.alert, found.now),
        _people(found),
        _story(found.record),
        _routes(found.record),
        Section("Messages", tuple(deliveries(found.record, found.now))),
        _again(found),
    )
    return (section for section in every if section.sentences or section.picture)


def _decision(found: Explanation) -> Section:
    record, now = found.record, found.now
    decided, evidence = record.decided, record.decided.evidence
    points: tuple[HourPoint, ...] = getattr(evidence, "points", ())
    picture: tuple[str, ...] = ()
    if isinstance(evidence, AnomalyEvidence | SilenceEvidence):
        picture = tuple(hours_picture(points, evidence.since))
    elif found.by_day:
        picture = ("spent by day, as known now", *days_picture(found.by_day))
    rule = f'Rule "{given(decided.subject.rule)}" ({decided.subject.kind}), decided {when(record.decided_at, now)}.'
    return Section("What was decided", (rule, *basis(decided, now)), picture)


def _prices(found: Explanation) -> Section:
    rows: dict[str, list[str]] = {}
    for each in found.prices:
        price = f"{_KINDS[each.kind]} ${usd_a_million(each.quote.pico)}"
        rows.setdefault(f"{clean(each.model)}: {{}} a million tokens, {each.source}", []).append(price)
    told = tuple(row.format(" and ".join(prices)) for row, prices in rows.items())
    return Section(f"What priced it (on {found.priced_on}, as known now)", told)


def _life(found: Explanation) -> Section:
    alert, now = found.record.alert, found.now
    rows = [
        f"{when(each.at, now)}: {each.before or 'new'} → {each.after} ({clean(each.why, 200)})"
        + (", told to nobody" if each.silent else "")
        for each in found.record.transitions
    ]
    if alert.state is not State.RESOLVED:
        rows.append(f"It closes {when(alert.closes_at, now)}." if alert.closes_at is not None else held_for(alert))
        if alert.clear_since is not None:
            rows.append(f"Complete data have been clear since {when(alert.clear_since, now)}.")
    return Section("How it went", tuple(filter(None, rows)))


def keys_section(actions: Sequence[Action], alert: Alert, now: datetime) -> Section:
    """What was decided about keys because of an alert, and what happens next."""
    rows = []
    for row in actions:
        by = "" if row.by == POLICY else f", by {clean(row.by)}"
        rows.append(f"{clean(standing(row, now), 700)} (action {row.id}, {row.mode}, {when(row.created_at, now)}{by}).")
        found = saved(row, alert, now)
        if found is not None:
            rows.append(f"  Being off saves {found.words(now)}: an estimate.")
    return Section("What is done to keys", tuple(rows))


def _people(found: Explanation) -> Section:
    record, now = found.record, found.now
    rows = [f"{words[:1].upper()}{words[1:]}." for words in quiet_words(record.alert, now)]
    for silence in record.silences:
        matchers = clean(", ".join(map(str, silence.matchers)), 200)
        until = f"from {when(silence.starts_at, now)} until {when(silence.ends_at, now)}"
        told = f"by {clean(silence.author)}: {clean(silence.comment, LONGEST_COMMENT)}"
        rows.append(f"Silence {silence.id} ({matchers}) {until}, {told}")
    for act in record.acts:
        outcome = clean(str(act.details.get("outcome", "")), LONGEST_COMMENT)
        rows.append(f"{when(act.at, now)}: {clean(act.what)} by {clean(act.actor)}{f': {outcome}' if outcome else ''}")
    rows += [f"Planned for its hours, as known now: {clean(name, 200)}." for name in found.planned]
    return Section("What people said", tuple(rows))


def _story(record: Record) -> Section:
    rows = []
    if record.teller is not None:
        rows.append(f"Its story is told by {record.teller.id}: {clean(record.teller.summary, 300)}")
    rows += [f"It tells the story of {each.id}: {clean(each.summary, 300)}" for each in record.inside[:_MOST_INSIDE]]
    if len(record.inside) > _MOST_INSIDE:
        rows.append(f"and of {len(record.inside) - _MOST_INSIDE} more")
    return Section("One story", tuple(rows))


def _routes(record: Record) -> Section:
    rows = []
    for way in record.ways[:_MOST_WAYS]:
        name = f'{way.route.written or "route"} to "{given(way.route.receiver)}"'
        takes = "takes it" if way.takes else "does not take it" if not way.why.endswith("takes it") else "leads to it"
        timing = timing_words(way.route.timing) if way.takes else ""
        rows.append(f"{name} {takes}: {clean(way.why, 400)}.{timing}")
    if len(record.ways) > _MOST_WAYS:
        rows.append(f"and {len(record.ways) - _MOST_WAYS} routes more")
    return Section("Who hears of it, by the routes as they are now", tuple(rows) or ("No route: nobody is told.",))


def _again(found: Explanation) -> Section:
    again, now = found.again, found.now
    rows = []
    if again.end is not None and again.outcome != "unknown":
        rows.append(f"The hour up to {when(again.end, now)} was judged again: present figures, present configuration.")
    if again.why:
        rows.append(again.why)
    if again.outcome == "same":
        rows.append("The decision would be the same now.")
    elif again.outcome == "other_severity" and again.alert is not None:
        before = found.record.decided.severity
        rows.append(f"It would be told as {again.alert.severity} now, and was as {before}.")
    elif again.outcome == "no_alert":
        rows.append("The decision would be different now: there would be no alert.")
    heading = "What differs now: " if found.changes else ""
    rows += [f"{heading if number == 0 else ''}{each.words}." for number, each in enumerate(found.changes)]
    if again.outcome not in {"unknown", "same"} and not found.changes and not again.why:
        rows.append("What made the difference is not kept: hours before it, or the rule itself, have changed.")
    if (evidence := again.evidence) is not None and isinstance(evidence, AnomalyEvidence):
        rows.append(
            f"Judged now: {display_usd(evidence.per_hour)} an hour against {display_usd(evidence.normal_per_hour)}, "
            f"score {evidence.score:g}."
        )
    return Section("Judged again", tuple(rows))


def opening(found: Explanation) -> tuple[str, ...]:
    """What it is, in two sentences above everything else."""
    alert, now = found.record.alert, found.now
    times = f"began {ago(alert.starts_at, now)}"
    if alert.ends_at is not None:
        times += f", ended {ago(alert.ends_at, now)}"
    owner = f" Owner: {clean(alert.whose, 90)}." if alert.whose else ""
    return (alert.summary, f"{alert.id}, {alert.severity}, {alert.state}, {times}.{owner}")
