"""A picture of an alert: what was observed against what was to be expected, and when it was told. Pure: data to bytes.

How it looks is `notifiers.figure`'s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

from notifiers.figure import (
    DOLLAR,
    DPI,
    Colours,
    Format,
    Look,
    axes_of,
    dollars,
    drawn,
    head,
    in_both_looks,
    limit_line,
    money_axis,
)
from notifiers.text import clean
from rules.model import HOUR, HourPoint, Nano
from rules.money import display_usd
from rules.periods import MONTHS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Corner: TypeAlias = tuple[float, float]

MOST_POINTS = 2000
"""Of more hours only the newest are drawn."""
_DAY = 24
_LONGEST_SPOKEN = 120
_SHEER = 0.7
"""How much of what lies below it the normal range hides: the marked stretch stays to be seen."""
_NEAR = 0.02
"""Parts of the width that a moment is kept away from the right edge, so that its mark is not cut."""


@dataclass(frozen=True, slots=True)
class Chart:
    """What to draw. Hours are UTC and in order; amounts are nano-dollars, of an hour or, where it says so, in all.

    Without a baseline `expected` and `upper` of a point are None.
    """

    title: str
    points: tuple[Point, ...]
    subtitle: str = ""
    limit: Nano | None = None
    """A line that is not to be passed."""
    mark: Nano | None = None
    """A part of it that was passed, or may be."""
    marked: tuple[datetime, datetime] | None = None
    """The stretch that is not normal, `[from, to)`."""
    told: datetime | None = None
    """When somebody was told."""
    timezone: str = "UTC"
    """In which times are shown, and by which they are named."""
    in_all: bool = False
    """Whether the amounts are sums at the ends of the hours, from nothing at the first one on, and not of the hours."""
    since: datetime | None = None
    """When a sum begins, where that is before the first hour."""
    until: datetime | None = None
    """How far the axis reaches, where that is beyond the last hour."""
    outlook: Outlook | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a sum is expected to come to at `at`, with an 80 % interval; and when to `mark`, where it does."""

    at: datetime
    low: Nano
    total: Nano
    high: Nano
    mark: Nano = 0
    crosses: datetime | None = None
    early: datetime | None = None
    late: datetime | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One hour."""

    hour: datetime
    observed: Nano
    expected: Nano | None = None
    upper: Nano | None = None
    complete: bool = True


def of_points(points: Sequence[HourPoint]) -> tuple[Point, ...]:
    """The hours of an anomaly's evidence."""
    return tuple(Point(each.hour, each.observed, each.expected, each.upper, each.complete) for each in points)


def png(chart: Chart, look: Look = "light", *, scale: float = 1.0) -> bytes:
    """The picture as PNG, `WIDTH` x `HEIGHT` pixels times `scale`. ValueError without points."""
    return _drawn(chart, look, "png", DPI * scale)


def svg(chart: Chart, look: Look = "light") -> str:
    """The picture as SVG whose letters are shapes: it needs no font, no script and nothing from elsewhere."""
    text = _drawn(chart, look, "svg", DPI).decode("utf-8")
    return text[text.index("<svg") :]


def svg_in_both_looks(chart: Chart) -> str:
    """The same as an image that takes the look that its reader prefers."""
    return in_both_looks(svg(chart))


def alt_text(chart: Chart) -> str:
    """The picture in words, for who cannot see it."""
    if not chart.points:
        return "Nothing to draw."
    points, zone = chart.points[-MOST_POINTS:], ZoneInfo(chart.timezone)
    first, last = points[0].hour.astimezone(zone), (points[-1].hour + HOUR).astimezone(zone)
    top = max(points, key=lambda point: point.observed)
    what = "Spend in all" if chart.in_all else "Spend by the hour"
    words = [f"{what}, {_moment(first)} to {_moment(last)} {chart.timezone}"]
    if chart.in_all:
        words.append(f"{display_usd(points[-1].observed)} at the end")
        if (ahead := chart.outlook) is not None:
            span = f"{display_usd(ahead.low)} to {display_usd(ahead.high)}"
            words.append(f"{display_usd(ahead.total)} ({span}) expected by {_moment(ahead.at.astimezone(zone))}")
    else:
        expected = "" if top.expected is None else f" where {display_usd(top.expected)} was expected"
        words.append(f"at most {display_usd(top.observed)} at {_moment(top.hour.astimezone(zone))}{expected}")
    if chart.limit is not None:
        words.append(f"the limit is {display_usd(chart.limit)}")
    if chart.marked is not None:
        begin, end = (_moment(each.astimezone(zone)) for each in chart.marked)
        words.append(f"not normal from {begin} to {end}")
    if chart.told is not None:
        words.append(f"told at {_moment(chart.told.astimezone(zone))}")
    return f"{clean(chart.title, _LONGEST_SPOKEN)}. {'; '.join(words)}."


def _drawn(chart: Chart, look: Look, kind: Format, dpi: float) -> bytes:
    if not chart.points:
        raise ValueError("there is nothing to draw")
    return drawn(lambda figure, colours: draw(figure, chart, colours), look, kind, dpi)


def draw(figure: Figure, chart: Chart, colours: Colours) -> None:
    """Put the picture on an empty figure (`notifiers.figure.drawn`)."""
    axes = axes_of(figure, colours)
    points = chart.points[-MOST_POINTS:]
    edges = [_place(point.hour) for point in points]
    edges.append(_place(points[-1].hour + HOUR))
    _marked(axes, chart, colours, (edges[0], edges[-1]))
    if chart.in_all:
        _sum(axes, points, chart, colours)
    else:
        _band(axes, points, edges, colours)
        _observed(axes, points, edges, colours)
    if chart.limit is not None:
        limit_line(axes, chart.limit / DOLLAR, colours, f"limit {_whole(chart.limit)}")
    if chart.mark is not None:
        limit_line(axes, chart.mark / DOLLAR, colours, f"threshold {_whole(chart.mark)}", faint=True)
    if chart.told is not None:
        _told(axes, _place(chart.told), colours)
    _frame(axes, points, edges, chart)
    what = "spend in all" if chart.in_all else "spend an hour"
    head(figure, colours, chart.title, chart.subtitle, f"{what}, {chart.timezone}")


def _marked(axes: Axes, chart: Chart, colours: Colours, shown: tuple[float, float]) -> None:
    if chart.marked is None:
        return
    begin, end = (min(max(_place(each), shown[0]), shown[1]) for each in chart.marked)
    if end > begin:
        axes.axvspan(begin, end, color=colours.marked, linewidth=0, zorder=0, label="not normal")


def _band(axes: Axes, points: Sequence[Point], edges: Sequence[float], colours: Colours) -> None:
    """What was to be expected, up to what would still have been normal."""
    lower = [_amount(point.expected) for point in points]
    upper = [_amount(point.upper) for point in points]
    if all(value != value for value in lower):  # noqa: PLR0124 - not a number anywhere
        return
    lower.append(lower[-1])
    upper.append(upper[-1])
    axes.fill_between(
        edges, 0, upper, step="post", color=colours.band, alpha=_SHEER, linewidth=0, zorder=1, label="normal range"
    )
    axes.step(edges, lower, where="post", color=colours.soft, linewidth=1.1, zorder=2, label="expected")


def _sum(axes: Axes, points: Sequence[Point], chart: Chart, colours: Colours) -> None:
    """The running sum, and what it is expected to come to."""
    begins = _place(points[0].hour if chart.since is None else chart.since)
    places = [begins, *(_place(point.hour + HOUR) for point in points)]
    sums = [0.0, *(point.observed / DOLLAR for point in points)]
    axes.plot(places, sums, color=colours.observed, linewidth=2.0, zorder=4, label="spent in all")
    axes.fill_between(places, 0, sums, color=colours.observed, alpha=0.10, linewidth=0, zorder=1)
    if chart.outlook is None:
        return
    ahead, here = chart.outlook, (places[-1], sums[-1])
    low, expected, high = (
        _way(here, ahead, end, through)
        for end, through in ((ahead.low, ahead.late), (ahead.total, ahead.crosses), (ahead.high, ahead.early))
    )
    stops = sorted({place for way in (low, high) for place, _ in way})
    lower, upper = ([_height(way, stop) for stop in stops] for way in (low, high))
    axes.fill_between(stops, lower, upper, color=colours.band, linewidth=0, zorder=1, label="80 % interval")
    across, up = zip(*expected, strict=True)
    axes.plot(across, up, color=colours.soft, linewidth=1.6, linestyle=(0, (3, 2)), zorder=3, label="expected")
    axes.plot(across[1:-1], up[1:-1], linestyle="none", marker="o", markersize=6, color=colours.limit, zorder=5)


def _way(here: _Corner, ahead: Outlook, end: Nano, through: datetime | None) -> list[_Corner]:
    """The corners of one line of an outlook, from here on."""
    last = (_place(ahead.at), end / DOLLAR)
    corner = here if through is None else (_place(through), ahead.mark / DOLLAR)
    within = here[0] < corner[0] < last[0] and here[1] < corner[1] < last[1]
    return [here, *([corner] if within else []), last]


def _height(way: Sequence[_Corner], place: float) -> float:
    """How high a line with these corners is."""
    for (left, low), (right, high) in pairwise(way):
        if left <= place <= right and left < right:
            return low + (high - low) * (place - left) / (right - left)
    return way[-1][1]


def _observed(axes: Axes, points: Sequence[Point], edges: Sequence[float], colours: Colours) -> None:
    values = [point.observed / DOLLAR for point in points]
    complete = [place for place, point in enumerate(points) if point.complete]
    last = complete[-1] + 1 if complete else 0
    if last:
        drawn = [*values[:last], values[last - 1]]
        axes.step(
            edges[: last + 1], drawn, where="post", color=colours.observed, linewidth=2.0, zorder=4, label="observed"
        )
    if last < len(points):
        rest = [*values[last:], values[-1]]
        axes.step(
            edges[last:],
            rest,
            where="post",
            color=colours.observed,
            linewidth=1.6,
            linestyle=(0, (2, 1.5)),
            zorder=4,
            label="not complete yet",
        )


def _told(axes: Axes, place: float, colours: Colours) -> None:
    axes.axvline(place, color=colours.ink, linewidth=1.3, linestyle=(0, (1, 2)), zorder=5, label="told")
    axes.plot([place], [1.0], marker="v", markersize=7, color=colours.ink, transform=axes.get_xaxis_transform())
    axes.lines[-1].set_clip_on(False)


def _frame(axes: Axes, points: Sequence[Point], edges: Sequence[float], chart: Chart) -> None:
    left = edges[0] if chart.since is None else min(edges[0], _place(chart.since))
    right = edges[-1] if chart.until is None else max(edges[-1], _place(chart.until))
    if chart.told is not None:
        right = max(right, _place(chart.told) + _NEAR * (right - left))
    axes.set_xlim(left, right)
    heights = [point.observed for point in points] + [point.upper or 0 for point in points]
    heights += [] if chart.limit is None else [chart.limit]
    heights += [] if chart.outlook is None else [chart.outlook.high]
    money_axis(axes, max(heights) / DOLLAR)
    places, labels = _ticks(left, right, ZoneInfo(chart.timezone))
    axes.set_xticks(places, labels)


def _ticks(first: float, last: float, zone: ZoneInfo) -> tuple[list[float], list[str]]:
    """Whole hours, or midnights, of local time: at most eight or so."""
    step = next((each for each in (1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 672) if (last - first) / each <= 8), 1344)
    offset = _moment_at(first).astimezone(zone).utcoffset() or timedelta(0)
    place = math.ceil(first + offset / HOUR) - offset / HOUR  # the first whole hour there, also where zones have halves
    places: list[float] = []
    labels: list[str] = []
    while place <= last:
        local = _moment_at(place).astimezone(zone)
        whole_day = local.hour == 0 and local.toordinal() % max(step // _DAY, 1) == 0
        if whole_day if step >= _DAY else local.hour % step == 0:
            places.append(place)
            day = f"{local.day} {MONTHS[local.month - 1][:3]}"
            clock = f"{local:%H:%M}\n{day}" if local.hour == 0 or len(places) == 1 else f"{local:%H:%M}"
            labels.append(day if step >= _DAY else clock)
        place += 1
    return places, labels


def _place(moment: datetime) -> float:
    """Where on the axis a moment stands: hours since 1970 UTC."""
    return moment.timestamp() / 3600


def _moment_at(place: float) -> datetime:
    return datetime.fromtimestamp(round(place * 3600), UTC)


def _amount(nano: Nano | None) -> float:
    return float("nan") if nano is None else nano / DOLLAR


def _whole(nano: Nano) -> str:
    """An amount, without cents where it has none."""
    return dollars(nano / DOLLAR, 1.0 if nano % 1_000_000_000 == 0 else 0.01)


def _moment(local: datetime) -> str:
    return f"{local.day} {MONTHS[local.month - 1][:3]} {local:%H:%M}"
