"""`[[digest]]`: what it takes, what is wrong with it, and what `check` says of it."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from rules.digest import DigestRule
from rules.model import Selector
from watcher.asked_rules import rules_asked
from watcher.config import check

HEAD = '[anthropic]\nadmin_key = "sk-ant-admin01-x"\n[[budget]]\nname = "all"\nlimit_usd = 10\n'
HEAD += '[[receiver]]\nname = "ops"\ntype = "console"\n[[receiver]]\nname = "finance"\ntype = "console"\n'
HEAD += '[[receiver]]\nname = "pager"\ntype = "pagerduty"\nrouting_key = "RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR"\n'
HEAD += '[[receiver]]\nname = "am"\ntype = "alertmanager"\nurl = "https://am.example"\n'
HEAD += "".join(f'[[route]]\nreceiver = "{name}"\n' for name in ("ops", "pager", "am"))


def one(*lines: str) -> str:
    return HEAD + '[[digest]]\nname = "d"\n' + "\n".join(lines) + "\n"


def report(tmp_path: Path, text: str) -> tuple[list[str], tuple[str, ...], tuple[str, ...], tuple[DigestRule, ...]]:
    (tmp_path / "c.toml").touch(0o600)
    (tmp_path / "c.toml").write_text(text)
    found = check(tmp_path / "c.toml", {})
    rules = () if found.settings is None else rules_asked(found.settings).digests
    return [str(problem) for problem in found.problems], found.warnings, found.sentences, rules


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ((), 'digest[0].receiver: is missing: write it, as in receiver = "ops" (digest "d")'),
        (
            ('receiver = "opps"',),
            'digest[0].receiver: names "opps", and no receiver has that name; did you mean "ops"?',
        ),
        (('receiver = ["ops", "nobody"]',), 'names "nobody", and no receiver has that name; there is "ops", "finance"'),
        (("receiver = []",), 'digest[0].receiver: must name a receiver, as in receiver = "ops"'),
        (('receiver = ["ops", "ops"]',), 'must name each receiver once: "ops" stands there twice'),
        (
            ('receiver = "pager"',),
            "is of type pagerduty, which opens an incident for each message: name one of another type, such as slack",
        ),
        (('receiver = "am"',), 'names "am", and that is an Alertmanager, which takes alerts only'),
        (('receiver = "ops"', 'at = "24:00"'), 'digest[0].at: must be a time of day from "00:00" to "23:59"'),
        (('receiver = "ops"', "at = 9"), 'such as "09:00", not 9'),
        (('receiver = "ops"', 'at = "9am"'), 'such as "09:00", not "9am"'),
        (('receiver = "ops"', 'every = "hourly"'), 'digest[0].every: must be "daily" or "weekly", not "hourly"'),
        (('receiver = "ops"', 'weekday = "friday"'), 'digest[0].weekday: goes with every = "weekly" only'),
        (('receiver = "ops"', 'every = "weekly"', 'weekday = "fryday"'), 'did you mean "friday"?'),
        (('receiver = "ops"', 'timezone = "Berlin"'), "digest[0].timezone: "),
        (
            ('receiver = "ops"', 'select = { workspac = "x" }'),
            "digest[0].select.workspac: is not a setting; did you mean",
        ),
        (('receiver = "ops"', 'wekday = "friday"'), 'digest[0].wekday: is not a setting; did you mean "weekday"?'),
        (('receiver = "ops"', '[[digest]]\nname = "d"\nreceiver = "ops"'), "is already the name of digest[0]"),
    ],
)
def test_what_is_wrong_is_said_at_its_place_with_what_would_be_right(
    tmp_path: Path, lines: tuple[str, ...], problem: str
) -> None:
    problems, *_ = report(tmp_path, one(*lines))
    assert len(problems) == 1
    assert problem in problems[0]
    assert problems[0].startswith("digest[")


def test_it_is_read_and_said_in_words(tmp_path: Path) -> None:
    weekly = one(
        'receiver = ["ops", "finance"]',
        'every = "weekly"',
        'at = "7:30"',
        'weekday = "friday"',
        'timezone = "Europe/Berlin"',
        'select = { workspace = "prod-*" }',
    )
    daily = '[[digest]]\nname = "plain"\nreceiver = "ops"\n'
    problems, warnings, sentences, rules = report(tmp_path, weekly + daily)
    assert (problems, warnings) == ([], ())
    where = Selector(workspace="prod-*")
    assert rules == (
        DigestRule("d", ("ops", "finance"), "weekly", time(7, 30), 4, "Europe/Berlin", where),
        DigestRule("plain", ("ops",)),
    )
    told = [each for each in sentences if each.startswith("Digest")]
    assert told[0] == (
        'Digest "d": every Friday at 07:30 (Europe/Berlin) to "ops" and "finance", on the spend of '
        'the seven days before where the workspace matches "prod-*".'
    )
    assert told[1:] == ['Digest "plain": every day at 09:00 (UTC) to "ops", on the spend of the day before.']


def test_a_receiver_that_only_a_digest_names_hears_of_something(tmp_path: Path) -> None:
    _, warnings, *_ = report(tmp_path, one('receiver = "ops"'))
    assert any('names "finance", so it hears of nothing' in warning for warning in warnings)
    _, warnings, sentences, _ = report(tmp_path, one('receiver = "finance"'))
    assert warnings == ()
    assert 'Receiver "finance" (standard output) hears of no alert, as no route names it.' in sentences
