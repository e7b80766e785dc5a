"""`[[event]]`: what it takes, what is wrong with it, and what `check` says of it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from watcher.config import check
from watcher.config.event_words import coming
from watcher.events import windows
from watcher.settings import Settings

HEAD = '[anthropic]\nadmin_key = "sk-ant-admin01-x"\n'
HEAD += '[[receiver]]\nname = "r"\ntype = "console"\n[[route]]\nreceiver = "r"\n'
RULE = '[[anomaly]]\nname = "keys"\n'
FEASTS = (
    'Event "feasts", the next 90 days: Fri 25 Dec Christmas Day, Sat 26 Dec Second Day of Christmas, '
    "Fri 1 Jan New Year's Day."
)
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def problems(tmp_path: Path, body: str) -> list[str]:
    (tmp_path / "c.toml").write_text(HEAD + RULE + body)
    return [str(problem) for problem in check(tmp_path / "c.toml", {}).problems]


def settings(tmp_path: Path, body: str) -> Settings:
    (tmp_path / "c.toml").write_text(HEAD + RULE + body)
    report = check(tmp_path / "c.toml", {})
    assert report.settings is not None, report.invalid
    return report.settings


def one(*lines: str) -> str:
    return '[[event]]\nname = "launch"\n' + "\n".join(lines) + "\n"


WHEN = ('from = "2026-12-01"', 'to = "2026-12-03"')


@pytest.mark.parametrize(
    ("lines", "place", "says"),
    [
        ((), "event[0]", 'says no time: write from = "2026-12-01" and to = "2026-12-03", or holidays = "DE"'),
        (("from = 2026-12-01",), "event[0].to", "is missing"),
        (("to = 2026-12-01",), "event[0].from", "is missing"),
        (('from = "2026-12-03"', 'to = "2026-12-03"'), "event[0].to", "which is 2026-12-03: the day it names is not"),
        (
            ('from = "2026-12-03T09:30"', 'to = "2026-12-02"'),
            "event[0].to",
            "must be after `from`, which is 2026-12-03",
        ),
        (('from = "2026-12-01"', 'to = "2027-02-01"'), "event[0].to", "makes it 62 days, and it must be at most 31"),
        (('from = "soon"', 'to = "2027-02-01"'), "event[0].from", 'or a local time such as "2026-12-01T09:00"'),
        (("from = 7", 'to = "2027-02-01"'), "event[0].from", "must be a date such as"),
        ((*WHEN, 'repeat = "daily"'), "event[0].repeat", 'must be "yearly" or "weekly"'),
        (
            ('from = "2026-12-01"', 'to = "2026-12-08"', 'repeat = "weekly"'),
            "event[0].repeat",
            'cannot be "weekly" for a whole week',
        ),
        ((*WHEN, "expect = 0.5"), "event[0].expect", "an event never narrows what may come"),
        ((*WHEN, "expect = nan"), "event[0].expect", "must be from 1 to 1000, not NaN"),
        ((*WHEN, "expect = inf"), "event[0].expect", "must be from 1 to 1000"),
        ((*WHEN, 'expect = "5"'), "event[0].expect", "must be how many times the usual may come, such as 3"),
        ((*WHEN, "expect = 5000"), "event[0].expect", "must be from 1 to 1000"),
        ((*WHEN, 'holidays = "DE"'), "event[0].from", "does not go with `holidays`: write one event for each"),
        (('holidays = "DE"', 'repeat = "yearly"'), "event[0].repeat", "which come every year anyway"),
        (('holidays = "Germany"',), "event[0].holidays", 'did you mean "DE" (Germany)?'),
        (('holidays = "de"',), "event[0].holidays", 'did you mean "DE" (Germany)?'),
        (('holidays = "Frnace"',), "event[0].holidays", 'did you mean "FR" (France)?'),
        (('holidays = "DE-XX"',), "event[0].holidays", 'no part of Germany with holidays of its own; it has "BB"'),
        (('holidays = "DE-"',), "event[0].holidays", 'no part of the country stands behind the "-"'),
        (("holidays = 49",), "event[0].holidays", 'must be a country such as "DE"'),
        ((*WHEN, 'timezone = "Berlin"'), "event[0].timezone", 'did you mean "Europe/Berlin"?'),
        ((*WHEN, "expects = 5"), "event[0].expects", 'did you mean "expect"?'),
        ((*WHEN, 'select = { api_key = "console", user = "ann" }'), "event[0].select.user", "contradicts `api_key`"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_what_would_be_right(
    tmp_path: Path, lines: tuple[str, ...], place: str, says: str
) -> None:
    found = [problem for problem in problems(tmp_path, one(*lines)) if problem.startswith(f"{place}: ")]
    assert len(found) == 1, problems(tmp_path, one(*lines))
    assert says in found[0]
    assert '(event "launch")' in found[0]


def test_two_events_may_not_have_one_name(tmp_path: Path) -> None:
    assert problems(tmp_path, one(*WHEN) + one('holidays = "DE"')) == [
        'event[1].name: "launch" is already the name of event[0]: each may stand once'
    ]


def test_times_are_of_the_zone_unless_they_name_their_own(tmp_path: Path) -> None:
    lines = ("from = 2026-12-01T09:00:00Z", 'to = "2026-12-03"', 'timezone = "Europe/Berlin"')
    (event,) = settings(tmp_path, one(*lines)).events
    assert event.dates == (datetime(2026, 12, 1, 10), datetime(2026, 12, 3))  # noqa: DTZ001
    assert (event.expect, event.repeat, event.holidays) == (3.0, "", None)
    (holidays,) = settings(tmp_path, one('holidays = "US-CA"')).events
    assert (holidays.expect, holidays.dates) == (1.0, None)
    assert holidays.holidays is not None
    assert holidays.holidays.shown == "US-CA"


def test_check_says_what_each_event_does_and_which_holidays_come(tmp_path: Path) -> None:
    body = one(*WHEN, "expect = 5", 'select = { workspace = "prod-*" }')
    body += '[[event]]\nname = "feasts"\nholidays = "DE"\ntimezone = "Europe/Berlin"\n'
    body += '[[event]]\nname = "old"\nfrom = 2026-10-01\nto = 2026-10-02\n'
    found = settings(tmp_path, body)
    sentences = [line for line in check(tmp_path / "c.toml", {}).sentences if line.startswith("Event")]
    assert sentences[0] == (
        'Event "launch": from 2026-12-01 until before 2026-12-03 (UTC), everything where the workspace matches '
        '"prod-*" may come to 5 times the usual before anomalies are told, and teaches nothing of what is usual.'
    )
    assert sentences[1] == (
        'Event "feasts": on the public holidays of DE (Europe/Berlin), everything is judged as ever '
        "and teaches nothing of what is usual."
    )
    assert list(coming(found.events, NOW)) == [
        FEASTS,
        'Event "old" is over since 2026-10-02 (UTC).',
    ]


def test_events_without_an_anomaly_give_a_warning(tmp_path: Path) -> None:
    budget = '[[budget]]\nname = "b"\nlimit_usd = 5\n'
    (tmp_path / "c.toml").write_text(HEAD + budget + one(*WHEN))
    assert any("an [[event]] widens what these expect" in each for each in check(tmp_path / "c.toml", {}).warnings)


def test_holidays_without_a_zone_give_a_warning(tmp_path: Path) -> None:
    for zone, warned in (("", True), ('timezone = "UTC"', False)):
        (tmp_path / "c.toml").write_text(HEAD + RULE + one('holidays = "US-CA"', zone))
        warnings = check(tmp_path / "c.toml", {}).warnings
        assert any("event[0].timezone: the days of US-CA begin at midnight UTC" in each for each in warnings) == warned


BERLIN = 'timezone = "Europe/Berlin"'


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (
            ('from = "2026-03-29T02:30"', 'to = "2026-03-30"', BERLIN),
            "event[0].from: the clocks of Europe/Berlin skip 2026-03-29 02:30; what is meant is taken to be 03:30",
        ),
        (
            ('from = "2026-10-24"', "to = 2026-10-25T02:30:00", BERLIN),
            (
                "event[0].to: 2026-10-25 02:30 comes twice by the clocks of Europe/Berlin, and the first is taken; "
                'the second is "2026-10-25T02:30+01:00"'
            ),
        ),
        (('from = "2026-03-29T03:30"', 'to = "2026-03-30"', BERLIN), ""),
        (('from = "2026-10-25T02:30+01:00"', 'to = "2026-10-26"', BERLIN), ""),
        (('from = "2026-09-06"', 'to = "2026-09-07"', 'timezone = "America/Santiago"'), ""),
        (('from = "2026-03-29T02:30"', 'to = "2026-03-30"'), ""),
    ],
)
def test_a_time_that_the_clocks_skip_or_show_twice_is_told(tmp_path: Path, lines: tuple[str, ...], says: str) -> None:
    (tmp_path / "c.toml").write_text(HEAD + RULE + one(*lines))
    report = check(tmp_path / "c.toml", {})
    assert report.settings is not None
    assert [each for each in report.warnings if each.startswith("event[0]")] == ([says] if says else [])


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-03-29T02:30", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-10-25T02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T02:30+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_skipped_time_is_an_hour_later_and_of_two_the_first_is_meant(
    tmp_path: Path, written: str, instant: datetime
) -> None:
    (event,) = settings(tmp_path, one(f'from = "{written}"', f'to = "{written[:7]}-31"', BERLIN)).events
    (window,) = windows(event, instant, instant + timedelta(hours=1))
    assert window.begins == instant


def test_an_event_is_over_after_it_begins_whatever_the_clocks_show(tmp_path: Path) -> None:
    skipped = ('from = "2026-03-29T02:30"', 'to = "2026-03-29T03:15"', BERLIN)
    (problem,) = problems(tmp_path, one(*skipped))
    assert problem.startswith("event[0].to: must be after `from`, which is 2026-03-29 02:30: the clocks skip that, ")
    assert problem.endswith('and it is taken for 03:30 (event "launch")')
    twice = ('from = "2026-10-25T02:30+02:00"', 'to = "2026-10-25T02:30+01:00"', BERLIN)
    assert settings(tmp_path, one(*twice)).events[0].dates is not None


def test_the_package_of_holidays_is_imported_only_where_it_is_asked_for(tmp_path: Path) -> None:
    script = "import sys, os; from pathlib import Path; from watcher.config import check; "
    script += "check(Path(sys.argv[1]), {}); print('holidays' in sys.modules)"
    for body, wanted in ((one(*WHEN), "False"), (one('holidays = "DE"'), "True")):
        (tmp_path / "c.toml").write_text(HEAD + RULE + body)
        command = [sys.executable, "-c", script, str(tmp_path / "c.toml")]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout.strip() == wanted
