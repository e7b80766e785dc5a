"""`[[owner]]`: what it means, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.owned import Owned
from watcher.config import InvalidConfig, load
from watcher.config.checking import check

HEAD = '[anthropic]\nadmin_key = "${KEY}"\n[[anomaly]]\nname = "spend"\n'
ENV = {"KEY": "sk-ant-admin01-x"}


def written(folder: Path, owners: str) -> Path:
    path = folder / "config.toml"
    path.write_text(HEAD + owners)
    return path


def test_owners_are_read_in_their_order_with_what_is_theirs(tmp_path: Path) -> None:
    text = """\
[[owner]]
name = "payments"
match = ['tag_team="payments"']
slack = "@S012AB3CD"
email = "p@team.example"
[[owner]]
name = "everybody else"
"""
    path = written(tmp_path, text)
    payments, rest = load(path, ENV).owners
    assert payments.owned == Owned("payments", "p@team.example", "S012AB3CD")
    assert [str(matcher) for matcher in payments.match] == ['tag_team="payments"']
    assert (rest.owned, rest.match, rest.place) == (Owned("everybody else"), (), "owner[1]")
    said = [sentence for sentence in check(path, ENV).sentences if sentence.startswith("Owner")]
    assert said == [
        (
            'Owner "payments (p@team.example)": alerts whose tag_team is "payments"; Slack messages mention the '
            "user group S012AB3CD."
        ),
        'Owner "everybody else": every alert that no owner above takes.',
    ]


def test_an_owner_behind_one_of_everything_gives_a_warning(tmp_path: Path) -> None:
    path = written(tmp_path, '[[owner]]\nname = "a"\n[[owner]]\nname = "b"\nmatch = ["rule=spend"]\n')
    assert "owner[1]: nothing is theirs, as owner[0] has no `match` and takes every alert" in load(path, ENV).warnings


def test_an_owner_by_the_directory_takes_what_has_a_known_user_and_leaves_the_rest(tmp_path: Path) -> None:
    text = '[[owner]]\nby = "creator"\nmatch = ["kind=anomaly"]\n[[owner]]\nby = "creator"\n[[owner]]\nname = "rest"\n'
    path = written(tmp_path, text)
    loaded = load(path, ENV)
    assert [owner.owned for owner in loaded.owners] == [None, None, Owned("rest")]
    assert not [warning for warning in loaded.warnings if warning.startswith("owner[")]
    said = [sentence for sentence in check(path, ENV).sentences if sentence.startswith("Owner by")]
    assert said[0] == (
        'Owner by the directory: alerts whose kind is "anomaly", where the user of its key is known; Slack bots '
        "mention that user."
    )


@pytest.mark.parametrize(
    ("lines", "place", "says"),
    [
        ("", "owner[0].name", "is missing"),
        ('name = "a"\nslack = "ana"', "owner[0].slack", 'must be the id of a Slack user such as "U012AB3CD"'),
        ('name = "a"\nslack = "<!channel>"', "owner[0].slack", "a name mentions nobody"),
        ('name = "a"\nslack = "#ops"', "owner[0].slack", 'not "#ops"'),
        ('name = "a"\nemail = "ana"', "owner[0].email", "must be an e-mail address"),
        ('name = "a"\nmatch = ["owner=b"]', "owner[0].match", "must not ask for the label owner"),
        ('name = "a"\nmatch = ["wrkspace=b"]', "owner[0].match[0]", 'did you mean "workspace"?'),
        ('by = "key"', "owner[0].by", 'must be "creator"'),
        ('by = "creator"\nname = "a"', "owner[0].name", "says nothing beside `by`"),
        ('by = "creator"\nslack = "U012AB3CD"', "owner[0].slack", "says nothing beside `by`"),
        ('name = "a"\nmatches = []', "owner[0].matches", 'did you mean "match"?'),
        ('name = "a"\n[[owner]]\nname = "a"', "owner[1].name", "is already the name of owner[0]"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_what_would_be_right(
    tmp_path: Path, lines: str, place: str, says: str
) -> None:
    with pytest.raises(InvalidConfig) as raised:
        load(written(tmp_path, f"[[owner]]\n{lines}\n"), ENV)
    assert any(each.place == place and says in each.message for each in raised.value.problems), raised.value.problems
