"""`watcher feedback`: somebody says of an anomaly that it was expected, or that it is real."""

from __future__ import annotations

from typing import Annotated

import typer

from watcher.cli.alert_ids import the_alert
from watcher.cli.asking import LONGEST_REASON, WRONG_USAGE, Actor, actor_of, ask
from watcher.cli.context import DEFAULT_CONFIG, ConfigFile, clock_for, fail, load_settings, must_be_text, open_store
from watcher.cli.organizations import chosen


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("feedback")(feedback)


def feedback(
    alert: Annotated[str, typer.Argument(help="Its id, as `watcher alerts` shows it, or its first characters.")],
    verdict: Annotated[
        str | None, typer.Argument(help='"expected" or "real".', metavar="expected|real", show_default=False)
    ] = None,
    comment: Annotated[str, typer.Option(help="Why, for whoever looks at it later.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was said of this alert.")] = False,
    by: Actor = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Say that an anomaly was expected, or that it is real; also after it has ended.

    Expected: it ends, and for eight weeks as much may come again there at those hours of the day, and is learnt.

    Real: its hours are never learnt as normal, however long it lasts.
    """
    from rules.feedback import FEEDBACK, problem
    from rules.quieted import EXPECTED, REAL

    if undo == (verdict is not None):
        fail("Write one of: expected, real, or --undo.", WRONG_USAGE)
    if verdict not in {None, EXPECTED, REAL}:
        fail(f'It must be "{EXPECTED}" or "{REAL}", not {verdict!a}.', WRONG_USAGE)
    why = " ".join(must_be_text("--comment", comment).split())
    if len(why) > LONGEST_REASON:
        fail(f"--comment may have {LONGEST_REASON} characters, and this one has {len(why)}.", WRONG_USAGE)
    settings = load_settings(config)
    now = clock_for(settings).now()
    with open_store(settings, read_only=False) as store:
        concerned = {each.id: each for each in chosen(settings, store, None)}
        every = [one for one in store.alerts.list() if one.subject.scope.organization in concerned]
        found = the_alert(alert, every, noun="anomaly", fits=lambda one: problem(one) is None)
        if (wrong := problem(found)) is not None:
            fail(f"{wrong.capitalize()}.", WRONG_USAGE)
        details = {"alert": found.id, "verdict": verdict, "comment": why}
        ask(settings, store, FEEDBACK, [(concerned[found.subject.scope.organization], details)], actor_of(by), now)
