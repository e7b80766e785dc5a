"""What fits a pattern of protection by a new name or tag, until somebody confirms it."""

from datetime import UTC, datetime

from rules.keys import Key, Keys
from rules.policy import Protect
from rules.protection import BY_HAND, Examined, examine, known, protected, unconfirmed

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PROTECT = Protect(api_key=("prod-*",), workspace=("pay*",), tag=("tier=critical",))


def keys(name: str = "test", workspace: str = "lab", tier: str = "none") -> Keys:
    key = Key("k1", name, "w1", "active", NOW)
    return Keys({"k1": key}, workspaces={"w1": workspace}, tags={"w1": {"tier": tier}})


def test_what_fits_by_a_new_name_or_tag_is_unconfirmed_and_no_protection() -> None:
    seen = known(examine(PROTECT, keys(), {}, NOW))
    for later, what in ((keys(name="prod-x"), "api_key"), (keys(workspace="Payments"), "workspace")):
        assert [each.what for each in unconfirmed(PROTECT, later, seen)] == [what]
        assert protected(later.by_id["k1"], PROTECT, later, seen) == ""
    tagged = keys(tier="critical")
    assert [each.what for each in unconfirmed(PROTECT, tagged, seen)] == ["tag"]


def test_protecting_the_workspace_by_hand_confirms_its_new_tag_and_name() -> None:
    seen = known(examine(PROTECT, keys(), {}, NOW))
    by_hand = known([Examined("workspace", "w1", BY_HAND, taken=True, at=NOW, by="ann")])
    later = keys(workspace="payments", tier="critical")
    assert not list(unconfirmed(PROTECT, later, {**seen, **by_hand}))
    assert protected(later.by_id["k1"], PROTECT, later, {**seen, **by_hand}) == "ann has protected its workspace"
