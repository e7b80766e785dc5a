"""What an `[[anomaly]]` may say of its channels and its threshold, and what is wrong with the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.configured import AnomalyTuning
from rules.model import AnomalyRule
from watcher.config import check

BEFORE = """\
[anthropic]
admin_key = "${KEY}"

[[anomaly]]
name = "a"
"""


def checked(tmp_path: Path, text: str) -> tuple[tuple[AnomalyRule, ...], list[str]]:
    path = tmp_path / "config.toml"
    path.write_text(BEFORE + text, encoding="utf-8")
    path.chmod(0o600)
    report = check(path, {"KEY": "sk-ant-admin01-x"})
    rules = () if report.settings is None else report.settings.anomalies
    return rules, [str(problem) for problem in report.problems]


@pytest.mark.parametrize(
    ("text", "a_year"),
    [("1 per week", 52.18), ("2 per month", 24.0), ("4 per quarter", 16.0), ("12 per year", 12.0), ("1 a week", 52.18)],
)
def test_a_budget_of_false_alarms_is_so_many_a_year(tmp_path: Path, text: str, a_year: float) -> None:
    (rule,), problems = checked(tmp_path, f'max_false_alarms = "{text}"')
    assert problems == []
    assert rule.false_alarms == pytest.approx(a_year, rel=1e-3)


def test_every_key_reaches_the_rule(tmp_path: Path) -> None:
    text = 'unit_price = false\ndirection = "both"\nsensitivity = "high"\n'
    (rule,), problems = checked(tmp_path, text + "tuning = { of_usual = 6, one_hour = 10, price_ratio = 1.5, hot = 3 }")
    assert problems == []
    assert (rule.unit_price, rule.direction, rule.sensitivity) == (False, "both", "high")
    assert rule.tuning == AnomalyTuning(None, 6.0, 10.0, 1.5, 3.0)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ('direction = "sideways"', "anomaly[0].direction", 'must be "up", "down" or "both"'),
        ('sensitivity = "hihg"', "anomaly[0].sensitivity", 'did you mean "high"?'),
        ('max_false_alarms = "often"', "anomaly[0].max_false_alarms", '"1 per week"'),
        ("max_false_alarms = 3", "anomaly[0].max_false_alarms", '"2 per month"'),
        ('max_false_alarms = "0 per week"', "anomaly[0].max_false_alarms", "from 1 to 10000"),
        (
            'sensitivity = "medium"\nmax_false_alarms = "1 per week"',
            "anomaly[0].max_false_alarms",
            "does not go with `sensitivity`",
        ),
        (
            'max_false_alarms = "1 per week"\ntuning = { threshold = 1.2 }',
            "anomaly[0].tuning.threshold",
            "does not go with `max_false_alarms`",
        ),
        ("tuning = { threshold = 0.1 }", "anomaly[0].tuning.threshold", "must be a number from 0.8 to 3"),
        ("tuning = { one_houre = 3 }", "anomaly[0].tuning.one_houre", "one_hour"),
        ('unit_price = "yes"', "anomaly[0].unit_price", "must be true or false"),
        ('direction = "down"\nsensitivity = "low"', "anomaly[0].sensitivity", "looks for silence alone"),
        ("tuning = { treshold = 2 }", "anomaly[0].tuning.treshold", 'did you mean "threshold"?'),
        ("tuning = { tag_x = 2 }", "anomaly[0].tuning.tag_x", "`tuning` has hot, of_usual, one_hour, price_ratio"),
        ('direction = "down"\ntuning = { one_hour = 2 }', "anomaly[0].tuning.one_hour", "looks for silence alone"),
        ('direction = "down"\ntuning = { threshold = 2 }', "anomaly[0].tuning.threshold", "looks for silence alone"),
        ('direction = "down"\nunit_price = true', "anomaly[0].unit_price", "looks for silence alone"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_what_is_right(
    tmp_path: Path, text: str, place: str, says: str
) -> None:
    rules, problems = checked(tmp_path, text)
    assert rules == ()
    assert len(problems) == 1
    assert problems[0].startswith(place)
    assert says in problems[0]
