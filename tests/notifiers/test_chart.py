"""Pictures of alerts: drawn from data alone, whatever the names are, on light and dark ground, and told in words."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import warnings
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from notifiers.chart import Chart, Point, alt_text, of_points, png, svg, svg_in_both_looks
from notifiers.figure import HEIGHT, WIDTH
from rules.model import HOUR, HourPoint

START = datetime(2026, 10, 24, 18, tzinfo=UTC)
DOLLAR = 1_000_000_000

HOURS = tuple(
    Point(START + n * HOUR, (3 if n < 20 else 90) * DOLLAR, 3 * DOLLAR, 9 * DOLLAR, n < 23) for n in range(24)
)
CHART = Chart(
    "Key checkout spends too much",
    HOURS,
    subtitle="in Production",
    marked=(START + 20 * HOUR, START + 24 * HOUR),
    told=START + 22 * HOUR,
    timezone="Europe/Berlin",
)


def size(picture: bytes) -> tuple[int, ...]:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", picture[16:24])


def test_a_png_has_its_size_in_both_looks_and_the_looks_differ() -> None:
    light, dark = png(CHART), png(CHART, "dark")
    assert size(light) == size(dark) == (WIDTH, HEIGHT)
    assert light != dark


def test_the_same_data_make_the_same_picture() -> None:
    assert png(CHART) == png(CHART)
    assert svg(CHART) == svg(CHART)


def test_an_svg_is_well_formed_and_asks_for_nothing_from_elsewhere() -> None:
    text = svg(CHART)
    root = ET.fromstring(text)
    assert root.tag.endswith("svg")
    assert "<text" not in text, "letters are shapes"
    assert "http" not in text.replace("http://www.w3.org/", "")
    assert "<script" not in text


def test_one_svg_can_have_both_looks() -> None:
    text = svg_in_both_looks(CHART)
    ET.fromstring(text)
    drawing = text[text.index("</style>") :]
    assert "var(--ground)" in drawing
    assert not re.findall(r"#[0-9a-f]{6}", drawing), "every colour is one that the other look has too"
    assert text.count("#ffffff") == 1


@pytest.mark.parametrize(
    "name",
    [
        "$x_{1$ $",
        r"$\frac{1}{",
        "two\nlines\r\nand\ttab",
        "n" * 300,
        "W" * 300,
        "日本語のキー 🚀🔥",
        "</svg><script>alert(1)</script>&amp;",
        "\u202egnp.exe \u0000 \ud800",
        "e" + "\u0301" * 200,
        "",
    ],
)
def test_no_name_breaks_a_picture_or_warns(name: str) -> None:
    chart = replace(CHART, title=name, subtitle=name, points=HOURS[-2:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert size(png(chart)) == (WIDTH, HEIGHT)
        ET.fromstring(svg(chart))


@pytest.mark.parametrize(
    "points",
    [
        (Point(START, 0),),
        (Point(START, 1),),
        (Point(START, 10**18, 10**17, 10**18),),
        (Point(START, DOLLAR, complete=False),),
        tuple(Point(START + n * HOUR, n * DOLLAR) for n in range(3000)),
    ],
    ids=["nothing", "a nano", "a billion", "only an open hour", "four months"],
)
def test_every_amount_and_length_can_be_drawn(points: tuple[Point, ...]) -> None:
    assert size(png(Chart("some", points))) == (WIDTH, HEIGHT)


def test_without_points_there_is_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        png(Chart("some", ()))
    assert alt_text(Chart("some", ())) == "Nothing to draw."


def test_words_say_what_the_picture_shows_by_the_clock_of_its_zone() -> None:
    assert alt_text(CHART) == (
        "Key checkout spends too much. Spend by the hour, 24 Oct 20:00 to 25 Oct 19:00 Europe/Berlin; at most $90.00 "
        "at 25 Oct 15:00 where $3.00 was expected; not normal from 25 Oct 15:00 to 25 Oct 19:00; told at 25 Oct 17:00."
    )
    budget = Chart(
        "Budget", (Point(START, 40 * DOLLAR), Point(START + HOUR, 70 * DOLLAR)), limit=60 * DOLLAR, in_all=True
    )
    assert alt_text(budget) == (
        "Budget. Spend in all, 24 Oct 18:00 to 24 Oct 20:00 UTC; $70.00 at the end; the limit is $60.00."
    )


def test_the_hours_of_an_anomalys_evidence_become_points() -> None:
    assert of_points([HourPoint(START, 3, 2, 9, complete=False)]) == (Point(START, 3, 2, 9, complete=False),)


def test_matplotlib_is_imported_by_the_first_picture_alone_and_no_window_system_ever_is() -> None:
    script = (
        "import sys; from notifiers.chart import *; from datetime import datetime, UTC\n"
        "before = 'matplotlib' in sys.modules\n"
        "png(Chart('some', (Point(datetime(2026, 1, 1, tzinfo=UTC), 1),)))\n"
        "print(before, 'matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules, 'tkinter' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == (["False", "True", "False", "False"], "")
