"""The picture of a digest: a bar a day over four weeks, its period in full colour, and the budget's line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifiers.chart import Colours, Look, dollars, drawn, write
from notifiers.phrases import title
from notifiers.text import clean
from rules.digest import DayBar, Digest
from rules.model import Notification
from rules.money import display_usd
from rules.periods import MONTHS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DOLLAR = 1e9
_EVERY = 7
"""Days between two labels."""


def bars_of(notification: Notification) -> bytes | None:
    """The PNG of a digest with at least two days to show; of every other message None."""
    told = notification.digest
    return None if told is None or len(told.bars) < 2 else png(told)


def png(told: Digest, look: Look = "light", *, scale: float = 1.0) -> bytes:
    """The picture as PNG, of the size of every chart (`notifiers.chart`). ValueError without days."""
    if not told.bars:
        raise ValueError("there is nothing to draw")
    return drawn(lambda figure, colours: _draw(figure, told, colours), look, "png", 100 * scale)


def _draw(figure: Figure, told: Digest, colours: Colours) -> None:
    axes = figure.add_axes((0.085, 0.115, 0.895, 0.66))
    axes.set_facecolor(colours.ground)
    days = told.bars
    inside = [day.day >= told.first for day in days]
    for wanted, colour, label in ((False, colours.band, "the weeks before"), (True, colours.observed, told.label)):
        at = [place for place, each in enumerate(inside) if each is wanted]
        heights = [days[place].cost / _DOLLAR for place in at]
        if at:
            axes.bar(at, heights, width=0.78, color=colour, label=clean(label), zorder=2)
    if told.limit is not None:
        limit, name = told.limit / _DOLLAR, f"budget “{clean(told.limit_of, 30)}”, a day's part"
        axes.axhline(limit, color=colours.limit, linewidth=1.6, linestyle=(0, (6, 3)), label=name, zorder=3)
    _frame(axes, days, told.limit)
    write(figure, (0.015, 0.965), title(f"Spend a day, up to {_day(days[-1])}"), fontsize=12.0, fontweight="bold")
    part = told.part or "all of the organization"
    subtitle = f"{display_usd(told.spent)} {'on' if told.every == 'daily' else 'from'} {told.label}, {part}"
    write(figure, (0.015, 0.893), subtitle, fontsize=9.5, color=colours.soft, room=0.7)
    write(figure, (0.985, 0.893), f"days of {told.timezone}", fontsize=8.5, color=colours.soft, room=0.25, ha="right")
    figure.legend(
        loc="upper right",
        bbox_to_anchor=(0.985, 0.85),
        ncols=3,
        frameon=False,
        fontsize=8.5,
        handlelength=1.6,
        borderaxespad=0.0,
        labelcolor=colours.soft,
    )


def _frame(axes: Axes, days: tuple[DayBar, ...], limit: int | None) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - most processes never draw

    last = len(days) - 1
    axes.set_xlim(-0.7, last + 0.7)
    highest = max([day.cost for day in days] + ([] if limit is None else [limit]))
    axes.set_ylim(0, highest / _DOLLAR * 1.06 or 1.0)
    places = list(range(last % _EVERY, len(days), _EVERY))
    axes.set_xticks(places, [_day(days[place]) for place in places])
    ticks = MaxNLocator(nbins=5, min_n_ticks=2).tick_values(0, axes.get_ylim()[1])
    ticks = [float(tick) for tick in ticks if 0 <= tick <= axes.get_ylim()[1]]
    axes.set_yticks(ticks, [dollars(tick, ticks[1] - ticks[0]) for tick in ticks])
    axes.grid(axis="y", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=3, width=0.8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _day(bar: DayBar) -> str:
    return f"{bar.day.day} {MONTHS[bar.day.month - 1][:3]}"
