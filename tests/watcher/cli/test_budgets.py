"""`watcher budgets`: the table, its sentences, and the JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from rules.budgets import Line
from rules.forecast import Crossing, Forecast
from rules.measures import Measure
from rules.model import Scope
from tests.stage import NOW, here, write_config
from watcher.budgets import Standing, Standings, standings, to_json
from watcher.cli.budgets_table import show
from watcher.config import load
from watcher.overview import Unjudged
from watcher.simulator import Simulator, World
from watcher.store import Store

USD = 1_000_000_000
START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
BUDGETS = """\
[[budget]]
name = "organization"
limit_usd = 2000
[[budget]]
name = "keys a day"
period = "day"
timezone = "Asia/Kolkata"
limit_usd = 10
per = ["api_key"]
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Hostile names, polled once."""
    world = World(started_at=NOW - timedelta(hours=5), seed=7, keys=12, days=23, hostile_names=True)
    with Simulator(world, lambda: NOW) as served:
        path = write_config(tmp_path_factory.mktemp("budgets"), served.url, BUDGETS, backfill="20d")
        assert here("poll", "-c", path)[0] == 0
    return path


def line(spent: float, forecast: Forecast | None, limit: float = 1000, label: str = "", budget: str = "all") -> Line:
    return Line(
        budget=budget,
        scope=Scope("org", api_key=label or None),
        label=label,
        period="November 2026",
        start=START,
        end=END,
        limit=round(limit * USD),
        spent=round(spent * USD),
        settled=round(spent * USD) // 2,
        forecast=forecast,
    )


def told(
    total: float, low: float, high: float, *days: int | None, basis: str = "enough", limit: int = 1000
) -> Forecast:
    """A forecast that crosses the limit on these days of November: as expected, at the earliest, at the latest."""
    moments = [None if day is None else datetime(2026, 11, day, 9, tzinfo=UTC) for day in days or (None, None, None)]
    crossing = Crossing(limit * USD, *moments)
    dollars = round(total * USD), round(low * USD), round(high * USD)
    return Forecast(*dollars, (crossing,), 40.0 if basis == "enough" else 3.0, basis)


def shown(*lines: Line, width: int = 80, most: int | None = None, ascii_only: bool = False, zone: str = "UTC") -> str:
    output = StringIO()
    console = Console(file=output, width=width, color_system=None, legacy_windows=False)
    if ascii_only:
        output = open_ascii()
        console = Console(file=output, width=width, color_system=None)
    standing = Standing("org", "", "Org", NOW, lines)
    show(Standings(NOW, (standing,), dict.fromkeys((each.budget for each in lines), zone)), console, NOW, most)
    output.seek(0)
    return output.read()


def open_ascii() -> StringIO:
    class Ascii(StringIO):
        encoding = "ascii"

    return Ascii()


# --------------------------------------------------------------------------------------- the command


def test_a_terminal_of_eighty_columns_holds_every_line(config: Path) -> None:
    code, out, err = here("budgets", "-c", config)
    assert (code, err) == (0, "")
    assert all(len(each) <= 80 for each in out.splitlines())
    assert re.search(r"^organization  November 2026 \(UTC\), 10 days left, limit \$2,000$", out, re.MULTILINE)
    assert re.search(r"^keys a day  20 Nov 2026 \(Asia/Kolkata\), 6 h left, limit \$10 each$", out, re.MULTILINE)
    assert "Data as of 2026-11-20 12:2" in out


def test_hostile_names_stay_within_their_cells(config: Path) -> None:
    out = here("budgets", "-c", config, "--all")[1]
    assert "\u202e" not in out
    assert all(char.isprintable() for char in out.replace("\n", ""))
    assert "<!channel>" in out


def test_the_json_adds_up_and_agrees_with_status(config: Path) -> None:
    code, out, _ = here("budgets", "-c", config, "--json")
    assert code == 0
    (organization,) = json.loads(out)["organizations"]
    listed = json.loads(here("status", "-c", config, "--json")[1])["budgets"]
    shared = ("budget", "scope", "period", "ends_at", "limit_usd", "spent_usd", "settled_usd")
    assert [{name: each[name] for name in shared} for each in organization["budgets"]] == [
        {name: each[name] for name in shared} for each in listed
    ]
    for each in organization["budgets"]:
        forecast = each["forecast"]
        low, total, high = (float(forecast[f"{side}_usd"]) for side in ("low", "total", "high"))
        assert float(each["spent_usd"]) <= low <= total <= high
        assert (forecast["interval"], forecast["basis"]) == (
            0.8,
            "enough" if forecast["history_days"] >= 14 else "little",
        )
        assert forecast["crossings"][-1]["amount_usd"] == each["limit_usd"]


def test_one_budget_is_shown_by_name_and_an_unknown_one_is_wrong_usage(config: Path) -> None:
    out = here("budgets", "-c", config, "--budget", "keys a day")[1]
    assert out.startswith("keys a day")
    assert "organization" not in out
    code, out, err = here("budgets", "-c", config, "--budget", "nothing")
    assert (code, out) == (2, "")
    assert err == "No budget is called 'nothing'. There are: organization, keys a day.\n"


def test_without_a_budget_it_says_where_to_read_how(config: Path, tmp_path: Path) -> None:
    bare = tmp_path / "config.toml"
    bare.touch(0o600)
    bare.write_text(re.sub(r"\[\[budget\]\].*", "", config.read_text(), flags=re.DOTALL))
    (tmp_path / "watcher.db").write_bytes((config.parent / "watcher.db").read_bytes())
    code, _, err = here("budgets", "-c", bare)
    assert (code, err) == (1, "No budget is configured: docs/configuration.md shows how.\n")


def test_figures_that_an_older_version_left_have_no_forecast_yet(config: Path) -> None:
    with Store.open(f"sqlite:///{config.parent / 'watcher.db'}", read_only=True) as store:
        (bound,) = store.organizations.all()
        document = json.loads(store.cursor.get("overview", bound.id) or "")
    for each in document["budgets"]:
        del each["forecast"]

    class Older:
        @property
        def cursor(self) -> Older:
            return self

        @property
        def commands(self) -> Older:
            return self

        def pending(self, _organization: str) -> tuple[()]:
            return ()

        def get(self, _name: str, _organization: str) -> str:
            return json.dumps(document)

    budgets = load(config, {}).budgets
    found = standings(Older(), [(bound.id, "", "Org")], budgets, NOW)
    assert {line.forecast for line in found.organizations[0].lines} == {None}
    assert to_json(found)["organizations"][0]["budgets"][0]["forecast"] is None


# --------------------------------------------------------------------------------------- the table


def test_the_bar_shows_what_is_spent_and_what_the_forecast_adds() -> None:
    out = shown(line(505, told(800, 750, 850)))
    assert "█████░" not in out
    assert "█████▒▒▒░░   50%" in out.replace("█████▏", "█████")
    assert re.search(r"all .*50% +\$505 +\$800 +750-850 +50% +no$", out, re.MULTILINE)


def test_ascii_terminals_get_an_ascii_bar() -> None:
    assert "#####===..   50%" in shown(line(505, told(800, 750, 850)), ascii_only=True)


def test_a_limit_is_not_called_reached_before_it_is() -> None:
    assert "99%" in shown(line(999.999, told(1000, 1000, 1000)))
    assert "100%" in shown(line(1000, told(1000, 1000, 1000, 3, 3, 3)))


SURELY = "crosses $1,000 on Tue 24 Nov, between Sun 22 Nov and Fri 27 Nov."
MAYBE = "will probably stay below $1,000, but may cross it from Fri 27 Nov on."
PERHAPS_NOT = "crosses $1,000 on Sat 28 Nov, Sun 22 Nov at the earliest, perhaps not within the period."


@pytest.mark.parametrize(
    ("forecast", "spent", "column", "sentence"),
    [
        (told(800, 700, 900), 500, "no", None),
        (told(980, 900, 1100, None, 27, None), 500, "maybe", MAYBE),
        (told(1100, 1050, 1200, 24, 22, 27), 500, "24 Nov", SURELY),
        (told(1100, 950, 1200, 28, 22, None), 500, "28 Nov", PERHAPS_NOT),
        (told(1500, 1400, 1600, 9, 9, 9), 1200, "9 Nov", "crossed $1,000 on Mon 9 Nov."),
    ],
)
def test_when_the_limit_is_crossed_is_a_column_and_a_sentence(
    forecast: Forecast, spent: float, column: str, sentence: str | None
) -> None:
    out = shown(line(spent, forecast))
    assert re.search(rf" {column}$", out, re.MULTILINE)
    told_words = " ".join(out.split())
    assert (sentence in told_words) if sentence else ("$1,000 on" not in told_words)


def test_moments_are_in_the_budgets_zone() -> None:
    crossing = Crossing(1000 * USD, *[datetime(2026, 11, 24, 20, tzinfo=UTC)] * 3)
    forecast = Forecast(1100 * USD, 1050 * USD, 1200 * USD, (crossing,), 40.0, "enough")
    assert "crosses $1,000 on Wed 25 Nov." in shown(line(500, forecast), zone="Asia/Kolkata")


def test_little_history_is_marked_and_explained() -> None:
    out = shown(line(500, told(800, 300, 2000, basis="little")))
    assert "~$800" in out
    assert "rests on little history, 3.0 days" in out


def test_what_is_not_forecast_has_a_dash_and_a_reason() -> None:
    out = shown(line(500, None))
    assert re.search(r"\$500 +- +- +50% +-$", out, re.MULTILINE)
    assert "is not forecast" in out


def test_the_dearest_lines_are_shown_and_the_others_counted() -> None:
    lines = [line(500 - place, told(800, 750, 850), label=f"key-{place}") for place in range(9)]
    out = shown(*lines, most=4)
    assert "key-3" in out
    assert "key-4" not in out
    assert "and 5 more: --all" in out
    assert "key-8" in shown(*lines)


def test_amounts_of_every_size_keep_to_eighty_columns() -> None:
    sizes = (0.004, 0.5, 99.9, 999.6, 9_999, 999_600, 123_456_789)
    lines = [line(size, told(size * 2, size, size * 3), limit=10, label="k" * 70) for size in sizes]
    out = shown(*lines)
    assert all(len(each) <= 80 for each in out.splitlines())
    for text in ("<$0.01", "$0.50", "$99.90", "$1,000", "$9,999", "$1.00M", "$123M", ">999%"):
        assert text in out


def test_several_organizations_stand_apart_under_their_names() -> None:
    output = StringIO()
    console = Console(file=output, width=80, color_system=None)
    some = Standing("org-1", "prod", "Org", NOW, (line(500, told(800, 750, 850)),))
    none = Standing("org-2", "research", "Org", None, ())
    show(Standings(NOW, (some, none), {"all": "UTC"}), console, NOW, None)
    out = output.getvalue()
    assert out.index("prod") < out.index("$500") < out.index("research") < out.index("Nothing has been judged yet")


def test_where_nothing_is_known_but_the_open_hour_there_is_no_forecast() -> None:
    out = shown(line(5, told(5, 5, 5, basis="none")))
    assert re.search(r"\$5\.00 +- +- +50%", out)
    assert "no complete hour of spend" in out


@pytest.mark.parametrize(("width", "missing"), [(79, []), (70, ["settled"]), (60, ["settled", "80 % range"])])
def test_a_narrow_terminal_does_without_some_columns(width: int, missing: list[str]) -> None:
    out = shown(line(123_456, told(234_567, 200_000, 300_000), label="k" * 70), width=width)
    assert all(len(each) <= width for each in out.splitlines())
    for title in ("used", "spent", "will be", "80 % range", "settled", "crosses"):
        assert (title in out) is (title not in missing)
    assert "…" not in out.splitlines()[1]


def test_a_key_that_was_switched_off_is_expected_to_spend_nothing_more(tmp_path: Path) -> None:
    world = World(started_at=NOW - timedelta(days=3), seed=7, keys=6, days=30)
    key = max(world.organization.keys, key=lambda each: world.true_cost_nano(START, NOW, api_key_id=each))
    world.set_key_status(key, "inactive", NOW - timedelta(hours=7))
    budget = '[[budget]]\nname = "keys"\nper = ["api_key"]\nlimit_usd = 500\n'
    with Simulator(world, lambda: NOW) as served:
        config = write_config(tmp_path, served.url, budget, backfill="20d")
        assert here("poll", "-c", config)[0] == 0
    (organization,) = json.loads(here("budgets", "-c", config, "--json")[1])["organizations"]
    by_key = {each["scope"]["api_key"]: each for each in organization["budgets"]}
    assert by_key[key]["forecast"]["total_usd"] == by_key[key]["forecast"]["high_usd"] == by_key[key]["spent_usd"]
    assert any(float(each["forecast"]["total_usd"]) > 1.1 * float(each["spent_usd"]) for each in by_key.values())


def test_a_rolling_window_has_no_end_and_no_forecast_and_that_is_no_lack() -> None:
    rolling = replace(line(50, None), rolling=True, period="the last 24 hours")
    found = Standings(NOW, (Standing("org", "", "Acme", NOW, (rolling,)),), {"all": "UTC"})
    out = StringIO()
    show(found, Console(file=out, width=80), NOW, 12)
    assert "the last 24 hours, limit $1,000" in out.getvalue()
    assert "left" not in out.getvalue()
    assert "not forecast" not in out.getvalue()
    (row,) = to_json(found)["organizations"][0]["budgets"]
    assert (row["ends_at"], row["hours_left"], row["forecast"]) == (None, None, None)


# --------------------------------------------------------------------------------------- without a limit


def unlimited(each: Line, why: str = "the plan does not name this period") -> Line:
    return replace(each, limit=None, unlimited=why)


def test_a_budget_without_a_limit_in_this_period_says_why_and_shows_what_is_spent() -> None:
    out = shown(unlimited(line(640, replace(told(900, 800, 1000), crossings=()))))
    assert "10 days left, no limit: the plan does not name this period" in " ".join(out.split())
    assert re.search(r"^all no limit +- +\$640 ", out, re.MULTILINE)


def test_where_some_lines_have_no_limit_the_head_says_how_many_and_why() -> None:
    lines = line(640, None, limit=500, label="a"), line(64, None, limit=20, label="b"), unlimited(line(9, None))
    out = " ".join(shown(*lines).split())
    assert "limits from $20 to $500; 1 without: the plan does not name this period" in out
    assert "limit $20 each" in " ".join(shown(line(64, None, limit=20, label="b")).split())


def test_the_json_of_a_line_without_a_limit_says_why() -> None:
    standing = Standing("org", "", "Org", NOW, (unlimited(line(9, None)), line(9, None)))
    (found,) = to_json(Standings(NOW, (standing,), {"all": "UTC"}))["organizations"]
    assert [(each["limit_usd"], each["no_limit"]) for each in found["budgets"]] == [
        (None, "the plan does not name this period"),
        ("1000", None),
    ]


def test_tokens_are_shown_as_tokens_and_are_never_settled() -> None:
    counted = replace(
        line(0, Forecast(60_000_000, 55_000_000, 71_500_000, (), 40.0, "enough")),
        limit=50_000_000,
        spent=45_678_901,
        settled=0,
        measure=Measure("tokens", "output"),
    )
    out = shown(counted)
    assert "limit 50,000,000 output tokens" in out
    assert re.search(r"^all .* 91% +45\.7M +60\.0M +55\.0M-71\.5M +- +-$", out, re.MULTILINE)
    assert "$" not in out
    standing = Standing("org", "", "Org", NOW, (counted,), unjudged=(Unjudged("lost", "it matches nothing"),))
    (found,) = to_json(Standings(NOW, (standing,), {"all": "UTC"}))["organizations"]
    (told,) = found["budgets"]
    assert (told["unit"], told["kind"], told["limit_tokens"], told["spent_tokens"]) == (
        "tokens",
        "output",
        50_000_000,
        45_678_901,
    )
    assert [told[name] for name in ("limit_usd", "spent_usd", "settled_usd")] == [None, None, None]
    assert (told["forecast"]["total_tokens"], told["forecast"]["low_tokens"]) == (60_000_000, 55_000_000)
    assert found["unjudged"] == [{"budget": "lost", "why": "it matches nothing"}]
