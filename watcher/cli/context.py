"""What the commands share: reading the configuration, the clock, the store, and how a failure is told and exits."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from watcher.clock import Clock, SystemClock, parse_drill

if TYPE_CHECKING:
    from watcher.settings import Settings
    from watcher.store import Store

FAILED, INVALID_CONFIG, ALERTS_FIRING, ALREADY_RUNNING, INTERRUPTED = 1, 3, 4, 75, 130

ConfigFile = Annotated[
    Path,
    typer.Option("-c", "--config", envvar="WATCHER_CONFIG", help="The configuration file.", show_default=True),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_CONFIG = Path("config.toml")


def fail(sentence: str, code: int = FAILED) -> NoReturn:
    """Say on standard error what went wrong, and exit."""
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def as_sentence(text: str) -> str:
    """The text with a full stop, unless it ends with a mark of its own."""
    return text if text.endswith(("?", ".")) else f"{text}."


def must_be_text(option: str, text: str) -> str:
    """The text of an option; exits with 2 for bytes that are no text, which neither a file nor the store can keep."""
    try:
        text.encode()
    except UnicodeEncodeError:
        fail(f"{option} must be UTF-8 text, and {text[:80]!a} is not.", 2)
    return text


def print_json(document: Any) -> None:
    """Print a document on standard output, in ASCII: names come from outside, and JSON's escapes make them harmless."""
    typer.echo(json.dumps(document, indent=2))


def load_settings(config: Path) -> Settings:
    """The configuration; what is wrong with it is told, all at once, and exits with 3.

    A drill against anything but loopback exits with 2, whatever the command.
    """
    from watcher import logs
    from watcher.config import InvalidConfig, load
    from watcher.secrets import secrets_of

    try:
        settings = load(config, os.environ)
    except InvalidConfig as invalid:
        fail(str(invalid), INVALID_CONFIG)
    logs.redact(secrets_of(settings))
    clock_for(settings)
    return settings


def clock_for(settings: Settings) -> Clock:
    """The machine's clock, or the drill's; a drill against anything but loopback is refused."""
    text = os.environ.get("WATCHER_CLOCK")
    if not text:
        return SystemClock()
    from watcher.config import is_loopback

    if not all(is_loopback(organization.base_url) for organization in settings.organizations):
        fail("WATCHER_CLOCK is for drills against a simulator: it is refused unless every base_url is loopback.", 2)
    return drill_clock(text)


def drill_clock(text: str | None) -> Clock:
    """The clock that `WATCHER_CLOCK` asks for, or the machine's where it asks for none."""
    if not text:
        return SystemClock()
    try:
        return parse_drill(text)
    except ValueError as error:
        fail(f"{error}.", 2)


@contextmanager
def open_store(settings: Settings, *, read_only: bool = True) -> Iterator[Store]:
    """The store, closed at the end; what keeps it from opening is one sentence and exit code 1."""
    from watcher.store import Store, StoreError

    try:
        store = Store.open(settings.store.url, read_only=read_only)
    except StoreError as error:
        fail(str(error))
    try:
        yield store
    except StoreError as error:
        fail(str(error))
    finally:
        store.close()
