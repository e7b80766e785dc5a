"""`watcher run`, the daemon, and `watcher poll`, one cycle."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import typer

from watcher.cli.context import (
    ALREADY_RUNNING,
    DEFAULT_CONFIG,
    ConfigFile,
    clock_for,
    fail,
    load_settings,
    open_store,
)
from watcher.logs import logger

if TYPE_CHECKING:
    from watcher.settings import Settings


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("run")(run)
    app.command("poll")(poll)


def run(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Watch until told to end (SIGTERM, Ctrl-C); SIGHUP reads the configuration again."""
    import os

    from watcher.collecting import collect_while_running
    from watcher.daemon import Daemon
    from watcher.ingest import SOURCES
    from watcher.metrics import Metrics
    from watcher.notify_socket import NotifySocket
    from watcher.signals import Signals, leave_at_once, serve_until_told
    from watcher.status import read_status
    from watcher.web.app import build_app
    from watcher.web.course import Courses
    from watcher.web.facts import Facts
    from watcher.web.server import PageServer, PortTaken, bind

    settings = load_settings(config)
    clock = clock_for(settings)
    log = logger("watcher")
    signals = Signals()
    signals.listen()
    with ExitStack() as closing:
        _take_lock(settings, closing)
        store = closing.enter_context(open_store(settings, read_only=False))
        try:
            listener = bind(settings.http.host, settings.http.port)
        except PortTaken as taken:
            fail(str(taken))
        metrics = Metrics([receiver.name for receiver in settings.receivers], SOURCES)
        service = NotifySocket.of(os.environ)
        courses = Courses()
        daemon = Daemon(
            settings,
            store,
            clock,
            metrics,
            on_outcome=lambda outcome: courses.learn(outcome.looked, store.alerts.open(outcome.overview.organization)),
            on_round=service.cycles_ended,
            progress=service.history,
        )
        app = build_app(
            lambda: read_status(store, clock.now(), daemon.receivers, daemon.labels, daemon.shutoff),
            metrics,
            lambda: daemon.ready,
            lambda: daemon.http,
            Facts.of(daemon, store, clock, courses),
        )
        pages = PageServer(app, listener, settings.http.tls)
        for warning in settings.warnings:
            log.warning(warning)
        pages.start()
        daemon.start()
        collect_while_running()
        log.info("claude-watcher runs", page=pages.url, database=settings.store.shown)
        serve_until_told(daemon, signals, lambda: _settings_or_sentence(settings), service)
        log.info("ending")
        daemon.stop()
        pages.stop()
    log.info("ended")
    leave_at_once()


def poll(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Run one whole cycle of every organization now: read everything, judge it, deliver what is due, and end."""
    from watcher.incidents import acknowledge_incidents, close_incidents
    from watcher.keeping import keep_current
    from watcher.outbox import deliver
    from watcher.polling import poll_all
    from watcher.progress import history_bar
    from watcher.refreshing import refresh
    from watcher.upkeep import look_after
    from watcher.watched import InForce, Turns
    from watcher.wiring import assemble

    settings = load_settings(config)
    clock = clock_for(settings)
    with ExitStack() as closing:
        _take_lock(settings, closing)
        store = closing.enter_context(open_store(settings, read_only=False))
        force = InForce.of(settings, store, assemble, lambda _label, _request: None, Turns())
        parts = force.parts
        closing.callback(parts.close)
        now = clock.now()
        with history_bar() as progress:
            failures = poll_all(force, clock, progress)
        receivers = [notifier.name for notifier in parts.notifiers]
        look_after(store, settings.store.keep, receivers, settings.labels, now)
        for tend in (acknowledge_incidents, close_incidents):
            tend(store, settings.incident_trackers, force.organizations, settings.store.keep, now)
        for notifier in parts.notifiers:
            deliver(store.outbox, notifier, clock.now)
            refresh(store, notifier, force.organizations, clock.now())
            keep_current(notifier, clock.now())
    if failures:
        fail("\n".join(failures))


def _take_lock(settings: Settings, closing: ExitStack) -> None:
    from watcher.instance import AlreadyRunning, single_instance
    from watcher.store import StoreError

    try:
        closing.enter_context(single_instance(settings.store.url))
    except AlreadyRunning as running:
        fail(str(running), ALREADY_RUNNING)
    except StoreError as error:
        fail(str(error))


def _settings_or_sentence(settings: Settings) -> Settings | str:
    """The configuration as the file says it now, or why it cannot be used."""
    import os

    from watcher import logs
    from watcher.config import InvalidConfig, load
    from watcher.secrets import secrets_of

    try:
        fresh = load(settings.path, os.environ)
    except InvalidConfig as invalid:
        return str(invalid)
    logs.redact(secrets_of(fresh))
    return fresh
