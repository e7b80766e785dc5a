"""The demonstration: simulator, daemon and page in one process, on a clock that runs fast.

Everything but the clock and the organization is the real program: the same configuration file, client, ledger, rules,
outbox and page.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.text import Text

from notifiers.text import plural
from rules.model import Nano
from rules.money import display_usd, usd_string
from watcher.clock import DrillClock
from watcher.config import load
from watcher.cycle import run_cycle
from watcher.daemon import Daemon
from watcher.ingest import SOURCES, Plan, organization_of
from watcher.lines import print_hanging
from watcher.metrics import Metrics
from watcher.overview import Overview
from watcher.progress import history_bar
from watcher.settings import Settings
from watcher.signals import Signals
from watcher.simulator import Simulator, World
from watcher.status import Status, read_status
from watcher.store import Store
from watcher.web.app import build_app
from watcher.web.course import Courses
from watcher.web.facts import Facts
from watcher.web.present import name
from watcher.web.server import PageServer, bind
from watcher.wiring import assemble

BEGINS = datetime(2026, 11, 18, 12, 40, tzinfo=UTC)
"""A Wednesday afternoon: far enough into a month for a budget to be nearly spent."""
KEY = "sk-ant-admin01-demo"

_CONFIG = """\
[anthropic]
base_url = "{base_url}"
admin_key = "{key}"
[store]
url = "sqlite:///demo.db"
[http]
listen = "127.0.0.1:{port}"
[[anomaly]]
name = "key spend"
per = ["api_key"]
min_excess_usd = 5
[[anomaly]]
name = "workspace spend"
per = ["workspace"]
min_excess_usd = 10
[[receiver]]
name = "terminal"
type = "console"
[[route]]
receiver = "terminal"
"""
_BUDGET = """\
[[budget]]
name = "organization"
period = "month"
limit_usd = "{limit}"
thresholds = [80, 100]
"""


class Demonstration:
    """Shows the program at work on a terminal, from an empty database to the page."""

    def __init__(self, console: Console, *, speed: float, port: int, seed: int) -> None:
        self._console = console
        self._clock = DrillClock(BEGINS, speed)
        self._port = port
        self._seed = seed

    def run(self, seconds: float | None) -> None:
        """Run until told to end, or for so many real seconds; a summary closes it."""
        signals = Signals()
        signals.listen()
        world = World(started_at=BEGINS, seed=self._seed, scenario="demo")
        self._say(
            "[bold]claude-watcher[/] against a simulated organization. "
            f"An hour passes in {plural(round(3600 / self._clock.speed), 'second')}; "
            f"it is {self._clock.now():%a %d %b %Y, %H:%M} UTC."
        )
        with (
            Simulator(world, self._clock.now) as simulator,
            # A cycle that outlasts the end may still write there.
            TemporaryDirectory(prefix="claude-watcher-demo-", ignore_cleanup_errors=True) as folder,
        ):
            self._watch(Path(folder), simulator.url, signals, seconds)

    def _watch(self, folder: Path, base_url: str, signals: Signals, seconds: float | None) -> None:
        deadline = threading.Timer(seconds, signals.ask, ["end"]) if seconds else None
        if deadline:
            deadline.daemon = True
            deadline.start()
        settings = self._configure(folder, base_url)
        store = Store.open(settings.store.url)
        try:
            spent = self._fill(settings, store)
            settings = self._configure(folder, base_url, _limit(spent))
            self._serve(settings, store, signals)
        finally:
            store.close()

    def _configure(self, folder: Path, base_url: str, limit: Nano | None = None) -> Settings:
        text = _CONFIG.format(base_url=base_url, key=KEY, port=self._port)
        if limit is not None:
            text += _BUDGET.format(limit=usd_string(limit))
        path = folder / "config.toml"
        path.write_text(text)
        return load(path, {})

    def _fill(self, settings: Settings, store: Store) -> Nano:
        """The first cycle: reads the history under a progress bar. Returns what the month has cost so far."""
        parts = assemble(settings, store)
        (access,) = parts.accesses
        try:
            now = self._clock.now()
            organization = organization_of(access.reader, store, now)
            plan = Plan.everything(store, organization, now, settings.poll)
            with history_bar(self._console) as progress:
                outcome = run_cycle(parts.world(access, organization, self._clock.now), plan, now, progress)
        finally:
            parts.close()
        self._introduce(outcome.overview, store, organization)
        return outcome.overview.total.month

    def _introduce(self, figures: Overview, store: Store, organization: str) -> None:
        keys, workspaces = store.directory.api_keys(organization), store.directory.workspaces(organization)
        self._say(
            f"Found [bold]{escape(name(figures.organization_name))}[/]: "
            f"{len(workspaces)} workspaces and the default one, {len(keys)} keys."
        )
        total = figures.total
        self._say(
            f"This month so far: [bold]{display_usd(total.month)}[/], {display_usd(total.month_settled)} of it settled "
            f"by the cost report, the rest estimated from tokens. Today: {display_usd(total.today)}."
        )
        for row in figures.top("api_key", 3):
            self._console.print(Text(f"    {display_usd(row.month):>11}  {name(row.name)}"), soft_wrap=True)

    def _serve(self, settings: Settings, store: Store, signals: Signals) -> None:
        metrics = Metrics([receiver.name for receiver in settings.receivers], SOURCES)
        courses = Courses()
        daemon = Daemon(
            settings,
            store,
            self._clock,
            metrics,
            on_outcome=lambda outcome: courses.learn(outcome.looked, store.alerts.open(outcome.overview.organization)),
        )
        facts = Facts.of(daemon, store, self._clock, courses)
        app = build_app(facts.status, metrics, lambda: daemon.ready, facts=facts)
        pages = PageServer(app, bind(settings.http.host, settings.http.port, or_any=True))
        limit = settings.budgets[0].limit
        self._say(
            f"A budget of {display_usd(limit or 0)} for the month is set, so that 80 % of it is about to be crossed."
        )
        self._console.print(
            Panel.fit(
                Text.assemble(
                    "status page  ", (f"{pages.url}/", "bold"), "\nmetrics      ", (f"{pages.url}/metrics", "bold")
                ),
                border_style="dim",
            )
        )
        self._say("Watching. Ctrl-C ends the demo.\n")
        pages.start()
        daemon.start()
        signals.wait()
        status = read_status(store, self._clock.now())
        daemon.stop()
        pages.stop()
        self._sum_up(status)

    def _sum_up(self, status: Status) -> None:
        self._console.print()
        figures = status.overview
        if figures is None:
            return
        passed = self._clock.now() - BEGINS
        self._say(
            f"[bold]Summary[/] after {passed / timedelta(hours=1):.0f} simulated hours: this month "
            f"{display_usd(figures.total.month)}, {plural(len(status.firing), 'alert')} firing."
        )
        for alert in status.firing:
            print_hanging(self._console, Text(f"  {alert.severity.value:<9}"), Text(alert.summary))
        for problem in status.problems:
            print_hanging(self._console, Text("  ! "), Text(problem))
        self._say(
            "Next: `watcher init` writes a configuration from your own history; then `watcher check` and `watcher run`."
        )

    def _say(self, text: str) -> None:
        self._console.print(text)


def _limit(spent: Nano) -> Nano:
    """A limit in whole dollars of which 80 % is a little more than what has been spent."""
    dollars = spent * 1008 // 1000 * 100 // 80 // 1_000_000_000
    return (dollars + 1) * 1_000_000_000
