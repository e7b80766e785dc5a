"""The look that every picture has: its size, ground and colours, and how title, axes and legend stand in it.

Legible on light and on dark ground alike: a picture has a ground of its own, in one of two looks. matplotlib (Agg) is
imported only when something is drawn. Texts come from outside and are harmless here: nothing in them is mathematics,
breaks a line or turns it round, and what the font has no picture for shows as a box.
"""

from __future__ import annotations

import io
import logging
import math
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from notifiers.text import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Look: TypeAlias = Literal["light", "dark"]
Format: TypeAlias = Literal["png", "svg"]

WIDTH, HEIGHT = 800, 400
"""Pixels of a PNG at `scale` 1."""
DPI = 100
DOLLAR = 1e9
DASHES: tuple[float, tuple[float, float]] = (0, (6, 3))
DOTS: tuple[float, tuple[float, float]] = (0, (1.5, 2.5))
"""How the line of a limit is drawn, and that of a part of it."""
_HEADROOM = 1.08
_LEFT, _RIGHT, _BOTTOM, _TALL = 0.075, 0.97, 0.115, 0.66
"""Where the axes stand, in parts of the figure: a label at their right end is not cut."""
_LETTER, _GAP = 0.0112, 0.02
"""How wide a letter beside the upright axis is, and what stands around a label."""
_ORDER = (
    *("observed", "spent", "not complete", "expected", "normal range", "80 %", "not normal"),
    *("limit", "threshold", "told"),
)
"""What the legend begins with; names that begin otherwise come last."""
_LONGEST, _SHORTEST = 200, 8
"""Characters of a line, however narrow or wide they are."""
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


LOOKS: dict[Look, Colours] = {
    "light": Colours("#ffffff", "#1d1b16", "#5f5b50", "#e4e0d5", "#b4532a", "#c9d8ea", "#f7dcd4", "#8a1c14"),
    "dark": Colours("#23211c", "#f0ede4", "#b3ae9f", "#45423a", "#ef9a6f", "#3c5068", "#55302a", "#ff8a80"),
}


def drawn(draw: Callable[[Figure, Colours], None], look: Look, kind: Format = "png", dpi: float = DPI) -> bytes:
    """What `draw` puts on an empty figure of the common size, ground and fonts, as an image."""
    with _DRAWING, _settings(LOOKS[look]):
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - most processes never draw
        from matplotlib.figure import Figure  # noqa: PLC0415

        figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=dpi, facecolor=LOOKS[look].ground)
        FigureCanvasAgg(figure)
        draw(figure, LOOKS[look])
        into = io.BytesIO()
        nothing = ("Software",) if kind == "png" else ("Date", "Creator", "Format", "Type")
        plain: dict[str, None] = dict.fromkeys(nothing)
        figure.savefig(into, format=kind, dpi=dpi, facecolor=figure.get_facecolor(), metadata=plain)
        return into.getvalue()


def in_both_looks(svg: str) -> str:
    """An SVG of the light look as an image that takes the look that its reader prefers."""
    light, dark = LOOKS["light"], LOOKS["dark"]
    variables = {"light": "", "dark": ""}
    for field in fields(Colours):
        colour = str(getattr(light, field.name))
        svg = svg.replace(colour, f"var(--{field.name})")
        variables["light"] += f"--{field.name}:{colour};"
        variables["dark"] += f"--{field.name}:{getattr(dark, field.name)};"
    end = svg.index(">") + 1
    style = f":root{{{variables['light']}}}@media (prefers-color-scheme:dark){{:root{{{variables['dark']}}}}}"
    return f"{svg[:end]}<style>{style}</style>{svg[end:]}"


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


def axes_of(figure: Figure, colours: Colours) -> Axes:
    """The axes, below the room for title and legend."""
    axes = figure.add_axes((_LEFT, _BOTTOM, _RIGHT - _LEFT, _TALL))
    axes.set_facecolor(colours.ground)
    return axes


def head(figure: Figure, colours: Colours, title: str, subtitle: str, unit: str) -> None:
    """Title, what is shown, and in which unit; to be written once everything that has a name is drawn."""
    write(figure, (0.015, 0.965), title, fontsize=12.0, fontweight="bold")
    write(figure, (0.015, 0.893), subtitle, fontsize=9.5, color=colours.soft, room=0.7)
    write(figure, (0.985, 0.893), unit, fontsize=8.5, color=colours.soft, room=0.25, ha="right")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda place: _rank(labels[place]))
    figure.legend(
        [handles[place] for place in order],
        [labels[place] for place in order],
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


def _rank(label: str) -> int:
    return next((place for place, begins in enumerate(_ORDER) if label.startswith(begins)), len(_ORDER))


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


def money_axis(axes: Axes, highest: float) -> None:
    """The upright axis, in dollars, from nothing to a little above the highest of them."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - most processes never draw

    axes.set_ylim(0, highest * _HEADROOM or 1.0)
    ticks = MaxNLocator(nbins=5, min_n_ticks=2).tick_values(0, axes.get_ylim()[1])
    ticks = [float(tick) for tick in ticks if 0 <= tick <= axes.get_ylim()[1]]
    labels = [dollars(tick, ticks[1] - ticks[0]) for tick in ticks]
    axes.set_yticks(ticks, labels)
    left = max(_LEFT, _LETTER * max(map(len, labels)) + _GAP)
    axes.set_position((left, _BOTTOM, _RIGHT - left, _TALL))
    axes.grid(axis="y", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=3, width=0.8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def limit_line(axes: Axes, height: float, colours: Colours, name: str, *, faint: bool = False) -> None:
    """A line that is not to be passed; a faint one may be."""
    width, dashes = (1.0, DOTS) if faint else (1.6, DASHES)
    axes.axhline(height, color=colours.limit, linewidth=width, linestyle=dashes, label=name, zorder=3)


def dollars(value: float, step: float) -> str:
    """An amount beside a tick, to the cent or below where ticks are that near."""
    places = 0 if step >= 1 and step == int(step) else max(2, math.ceil(-math.log10(step)) + 1)
    return f"${value:,.{places}f}"
