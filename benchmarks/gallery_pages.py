"""Pictures of the status page: every page at two widths, the first ones also in the dark."""

from __future__ import annotations

from pathlib import Path

from benchmarks.browser import browsing
from benchmarks.page_site import BEGINS, Served, watched_site
from watcher.simulator import World

WIDTHS = (1440, 390)
TALLEST = 2_400
"""Pixels of a picture; a page goes on below."""
DARK = ("overview", "series")


def page_paths(site: Served) -> dict[str, str]:
    """The address of each page by what it is called: of the key that ran away, and of an alert about it."""
    alerts = [alert for alert in site.facts.store.alerts.list() if alert.subject.scope.api_key == site.key]
    anomaly = next((alert for alert in alerts if alert.subject.kind == "anomaly"), None)
    paths = {"overview": "/", "series": f"/series?api_key={site.key}", "organization": "/series?days=30"}
    if anomaly is not None:
        paths["alert"] = f"/alerts/{anomaly.id}"
    return {**paths, "alerts": "/alerts", "keys": "/keys", "actions": "/actions", "prices": "/prices"}


def photograph_pages(chromium: str, out_dir: Path) -> list[Path]:
    """The pictures of a simulated organization's pages."""
    taken = []
    with watched_site(World(started_at=BEGINS, seed=7, scenario="demo")) as site, browsing(chromium) as tab:
        for name, path in page_paths(site).items():
            for width, dark in [(width, False) for width in WIDTHS] + [(WIDTHS[0], True)] * (name in DARK):
                tab.look(width, dark=dark)
                tab.open(site.url + path)
                picture = out_dir / f"page-{name}-{width}{'-dark' if dark else ''}.png"
                tab.picture(picture, most=TALLEST)
                taken.append(picture)
    return taken
