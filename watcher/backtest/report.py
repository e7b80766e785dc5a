"""A back-test as one HTML page that needs nothing from elsewhere: light and dark, narrow and wide, also for the ear."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import watcher.web
from notifiers.chart import alt_text, svg_in_both_looks
from notifiers.figure import HEIGHT, WIDTH
from notifiers.text import clean, duration, plural
from rules.money import display_usd
from watcher.backtest import stops
from watcher.backtest.comparing import ComparedStops, Comparison, compare, compare_stops
from watcher.backtest.pictures import picture_of
from watcher.backtest.running import Backtest, Backtests
from watcher.backtest.stops import Acts
from watcher.backtest.summary import Heard, Line, by_rule, by_scope, by_week, heard, total
from watcher.backtest.told import Told
from watcher.backtest.words import acts_line, day, later, moment, stop_story, story

MOST_PICTURES = 100
"""More alerts than this have no picture: those that were told alone come first, the dearest of them before others."""
MOST_LINES = 25


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as an address of its own, and in words."""

    address: str
    words: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One configuration's replay as the page shows it."""

    title: str
    place: int
    whole: Line
    at_start: int
    receivers: tuple[Heard, ...]
    weeks: tuple[tuple[str, tuple[Told, ...]], ...]
    rules: tuple[Line, ...]
    scopes: tuple[Line, ...]
    alerts: tuple[Told, ...]
    acts: Acts | None
    refused: tuple[tuple[str, list[str]], ...]


def report_html(tests: Backtests, progress: Callable[[int, int], None] | None = None) -> str:
    """The whole page. `progress` is called with pictures drawn and pictures to draw."""
    pictures = dict(_pictures(tests, progress))
    shown = [_shown(place, found, tests) for place, found in enumerate(tests.found)]
    compared: Comparison | None = None
    compared_stops: ComparedStops | None = None
    if len(tests.found) > 1:
        first, second = tests.found
        compared = compare(first.replay.alerts, second.replay.alerts)
        if first.acts is not None and second.acts is not None:
            compared_stops = compare_stops(first.acts.stops, second.acts.stops)
    pages = Environment(
        loader=FileSystemLoader(Path(watcher.web.__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(
        usd=lambda nano: "–" if nano is None else display_usd(nano),
        moment=lambda when: f"{moment(when)} UTC",
        day=day,
        named=clean,
        long=lambda span: "–" if span is None else duration(span),
        plural=plural,
        story=story,
        stop_story=stop_story,
        acts_line=acts_line,
        key_named=lambda row: clean(stops.named(row), 40),
        rate=lambda value: f"{value:.1f}",
    )
    name = tests.organization.label or tests.organization.name or tests.organization.id
    return pages.get_template("backtest.html").render(
        name=name,
        tests=tests,
        until=tests.history.view.complete_until,
        shown=shown,
        ids=[{told.alert.id for told in each.alerts} for each in shown],
        compared=compared,
        compared_stops=compared_stops,
        pictures=pictures,
        label=tests.label,
        later=later,
        most=MOST_LINES,
        width=WIDTH,
        height=HEIGHT,
    )


def _shown(place: int, found: Backtest, tests: Backtests) -> Shown:
    replay = found.replay
    return Shown(
        title=found.asked.title,
        place=place,
        whole=total(replay.alerts),
        at_start=sum(told.at_start for told in replay.alerts),
        receivers=tuple(heard(replay)),
        weeks=tuple((day(monday), some) for monday, some in by_week(replay)),
        rules=tuple(by_rule(replay)),
        scopes=tuple(by_scope(replay, tests.label)),
        alerts=tuple(sorted(replay.alerts, key=lambda told: (told.paged_at, told.inside is not None, told.began))),
        acts=found.acts,
        refused=() if found.acts is None else tuple(stops.why_not(found.acts.refused)),
    )


def _pictures(
    tests: Backtests, progress: Callable[[int, int], None] | None
) -> Iterator[tuple[tuple[int, str], Picture]]:
    """By the place of the configuration and the id of the alert."""
    wanted = [(place, found, told) for place, found in enumerate(tests.found) for told in _dearest(found.replay.alerts)]
    for done, (place, found, told) in enumerate(wanted[:MOST_PICTURES], 1):
        chart = picture_of(told, found.asked.rules, tests.history.view, tests.names)
        if chart is not None:
            image = b64encode(svg_in_both_looks(chart).encode("utf-8")).decode("ascii")
            yield (place, told.alert.id), Picture(f"data:image/svg+xml;base64,{image}", alt_text(chart))
        if progress is not None:
            progress(done, min(len(wanted), MOST_PICTURES))


def _dearest(alerts: Sequence[Told]) -> list[Told]:
    return sorted(
        alerts,
        key=lambda told: (told.inside is not None, told.at_start, -(told.before or 0) - (told.after or 0)),
    )
