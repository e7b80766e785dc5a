"""A digest in words: what was spent beside other times, where budgets stand, who moved and why, what happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from notifiers.phrases import certainty, lines, title, unpriced
from notifiers.story import GLYPHS, Line, Section, Story, Tone, Words, code, line, strong
from notifiers.text import bars, clean, percent, plural, when
from rules.digest import BudgetStanding, Compared, DayBar, Digest, Fired, Mover, Newcomer, Stopped
from rules.model import Severity, State
from rules.money import display_usd
from rules.periods import MONTHS

LATE = timedelta(hours=1)
"""From here on a digest says that it comes late."""
_TONES = {Severity.CRITICAL: Tone.CRITICAL, Severity.WARNING: Tone.WARNING, Severity.INFO: Tone.INFO}
_NOUNS = {"workspace": "workspace", "api_key": "key", "model": "model"}
_LONGEST_SUMMARY = 160
_LONGEST_ACT = 120


def digest_story(told: Digest, now: datetime) -> Story:
    """The whole digest."""
    every = "Weekly" if told.every == "weekly" else "Daily"
    beside = _beside_first(told)
    opening = title(f"{every} digest, {_when(told)}: {display_usd(told.spent)} spent{beside}")
    return Story(
        tone=Tone.DIGEST,
        title=opening,
        lead=lines(*_lead(told, now)),
        picture=tuple(_picture(told)),
        sections=tuple(section for section in _sections(told) if section.lines),
        footer=tuple(_footer(told, now)),
    )


def _beside_first(told: Digest) -> str:
    """ ", +12 % on the day before"."""
    if not told.compared or not told.compared[0].cost:
        return ""
    change, what = _change(told.spent, told.compared[0].cost), told.compared[0].what
    if change.endswith("%"):
        return f", {change} on {what}"
    return f", as much as {what}" if change == "the same" else f", {change} {what}"


def _when(told: Digest) -> str:
    return told.label if told.every == "weekly" else f"{told.first:%a} {told.label}"


def _lead(told: Digest, now: datetime) -> Iterator[Line]:
    if told.part:
        yield line("Of a part of the spend: ", strong(clean(told.part, 100)), ".")
    compared = [*told.compared, *([Compared("the usual", told.usual)] if told.usual is not None else [])]
    known = [each for each in compared if each.cost is not None]
    if known:
        yield line("For comparison: ", *_joined([_beside(told.spent, each) for each in known]), ".")
    missing = [each.what for each in told.compared if each.cost is None]
    if missing:
        yield line(f"Of {' and '.join(missing)} nothing, or not all, was read.")
    month = told.month
    if month is not None:
        so_far = (f"{month.label} so far: ", strong(display_usd(month.spent)))
        ends = f"; it is expected to end at {_interval(month.total, month.low, month.high)}" if month.known else ""
        yield line(*so_far, ends, ".")
    if not told.read:
        yield line("Usage was not read from the beginning of this time on, so there may have been more.")
    if not told.complete:
        yield line(f"The figures are not whole yet: usage is known until {when(told.complete_until, now)}.")
    if late(told, now):
        yield line(f"Told late: it was to come {when(told.due_at, now, ZoneInfo(told.timezone))}.")
    yield unpriced(told.unpriced)


def late(told: Digest, now: datetime) -> bool:
    """Whether it is told later than it was to come; one that is asked for is not."""
    return now - told.due_at >= LATE


def _beside(spent: int, other: Compared) -> list[Words]:
    change = _change(spent, other.cost)
    note = f" ({change})" if change else ""
    return [Words(f"{other.what} "), strong(display_usd(other.cost or 0)), Words(note)]


def _joined(several: Sequence[Sequence[Words]]) -> list[Words]:
    return [words for index, each in enumerate(several) for words in ([Words(", ")] if index else []) + list(each)]


def _change(now: int, before: int | None) -> str:
    """ "+12 %", "−3 %", "the same"; nothing where there is nothing to compare with."""
    if not before:
        return ""
    if now == before:
        return "the same"
    if now >= 10 * before:
        return f"{now / before:,.0f} times"
    return f"{'+' if now > before else '−'}{percent(abs(now - before), before)}"


def _interval(total: int, low: int, high: int) -> str:
    return f"{display_usd(total)} (80 %: {display_usd(low)} to {display_usd(high)})"


def _picture(told: Digest) -> Iterator[str]:
    """One block a day, and the first and last day under them; blanks between weeks that end with the period."""
    days = told.bars
    if len(days) < 2:
        return
    highest = max((day.cost for day in days), default=0)
    weeks = [days[max(end - 7, 0) : end] for end in range(len(days), 0, -7)][::-1]
    drawn = " ".join(bars([day.cost for day in week], highest) for week in weeks)
    yield drawn
    first, last = _day(days[0]), _day(days[-1])
    yield f"{first}{last:>{len(drawn) - len(first)}}" if len(drawn) > len(first) + len(last) else f"{first} to {last}"
    top = f"a day, at most {display_usd(highest)}"
    yield top if told.limit is None else f"{top}; the budget makes it {display_usd(told.limit)}"


def _day(bar: DayBar) -> str:
    return f"{bar.day.day} {MONTHS[bar.day.month - 1][:3]}"


def _sections(told: Digest) -> Iterator[Section]:
    standings = [*map(_budget, told.budgets), *_more(told.more_budgets, "watcher budgets")]
    yield Section("Budgets", tuple(standings), listed=True)
    moved = [_mover(each) for each in sorted(told.movers, key=lambda each: -abs(each.change))]
    if told.usual is not None and not moved:
        moved = [line("Nothing strayed much from its usual.")]
    yield Section("What moved, against the usual", tuple(moved), listed=True)
    fired = [*(_fired(each) for each in told.fired), *_more(told.more_fired, "watcher alerts --all")]
    if told.firing_now:
        fired.append(line(f"{plural(told.firing_now, 'alert')} {'fires' if told.firing_now == 1 else 'fire'} now"))
    yield Section("What fired", tuple(fired or [line("Nothing.")]), listed=True)
    done = [line(clean(act, _LONGEST_ACT)) for act in told.done]
    if told.more_done:
        done.append(line(f"and {told.more_done:,} more"))
    yield Section("What was done", tuple(done), listed=True)
    yield Section(
        _stopped_heading(told),
        (*map(_stopped, told.stopped), *_more(told.more_stopped, "watcher actions")),
        listed=True,
    )
    new = [*(_new("key", each) for each in told.new_keys), *_more(told.more_keys, "")]
    yield Section("New", (*new, *(_new("model", each) for each in told.new_models)), listed=True)


def _stopped_heading(told: Digest) -> str:
    """What the shutoffs saved, as far as that can be estimated."""
    saved = f"; money saved by shutoffs: about {display_usd(told.saved)}, an estimate" if told.saved else ""
    return f"Keys deactivated{saved}"


def _stopped(key: Stopped) -> Line:
    saved = f", saves about {display_usd(key.saved)}" if key.saved else ""
    by = f", by {clean(key.by)}" if key.by else ""
    return line(
        "key ",
        strong(clean(key.name)),
        f" at {key.at:%H:%M} UTC on {key.at.day} {MONTHS[key.at.month - 1][:3]}{by}{saved}",
    )


def _more(count: int, command: str) -> list[Line]:
    if not count:
        return []
    return [line(f"and {count:,} more; ", code(command), " lists them")] if command else [line(f"and {count:,} more")]


def _budget(standing: BudgetStanding) -> Line:
    limit, scope = standing.limit or 0, f" · {clean(standing.scope)}" if standing.scope else ""
    part = f" ({percent(standing.spent, limit)})" if limit else ""
    told: list[str | Words] = [strong(clean(standing.budget)), f"{scope}, {standing.period}: "]
    money = standing.unit == "usd"

    def shown(amount: int) -> str:
        return display_usd(amount) if money else f"{amount:,}"

    told += [strong(shown(standing.spent)), f" of {shown(limit)}{'' if money else f' {standing.unit}'}{part}"]
    if standing.total is not None and standing.low is not None and standing.high is not None:
        over = ", over the limit" if standing.total > limit else ""
        told.append(f"; forecast {shown(standing.total)} (80 %: {shown(standing.low)} to {shown(standing.high)}){over}")
    return line(*told)


def _mover(mover: Mover) -> Line:
    name = clean(mover.name)
    what = code(name) if mover.dimension == "model" else strong(name)
    change = f", {display_usd(abs(mover.change))} {'more' if mover.change > 0 else 'less'} than usual"
    why = f": {mover.why}" if mover.why else ""
    return line(f"{_NOUNS[mover.dimension]} ", what, " ", strong(display_usd(mover.spent)), f"{change}{why}")


def _fired(alert: Fired) -> Line:
    tone = Tone.RESOLVED if alert.state is State.RESOLVED else _TONES[alert.severity]
    done = f" ({clean(alert.done, 100)})" if alert.done else ""
    return line(f"{GLYPHS[tone]} {clean(alert.summary, _LONGEST_SUMMARY)}{done}")


def _new(what: str, newcomer: Newcomer) -> Line:
    name = clean(newcomer.name)
    spent = f", {display_usd(newcomer.spent)}" if newcomer.spent else ", nothing spent with it" if what == "key" else ""
    return line(f"{what} ", code(name) if what == "model" else strong(name), spent)


def _footer(told: Digest, now: datetime) -> Iterator[str]:
    yield f"digest {clean(told.name)}, days of {told.timezone}"
    yield from certainty(told.data_as_of, told.settled, told.spent, now)
