"""`watcher feedback`: somebody says of an anomaly that it was expected, or that it is real."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.asking import LONGEST_REASON, WRONG_USAGE, Actor, actor_of, ask
from watcher.cli.context import DEFAULT_CONFIG, ConfigFile, clock_for, fail, load_settings, must_be_text, open_store
from watcher.cli.organizations import chosen

if TYPE_CHECKING:
    from rules.model import Alert

_LEAST_OF_AN_ID = 4
_MOST_LISTED = 5


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
        found = _alert(alert, every)
        if (wrong := problem(found)) is not None:
            fail(f"{wrong.capitalize()}.", WRONG_USAGE)
        details = {"alert": found.id, "verdict": verdict, "comment": why}
        ask(settings, store, FEEDBACK, [(concerned[found.subject.scope.organization], details)], actor_of(by), now)


def _alert(wanted: str, alerts: Sequence[Alert]) -> Alert:
    """The alert of that id, or whose id alone begins so; exits with 2 where there is none, or several."""
    from rules.feedback import problem

    found = [alert for alert in alerts if alert.id == wanted]
    if not found and len(wanted) >= _LEAST_OF_AN_ID:
        found = [alert for alert in alerts if alert.id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        which = f"{len(found)} alerts have an id that begins with {wanted!a}"
        fail(f"{which}: {_listed(found)}.", WRONG_USAGE)
    if any(alert.id.startswith(wanted) for alert in alerts):
        fail(f"{wanted!a} is too short for an id: write at least its first {_LEAST_OF_AN_ID} characters.", WRONG_USAGE)
    nothing = f"No alert has an id that begins with {wanted!a}"
    anomalies = [alert for alert in alerts if problem(alert) is None]
    if not anomalies:
        return fail(f"{nothing}, and no anomaly has been told yet.", WRONG_USAGE)
    return fail(f"{nothing}. The newest anomalies are {_listed(anomalies)}.", WRONG_USAGE)


def _listed(alerts: Sequence[Alert]) -> str:
    """ "0123456789 (key spend), …"."""
    named = [f"{alert.id} ({ascii(alert.subject.rule)[1:-1]})" for alert in alerts[:_MOST_LISTED]]
    more = f" and {len(alerts) - _MOST_LISTED} more" if len(alerts) > _MOST_LISTED else ""
    return ", ".join(named) + more
