"""Matchers on an alert's labels, with Alertmanager's syntax and meaning: `severity="critical"`, `workspace=~"prod-.*"`.

`=` and `!=` compare the whole text, and case counts. `=~` and `!~` take a regular expression (RE2's) that must fit the
whole text. A label that an alert does not have is empty. A label may go by several texts, an id and a name: `=` and
`=~` hold where one of them fits, `!=` and `!~` where none does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rules.expressions import NoExpression, fits

OPERATORS = {"=": "is", "!=": "is not", "=~": "matches", "!~": "does not match"}
"""The operators, with what they are called."""
LONGEST_VALUE = 300

Labels: TypeAlias = Mapping[str, Sequence[str]]
"""The texts of each label that an alert has."""
ABSENT = ("",)
"""The texts of a label that an alert does not have."""

_SHAPE = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!=|!~|=)\s*(.*?)\s*", re.DOTALL)


class NoMatcher(ValueError):
    """A text is no matcher. The message is a clause that follows the name of its place: "must be …"."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; made by `parse`, so that its regular expression is one."""

    label: str
    operator: str
    value: str

    def holds(self, labels: Labels) -> bool:
        """Whether an alert with these labels meets it."""
        return self.takes(labels.get(self.label) or ABSENT)

    def takes(self, texts: Sequence[str]) -> bool:
        """Whether the texts of its label meet it, `ABSENT` where there is none.

        None meet an expression that RE2 does not know, such as one that an earlier version wrote down.
        """
        if self.operator[-1] != "~":
            return (self.value in texts) is (self.operator == "=")
        try:
            found = any(map(fits(self.value), texts))
        except NoExpression:
            return False
        return found is (self.operator == "=~")

    def __str__(self) -> str:
        """As the configuration writes it."""
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.label}{self.operator}"{escaped}"'

    @property
    def words(self) -> str:
        """As a sentence says it: 'severity is "critical"'."""
        if not self.value and self.operator in {"=", "!="}:
            return f"{self.label} {'is not there' if self.operator == '=' else 'is there'}"
        return f'{self.label} {OPERATORS[self.operator]} "{self.value}"'


def all_hold(matchers: Sequence[Matcher], labels: Labels) -> bool:
    """Whether an alert with these labels meets every one of them."""
    return all(matcher.holds(labels) for matcher in matchers)


def parse(text: str) -> Matcher:
    """The matcher that a text writes; raises NoMatcher with what is wrong. Whether there is such a label is not asked.

    As in Alertmanager the value may stand in quotation marks, in which `\\"`, `\\\\` and `\\n` mean what they say.
    """
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise NoMatcher('must be a label, one of = != =~ !~ and a value, such as severity="critical"')
    label, operator, written = found.groups()
    if operator == "=" and written.startswith("="):
        raise NoMatcher('must have one "=", not two; a value that begins with one stands in quotation marks')
    value = _unquoted(written)
    if len(value) > LONGEST_VALUE:
        raise NoMatcher(f"must have a value of at most {LONGEST_VALUE} characters, not {len(value)}")
    if operator[-1] == "~":
        try:
            fits(value)
        except NoExpression as error:
            raise NoMatcher(f"has no regular expression after {operator}: {str(error)[:80]}") from None
    return Matcher(label, operator, value)


def split(text: str) -> list[str]:
    """The parts of a text between commas, those within quotation marks left alone: `a=b,c="d,e"`."""
    parts, quoted, escaped = [""], False, False
    for letter in text:
        if letter == "," and not quoted:
            parts.append("")
            continue
        parts[-1] += letter
        quoted ^= letter == '"' and not escaped
        escaped = letter == "\\" and not escaped
    return [part for part in map(str.strip, parts) if part]


def _unquoted(written: str) -> str:
    quoted = written.startswith('"')
    if quoted and (len(written) < len('""') or not written.endswith('"')):
        raise NoMatcher("has a quotation mark that is never closed")
    value, escaped = "", False
    for letter in written[1:-1] if quoted else written:
        if escaped:
            value += {"n": "\n", '"': '"', "\\": "\\"}.get(letter, f"\\{letter}")
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter == '"':
            raise NoMatcher('has a quotation mark within its value: write \\" there')
        else:
            value += letter
    if escaped and quoted:
        raise NoMatcher("has a quotation mark that is never closed")
    return value + ("\\" if escaped else "")
