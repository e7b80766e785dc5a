"""The configuration: TOML in, `watcher.settings.Settings` out, or everything that is wrong with it at once."""

from watcher.config.addresses import is_loopback
from watcher.config.checking import CheckReport, check
from watcher.config.loading import load
from watcher.config.problems import InvalidConfig, Problem

__all__ = ["CheckReport", "InvalidConfig", "Problem", "check", "is_loopback", "load"]
