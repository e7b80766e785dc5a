"""`watcher notify test`: a real message through one receiver."""

from __future__ import annotations

from typing import Annotated

import typer

from watcher.cli.context import DEFAULT_CONFIG, ConfigFile, clock_for, fail, load_settings

notify = typer.Typer(help="Try the receivers.", no_args_is_help=True)


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
) -> None:
    """Send a real message, marked as a test, through one receiver."""
    import difflib

    from notifiers.base import DeliveryError
    from notifiers.http import OutgoingHttp
    from watcher.channels import make_notifier
    from watcher.rehearsal import rehearsal

    settings = load_settings(config)
    known = {each.name: each for each in settings.receivers}
    if receiver not in known:
        near = difflib.get_close_matches(receiver, known, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else f" There are: {', '.join(known) or 'none'}."
        fail(f'No receiver is called "{receiver}".{hint}', 2)
    try:
        notifier = make_notifier(known[receiver], OutgoingHttp(), settings.http.link)
        notifier.send(rehearsal(receiver, clock_for(settings).now()))
    except DeliveryError as error:
        fail(f'Receiver "{receiver}" did not take the message: {error.reason}')
    typer.echo(f'Receiver "{receiver}" took the message.', err=True)
