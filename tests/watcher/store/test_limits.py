from dataclasses import replace

from tests.watcher.store.samples import DAY, HOUR, ORG, T0
from watcher.admin_api.answers_limits import (
    EffectiveSpendLimit,
    LimitScope,
    RateLimit,
    RateLimitValue,
    SpendLimit,
)
from watcher.store import Store

DOLLAR = 10**9
CAP = SpendLimit("spl_1", LimitScope("workspace", "ws_1"), 500 * DOLLAR, "monthly", True, T0, T0)
ANN = EffectiveSpendLimit(
    *("user_1", "user_actor", "Ann", "ann@example.com", False, LimitScope("user", "user_1"), "spl_2"),
    *(50 * DOLLAR, "monthly", 3 * DOLLAR),
)
OPUS = RateLimit(
    "rl_1", None, "model_group", "Claude Opus", ("claude-opus-5",), (RateLimitValue("rpm", 9, None, False),)
)


def told(store: Store) -> list[tuple[str, str, str, str | None, str | None]]:
    changes = store.limits.changes(ORG, T0)
    return [(each.kind, each.id, each.field, each.before, each.after) for each in changes]


def test_a_spend_limit_that_is_raised_tells_both_amounts(store: Store) -> None:
    for hours, amount in enumerate((500 * DOLLAR, 500 * DOLLAR, 900 * DOLLAR, None, 0)):
        store.limits.record_spend_limits(ORG, [replace(CAP, amount=amount)], T0 + hours * HOUR)
    assert told(store) == [
        ("spend_limit", "spl_1", "amount", str(500 * DOLLAR), str(900 * DOLLAR)),
        ("spend_limit", "spl_1", "amount", str(900 * DOLLAR), None),
        ("spend_limit", "spl_1", "amount", None, "0"),
    ]
    first = store.limits.changes(ORG, T0)[0]
    assert (first.last_seen_before, first.observed_at) == (T0 + HOUR, T0 + 2 * HOUR)
    assert store.limits.spend_limits(ORG) == (replace(CAP, amount=0),)


def test_a_limit_that_is_switched_off_and_one_that_is_taken_away_are_told(store: Store) -> None:
    store.limits.record_spend_limits(ORG, [CAP], T0)
    store.limits.record_spend_limits(ORG, [replace(CAP, is_enabled=False)], T0 + HOUR)
    store.limits.record_spend_limits(ORG, [], T0 + 2 * HOUR)
    assert told(store) == [
        ("spend_limit", "spl_1", "status", "enabled", "disabled"),
        ("spend_limit", "spl_1", "listed", "yes", "no"),
    ]
    assert store.limits.spend_limits(ORG) == ()


def test_what_a_member_spends_is_kept_and_is_no_change(store: Store) -> None:
    store.limits.record_member_limits(ORG, [ANN, replace(ANN, period="daily", amount=None)], T0)
    richer = replace(ANN, period_to_date_spend=4 * DOLLAR)
    store.limits.record_member_limits(ORG, [richer, replace(ANN, period="daily", amount=None)], T0 + HOUR)
    assert told(store) == []
    daily, monthly = store.limits.member_limits(ORG)
    assert (daily.item.amount, monthly.item) == (None, richer)
    assert monthly.last_seen_at == T0 + HOUR
    store.limits.record_member_limits(ORG, [replace(richer, amount=70 * DOLLAR)], T0 + 2 * HOUR)
    assert told(store) == [
        ("member_limit", "user_1/monthly", "amount", str(50 * DOLLAR), str(70 * DOLLAR)),
        ("member_limit", "user_1/daily", "listed", "yes", "no"),
    ]


def test_members_without_an_id_are_not_taken_for_each_other(store: Store) -> None:
    nameless = [replace(ANN, member_id=None, email=None, name=None, amount=n * DOLLAR) for n in (1, 2, 3)]
    for _ in range(2):
        store.limits.record_member_limits(ORG, nameless, T0)
    assert [entry.item.amount for entry in store.limits.member_limits(ORG)] == [DOLLAR, 2 * DOLLAR, 3 * DOLLAR]
    assert told(store) == []


def test_each_workspace_s_rate_limits_are_a_listing_of_their_own(store: Store) -> None:
    own = {
        ident: replace(OPUS, workspace_id=ident, limits=(RateLimitValue("rpm", 2, 9, False),))
        for ident in ("w_1", "wx1")
    }
    store.limits.record_rate_limits(ORG, None, [OPUS], T0)
    for ident, limit in own.items():
        store.limits.record_rate_limits(ORG, ident, [limit], T0)
    store.limits.record_rate_limits(ORG, "w_1", [], T0 + HOUR)
    assert store.limits.rate_limits(ORG) == (OPUS, own["wx1"]), "an underscore is a letter of an id, not any letter"
    raised = replace(OPUS, limits=(RateLimitValue("rpm", 12, None, False), RateLimitValue("tpm", None, None, False)))
    store.limits.record_rate_limits(ORG, None, [raised], T0 + 2 * HOUR)
    assert told(store) == [
        ("rate_limit", "w_1/rl_1", "listed", "yes", "no"),
        ("rate_limit", "/rl_1", "rpm", "9", "12"),
    ]


def test_what_was_asked_for_one_by_one_is_remembered_with_its_newest_answer(store: Store) -> None:
    store.lookups.note(ORG, "api_key", "key_x", T0, found=False)
    store.lookups.note(ORG, "api_key", "key_y", T0, found=None)
    store.lookups.note(ORG, "api_key", "key_x", T0 + HOUR, found=True)
    store.lookups.note("another", "api_key", "key_x", T0, found=False)
    known = store.lookups.all(ORG, "api_key")
    assert {ident: (each.asked_at, each.found) for ident, each in known.items()} == {
        "key_x": (T0 + HOUR, True),
        "key_y": (T0, None),
    }
    assert store.lookups.all(ORG, "workspace_members") == {}


def test_limits_that_are_gone_are_forgotten_with_their_time_and_names_never(store: Store) -> None:
    store.limits.record_spend_limits(ORG, [CAP], T0)
    store.limits.record_spend_limits(ORG, [], T0 + HOUR)
    store.lookups.note(ORG, "api_key", "key_x", T0, found=False)
    assert store.prune(T0 + DAY) == 3
    assert store.limits.changes(ORG, T0) == ()
