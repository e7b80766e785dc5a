import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from tests.stage import here, write_config
from watcher.admin_api.answers import CostBucket, CostRow
from watcher.cli.restated import show
from watcher.ledger.restatements import Restatement, restatements
from watcher.store import AnalyticsHour, AnalyticsRow, Store

ORG = "org_1"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH = datetime(2026, 11, 1, tzinfo=UTC)
TENTH, ELEVENTH = MONTH + 9 * DAY, MONTH + 10 * DAY
USD = 1_000_000_000


def bill(store: Store, day: datetime, at: datetime, **amounts: int) -> None:
    rows = [CostRow(name, None, "tokens", None, None, None, None, None, None, nano) for name, nano in amounts.items()]
    store.costs.replace(ORG, [CostBucket(day, day + DAY, tuple(rows))], at)


def tell(store: Store, hours: dict[datetime, int], at: datetime, key: str = "key_a") -> None:
    told = [AnalyticsHour(hour, (AnalyticsRow("w1", key, "m", "", "", output=nano),)) for hour, nano in hours.items()]
    store.analytics.replace(ORG, told, at)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = write_config(tmp_path, "http://127.0.0.1:1")
    with Store.open(f"sqlite:///{tmp_path / 'watcher.db'}") as store:
        store.organizations.bind("", ORG)
        bill(store, TENTH, TENTH + 5 * HOUR, w1=USD)  # the day is not over
        bill(store, TENTH, TENTH + 10 * HOUR, w1=2 * USD)
        bill(store, TENTH, TENTH + 30 * HOUR, w1=10 * USD)
        bill(store, TENTH, TENTH + 5 * DAY, w1=10 * USD)
        bill(store, TENTH, TENTH + 6 * DAY, w1=8 * USD + USD // 2)
        bill(store, ELEVENTH, ELEVENTH + 2 * DAY)  # not there yet
        bill(store, ELEVENTH, ELEVENTH + 3 * DAY, w1=4 * USD)
        bill(store, ELEVENTH, ELEVENTH + 8 * DAY, w1=USD, w2=3 * USD)
        hours = {ELEVENTH + 4 * HOUR: USD, ELEVENTH + 5 * HOUR: USD}
        tell(store, hours, ELEVENTH + 5 * HOUR + 30 * HOUR)
        tell(store, {hour: 3 * nano for hour, nano in hours.items()}, ELEVENTH + 2 * DAY)
    return path


def test_each_change_of_what_was_over_is_listed_with_before_after_and_when(config: Path) -> None:
    code, out, _ = here("spend", "--restated", "-c", config)
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "Restated, of the days and hours from 2026-11-01 00:00 to 2026-11-20 12:20 UTC"
    assert [" ".join(line.split()) for line in lines[2:]] == [
        "2026-11-10 cost report $10.00 $8.50 -$1.50 11-16 00:00 5 days",
        "2026-11-11 cost report $4.00 $4.00 ~$3.00 11-19 00:00 7 days",
        "2026-11-11 hourly, 2 h $2.00 $6.00 +$4.00 11-13 00:00 24 h",
        "~ is an amount that moved between keys, workspaces or kinds, and not the sum.",
    ]
    assert max(map(len, lines)) <= 80


def test_by_hour_every_hour_is_told_apart(config: Path) -> None:
    _, out, _ = here("spend", "--restated", "--bucket", "hour", "--from", "2026-11-11", "-c", config)
    assert [" ".join(line.split()) for line in out.splitlines()[3:5]] == [
        "11-11 04:00 hourly $1.00 $3.00 +$2.00 11-13 00:00 43 h",
        "11-11 05:00 hourly $1.00 $3.00 +$2.00 11-13 00:00 42 h",
    ]


def test_a_window_in_which_nothing_was_restated_says_so(config: Path) -> None:
    _, out, _ = here("spend", "--restated", "--from", "2026-11-12", "-c", config)
    assert out.splitlines()[1] == "Nothing that was over when it was told has been restated since."


def test_json_and_csv_have_exact_amounts_and_both_readings(config: Path) -> None:
    document = json.loads(here("spend", "--restated", "--json", "-c", config)[1])
    first = document["restatements"][0]
    assert first == {
        "source": "cost",
        "start": "2026-11-10T00:00:00Z",
        "hours": 24,
        "before_usd": "10",
        "after_usd": "8.5",
        "moved_usd": "1.5",
        "previous_at": "2026-11-15T00:00:00Z",
        "observed_at": "2026-11-16T00:00:00Z",
    }
    lines = list(csv.DictReader(io.StringIO(here("spend", "--restated", "--csv", "-c", config)[1])))
    assert lines == [{name: str(value) for name, value in each.items()} for each in document["restatements"]]
    assert len(lines) == 3


@pytest.mark.parametrize("more", [["--by", "model"], ["--top", "3"], ["--compare"], ["--reconcile"]])
def test_it_goes_with_no_other_question(config: Path, more: list[str]) -> None:
    code, _, err = here("spend", "--restated", *more, "-c", config)
    assert code == 2
    assert "--restated" in err


def test_what_a_day_not_over_was_told_is_no_restatement(config: Path) -> None:
    with Store.open(f"sqlite:///{config.parent / 'watcher.db'}") as store:
        found = restatements(store, ORG, TENTH, ELEVENTH)
        assert len(store.costs.revisions(ORG, MONTH)) > len(found) == 1


def test_a_table_of_large_amounts_fits_a_terminal() -> None:
    seen = ELEVENTH + 20 * DAY
    large = Restatement("analytics", ELEVENTH, 24, seen, seen, 123_456_789 * USD, 98_765_432 * USD, USD)
    console = Console(width=80, record=True, file=io.StringIO())
    show([large], (MONTH, seen), console)
    text = console.export_text()
    assert "$123,456,789.00" in text
    assert max(map(len, text.splitlines())) <= 80
