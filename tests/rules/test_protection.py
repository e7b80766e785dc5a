"""Protection: what a glob took when a key was first seen stays protected, and a new name buys nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.keys import Key, Keys
from rules.policy import Protect
from rules.protection import BY_HAND, Examined, Known, examine, idle, known, protected, unconfirmed
from tests.rules.offending import NOW, key, keys

PROD = Protect(api_key=("prod-*",))


def seen(protect: Protect, *directories: Keys) -> Known:
    """What is known after these listings, one after the other."""
    so_far: Known = {}
    for step, directory in enumerate(directories):
        so_far = {**so_far, **known(examine(protect, directory, so_far, NOW + step * timedelta(minutes=5)))}
    return so_far


def called(name: str) -> Keys:
    return keys(key("key-1", name=name), key("key-2", name="batch"))


def why(protect: Protect, directory: Keys, so_far: Known, ident: str = "key-1") -> str:
    return protected(directory.by_id[ident], protect, directory, so_far)


def test_a_key_is_protected_by_its_name_and_others_are_not() -> None:
    directory = called("prod-api")
    so_far = seen(PROD, directory)
    assert why(PROD, directory, so_far) == 'protect.api_key names it ("prod-*")'
    assert not why(PROD, directory, so_far, "key-2")


def test_a_name_counts_whatever_its_case_and_an_id_as_it_is() -> None:
    directory = called("PROD-api")
    assert why(PROD, directory, seen(PROD, directory))
    by_id = Protect(api_key=("key-1",))
    assert why(by_id, directory, {})
    assert not why(Protect(api_key=("KEY-1",)), directory, {})


def test_renaming_a_protected_key_never_unprotects_it() -> None:
    so_far = seen(PROD, called("prod-api"), called("anything"))
    assert why(PROD, called("anything"), so_far)


def test_renaming_a_key_into_a_pattern_protects_it_only_once_confirmed() -> None:
    so_far = seen(PROD, called("batch-7"), called("prod-batch-7"))
    renamed = called("prod-batch-7")
    assert not why(PROD, renamed, so_far)
    (waiting,) = unconfirmed(PROD, renamed, so_far)
    assert (waiting.id, waiting.pattern, waiting.taken) == ("key-1", "prod-*", False)
    confirmed = {**so_far, **known([Examined("api_key", "key-1", BY_HAND, taken=True, at=NOW, by="ana")])}
    assert why(PROD, renamed, confirmed) == "ana has protected it"
    assert not list(unconfirmed(PROD, renamed, confirmed))


def test_a_pattern_that_is_new_in_the_configuration_takes_keys_by_their_names_of_then() -> None:
    both = Protect(api_key=("prod-*", "batch-*"))
    so_far = seen(PROD, called("batch-7"))
    so_far = {**so_far, **known(examine(both, called("batch-7"), so_far, NOW))}
    assert why(both, called("batch-7"), so_far)


def test_a_pattern_that_is_gone_from_the_configuration_protects_no_more() -> None:
    so_far = seen(PROD, called("prod-api"))
    assert not why(Protect(), called("prod-api"), so_far)


def test_a_workspace_is_protected_by_id_or_by_the_name_that_it_had_first() -> None:
    protect = Protect(workspace=("payments",))
    first = keys(key("key-1"), **{"wrk-a": "Payments"})
    later = keys(key("key-1"), **{"wrk-a": "Checkout"})
    assert why(protect, later, seen(protect, first, later)) == 'protect.workspace names its workspace ("payments")'
    assert not why(protect, first, seen(protect, later, first))
    assert why(Protect(workspace=("wrk-a",)), later, {})


def test_a_tag_protects_its_workspace_even_after_it_was_taken_off() -> None:
    protect = Protect(tag=("tier=critical",))
    tagged = replace(keys(key("key-1")), tags={"wrk-a": {"tier": "Critical"}})
    bare = keys(key("key-1"))
    assert (
        why(protect, bare, seen(protect, tagged, bare)) == 'protect.tag names a tag of its workspace ("tier=critical")'
    )
    assert not why(protect, tagged, seen(protect, bare, tagged))


def test_a_workspace_that_somebody_protected_protects_its_keys() -> None:
    by_hand = known([Examined("workspace", "wrk-a", BY_HAND, taken=True, at=NOW, by="ana")])
    assert why(Protect(), called("x"), by_hand) == "ana has protected its workspace"
    let_go = known([Examined("workspace", "wrk-a", BY_HAND, taken=False, at=NOW, by="ana")])
    assert not why(Protect(), called("x"), let_go)


def test_globs_that_protect_nothing_are_named() -> None:
    protect = Protect(api_key=("prod-*", "nothing-*"), workspace=("wrk-*",), tag=("tier=critical",))
    directory = called("prod-api")
    found = idle(protect, directory, seen(protect, directory))
    assert found == ('protect.api_key "nothing-*"', 'protect.tag "tier=critical"')


def test_what_was_examined_is_not_examined_again() -> None:
    directory = called("prod-api")
    assert not examine(PROD, directory, seen(PROD, directory), NOW)


names = st.text("prod-batch*?[]", min_size=1, max_size=8)


@given(first=names, later=st.lists(names, max_size=4), pattern=names)
def test_whatever_it_is_called_later_a_key_stays_what_it_was_when_first_seen(
    first: str, later: list[str], pattern: str
) -> None:
    protect = Protect(api_key=(pattern,))
    directories = [called(name) for name in (first, *later)]
    before = bool(why(protect, directories[0], seen(protect, directories[0])))
    for step in range(1, len(directories) + 1):
        assert bool(why(protect, directories[step - 1], seen(protect, *directories[:step]))) is before


@given(st.lists(st.builds(Key, names, names, st.just("wrk-a"), st.just("active"), st.just(NOW)), max_size=4))
def test_no_name_makes_examination_fail(some: list[Key]) -> None:
    directory = keys(*some)
    protect = Protect(api_key=("[", "*", "prod-[ab]*"), workspace=("wrk-*",), tag=("a=*",))
    so_far = known(examine(protect, directory, {}, NOW))
    assert all(protected(each, protect, directory, so_far) for each in directory.by_id.values())
