import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from rules.model import CONSOLE, UNATTRIBUTED, Dimension, Names
from watcher.admin_api.answers import UsageBucket, UsageRow
from watcher.cli.spend import register, window
from watcher.cli.spend_table import show
from watcher.ledger import Bucket, Previous, SpendReport, SpendRow
from watcher.ledger.trend import Trend
from watcher.store import Store

NOW = datetime(2026, 11, 20, 10, 37, tzinfo=UTC)
MONTH = datetime(2026, 11, 1, tzinfo=UTC)
USD = 1_000_000_000


def row(ident: str, dollars: int, settled: int = 0, start: datetime | None = None, model: str = "") -> SpendRow:
    rest = (dollars - settled) * USD
    parts = (("api_key", ident), *((("model", model),) if model else ()))
    return SpendRow(start, parts, settled * USD, 0, rest, (1500, 0, 0, 0, 12), 1)


def shown(
    *rows: SpendRow,
    names: dict[str, str] | None = None,
    by: tuple[Dimension, ...] = ("api_key",),
    bucket: Bucket = "total",
    data_as_of: datetime | None = NOW - timedelta(minutes=5),
    unpriced: frozenset[str] = frozenset(),
) -> str:
    rows = tuple(replace(item, parts=tuple(part for part in item.parts if part[0] in by)) for item in rows)
    settled, estimated = sum(item.settled for item in rows), sum(item.estimated for item in rows)
    total = SpendRow(None, (), settled, 0, estimated, (1500 * len(rows), 0, 0, 0, 12), len(rows))
    report = SpendReport(MONTH, NOW, by, bucket, data_as_of, rows, total, Names(names or {}), unpriced)
    out = io.StringIO()
    show(report, Console(file=out, width=80, color_system=None), NOW)
    return out.getvalue()


def test_the_table_tells_name_share_cost_settled_part_tokens_total_and_age() -> None:
    text = shown(row("key_a", 75, settled=60), row(CONSOLE, 25), names={"key_a": "invoices"})
    lines = text.splitlines()
    assert lines[0] == "Spend from 2026-11-01 00:00 to 2026-11-20 10:37 UTC"
    assert lines[1].split() == ["api", "key", "share", "cost", "settled", "tokens"]
    assert lines[2].split() == ["invoices", "75", "%", "$75.00", "80", "%", "1.5k"]
    assert lines[3].split() == ["Console", "25", "%", "$25.00", "0", "%", "1.5k"]
    assert lines[4].split() == ["total", "$100.00", "60", "%", "3.0k"]
    assert "Settled $60.00; $40.00 estimated (tokens times price)." in text
    assert lines[-1] == "Data as of 2026-11-20 10:32 UTC, 5 min ago."


HOSTILE = [
    "[bold red]x[/]",
    "[link=http://evil]y[/link]",
    "a\x1b[31mb",
    "a\nb\tc",
    "ab\u202ecd\u2066",
    "x" * 300,
    "漢" * 90,
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("by", [("api_key",), ("api_key", "model")])
def test_a_hostile_name_is_one_harmless_line_within_80_columns(name: str, by: tuple[Dimension, ...]) -> None:
    text = shown(row("key_a", 1, model=name), row("key_b", 1, model="claude-opus-5-5"), names={"key_a": name}, by=by)
    assert len(text.splitlines()) == len(shown(row("key_a", 1), row("key_b", 1)).splitlines())
    assert not any(char in text for char in "\x1b\u202e\u2066\t")
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "$1.00" in text


def test_markup_in_a_name_is_shown_as_it_is_written() -> None:
    assert "[bold]x[/]" in shown(row("key_a", 1), names={"key_a": "[bold]x[/]"})


def test_both_ends_of_a_long_name_are_kept() -> None:
    text = shown(row("key_a", 1), names={"key_a": "begin-" + "x" * 300 + "-end"})
    assert "begin-" in text
    assert "…" in text
    assert "-end" in text


def test_almost_nothing_and_almost_everything_are_not_shown_as_nothing_and_everything() -> None:
    lines = shown(row("key_a", 9999, settled=9998), row("key_b", 1)).splitlines()
    assert lines[2].split()[1:] == [">99", "%", "$9,999.00", ">99", "%", "1.5k"]
    assert lines[3].split()[1:] == ["<1", "%", "$1.00", "0", "%", "1.5k"]


def test_a_short_name_leaves_its_room_to_a_long_one() -> None:
    text = shown(row("key_a", 1, model="claude-haiku-4-5-20251001"), names={"key_a": "ci"}, by=("api_key", "model"))
    assert "ci · claude-haiku-4-5-20251001" in text


def test_two_keys_of_one_name_are_told_apart_by_their_ids() -> None:
    text = shown(row("key_000001", 2), row("key_000002", 1), names={"key_000001": "ci", "key_000002": "ci"})
    assert "ci (…000001)" in text
    assert "ci (…000002)" in text


@pytest.mark.parametrize(("bucket", "start"), [("day", "2026-11-03 "), ("hour", "11-03 00:00 ")])
def test_slices_begin_with_their_time(bucket: Bucket, start: str) -> None:
    text = shown(row("key_a", 1, start=MONTH + timedelta(days=2)), bucket=bucket)
    assert text.splitlines()[2].startswith(start)


def test_every_row_is_printed() -> None:
    rows = [row(f"key_{number}", 1) for number in range(1200)]
    assert len(shown(*rows).splitlines()) >= 1200


def test_a_stand_in_price_and_missing_data_are_told() -> None:
    text = shown(row("key_a", 1), unpriced=frozenset({"claude-[b]zenith"}), data_as_of=None)
    assert "No price is known for claude-[b]zenith" in text
    assert "No usage has been read yet." in text


def test_unattributed_is_called_so_and_nothing_is_called_nothing() -> None:
    assert "unattributed" in shown(row(UNATTRIBUTED, 1))
    assert "Nothing was spent." in shown()


@pytest.mark.parametrize("hostile", ["[bold red]x", "\x1b[31m", "two\nlines", "pay\u202eroll", "x" * 300])
def test_a_hostile_tag_breaks_no_line_as_key_or_as_value(hostile: str) -> None:
    one = replace(row("key_a", 1), parts=(("api_key", "key_a"), (f"tag:{hostile}", hostile)))
    text = shown(one, by=("api_key", f"tag:{hostile}"))
    assert len(text.splitlines()) == len(shown(row("key_a", 1)).splitlines())
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert not any(char in text for char in "\x1b\u202e")


def test_cost_that_nothing_explains_is_called_so_once() -> None:
    parts = (("user", UNATTRIBUTED), ("service_tier", UNATTRIBUTED), ("tag:team", "platform"))
    text = shown(replace(row("x", 1), parts=parts), by=("user", "service_tier", "tag:team"))
    assert "unattributed · platform" in text


def test_the_default_window_is_this_utc_month_until_now() -> None:
    assert window(None, None, NOW) == (MONTH, NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-03", datetime(2026, 11, 3, tzinfo=UTC)),
        ("2026-11-03T09:30", datetime(2026, 11, 3, 9, 30, tzinfo=UTC)),
        ("2026-11-03T09:30:00Z", datetime(2026, 11, 3, 9, 30, tzinfo=UTC)),
        ("2026-11-03T09:30+02:00", datetime(2026, 11, 3, 7, 30, tzinfo=UTC)),
    ],
)
def test_dates_and_iso_times_are_read_as_utc(text: str, expected: datetime) -> None:
    assert window(text, None, NOW) == (expected, NOW)


@pytest.mark.parametrize(("start", "end"), [("yesterday", None), (None, "2026-13-01"), ("\x1b", None)])
def test_what_is_no_time_is_refused_with_its_option(start: str | None, end: str | None) -> None:
    with pytest.raises(ValueError, match="--from must be a date" if start else "--to must be a date") as caught:
        window(start, end, NOW)
    assert "\x1b" not in str(caught.value)


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(ValueError, match="--from must be before --to"):
        window("2026-11-05", "2026-11-05", NOW)


# ------------------------------------------------------------------------------------------- change, trend and width

BEFORE = datetime(2026, 10, 12, 13, tzinfo=UTC)
TREND = Trend(MONTH, 48, 10, 35)


def compared(dollars: int, before: int | None, ident: str = "key_a") -> SpendRow:
    known = None if before is None else before * USD
    return replace(row(ident, dollars), previous=known, trend=(0,) * 9 + (dollars * USD,))


def told(*rows: SpendRow, width: int = 80, cost: int | None = 7 * USD, ended: int = 0, encoding: str = "utf-8") -> str:
    total = replace(compared(sum(item.cost for item in rows) // USD, None), previous=cost)
    previous = Previous(BEFORE, MONTH, cost, ended)
    report = SpendReport(
        MONTH, NOW, ("api_key",), "total", NOW, rows, total, Names(), frozenset(), previous=previous, trend=TREND
    )
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    show(report, Console(file=out, width=width, color_system=None), NOW)
    out.seek(0)
    return out.read()


@pytest.mark.parametrize(
    ("dollars", "before", "change"),
    [
        (112, 100, "+12 %"),
        (97, 100, "-3 %"),
        (5, 0, "new"),
        (0, 5, "-100 %"),
        (1, 1000, "-99 %"),
        (1000, 1, ">999 %"),
        (1000, 999, "0 %"),
        (1, -1, "-"),
    ],
)
def test_the_change_is_told_in_percent(dollars: int, before: int, change: str) -> None:
    lines = told(compared(dollars, before)).splitlines()
    at = lines[1].index("change") + len("change")
    assert lines[2][:at].endswith(f"  {change}")


def test_the_window_before_is_told_with_what_it_cost_and_what_ended() -> None:
    text = " ".join(told(compared(5, 3), ended=4 * USD).split())
    assert (
        "The window before, 2026-10-12 13:00 to 2026-11-01 00:00 UTC: $7.00, $4.00 of it by what used nothing" in text
    )
    assert "A bar of the trend is 2 days; the last may still fill." in text
    assert "▁▁▁▁▁▁▁▁▁█" in text


def test_where_the_window_before_is_not_known_the_table_says_so_and_shows_no_change() -> None:
    text = told(compared(5, None), cost=None)
    assert "change" not in text.splitlines()[1]
    assert "No change is shown: usage is not stored for all of 2026-10-12 13:00" in text


def test_a_terminal_without_unicode_gets_no_trend() -> None:
    lines = told(compared(5, 3), encoding="ascii").splitlines()
    assert "trend" not in lines[1]
    assert not any("bar of the trend" in line for line in lines)


@pytest.mark.parametrize("width", [*range(38, 90, 3), 40, 200])
@pytest.mark.parametrize("bucket", ["total", "day", "hour"])
def test_no_amount_is_cut_and_no_line_is_too_long(width: int, bucket: Bucket) -> None:
    start = None if bucket == "total" else MONTH
    rows = [replace(compared(dollars, 3, "k" * 50), start=start) for dollars in (123_456_789, 5_000, 7)]
    total = compared(123_461_796, 9)
    report = SpendReport(
        *(MONTH, NOW, ("api_key",), bucket, NOW, tuple(rows), total, Names(), frozenset()),
        previous=None if start else Previous(BEFORE, MONTH, 9 * USD),
        trend=None if start else TREND,
    )
    out = io.StringIO()
    show(report, Console(file=out, width=width, color_system=None), NOW)
    lines = out.getvalue().splitlines()
    for amount in ("$123,456,789.00", "$5,000.00", "$7.00", "$123,461,796.00"):
        assert any(amount in line.split() for line in lines)
    assert max(map(cell_len, lines)) <= width


def test_80_columns_hold_the_name_the_amount_the_change_and_the_trend() -> None:
    assert told(compared(5, 3)).splitlines()[1].split() == [
        *("api", "key", "share", "cost", "change", "trend", "settled", "tokens")
    ]


def test_40_columns_hold_the_name_and_the_amount() -> None:
    text = told(compared(5, 3, "onboarding-guide-prod-18"), width=40)
    (line,) = [line.split() for line in text.splitlines() if line.startswith("onb")]
    assert line[0].endswith("-18")
    assert "$5.00" in line
    assert "trend" not in text


def test_the_others_are_a_row_that_says_how_many_they_are() -> None:
    others = replace(row("", 25), parts=(), merged=1234)
    assert [line.split()[:2] for line in shown(row("key_a", 75), others).splitlines()[2:4]] == [
        ["key_a", "75"],
        ["others", "(1,234)"],
    ]


# ------------------------------------------------------------------------------------------- the command

HOUR = datetime(2026, 11, 3, 9, tzinfo=UTC)
WINDOW = ("--from", "2026-11-03", "--to", "2026-11-04")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text('[anthropic]\nadmin_key = "sk-ant-admin01-not-a-key"\n[store]\nurl = "sqlite:///watcher.db"\n')
    return path


@pytest.fixture
def filled(config: Path) -> Path:
    with Store.open(f"sqlite:///{config.with_name('watcher.db')}") as store:
        rows = tuple(
            UsageRow(key, "w1", "claude-opus-5-5", "standard", "0-200k", "global", None, tokens, 0, 0, 0, 0, 0)
            for key, tokens in (("key_a", 1_000_000), (None, 500_000))
        )
        store.usage.replace("org_1", [UsageBucket(HOUR, HOUR + timedelta(hours=1), ("model",), rows)], HOUR)
        store.organizations.bind("", "org_1")
    return config


def run(*arguments: str) -> tuple[int, str, str]:
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.stdout, result.stderr


def test_the_command_prints_json(filled: Path) -> None:
    code, out, _ = run("-c", str(filled), *WINDOW, "--by", "api_key", "--by", "model", "--bucket", "day", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["by"] == ["api_key", "model"]
    assert [(row["api_key"], row["start"], row["cost_usd"]) for row in document["rows"]] == [
        ("key_a", "2026-11-03T00:00:00Z", "4"),
        (None, "2026-11-03T00:00:00Z", "2"),
    ]


def test_the_command_prints_a_table_by_key_when_nothing_is_asked(filled: Path) -> None:
    code, out, _ = run("-c", str(filled), *WINDOW)
    assert code == 0
    assert "key_a" in out
    assert "Console" in out
    assert "$6.00" in out


def test_the_command_cuts_to_the_top_in_every_form(filled: Path) -> None:
    top = ("-c", str(filled), *WINDOW, "--top", "1")
    assert "others (1)" in run(*top)[1]
    document = json.loads(run(*top, "--json")[1])
    assert [(row["cost_usd"], row.get("kind")) for row in document["rows"]] == [("4", None), ("2", "others")]
    assert document["total"]["cost_usd"] == "6"
    assert [line.split(",")[2:4] for line in run(*top, "--csv")[1].splitlines()[1:]] == [["", "4"], ["others", "2"]]


def test_the_command_prints_csv_of_every_row(filled: Path) -> None:
    code, out, _ = run("-c", str(filled), *WINDOW, "--csv")
    assert code == 0
    assert out.splitlines()[0].startswith("api_key,api_key_name,kind,cost_usd,")
    assert [line.split(",")[:4] for line in out.splitlines()[1:]] == [["key_a", "", "", "4"], ["", "", "console", "2"]]


def test_json_and_csv_are_held_against_the_window_before_only_when_asked(filled: Path) -> None:
    hours = ("-c", str(filled), "--from", "2026-11-03T09:00", "--to", "2026-11-03T11:00")
    assert "previous" not in json.loads(run(*hours, "--json")[1])
    document = json.loads(run(*hours, "--json", "--compare")[1])
    assert document["previous"] == {
        "from": "2026-11-03T07:00:00Z",
        "to": "2026-11-03T09:00:00Z",
        "cost_usd": None,
        "ended_usd": None,
    }
    assert document["rows"][0]["change_percent"] is None
    assert "previous_usd" in run(*hours, "--csv", "--compare")[1]
    assert "No change is shown" in run(*hours)[1]


@pytest.mark.parametrize(
    "options", [("--json", "--csv"), ("--compare", "--bucket", "day"), ("--top", "0"), ("--top", "many")]
)
def test_options_that_contradict_are_wrong_usage(filled: Path, options: tuple[str, ...]) -> None:
    code, out, err = run("-c", str(filled), *options)
    assert (code, out) == (2, "")
    assert "--" in err


def test_the_command_takes_a_part_of_the_spend_by_any_words(filled: Path) -> None:
    asked = ("-c", str(filled), *WINDOW, "--by", "model_family,service_tier", "--where", "api_key=console")
    document = json.loads(run(*asked, "--json")[1])
    assert (document["by"], document["where"]) == (["model_family", "service_tier"], ["api_key=console"])
    assert [(row["model_family"], row["service_tier"], row["cost_usd"]) for row in document["rows"]] == [
        ("opus", "standard", "2")
    ]
    assert document["total"]["cost_usd"] == "2"
    text = run(*asked)[1]
    assert "Only where api_key=console" in text
    assert "opus · standard" in text
    assert "Nothing of that was spent." in run("-c", str(filled), *WINDOW, "--where", "user=[bold]*")[1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--by", "owner"), "--by must be organization, workspace"),
        (("--where", "owner=ada"), "--where must begin with workspace"),
        (("--where", "tag=team"), '"team=*"'),
        (("--by", "tag:team"), 'No workspace has a tag "team"'),
        (("--where", "user=ada", "--reconcile"), "--reconcile goes with"),
        (("--where", "user=ada", "--restated"), "--restated goes with"),
    ],
)
def test_words_that_cannot_be_meant_are_wrong_usage(filled: Path, options: tuple[str, ...], told: str) -> None:
    code, out, err = run("-c", str(filled), *options)
    assert (code, out) == (2, "")
    assert told in err


def test_a_wrong_window_is_wrong_usage(filled: Path) -> None:
    code, out, err = run("-c", str(filled), "--from", "last week")
    assert (code, out) == (2, "")
    assert "--from must be a date" in err


def test_a_store_that_was_never_filled_is_told(config: Path) -> None:
    Store.open(f"sqlite:///{config.with_name('watcher.db')}").close()
    code, out, err = run("-c", str(config), "--json")
    assert (code, out) == (1, "")
    assert "Nothing has been read yet" in err
