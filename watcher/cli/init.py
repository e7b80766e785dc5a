"""`watcher init`: a first configuration, from the organization's own history."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.context import DEFAULT_CONFIG, as_sentence, clock_for, fail, must_be_text

if TYPE_CHECKING:
    from rules.model import Snapshot
    from watcher.proposal import Proposal
    from watcher.settings import Settings

WRONG_USAGE = 2
KEY = "ANTHROPIC_ADMIN_KEY"


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("init")(init)


def init(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The file to write; it must not be there yet.")
    ] = DEFAULT_CONFIG,
    admin_key_file: Annotated[
        Path | None,
        typer.Option(help=f"A file that holds the key. \\[default: the variable {KEY}]", show_default=False),
    ] = None,
    base_url: Annotated[str, typer.Option(help="Where the Admin API is.")] = "https://api.anthropic.com",
    days: Annotated[int, typer.Option(min=2, max=66, help="How much history to read.")] = 60,
    timezone: Annotated[str, typer.Option(help="Whose midnight budgets begin at, as in Europe/Berlin.")] = "UTC",
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Read the organization, and write a configuration with budgets from its own history, each number explained.

    Only reads from the API. The key is never written into the file.
    """
    from tempfile import TemporaryDirectory

    from watcher.proposal import propose, written
    from watcher.proposal.history import history_of
    from watcher.proposal.text import Access

    _check_output(output, force=force)
    _check_zone(timezone)
    key_file = None if admin_key_file is None else must_be_text("--admin-key-file", str(admin_key_file.absolute()))
    must_be_text("--base-url", base_url)
    with TemporaryDirectory(prefix="claude-watcher-init-") as folder:
        settings = _settings(Path(folder), base_url, key_file, days)
        now = clock_for(settings).now()
        snapshot, notes = _read(settings, days)
    proposal = propose(history_of(snapshot, timezone, now), days, notes)
    text = written(proposal, Access(settings.organizations[0].base_url, key_file), days)
    _install(text, output, force=force)
    _say(proposal, output)


def _check_output(output: Path, *, force: bool) -> None:
    if output.is_dir():
        fail(f"{output} is a folder: name a file with -o.", WRONG_USAGE)
    if not output.absolute().parent.is_dir():
        fail(f"The folder {output.absolute().parent} does not exist: make it, or name another file with -o.")
    if os.path.lexists(output) and not force:
        fail(f"{output} is there already, and is left as it is: name another file with -o, or use --force.")


def _check_zone(timezone: str) -> None:
    from watcher.config.problems import Wrong
    from watcher.config.values import zone

    try:
        zone(timezone)
    except Wrong as wrong:
        fail(as_sentence(f"--timezone {wrong}"), WRONG_USAGE)


def _settings(folder: Path, base_url: str, key_file: str | None, days: int) -> Settings:
    """What to read with: a configuration of its own, so that key and address are held to the same rules as ever."""
    from watcher import logs
    from watcher.config import InvalidConfig, load
    from watcher.secrets import secrets_of

    if key_file is None and not os.environ.get(KEY, "").strip():
        fail(
            f"There is no key: set {KEY} to an Admin key (sk-ant-admin…; Claude Console, Settings, Admin keys), or "
            "name a file that holds one with --admin-key-file.",
            WRONG_USAGE,
        )
    key = f'admin_key = "${{{KEY}}}"' if key_file is None else f"admin_key_file = {_toml(key_file)}"
    config = folder / "config.toml"
    tables = (f"[anthropic]\nbase_url = {_toml(base_url)}\n{key}", f'[poll]\nbackfill = "{days}d"')
    config.write_text("\n".join(tables), encoding="utf-8")
    try:
        settings = load(config, os.environ)
    except InvalidConfig as invalid:
        fail("\n".join(_as_option(str(problem)) for problem in invalid.problems), WRONG_USAGE)
    logs.redact(secrets_of(settings))
    return settings


def _toml(text: str) -> str:
    """A text as TOML has it, taken as it is: JSON's escapes are TOML's, and a dollar sign is none of a variable."""
    return json.dumps(text.replace("$", "$$"))


def _as_option(problem: str) -> str:
    names = {"anthropic.base_url": "--base-url", "anthropic.admin_key_file": "--admin-key-file"}
    place, _, message = problem.partition(": ")
    return as_sentence(f"{names.get(place, KEY)} {message}")


def _read(settings: Settings, days: int) -> tuple[Snapshot, tuple[str, ...]]:
    from watcher.admin_api import AdminApiError
    from watcher.progress import history_bar
    from watcher.proposal.reading import NothingToRead, read_organization
    from watcher.store import Store, StoreError

    typer.echo(f"Reading the last {days} days from {settings.organizations[0].base_url} …", err=True)
    try:
        with Store.open(settings.store.url) as store, history_bar() as progress:
            return read_organization(settings, store, clock_for(settings).now(), progress, time.sleep)
    except (AdminApiError, StoreError, NothingToRead) as error:
        fail(f"{error}\nNothing was written.")


def _install(text: str, output: Path, *, force: bool) -> None:
    """Put the file in place, whole and for its owner alone, once `watcher check` finds nothing wrong with it."""
    from watcher.config import check

    fresh = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        report = check(fresh, os.environ)
        if report.settings is None:
            fail(f"The proposal is not valid, and was not written; please report this:\n{report.invalid}")
        if force:
            fresh.replace(output)
        else:
            _without_overwriting(fresh, output)
    except FileExistsError:
        fail(f"{output} is there already, and is left as it is: name another file with -o, or use --force.")
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror or error}.")
    finally:
        with suppress(OSError):
            fresh.unlink()


def _without_overwriting(fresh: Path, output: Path) -> None:
    """Give the file its name, unless a file of that name has come to be there meanwhile (FileExistsError)."""
    try:
        os.link(fresh, output)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(output):
            raise FileExistsError from None
        fresh.replace(output)


def _say(proposal: Proposal, output: Path) -> None:
    """What was proposed, to standard output; what comes next, to standard error."""
    from notifiers.text import clean
    from watcher.proposal.text import summary

    history = proposal.history
    typer.echo(f"Wrote {output} from {history.days:.0f} days of {clean(history.organization_name)}:")
    for name, limit in summary(proposal.budgets):
        typer.echo(f"  {clean(name, 48):<48}  {limit}")
    for note in proposal.notes:
        typer.echo(f"note: {note}", err=True)
    typer.echo(
        "\nNext:\n"
        f"  1. Read {output}: each number says how it came about.\n"
        "  2. Say who is told: the receiver and the route at its end are commented out.\n"
        f"  3. watcher check --online -c {output}\n"
        f"  4. watcher run -c {output}",
        err=True,
    )
