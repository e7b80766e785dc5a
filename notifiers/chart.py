"""A picture of an alert: what was observed against what was to be expected, and when it was told. Pure: data to bytes.

Legible on light and on dark ground alike: the picture has a ground of its own, in one of two looks. matplotlib (Agg) is
imported only when something is drawn. Texts come from outside and are harmless here: nothing in them is mathematics,
breaks a line or turns it round, and what the font has no picture for shows as a box.
"""

from __future__ import annotations

import io
import logging
import math
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from notifiers.text import clean
from rules.model import HOUR, HourPoint, Nano
from rules.money import display_usd
from rules.periods import MONTHS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Look: TypeAlias = Literal["light", "dark"]
Format: TypeAlias = Literal["png", "svg"]

WIDTH, HEIGHT = 800, 400
"""Pixels of a PNG at `scale` 1."""
MOST_POINTS = 2000
"""Of more hours only the newest are drawn."""
_DPI = 100
_DOLLAR = 1e9
_DAY = 24
_LONGEST, _SHORTEST = 200, 8
"""Characters of a line, however narrow or wide they are."""
_LONGEST_SPOKEN = 120
_FALLBACKS = (
    "Noto Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "WenQuanYi Zen Hei",
    "Noto Sans Symbols2",
    "Noto Emoji",
)
"""Fonts for what the first one lacks, as far as they are installed."""
_DRAWING = threading.Lock()
"""matplotlib's settings belong to the process."""


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
    marked: tuple[datetime, datetime] | None = None
    """The stretch that is not normal, `[from, to)`."""
    told: datetime | None = None
    """When somebody was told."""
    timezone: str = "UTC"
    """In which times are shown, and by which they are named."""
    in_all: bool = False
    """Whether the amounts are sums since the first hour, and not of the hours."""


@dataclass(frozen=True, slots=True)
class Point:
    """One hour."""

    hour: datetime
    observed: Nano
    expected: Nano | None = None
    upper: Nano | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Colours:
    """The colours of a look."""

    ground: str
    ink: str
    soft: str
    line: str
    observed: str
    band: str
    marked: str
    limit: str


_LOOKS: dict[Look, Colours] = {
    "light": Colours("#ffffff", "#1d1b16", "#5f5b50", "#e4e0d5", "#b4532a", "#c9d8ea", "#f7dcd4", "#8a1c14"),
    "dark": Colours("#23211c", "#f0ede4", "#b3ae9f", "#45423a", "#ef9a6f", "#3c5068", "#55302a", "#ff8a80"),
}


def of_points(points: Sequence[HourPoint]) -> tuple[Point, ...]:
    """The hours of an anomaly's evidence."""
    return tuple(Point(each.hour, each.observed, each.expected, each.upper, each.complete) for each in points)


def png(chart: Chart, look: Look = "light", *, scale: float = 1.0) -> bytes:
    """The picture as PNG, `WIDTH` x `HEIGHT` pixels times `scale`. ValueError without points."""
    return _drawn(chart, look, "png", _DPI * scale)


def svg(chart: Chart, look: Look = "light") -> str:
    """The picture as SVG whose letters are shapes: it needs no font, no script and nothing from elsewhere."""
    text = _drawn(chart, look, "svg", _DPI).decode("utf-8")
    return text[text.index("<svg") :]


def svg_in_both_looks(chart: Chart) -> str:
    """The same as an image that takes the look that its reader prefers."""
    text = svg(chart)
    light, dark = _LOOKS["light"], _LOOKS["dark"]
    variables = {"light": "", "dark": ""}
    for field in fields(Colours):
        colour = str(getattr(light, field.name))
        text = text.replace(colour, f"var(--{field.name})")
        variables["light"] += f"--{field.name}:{colour};"
        variables["dark"] += f"--{field.name}:{getattr(dark, field.name)};"
    end = text.index(">") + 1
    style = f":root{{{variables['light']}}}@media (prefers-color-scheme:dark){{:root{{{variables['dark']}}}}}"
    return f"{text[:end]}<style>{style}</style>{text[end:]}"


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
    return drawn(lambda figure, colours: _draw(figure, chart, colours), look, kind, dpi)


def drawn(draw: Callable[[Figure, Colours], None], look: Look, kind: Format = "png", dpi: float = _DPI) -> bytes:
    """What `draw` puts on an empty figure of the common size, ground and fonts, as an image."""
    with _DRAWING, _settings(_LOOKS[look]):
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - most processes never draw
        from matplotlib.figure import Figure  # noqa: PLC0415

        figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=dpi, facecolor=_LOOKS[look].ground)
        FigureCanvasAgg(figure)
        draw(figure, _LOOKS[look])
        into = io.BytesIO()
        nothing = ("Software",) if kind == "png" else ("Date", "Creator", "Format", "Type")
        plain: dict[str, None] = dict.fromkeys(nothing)
        figure.savefig(into, format=kind, dpi=dpi, facecolor=figure.get_facecolor(), metadata=plain)
        return into.getvalue()


@contextmanager
def _settings(colours: Colours) -> Iterator[None]:
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells of its caches and fonts
    import matplotlib as mpl  # noqa: PLC0415 - most processes never draw
    from matplotlib.font_manager import fontManager  # noqa: PLC0415

    there = set(fontManager.get_font_names())
    settings: dict[Any, Any] = {
        "text.parse_math": False,
        "text.usetex": False,
        "font.family": ["DejaVu Sans", *(font for font in _FALLBACKS if font in there)],
        "font.size": 9.5,
        "svg.fonttype": "path",
        "svg.hashsalt": "claude-watcher",
        "text.color": colours.ink,
        "axes.edgecolor": colours.line,
        "grid.color": colours.line,
        "axes.labelcolor": colours.soft,
        "xtick.color": colours.soft,
        "ytick.color": colours.soft,
    }
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        yield


def _draw(figure: Figure, chart: Chart, colours: Colours) -> None:
    axes = figure.add_axes((0.085, 0.115, 0.895, 0.66))
    axes.set_facecolor(colours.ground)
    points = chart.points[-MOST_POINTS:]
    edges = [_place(point.hour) for point in points]
    edges.append(_place(points[-1].hour + HOUR))
    _marked(axes, chart, colours, (edges[0], edges[-1]))
    _band(axes, points, edges, colours)
    _observed(axes, points, edges, chart, colours)
    if chart.limit is not None:
        axes.axhline(chart.limit / _DOLLAR, color=colours.limit, linewidth=1.6, linestyle=(0, (6, 3)), label="limit")
    if chart.told is not None:
        _told(axes, _place(chart.told), colours)
    _frame(axes, points, edges, chart)
    write(figure, (0.015, 0.965), chart.title, fontsize=12.0, fontweight="bold")
    write(figure, (0.015, 0.893), chart.subtitle, fontsize=9.5, color=colours.soft, room=0.7)
    unit = f"{'spend in all' if chart.in_all else 'spend an hour'}, {chart.timezone}"
    write(figure, (0.985, 0.893), unit, fontsize=8.5, color=colours.soft, room=0.25, ha="right")
    figure.legend(
        loc="upper right",
        bbox_to_anchor=(0.985, 0.85),
        ncols=6,
        frameon=False,
        fontsize=8.5,
        handlelength=1.6,
        columnspacing=1.4,
        borderaxespad=0.0,
        labelcolor=colours.soft,
    )


def write(figure: Figure, place: tuple[float, float], words: str, *, room: float = 0.97, **style: Any) -> None:
    """A line of text from `place` on, its middle left out where it is wider than `room`, a part of the whole width."""
    if not words:
        return
    text = figure.text(*place, clean(words, _LONGEST), va="top", **style)
    width = room * figure.bbox.width
    longest = len(text.get_text())
    while longest > _SHORTEST and (wide := text.get_window_extent().width) > width:
        longest = max(min(int(longest * width / wide), longest - 1), _SHORTEST)
        text.set_text(clean(words, longest))


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
    axes.fill_between(edges, 0, upper, step="post", color=colours.band, linewidth=0, zorder=1, label="normal range")
    axes.step(edges, lower, where="post", color=colours.soft, linewidth=1.1, zorder=2, label="expected")


def _observed(axes: Axes, points: Sequence[Point], edges: Sequence[float], chart: Chart, colours: Colours) -> None:
    values = [point.observed / _DOLLAR for point in points]
    if chart.in_all:
        axes.plot(edges, [0.0, *values], color=colours.observed, linewidth=2.0, zorder=4, label="spent in all")
        return
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
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - most processes never draw

    right = edges[-1]
    if chart.told is not None:
        right = max(right, _place(chart.told) + 0.02 * (right - edges[0]))
    axes.set_xlim(edges[0], right)
    heights = [point.observed for point in points] + [point.upper or 0 for point in points]
    heights += [] if chart.limit is None else [chart.limit]
    axes.set_ylim(0, max(heights) / _DOLLAR * 1.06 or 1.0)
    places, labels = _ticks(edges[0], right, ZoneInfo(chart.timezone))
    axes.set_xticks(places, labels)
    ticks = MaxNLocator(nbins=5, min_n_ticks=2).tick_values(0, axes.get_ylim()[1])
    ticks = [float(tick) for tick in ticks if 0 <= tick <= axes.get_ylim()[1]]
    axes.set_yticks(ticks, [dollars(tick, ticks[1] - ticks[0]) for tick in ticks])
    axes.grid(axis="y", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=3, width=0.8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


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
    return float("nan") if nano is None else nano / _DOLLAR


def dollars(value: float, step: float) -> str:
    """An amount beside a tick, to the cent or below where ticks are that near."""
    places = 0 if step >= 1 and step == int(step) else max(2, math.ceil(-math.log10(step)) + 1)
    return f"${value:,.{places}f}"


def _moment(local: datetime) -> str:
    return f"{local.day} {MONTHS[local.month - 1][:3]} {local:%H:%M}"
