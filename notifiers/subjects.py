"""What an alert is about, in words: by name for the title, by name and id for the line under it."""

from __future__ import annotations

from dataclasses import replace

from notifiers.story import Line, Words, code, strong
from notifiers.text import clean
from rules.model import (
    CONSOLE,
    DEFAULT_WORKSPACE,
    UNATTRIBUTED,
    UNKNOWN,
    Alert,
    AnomalyEvidence,
    BudgetEvidence,
    Dimension,
    Share,
    TriggerEvidence,
    UnitPriceEvidence,
)
from rules.wording import in_order, phrase

_SPECIAL = {
    CONSOLE: "Console use",
    DEFAULT_WORKSPACE: "the default workspace",
    UNATTRIBUTED: "cost without usage",
}
NOUNS: dict[Dimension, str] = {"workspace": "workspace", "api_key": "key", "model": "model", "user": "user"}
"""What has ids is called; families, tiers and tags have words of their own (`rules.wording`)."""
_NAME_IN_TITLE = 44


def parts_of(alert: Alert) -> dict[Dimension, str]:
    """The ids of the scope, and beside a key also its workspace, and the model of 95 % of the figure.

    A key's workspace is the one id that the alert's names have beyond the scope's own.
    """
    scope = alert.subject.scope.parts()
    if "api_key" not in scope:
        return scope
    others = [ident for ident in alert.names if ident not in scope.values()]
    if "workspace" not in scope and len(others) == 1:
        scope["workspace"] = others[0]
    models = [share for share in _top(alert) if share.dimension == "model"]
    if "model" not in scope and models:
        dearest = max(models, key=lambda share: share.cost)
        if 20 * dearest.cost >= 19 * sum(share.cost for share in models) > 0:
            scope["model"] = dearest.id
    return scope


def title_subject(alert: Alert) -> str:
    """The subject as a title says it: `key “batch” (Production)`, `workspace “Production”`, `the organization`."""
    scope, parts = alert.subject.scope, parts_of(alert)
    words: list[str] = []
    for dimension, ident in in_order(scope):
        if not words:
            words.append(_titled(dimension, ident, alert))
            workspace = parts.get("workspace")
            if dimension == "api_key" and workspace is not None and (name := _name(workspace, alert)) is not None:
                words.append(f"({clean(name, 28)})")
        elif dimension == "model":
            words.append(f"on {clean(ident, 32)}")
        elif dimension == "workspace":
            words += [] if scope.api_key else [f"in {_titled(dimension, ident, alert)}"]
        elif dimension in NOUNS:
            words += [] if _says_nothing_new(ident) else [f"of {_titled(dimension, ident, alert)}"]
        else:
            words.append(clean(phrase(dimension, ident, first=False), _NAME_IN_TITLE))
    return " ".join(words) or "the organization"


def subject_line(alert: Alert) -> Line:
    """Every part of the scope by name, the first also by id; empty for the organization."""
    scope, parts = alert.subject.scope, parts_of(alert)
    # A model beyond the scope is told by the title and by what drives it.
    whole = replace(scope, workspace=parts.get("workspace"))
    words: list[Words] = []
    for dimension, ident in in_order(whole):
        between = [Words(", ")] if words else []
        if not words and dimension in NOUNS:
            words += named(dimension, ident, alert, first=True)
        elif dimension == "workspace" and (name := _name(ident, alert)) is not None:
            words += [Words(", workspace "), strong(clean(name))]
        elif dimension == "user" and _says_nothing_new(ident):
            continue
        elif dimension in NOUNS:
            words += [*between, *named(dimension, ident, alert)]
        else:
            told = phrase(dimension, ident, first=not words)
            words += [*between, Words(told if words else capital(told))]
    return tuple(words)


def named(
    dimension: Dimension, ident: str, alert: Alert, *, name: str | None = None, first: bool = False
) -> list[Words]:
    """A noun with name and id: key **batch** `apikey_01`. `first` begins a sentence; `name` if the caller knows it."""
    if ident in _SPECIAL:
        return [strong(capital(_SPECIAL[ident]) if first else _SPECIAL[ident])]
    if dimension not in NOUNS or ident == UNKNOWN:
        told = phrase(dimension, ident, first=True)
        return [Words(capital(told) if first else told)]
    noun = capital(NOUNS[dimension]) if first else NOUNS[dimension]
    name = name or _name(ident, alert)
    if name is None or name == ident:
        return [Words(f"{noun} "), code(clean(ident, 80))]
    return [Words(f"{noun} "), strong(clean(name)), Words(" "), code(clean(ident, 80))]


def capital(text: str) -> str:
    """The text with its first letter raised, the rest as it is."""
    return text[:1].upper() + text[1:]


def _titled(dimension: Dimension, ident: str, alert: Alert) -> str:
    if ident in _SPECIAL:
        return _SPECIAL[ident]
    if dimension == "model":
        return f"model {clean(ident, _NAME_IN_TITLE)}"
    if dimension not in NOUNS or ident == UNKNOWN:
        return clean(phrase(dimension, ident, first=True), _NAME_IN_TITLE)
    return f"{NOUNS[dimension]} “{clean(_name(ident, alert) or ident, _NAME_IN_TITLE)}”"


def _says_nothing_new(ident: str) -> bool:
    """Whether it is the user of Console use or of cost without usage, which stands there already."""
    return ident in _SPECIAL


def _name(ident: str, alert: Alert) -> str | None:
    """What people call the id, if that is known and is not the id itself."""
    if ident in _SPECIAL:
        return _SPECIAL[ident]
    known = alert.names.get(ident) or next((share.name for share in _top(alert) if share.id == ident), None)
    return known if known and known != ident else None


def _top(alert: Alert) -> tuple[Share, ...]:
    evidence = alert.evidence
    whole = AnomalyEvidence | BudgetEvidence | TriggerEvidence | UnitPriceEvidence
    return evidence.top if isinstance(evidence, whole) else ()
