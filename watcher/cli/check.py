"""`watcher check`: is the configuration right, and what would it do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.context import DEFAULT_CONFIG, INVALID_CONFIG, ConfigFile, clock_for

if TYPE_CHECKING:
    from datetime import datetime

    from watcher.online import Answer
    from watcher.settings import Settings


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("check")(check)


def check(
    config: ConfigFile = DEFAULT_CONFIG,
    online: Annotated[bool, typer.Option("--online", help="Also ask the API what this key may read.")] = False,
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
        typer.echo(str(report.invalid), err=True)
        raise typer.Exit(INVALID_CONFIG)
    logs.redact(secrets_of(report.settings))
    clock = clock_for(report.settings)
    typer.echo(f"{config} is valid.")
    for line in report.sentences:
        typer.echo(f"  {line}")
    for warning in report.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if online and not _ask(report.settings, clock.now()):
        raise typer.Exit(1)


def _ask(settings: Settings, now: datetime) -> bool:
    """Ask the API for a little of every source; True if every one that exists answered."""
    from watcher.admin_api import RetryPolicy
    from watcher.online import ask_sources
    from watcher.wiring import open_connection

    fine = True
    identified: dict[str, str] = {}
    for organization in settings.organizations:
        if organization.label:
            typer.echo(f"{organization.label}:")
        with open_connection(organization, retries=RetryPolicy(attempts=3)) as connection:
            answers = []
            for answer in ask_sources(connection, now):
                answers.append(answer)
                mark = {"answers": "✓", "not offered": "–"}.get(answer.state, "✗")
                typer.echo(f"  {mark} {answer.source}: {answer.sentence}")
                fine = fine and answer.state != "failed"
                if answer.hopeless:
                    typer.echo("The other sources were not asked.", err=True)
                if answer.organization and identified.setdefault(answer.organization, organization.label) != (
                    organization.label
                ):
                    other = identified[answer.organization]
                    typer.echo(f'  ✗ this is the organization of "{other}" too: leave one of the two out', err=True)
                    fine = False
            _warn(settings, organization.label, answers)
    return fine


def _warn(settings: Settings, label: str, answers: list[Answer]) -> None:
    """Say which budgets reach nothing in this organization."""
    from rules.judgement import Rules
    from watcher.budget_reach import warnings

    told = next((answer for answer in answers if answer.organization), None)
    called = [label, *([told.name] if told else [])]
    rules = Rules(settings.budgets).of(told.organization or "" if told else "", called)
    for sentence in warnings(rules.budgets, answers):
        typer.echo(f"warning: {sentence}", err=True)
