"""A secret shows itself only to who asks for it by name."""

import copy
import json
import logging
import pickle
import traceback
from dataclasses import asdict, dataclass

import pytest

from watcher.secret import Secret

CANARY = "sk-ant-admin01-CANARY-0123456789"


@dataclass(frozen=True, slots=True)
class Settings:
    name: str
    key: Secret


def test_only_reveal_gives_the_string() -> None:
    assert Secret(CANARY).reveal() == CANARY


def test_no_way_of_writing_a_secret_shows_it(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(CANARY)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("%s %r %s", secret, secret, Settings("a", secret))
    shown = [
        repr(secret), str(secret), f"{secret} {secret!r} {secret!s} {secret:>40}", "%s" % secret,  # noqa: UP031 (old style formatting is one of the ways)
        repr([secret]), repr({"key": secret}), repr(Settings("a", secret)), str(asdict(Settings("a", secret))),
        json.dumps({"key": secret}, default=str), caplog.text, repr(copy.copy(secret)), repr(copy.deepcopy(secret)),
        repr(dir(secret)),
    ]  # fmt: skip
    assert not [text for text in shown if "CANARY" in text]
    assert not hasattr(secret, "__dict__")


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="cannot be pickled") as refused:
        pickle.dumps(Secret(CANARY))
    assert CANARY not in "".join(traceback.format_exception(refused.value))


def test_a_secret_equals_the_same_secret_and_no_plain_string() -> None:
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret("other")
    assert Secret(CANARY) != CANARY
    assert len({Secret(CANARY), Secret(CANARY), Secret("other")}) == 2


def test_an_empty_secret_is_false_and_hides_nothing() -> None:
    assert not Secret("")
    assert Secret(CANARY)
    assert Secret("").hide_in("plain text") == "plain text"


def test_a_secret_is_hidden_inside_a_text_from_elsewhere() -> None:
    assert Secret(CANARY).hide_in(f"bad key {CANARY}!") == "bad key [secret]!"
