"""Loose bounds on the ledger's speed, as ratios in one process: what takes twice or thrice as long shows."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.attribution import attributed, milliseconds, organization, summed
from benchmarks.ledger import Figures, ingest, peer
from benchmarks.ledger_pages import FIRST_HOUR, GROUPED_BY, usage_bodies
from rules.attribution import PAST
from watcher.admin_api.decoding import usage_page
from watcher.ledger import Ledger, spend_report
from watcher.pricing import PriceBook
from watcher.store import Store

HOUR = timedelta(hours=1)


def written(folder: Path, series: int, hours: int) -> Path:
    pages = folder / "pages"
    pages.mkdir()
    for number, body in enumerate(usage_bodies(series, hours)):
        (pages / f"{number:05}.json").write_bytes(body)
    return pages


def in_turn(folder: Path, *parts: Callable[[Path], Figures]) -> list[list[Figures]]:
    runs: list[list[Figures]] = [[] for _ in parts]
    for number in range(3):
        for which, part in enumerate(parts):
            own = folder / f"{number}-{which}"
            own.mkdir()
            runs[which].append(part(own))
    return runs


def test_a_reading_is_stored_faster_than_by_plain_models_and_inserts_and_seen_as_fast(tmp_path: Path) -> None:
    pages = written(tmp_path, series=2_000, hours=8)
    ours, theirs = in_turn(tmp_path, lambda own: ingest(pages, own), lambda own: peer(pages, own))
    stored = statistics.median(run["decode"] + run["store"] for run in ours)
    assert stored < 0.8 * statistics.median(run["decode and store"] for run in theirs), (ours, theirs)
    assert statistics.median(run["view"] for run in ours) < 3 * stored, ours


def test_a_reading_that_finds_nothing_new_writes_no_hour_again(tmp_path: Path) -> None:
    figures = ingest(written(tmp_path, series=500, hours=6), tmp_path)
    assert figures["rows"] == 3000
    assert figures["again_hours"] == 0
    assert figures["again_log_bytes"] < 32 * 1024, "six hours of 500 series are more than 60 KiB"


@pytest.mark.parametrize("by", ["api_key", "model"])
def test_a_spend_report_takes_a_third_of_what_reading_its_rows_took(by: str, tmp_path: Path) -> None:
    hours = 240
    bodies = list(usage_bodies(200, hours))
    until = FIRST_HOUR + hours * HOUR
    decode = usage_page(GROUPED_BY)
    with Store.open(f"sqlite:///{tmp_path}/w.db") as store:
        began = time.process_time()
        store.usage.replace("org", [bucket for body in bodies for bucket in decode(body).items], until)
        read = time.process_time() - began
        book = PriceBook()
        taken = []
        for _ in range(3):
            began = time.process_time()
            report = spend_report(store, book, "org", (by,), FIRST_HOUR, until, "total", until)  # type: ignore[arg-type]
            taken.append(time.process_time() - began)
    assert sum(row.web_searches for row in report.rows) == report.total.web_searches > 0
    assert statistics.median(taken) < read / 3, (taken, read)


def test_a_report_over_days_that_are_kept_takes_half_of_what_computing_them_takes(tmp_path: Path) -> None:
    hours = 240
    until = FIRST_HOUR + hours * HOUR
    now = until + timedelta(days=5)
    decode = usage_page(GROUPED_BY)
    with Store.open(f"sqlite:///{tmp_path}/w.db") as store:
        buckets = [bucket for body in usage_bodies(400, hours) for bucket in decode(body).items]
        store.usage.replace("org", buckets, until)
        book = PriceBook()
        taken: list[list[float]] = [[], []]
        reports = []
        for kept in (0, 1):
            for _ in range(3):
                began = time.process_time()
                reports.append(spend_report(store, book, "org", ("api_key",), FIRST_HOUR, until, "total", now))
                taken[kept].append(time.process_time() - began)
            ledger = Ledger(store, book, "org")
            ledger.refresh(now)
            ledger.keep()
    assert all(report.rows == reports[0].rows for report in reports)
    assert statistics.median(taken[1]) < statistics.median(taken[0]) / 2, taken


@pytest.mark.parametrize("window", [3, 72])
def test_to_say_who_drives_an_excess_takes_little_more_than_to_read_it(window: int) -> None:
    view = organization(keys=300, models=10, hours=PAST + window)
    ours = milliseconds(lambda: attributed(view, window), 5)
    plain = milliseconds(lambda: summed(view, window), 5)
    assert ours < 5 * plain + 10, (ours, plain)
