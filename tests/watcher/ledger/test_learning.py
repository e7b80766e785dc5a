"""What the ledger learns: from days made by hand, and on the simulator, whose own truth is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from rules.model import SpendView
from watcher.admin_api import AdminReader, ConnectionSettings, connect
from watcher.admin_api.answers import CostBucket, CostRow, UsageBucket, UsageRow
from watcher.ingest import Plan, ingest, organization_of
from watcher.ledger import Ledger, spend_report
from watcher.ledger.learning import learn_from, models_used
from watcher.pricing import NOTHING, OwnPrice, PriceBook
from watcher.secret import Secret
from watcher.settings import PollSettings
from watcher.simulator import Simulator, World
from watcher.store import Store

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ORG = "org_1"
NOW = datetime(2026, 11, 20, 10, 37, tzinfo=UTC)
TODAY = datetime(2026, 11, 20, tzinfo=UTC)
OPUS, NEW = "claude-opus-5-5", "claude-opus-9"
USD = 1_000_000_000
LISTED = 4 * USD
"""A million uncached tokens of Opus at list price; the unknown model's stand-in is 15 USD."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'watcher.db'}") as opened:
        yield opened


def use(store: Store, hour: datetime, model: str = OPUS, tier: str = "standard", searches: int = 0) -> None:
    row = UsageRow("key_a", "w1", model, tier, "0-200k", "global", None, 10**6, 0, 0, 0, 0, searches)
    store.usage.replace(ORG, [UsageBucket(hour, hour + HOUR, ("api_key_id", "workspace_id", "model"), (row,))], NOW)


def bill(store: Store, day: datetime, nano: int, model: str = OPUS, at: datetime = NOW, searches: int = 0) -> set[date]:
    kind = "uncached_input_tokens"
    rows = [CostRow("w1", "a line", "tokens", model, "standard", kind, "0-200k", "global", None, nano)]
    if searches:
        rows.append(CostRow("w1", "searches", "web_search", None, None, None, None, None, None, searches))
    return set(store.costs.replace(ORG, [CostBucket(day, day + DAY, tuple(rows))], at))


def settled(store: Store, *amounts: int, model: str = OPUS, last: datetime = TODAY - 3 * DAY) -> None:
    """Settled days up to `last`, of a million tokens each, with these bills."""
    for back, amount in enumerate(reversed(amounts)):
        use(store, last - back * DAY, model)
        bill(store, last - back * DAY, amount, model)


def cost(view: SpendView, hour: datetime) -> int:
    return int(view.cost[:, view.index(hour)].sum())


def open_hour(store: Store, prices: PriceBook | None = None) -> int:
    return cost(Ledger(store, prices or PriceBook(), ORG).refresh(NOW), TODAY)


def test_an_open_hour_is_estimated_with_what_three_settled_days_taught(store: Store) -> None:
    use(store, TODAY)
    settled(store, 3 * USD, 3 * USD)
    assert open_hour(store) == LISTED
    settled(store, 3 * USD, 3 * USD, 3 * USD)
    assert open_hour(store) == 3 * USD


def test_one_wild_day_does_not_move_the_estimate(store: Store) -> None:
    use(store, TODAY)
    settled(store, 3 * USD, 300 * USD, 3 * USD, 3 * USD)
    assert open_hour(store) == 3 * USD


def test_provisional_days_teach_nothing(store: Store) -> None:
    use(store, TODAY)
    settled(store, 3 * USD, 3 * USD)
    use(store, TODAY - DAY)
    bill(store, TODAY - DAY, 3 * USD)
    view = Ledger(store, PriceBook(), ORG).refresh(NOW)
    assert cost(view, TODAY) == LISTED


def test_a_day_of_few_tokens_teaches_nothing(store: Store) -> None:
    use(store, TODAY)
    for back in range(3, 9):
        day = TODAY - back * DAY
        row = UsageRow("key_a", "w1", OPUS, "standard", "0-200k", "global", None, 100_000, 0, 0, 0, 0, 0)
        store.usage.replace(ORG, [UsageBucket(day, day + HOUR, ("api_key_id", "workspace_id", "model"), (row,))], NOW)
        bill(store, day, USD // 10)
    assert open_hour(store) == LISTED


def test_the_owners_price_is_never_taught_away(store: Store) -> None:
    use(store, TODAY)
    settled(store, *[3 * USD] * 5)
    own = OwnPrice("claude-opus-*", (1_000_000, None, None, None, None, None))
    assert open_hour(store, PriceBook([own])) == USD


def test_an_unknown_model_is_unpriced_until_three_of_its_days_are_settled(store: Store) -> None:
    use(store, TODAY, NEW)
    settled(store, *[3 * USD] * 9, last=TODAY - 12 * DAY)
    settled(store, 2 * USD, 2 * USD, model=NEW)
    before = Ledger(store, PriceBook(), ORG).refresh(NOW)
    assert (cost(before, TODAY), before.unpriced) == (15 * USD, {NEW})
    settled(store, 2 * USD, 2 * USD, 2 * USD, model=NEW)
    after = Ledger(store, PriceBook(), ORG).refresh(NOW)
    # A ratio has six digits, so a price a million tokens lies within a part in a million of the stand-in's.
    assert abs(cost(after, TODAY) - 2 * USD) <= 15_000
    assert after.unpriced == frozenset()


def test_searches_are_learned_apart_from_tokens(store: Store) -> None:
    use(store, TODAY, searches=100)
    for back in (3, 4, 5):
        use(store, TODAY - back * DAY, searches=100)
        bill(store, TODAY - back * DAY, 3 * USD, searches=USD // 2)
    assert open_hour(store) == 3 * USD + USD // 2


def test_priority_tier_takes_the_discount_and_never_teaches(store: Store) -> None:
    use(store, TODAY - 10 * DAY, tier="priority")
    bill(store, TODAY - 10 * DAY, USD)
    settled(store, 3 * USD, 3 * USD, 3 * USD)
    use(store, TODAY - 3 * DAY + HOUR, tier="priority")
    view = Ledger(store, PriceBook(), ORG).refresh(NOW)
    assert cost(view, TODAY - 3 * DAY + HOUR) == 3 * USD


def test_a_day_that_settles_makes_the_others_estimated_anew(store: Store) -> None:
    use(store, TODAY)
    use(store, TODAY - DAY)
    use(store, TODAY - 40 * DAY, tier="priority")
    settled(store, 3 * USD, 3 * USD)
    ledger = Ledger(store, PriceBook(), ORG)
    assert cost(ledger.refresh(NOW), TODAY) == LISTED
    use(store, TODAY - 5 * DAY)
    changed = bill(store, TODAY - 5 * DAY, 3 * USD)
    view = ledger.refresh(NOW, frozenset({TODAY - 5 * DAY}), changed)
    assert [cost(view, hour) for hour in (TODAY, TODAY - DAY, TODAY - 40 * DAY)] == [3 * USD] * 3


def test_a_restated_day_is_learned_anew(store: Store) -> None:
    use(store, TODAY)
    settled(store, 3 * USD, 3 * USD, 2 * USD)
    ledger = Ledger(store, PriceBook(), ORG)
    assert cost(ledger.refresh(NOW), TODAY) == 3 * USD
    changed = bill(store, TODAY - 4 * DAY, 2 * USD)
    assert cost(ledger.refresh(NOW, frozenset(), changed), TODAY) == 2 * USD


def test_settled_figures_do_not_depend_on_what_was_learned(store: Store) -> None:
    settled(store, *[3 * USD] * 6)
    view = Ledger(store, PriceBook(), ORG).refresh(NOW)
    assert cost(view, TODAY - 3 * DAY) == 3 * USD
    assert int(view.settled.sum()) == int(view.cost.sum()) == 18 * USD


def test_days_older_than_three_weeks_teach_while_no_newer_ones_are_settled(store: Store) -> None:
    use(store, TODAY)
    settled(store, 3 * USD, 3 * USD, 3 * USD, last=TODAY - 60 * DAY)
    assert open_hour(store) == 3 * USD


def test_the_ledger_says_what_its_book_knows(store: Store) -> None:
    ledger = Ledger(store, PriceBook(), ORG)
    assert ledger.book.models == frozenset()
    use(store, TODAY, NEW)
    settled(store, *[3 * USD] * 3)
    ledger.refresh(NOW)
    assert (ledger.book.models, ledger.book.unpriced) == ({OPUS, NEW}, {NEW})
    assert ledger.book.learned == learn_from(store, PriceBook(), ORG, NOW)
    assert ledger.book.learned != NOTHING
    assert models_used(store, ORG, [TODAY.date()]) == {NEW}


def test_a_report_over_a_window_without_settled_days_knows_what_the_others_taught(store: Store) -> None:
    use(store, TODAY)
    settled(store, 3 * USD, 3 * USD, 3 * USD)
    report = spend_report(store, PriceBook(), ORG, (), TODAY, NOW, "total", NOW)
    assert (report.total.estimated, report.total.cost) == (3 * USD, 3 * USD)


@pytest.mark.parametrize("bucket", ["day", "hour"])
def test_a_report_with_many_days_to_estimate_tells_them_in_order(store: Store, bucket: str) -> None:
    settled(store, 3 * USD, 3 * USD, 3 * USD)
    for back in range(6, 36, 2):
        use(store, TODAY - back * DAY, tier="priority")
        bill(store, TODAY - back * DAY, 0)
    report = spend_report(store, PriceBook(), ORG, (), TODAY - 40 * DAY, NOW, bucket, NOW)
    starts = [row.start for row in report.rows]
    assert starts == sorted(starts)
    assert {row.cost for row in report.rows if row.cost} == {3 * USD}


# ------------------------------------------------------------------------------------------- the simulator

START = datetime(2026, 11, 18, 0, 10, tzinfo=UTC)
NOONS: Sequence[datetime] = [datetime(2026, 11, day, 12, 10, tzinfo=UTC) for day in (19, 20)]
"""When two whole days are settled, and when three are."""


class Watched:
    """A simulated organization with a discount of 20 % and a model that no list holds, read at two noons."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self.world = World(started_at=START, days=3, keys=30, unknown_model=True, discount=0.2)
        self.store = Store.open(f"sqlite:///{folder / 'watcher.db'}")
        self.views: dict[datetime, SpendView] = {}
        with Simulator(self.world, lambda: self.now) as simulator:
            connection = connect(ConnectionSettings(simulator.url, Secret("sk-ant-admin01-x")), pause=lambda _: None)
            reader = AdminReader(connection)
            self.organization = organization_of(reader, self.store, NOONS[0])
            ledger = Ledger(self.store, PriceBook(), self.organization)
            for self.now in NOONS:
                plan = Plan.everything(self.store, self.organization, self.now, PollSettings(backfill=4 * DAY))
                done = ingest(reader, self.store, self.organization, self.now, plan)
                self.views[self.now] = ledger.refresh(self.now, done.changed_hours, done.changed_days)
            connection.close()

    def error(self, now: datetime) -> dict[str, float]:
        """By model: the estimate of today's first ten hours, relative to what they truly cost, less one."""
        view = self.views[now]
        day = now.replace(hour=0, minute=0)
        hours = slice(view.index(day), view.index(day + 10 * HOUR))
        sums: dict[str, int] = defaultdict(int)
        for leaf, amount in zip(view.leaves, view.cost[:, hours].sum(axis=1).tolist(), strict=True):
            sums[leaf.model] += amount
        truth = {model: self.world.true_cost_nano(day, day + 10 * HOUR, model=model) for model in sums}
        return {model: sums[model] / truth[model] - 1 for model in sums if truth[model]}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    watched = Watched(tmp_path_factory.mktemp("learning"))
    yield watched
    watched.store.close()


def test_before_three_days_are_settled_an_unknown_model_is_over_estimated(watched: Watched) -> None:
    errors = watched.error(NOONS[0])
    assert errors[NEW] > 0.5
    assert watched.views[NOONS[0]].unpriced == {NEW}
    assert len(errors) >= 3


def test_after_three_settled_days_every_model_is_within_one_percent_of_the_truth(watched: Watched) -> None:
    errors = watched.error(NOONS[1])
    assert len(errors) >= 3
    assert NEW in errors
    assert {model: error for model, error in errors.items() if abs(error) > 0.01} == {}
    assert watched.views[NOONS[1]].unpriced == frozenset()


def test_the_report_says_what_the_view_says(watched: Watched) -> None:
    view = watched.views[NOONS[1]]
    report = spend_report(
        watched.store, PriceBook(), watched.organization, ("model",), view.start, NOONS[1], "total", NOONS[1]
    )
    assert report.total.cost == int(view.cost.sum())
    assert report.unpriced == view.unpriced
