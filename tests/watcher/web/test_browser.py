"""Every page of a daemon that watches a simulated organization, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest

from benchmarks.browser import Tab, browsing, chromium
from benchmarks.gallery_pages import page_paths
from benchmarks.page_site import BEGINS, Served, watched_site
from watcher.simulator import World

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(chromium() is None, reason="chromium is not installed: make system-deps"),
    pytest.mark.timeout(240),
]

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


@dataclass(frozen=True)
class Opened:
    """A site and a tab of a browser."""

    site: Served
    tab: Tab

    def open(self, path: str, width: int, *, dark: bool = False) -> None:
        self.tab.look(width, dark=dark)
        self.tab.complaints.clear()
        self.tab.requests.clear()
        self.tab.open(self.site.url + path)


@pytest.fixture(scope="module")
def opened() -> Iterator[Opened]:
    world = World(started_at=BEGINS, seed=7, keys=14, workspaces=3, days=24, scenario="demo", hostile_names=True)
    program = chromium()
    assert program is not None
    with watched_site(world, limit=900, share=400, hours=5) as site, browsing(program) as tab:
        yield Opened(site, tab)


def faults(tab: Tab) -> list[dict[str, Any]]:
    """What axe-core holds to be serious or critical."""
    tab.evaluate(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8") + ";1")
    found = tab.evaluate(f"axe.run(document, {json.dumps(RULES)})")
    return [
        {"rule": each["id"], "impact": each["impact"], "where": [node["html"][:200] for node in each["nodes"]][:3]}
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
    ]


def test_every_page_loads_without_a_complaint_or_a_request_elsewhere_and_can_be_used_by_all(opened: Opened) -> None:
    paths = page_paths(opened.site)
    assert set(paths) >= {"overview", "series", "organization", "alerts", "alert", "keys", "actions", "prices"}
    for name, path in paths.items():
        for width, dark in ((1440, False), (390, True)):
            opened.open(path, width, dark=dark)
            where = f"{name} at {width}"
            assert opened.tab.complaints == [], where
            elsewhere = [url for url in opened.tab.requests if not url.startswith((opened.site.url + "/", "data:"))]
            assert elsewhere == [], where
            assert opened.tab.evaluate("document.documentElement.scrollWidth") <= width, where
            assert faults(opened.tab) == [], where


def test_the_chart_is_drawn_zoomed_by_keyboard_and_says_what_is_under_the_pointer(opened: Opened) -> None:
    opened.open(f"/series?api_key={opened.site.key}", 1440)
    tab = opened.tab
    assert tab.evaluate("document.querySelectorAll('.chart canvas').length") == 1
    ink = (
        "(() => { const c = document.querySelector('.chart canvas'); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; let sum = 0;"
        " for (let i = 0; i < d.length; i += 4) sum = (sum * 31 + d[i] + d[i + 3]) % 1000000007; return sum; })()"
    )
    whole = tab.evaluate(ink)
    tab.evaluate("document.querySelector('[data-act=in]').focus()")
    for kind in ("keyDown", "keyUp"):
        tab.command("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    shown = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"
    tab.evaluate(shown)
    assert tab.evaluate(ink) != whole
    tab.evaluate("document.querySelector('[data-act=all]').click()")
    tab.evaluate(shown)
    assert tab.evaluate(ink) == whole
    place = tab.evaluate(
        "(() => { const r = document.querySelector('.u-over').getBoundingClientRect(); return [r.x, r.y]; })()"
    )
    tab.command("Input.dispatchMouseEvent", type="mouseMoved", x=place[0] + 200, y=place[1] + 40)
    tab.evaluate(shown)
    assert "expected $" in tab.evaluate("document.querySelector('.readout').textContent")


def test_a_name_that_is_a_script_is_text(opened: Opened) -> None:
    opened.open("/keys", 1440)
    tab = opened.tab
    names = tab.evaluate("[...document.querySelectorAll('tbody th')].map(each => each.textContent)")
    assert any("<" in name for name in names), names
    assert tab.evaluate("document.querySelectorAll('tbody script, tbody img, tbody b').length") == 0
    assert tab.complaints == []


def test_a_fault_would_be_seen(opened: Opened) -> None:
    opened.open("/keys", 1440)
    tab = opened.tab
    plant = "document.querySelector('main').insertAdjacentHTML('beforeend', '<p>pale</p><img src=\"https://elsewhere.example/x\">')"
    tab.evaluate(plant)
    tab.evaluate("document.querySelector('main > p:last-of-type').style.color = '#ddd'")
    assert {"image-alt", "color-contrast"} <= {each["rule"] for each in faults(tab)}
    assert any("Content Security Policy" in each for each in tab.complaints), tab.complaints
    tab.evaluate("console.error('wrong'); 1")
    assert any("wrong" in each for each in tab.complaints)


def test_an_open_page_shows_what_is_new_by_itself_unless_somebody_reads_in_it(opened: Opened) -> None:
    tab, clock = opened.tab, opened.site.clock
    quick = "const slow = window.setInterval; window.setInterval = act => slow(act, 40);"
    hurried = tab.command("Page.addScriptToEvaluateOnNewDocument", source=quick)["identifier"]
    opened.open("/", 1440)
    tab.command("Page.removeScriptToEvaluateOnNewDocument", identifier=hurried)
    read = "document.querySelector('.figures .soft:last-child').textContent"
    renewed = (
        "new Promise((done, fail) => { document.addEventListener('renewed', () => done(1), { once: true });"
        " setTimeout(() => done(0), WAIT); })"
    )
    before = tab.evaluate(read)
    began = clock.moment
    try:
        assert tab.evaluate(renewed.replace("WAIT", "400")) == 0, "nothing is new"
        clock.moment += timedelta(minutes=11)
        assert tab.evaluate(renewed.replace("WAIT", "30000")) == 1
        assert tab.evaluate(read) != before
        assert tab.evaluate("document.querySelectorAll('.chart canvas').length") == 1, "drawn anew, once"
        tab.evaluate("document.querySelector('main a').focus()")
        tab.evaluate("new Promise(done => setTimeout(done, 300))")
        clock.moment += timedelta(minutes=11)
        assert tab.evaluate(renewed.replace("WAIT", "600")) == 0
    finally:
        clock.moment = began
    assert tab.complaints == []


def test_an_open_page_says_so_when_the_watcher_answers_no_more(opened: Opened) -> None:
    tab = opened.tab
    quick = "const slow = window.setInterval; window.setInterval = act => slow(act, 40);"
    hurried = tab.command("Page.addScriptToEvaluateOnNewDocument", source=quick)["identifier"]
    opened.open("/", 390)
    tab.command("Page.removeScriptToEvaluateOnNewDocument", identifier=hurried)
    away = "document.querySelector('.away')"
    until = (
        "new Promise(done => { const look = setInterval(() => { if (AWAY.hidden === HIDDEN) {"
        " clearInterval(look); done(1); } }, 20); setTimeout(() => done(0), 30000); })"
    ).replace("AWAY", away)
    gone = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    assert tab.evaluate(f"{away}.hidden") is True
    try:
        tab.command("Network.emulateNetworkConditions", **gone)
        assert tab.evaluate(until.replace("HIDDEN", "false")) == 1
        said = tab.evaluate(f"{away}.textContent")
        assert said.startswith("The watcher has not answered since ")
        assert said.endswith("What is below is as it was then.")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        assert faults(tab) == []
    finally:
        tab.command("Network.emulateNetworkConditions", **{**gone, "offline": False})
    assert tab.evaluate(until.replace("HIDDEN", "true")) == 1, "it is there again"
