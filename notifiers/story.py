"""A message before it has a channel: what is said, in which order, and which words are quoted from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias


class Tone(StrEnum):
    """How a message presents itself."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    RESOLVED = "resolved"
    START = "start"
    DIGEST = "digest"
    ACTION = "action"
    TEST = "test"


GLYPHS = {
    Tone.CRITICAL: "🔴",
    Tone.WARNING: "🟠",
    Tone.INFO: "🔵",
    Tone.RESOLVED: "✅",
    Tone.START: "🔭",
    Tone.DIGEST: "📊",
    Tone.ACTION: "🔑",
    Tone.TEST: "🧪",
}


@dataclass(frozen=True, slots=True)
class Whom:
    """Somebody whom a channel may mention: a Slack id as the configuration has it, or else an e-mail address by which
    a channel that can may look one up. Either may be empty."""

    slack: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """A run of text in one style. It is literal: whatever a channel gives a meaning to must be escaped by it.

    "code" is for ids, names of models and commands, which a reader copies; "strong" for names and figures.
    """

    text: str
    style: Literal["plain", "strong", "code"] = "plain"
    whom: Whom | None = None
    """Who these words name, where a channel is to mention them behind the words."""


Line: TypeAlias = tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under a heading, listed with bullets or not. A channel that cannot show all of them says how many more."""

    heading: str
    lines: tuple[Line, ...]
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """What one message says, in reading order: the title carries it alone, the footer may be skipped.

    `picture` is monospaced text whose columns line up. All text has been through `text.clean`.
    """

    tone: Tone
    title: str
    lead: tuple[Line, ...] = ()
    picture: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    footer: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """The title behind the mark of its tone."""
        return f"{GLYPHS[self.tone]} {self.title}"


def plain(line: Line) -> str:
    """A line's text without its styles."""
    return "".join(words.text for words in line)


def strong(text: str) -> Words:
    """Words that stand out."""
    return Words(text, "strong")


def code(text: str) -> Words:
    """Words to be read, or copied, letter by letter."""
    return Words(text, "code")


def line(*parts: str | Words) -> Line:
    """A line of words; strings are plain."""
    return tuple(Words(part) if isinstance(part, str) else part for part in parts if part != "")


def plain_text(story: Story, longest: int) -> str:
    """The whole story as text of at most `longest` characters, for channels and devices that show nothing else."""
    rows = [story.headline, *map(plain, story.lead), *story.picture]
    for section in story.sections:
        bullet = "• " if section.listed else ""
        rows += ["", section.heading] if section.heading else [""]
        rows += [bullet + plain(row) for row in section.lines]
    rows += ["", *story.footer] if story.footer else []
    text = "\n".join(rows)
    if len(text) <= longest:
        return text
    return text[: longest - 1].rpartition("\n")[0] + "\n…" if "\n" in text[:longest] else text[: longest - 1] + "…"
