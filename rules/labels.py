"""The labels of an alert, which routes and silences match on.

`kind`, `severity`, `rule` and `organization` are always there; the dimensions that the alert's scope settles are there
too: of a key also its workspace, its user and the tags of that workspace, of a model its family. Ids and names are both
texts of a label; a tag "team" is the label `tag_team`. A dimension that the scope leaves open is not there. `owner` is
whose the alert is by the configuration, or else its user.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import cache
from typing import get_args

from rules.dimensions import known_of
from rules.matchers import Labels, Matcher, NoMatcher, parse
from rules.model import DIMENSIONS, TAG, Alert, Dimension, Kind, Names, Severity
from rules.selectors import called

FIXED = ("kind", "severity", "rule", "organization")
"""The labels that every alert has."""
LABELS = (*FIXED, *DIMENSIONS, "owner")
"""All labels but those of tags."""
TAG_LABEL = "tag_"
"""What the label of a workspace tag begins with; the tag's key follows, "_" standing for what a label cannot hold."""
CLOSED: dict[str, tuple[str, ...]] = {"kind": get_args(Kind), "severity": tuple(map(str, Severity))}
"""The labels of which every value is known."""
_ODD = re.compile(r"[^a-zA-Z0-9_]")


def labels_of(alert: Alert, names: Names, organization: Iterable[str] = ()) -> Labels:
    """The labels of an alert as things are called now; `organization` is what its organization is called."""
    subject = alert.subject
    scope = subject.scope
    parts = scope.parts()
    beside = next((ident for ident in alert.names if ident not in parts.values()), None)
    known = known_of(scope, names, (), beside)
    labels: dict[str, list[str]] = {
        "kind": [subject.kind],
        "severity": [alert.severity.value],
        "rule": [subject.rule],
        "organization": [scope.organization, *filter(None, organization)],
    }
    for dimension, ident in known.items():
        labels[label_of(dimension)] = _texts(dimension, ident, alert, names)
    own = alert.owned
    owner = labels.get("user", ()) if own is None else [own.name, *([own.email] if own.email else [])]
    if owner:
        labels["owner"] = list(owner)
    for key, value in names.tags_of_workspace.get(known.get("workspace", ""), {}).items():
        texts = labels.setdefault(label_of(TAG + key), [])
        texts += [value] if value not in texts else []
    return labels


@cache
def label_of(dimension: Dimension) -> str:
    """The label of a dimension."""
    key = dimension.removeprefix(TAG)
    return dimension if key == dimension else TAG_LABEL + _ODD.sub("_", key)


def read(text: str) -> Matcher:
    """The matcher that a text writes, on a label that there is, of a value that it can have; raises NoMatcher."""
    matcher = parse(text)
    label, value = matcher.label, matcher.value
    check_label(label)
    words = CLOSED.get(label, ())
    affirmed = Matcher(label, "=~" if matcher.operator[-1] == "~" else "=", value)
    if words and not any(affirmed.holds({label: [word]}) for word in words):
        near = difflib.get_close_matches(value, words, n=1, cutoff=0.6)
        remedy = f'did you mean "{near[0]}"?' if near else f"there is {', '.join(words)}"
        raise NoMatcher(f"names a {label} that there is not; {remedy}")
    return matcher


def check_label(label: str) -> None:
    """Raises NoMatcher where no alert has a label of this name."""
    if label in LABELS or (label.startswith(TAG_LABEL) and label != TAG_LABEL):
        return
    near = difflib.get_close_matches(label, LABELS, n=1, cutoff=0.6)
    remedy = f'did you mean "{near[0]}"?' if near else f"there is {', '.join(LABELS)}, and tag_… for a workspace tag"
    raise NoMatcher(f'names the label "{label[:60]}", which no alert has; {remedy}')


def _texts(dimension: Dimension, ident: str, alert: Alert, names: Names) -> list[str]:
    if dimension.startswith(TAG):
        return [ident]
    texts = [ident, *called(dimension, ident, names)]
    if ident in alert.names:
        texts.append(alert.names[ident])
    return list(dict.fromkeys(texts))
