"""The life of states and who hears of them: each row is a sentence and a script that shows it.

The script runs the real life cycle and routing; verdicts are written down. A subject is a scope: `org`, `w` and `v`
(workspaces), `k` and `j` (keys of w), `m` (a model), `s` (a source). Times are minutes from the story's beginning.

    at MINUTES: verdicts -> messages

Verdicts: `k!60` breach with an excess of $60, `k.` clear, `k?` no data. Messages: `k` told, `k[w,org]` told with
parents inside, `k*` told as resolved, `(k j)` several in one message, `=k` and `=(k j)` in the one message of a first
judgement.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules import lifecycle, routing
from rules.hearing import Audience
from rules.model import (
    Alert,
    AnomalyEvidence,
    Breach,
    Clear,
    Kind,
    Names,
    NoData,
    Notification,
    Reason,
    Route,
    Scope,
    Severity,
    Share,
    SourceEvidence,
    State,
    Subject,
    Verdict,
)

BEGIN = datetime(2026, 11, 20, 12, tzinfo=UTC)
DOLLAR = 1_000_000_000
NORMAL = 10 * DOLLAR
SCOPES = {
    "org": Scope("org_1"),
    "w": Scope("org_1", workspace="wrkspc_w"),
    "v": Scope("org_1", workspace="wrkspc_v"),
    "m": Scope("org_1", model="claude-opus-5"),
    **{letter: Scope("org_1", api_key=f"apikey_{letter}") for letter in "abcdefghijk"},
}
KEYS = {f"apikey_{letter}": "wrkspc_w" for letter in "abcdefghijk"}
NAMES = Names(workspace_of_key=KEYS)


def subject_of(name: str) -> Subject:
    if name == "s":
        return Subject("source failing", "source", SCOPES["org"], "usage")
    return Subject("spend", "anomaly", SCOPES[name])


@dataclass
class Story:
    """What a store would keep, driven by a script."""

    hold_for: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    first: bool = False
    receivers: tuple[str, ...] = ("ops",)
    configured: frozenset[tuple[Kind, str]] = frozenset({("anomaly", "spend"), ("source", "source failing")})
    alerts: dict[str, Alert] = field(default_factory=dict)
    told: list[Notification] = field(default_factory=list)

    def run(self, script: str) -> None:
        for line in filter(None, map(str.strip, script.splitlines())):
            step, _, expected = line.partition("->")
            head, _, verdicts = step.partition(":")
            now = BEGIN + timedelta(minutes=int(head.removeprefix("at")))
            routed = self.judge([self.verdict(word) for word in verdicts.split()], now)
            assert sorted(map(self.shown, routed)) == sorted(split_messages(expected)), line

    def judge(self, verdicts: list[Verdict], now: datetime) -> tuple[Notification, ...]:
        known = [alert for alert in pickle.loads(pickle.dumps(self.alerts)).values() if alert.ends_at is None]
        advance = lifecycle.advance(known, verdicts, self.configured, NAMES, now)
        routed = routing.notifications(
            advance,
            known,
            Audience([Route(receiver) for receiver in self.receivers]),
            organization_name="Acme",
            first_judgement=self.first,
            now=now,
        )
        self.first = False
        self.alerts.update((alert.id, alert) for alert in routed.alerts)
        self.told.extend(routed.notifications)
        return routed.notifications

    def verdict(self, word: str) -> Verdict:
        name = word.rstrip("0123456789").rstrip("!.?")
        subject = subject_of(name)
        if word.endswith("."):
            return Clear(subject)
        if word.endswith("?"):
            return NoData(subject, "nothing read")
        return breach(
            subject, int(word.partition("!")[2]), hold_for=self.hold_for, keep_firing_for=self.keep_firing_for
        )

    def shown(self, message: Notification) -> str:
        words = [name_of(alert) for alert in message.alerts]
        text = words[0] if len(words) == 1 else f"({' '.join(sorted(words))})"
        if message.inhibited:
            text += f"[{','.join(sorted(map(name_of, message.inhibited)))}]"
        if message.reason is Reason.RESOLVED:
            text += "*"
        return "=" + text if message.reason is Reason.INITIAL else text


def split_messages(text: str) -> list[str]:
    words: list[str] = []
    for word in text.split():
        if words and words[-1].count("(") > words[-1].count(")"):
            words[-1] += " " + word
        else:
            words.append(word)
    return words


def name_of(alert: Alert) -> str:
    scope = alert.subject.scope
    return "s" if alert.subject.kind == "source" else next(name for name, known in SCOPES.items() if known == scope)


def breach(subject: Subject, excess: int, **options: Any) -> Breach:
    evidence: AnomalyEvidence | SourceEvidence
    if subject.kind == "source":
        evidence = SourceEvidence("usage", "the usage report cannot be read", BEGIN, "blind", "wait")
    else:
        # Every key here spends on the one model m, which its evidence says.
        top = (Share("model", "claude-opus-5", "claude-opus-5", excess * DOLLAR),) if subject.scope.api_key else ()
        evidence = AnomalyEvidence(
            since=BEGIN,
            observed=NORMAL + excess * DOLLAR,
            expected=NORMAL,
            per_hour=NORMAL + excess * DOLLAR,
            normal_per_hour=NORMAL,
            upper_per_hour=2 * NORMAL,
            score=9.0,
            history_hours=1000,
            points=(),
            data_as_of=BEGIN,
            top=top,
        )
    value = NORMAL + excess * DOLLAR
    return Breach(subject, Severity.WARNING, BEGIN, value, NORMAL, None, evidence, **options)


HOUR = {"keep_firing_for": timedelta(hours=1)}
HELD = {"hold_for": timedelta(minutes=10)}
ROWS: list[tuple[str, dict[str, Any], str]] = [
    # ----------------------------------------------------------------------------------------------- life cycle
    ("a breach is told once", {}, "at 0: k!60 -> k\nat 5: k!60 ->\nat 10: k!70 ->"),
    ("what is clear ends with a message", {}, "at 0: k!60 -> k\nat 5: k. -> k*\nat 10: k. ->"),
    ("a second stretch is told as new", {}, "at 0: k!60 -> k\nat 5: k. -> k*\nat 10: k!60 -> k"),
    ("clear without an alert says nothing", {}, "at 0: k. ->"),
    ("no data neither starts nor ends anything", {}, "at 0: k? ->\nat 5: k!60 -> k\nat 10: k? ->\nat 15: k. -> k*"),
    ("no verdict at all changes nothing", {}, "at 0: k!60 -> k\nat 5: ->\nat 10: k. -> k*"),
    ("with `for` a breach is told once it has lasted", HELD, "at 0: k!60 ->\nat 5: k!60 ->\nat 10: k!60 -> k"),
    ("a breach shorter than `for` is never told", HELD, "at 0: k!60 ->\nat 5: k. ->\nat 10: k!60 ->\nat 15: k. ->"),
    ("clear while pending starts the wait anew", HELD, "at 0: k!60 ->\nat 5: k. ->\nat 6: k!60 ->\nat 12: k!60 ->"),
    ("no data while pending neither tells nor forgets", HELD, "at 0: k!60 ->\nat 10: k? ->\nat 15: k!60 -> k"),
    ("`keep_firing_for` waits for clear to last", HOUR, "at 0: k!60 -> k\nat 5: k. ->\nat 60: k. ->\nat 65: k. -> k*"),
    (
        "a breach within `keep_firing_for` begins the wait anew",
        HOUR,
        "at 0: k!60 -> k\nat 5: k. ->\nat 60: k!60 ->\nat 65: k. ->\nat 120: k. ->\nat 125: k. -> k*",
    ),
    (
        "no data does not end what is waiting to end",
        HOUR,
        "at 0: k!60 -> k\nat 5: k. ->\nat 90: k? ->\nat 95: k. -> k*",
    ),
    ("a value that hovers is told once", HOUR, "at 0: k!60 -> k\n" + "at 5: k. ->\nat 30: k!60 ->\n" * 20),
    ("a source is told when it fails and when it is back", {}, "at 0: s!0 -> s\nat 5: s!0 ->\nat 10: s. -> s*"),
    # ------------------------------------------------------------------------------------------------- messages
    ("five alerts are five messages", {}, "at 0: a!60 b!60 c!60 d!60 e!60 -> a b c d e"),
    ("six are one that holds them all", {}, "at 0: a!60 b!60 c!60 d!60 e!60 f!60 -> (a b c d e f)"),
    (
        "six that end together are one message too",
        {},
        "at 0: a!6 b!6 c!6 d!6 e!6 f!6 -> (a b c d e f)\nat 5: a. b. c. d. e. f. -> (a b c d e f)*",
    ),
    ("what is true at a first judgement is one message", {"first": True}, "at 0: a!60 s!0 -> =(a s)\nat 5: b!60 -> b"),
    ("one thing that is true at first is one message", {"first": True}, "at 0: k!60 w!80 -> =k[w]"),
    ("nothing true at a first judgement is no message", {"first": True}, "at 0: k. ->"),
    ("each receiver hears once, however many routes name it", {"receivers": ("a", "b", "a")}, "at 0: k!60 -> k k"),
    ("without a route nobody hears", {"receivers": ()}, "at 0: k!60 ->"),
    ("one begins as another ends", {}, "at 0: k!60 -> k\nat 5: k. j!60 -> k* j"),
    # ----------------------------------------------------------------------------------- one story, one message
    ("a key that explains all above it tells it alone", {}, "at 0: k!60 w!60 m!60 org!60 -> k[m,org,w]"),
    ("a key that explains half of its workspace tells it", {}, "at 0: k!30 w!60 -> k[w]"),
    ("a key that explains less than half does not", {}, "at 0: k!29 w!60 -> k w"),
    ("keys that explain half together tell it, by the largest", {}, "at 0: a!20 b!25 w!60 -> a b[w]"),
    ("a key tells nothing of a workspace it is not in", {}, "at 0: k!60 v!60 -> k v"),
    ("a workspace tells the organization's story", {}, "at 0: w!60 org!80 -> w[org]"),
    ("a workspace that is told by a key hands it the organization", {}, "at 0: k!30 w!60 org!90 -> k[org,w]"),
    ("a parent that comes later is silent while the key fires", {}, "at 0: k!60 -> k\nat 5: k!60 w!60 ->"),
    ("a parent that was told first stays told", {}, "at 0: w!60 -> w\nat 5: w!60 k!60 -> k\nat 10: w. k. -> w* k*"),
    ("the end of an inhibited parent is silent", {}, "at 0: k!60 w!60 -> k[w]\nat 5: k!60 w. ->\nat 10: k. -> k*"),
    (
        "a parent in breach is told when the key's alert ends",
        {},
        "at 0: k!60 w!60 -> k[w]\nat 5: k. w!60 -> k* w\nat 10: w. -> w*",
    ),
    (
        "a parent that is clear itself is not told when the key's alert ends first",
        HOUR,
        "at 0: k!60 w!60 -> k[w]\nat 5: k. w!60 ->\nat 10: k. w. ->\nat 65: k. w. -> k*\nat 70: w. ->",
    ),
    (
        "a parent that outgrows the key's story is told",
        {},
        "at 0: k!60 w!60 -> k[w]\nat 5: k!60 w!170 ->\nat 10: k!60 w!190 -> w\nat 15: k. w. -> k* w*",
    ),
    ("both end together: only what was told is told to end", {}, "at 0: k!60 w!60 -> k[w]\nat 5: k. w. -> k*"),
    ("a source tells no other story", {}, "at 0: s!0 k!60 -> s k"),
]


@pytest.mark.parametrize(("options", "script"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_alerts(options: dict[str, Any], script: str) -> None:
    Story(**options).run(script)


def test_a_script_that_expects_the_wrong_thing_fails() -> None:
    with pytest.raises(AssertionError):
        Story().run("at 0: k!60 -> j")


def test_a_rule_that_is_removed_takes_its_alerts_along_silently() -> None:
    story = Story()
    story.run("at 0: k!60 -> k")
    story.configured = frozenset()
    story.run("at 5: k!60 ->")
    assert [alert.state for alert in story.alerts.values()] == [State.RESOLVED]


def test_a_judgement_repeated_after_a_crash_has_the_same_ids_throughout() -> None:
    runs = []
    for _ in range(2):
        story = Story()
        story.run("at 0: k!60 w!60 j!60 -> k[w] j\nat 5: k. j!60 w. -> k*")
        runs.append((list(story.alerts), [message.id for message in story.told]))
    assert runs[0] == runs[1]


def test_no_two_messages_share_an_id() -> None:
    story = Story(receivers=("ops", "pager"))
    story.run("at 0: k!60 -> k k\nat 5: k. -> k* k*\nat 10: k!60 -> k k\nat 15: k. -> k* k*")
    assert len({message.id for message in story.told}) == 8


def test_messages_about_what_fires_come_before_those_about_what_ended() -> None:
    story = Story()
    story.run("at 0: k!60 -> k\nat 5: k. j!60 -> j k*")
    assert [message.reason for message in story.told] == [Reason.FIRST, Reason.FIRST, Reason.RESOLVED]
