from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import (
    CONSOLE,
    DEFAULT_WORKSPACE,
    Alert,
    AnomalyEvidence,
    BudgetEvidence,
    Evidence,
    Scope,
    Severity,
    Share,
    SourceEvidence,
    State,
    Subject,
)
from rules.summary import summarize
from rules.wording import LONGEST_NAME, clean

USD = 1_000_000_000
SINCE = datetime(2026, 11, 20, 14, tzinfo=UTC)
KEY = Scope("org_1", api_key="apikey_01")
NAMES = {"apikey_01": "ci-runner", "wrkspc_1": "prod"}
ANOMALY = AnomalyEvidence(
    since=SINCE,
    observed=641_220_000_000,
    expected=31 * USD,
    per_hour=212 * USD,
    normal_per_hour=10 * USD,
    upper_per_hour=20 * USD,
    score=12.0,
    history_hours=1440,
    points=(),
    data_as_of=SINCE + timedelta(hours=3),
    top=(Share("model", "claude-opus-5", "claude-opus-5", 600 * USD),),
)
BUDGET = BudgetEvidence(
    period="November 2026",
    period_start=datetime(2026, 11, 1, tzinfo=UTC),
    period_end=datetime(2026, 12, 1, tzinfo=UTC),
    timezone="UTC",
    threshold_percent=80.0,
    also_crossed=(),
    spent=8_012_440_000_000,
    limit=10_000 * USD,
    settled=0,
    data_as_of=SINCE,
)
SOURCE = SourceEvidence("usage", "No usage data", SINCE, "nothing is judged", "Wait.", SINCE)


def alert_of(evidence: Evidence, scope: Scope = KEY, state: State = State.FIRING, **options: object) -> Alert:
    kind = evidence.type
    subject = Subject("organization", kind, scope)
    alert = Alert("1", subject, Severity.WARNING, state, SINCE, SINCE, evidence, "", names=NAMES)
    return replace(alert, ends_at=SINCE + timedelta(hours=6) if state is State.RESOLVED else None, **options)


WHOLE = Scope("org_1")


@pytest.mark.parametrize(
    ("alert", "line"),
    [
        (
            alert_of(ANOMALY),
            (
                'Key "ci-runner" (apikey_01) in workspace "prod" is spending $212/h on claude-opus-5, normally $10.00/h'
                " — $641 since 14:00 UTC (expected $31.00)"
            ),
        ),
        (
            alert_of(ANOMALY, state=State.RESOLVED),
            (
                'Key "ci-runner" (apikey_01) in workspace "prod" is back to normal: it had spent $641 since 14:00 UTC'
                " (expected $31.00) on claude-opus-5"
            ),
        ),
        (
            alert_of(replace(ANOMALY, data_as_of=SINCE + timedelta(days=2)), names={}),
            (
                "Key apikey_01 is spending $212/h on claude-opus-5, normally $10.00/h"
                " — $641 since 20 Nov, 14:00 UTC (expected $31.00)"
            ),
        ),
        (
            alert_of(replace(ANOMALY, top=()), Scope("org_1", api_key=CONSOLE), names={CONSOLE: "Console"}),
            "Console use is spending $212/h, normally $10.00/h — $641 since 14:00 UTC (expected $31.00)",
        ),
        (
            alert_of(replace(ANOMALY, top=()), Scope("org_1", workspace=DEFAULT_WORKSPACE), names={}),
            "The default workspace is spending $212/h, normally $10.00/h — $641 since 14:00 UTC (expected $31.00)",
        ),
        (
            alert_of(ANOMALY, Scope("org_1", model="claude-opus-5"), names={}),
            "Model claude-opus-5 is spending $212/h, normally $10.00/h — $641 since 14:00 UTC (expected $31.00)",
        ),
        (
            alert_of(replace(ANOMALY, top=()), WHOLE, names={}),
            "The organization is spending $212/h, normally $10.00/h — $641 since 14:00 UTC (expected $31.00)",
        ),
        (
            alert_of(BUDGET, WHOLE, names={}),
            'Budget "organization" passed 80 % of $10,000.00 for November 2026: $8,012.44 spent',
        ),
        (
            alert_of(replace(BUDGET, also_crossed=(33.3, 50.0)), WHOLE, names={}),
            (
                'Budget "organization" passed 80 % of $10,000.00 for November 2026: $8,012.44 spent'
                " (33.3 %, 50 % passed with it)"
            ),
        ),
        (
            alert_of(
                replace(
                    BUDGET, threshold_amount=8_000 * USD, also_crossed=(50.0, 75.0), also_crossed_amounts=(6_000 * USD,)
                ),
                WHOLE,
                names={},
            ),
            (
                'Budget "organization" passed $8,000.00 of $10,000.00 for November 2026: $8,012.44 spent'
                " (50 %, $6,000.00, 75 % passed with it)"
            ),
        ),
        (
            alert_of(BUDGET),
            (
                'Budget "organization" of key "ci-runner" (apikey_01) in workspace "prod" passed 80 % of $10,000.00 for'
                " November 2026: $8,012.44 spent"
            ),
        ),
        (
            alert_of(BUDGET, WHOLE, State.RESOLVED, names={}),
            'Budget "organization" passed 80 % of $10,000.00 for November 2026: $8,012.44 spent (closed)',
        ),
        (alert_of(SOURCE, WHOLE, names={}), "No usage data since 14:00 UTC: nothing is judged"),
        (
            alert_of(SOURCE, WHOLE, State.RESOLVED, names={}),
            "Over: No usage data (from 14:00 UTC until 20:00 UTC)",
        ),
    ],
)
def test_the_line_says_what_is_wrong(alert: Alert, line: str) -> None:
    assert summarize(alert) == line


def test_the_model_is_named_as_far_as_it_carries_the_spend() -> None:
    def line(*costs: int) -> str:
        top = tuple(Share("model", f"model-{at}", "", cost * USD) for at, cost in enumerate(costs))
        return summarize(alert_of(replace(ANOMALY, top=top)))

    assert "/h on model-0," in line(95, 5)
    assert "/h mostly on model-0," in line(60, 40)
    assert " on model" not in line(50, 50)
    assert " on model" not in line()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ci-runner", "ci-runner"),
        ("two\nlines\r\nhere", "two lines  here"),
        ("tab\tand bell\x07", "tab and bell\ufffd"),
        ("evil\u202egpj.exe", "evil\ufffdgpj.exe"),
        ("iso\u2066lated\u2069", "iso\ufffdlated\ufffd"),
        ("zero\u200bwidth\ufeff", "zero\ufffdwidth\ufffd"),
        ("para\u2029graph", "para graph"),
        ("lone\ud800surrogate", "lone\ufffdsurrogate"),
        ("<!channel> [bold] =HYPERLINK()", "<!channel> [bold] =HYPERLINK()"),
        ("می‌خواهم", "می‌خواهم"),
        ("x" * 60, "x" * 60),
        ("x" * 300, "x" * 59 + "…"),
        ("", ""),
    ],
)
def test_names_lose_what_could_break_the_line(name: str, shown: str) -> None:
    assert clean(name) == shown


@given(st.text(max_size=400), st.text(max_size=400))
def test_no_name_breaks_the_line_or_makes_it_long(name: str, rule: str) -> None:
    alert = alert_of(ANOMALY, names={"apikey_01": name, "wrkspc_1": name})
    budget = replace(alert_of(BUDGET, names={"apikey_01": name}), subject=Subject(rule, "budget", KEY))
    for line in (summarize(alert), summarize(budget)):
        assert len(line.splitlines()) == 1
        assert len(line) < 4 * LONGEST_NAME + 200
        line.encode()
