"""`watcher check`: is the configuration right, and what would it do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.context import DEFAULT_CONFIG, INVALID_CONFIG, ConfigFile, clock_for, fail
from watcher.cli.sentences import say, say_lines

WRONG_USAGE = 2

if TYPE_CHECKING:
    from datetime import datetime

    from watcher.online import Answer
    from watcher.settings import OrganizationSettings, Settings


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("check")(check)


def check(
    config: ConfigFile = DEFAULT_CONFIG,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask the API what this key may read, and each receiver.")
    ] = False,
    labels: Annotated[
        str | None,
        typer.Option("--route", help="Say only who would hear of an alert with these labels, as 'severity=critical'."),
    ] = None,
) -> None:
    """Check the configuration and say in plain words what it would watch and do."""
    from watcher import logs
    from watcher.config import check as check_config
    from watcher.ownership import check_ownership
    from watcher.secrets import secrets_of

    if sentence := check_ownership(thorough=True):
        typer.echo(sentence, err=True)
        raise typer.Exit(1)
    report = check_config(config, os.environ)
    if report.settings is None:
        say_lines(str(report.invalid), err=True)
        raise typer.Exit(INVALID_CONFIG)
    logs.redact(secrets_of(report.settings))
    clock = clock_for(report.settings)
    if labels is not None:
        _who_hears(report.settings, labels)
        return
    say(f"{config} is valid.")
    for line in report.sentences:
        say(line, "  ")
    if report.settings.events:
        from watcher.config.event_words import coming

        for line in coming(report.settings.events, clock.now()):
            say(line, "  ")
    for warning in report.warnings:
        say(f"warning: {warning}", err=True)
    if not online:
        _warn_of_idle(report.settings, _idle_in_store(report.settings, clock.now()))
    elif not all((_ask(report.settings, clock.now()), _ask_receivers(report.settings))):
        raise typer.Exit(1)


def _who_hears(settings: Settings, text: str) -> None:
    """Print the routes that take an alert with these labels, and their receivers; exits with 2 for what is none."""
    from rules import labels
    from rules.matchers import NoMatcher, split
    from rules.routes import taken

    found: dict[str, list[str]] = {}
    for part in split(text):
        try:
            matcher = labels.read(part)
        except NoMatcher as error:
            fail(f"--route: {part!a} {error}.", WRONG_USAGE)
        if matcher.operator != "=":
            fail(f"--route takes labels with their values, such as severity=critical, not {part!a}.", WRONG_USAGE)
        found.setdefault(matcher.label, []).append(matcher.value)
    receivers: dict[str, None] = {}
    for route in taken(settings.routes, found):
        receivers[route.receiver] = None
        by = " and ".join(map(str, route.match)) or "it takes every alert"
        say(f'{route.written} to "{route.receiver}": {by}', "  ")
    names = ", ".join(f'"{name}"' for name in receivers)
    say(f"Would hear: {names}." if receivers else "Nobody would hear: no route takes it.")


def _ask(settings: Settings, now: datetime) -> bool:
    """Ask the API for a little of every source; True if every one that exists answered."""
    from watcher.admin_api import RetryPolicy
    from watcher.online import ask_sources
    from watcher.wiring import open_connection

    fine = True
    identified: dict[str, str] = {}
    idle: list[tuple[str, ...]] = []
    for organization in settings.organizations:
        if organization.label:
            typer.echo(f"{organization.label}:")
        with open_connection(organization, retries=RetryPolicy(attempts=3)) as connection:
            answers = []
            for answer in ask_sources(connection, now):
                answers.append(answer)
                mark = {"answers": "✓", "not offered": "–"}.get(answer.state, "✗")
                say(f"{answer.source}: {answer.sentence}", f"  {mark} ")
                fine = fine and answer.state != "failed"
                if answer.hopeless:
                    say("The other sources were not asked.", err=True)
                if answer.organization and identified.setdefault(answer.organization, organization.label) != (
                    organization.label
                ):
                    other = identified[answer.organization]
                    say(f'this is the organization of "{other}" too: leave one of the two out', "  ✗ ", err=True)
                    fine = False
            _warn(settings, organization.label, answers)
        if settings.shutoff is not None:
            fine = _ask_about_shutoff(settings, organization, answers, idle, now) and fine
    _warn_of_idle(settings, idle)
    return fine


def _ask_about_shutoff(
    settings: Settings,
    organization: OrganizationSettings,
    answers: Sequence[Answer],
    idle: list[tuple[str, ...]],
    now: datetime,
) -> bool:
    """Ask whose the action key is; add to `idle` the patterns that protect nothing. False if the key would not do."""
    from dataclasses import replace

    from watcher.admin_api import RetryPolicy
    from watcher.online_shutoff import NOT_TRIED, SOURCE, ask_action_key, idle_by_answers
    from watcher.wiring import open_connection

    found = idle_by_answers(settings.shutoff.policy.protect, answers, now) if settings.shutoff is not None else None
    idle += [] if found is None else [found]
    if organization.action_key is None:
        say(f"{SOURCE}: the key that is read with; {NOT_TRIED}", "  – ")
        return True
    told = next((answer.organization for answer in answers if answer.organization), None)
    own = replace(organization, admin_key=organization.action_key)
    with open_connection(own, retries=RetryPolicy(attempts=3)) as connection:
        answer = ask_action_key(connection, told)
    say(f"{answer.source}: {answer.sentence}", "  ✓ " if answer.state == "answers" else "  ✗ ")
    return answer.state == "answers"


def _idle_in_store(settings: Settings, now: datetime) -> list[tuple[str, ...]]:
    """By what an earlier run read: the patterns of each organization that protect nothing; none without a database."""
    shutoff, path = settings.shutoff, settings.store.path
    if shutoff is None or path is None or not path.is_file():
        return []
    from watcher.online_shutoff import idle_by_store
    from watcher.store import Store, StoreError

    try:
        store = Store.open(settings.store.url, read_only=True)
    except StoreError:
        return []
    try:
        return list(idle_by_store(shutoff, store, now))
    except StoreError:
        return []
    finally:
        store.close()


def _warn_of_idle(settings: Settings, found: Sequence[tuple[str, ...]]) -> None:
    if settings.shutoff is None or not found:
        return
    from watcher.online_shutoff import idle_words

    for sentence in idle_words(found):
        say(f"warning: {sentence}", err=True)


def _ask_receivers(settings: Settings) -> bool:
    """Ask each receiver what can be asked without a message; True if none failed."""
    from watcher.probing import ask_receivers

    fine = True
    for probe in ask_receivers(settings):
        mark = {True: "✓", None: "–", False: "✗"}[probe.fine]
        say(f'receiver "{probe.receiver}": {probe.sentence}', f"  {mark} ")
        fine = fine and probe.fine is not False
    return fine


def _warn(settings: Settings, label: str, answers: list[Answer]) -> None:
    """Say which budgets and events reach nothing in this organization."""
    from rules.events import Event
    from rules.judgement import Rules
    from watcher.budget_reach import event_warnings, warnings

    told = next((answer for answer in answers if answer.organization), None)
    called = [label, *([told.name] if told else [])]
    planned = tuple(Event(event.name, (), event.select, event.expect) for event in settings.events)
    rules = Rules(settings.budgets, events=planned).of(told.organization or "" if told else "", called)
    for sentence in (*warnings(rules.budgets, answers), *event_warnings(rules.events, answers)):
        say(f"warning: {sentence}", err=True)
