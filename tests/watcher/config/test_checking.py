"""`check`: what is said of a configuration, right or wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from watcher.config import check

DOCUMENT = """
[anthropic]
admin_key = "${KEY}"
proxy = "http://proxy.example:3128"
[store]
url = "sqlite:///w.db"
[http]
listen = "[::1]:0"
[poll]
usage_every = "1m"
cost_every = "1h30m"
[heartbeat]
url = "https://beat.example/x"
[[budget]]
name = "organization"
limit_usd = 10000
[[budget]]
name = "keys"
period = "day"
timezone = "Europe/Berlin"
limit_usd = "12.50"
thresholds = [33.3, 100]
per = ["api_key", "model"]
select = { workspace = "dev-*" }
[[budget]]
name = "opus"
limit_usd = 5
select = { model = "*opus*", workspace = "a" }
[[anomaly]]
name = "a"
[[anomaly]]
name = "b"
per = ["model", "workspace"]
for = "2h"
keep_firing_for = "0s"
severity = "critical"
[[receiver]]
name = "ops"
type = "slack"
url = "https://hooks.slack.com/x"
[[receiver]]
name = "bot"
type = "webhook"
url = "https://bot.example/x"
[[receiver]]
name = "terminal"
type = "console"
[[route]]
receiver = "ops"
[[route]]
receiver = "bot"
"""


SENTENCES = """\
Reads usage from https://api.anthropic.com through a proxy every minute, and the cost report every 1 hour 30
minutes.

The first start reads the last 60 days.

Keeps what it reads in {tmp_path}/w.db for 400 days.

Serves the status page and the metrics on http://[::1]:(any free port), for this machine only.

Budget "organization": $10,000 a month (UTC) for the whole organization; tells once a month at 50 % ($5,000),
80 % ($8,000) and 100 % ($10,000).

Budget "keys": $12.50 a day (Europe/Berlin) for each API key and model where the workspace matches "dev-*";
tells once a day at 33.3 % ($4.16) and 100 % ($12.50).

Budget "opus": $5 a month (UTC) for everything where the workspace matches "a" and the model matches "*opus*",
together; tells once a month at 50 % ($2.50), 80 % ($4) and 100 % ($5).

Anomaly "a": tells (warning) when an API key spends at least $5 an hour more than is normal for it or pays that much
more for its tokens; resolved once that is over for 2 hours.

Anomaly "b": tells (critical) when a combination of workspace and model spends at least $5 an hour more than
is normal for it or pays that much more for its tokens for 2 hours; resolved once that is over.

Tells (warning) when the bill of 2 settled days in a row is over 5 % and $20 off the estimate, in all or for a model.

Tells once when a model is in use for the first time or a learned discount moves by over 2 %.

Receiver "ops" (a Slack channel) hears of every alert.

Receiver "bot" (a webhook) hears of every alert.

Receiver "terminal" (standard output) hears of nothing, as no route names it.

Pings its heartbeat address after each whole successful cycle.

Only reads from the API: it cannot switch a key off.
"""


def test_a_valid_configuration_is_described_in_plain_sentences(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(DOCUMENT)
    path.chmod(0o600)
    report = check(path, {"KEY": "sk-ant-admin01-x"})
    assert report.settings is not None
    assert (report.invalid, report.problems) == (None, ())
    assert report.warnings == ('receiver[2]: no [[route]] names "terminal", so it hears of nothing',)
    assert list(report.sentences) == [
        " ".join(sentence.split()) for sentence in SENTENCES.format(tmp_path=tmp_path).split("\n\n")
    ]


def test_users_families_tiers_and_tags_are_described_in_words(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[anthropic]\nadmin_key = "${KEY}"\n[[budget]]\nname = "teams"\nlimit_usd = 1\nthresholds = [100]\n'
        'per = ["tag:team", "user"]\nselect = { service_tier = "batch", tag = "env=prod", user = "*@x.example" }\n'
        '[[anomaly]]\nname = "family"\nper = ["model_family"]\n'
    )
    told = check(path, {"KEY": "sk-ant-admin01-x"}).sentences
    assert (
        'Budget "teams": $1 a month (UTC) for each user and value of the tag "team" where the service tier matches '
        '"batch", the user matches "*@x.example" and the workspace\'s tag matches "env=prod"; tells once a month at '
        "100 % ($1)."
    ) in told
    assert any('Anomaly "family": tells (warning) when a model family spends at least' in line for line in told)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            'period = "hour"\nthresholds = [100]',
            "$5 an hour (UTC) for the whole organization; tells once an hour at 100 % ($5).",
        ),
        (
            'period = "rolling 7d"\nthresholds = [80]',
            "$5 in any 7 days for the whole organization; tells whenever it is reached anew at 80 % ($4).",
        ),
        ("billing_day = 15", "$5 a month from day 15 (UTC) for the whole organization; tells once a month at"),
        ("billing_day = 31", "$5 a month from day 31 or its last day (UTC) for"),
        ('period = "quarter"', "$5 a quarter (UTC) for the whole organization; tells once a quarter at"),
        (
            'period = "year"\nyear_start = "april"',
            "$5 a year from April (UTC) for the whole organization; tells once a",
        ),
        ('period = "year"\nyear_start = "april"\nbilling_day = 6', "$5 a year from day 6 of April (UTC) for"),
        (
            'period = "week"\nweek_start = "sunday"',
            "$5 a week from Sunday (UTC) for the whole organization; tells once a",
        ),
        (
            'from = 2026-11-20\nuntil = 2026-12-01\ntimezone = "Asia/Tokyo"\nthresholds = [100]',
            "$5 in all within 20 Nov to 30 Nov 2026 (Asia/Tokyo) for the whole organization; tells once at 100 % ($5).",
        ),
        (
            'plan = { "2026-12" = 15 }\nthresholds = [80]',
            (
                "$5 a month (UTC) for the whole organization; tells once a month at 80 % ($4). Planned are $15 in "
                "2026-12."
            ),
        ),
        (
            'thresholds = [50, { at = 80, severity = "critical" }, { at_usd = 4.5 }]',
            (
                "$5 a month (UTC) for the whole organization; tells once a month at "
                "50 % ($2.50), 80 % ($4, critical) and $4.50."
            ),
        ),
    ],
)
def test_periods_and_thresholds_of_a_budget_are_described_in_words(tmp_path: Path, lines: str, sentence: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'[anthropic]\nadmin_key = "${{KEY}}"\n[[budget]]\nname = "b"\nlimit_usd = 5\n{lines}\n')
    told = check(path, {"KEY": "sk-ant-admin01-x"}).sentences
    assert any(line.startswith(f'Budget "b": {sentence}') for line in told), told


def test_a_plan_is_described_and_so_is_what_becomes_of_the_periods_that_it_does_not_name(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    plan = 'plan = { "2026-12" = 15000, "2026-11" = 12000.5 }\nthresholds = [80]\n'
    path.write_text(f'[anthropic]\nadmin_key = "${{KEY}}"\n[[budget]]\nname = "b"\n{plan}')
    told = check(path, {"KEY": "sk-ant-admin01-x"}).sentences
    assert (
        'Budget "b": what is planned a month (UTC) for the whole organization; tells once a month at 80 %. Planned are '
        "$12,000.50 in 2026-11 and $15,000 in 2026-12. Other periods have no limit, and nothing is judged of them."
    ) in told


def test_a_limit_in_tokens_is_described_in_tokens(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    rule = "limit_tokens = { output = 50_000_000 }\nthresholds = [80, { at_tokens = 45_000_000 }]\n"
    path.write_text(f'[anthropic]\nadmin_key = "${{KEY}}"\n[[budget]]\nname = "b"\n{rule}')
    told = check(path, {"KEY": "sk-ant-admin01-x"}).sentences
    assert (
        'Budget "b": 50,000,000 output tokens a month (UTC) for the whole organization; tells once a month at 80 % '
        "(40,000,000 output tokens) and 45,000,000 tokens."
    ) in told


def test_a_budget_of_claude_code_says_whose_estimate_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    rule = 'source = "claude_code"\nlimit_usd = 300\nper = ["user"]\nthresholds = [80]\n'
    path.write_text(f'[anthropic]\nadmin_key = "${{KEY}}"\n[[budget]]\nname = "b"\n{rule}')
    told = check(path, {"KEY": "sk-ant-admin01-x"}).sentences
    assert (
        'Budget "b": $300 of Claude Code\'s own estimate (customers of the type "api") a month (UTC) for each user; '
        "tells once a month at 80 % ($240)."
    ) in told


def test_a_limit_of_the_console_is_described_as_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    rule = 'limit = "console"\nper = ["workspace"]\nthresholds = [80]\n'
    path.write_text(f'[anthropic]\nadmin_key = "${{KEY}}"\n[[budget]]\nname = "b"\n{rule}')
    told = check(path, {"KEY": "sk-ant-admin01-x"}).sentences
    wanted = 'Budget "b": the limit that the Console has a month (UTC) for each workspace; tells once a month at 80 %.'
    assert wanted in told


def test_a_broken_configuration_gives_its_problems_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(DOCUMENT)
    report = check(path, {})
    assert report.settings is None
    assert (report.warnings, report.sentences) == ((), ())
    assert [problem.place for problem in report.problems] == ["anthropic.admin_key"]
    assert "KEY is not set" in str(report.invalid)


def test_a_folder_that_the_database_needs_and_that_is_not_there_gives_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(DOCUMENT.replace("sqlite:///w.db", "sqlite:///data/w.db"))
    report = check(path, {"KEY": "sk-ant-admin01-x"})
    assert (
        f"store.url: the folder {tmp_path}/data does not exist yet; make it before the first start" in report.warnings
    )
    (tmp_path / "data").mkdir()
    assert not any("store.url: the folder" in warning for warning in check(path, {"KEY": "sk-ant-admin01-x"}).warnings)


@pytest.mark.parametrize(
    ("lines", "poll", "keep", "told"),
    [
        (
            'period = "quarter"',
            "60d",
            "400d",
            ["budget[0].period: a quarter is up to 92 days, and the first start reads 60d"],
        ),
        ('period = "quarter"', "95d", "400d", []),
        ('period = "year"', "364d", "400d", ['poll.backfill = "365d" reads it']),
        ('period = "year"', "365d", "370d", []),
        (
            'period = "year"',
            "300d",
            "300d",
            ['poll.backfill = "365d"', 'only 300d are kept: what was spent before is lost; store.keep = "370d"'],
        ),
        ("from = 2026-11-01\nuntil = 2027-02-01", "60d", "400d", ["budget[0].from: these are 92 days, and the first"]),
        ('period = "month"', "60d", "400d", []),
    ],
)
def test_a_period_longer_than_what_is_read_or_kept_is_a_warning_that_says_how_much_would_do(
    tmp_path: Path, lines: str, poll: str, keep: str, told: list[str]
) -> None:
    path = tmp_path / "config.toml"
    more = f'[poll]\nbackfill = "{poll}"\n[store]\nkeep = "{keep}"\n[[budget]]\nname = "b"\nlimit_usd = 5\n{lines}\n'
    path.write_text(f'[anthropic]\nadmin_key = "${{KEY}}"\n{more}')
    found = check(path, {"KEY": "sk-ant-admin01-x"}).warnings
    warnings = [each for each in found if each.startswith("budget[0]")]
    assert len(warnings) == len(told)
    assert all(part in warning for part, warning in zip(told, warnings, strict=True))


ROUTED = DOCUMENT[: DOCUMENT.index("[[route]]")]
CATCH_ALL = "no [[route]] takes every alert: "


def routed(tmp_path: Path, routes: str) -> tuple[list[str], list[str]]:
    """What is said of the routes, and what is warned of them."""
    path = tmp_path / "config.toml"
    path.write_text(f"{ROUTED}{routes}")
    path.chmod(0o600)
    report = check(path, {"KEY": "sk-ant-admin01-x"})
    assert report.settings is not None, report.invalid
    said = [line for line in report.sentences if line.startswith(("Route", "Receiver"))]
    return said, [line for line in report.warnings if "terminal" not in line]


def test_routes_are_described_in_words_in_their_order(tmp_path: Path) -> None:
    said, warnings = routed(
        tmp_path,
        """
        [[route]]
        receiver = "bot"
        match = ['severity="critical"', 'workspace=~"prod-.*"', 'kind!=source']
        continue = true
        [[route]]
        receiver = "ops"
        match = ['api_key=""']
        [[route]]
        receiver = "bot"
        match = ['api_key!=""', 'tag_team!~"a|b"']
        [[route]]
        receiver = "ops"
        """,
    )
    assert said == [
        'Receiver "ops" (a Slack channel) hears of what routes send it.',
        'Receiver "bot" (a webhook) hears of what routes send it.',
        'Receiver "terminal" (standard output) hears of nothing, as no route names it.',
        (
            'Route 1: alerts whose severity is "critical", workspace matches "prod-.*" and kind is not "source" '
            'go to "bot", and on to the next route.'
        ),
        'Route 2: alerts whose api_key is not there go to "ops", and no further.',
        'Route 3: alerts whose api_key is there and tag_team does not match "a|b" go to "bot", and no further.',
        'Route 4: every alert goes to "ops".',
    ]
    assert warnings == []


def test_what_a_route_waits_for_and_who_is_told_besides_is_said(tmp_path: Path) -> None:
    said, warnings = routed(
        tmp_path,
        """
        [[route]]
        receiver = "ops"
        group_by = ["workspace", "model"]
        group_wait = "30s"
        group_interval = "15m"
        repeat_interval = "4h"
        escalate_after = "30m"
        escalate_to = "terminal"
        continue = false
        [[route.routes]]
        match = ['severity="info"']
        receiver = "bot"
        mute = ["nights"]
        [[route.routes]]
        match = ['severity="warning"']
        group_by = []
        [[time_interval]]
        name = "nights"
        times = ["22:00-24:00", "00:00-07:00"]
        """,
    )
    common = "30 seconds after the first; at most every 15 minutes; again after 4 hours"
    escalated = 'to "terminal" too if nobody acknowledges within 30 minutes.'
    assert said == [
        'Receiver "ops" (a Slack channel) hears of what routes send it.',
        'Receiver "bot" (a webhook) hears of what routes send it.',
        'Receiver "terminal" (standard output) hears of what routes send it.',
        (
            'Route 1: every alert goes to "ops" unless a route below takes it. Told in groups by workspace and model; '
            f"{common}; {escalated}"
        ),
        (
            'Route 1.1: alerts of these whose severity is "info" go to "bot", and no further. Told in groups by '
            f'workspace and model; {common}; not within "nights"; {escalated}'
        ),
        (
            'Route 1.2: alerts of these whose severity is "warning" go to "ops". Told all in one group; '
            f"{common}; {escalated}"
        ),
    ]
    assert warnings == []


ONE = """
[[route]]
receiver = "ops"
"""


@pytest.mark.parametrize(
    ("routes", "warned"),
    [
        (ONE, []),
        (f"{ONE}match = ['severity=critical']\n", [f"{CATCH_ALL}one of kind budget and severity info, say, is told"]),
        (f"{ONE}match = ['severity=critical']\n{ONE}match = ['severity!=critical']\n", []),
        (f"{ONE}match = ['severity=critical']\n{ONE}match = ['kind!=budget']\n{ONE}match = ['kind=budget']", []),
        (
            f"{ONE}match = ['severity=critical']\n{ONE}match = ['kind!=budget']\n",
            [f"{CATCH_ALL}one of kind budget and severity info, say, is told"],
        ),
        (
            f"{ONE}match = ['severity!=info']\n{ONE}match = ['workspace=a']\n",
            [f"{CATCH_ALL}one of kind budget and severity info that they do not match is told"],
        ),
        (
            f"{ONE}continue = false\n{ONE.replace('ops', 'bot')}",
            ["route[1]: no alert comes this far, as route[0] takes every one and does not continue"],
        ),
    ],
    ids=[
        "a route that takes all",
        "only what is critical",
        "the one or the other",
        "two labels together",
        "two labels that leave a gap",
        "a label that may be anything",
        "a route that none comes to",
    ],
)
def test_alerts_that_no_route_takes_and_routes_that_none_comes_to_are_warned_of(
    tmp_path: Path, routes: str, warned: list[str]
) -> None:
    found = [line for line in routed(tmp_path, routes)[1] if "no [[route]] names" not in line]
    assert len(found) == len(warned)
    for line, begins in zip(found, warned, strict=True):
        assert line.startswith(begins)
