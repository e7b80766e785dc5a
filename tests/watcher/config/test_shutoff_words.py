"""What `watcher check` says of [shutoff]: at worst what may be done, and what of it is hardly meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from watcher.config import check

START = """\
[anthropic]
admin_key = "${KEY}"
[[budget]]
name = "organization"
limit_usd = 1000
thresholds = [{ at = 100, action = "deactivate_key" }, { at_usd = 2500, action = "deactivate_key", mode = "dry_run" }]
[[anomaly]]
name = "key spend"
action = "deactivate_key"
mode = "approve"
[[receiver]]
name = "ops"
type = "console"
[[route]]
receiver = "ops"
[[time_interval]]
name = "nights"
times = ["22:00-24:00"]
"""
SHUTOFF = """\
[shutoff]
mode = "auto"
protect = { api_key = ["prod-*"], workspace = ["payments"], tag = { tier = "critical" } }
approvers = ["ops@example.com"]
not_during = ["nights"]
reactivate_at_reset = true
"""


def said(folder: Path, shutoff: str, start: str = START, key: str = "sk-ant-admin01-x") -> tuple[str, list[str]]:
    """The sentences about shutoff as one text, and the warnings about it."""
    (folder / "config.toml").write_text(start + shutoff)
    found = check(folder / "config.toml", {"KEY": key})
    assert not found.problems
    first = next(at for at, each in enumerate(found.sentences) if each.startswith(("Shutoff:", "Only reads")))
    return "\n".join(found.sentences[first:]), [each for each in found.warnings if each.startswith("shutoff")]


def test_without_the_table_it_says_that_no_key_can_be_switched_off(tmp_path: Path) -> None:
    plain = START.replace('action = "deactivate_key"\nmode = "approve"\n', "").replace(
        START.splitlines()[5], "thresholds = [80, 100]"
    )
    assert said(tmp_path, "", plain) == ("Only reads from the API: it cannot switch a key off.", [])


def test_what_the_policy_may_do_at_worst_is_said_in_plain_words(tmp_path: Path) -> None:
    sentences, warnings = said(tmp_path, SHUTOFF)
    assert (
        sentences
        == f"""\
Shutoff: auto. It deactivates keys by itself.
At most 1 key a cycle and 3 in any 24 hours (at most 10 % of the active keys, and one at least); never: keys matching \
prod-*, workspace payments, tag tier=critical, Claude Code keys, what `watcher keys protect` names; the last active \
key of a workspace only with approval.
It acts after a grace of 15 minutes, from $50 too much on, on data no older than 90 minutes; asked for by: budget \
"organization" at 100 %, budget "organization" at $2,500 (dry run), anomaly "key spend" (with approval).
Nothing is done by itself during "nights".
Keys that it deactivated for a budget are turned on again when the period ends, if nobody touched them.
Approving and denying: ops@example.com.
Everything is held at once by `watcher actions pause`, or a file {tmp_path}/watcher.db.brake, or mode = "off".
Keys are changed with the key that it reads with; all that is ever written is a key's status, "inactive" and back."""
    )
    assert warnings == []


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("off", "Shutoff: off. No key is changed, not even by hand."),
        ("dry_run", "changes no key by itself; what is asked for by hand is done."),
        ("dry_run", "It would act after a grace of 15 minutes, from $50"),
        ("approve", "each only once somebody has approved it."),
        ("approve", "It acts once it is approved, within 30 minutes, from $50"),
    ],
)
def test_each_mode_says_how_far_it_goes(tmp_path: Path, mode: str, sentence: str) -> None:
    plain = START.replace('mode = "approve"\n', "").replace(', mode = "dry_run"', "")
    assert sentence in said(tmp_path, SHUTOFF.replace('"auto"', f'"{mode}"'), plain)[0]


@pytest.mark.parametrize(
    ("shutoff", "start", "warning"),
    [
        (SHUTOFF + 'grace = "0s"\n', START, 'shutoff.grace: with "auto" and "0s"'),
        (SHUTOFF, START.replace('[[route]]\nreceiver = "ops"\n', ""), "no route nobody hears that a key"),
        (SHUTOFF.replace('"ops@example.com"', ""), START, "shutoff.approvers: nobody is named who may approve"),
        (SHUTOFF.replace("ops@example.com", "U012345"), START, "U012345 can approve by a Slack button alone"),
        ('[shutoff]\nmode = "auto"\napprovers = ["a@b"]\n', START, "shutoff.protect: names nothing"),
    ],
)
def test_what_is_hardly_meant_gives_a_warning(tmp_path: Path, shutoff: str, start: str, warning: str) -> None:
    (found,) = said(tmp_path, shutoff, start)[1]
    assert warning in found


def test_a_key_that_only_reads_needs_an_action_key_beside_it(tmp_path: Path) -> None:
    (found,) = said(tmp_path, SHUTOFF, key="sk-ant-analytics-x")[1]
    assert "the key that is read with is no Admin key" in found
    (tmp_path / "action").write_text("sk-ant-admin01-y")
    (tmp_path / "action").chmod(0o600)
    own = SHUTOFF + 'action_key_file = "action"\n'
    sentences, warnings = said(tmp_path, own, key="sk-ant-analytics-x")
    assert warnings == []
    assert "Keys are changed with a key of its own (action_key)" in sentences


def test_an_action_key_that_a_variable_leaves_empty_is_none(tmp_path: Path) -> None:
    for shutoff, start in (
        (SHUTOFF + 'action_key = "${NONE:-}"\n', START),
        (SHUTOFF, START.replace("[anthropic]", '[[organization]]\nname = "a"\naction_key = "${NONE:-}"')),
    ):
        assert "the key that it reads with" in said(tmp_path, shutoff, start)[0]
