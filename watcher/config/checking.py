"""`watcher check`, offline: is the configuration right, is it wise, and what would it do?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from watcher.config.describe import describe
from watcher.config.loading import load
from watcher.config.mounts import mounts_here, network_mount
from watcher.config.problems import InvalidConfig, Problem, shown_path
from watcher.settings import Settings


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What there is to say of a configuration. Either `settings` is there, or `invalid` is."""

    settings: Settings | None
    invalid: InvalidConfig | None = None
    """What `load` raised; `str()` of it is the list to show."""
    warnings: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    """What the program would watch and do; empty when the configuration is invalid."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong; empty when the configuration is valid."""
        return () if self.invalid is None else self.invalid.problems


def check(path: Path, env: Mapping[str, str]) -> CheckReport:
    """Look at the configuration at `path`, with variables from `env`; never raises for what the file holds."""
    try:
        settings = load(path, env)
    except InvalidConfig as invalid:
        return CheckReport(None, invalid)
    warnings = (*settings.warnings, *_about_shutoff(settings), *_about_the_store(settings))
    return CheckReport(settings, None, warnings, tuple(describe(settings)))


def _about_shutoff(settings: Settings) -> list[str]:
    if settings.shutoff is None:
        return []
    from watcher.config.shutoff_words import warn_of_shutoff  # noqa: PLC0415 (few configurations need it)

    return list(warn_of_shutoff(settings.shutoff, settings))


def _about_the_store(settings: Settings) -> list[str]:
    """What the file system says of the place that the database is to have."""
    path = settings.store.path
    if path is None:
        return []
    try:
        exists = path.parent.is_dir()
    except OSError as error:
        return [f"store.url: {shown_path(path.parent)} cannot be looked at: {error.strerror}"]
    if not exists:
        return [f"store.url: the folder {shown_path(path.parent)} does not exist yet; make it before the first start"]
    kind = network_mount(PurePosixPath(path.parent.resolve()), mounts_here())
    if kind is None:
        return []
    where = f"{shown_path(path)} lies on a network file system ({kind})"
    return [f"store.url: {where}, where SQLite can lose data: put it on a local disk, or use PostgreSQL"]
