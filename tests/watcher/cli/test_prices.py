import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.stage import here
from watcher.admin_api.answers import CostBucket, CostRow, UsageBucket, UsageRow
from watcher.cli.prices_table import show, to_json
from watcher.ledger.price_list import PriceLine, PriceList
from watcher.pricing import NOTHING, Quote
from watcher.store import Store

CLOCK = "2026-11-20T12:20:00Z@1"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TODAY = datetime(2026, 11, 20, tzinfo=UTC)
OPUS, NEW = "claude-opus-5-5", "claude-zenith-1"
KIND = "uncached_input_tokens"
LEARNED = Quote(3_200_000, "learned", date(2026, 11, 2), 1500, "kind", 9)


def shown(*lines: PriceLine) -> str:
    out = io.StringIO()
    show(PriceList(TODAY.date(), NOTHING, lines), Console(file=out, width=80, color_system=None))
    return out.getvalue()


def test_a_learned_price_shows_its_part_of_the_list_its_spread_its_days_and_its_source() -> None:
    lines = shown(PriceLine(OPUS, "uncached_input", LEARNED, 4_000_000)).splitlines()
    assert lines[0] == "Prices on 2026-11-20 in US dollars for a million tokens"
    assert lines[2].strip() == OPUS
    assert lines[3].split() == [
        *("uncached", "input", "3.20", "80.0", "%", "0.1", "%", "2026-11-02", "learned", "9", "d"),
    ]
    assert lines[4].startswith("learned: list price times")


@pytest.mark.parametrize(
    ("pico", "text"),
    [
        (4_000_000, "4.00"),
        (12_345_678, "12.35"),
        (8_000, "0.008"),
        (12_340, "0.0123"),
        (200_000, "0.20"),
        (1, "0.000001"),
    ],
)
def test_prices_show_two_decimals_or_three_digits(pico: int, text: str) -> None:
    assert text in shown(PriceLine(OPUS, "output", Quote(pico, "override"), None)).split()


def test_searches_are_priced_by_the_thousand() -> None:
    line = PriceLine(OPUS, "web_searches", Quote(9_000_000_000, "override"), 10_000_000_000)
    assert "1,000 web searches" in shown(line)
    assert {"9.00", "90.0"} <= set(shown(line).split())
    assert to_json(PriceList(TODAY.date(), NOTHING, (line,)))["prices"][0]["usd"] == "9"


@pytest.mark.parametrize("model", ["[bold red]x[/]", "a\x1b[31mb", "x" * 300, "漢" * 90, ""])
def test_a_hostile_model_is_one_harmless_line_within_80_columns(model: str) -> None:
    quote = Quote(12_345_000, "learned", date(2026, 11, 2), 12_000, "organization", 21)
    text = shown(PriceLine(model, "cache_write_5m", quote, 12_345_000), PriceLine(model, "web_searches", quote, 1))
    assert not any(char in text for char in "\x1b\u202e")
    assert len(text.splitlines()) == len(shown(*[PriceLine(OPUS, "output", quote, 1)] * 2).splitlines())
    assert max(cell_len(line) for line in text.splitlines()[:4]) <= 80
    assert "learned 21 d, all" in text


def use(hour: datetime, model: str) -> UsageBucket:
    row = UsageRow("key_a", "w1", model, "standard", "0-200k", "global", None, 10**6, 0, 0, 0, 0, 0)
    return UsageBucket(hour, hour + HOUR, ("api_key_id", "workspace_id", "model"), (row,))


def bill(day: datetime) -> CostBucket:
    row = CostRow("w1", "a line", "tokens", OPUS, "standard", KIND, "0-200k", "global", None, 3_200_000_000)
    return CostBucket(day, day + DAY, (row,))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(
        '[anthropic]\nbase_url = "http://127.0.0.1:9"\nadmin_key = "sk-ant-admin01-not-a-key"\n'
        '[store]\nurl = "sqlite:///watcher.db"\n[[price]]\nmodel = "claude-opus-*"\nfrom = 2026-11-10\noutput = 18\n'
    )
    path.chmod(0o600)
    return path


@pytest.fixture
def filled(config: Path) -> Path:
    now = TODAY + 12 * HOUR
    with Store.open(f"sqlite:///{config.with_name('watcher.db')}") as store:
        days = [TODAY - back * DAY for back in (5, 4, 3)]
        store.usage.replace("org_1", [use(day, OPUS) for day in days] + [use(TODAY, NEW)], now)
        store.costs.replace("org_1", [bill(day) for day in days], now)
        store.organizations.bind("", "org_1")
    return config


def document(filled: Path, *more: str) -> dict[tuple[str, str], dict[str, object]]:
    code, out, err = here("prices", "-c", filled, "--json", *more, clock=CLOCK)
    assert (code, err) == (0, "")
    return {(line["model"], line["kind"]): line for line in json.loads(out)["prices"]}


def test_the_command_tells_of_every_kind_where_its_price_comes_from(filled: Path) -> None:
    lines = document(filled)
    assert {model for model, _ in lines} == {OPUS, NEW}
    assert len(lines) == 12
    assert lines[OPUS, "uncached_input"] == {
        "organization": "org_1",
        "model": OPUS,
        "kind": "uncached_input",
        "usd": "3.2",
        "unit": "per_million_tokens",
        "source": "learned",
        "basis": "kind",
        "since": "2026-11-15",
        "days": 3,
        "of_list": 0.8,
        "spread": 0.0,
    }
    assert (lines[OPUS, "cache_read"]["source"], lines[OPUS, "cache_read"]["basis"]) == ("learned", "model")
    assert (lines[OPUS, "output"]["source"], lines[OPUS, "output"]["since"]) == ("override", "2026-11-10")
    assert (lines[NEW, "output"]["source"], lines[NEW, "output"]["of_list"]) == ("unpriced", None)


def test_another_day_has_the_prices_of_that_day(filled: Path) -> None:
    assert document(filled, "--at", "2026-11-20")[OPUS, "output"]["usd"] == "18"
    assert (OPUS, "output") not in document(filled, "--at", "2026-11-09")
    later = document(filled, "--at", "2027-01-01")
    assert later[OPUS, "output"]["usd"] == "18"


def test_the_table_names_every_source(filled: Path) -> None:
    code, out, _ = here("prices", "-c", filled, clock=CLOCK)
    assert code == 0
    assert {"override", "learned", "unpriced"} <= set(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_a_wrong_day_is_wrong_usage(filled: Path) -> None:
    code, out, err = here("prices", "-c", filled, "--at", "tomorrow", clock=CLOCK)
    assert (code, out) == (2, "")
    assert err == "--at must be a date such as \"2026-11-01\", not 'tomorrow'.\n"


def test_a_store_that_was_never_filled_is_told(config: Path) -> None:
    Store.open(f"sqlite:///{config.with_name('watcher.db')}").close()
    code, out, err = here("prices", "-c", config, clock=CLOCK)
    assert (code, out) == (1, "")
    assert "Nothing has been read yet" in err


def test_nothing_in_use_is_said() -> None:
    assert "No model was in use" in shown()
