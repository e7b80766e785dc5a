"""`watcher notify test`: a real message through one receiver."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.context import DEFAULT_CONFIG, ConfigFile, clock_for, fail, load_settings

if TYPE_CHECKING:
    from notifiers.base import Notifier
    from watcher.settings import Settings

WRONG_USAGE = 2

notify = typer.Typer(help="Try the receivers.", no_args_is_help=True)


class Kinds(StrEnum):
    """What the message looks like."""

    ANOMALY = "anomaly"
    BUDGET = "budget"
    RESOLVED = "resolved"
    DIGEST = "digest"


def register(app: typer.Typer) -> None:
    """Add this group."""
    app.add_typer(notify, name="notify")


@notify.callback()
def group() -> None:
    """Try the receivers."""


@notify.command("test")
def send_test(
    receiver: Annotated[str, typer.Argument(help="The receiver's name in the configuration.")],
    config: ConfigFile = DEFAULT_CONFIG,
    kind: Annotated[Kinds, typer.Option("--as", help="What the message is to look like.")] = Kinds.ANOMALY,
) -> None:
    """Send a real message, marked as a test, through one receiver."""
    from notifiers.base import DeliveryError
    from watcher.rehearsal import rehearsal

    settings = load_settings(config)
    notifier = notifier_of(settings, receiver, digest=kind is Kinds.DIGEST)
    try:
        notifier.send(rehearsal(receiver, clock_for(settings).now(), kind.value))
    except DeliveryError as error:
        fail(f'Receiver "{receiver}" did not take the message: {error.reason}')
    typer.echo(f'Receiver "{receiver}" took the message.', err=True)


def notifier_of(settings: Settings, receiver: str, *, digest: bool = False) -> Notifier:
    """The receiver of that name, ready to send; exits with 2 for one that is not there, or takes no digests."""
    import difflib

    from notifiers.http import OutgoingHttp
    from watcher.channels import make_notifier

    known = {each.name: each for each in settings.receivers}
    if receiver not in known:
        near = difflib.get_close_matches(receiver, known, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else f" There are: {', '.join(known) or 'none'}."
        fail(f'No receiver is called "{receiver}".{hint}', WRONG_USAGE)
    if digest:
        from watcher.config.digest_tables import TAKES_NONE

        if (why := TAKES_NONE.get(known[receiver].type)) is not None:
            fail(f'Receiver "{receiver}" takes no digests: it {why}.', WRONG_USAGE)
    return make_notifier(known[receiver], OutgoingHttp(), settings.http.link)
