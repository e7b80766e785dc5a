"""The budgets as people want to look at them: a bar, what is spent, where it ends, when it crosses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from notifiers.text import ago, clean, duration, when
from rules.budgets import Line
from rules.forecast import Crossing
from rules.measures import SPEND, Measure, amount_words
from rules.model import Alert, Names, Nano, TriggerEvidence
from rules.money import NANO_PER_USD, display_usd
from rules.pauses import Pause
from rules.periods import MONTHS
from rules.trigger_words import said
from rules.wording import label_of
from watcher.budgets import Standing, Standings
from watcher.cli.asking import LONGEST_REASON
from watcher.lines import print_hanging

BAR = 10
_BAR_WIDTH = BAR + 8
"""With the percentage and the gaps."""
_WIDTHS = {"spent": 8, "will be": 8, "80 % range": 14, "settled": 8, "crosses": 7}
"""The columns of figures, each with the gap before it."""
_LEFT_OUT = ("settled", "80 % range", "spent")
"""What a narrow terminal does without, in this order."""
_LEAST_LABEL = 12
_TOLD = 3
"""How many crossings of a budget are told in words."""
_DAY = timedelta(days=1)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EIGHTHS = " ▏▎▍▌▋▊▉"


def show(found: Standings, console: Console, now: datetime, most: int | None) -> None:
    """Print every budget of every organization; of each the `most` dearest lines, None for all."""
    several = len(found.organizations) > 1
    for place, standing in enumerate(found.organizations):
        if place:
            console.print()
        if several:
            console.print(Text(clean(standing.shown), style="bold underline"))
        _organization(standing, found, console, now, most)


def _organization(standing: Standing, found: Standings, console: Console, now: datetime, most: int | None) -> None:
    if standing.data_as_of is None:
        console.print("Nothing has been judged yet: run `watcher poll` or `watcher run` first.")
        return
    if not standing.lines and not standing.unjudged:
        console.print("No budget runs at present, or its first figures come with the next cycle.")
    told = {line.budget for line in standing.lines if line.limit is None}
    for none in standing.unjudged:
        if none.budget not in told:
            why = Text(f"  judges nothing: {none.why}.", style="yellow")
            print_hanging(console, Text(clean(none.budget), style="bold"), why)
    for name, of_budget in groupby(standing.lines, key=lambda line: line.budget):
        _budget(list(of_budget), ZoneInfo(found.zones[name]), console, now, most, standing.paused.get(name))
        for sentence in _told(standing, name):
            print_hanging(console, Text("  "), Text(sentence, style="yellow"))
        console.print()
    for note in _notes(standing, now):
        print_hanging(console, Text(), Text(note, style="dim"))


def _budget(
    lines: Sequence[Line], zone: ZoneInfo, console: Console, now: datetime, most: int | None, pause: Pause | None
) -> None:
    first = lines[0]
    left = f"{duration(first.end - now)} left" if first.end > now else "ended"
    when = first.period if first.rolling else f"{first.period} ({zone.key}), {left}"
    head = f"  {when}, {_limits(lines)}"
    print_hanging(console, Text(clean(first.budget), style="bold"), Text(head, style="dim"))
    if pause is not None:
        print_hanging(console, Text("  "), Text(pause_words(pause, now, zone), style="yellow"))
    shown = lines[:most]
    console.print(_table(shown, zone, console))
    if kind := first.measure.claude_code:
        note = f"Claude Code's own estimate, of customers of the type {clean(kind)}: by the UTC day, and late."
        print_hanging(console, Text("  "), Text(note, style="dim"))
    for sentence in _crossings(shown, zone):
        print_hanging(console, Text("  "), Text(sentence))
    if hidden := len(lines) - len(shown):
        console.print(Text(f"  and {hidden:,} more: --all", style="dim"))


def pause_words(pause: Pause, now: datetime, zone: ZoneInfo) -> str:
    """ "paused until Thu 12 Nov 00:00 UTC by ann (a load test)"."""
    until = f" until {when(pause.until, now, zone)}" if pause.until is not None else ""
    why = f" ({clean(pause.reason, LONGEST_REASON)})" if pause.reason else ""
    return f"paused{until} by {clean(pause.by)}{why}"


def _told(standing: Standing, budget: str) -> Iterator[str]:
    """What is told of the budget beside its thresholds, one line for each scope; the first of them in words."""
    told = [
        (alert, alert.evidence)
        for (name, _), alerts in standing.firing.items()
        for alert in alerts
        if name == budget and alert.told_by is None and isinstance(alert.evidence, TriggerEvidence)
    ]
    for alert, evidence in told[:_TOLD]:
        whose = "all" if not alert.subject.scope.parts() else clean(_called(alert), _LEAST_LABEL * 3)
        yield f"{whose} {said(evidence)}."
    if len(told) > _TOLD:
        yield f"and {len(told) - _TOLD:,} more are told: watcher alerts"


def _called(alert: Alert) -> str:
    return label_of(alert.subject.scope, Names(alert.names))


def _limits(lines: Sequence[Line]) -> str:
    """ "limit $14,000", "limits from $20 to $500", "no limit: …", and how many have none where others have."""
    limits = sorted(line.limit for line in lines if line.limit is not None)
    if not limits:
        return f"no limit: {lines[0].unlimited}"
    each = " each" if lines[0].label else ""
    low, high = limits[0], limits[-1]
    measure = lines[0].measure
    told = f"limit {_whole(low, measure)}{each}"
    if low != high:
        told = f"limits from {_whole(low, measure)} to {_whole(high, measure)}"
    without = [line.unlimited for line in lines if line.limit is None]
    return f"{told}; {len(without):,} without: {without[0]}" if without else told


def _table(lines: Sequence[Line], zone: ZoneInfo, console: Console) -> Table:
    titles = [title for title in _WIDTHS if title not in _left_out(console.width)]
    room = max(console.width - _BAR_WIDTH - sum(_WIDTHS[title] for title in titles), _LEAST_LABEL)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", no_wrap=True, max_width=room)
    table.add_column("used", no_wrap=True)
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    for line in lines:
        figures = _figures(line, zone)
        label = Text(clean(line.label, room) if line.label else "all")
        bar = _bar(line, ascii_only=console.options.ascii_only)
        table.add_row(label, bar, *(figures[title] for title in titles))
    return table


def _left_out(width: int) -> Sequence[str]:
    """The columns that a terminal has no room for, beside a label of the least length."""
    for most in range(len(_LEFT_OUT) + 1):
        kept = sum(cells for title, cells in _WIDTHS.items() if title not in _LEFT_OUT[:most])
        if _LEAST_LABEL + _BAR_WIDTH + kept <= width:
            return _LEFT_OUT[:most]
    return _LEFT_OUT


def _figures(line: Line, zone: ZoneInfo) -> dict[str, str]:
    forecast = line.forecast if line.forecast is None or line.forecast.basis != "none" or not line.spent else None
    little = forecast is not None and forecast.basis == "little"
    measure = line.measure
    span = f"{_short(forecast.low, measure)}-{_short(forecast.high, measure)}" if forecast else "-"
    return {
        "spent": _money(line.spent, line.measure),
        "will be": f"{'~' if little else ''}{_money(forecast.total, line.measure)}" if forecast else "-",
        "80 % range": span,
        "settled": _share(line.settled, line.spent) if line.measure == SPEND else "-",
        "crosses": _when(line, zone),
    }


def _bar(line: Line, *, ascii_only: bool) -> Text:
    """What is spent of the limit, what the forecast adds to it, and the percentage."""
    if line.limit is None:
        return Text(f"{'no limit':<{BAR}} {'-':>5}", style="dim")
    used = min(line.used or 0.0, float(BAR))
    will = max((line.forecast.total if line.forecast else line.spent) / line.limit if line.limit > 0 else used, used)
    eighths = round(min(max(used, 0.0), 1.0) * BAR * 8)
    if ascii_only:
        full = "#" * (eighths // 8)
        rest = "=" * (round(min(max(will, 0.0), 1.0) * BAR) - len(full))
        empty = "."
    else:
        full = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
        rest = "▒" * (round(min(max(will, 0.0), 1.0) * BAR) - len(full))
        empty = "░"
    colour = "red" if used >= 1 else "yellow" if used >= 0.8 or will >= 1 else "green"
    bar = Text.assemble((full, colour), (rest, f"dim {colour}"), (empty * (BAR - len(full) - len(rest)), "dim"))
    return bar.append(f" {_percent(line.spent, line.limit):>5}")


def _percent(part: Nano, whole: Nano) -> str:
    """Whole percent, never 100 before it is reached."""
    if whole <= 0 or part <= 0:
        return "0%"
    share = 100 * part // whole
    return f"{share}%" if 1 <= share <= 999 else "<1%" if share < 1 else ">999%"


def _share(part: Nano, whole: Nano) -> str:
    return "-" if whole <= 0 else _percent(part, whole)


def _limit_crossing(line: Line) -> Crossing | None:
    if line.forecast is None:
        return None
    return next((each for each in line.forecast.crossings if each.amount == line.limit), None)


def _when(line: Line, zone: ZoneInfo) -> str:
    """When the limit is crossed: past ones too, "maybe" where only the interval reaches it."""
    crossing = _limit_crossing(line)
    if crossing is None:
        return "-"
    if crossing.expected is not None:
        return _moment(crossing.expected, line, zone)
    return "no" if crossing.early is None else "maybe"


def _crossings(lines: Sequence[Line], zone: ZoneInfo) -> Iterator[str]:
    """A sentence for the first lines whose limit is crossed, or may be, within the period."""
    told = 0
    for line in lines:
        crossing = _limit_crossing(line)
        if crossing is None or crossing.early is None or told == _TOLD:
            continue
        told += 1
        who = f"{clean(line.label)}: " if line.label else ""
        yield f"{who}{_sentence(crossing, line, zone)}"


def _sentence(crossing: Crossing, line: Line, zone: ZoneInfo) -> str:
    limit, early = _whole(crossing.amount, line.measure), _moment(crossing.early, line, zone, long=True)
    if line.spent >= crossing.amount:
        return f"crossed {limit} on {early}."
    if crossing.expected is None:
        return f"will probably stay below {limit}, but may cross it from {early} on."
    expected, late = (_moment(each, line, zone, long=True) for each in (crossing.expected, crossing.late))
    if crossing.late is None:
        return f"crosses {limit} on {expected}, {early} at the earliest, perhaps not within the period."
    span = "" if early == late else f", between {early} and {late}"
    return f"crosses {limit} on {expected}{span}."


def _moment(moment: datetime | None, line: Line, zone: ZoneInfo, *, long: bool = False) -> str:
    """A day, or within periods of up to two days a time, as the budget's zone has it."""
    if moment is None:
        return "-"
    local = moment.astimezone(zone)
    month = MONTHS[local.month - 1][:3]
    if line.end - line.start <= 2 * _DAY:
        return f"{local.day} {month} {local:%H:%M}" if long else f"{local:%H:%M}"
    return f"{_WEEKDAYS[local.weekday()]} {local.day} {month}" if long else f"{local.day} {month}"


def _notes(standing: Standing, now: datetime) -> Iterator[str]:
    if standing.waiting:
        yield f"Waits for the next cycle: {'; '.join(clean(each, 160) for each in standing.waiting)}."
    young = [line.forecast.days for line in standing.lines if line.forecast and line.forecast.basis == "little"]
    if young:
        yield f"~ rests on little history, {min(young):.1f} days at the least: its interval is wide."
    if any(line.forecast is not None and line.forecast.basis == "none" and line.spent for line in standing.lines):
        yield "- has no complete hour of spend yet to learn from."
    if any(line.forecast is None and not line.rolling for line in standing.lines):
        yield "- is not forecast: the dearest 500 lines of a budget are, from the next cycle on."
    if standing.data_as_of is not None:
        yield f"Data as of {standing.data_as_of:%Y-%m-%d %H:%M} UTC, {ago(standing.data_as_of, now)}."


def _money(amount: Nano, measure: Measure) -> str:
    """An amount at a glance: "$9.50", "$950", "$6,212", "$62.1k", "$1.25M"; "62.1k" where it is no money."""
    if not measure.is_money:
        return _short(amount, measure)
    size = abs(amount) / NANO_PER_USD
    sign = "-" if amount < 0 else ""
    if size >= 9_999.5:
        return f"{sign}${_short(abs(amount), measure)}"
    return display_usd(amount) if 0 < size < 99.995 else f"{sign}${size:,.0f}"


def _short(amount: Nano, measure: Measure) -> str:
    """Dollars, tokens or requests in three digits: "9.50", "37.2", "950", "3.75k", "62.1k", "1.25M", "8.01G"."""
    value = amount / NANO_PER_USD if measure.is_money else float(amount)
    if not measure.is_money and abs(value) < 999.5:
        return f"{value:.0f}"
    sizes = ((999_500, 1e6, "M"), (999.5, 1e3, "k"))
    unit = ""
    for bound, size, word in sizes if measure.is_money else ((999.5e6, 1e9, "G"), *sizes):
        if value >= bound:
            value, unit = value / size, word
            break
    places = 0 if value >= 99.95 or value == 0 else 1 if value >= 9.995 else 2
    return f"{value:,.{places}f}{unit}"


def _whole(amount: Nano, measure: Measure) -> str:
    """A limit as its owner wrote it: "$14,000", "$12.50", "50,000,000 output tokens"."""
    return amount_words(measure, amount).removesuffix(".00")
