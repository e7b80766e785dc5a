"""Console: the story printed on a terminal or into a log, readable at 80 columns."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from notifiers.base import DeliveryError
from notifiers.render import story
from notifiers.story import Line, Story, Tone, Words, plain
from rules.model import Notification

_COLOURS = {
    Tone.CRITICAL: "bold red",
    Tone.WARNING: "bold yellow",
    Tone.INFO: "bold blue",
    Tone.RESOLVED: "bold green",
    Tone.START: "bold cyan",
    Tone.TEST: "bold magenta",
}
_STYLES = {"plain": "", "strong": "bold", "code": "cyan"}


@dataclass(frozen=True, slots=True)
class ConsoleNotifier:
    """Prints each notification to `console`, by default standard output. See `Notifier` for the contract."""

    name: str
    console: Console | None = field(default=None, repr=False)

    def send(self, notification: Notification) -> None:
        """Print the story; raises DeliveryError, retryable, when the stream does not take it."""
        console = self.console or Console()
        try:
            print_story(story(notification), console)
        except OSError as error:
            reason = f"the console did not take the message ({type(error).__name__})"
        except ValueError:
            reason = "the console's stream is closed"
        else:
            return
        raise DeliveryError(reason, retryable=True)


def print_story(told: Story, console: Console) -> None:
    """Print a story. Text is literal: markup, emoji codes and highlighting are off, and control characters are gone.

    What the stream's encoding cannot write is replaced, since a message with a question mark beats none.
    """

    def show(text: Text, indent: int) -> None:
        text.plain = text.plain.encode(console.encoding, "replace").decode(console.encoding)
        console.print(Padding(text, (0, 0, 0, indent)), highlight=False, markup=False, emoji=False)

    console.print()
    show(Text(told.headline, style=_COLOURS[told.tone]), 0)
    for row in told.lead:
        show(_styled(row), 3)
    for picture in told.picture:
        show(Text(picture, style="cyan", no_wrap=True, overflow="ellipsis"), 3)
    for section in told.sections:
        show(Text(section.heading, style="bold"), 3)
        for row in section.lines:
            bullet = "• " if section.listed else ""
            show(_styled((Words(bullet), *row)), 3)
    if told.footer:
        show(Text(" · ".join(told.footer), style="dim"), 3)
    console.print()


def _styled(row: Line) -> Text:
    text = Text()
    for words in row:
        text.append(words.text, style=_STYLES[words.style])
    return text if text.plain == plain(row) else Text(plain(row))
