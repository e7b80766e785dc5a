"""Whether the receivers would take a message, asked without sending one, for `watcher check --online`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from notifiers.base import DeliveryError, Notifier, Probed
from notifiers.http import OutgoingHttp
from watcher.channels import make_notifier
from watcher.settings import ConsoleSettings, Settings


@dataclass(frozen=True, slots=True)
class Probe:
    """What became of asking one receiver, in a clause; `fine` is None where nothing harmless can be asked."""

    receiver: str
    fine: bool | None
    sentence: str


def ask_receivers(settings: Settings, http: OutgoingHttp | None = None) -> Iterator[Probe]:
    """Ask one receiver after the other, in the order of the configuration."""
    http = http or OutgoingHttp()
    for receiver in settings.receivers:
        if isinstance(receiver, ConsoleSettings):
            yield Probe(receiver.name, None, "prints on standard output")
        else:
            yield _ask(make_notifier(receiver, http, settings.http.link))


def _ask(notifier: Notifier) -> Probe:
    if not isinstance(notifier, Probed):
        command = f"watcher notify test {shlex.quote(notifier.name)}"
        return Probe(notifier.name, None, f"not asked, as it takes nothing but messages: {command} sends one")
    try:
        return Probe(notifier.name, fine=True, sentence=notifier.probe())
    except DeliveryError as error:
        return Probe(notifier.name, fine=False, sentence=error.reason)
