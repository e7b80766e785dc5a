"""Everything that can happen to shutoff, in any order: after each step no key was ever touched that should not be.

The guard, the requests, the journal, the execution and the client are the program's own; the API behind the client
holds nothing but keys, loses answers and lets the program be killed. What must always hold is checked at every write,
at the moment when it reaches the API.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from rules import action_requests, guard, protection
from rules.actions import UNDER_WAY, WAITING, Action, ActionState, Cause
from rules.asked import Request
from rules.keys import Flip, Key, Keys
from rules.model import Scope
from rules.offences import Offence, Offender
from rules.policy import COOLING, DAY, NO_BRAKE, Brake, KeyAction, Mode, Policy, Protect
from rules.protection import Known
from rules.situation import Situation
from tests.rules.offending import MINUTE, NOW, USD, alert
from tests.shutoff.api import FAULTS, Fault, KeyApi, Killed
from watcher.shutoff import Shutoff, Surroundings
from watcher.store import Judgement, Store

KEYS = [f"key-{number}" for number in range(6)]
PROTECTED = "key-5"
MODES: list[Mode] = ["off", "dry_run", "approve", "auto"]
_numbers = count(1)


class Shutoffs(RuleBasedStateMachine):
    """One organization whose keys burn money, whose people change their minds, and whose program is killed."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.org = f"org-{next(_numbers)}"
        self.api = KeyApi(dict.fromkeys(KEYS, "active"), self._on_write)
        self.now = NOW
        self.policy = Policy(mode="auto", protect=Protect(api_key=(PROTECTED,)))
        self.brake_file = False
        self.brake: Brake = NO_BRAKE
        self.burning: dict[str, Offence] = {}
        self.stale = False
        self.no_data = False
        self.versions = 0
        self.listed: dict[str, tuple[str, datetime]] = {}
        self.flips: dict[str, list[Flip]] = {}
        self.known: Known = {}
        self.requests: list[Request] = []
        self.numbers = count(1)
        # What is checked:
        self.limits: dict[str, int] = {}
        self.writes: list[tuple[datetime, Action]] = []
        self.posts: Counter[str] = Counter()
        self.turned_on: dict[str, datetime] = {}
        self.known_on: dict[str, datetime] = {}
        self.off: set[str] = set()
        """Keys that were seen off, or asked off: of what comes and goes between two readings nobody can tell."""

    @initialize(
        per_cycle=st.integers(1, 3),
        per_day=st.integers(1, 4),
        share=st.sampled_from(["0.10", "0.5", "1"]),
        grace=st.sampled_from([0, 15]),
        mode=st.sampled_from(["auto", "auto", "approve"]),
        again=st.booleans(),
    )
    def begin(self, per_cycle: int, per_day: int, share: str, grace: int, mode: Mode, again: bool) -> None:
        self.policy = replace(
            self.policy,
            mode=mode,
            max_per_cycle=per_cycle,
            max_per_day=per_day,
            max_share=Fraction(share),
            grace=grace * MINUTE,
            reactivate_at_reset=again,
        )
        self._list()

    # ------------------------------------------------------------------------------------------ what happens outside

    @rule(
        which=st.integers(0, 3),
        keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True),
        kind=st.sampled_from(["budget", "anomaly"]),
        amount=st.sampled_from([100, 1000, 20]),
        unpriced=st.sampled_from([False, False, False, True]),
        days=st.integers(0, 3),
        polls=st.integers(0, 5),
    )
    def breach(
        self, which: int, keys: list[str], kind: str, amount: int, unpriced: bool, days: int, polls: int
    ) -> None:
        scope = Scope(self.org, api_key=keys[0]) if len(keys) == 1 else Scope(self.org)
        name = f"{kind}-{which}"
        usual = 20 if kind == "anomaly" else 100
        self.burning[name] = Offence(
            cause=Cause(kind, name, scope, f"{which}-{next(self.numbers) // 5}"),  # type: ignore[arg-type]
            alert=alert(f"alert-{name}"),
            action=KeyAction(),
            since=self.now - timedelta(days=1),
            observed=(1000 + amount) * USD,
            certain=(1000 + amount) * USD,
            bound=1000 * USD,
            error=0.0,
            data_as_of=self.now,
            offenders=tuple(Offender(key, "wrk-a", 300 * USD, usual * USD) for key in keys),
            period_end=self.now + timedelta(days=days, hours=1) if kind == "budget" else None,
            unpriced=("claude-new",) if unpriced else (),
        )
        self.polls(polls)

    @rule(key=st.sampled_from(KEYS), kind=st.sampled_from(["budget", "anomaly"]))
    def a_key_burns(self, key: str, kind: str) -> None:
        self.breach(len(self.burning), [key], kind, 1000, unpriced=False, days=3, polls=5)

    @rule(keys=st.lists(st.sampled_from(KEYS), min_size=2, max_size=4, unique=True), polls=st.integers(1, 6))
    def several_keys_burn_and_somebody_turns_one_on(self, keys: list[str], polls: int) -> None:
        self.breach(len(self.burning), keys, "budget", 1000, unpriced=False, days=3, polls=polls)
        self.somebody_turns_a_key_on(keys[0])
        self.polls(polls)

    @precondition(lambda self: self.burning)
    @rule(data=st.data())
    def calm(self, data: st.DataObject) -> None:
        self.burning.pop(data.draw(st.sampled_from(sorted(self.burning))))

    @rule(key=st.sampled_from(KEYS))
    def somebody_turns_a_key_on(self, key: str) -> None:
        if self.api.keys[key] == "inactive":
            self.api.keys[key] = "active"
            if key in self.off:
                self.turned_on[key] = self.now
            self.off.discard(key)

    @rule(key=st.sampled_from(KEYS))
    def somebody_turns_a_key_off(self, key: str) -> None:
        self.api.keys[key] = "inactive"

    @rule(minutes=st.sampled_from([5, 16, 24 * 60, 25 * 60, -30]))
    def time_passes_or_jumps(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(faults=st.lists(st.sampled_from([None, *FAULTS]), max_size=4), polls=st.integers(1, 4))
    def the_api_fails(self, faults: list[Fault | None], polls: int) -> None:
        self.api.faults = faults
        self.polls(polls)

    @rule(what=st.sampled_from(["stale", "no_data"]), polls=st.integers(1, 3))
    def nothing_is_known_for_a_while(self, what: str, polls: int) -> None:
        setattr(self, what, True)
        self.polls(polls)
        setattr(self, what, False)

    # ------------------------------------------------------------------------------------------ what people do

    @rule(mode=st.sampled_from([*MODES, "auto", "auto", "approve"]), per_day=st.integers(1, 4))
    def the_configuration_changes(self, mode: Mode, per_day: int) -> None:
        self.policy = replace(self.policy, mode=mode, max_per_day=per_day)

    @rule(polls=st.integers(1, 3))
    def there_is_a_brake_file_for_a_while(self, polls: int) -> None:
        self.brake_file = True
        self.polls(polls)
        self.brake_file = False

    @rule(minutes=st.sampled_from([5, 20, None]), polls=st.integers(0, 2))
    def somebody_brakes_and_lets_go(self, minutes: int | None, polls: int) -> None:
        until = None if minutes is None else (self.now + minutes * MINUTE).isoformat()
        self._ask(action_requests.PAUSE, until=until)
        self.polls(polls)
        self._ask(action_requests.RESUME)

    @rule(
        what=st.sampled_from([action_requests.APPROVE, action_requests.APPROVE, action_requests.DENY]),
        old=st.booleans(),
    )
    def somebody_decides(self, what: str, old: bool) -> None:
        for row in self._journal():
            if row.state in WAITING:
                self._ask(what, action=row.id, digest="another" if old else row.digest, comment="")
        self.polls(1)

    @rule(key=st.sampled_from(KEYS), what=st.sampled_from([action_requests.DEACTIVATE, action_requests.REACTIVATE]))
    def somebody_asks_by_hand(self, key: str, what: str) -> None:
        self._ask(what, key=key, reason="by hand")

    def _ask(self, what: str, **details: object) -> None:
        self.requests.append(Request(next(self.numbers), self.now, "ana", what, details))

    # ------------------------------------------------------------------------------------------ what the program does

    @rule(times=st.integers(1, 5))
    def polls(self, times: int) -> None:
        for _ in range(times):
            self.now += 5 * MINUTE
            self._list()
            self._grow()
            self._judge()
            self._carry_out()

    @rule()
    def crash_between_commit_and_action(self) -> None:
        self._list()
        self._grow()
        self._judge()

    def _list(self) -> None:
        for key, status in self.api.keys.items():
            before = self.listed.get(key)
            if before is not None and before[0] != status:
                self.flips.setdefault(key, []).append(Flip(status, before[1], self.now))
            self.listed[key] = (status, self.now)
            if status == "inactive":
                self.off.add(key)
            if key in self.turned_on and status == "active":
                self.known_on[key] = self.turned_on[key]

    def _grow(self) -> None:
        self.versions += 1
        for name, each in self.burning.items():
            more = each.observed + self.versions
            self.burning[name] = replace(each, observed=more, certain=max(each.certain, more), data_as_of=self.now)

    def _journal(self) -> tuple[Action, ...]:
        return self.store.actions.near(self.org, self.now)

    def _situation(self) -> Situation:
        keys = {key: Key(key, key, "wrk-a", status, at) for key, (status, at) in self.listed.items()}
        flips = {key: tuple(seen) for key, seen in self.flips.items()}
        directory = Keys(keys, flips, {"wrk-a": "A"})
        examined = protection.examine(self.policy.protect, directory, self.known, self.now)
        self.known = {**self.known, **protection.known(examined)}
        file = Brake(since=self.now, by="the brake file")
        return Situation(
            organization=self.org,
            policy=self.policy,
            offences=() if self.no_data else tuple(self.burning.values()),
            journal=self._journal(),
            keys=directory,
            protections=self.known,
            brake=file if self.brake_file else self.brake,
            watermark=self.now - (95 if self.stale else 60) * MINUTE,
            firing=frozenset(each.alert.id for each in self.burning.values()),
            no_data="nothing is known" if self.no_data else "",
        )

    def _judge(self) -> None:
        at = replace(self._situation(), brake=self.brake)
        heard = action_requests.hear(self.requests, at, self.now)
        self.requests = []
        self.brake = heard.brake
        merged = {row.id: row for row in (*at.journal, *heard.rows)}
        file = Brake(since=self.now, by="the brake file")
        at = replace(at, journal=tuple(merged.values()), brake=file if self.brake_file else heard.brake)
        rows = guard.plan(at, self.now)
        before = {row.id for row in merged.values() if row.state in UNDER_WAY}
        begun = [row for row in rows if row.state is ActionState.INTENT and row.id not in before]
        policy_made = [row for row in begun if row.cause.by_policy]
        assert len(policy_made) <= self.policy.max_per_cycle
        for row in policy_made:
            assert not self.no_data
            assert not self.stale
            assert not at.brake.holds(self.now)
            assert self.policy.mode not in {"off", "dry_run"}
            assert row.mode == "auto" or row.approved_at is not None, "never unapproved in approve mode"
            assert row.mode == "auto" or self.policy.mode in {"auto", "approve"}
            assert self.policy.mode == "auto" or row.approved_at is not None
            assert self.known_on.get(row.key, self.now - COOLING) <= self.now - COOLING or self._cooled(row.key)
            self.limits[row.id] = self.policy.most_in_a_day(at.keys.active())
        self.store.remember(Judgement(organization=self.org, actions=(*heard.rows, *rows), at=self.now))

    def _cooled(self, key: str) -> bool:
        """Whether what is known of a key since somebody turned it on allows touching it: it was seen off again."""
        return self.listed[key][0] == "active" and self.now >= self.known_on[key] + COOLING

    def _carry_out(self) -> None:
        def brake() -> str:
            if self.brake_file:
                return "there is a brake file"
            paused = any(request.what == action_requests.PAUSE for request in self.requests)
            return "paused" if paused or self.brake.holds(self.now) else ""

        around = Surroundings(lambda: self.now, brake, lambda _row: "", lambda _row: ())
        with contextlib.suppress(Killed):
            Shutoff(self.store, self.org, *self.api.hands, around).carry_out()
        for key, status in {key.id: key.status for key in self.store.directory.api_keys(self.org)}.items():
            if self.listed[key][0] != status:
                self.flips.setdefault(key, []).append(Flip(status, self.listed[key][1], self.now))
                self.listed[key] = (status, self.now)
            if status == "inactive":
                self.off.add(key)

    # ------------------------------------------------------------------------------------------ what must hold

    def _on_write(self, key: str, status: str) -> None:
        rows = [row for row in self.store.actions.under_way(self.org) if row.key == key]
        sent = [row for row in rows if row.state is ActionState.SENT]
        assert sent, "every write is preceded by an intent that says it is being sent"
        wanted = [row for row in sent if (row.what == "deactivate") == (status == "inactive")]
        assert wanted
        row = max(wanted, key=lambda each: (each.sent_at or each.created_at, each.id))
        assert status in {"active", "inactive"}
        assert not self.brake_file
        assert not self.brake.holds(self.now)
        assert row.intent_at is not None
        assert self.now < row.intent_at + 15 * MINUTE
        self.posts[row.id] += 1
        if status == "inactive":
            self.off.add(key)
        assert self.posts[row.id] == 1, "no write is repeated"
        if status == "inactive":
            assert key != PROTECTED, "never a protected key"
        if row.cause.by_policy:
            self.writes.append((self.now, row))
            inside = [each for at, each in self.writes if at > self.now - DAY]
            assert len(inside) <= self.limits[row.id], "never above the limit in any 24 hours"
            causes = [each.cause.id for _, each in self.writes if each.key == key]
            assert len(causes) == len(set(causes)), "never a second time for the same cause"

    @precondition(lambda self: self.api.writes)
    @invariant()
    def a_key_that_this_program_turned_off_is_in_the_journal(self) -> None:
        recorded = {row.key for row in self.store.actions.all(self.org) if row.sent_at is not None}
        assert {key for key, _ in self.api.writes} <= recorded

    @precondition(lambda self: self.api.writes)
    @invariant()
    def every_write_is_followed_by_a_reading(self) -> None:
        last: dict[str, str] = {}
        for method, key in self.api.asked:
            assert (last.get(key), method) != ("POST", "POST")
            last[key] = method


def _run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Shutoffs,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def journal(store: Store) -> Iterator[None]:
    """One database for all runs: each is another organization in it."""
    Shutoffs.store = store
    return


@pytest.mark.timeout(600)
@pytest.mark.parametrize("quarter", range(4))
@pytest.mark.usefixtures("journal")
def test_in_no_order_of_events_is_a_key_touched_that_should_not_be(quarter: int) -> None:
    """A hundred runs of fifty steps, in quarters that run side by side."""
    del quarter
    _run(25, 50)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.usefixtures("journal")
def test_in_no_order_of_events_is_a_key_touched_that_should_not_be_over_thousands_of_runs() -> None:
    _run(5000, 50)
