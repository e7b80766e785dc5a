"""What the stories of all kinds of alert say in the same words: drivers, remedies, age and certainty of figures."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from notifiers.story import Line, Section, Tone, Whom, Words, code, line, strong
from notifiers.subjects import NOUNS, named, parts_of
from notifiers.text import ago, clean, percent, shorten, when
from rules.measures import SPEND, Measure, amount_words
from rules.model import CONSOLE, DEFAULT_WORKSPACE, UNATTRIBUTED, Alert, Scope, Severity, Share, State

LONGEST_TITLE = 140
_LONGEST_CONDITION = 100
_LONGEST_OWNER = 90
_MOST_OWNERS = 5
_SHORT_ID = 8
_SHOWN_CHILDREN = 5
_SHOWN_OF_THE_SECOND = 2
_TONES = {Severity.CRITICAL: Tone.CRITICAL, Severity.WARNING: Tone.WARNING, Severity.INFO: Tone.INFO}


def tone_of(alert: Alert) -> Tone:
    """How a message about this alert presents itself."""
    return Tone.RESOLVED if alert.state is State.RESOLVED else _TONES[alert.severity]


def title(text: str) -> str:
    """A title within the length that every channel takes."""
    return shorten(text, LONGEST_TITLE)


def lines(*rows: Line) -> tuple[Line, ...]:
    """The rows that say something."""
    return tuple(row for row in rows if row)


def drivers(
    alert: Alert, top: Sequence[Share], total: int, heading: str, measure: Measure = SPEND
) -> tuple[Section, ...]:
    """The largest children with their part of `total`, and what is left beside them; all of it in that measure.

    Keys come first, since a key has an owner; of a second dimension only the largest are told. A dimension whose one
    child the subject's line or the title has named already drives nothing new.
    """
    if total <= 0:
        return ()
    known = parts_of(alert)
    rows: list[Line] = []
    most = _SHOWN_CHILDREN
    for dimension in ("api_key", "user", "model", "workspace"):
        shares = sorted((share for share in top if share.dimension == dimension), key=lambda share: -share.cost)
        if not shares or not most or (len(shares) == 1 and known.get(dimension) == shares[0].id):
            continue
        rows += [(*_child(share, alert), *_amount(share.cost, total, measure)) for share in shares[:most]]
        rest = total - sum(share.cost for share in shares[:most])
        if most == _SHOWN_CHILDREN and 1000 * rest >= total:
            rows.append((Words(f"all other {NOUNS[dimension]}s together"), *_amount(rest, total, measure)))
        most = _SHOWN_OF_THE_SECOND if most == _SHOWN_CHILDREN else 0
    return (Section(heading, tuple(rows), listed=True),) if rows else ()


def _amount(cost: int, total: int, measure: Measure) -> Line:
    return line("  ", strong(amount_words(measure, cost)), f"  {percent(cost, total)}")


def _child(share: Share, alert: Alert) -> list[Words]:
    if share.dimension == "model":
        return [Words("on "), code(clean(share.id))]
    return named(share.dimension, share.id, alert, name=share.name)


def remedies(alert: Alert, since: datetime, bucket: Literal["hour", "day"]) -> tuple[Line, ...]:
    """What the reader can do now, with the command that shows more."""
    scope = alert.subject.scope
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    by = "model" if scope.api_key else "api_key,model" if scope.parts() else "workspace,api_key"
    where = "".join(f"--where {condition} " for condition in _conditions(scope))
    return lines(
        whom_to_ask(alert),
        line("To see where it goes: ", code(f"watcher spend {where}--by {by} --bucket {bucket} --from {moment}")),
    )


def feedback_asked(alert: Alert) -> Line:
    """How to say whether it was meant; nothing for an alert whose id no command could take."""
    ident = alert.id[:_SHORT_ID]
    if not ident.isalnum():
        return ()
    return line(
        "If it was meant to be: ", code(f"watcher feedback {ident} expected"), "; if not, ", code("… real"), "."
    )


def _conditions(scope: Scope) -> Iterator[str]:
    """The scope as `watcher spend --where` takes it; a value that would have to be cut or mended is left out."""
    for dimension, value in scope.parts().items():
        condition = f"{dimension}={value}"
        if clean(condition, _LONGEST_CONDITION) == condition:
            yield shlex.quote(condition)


def whom_to_ask(alert: Alert) -> Line:
    """Who can stop it, and how."""
    scope = alert.subject.scope
    if CONSOLE in {scope.api_key, scope.user}:
        return line("It is use in the Console, which no key stops: ask who is working there.")
    if UNATTRIBUTED in {scope.api_key, scope.user}:
        return line("No key stands behind it: compare the cost report in the Console.")
    if scope.api_key is not None:
        name = alert.names.get(scope.api_key, scope.api_key)
        return line(
            "Ask the key's owner",
            *_named_owner(alert),
            ", or disable ",
            strong(clean(name)),
            " in the Claude Console under API keys.",
        )
    if alert.whose:
        return line("Ask ", _owner(alert), ".")
    if scope.workspace == DEFAULT_WORKSPACE:
        return line("The default workspace takes no spend limit: look for the key that drives it.")
    if scope.workspace is not None:
        return line("To cap it, set the workspace's spend limit in the Claude Console.")
    return line("Ask the owners of what drives it.")


def owner_line(alerts: Iterable[Alert], *, wake: bool) -> Line:
    """Whose these alerts are, where the configuration says so; `wake` has channels that can mention them do so."""
    owners = list(dict.fromkeys(alert.owned for alert in alerts if alert.owned is not None))
    shown = [
        replace(strong(clean(each.words, _LONGEST_OWNER)), whom=Whom(each.slack, each.email) if wake else None)
        for each in owners[:_MOST_OWNERS]
    ]
    if not shown:
        return ()
    listed = [part for words in shown for part in (Words(", "), words)][1:]
    more = f" and {len(owners) - len(shown)} more" if len(owners) > len(shown) else ""
    return line("Owners: " if len(owners) > 1 else "Owner: ", *listed, more)


def _owner(alert: Alert) -> Words:
    return strong(clean(alert.whose, _LONGEST_OWNER))


def _named_owner(alert: Alert) -> tuple[Words, ...]:
    return (Words(", "), _owner(alert)) if alert.whose else ()


def unpriced(models: Sequence[str]) -> Line:
    """A warning that the figures are too high rather than too low; empty when every model has its price."""
    if not models:
        return ()
    named_models = ", ".join(clean(model, 40) for model in models[:3])
    more = f" and {len(models) - 3} more" if len(models) > 3 else ""
    return line(
        f"No price is known for {named_models}{more}: the dearest of the family stands in, so the figures are "
        "too high rather than too low."
    )


def certainty(data_as_of: datetime, settled: int, total: int, now: datetime) -> tuple[str, str]:
    """How old the figures are, and what part of them the provider has settled."""
    age = f"data as of {when(data_as_of, now)} ({ago(data_as_of, now)})"
    if settled >= total > 0:
        return age, "settled by the cost report"
    if settled <= 0:
        return age, "estimated, nothing settled yet"
    return age, f"{percent(settled, total)} settled, the rest estimated"
