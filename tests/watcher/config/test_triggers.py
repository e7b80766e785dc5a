"""`forecast`, `burn_rate` and `pace` of a budget: what is taken, and what is refused with its place and remedy."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from rules.model import Budget, Severity
from rules.money import parse_usd
from rules.thresholds import Threshold
from rules.triggers import BurnPair, ForecastMark, PaceMark, usual_pairs
from watcher.config import InvalidConfig, load

ENV = {"ANTHROPIC_ADMIN_KEY": "sk-ant-admin01-x"}
HOUR = timedelta(hours=1)


def budget(tmp_path: Path, settings: str) -> Budget:
    path = tmp_path / "watcher.toml"
    path.write_text(
        '[anthropic]\nadmin_key = "${ANTHROPIC_ADMIN_KEY}"\n[store]\nurl = "sqlite:///w.db"\n'
        f'[[budget]]\nname = "all"\nlimit_usd = 100\n{settings}\n'
    )
    (found,) = load(path, ENV).budgets
    return found


@pytest.mark.parametrize(
    ("written", "marks"),
    [
        ("100", (ForecastMark(100.0),)),
        ("[]", ()),
        ("[90, 100]", (ForecastMark(90.0), ForecastMark(100.0))),
        ('{ at = 100, when = "expected" }', (ForecastMark(100.0, "expected"),)),
        (
            '[{ at_usd = 90 }, { at = 120, severity = "critical", when = "likely" }]',
            (
                ForecastMark(Threshold(amount=parse_usd("90"))),
                ForecastMark(Threshold(percent=120.0, severity=Severity.CRITICAL)),
            ),
        ),
    ],
)
def test_a_forecast_has_marks(tmp_path: Path, written: str, marks: tuple[ForecastMark, ...]) -> None:
    assert budget(tmp_path, f"forecast = {written}").forecast == marks


@pytest.mark.parametrize(
    ("written", "marks"),
    [
        ("120", (PaceMark(120.0),)),
        ("[]", ()),
        ('[120, { at = 150, severity = "critical" }]', (PaceMark(120.0), PaceMark(150.0, Severity.CRITICAL))),
    ],
)
def test_a_pace_has_percents(tmp_path: Path, written: str, marks: tuple[PaceMark, ...]) -> None:
    assert budget(tmp_path, f"pace = {written}").pace == marks


def test_a_burn_rate_has_pairs_of_windows_or_the_usual_ones_of_its_period(tmp_path: Path) -> None:
    assert budget(tmp_path, "burn_rate = false").burn == ()
    assert budget(tmp_path, "burn_rate = true").burn == usual_pairs(timedelta(days=30))
    assert budget(tmp_path, 'period = "day"\nburn_rate = true').burn == usual_pairs(timedelta(days=1))
    assert budget(tmp_path, 'period = "week"\nburn_rate = true').burn == usual_pairs(timedelta(days=7))
    pairs = (
        '[{ long = "6h", short = "1h", factor = 6 }, { long = "3d", short = "6h", factor = 1.5, severity = "info" }]'
    )
    assert budget(tmp_path, f"burn_rate = {pairs}").burn == (
        BurnPair(6 * HOUR, HOUR, 6.0, Severity.CRITICAL),
        BurnPair(72 * HOUR, 6 * HOUR, 1.5, Severity.INFO),
    )


PAIR = 'long = "6h", short = "1h", factor = 6'


@pytest.mark.parametrize(
    ("settings", "place", "phrase"),
    [
        ('forecast = "100"', "budget[0].forecast", "without quotation marks"),
        ("forecast = [100, 90]", "budget[0].forecast", "ascending order: [90, 100]"),
        ("forecast = [50, 0]", "budget[0].forecast", "its mark number 2 must be a percent above 0"),
        (
            "forecast = [{ at = 100, at_usd = 5 }]",
            "budget[0].forecast",
            "must have either `at`, a percent, or `at_usd`",
        ),
        ("forecast = [{ at = 100, level = 5 }]", "budget[0].forecast", "has level, which is not a setting of it"),
        ('forecast = { at = 100, when = "soon" }', "budget[0].forecast", 'its `when` must be "likely" or "expected"'),
        ("forecast = [100, { at_usd = 100 }]", "budget[0].forecast[1]", "100 % and $100.00 of $100.00 are the same"),
        ('period = "rolling 24h"\nforecast = 100', "budget[0].forecast", "does not go with a rolling window"),
        ('period = "rolling 24h"\npace = 120', "budget[0].pace", "does not go with a rolling window"),
        ('period = "rolling 24h"\nburn_rate = true', "budget[0].burn_rate", "does not go with a rolling window"),
        ('period = "hour"\nburn_rate = true', "budget[0].burn_rate", "does not go with an hour"),
        ("burn_rate = 5", "budget[0].burn_rate", "must be true, or a list of 1 to 10 pairs of windows"),
        ("burn_rate = []", "budget[0].burn_rate", "must be true, or a list of 1 to 10 pairs of windows"),
        ('burn_rate = [{ long = "6h", short = "1h" }]', "budget[0].burn_rate", "must have `factor`"),
        ('burn_rate = [{ long = "1h", short = "6h", factor = 2 }]', "budget[0].burn_rate", "longer than its `long`"),
        ('burn_rate = [{ long = "90m", short = "1h", factor = 2 }]', "budget[0].burn_rate", "must be whole hours"),
        ('burn_rate = [{ long = "1h", short = "30m", factor = 2 }]', "budget[0].burn_rate", "must be at least 1h"),
        ('burn_rate = [{ long = "1h", short = "1h", factor = 1 }]', "budget[0].burn_rate", "a number above 1"),
        ('burn_rate = [{ long = "1h", short = "1h", factor = nan }]', "budget[0].burn_rate", "a number above 1"),
        (f"burn_rate = [{{ {PAIR} }}, {{ {PAIR} }}]", "budget[0].burn_rate", "each pair of windows once: number 2"),
        (f"burn_rate = [{{ {PAIR}, then = 5 }}]", "budget[0].burn_rate", "has then, which is not a setting"),
        (
            f'period = "day"\nburn_rate = {{ {PAIR.replace("6h", "24h")} }}',
            "budget[0].burn_rate[0]",
            "not shorter than",
        ),
        ("pace = [100]", "budget[0].pace", "must be above 100"),
        ("pace = [150, 120]", "budget[0].pace", "ascending order"),
        ("pace = { at_usd = 5 }", "budget[0].pace", "a pace is a percent of what should be spent by now"),
        ('pace = { severity = "info" }', "budget[0].pace", "must have `at`"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, settings: str, place: str, phrase: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        budget(tmp_path, settings)
    problems = {problem.place: problem.message for problem in caught.value.problems}
    assert place in problems, problems
    assert phrase in problems[place]
