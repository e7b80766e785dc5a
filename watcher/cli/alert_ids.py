"""Alerts as people name them on the command line: an id, or the beginning of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from watcher.cli.asking import WRONG_USAGE
from watcher.cli.context import fail

if TYPE_CHECKING:
    from rules.model import Alert

_LEAST_OF_AN_ID = 4
_MOST_LISTED = 5


def the_alert(wanted: str, alerts: Sequence[Alert], *, noun: str, fits: Callable[[Alert], bool]) -> Alert:
    """The alert of that id, or whose id alone begins so; exits with 2 where there is none, or several.

    Of those that it might have been the ones that `fits` are named, as `noun` ("anomaly").
    """
    found = [alert for alert in alerts if alert.id == wanted]
    if not found and len(wanted) >= _LEAST_OF_AN_ID:
        found = [alert for alert in alerts if alert.id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        which = f"{len(found)} alerts have an id that begins with {wanted!a}"
        fail(f"{which}: {_listed(found)}.", WRONG_USAGE)
    nothing = f"No alert has an id that begins with {wanted!a}"
    if any(alert.id.startswith(wanted) for alert in alerts):
        nothing = f"{wanted!a} is too short for an id: write at least its first {_LEAST_OF_AN_ID} characters"
    others = [alert for alert in alerts if fits(alert)]
    if not others:
        return fail(f"{nothing}, and no {noun} has been told yet.", WRONG_USAGE)
    plural = "anomalies" if noun == "anomaly" else f"{noun}s"
    return fail(f"{nothing}. The newest {plural} are {_listed(others)}.", WRONG_USAGE)


def _listed(alerts: Sequence[Alert]) -> str:
    """ "0123456789 (key spend), …"."""
    named = [f"{alert.id} ({ascii(alert.subject.rule)[1:-1]})" for alert in alerts[:_MOST_LISTED]]
    more = f" and {len(alerts) - _MOST_LISTED} more" if len(alerts) > _MOST_LISTED else ""
    return ", ".join(named) + more
