"""The picture of a digest: a bar a day over four weeks, its period in full colour, and the budget's line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifiers.figure import DOLLAR, DPI, Colours, Look, axes_of, drawn, head, limit_line, money_axis
from notifiers.phrases import title
from notifiers.text import clean
from rules.digest import DayBar, Digest
from rules.model import Notification
from rules.money import display_usd
from rules.periods import MONTHS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_EVERY = 7
"""Days between two labels."""


def bars_of(notification: Notification) -> bytes | None:
    """The PNG of a digest with at least two days to show; of every other message None."""
    told = notification.digest
    return None if told is None or len(told.bars) < 2 else png(told)


def spoken(told: Digest) -> str:
    """The picture in words, for who cannot see it."""
    highest = max(told.bars, key=lambda bar: bar.cost)
    return (
        f"A bar for each of {len(told.bars)} days up to {_day(told.bars[-1])}: {display_usd(told.spent)} in "
        f"{clean(told.label)}; at most {display_usd(highest.cost)}, on {_day(highest)}."
    )


def png(told: Digest, look: Look = "light", *, scale: float = 1.0) -> bytes:
    """The picture as PNG, of the size of every chart (`notifiers.figure`). ValueError without days."""
    if not told.bars:
        raise ValueError("there is nothing to draw")
    return drawn(lambda figure, colours: _draw(figure, told, colours), look, "png", DPI * scale)


def _draw(figure: Figure, told: Digest, colours: Colours) -> None:
    axes = axes_of(figure, colours)
    days = told.bars
    inside = [day.day >= told.first for day in days]
    for wanted, colour, label in ((False, colours.band, "the weeks before"), (True, colours.observed, told.label)):
        at = [place for place, each in enumerate(inside) if each is wanted]
        heights = [days[place].cost / DOLLAR for place in at]
        if at:
            axes.bar(at, heights, width=0.78, color=colour, label=clean(label), zorder=2)
    if told.limit is not None:
        limit_line(axes, told.limit / DOLLAR, colours, f"budget “{clean(told.limit_of, 30)}”, a day's part")
    _frame(axes, days, told.limit)
    part = told.part or "all of the organization"
    subtitle = f"{display_usd(told.spent)} {'on' if told.every == 'daily' else 'from'} {told.label}, {part}"
    head(figure, colours, title(f"Spend a day, up to {_day(days[-1])}"), subtitle, f"days of {told.timezone}")


def _frame(axes: Axes, days: tuple[DayBar, ...], limit: int | None) -> None:
    last = len(days) - 1
    axes.set_xlim(-0.7, last + 0.7)
    money_axis(axes, max([day.cost for day in days] + ([] if limit is None else [limit])) / DOLLAR)
    places = list(range(last % _EVERY, len(days), _EVERY))
    axes.set_xticks(places, [_day(days[place]) for place in places])


def _day(bar: DayBar) -> str:
    return f"{bar.day.day} {MONTHS[bar.day.month - 1][:3]}"
