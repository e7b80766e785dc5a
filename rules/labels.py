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
from typing import TypeAlias, get_args

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
Texts: TypeAlias = tuple[str, ...]

_ODD = re.compile(r"[^a-zA-Z0-9_]")


def labels_of(alert: Alert, names: Names, organization: Iterable[str] = ()) -> Labels:
    """The labels of an alert as things are called now; `organization` is what its organization is called."""
    return Labelling(names, organization).of(alert)


class Labelling:
    """The labels of many alerts of one organization: what they have in common is looked up once."""

    def __init__(self, names: Names, organization: Iterable[str] = ()) -> None:
        self._names = names
        self._called = tuple(filter(None, organization))
        self._organizations: dict[str, Texts] = {}
        self._texts: dict[tuple[Dimension, str, str | None], Texts] = {}
        self._tags: dict[str, tuple[tuple[str, Texts], ...]] = {}
        self._fixed: dict[str, Texts] = {}

    def of(self, alert: Alert) -> Labels:
        """The labels of an alert as it is now."""
        subject, called = alert.subject, alert.names
        scope = subject.scope
        fixed = self._fixed
        labels: dict[str, Texts] = {
            "kind": fixed.get(subject.kind) or self._alone(subject.kind),
            "severity": fixed.get(alert.severity) or self._alone(alert.severity.value),
            "rule": fixed.get(subject.rule) or self._alone(subject.rule),
            "organization": self._organizations.get(scope.organization) or self._organization(scope.organization),
        }
        known = known_of(scope, self._names, (), beside_of(alert))
        for dimension, ident in known.items():
            about = dimension, ident, called.get(ident)
            labels[label_of(dimension)] = self._texts.get(about) or self._text(about)
        own = alert.owned
        if own is not None:
            labels["owner"] = (own.name, own.email) if own.email else (own.name,)
        elif "user" in labels:
            labels["owner"] = labels["user"]
        workspace = known.get("workspace", "")
        tags = self._tags.get(workspace)
        for label, texts in self._tags_of(workspace) if tags is None else tags:
            there = labels.get(label)
            labels[label] = texts if there is None else tuple(dict.fromkeys((*there, *texts)))
        return labels

    def _alone(self, text: str) -> Texts:
        return self._fixed.setdefault(text, (text,))

    def _organization(self, ident: str) -> Texts:
        return self._organizations.setdefault(ident, (ident, *self._called))

    def _text(self, about: tuple[Dimension, str, str | None]) -> Texts:
        """The texts of an id in a dimension, by what it is called now, and by what an alert called it."""
        dimension, ident, written = about
        texts = [ident]
        if not dimension.startswith(TAG):
            texts += [*called(dimension, ident, self._names), *([] if written is None else [written])]
        return self._texts.setdefault(about, tuple(dict.fromkeys(texts)))

    def _tags_of(self, workspace: str) -> tuple[tuple[str, Texts], ...]:
        labels: dict[str, list[str]] = {}
        for key, value in self._names.tags_of_workspace.get(workspace, {}).items():
            labels.setdefault(label_of(TAG + key), []).append(value)
        found = tuple((label, tuple(dict.fromkeys(texts))) for label, texts in labels.items())
        return self._tags.setdefault(workspace, found)


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


def beside_of(alert: Alert) -> str | None:
    """The id, of those that an alert has names for, which is none of its scope: its key's workspace."""
    scope = alert.subject.scope
    own = (scope.workspace, scope.api_key, scope.model, scope.user, scope.model_family, scope.service_tier)
    for ident in alert.names:
        if ident not in own and (not scope.tags or ident not in dict(scope.tags).values()):
            return ident
    return None
